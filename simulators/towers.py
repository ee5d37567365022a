"""The three towers and the cameras that look up at them: true pinhole views in metres."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import Camera, Zone
from contracts.geo import Point
from simulators.dice import dice
from simulators.frame import to_point
from simulators.layout import Lattice

SIZE = (1280, 720)


class View(msgspec.Struct, frozen=True):
    """A pinhole camera in facade coordinates: u right, v up, w out of the facade, metres."""

    place: tuple[float, float, float]
    aim: tuple[float, float]
    """The point of the facade in the middle of the picture."""
    focal_px: float

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels, shape (n, 2), of points (u, v, w), shape (n, 3)."""
        rel = np.asarray(points, dtype=np.float64) - np.asarray(self.place)
        ahead = np.array([self.aim[0], self.aim[1], 0.0]) - np.asarray(self.place)
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        down = np.cross(ahead, right)
        depth = rel @ ahead
        x = SIZE[0] / 2 + self.focal_px * (rel @ right) / depth
        y = SIZE[1] / 2 + self.focal_px * (rel @ down) / depth
        return np.stack([x, y], axis=-1)

    def px_per_m(self, point: tuple[float, float, float]) -> float:
        """How many pixels a metre across takes at that point."""
        u, v, w = point
        pair = self.project(np.array([[u - 0.5, v, w], [u + 0.5, v, w]]))
        return float(np.linalg.norm(pair[1] - pair[0]))


class Tower(msgspec.Struct, frozen=True, kw_only=True):
    """One residential slab with its camera."""

    camera: str
    name: str
    point: Point
    floors: int
    bays: int
    floor_m: float
    bay_m: float
    base_m: float
    """Height of the first residential floor above the ground: shops below."""
    view: View

    @property
    def width_m(self) -> float:
        """Length of the facade."""
        return self.bays * self.bay_m

    @property
    def height_m(self) -> float:
        """Height of the roof edge."""
        return self.base_m + self.floors * self.floor_m

    def window(self, floor: int, bay: int) -> tuple[float, float, float, float]:
        """(u0, v0, u1, v1) of the bay's cell on that floor; both count from 1."""
        u, v = (bay - 1) * self.bay_m, self.base_m + (floor - 1) * self.floor_m
        return u, v, u + self.bay_m, v + self.floor_m


def zone_id(floor: int, bay: int) -> str:
    """The name of a window: floor and bay."""
    return f"F{floor}-{bay}"


def build(seed: int, lattice: Lattice) -> tuple[Tower, ...]:
    """Three towers in three communities, none like the other."""
    rng = dice(seed, "towers")
    kinds = (
        ("cam-01", "桂花苑3号楼", 11, 12, 2.95, 3.9, 4.2, (1.32, 0.30)),
        ("cam-02", "榕城花园7号楼", 14, 13, 2.9, 4.0, 0.6, (2.42, 1.68)),
        ("cam-03", "学府雅居1号楼", 12, 14, 3.0, 3.6, 5.0, (3.28, 2.30)),
    )
    found = []
    for camera, name, floors, bays, floor_m, bay_m, base_m, (u, v) in kinds:
        width, height = bays * bay_m, base_m + floors * floor_m
        place = (
            width * float(rng.uniform(0.30, 0.70)),
            float(rng.uniform(5.0, 8.0)),
            float(rng.uniform(46.0, 54.0)),
        )
        aim = (width / 2, height * 0.53)
        view = View(place, aim, 1.0)
        corners = np.array(
            [[0, 0.8, 0], [width, 0.8, 0], [0, height, 0], [width, height, 0]], dtype=np.float64
        )
        seen = np.abs(view.project(corners) - np.array(SIZE) / 2)
        fill = min(605.0 / seen[:, 0].max(), 334.0 / seen[:, 1].max())
        found.append(
            Tower(
                camera=camera,
                name=name,
                point=to_point(lattice.at(u, v)),
                floors=floors,
                bays=bays,
                floor_m=floor_m,
                bay_m=bay_m,
                base_m=base_m,
                view=View(place, aim, math.floor(fill)),
            )
        )
    return tuple(found)


def calibration(seed: int, tower: Tower) -> Camera:
    """What a person would write down: clicked corners (to a pixel or so), every window a zone."""
    rng = dice(seed, "calibration", tower.camera)
    points = []
    for floor in (1, tower.floors // 2 + 1, tower.floors):
        for bay in (1, tower.bays // 2 + 1, tower.bays):
            u0, v0, u1, v1 = tower.window(floor, bay)
            u, v = (u1 if bay == tower.bays else u0), (v1 if floor == tower.floors else v0)
            px, py = tower.view.project(np.array([[u, v, 0.0]]))[0] + rng.normal(0, 0.4, 2)
            points.append((round(float(px), 1), round(float(py), 1), round(u, 2), round(v, 2)))
    zones = []
    for floor in range(1, tower.floors + 1):
        for bay in range(1, tower.bays + 1):
            u0, v0, u1, v1 = (round(x, 3) for x in tower.window(floor, bay))
            zones.append(
                Zone(
                    id=zone_id(floor, bay),
                    floor=floor,
                    bay=bay,
                    polygon=((u0, v0), (u1, v0), (u1, v1), (u0, v1)),
                )
            )
    return Camera(device=tower.camera, size=SIZE, points=tuple(points), zones=tuple(zones))
