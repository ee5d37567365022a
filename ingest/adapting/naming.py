"""What a gateway calls a quantity, as a metric name of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from contracts.aliases import Alias
from contracts.kinds import METRICS

_NOT_ALLOWED = re.compile(r"[^\w.\-/ ]+")
LONGEST: Final = 64
_KNOWN: Final = 16_384
"""Names that are remembered; they are the senders' to make up."""

SAME: Final[Mapping[str, str]] = {
    "temp": "temperature",
    "air_temperature": "temperature",
    "water_level": "level",
    "waterlevel": "level",
    "water_depth": "depth",
    "flow_rate": "flow",
    "rainfall_rate": "rain_rate",
    "rain_intensity": "rain_rate",
    "rainfall_intensity": "rain_rate",
    "illuminance": "lux",
    "illumination": "lux",
    "voltage": "voltage_a",
    "current": "current_a",
    "ua": "voltage_a",
    "ub": "voltage_b",
    "uc": "voltage_c",
    "ia": "current_a",
    "ib": "current_b",
    "ic": "current_c",
    "noise": "sound_level",
    "tilt_angle": "tilt",
    "inclination": "tilt",
    "battery_voltage": "battery",
    "lvl": "level",
    "wl": "level",
    "water_lvl": "level",
    "flowrate": "flow",
    "discharge": "flow",
    "press": "pressure",
    "rainrate": "rain_rate",
    "noise_level": "sound_level",
    "水位": "level",
    "液位": "level",
    "水深": "depth",
    "积水深度": "depth",
    "积水": "depth",
    "流量": "flow",
    "瞬时流量": "flow",
    "流速": "velocity",
    "雨强": "rain_rate",
    "降雨强度": "rain_rate",
    "压力": "pressure",
    "水压": "pressure",
    "倾角": "tilt",
    "倾斜角": "tilt",
    "倾斜角度": "tilt",
    "电压": "voltage_a",
    "电流": "current_a",
    "a相电压": "voltage_a",
    "b相电压": "voltage_b",
    "c相电压": "voltage_c",
    "a相电流": "current_a",
    "b相电流": "current_b",
    "c相电流": "current_c",
    "零序电流": "current_n",
    "张力": "tension",
    "拉力": "tension",
    "温度": "temperature",
    "气温": "temperature",
    "照度": "lux",
    "光照": "lux",
    "光照度": "lux",
    "噪声": "sound_level",
    "噪音": "sound_level",
    "声级": "sound_level",
    "光功率": "optical_power",
    "电池电压": "battery",
}
"""Names that gateways use for a metric of ours. `voltage` and `current` of a device with one
channel are those of its first phase; `aliases.csv` says otherwise where it is another."""


def metric_of(name: str, alias: Alias | None = None) -> str | None:
    """Our metric for what a gateway calls `name`; None: `aliases.csv` leaves it out.

    `aliases.csv` decides first, then names of ours in any case, then what is commonly meant. Any
    other name stays, without what no metric name may contain.
    """
    if alias is not None and name in alias.metrics:
        return alias.metrics[name] or None
    found = _meant(name)
    if alias is not None and found in alias.metrics:
        return alias.metrics[found] or None
    return found


@lru_cache(_KNOWN)
def _meant(name: str) -> str:
    small = re.sub(r"[\s\-]+", "_", name.strip()).lower()
    if small in METRICS:
        return small
    if small in SAME:
        return SAME[small]
    return _NOT_ALLOWED.sub("_", name.strip()).lstrip("_.-/ ")[:LONGEST] or "value"
