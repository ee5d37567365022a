"""The filter of a track: constant velocity across, constant acceleration down (Kalman).

Plain floats instead of matrices: a track costs some microseconds a picture.
"""

from __future__ import annotations

from detectors.high_altitude_throw.space import Space

Across = list[float]
"""x, vx, and covariance xx, xv, vv."""

Down = list[float]
"""y, vy, ay, and covariance yy, yv, ya, vv, va, aa."""


def begun(x: float, y: float, noise: tuple[float, float], space: Space) -> tuple[Across, Down]:
    """The state after a first sighting with variances `noise` (units²)."""
    fast = (space.fastest / 2) ** 2
    across = [x, 0.0, noise[0], 0.0, fast]
    down = [y, 0.0, space.gravity, noise[1], 0.0, 0.0, fast, 0.0, space.gravity_sd**2]
    return across, down


def predicted(across: Across, down: Down, dt: float, space: Space) -> tuple[Across, Down]:
    """The state `dt` seconds later."""
    x, vx, pxx, pxv, pvv = across
    q = space.wind**2 * dt
    ahead = [
        x + vx * dt,
        vx,
        pxx + 2 * dt * pxv + dt * dt * pvv + q * dt * dt / 3,
        pxv + dt * pvv + q * dt / 2,
        pvv + q,
    ]
    y, v, a, yy, yv, ya, vv, va, aa = down
    h = dt * dt / 2
    q = space.jerk**2 * dt
    below = [
        y + v * dt + a * h,
        v + a * dt,
        a,
        yy + 2 * dt * yv + 2 * h * ya + dt * dt * vv + 2 * dt * h * va + h * h * aa + q * h * h / 5,
        yv + dt * ya + dt * vv + (dt * dt + h) * va + dt * h * aa + q * dt * h / 4,
        ya + dt * va + h * aa + q * h / 3,
        vv + 2 * dt * va + dt * dt * aa + q * dt * dt / 3,
        va + dt * aa + q * dt / 2,
        aa + q,
    ]
    return ahead, below


def corrected(
    across: Across, down: Down, x_seen: float, y_seen: float, noise: tuple[float, float]
) -> tuple[Across, Down]:
    """The state after a sighting with variances `noise` (units²)."""
    x, vx, pxx, pxv, pvv = across
    s = pxx + noise[0]
    k0, k1, r = pxx / s, pxv / s, x_seen - x
    ahead = [x + k0 * r, vx + k1 * r, pxx - k0 * pxx, pxv - k0 * pxv, pvv - k1 * pxv]
    y, v, a, yy, yv, ya, vv, va, aa = down
    s = yy + noise[1]
    g0, g1, g2, r = yy / s, yv / s, ya / s, y_seen - y
    below = [
        y + g0 * r,
        v + g1 * r,
        a + g2 * r,
        yy - g0 * yy,
        yv - g0 * yv,
        ya - g0 * ya,
        vv - g1 * yv,
        va - g1 * ya,
        aa - g2 * ya,
    ]
    return ahead, below
