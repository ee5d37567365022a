"""Where the sun stands: the prior of every lamp's schedule.

NOAA Global Monitoring Laboratory, "General Solar Position Calculations" (after Spencer, Search 2,
1971): good to about 0.3°, which the sun takes one to two minutes for.
"""

from __future__ import annotations

import math
from typing import Final

DAY_S: Final = 86400.0
YEAR_2000: Final = 946_684_800.0
TROPICAL_YEAR_S: Final = 365.2422 * DAY_S
SLOTS: Final = 48


def elevation(t: float, lon: float, lat: float) -> float:
    """Degrees of the sun's middle above the horizon (no refraction) at epoch seconds `t`."""
    year = 2.0 * math.pi * ((t - YEAR_2000) % TROPICAL_YEAR_S) / TROPICAL_YEAR_S
    s1, c1 = math.sin(year), math.cos(year)
    s2, c2 = math.sin(2 * year), math.cos(2 * year)
    minutes = 229.18 * (
        0.000075 + 0.001868 * c1 - 0.032077 * s1 - 0.014615 * c2 - 0.040849 * s2
    )  # the equation of time
    declination = (
        0.006918 - 0.399912 * c1 + 0.070257 * s1 - 0.006758 * c2 + 0.000907 * s2
        - 0.002697 * math.cos(3 * year) + 0.00148 * math.sin(3 * year)
    )  # fmt: skip
    solar = (t % DAY_S) / 60.0 + minutes + 4.0 * lon
    hour_angle = math.radians(solar / 4.0 - 180.0)
    phi = math.radians(lat)
    height = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(
        declination
    ) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, height))))


def slot(t: float, lon: float) -> int:
    """Which half hour of the day, by the mean sun; 0 begins at midnight."""
    return int((t + 240.0 * lon) % DAY_S // (DAY_S / SLOTS))


def night(t: float, lon: float) -> int:
    """A number for each night, from noon to noon."""
    return int((t + 240.0 * lon - DAY_S / 2) // DAY_S)
