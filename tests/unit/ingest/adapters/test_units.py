"""Units mean one thing, however a vendor spells them."""

from __future__ import annotations

import pytest

from ingest.adapting import quantities, units


@pytest.mark.parametrize(
    ("unit", "value", "ours"),
    [("kN", 2.0, 2000.0), ("kn", 2.0, 1.028889), ("KPA", 3.0, 3.0), ("MPa", 2.0, 2000.0),
     ("°F", 212.0, 100.0), ("K", 273.15, 0.0), ("l/s", 5.0, 0.005), (" mm ", 7.0, 0.007)],
)  # fmt: skip
def test_a_value_is_told_in_our_unit(unit: str, value: float, ours: float) -> None:
    conversion = quantities.conversion(unit)
    assert conversion is not None
    factor, offset = conversion
    assert value * factor + offset == pytest.approx(ours, abs=1e-6)


@pytest.mark.parametrize("unit", units.KNOWN)
def test_mappings_and_profiles_agree_on_every_unit(unit: str) -> None:
    assert quantities.conversion(unit) == units.conversion(unit)


def test_what_is_no_unit_is_none() -> None:
    assert quantities.conversion("furlong") is None
