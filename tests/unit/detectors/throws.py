"""A small world of its own in which things are thrown: points in space, no pictures.

Flights are integrated step by step here, so that the fit's closed forms are checked by other code.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import Camera, Zone
from detectors.high_altitude_throw.tracking import Hit

Array = NDArray[np.float64]

G = 9.81


class World(msgspec.Struct, frozen=True):
    """A facade and a camera before it."""

    matrix: Array
    """True projection, 3 x 4."""
    camera: Camera
    """The calibration, with its errors."""
    floors: int
    bays: int
    floor_m: float
    bay_m: float

    def zone_at(self, u: float, v: float) -> str:
        return f"F{int(v // self.floor_m) + 1}-{int(u // self.bay_m) + 1}"


class Throw(msgspec.Struct, frozen=True):
    """One fall as it was seen, and the truth."""

    hits: list[Hit]
    zone: str
    floor: int
    u: float
    v: float
    seen: float
    """Share of the way that was seen."""
    terminal: float
    outward: float


def project(matrix: Array, place: Array) -> Array:
    rows = np.column_stack([place, np.ones(len(place))]) @ matrix.T
    return np.asarray(rows[:, :2] / rows[:, 2:])


def a_world(rng: np.random.Generator, *, error_px: float = 3.0, focal_known: bool = False) -> World:
    """A camera on the ground that looks up at a facade of 6 to 25 floors."""
    size = (1280, 720)
    floors, bays = int(rng.integers(6, 26)), int(rng.integers(4, 10))
    floor_m, bay_m = float(rng.uniform(2.8, 3.3)), float(rng.uniform(3.0, 4.5))
    high, wide = floors * floor_m, bays * bay_m
    focal = size[0] * float(rng.uniform(0.7, 1.6))
    for _ in range(1000):
        away = float(rng.uniform(0.5, 1.8)) * high
        aside = wide / 2 + float(rng.uniform(-0.6, 0.6)) * away
        eye = np.array([aside, float(rng.uniform(1.5, 8)), away])
        look = np.array([wide / 2, float(rng.uniform(0.4, 0.6)) * high, 0.0])
        ahead = (look - eye) / np.linalg.norm(look - eye)
        right = np.cross(ahead, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        down = np.cross(ahead, right)
        turn = np.stack([right, down, ahead])
        inner = np.array([[focal, 0, 640 + rng.normal(0, 8)], [0, focal, 360 + rng.normal(0, 8)],
                          [0, 0, 1]])  # fmt: skip
        matrix = inner @ np.column_stack([turn, -turn @ eye])
        top = project(matrix, np.array([[0, high, 0.0], [wide, high, 0]]))
        foot = project(matrix, np.array([[wide / 2, 0, 0.0]]))
        if top[:, 1].min() > -100 and top[:, 1].max() < 200 and 300 < foot[0, 1] < 1100:
            break
    count = int(rng.integers(4, 9))
    points: list[tuple[float, float, float, float]] = []
    spots = [(0.05, 0.2), (0.95, 0.2), (0.05, 0.9), (0.95, 0.9), (0.5, 0.5), (0.3, 0.7),
             (0.7, 0.35), (0.5, 0.95)]  # fmt: skip
    for a, b in spots[:count]:
        u, v = round(a * bays) * bay_m, round(b * floors) * floor_m
        pixel = project(matrix, np.array([[u, v, 0.0]]))[0] + rng.normal(0, error_px, 2)
        points.append((float(pixel[0]), float(pixel[1]), u, v))
    zones = tuple(
        Zone(id=f"F{f}-{b}", floor=f, bay=b,
             polygon=(((b - 1) * bay_m, (f - 1) * floor_m), (b * bay_m, (f - 1) * floor_m),
                      (b * bay_m, f * floor_m), ((b - 1) * bay_m, f * floor_m)))
        for f in range(1, floors + 1) for b in range(1, bays + 1)
    )  # fmt: skip
    known = focal * float(rng.uniform(0.98, 1.02)) if focal_known else None
    camera = Camera(device="cam", size=size, points=tuple(points), zones=zones, focal_px=known)
    return World(matrix, camera, floors, bays, floor_m, bay_m)


def flight(
    place: Array,
    velocity: Array,
    terminal: float,
    wind: Array,
    rng: np.random.Generator,
    flutter: float,
    seconds: float,
) -> tuple[Array, Array]:
    """Times and places every 10 ms: quadratic drag, steady wind, gusts that wander."""
    step = 0.01
    x, y, z = place.tolist()
    vx, vy, vz = velocity.tolist()
    gx = gy = gz = 0.0
    shocks = (flutter * math.sqrt(step) * rng.standard_normal((round(seconds / step), 3))).tolist()
    wx, wy, wz = wind.tolist()
    out = [(x, y, z)]
    for jx, jy, jz in shocks:
        fade = 1 - step / 0.3
        gx, gy, gz = gx * fade + jx, gy * fade + jy, gz * fade + jz
        for _ in range(2):
            px, py, pz = vx - wx - gx, vy - wy - gy, vz - wz - gz
            drag = step / 2 * G / terminal**2 * math.sqrt(px * px + py * py + pz * pz)
            vx, vy, vz = vx - drag * px, vy - drag * py - step / 2 * G, vz - drag * pz
            x, y, z = x + step / 2 * vx, y + step / 2 * vy, z + step / 2 * vz
        out.append((x, y, z))
        if y < 0:
            break
    return np.arange(len(out), dtype=np.float64) * step, np.array(out, np.float64)


def a_throw(
    world: World,
    rng: np.random.Generator,
    *,
    hidden: float | None = None,
    rate: float | None = None,
) -> Throw:
    """One fall from a window not too low; its first part may be hidden (share of its way)."""
    while True:
        floor = int(rng.integers(max(3, world.floors // 4), world.floors + 1))
        bay = int(rng.integers(1, world.bays + 1))
        u = (bay - 1 + rng.uniform(0.12, 0.88)) * world.bay_m
        v = (floor - 1 + rng.uniform(0.25, 0.7)) * world.floor_m
        terminal = float(np.exp(rng.uniform(np.log(2.5), np.log(80))))
        start = np.array([u, v, float(rng.uniform(0.0, 0.6))])
        hard = rng.random() < 0.5
        velocity = np.array(
            [rng.normal(0, 0.8), rng.normal(0, 0.5), rng.uniform(0, 4 if hard else 0.8)]
        )
        wind = rng.normal(0, 1.0, 3) * np.array([1, 0, 0.6])
        flutter = 2.0 / terminal
        t, way = flight(start, velocity, terminal, wind, rng, flutter, 12.0)
        fps = rate or float(rng.choice([10.0, 15.0, 25.0, 30.0]))
        size = float(rng.uniform(4, 12))
        at = np.arange(rng.uniform(0, 1 / fps), t[-1], 1 / fps)
        spot = np.column_stack([np.interp(at, t, way[:, i]) for i in range(3)])
        pixel = project(world.matrix, spot)
        share = (v - spot[:, 1]) / v
        cover = hidden if hidden is not None else float(rng.uniform(0, 0.4)) * (rng.random() < 0.5)
        speed = np.abs(np.gradient(pixel[:, 1], at))
        shown = (share >= cover) & (rng.random(len(at)) < 0.85) & (speed > 9 * size)
        shown &= np.all((pixel > 2) & (pixel < np.array([1278, 718])), axis=1)
        if shown.sum() < 8 or np.ptp(spot[shown, 1]) < 6:
            continue
        noise = rng.normal(0, 0.5 + 0.06 * size, (len(at), 2))
        hits = [
            Hit(round(float(a) * 1e6) + 10**12, float(p[0]), float(p[1]), size, size, 40.0)
            for a, p in zip(at[shown], (pixel + noise)[shown], strict=True)
        ]
        seen = float(np.ptp(spot[shown, 1])) / v
        return Throw(hits, f"F{floor}-{bay}", floor, float(u), float(v), seen, terminal,
                     float(velocity[2]))  # fmt: skip
