"""Device profiles: which is found by what is said, and what its language reads."""

from __future__ import annotations

import pytest

from contracts.aliases import Alias
from contracts.errors import Permanent
from ingest.adapting import layout, profile, quantities
from ingest.adapting.formula import compiled
from ingest.adapting.profile import DeviceTable, Profile, Profiles, Rule

SHIPPED = Profiles(profile.shipped())


@pytest.mark.parametrize(
    ("hint", "found"),
    [
        ("EM500-UDL", "EM500-UDL"),
        ("em500 udl", "EM500-UDL"),
        ("Milesight EM310-TILT", "EM310-TILT"),
        ("EM500-UDL-915M", "EM500-UDL"),
        ("Milesight EM310-UDL (EU868)", "EM310-UDL"),
        ("well 7, CT103", "CT101-CT103"),
        ("dl-ctd10", "DL-CTD10"),
        ("DL-PR36CTD", "DL-PR36CTD"),
        ("Netvox R718N325", "R718N3"),
        ("Chirpstack default device profile", None),
        ("Comfort zone of the station", None),
        ("12", None),
        ("", None),
    ],
)
def test_a_model_is_found_in_what_servers_call_a_device(hint: str, found: str | None) -> None:
    told = SHIPPED.of([None, hint])
    assert (told.name if told else None) == found


def test_the_first_hint_that_names_one_exactly_goes_before_what_is_merely_mentioned() -> None:
    told = SHIPPED.of(["an EM310-UDL in the yard", "EM500-SWL"])
    assert told is not None
    assert told.name == "EM500-SWL"


def read(text: str, data: str, big: bool = False) -> dict[str, float | str]:
    return layout.read(layout.fields(text), bytes.fromhex(data), 0, big)[0]


@pytest.mark.parametrize(
    ("text", "data", "said"),
    [
        ("a u8; b i8", "ffff", {"a": 255, "b": -1}),
        ("a u16; b u16be", "01000100", {"a": 1, "b": 256}),
        ("a i24 /10 -40", "0a0000", {"a": -39}),
        ("a f32", "0000803f", {"a": 1}),
        ("a u16 !65535 /10", "ffff", {}),
        ("a u8 0=off 1=on *=odd", "07", {"a": "odd"}),
        ("a u8 0=too_high", "00", {"a": "too high"}),
        ("a b0-3; b b4-7", "5a", {"a": 10, "b": 5}),
        ("skip1; a u8; b b7", "00ff", {"a": 255, "b": 1}),
        ("a u8@2; b u8", "010203", {"a": 3, "b": 1}),
        ("a hex2; b text3; c bcd1", "beef41420042", {"a": "beef", "b": "AB", "c": 42}),
        ("a string; b u8", "024f4b07", {"a": "OK", "b": 7}),
        ("a u8 =[x[0] * y[1] if y[1] > 2 else 0]", "0304", {"a": 12}),
        ("a u8 =[log(x[0])]", "00", {}),
    ],
)
def test_the_language_of_fields(text: str, data: str, said: dict[str, float | str]) -> None:
    assert read(text, data) == pytest.approx(said)


def test_what_is_too_short_is_told_with_the_place() -> None:
    with pytest.raises(Permanent, match="ends after 1 bytes; at byte 1 2 more"):
        read("a u8; b u16", "01")


@pytest.mark.parametrize("text", ["a", "a u7", "a u8 x", "a u8 =[import os]", "a u8 =[x.y]"])
def test_a_line_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"field is|not a type|no operation|formula"):
        layout.fields(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(x[0] - 16384) / 32768 * (10 - -1) + -1", -1.0),
        ("2 ** 3 % 5 + (13 & 6) + (x[0] >> 12)", 11.0),
        ("sqrt(abs(-9)) + floor(2.7) + round(2.5)", 8.0),
    ],
)
def test_formulas_are_arithmetic(text: str, value: float) -> None:
    assert compiled(text)([16384.0], b"") == pytest.approx(value)


@pytest.mark.parametrize("text", ["__import__('os')", "x", "[1]", "x['a']", "lambda: 1", "1 +"])
def test_formulas_are_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match="formula"):
        compiled(text)


def profiled(**rules: Rule) -> Profile:
    return Profile("p", "v", DeviceTable(metrics=dict(rules)))


@pytest.mark.parametrize(
    ("rule", "value", "said"),
    [
        (Rule(metric="level", unit="mm"), 430, {"level": 0.43}),
        (Rule(metric="pressure", unit="bar"), "2.5", {"pressure": 250}),
        (Rule(metric="pressure"), "2.5 bar", {"pressure": 250}),
        (Rule(metric="temperature", unit="°F"), 212, {"temperature": 100}),
        (Rule(metric="flow", unit="m3/h"), 36, {"flow": 0.01}),
        (Rule(metric="t", scale=-1, offset=90), 88, {"t": 2}),
        (Rule(metric="t", errors=[-1, 65535]), 65535, {}),
        (Rule(metric="open", words={"zu": 0, "auf": 1}), "Auf", {"open": 1}),
        (Rule(metric="open", words={"2": 0}), 2, {"open": 0}),
        (Rule(metric="open"), True, {"open": 1}),
        (Rule(metric="open"), "three parts", {}),
        (Rule(metric="open"), None, {}),
        (Rule(metric=""), 3, {}),
    ],
)
def test_rules_say_metric_unit_and_words(rule: Rule, value: object, said: dict[str, float]) -> None:
    assert profiled(f=rule).values({"f": value}) == pytest.approx(said)


@pytest.mark.parametrize(
    ("way", "unit", "value", "height", "level"),
    [
        ("down", "mm", 2100, 2.5, 0.4),
        ("down", "mm", 2100, None, None),
        ("up", "cm", 40, None, 0.4),
        ("up", "cm", 40, 0.1, 0.5),
        ("head", "kPa", 9.80665, 0.2, 1.2),
        ("head", "kPa", 9.80665, None, None),
    ],
)
def test_a_water_level_is_told_down_up_or_by_its_head(
    way: str, unit: str, value: float, height: float | None, level: float | None
) -> None:
    made = profiled(f=Rule(metric="raw", unit=unit, level=way))  # type: ignore[arg-type]
    found = made.values({"f": value}, Alias(alias="a", device="d", height_m=height))
    assert found.get("level") == (pytest.approx(level) if level is not None else None)


def test_units_that_are_not_known_are_no_numbers_with_units() -> None:
    assert quantities.number("3 packets") is None
    assert quantities.number("1,5 m") == (1.5, "m")
    assert quantities.number(float("nan")) is None
    assert quantities.number("-4e1mA") == (-40, "mA")
    assert "furlong" not in quantities.allowed()


def test_every_shipped_profile_says_what_it_is_and_names_known_units() -> None:
    names = [p.name for p in profile.shipped()]
    assert len(names) == len(set(names)) >= 120
