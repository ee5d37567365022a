"""How much water a pipe carries at a level, over what it carries when full; and back.

Manning's law for a circular pipe at normal depth, in the form that sewer handbooks fit to it
(q = 0.46 - 0.5 cos(pi f) + 0.04 cos(2 pi f), f the filling; within 4 % of the exact curve up to
f = 0.95). Roughness and slope cancel out, so only the pipe's height is needed. Above the crown the
pipe runs under pressure and the level says little of the flow: it is let rise slowly so that the
relation can be turned round.
"""

from __future__ import annotations

import math
from bisect import bisect_left

FILM_M = 0.02
"""Added to levels before ratios are taken: of two or three centimetres a ratio says nothing."""
UNKNOWN_M = 0.6
"""Height taken for a pipe that is not registered (metres): the commonest main in cities here."""
_STEPS = 400
_TOP = 2.0
_PRESSED = 0.25
"""Slope of the relation above the crown."""


def _filled(f: float) -> float:
    if f >= 1.0:
        return 1.0 + _PRESSED * (f - 1.0)
    c = math.cos(math.pi * f)
    return 0.42 - 0.5 * c + 0.08 * c * c  # cos(2 x) = 2 cos(x)**2 - 1


_TABLE = [math.log(max(_filled((k + 0.5) * _TOP / _STEPS), 1e-9)) for k in range(_STEPS)]


def carried(level_m: float, height_m: float) -> float:
    """Logarithm of the flow over the full pipe's, at `level_m` in a pipe of `height_m`."""
    return math.log(_filled(((level_m if level_m > 0.0 else 0.0) + FILM_M) / height_m))


def level_at(carried_log: float, height_m: float) -> float:
    """The level (metres) at which a pipe carries that much; the inverse of `carried`."""
    if carried_log >= _TABLE[-1]:
        filled = 1.0 + (math.exp(min(carried_log, 20.0)) - 1.0) / _PRESSED
    else:
        k = bisect_left(_TABLE, carried_log)
        if k == 0:
            return 0.0
        low, high = _TABLE[k - 1], _TABLE[k]
        filled = (k - 0.5 + (carried_log - low) / (high - low)) * _TOP / _STEPS
    return max(0.0, filled * height_m - FILM_M)
