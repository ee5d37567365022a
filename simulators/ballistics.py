"""How things fall: a body with quadratic air drag, thrown out of a window, in facade metres."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.dice import between
from simulators.towers import Tower

GRAVITY = 9.80665
AIR_KG_M3 = 1.2
STEP_S = 0.005


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A thing people throw."""

    name: str
    size_m: tuple[float, float]
    """Longer and shorter side as seen."""
    mass_kg: float
    drag: float
    """Drag coefficient of a tumbling body (box about 1.05, cylinder 0.8, bag 0.9)."""
    bgr: tuple[int, int, int]
    round: bool
    """Drawn as an ellipse rather than as a box."""

    @property
    def drag_per_m(self) -> float:
        """k in a = -k |v| v, 1/m."""
        area = self.size_m[0] * self.size_m[1]
        return AIR_KG_M3 * self.drag * area / (2 * self.mass_kg)


BODIES: tuple[Body, ...] = (
    Body(
        name="rubbish bag",
        size_m=(0.56, 0.46),
        mass_kg=3.0,
        drag=0.9,
        bgr=(26, 24, 22),
        round=True,
    ),
    Body(
        name="white bag",
        size_m=(0.54, 0.44),
        mass_kg=2.6,
        drag=0.9,
        bgr=(246, 246, 242),
        round=True,
    ),
    Body(
        name="cardboard box",
        size_m=(0.62, 0.44),
        mass_kg=2.8,
        drag=1.05,
        bgr=(92, 140, 188),
        round=False,
    ),
    Body(
        name="flowerpot",
        size_m=(0.40, 0.38),
        mass_kg=4.0,
        drag=0.8,
        bgr=(232, 236, 234),
        round=False,
    ),
    Body(
        name="bucket",
        size_m=(0.44, 0.40),
        mass_kg=1.4,
        drag=0.9,
        bgr=(46, 20, 14),
        round=False,
    ),
)


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """A fall from release to the ground. `points` has shape (n, 3): u, v, w in metres."""

    body: Body
    floor: int
    bay: int
    points: NDArray[np.float64]
    spin_rad_s: float
    start_angle: float

    @property
    def duration_s(self) -> float:
        """From release to impact."""
        return (len(self.points) - 1) * STEP_S

    @property
    def impact_m_s(self) -> float:
        """Speed at the ground."""
        return float(np.linalg.norm(self.points[-1] - self.points[-2]) / STEP_S)

    def at(self, seconds: float) -> tuple[float, float, float]:
        """Where it is that long after release (clamped to the flight)."""
        k = min(max(seconds / STEP_S, 0.0), len(self.points) - 1.0)
        i = min(int(k), len(self.points) - 2)
        p = self.points[i] + (self.points[i + 1] - self.points[i]) * (k - i)
        return float(p[0]), float(p[1]), float(p[2])


def fall(
    start: tuple[float, float, float],
    velocity: tuple[float, float, float],
    drag_per_m: float,
    wind: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ground_m: float = 0.15,
) -> NDArray[np.float64]:
    """Positions each `STEP_S` from `start` until v reaches the ground, by the midpoint rule."""
    place, speed = np.array(start, dtype=np.float64), np.array(velocity, dtype=np.float64)
    blowing = np.array(wind, dtype=np.float64)
    down = np.array([0.0, -GRAVITY, 0.0])

    def pull(v: NDArray[np.float64]) -> NDArray[np.float64]:
        through = v - blowing
        return np.asarray(down - drag_per_m * np.linalg.norm(through) * through)

    points = [place.copy()]
    while place[1] > ground_m and len(points) < 6000:
        middle = speed + pull(speed) * STEP_S / 2
        place = place + middle * STEP_S
        speed = speed + pull(middle) * STEP_S
        points.append(place.copy())
    return np.asarray(points)


def throw(rng: np.random.Generator, tower: Tower, floor: int, bay: int) -> Flight:
    """Somebody throws something out of that window."""
    body = BODIES[int(rng.integers(len(BODIES)))]
    u0, v0, u1, v1 = tower.window(floor, bay)
    start = (
        between(rng, (u0 + 0.3 * (u1 - u0), u1 - 0.3 * (u1 - u0))),
        between(rng, (v0 + 0.40 * (v1 - v0), v0 + 0.60 * (v1 - v0))),
        0.25,
    )
    velocity = (
        float(rng.normal(0, 0.45)),
        between(rng, (-0.4, 1.2)),
        between(rng, (0.6, 2.6)),
    )
    wind = (float(rng.normal(0, 0.8)), 0.0, float(rng.normal(0, 0.3)))
    return Flight(
        body=body,
        floor=floor,
        bay=bay,
        points=fall(start, velocity, body.drag_per_m, wind),
        spin_rad_s=float(rng.normal(0, 5.0)),
        start_angle=between(rng, (0.0, 3.1)),
    )
