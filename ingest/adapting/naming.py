"""What a gateway calls a quantity, as a metric name of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from contracts.aliases import Alias
from contracts.kinds import METRICS

_NOT_ALLOWED = re.compile(r"[^\w.\-/ ]+")
LONGEST: Final = 64

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
    small = re.sub(r"[\s\-]+", "_", name.strip()).lower()
    if small in METRICS:
        found = small
    elif small in SAME:
        found = SAME[small]
    else:
        found = _NOT_ALLOWED.sub("_", name.strip()).lstrip("_.-/ ")[:LONGEST] or "value"
    if alias is not None and found in alias.metrics:
        return alias.metrics[found] or None
    return found
