"""What an instrument of each metric can mean, and which faults can be told of it at all.

A metric that is not listed gets none of the screens that need to know what it means; its clock and
its missing reports are watched like everybody's.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec


class Metric(msgspec.Struct, frozen=True):
    """Limits in the metric's unit."""

    low: float
    high: float
    """What lies outside is no measurement. Tighter than what the screen at the edge lets by, which
    must hold for any instrument in the world."""
    moves: bool = False
    """A working one moves: the same value for much longer than ever is a fault. Not so for what
    stands still by nature: the tilt of a pole, the tension of a span, a lamp that is off."""
    rest: float | None = None
    """At or below it a working one may stand still for weeks: a dry road, no rain."""
    leap: float | None = None
    """Steps below it are never a spike nor debris (the metric's unit); None: neither is told."""
    spike: float = 0.0
    """A smaller spike is worth nobody's way (the unit)."""
    above: float | None = None
    """For water under a head: steps up of this size that stay may be debris (the unit)."""
    brim: float = math.inf
    """Water that came up to here stands still by itself: it spreads over the street."""
    drift: float = 0.0
    """Least change of its dry-weather course that is a drift (the unit); 0: none is told, for it
    has no dry-weather floor that can drift away."""
    wet: bool = False
    """Above zero it rains."""
    signed: bool = False
    """Below `rest` it goes the other way, and only at `rest` itself it stands still."""

    def rests(self, value: float) -> bool:
        """Whether what is measured may stand still at that value."""
        if self.rest is None:
            return False
        return value == self.rest if self.signed else value <= self.rest


METRICS: Final[dict[str, Metric]] = {
    # 30 cm below the invert is more than mounting and survey are wrong by; deep shafts have 20 m
    "level": Metric(-0.3, 30.0, True, 0.0, 0.05, 0.2, 0.1, drift=0.05),
    # nobody measures a road under more than 5 m of water; a dry one reads some cm off
    "depth": Metric(-0.2, 5.0, True, 0.0, 0.05, 0.1, 0.08, drift=0.05),
    "flow": Metric(-100.0, 5_000.0, True, 0.0, 0.02, 0.05, drift=0.002, signed=True),
    "velocity": Metric(-15.0, 15.0, True, 0.0, 0.3, signed=True),
    # the record minute, Unionville 1956: 31.2 mm, 1,872 mm/h; gauges of the kind end at 1,000
    "rain_rate": Metric(0.0, 1_000.0, True, 0.0, wet=True),
    # a vacuum is -101 kPa; mains are tested at 2 MPa
    "pressure": Metric(-101.4, 2_500.0, True, None, 30.0),
    "tilt": Metric(-180.0, 180.0),
    "tension": Metric(-1e5, 1e6),
    "vibration": Metric(0.0, 2_000.0),
    "optical_power": Metric(-80.0, 40.0, True),
    "lamp_current": Metric(-0.5, 100.0),
    "lux": Metric(0.0, 200_000.0),
    "sound_level": Metric(-10.0, 194.0, True),
    # outdoor electronics; the coldest and hottest air ever measured are -89 and 57
    "temperature": Metric(-90.0, 125.0, True),
    "battery": Metric(-0.5, 100.0),
    "last_gasp": Metric(0.0, 1.0),
    **{f"voltage_{phase}": Metric(-1.0, 500_000.0, phase != "n") for phase in "abcn"},
    **{f"current_{phase}": Metric(-1e5, 1e5) for phase in "abcn"},
}

CODES: Final = frozenset(
    sign * whole / scale
    for whole in (9999, 99999, 32767, 32768, 65535, 65534)
    for scale in (1, 10, 100, 1000)
    for sign in (1, -1)
) | {-1.0, -999.0, 999.0, -99.0, 32.8, 65.5, 327.7, 655.4}
"""What transmitters say when they have nothing to say: all ones of a register, its sign bit, rows
of nines, at the scales in use (some rounded on their way), and minus one. Only one that comes again
and again is taken for a code."""

ANY: Final = Metric(-1e300, 1e300)
"""Of a metric that we do not know, only infinity is wrong."""
