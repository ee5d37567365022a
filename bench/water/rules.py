"""What anyone would write first: the measured references beside our figures, on the same readings.

Each takes times (seconds, rising) and heights (metres) as arrays and says when it first alarms.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

THREE_INCHES_M: Final = 0.0762
"""FloodNet NYC alerts at 3 in of depth."""
POND_M: Final = 0.15
"""Beijing and others call 15 cm ponding."""
WET_M: Final = 0.0001
DRIP_M: Final = 0.02
"""Below this depth a street's slope is noise."""
RIM_SHARE: Final = 0.7
"""A manhole filled to this share of its rim."""
WINDOW_S, HORIZON_S = 300.0, 900.0
"""The slope of five minutes, fifteen minutes ahead."""


def at_least(t: Floats, v: Floats, level: float) -> float | None:
    """First time at or above a level."""
    hits = np.flatnonzero(v >= level)
    return float(t[hits[0]]) if len(hits) else None


def slope(t: Floats, v: Floats, line: float) -> float | None:
    """First time at which the rise of the last WINDOW_S (of the last two readings, where they come
    more rarely) reaches the line within HORIZON_S, the water being above DRIP_M already; or at
    which it stands at the line."""
    hits = np.flatnonzero(sloping(t, v, line))
    return float(t[hits[0]]) if len(hits) else None


def sloping(t: Floats, v: Floats, line: float) -> NDArray[np.bool_]:
    """Per reading, whether the rule of `slope` holds there."""
    now = np.arange(len(t))
    then = np.minimum(np.searchsorted(t, t - WINDOW_S, side="left"), np.maximum(now - 1, 0))
    rise, over = v - v[then], t - t[then]
    rate = np.divide(rise, over, out=np.zeros_like(v), where=over > 0)
    soon = (rate > 0) & (line - v <= rate * HORIZON_S) & (v >= DRIP_M)
    hits: NDArray[np.bool_] = soon | (v >= line)
    return hits


def episodes(t: Floats, raised: NDArray[np.bool_], quiet_s: float) -> list[tuple[float, float]]:
    """(begin, end) of the stretches in which a rule alarms, joined over gaps of `quiet_s`."""
    out: list[tuple[float, float]] = []
    for moment in t[raised].tolist():
        if out and moment - out[-1][1] <= quiet_s:
            out[-1] = (out[-1][0], moment)
        else:
            out.append((moment, moment))
    return out
