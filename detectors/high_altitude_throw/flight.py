"""How things fly after they were let go, in metres: gravity, air and wind in closed form.

Air that grows with the square of the speed slows a fall from rest to its terminal speed c:
`way = c²/g ln cosh(g t / c)`. Small speeds at release fade on top of that fall: across as
`1 / cosh(g t / c)`, down as `1 / cosh²(g t / c)` (both follow by putting the fall's own speed into
the drag). So for a given release time and c the whole flight is linear in where and how fast
it began, in the wind, and as good as linear in small changes of c.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

GRAVITY = 9.81

PARAMS = ("u", "v", "w", "du", "dv", "dw", "wind_u", "wind_w", "more_c")
"""What a flight is linear in: place of release (m), velocity of release (m/s), wind (m/s), and by
which share its terminal speed is more than the c it is reckoned with."""


def fallen(since: Array, terminal: Array) -> Array:
    """Metres fallen `since` seconds after the release; 0 before it. Shapes broadcast."""
    x = GRAVITY * np.maximum(since, 0.0) / terminal
    # ln cosh x without overflow
    return np.asarray(terminal**2 / GRAVITY * (x + np.log1p(np.exp(-2 * x)) - np.log(2.0)))


def falling(since: Array, terminal: Array) -> Array:
    """Speed of the fall, m/s."""
    return np.asarray(terminal * np.tanh(GRAVITY * np.maximum(since, 0.0) / terminal))


def carried(since: Array, terminal: Array) -> Array:
    """Metres that a speed across of 1 m/s at the release carries (Gudermannian)."""
    x = GRAVITY * np.maximum(since, 0.0) / terminal
    return np.asarray(terminal / GRAVITY * 2 * np.arctan(np.tanh(x / 2)))


def lifted(since: Array, terminal: Array) -> Array:
    """Metres that a speed upwards of 1 m/s at the release lifts."""
    return np.asarray(falling(since, terminal) / GRAVITY)


def stretched(since: Array, terminal: Array) -> Array:
    """Metres fallen more per share by which the terminal speed is more: c d `fallen` / d c.

    Of the second order next to nothing is left out: at most ln 2 c²/g times the share squared,
    1 cm at 2.5 m/s and 0.15.
    """
    x = GRAVITY * np.maximum(since, 0.0) / terminal
    way = x + np.log1p(np.exp(-2 * x)) - np.log(2.0)
    return np.asarray(terminal**2 / GRAVITY * (2 * way - x * np.tanh(x)))


def basis(since: Array, terminal: float) -> tuple[Array, Array]:
    """The flight as (matrix, fixed): place (u, v, w) = matrix @ PARAMS + fixed.

    `since` has shape (...); `matrix` (..., 3, 9), `fixed` (..., 3).
    """
    c = np.asarray(terminal)
    carry, lift = carried(since, c), lifted(since, c)
    matrix = np.zeros((*since.shape, 3, len(PARAMS)))
    matrix[..., 0, 0] = matrix[..., 1, 1] = matrix[..., 2, 2] = 1.0
    matrix[..., 0, 3], matrix[..., 1, 4], matrix[..., 2, 5] = carry, lift, carry
    drift = np.maximum(since, 0.0) - carry
    matrix[..., 0, 6], matrix[..., 2, 7] = drift, drift
    matrix[..., 1, 8] = -stretched(since, c)
    fixed = np.zeros((*since.shape, 3))
    fixed[..., 1] = -fallen(since, c)
    return matrix, fixed
