"""A quantity as a gateway told it (name, number, unit) as a metric of ours with its value.

The name alone may lie: a `level` in per cent is no height, a `vibration` that is true or false no
acceleration, a `battery` of 87 has no 87 V. What cannot be the metric its name says is stored under
a name that says what it is, so that no detector takes it for what it is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from contracts.aliases import Alias
from contracts.kinds import METRICS
from ingest.adapting import units
from ingest.adapting.naming import metric_of

PERCENT: Final = frozenset({"%", "%RH", "%EL", "percent", "pct"})
_HUNDREDTHS: Final = {"/": 100.0, "/100": 1.0, "/1000": 0.1}
"""Ratios (RFC 8428, RFC 8798) and what makes per cent of them."""
_SIGNS: Final = re.compile(r"[^A-Za-z0-9]+")
_AIR: Final = frozenset(
    {"air_pressure", "barometric_pressure", "atmospheric_pressure", "barometer", "baro",
     "barometricpressure", "air.pressure"}
)  # fmt: skip
_CLIMATE: Final = frozenset(
    {"humidity", "relative_humidity", "hum", "rh", "air_humidity", "湿度", "空气湿度"}
)
_CHARGE: Final = frozenset({"bat", "batt", "battery", "电量", "电池", "电池电量"})
BATTERY_V: Final = 20.0
"""No battery of a sensor has more volts; a charge in per cent mostly is more."""


def measured(
    name: str, value: float, unit: str | None = None, alias: Alias | None = None,
    *, flag: bool = False,
) -> tuple[str, float] | None:  # fmt: skip
    """(metric, value in our unit) of what a gateway calls `name`; None: `aliases.csv` leaves it
    out. `flag`: it was told as true or false, or by a word such as `alarm`."""
    unit = unit.strip() if unit else None
    metric = metric_of(name, alias)
    if metric is None:
        return None
    if alias is not None and metric in alias.metrics.values() and not units.spelt(unit or ""):
        return metric, value  # the city has said what it is
    small = _small(name)
    if small in _AIR:
        return _renamed("air_pressure", alias, air_kpa(value, unit))
    if metric in METRICS and METRICS[metric] != "1" and flag:
        return _renamed(f"{metric}_state", alias, value)
    if small in _CHARGE and unit is None:
        charged, value = charge(value)
        return _renamed(charged, alias, value)
    if unit is None:
        return metric, value
    return _in_unit(metric, value, unit, alias)


@lru_cache(16_384)
def _small(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def charge(value: float) -> tuple[str, float]:
    """(metric, value) of a battery without a unit, told by its size: volts, per cent, millivolts.

    A whole number (as the sender wrote it) up to 100 is per cent.
    """
    if 0 <= value <= 100 and (value > BATTERY_V or isinstance(value, int)):
        return "battery_percent", value
    if 0 <= value <= BATTERY_V:
        return "battery", value
    if 1000 <= value <= BATTERY_V * 1000:
        return "battery", value / 1000
    return "battery_level", value  # LoRaWAN's 1 to 254, or who knows


def air_kpa(value: float, unit: str | None = None) -> float:
    """The air's pressure in kPa; without a unit by its size (it is 30 to 110 kPa on Earth)."""
    if unit is not None and (known := units.spelt(unit)) is not None:
        return units.in_ours(value, known)
    for factor in (1.0, 0.1, 1e-3):  # kPa, hPa, Pa
        if 25.0 <= value * factor <= 115.0:
            return value * factor
    return value


def is_air(name: str, value: float, unit: str | None, neighbours: Iterable[str]) -> bool:
    """Whether a `pressure` without a unit is the air's: it stands beside a humidity."""
    if _last(name) != "pressure" or unit is not None or not 250 <= value <= 115_000:
        return False
    return any(_last(other) in _CLIMATE for other in neighbours)


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _in_unit(metric: str, value: float, unit: str, alias: Alias | None) -> tuple[str, float] | None:
    if unit in _HUNDREDTHS and (metric in METRICS or unit != "/"):
        unit, value = "%", value * _HUNDREDTHS[unit]
    if unit in PERCENT:
        return _renamed(f"{metric}_percent" if metric in METRICS else metric, alias, value)
    known = units.spelt(unit)
    if metric not in METRICS:
        return metric, units.in_ours(value, known)
    if known is not None and units.fits(metric, known):
        return metric, units.in_ours(value, known)
    told = _SIGNS.sub("_", unit).strip("_")
    return _renamed(f"{metric}_{told or 'told'}", alias, value)


def _renamed(metric: str, alias: Alias | None, value: float) -> tuple[str, float] | None:
    if alias is not None and metric in alias.metrics:
        found = alias.metrics[metric]
        return (found, value) if found else None
    return metric, value
