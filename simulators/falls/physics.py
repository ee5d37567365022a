"""How a thrown thing flies: a point mass with quadratic drag, turning, in front of a wall.

World: u along the facade, v up, w out of the wall towards the camera, metres. Drag is
F = rho/2 · Cd · A · |v - wind| (v - wind); A is the mean silhouette of the tumbling body, which
for a convex one is a quarter of its surface (Cauchy). Sheets show more or less of themselves as
they turn and are pushed sideways in the rhythm of that turning: flutter, with f = St · U / L and
Strouhal numbers of 0.1 to 0.2 (Belmonte, Eisenberg, Moses 1998; Andersen, Pesavento, Wang 2005).
Masses and sizes are kitchen-scale and ruler figures of everyday things; drag coefficients of
tumbling bluff bodies after Hoerner, Fluid-Dynamic Drag (1965), chapter 3.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

GRAVITY = 9.80665
AIR_KG_M3 = 1.2
STEP_S = 0.004
LONGEST_S = 60.0


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of thing people throw."""

    name: str
    size_m: tuple[float, float, float]
    """Length, breadth and thickness of the usual one."""
    mass_kg: float
    drag: float
    """Drag coefficient on the mean silhouette."""
    scale: tuple[float, float] = (0.9, 1.1)
    """How much smaller and larger than usual they come."""
    form: str = "box"
    """`box`, `round` (ellipsoid), `rod` (cylinder along the length), `sheet` (bent, thin)."""
    hollow: bool = False
    """Mass grows with the surface rather than with the volume."""
    shade: tuple[float, float] = (0.1, 0.9)
    """Albedo: from the darkest to the lightest of them."""
    flutter: float = 0.0
    """Sideways push of the air in parts of the drag; 0 for what does not flutter."""
    often: float = 1.0
    """How often it is thrown, relative to the others."""


BODIES: tuple[Body, ...] = (
    Body(name="steel nut", size_m=(0.046, 0.042, 0.025), mass_kg=0.19, drag=1.0, form="rod",
         shade=(0.15, 0.45), often=0.6),
    Body(name="bottle", size_m=(0.23, 0.068, 0.068), mass_kg=0.16, drag=0.9, form="rod",
         scale=(0.8, 1.4), hollow=True, shade=(0.15, 0.85), often=1.6),
    Body(name="battery", size_m=(0.061, 0.034, 0.034), mass_kg=0.14, drag=0.9, form="rod",
         shade=(0.08, 0.5), often=0.6),
    Body(name="cigarette end", size_m=(0.03, 0.008, 0.008), mass_kg=0.0004, drag=1.1, form="rod",
         shade=(0.5, 0.9), often=0.6),
    Body(name="apple", size_m=(0.08, 0.08, 0.075), mass_kg=0.19, drag=0.5, form="round",
         scale=(0.8, 1.3), shade=(0.15, 0.6)),
    Body(name="melon", size_m=(0.26, 0.22, 0.22), mass_kg=5.2, drag=0.5, form="round",
         scale=(0.7, 1.2), shade=(0.08, 0.4), often=0.7),
    Body(name="brick", size_m=(0.24, 0.115, 0.053), mass_kg=2.6, drag=1.1, scale=(0.6, 1.05),
         shade=(0.12, 0.45)),
    Body(name="tin", size_m=(0.123, 0.066, 0.066), mass_kg=0.06, drag=0.95, form="rod",
         scale=(0.8, 1.3), hollow=True, shade=(0.25, 0.9), often=1.2),
    Body(name="shoe", size_m=(0.29, 0.11, 0.11), mass_kg=0.36, drag=1.0, scale=(0.75, 1.1),
         hollow=True, shade=(0.06, 0.9)),
    Body(name="flowerpot", size_m=(0.24, 0.22, 0.22), mass_kg=4.5, drag=0.85, form="rod",
         scale=(0.6, 1.7), shade=(0.12, 0.8)),
    Body(name="cardboard box", size_m=(0.42, 0.32, 0.28), mass_kg=0.9, drag=1.05,
         scale=(0.45, 1.7), hollow=True, shade=(0.25, 0.7), often=1.4),
    Body(name="rubbish bag", size_m=(0.45, 0.38, 0.34), mass_kg=2.2, drag=0.8, form="round",
         scale=(0.5, 1.6), shade=(0.04, 0.9), often=1.8),
    Body(name="wash bucket", size_m=(0.30, 0.28, 0.26), mass_kg=0.8, drag=0.95, form="rod",
         scale=(0.8, 1.5), hollow=True, shade=(0.1, 0.9), often=0.6),
    Body(name="cloth", size_m=(0.7, 0.45, 0.10), mass_kg=0.22, drag=1.15, form="sheet",
         scale=(0.5, 1.5), hollow=True, shade=(0.06, 0.95), flutter=0.35, often=0.8),
    Body(name="paper", size_m=(0.297, 0.21, 0.004), mass_kg=0.005, drag=1.2, form="sheet",
         scale=(0.7, 1.5), hollow=True, shade=(0.6, 0.95), flutter=0.7, often=0.35),
    Body(name="tissue", size_m=(0.2, 0.19, 0.02), mass_kg=0.0016, drag=1.2, form="sheet",
         hollow=True, shade=(0.75, 0.97), flutter=0.5, often=0.3),
)  # fmt: skip


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One of them: a body at its own scale."""

    body: Body
    scale: float

    @property
    def size_m(self) -> tuple[float, float, float]:
        """Length, breadth, thickness."""
        a, b, c = self.body.size_m
        return a * self.scale, b * self.scale, c * self.scale

    @property
    def mass_kg(self) -> float:
        """Its weight."""
        return self.body.mass_kg * self.scale ** (2 if self.body.hollow else 3)

    @property
    def silhouette_m2(self) -> float:
        """Mean silhouette over all orientations: a quarter of the surface (Cauchy)."""
        a, b, c = self.size_m
        if self.body.form == "round":  # Thomsen's formula for the surface of an ellipsoid
            p = 1.6075
            mean = ((a * b) ** p + (a * c) ** p + (b * c) ** p) / 3
            return float(math.pi * mean ** (1 / p) / 4)
        if self.body.form == "rod":
            across = math.sqrt(b * c)
            return (math.pi * across * a + math.pi * across**2 / 2) / 4
        return (a * b + a * c + b * c) / 2

    @property
    def drag_per_m(self) -> float:
        """k in a = -k |v| v, 1/m."""
        return AIR_KG_M3 * self.body.drag * self.silhouette_m2 / (2 * self.mass_kg)

    @property
    def terminal_m_s(self) -> float:
        """Speed at which drag carries the weight."""
        return math.sqrt(GRAVITY / self.drag_per_m)


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """From the hand to the ground: places each `STEP_S`, shape (n, 3), metres (u, v, w)."""

    places: Array
    landed: bool
    """False when it was still in the air after `LONGEST_S`."""

    @property
    def seconds(self) -> float:
        """From release to landing."""
        return (len(self.places) - 1) * STEP_S

    def at(self, since: Array | float) -> Array:
        """Where it is that long after release, (…, 3); it stays where it landed."""
        k = np.clip(np.asarray(since) / STEP_S, 0.0, len(self.places) - 1.0)
        whole = np.arange(len(self.places))
        return np.stack([np.interp(k, whole, self.places[:, axis]) for axis in range(3)], axis=-1)


def fly(
    place: tuple[float, float, float],
    velocity: tuple[float, float, float],
    drag_per_m: float,
    *,
    wind: tuple[float, float, float] = (0.0, 0.0, 0.0),
    flutter: float = 0.0,
    rhythm: tuple[float, float, float] = (0.0, 0.0, 1.0),
    ground_m: float = 0.0,
) -> Flight:
    """Fly from `place` with `velocity` (m/s) until the ground or `LONGEST_S`.

    `wind` is the free stream; at the wall itself it cannot blow into it. `flutter` is the sideways
    push in parts of the drag, `rhythm` its phase (rad), direction (rad from u towards w) and swings
    per metre of fall. Midpoint rule, error below a millimetre over 30 floors at this step.
    """
    u, v, w = place
    a, b, c = velocity
    phase, heading, per_m = rhythm
    along, out = math.cos(heading), math.sin(heading)
    wu, wv, ww = wind
    k = drag_per_m
    h = STEP_S

    def pull(a: float, b: float, c: float, w: float, phase: float) -> tuple[float, float, float]:
        near = min(1.0, max(w, 0.0) / 1.0)  # the stream turns along the wall within a metre of it
        ra, rb, rc = a - wu, b - wv, c - (ww if ww > 0 else ww * near)
        speed = math.sqrt(ra * ra + rb * rb + rc * rc)
        drag = k * speed
        if flutter:
            turn = math.sin(phase)
            push = flutter * drag * speed * math.cos(phase)
            drag *= 1.0 + 0.5 * flutter * (1.0 - 2.0 * turn * turn)
            return (
                -drag * ra + push * along,
                -GRAVITY - drag * rb,
                -drag * rc + push * out,
            )
        return -drag * ra, -GRAVITY - drag * rb, -drag * rc

    points = [(u, v, w)]
    most = int(LONGEST_S / h)
    while v > ground_m and len(points) < most:
        ax, ay, az = pull(a, b, c, w, phase)
        am, bm, cm = a + ax * h / 2, b + ay * h / 2, c + az * h / 2
        ax, ay, az = pull(am, bm, cm, w + c * h / 2, phase)
        u, v, w = u + am * h, v + bm * h, w + cm * h
        a, b, c = a + ax * h, b + ay * h, c + az * h
        phase += 2 * math.pi * per_m * math.sqrt(am * am + bm * bm + cm * cm) * h
        if w < 0.05:  # it touches the wall and comes off with little of its speed
            w, c = 0.05, 0.3 * abs(c)
        points.append((u, v, w))
    return Flight(places=np.array(points, dtype=np.float64), landed=v <= ground_m)
