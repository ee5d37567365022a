"""A block of flats: its floors, bays and openings, and the camera that was put up before it."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from contracts.city import Zone
from simulators.dice import between
from simulators.falls.lens import Lens, look

WALLS = ("tiles", "concrete", "glass", "render")


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """A hole in the facade something can be thrown out of."""

    zone: str
    what: str
    """`window`, `balcony`, `corridor` or `roof`."""
    floor: int
    bay: int
    box: tuple[float, float, float, float]
    """The hole itself: u0, v0, u1, v1, metres."""
    cell: tuple[float, float, float, float]
    """Its zone, as a city draws it: the whole field of floor and bay."""
    out_m: float = 0.0
    """How far a hand reaches out of the wall's plane there."""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """The building."""

    wall: str
    floors: int
    floor_m: float
    base_m: float
    edges: tuple[float, ...]
    """Where bays begin and end along the wall, metres."""
    kinds: tuple[str, ...]
    """What each bay has: `window`, `wide`, `balcony`, `glass` or `corridor`."""
    openings: tuple[Opening, ...]

    @property
    def width_m(self) -> float:
        """Along the wall."""
        return self.edges[-1]

    @property
    def height_m(self) -> float:
        """To the roof's edge."""
        return self.base_m + self.floors * self.floor_m


def zones_of(openings: tuple[Opening, ...]) -> tuple[Zone, ...]:
    """Openings as a city's camera file names them."""
    return tuple(
        Zone(id=o.zone, what=o.what, floor=o.floor, bay=o.bay, polygon=_corners(o.cell))
        for o in openings
    )


def _corners(box: tuple[float, float, float, float]) -> tuple[tuple[float, float], ...]:
    u0, v0, u1, v1 = box
    return ((u0, v0), (u1, v0), (u1, v1), (u0, v1))


def build(rng: np.random.Generator, *, glass: bool = False) -> Block:
    """A block of 8 to 30 floors; with `glass` one that has glass to mirror in."""
    floors = int(rng.integers(8, 31))
    wall = "glass" if glass else WALLS[int(rng.choice(4, p=[0.36, 0.3, 0.12, 0.22]))]
    bays = int(rng.integers(5, 15))
    widths = [between(rng, (2.4, 4.6)) for _ in range(min(bays, 4))]
    pattern = [int(rng.integers(len(widths))) for _ in range(int(rng.integers(2, 5)))]
    edges, kinds = [0.0], []
    of_width = ["glass" if wall == "glass" else _kind(rng) for _ in widths]
    for bay in range(bays):
        which = (
            pattern[bay % len(pattern)] if rng.random() < 0.85 else int(rng.integers(len(widths)))
        )
        edges.append(edges[-1] + widths[which] * between(rng, (0.97, 1.03)))
        kinds.append(of_width[which])
    block = Block(
        wall=wall,
        floors=floors,
        floor_m=between(rng, (2.75, 3.3)),
        base_m=between(rng, (0.4, 5.0)),
        edges=tuple(edges),
        kinds=tuple(kinds),
        openings=(),
    )
    return msgspec.structs.replace(block, openings=_openings(rng, block))


def _kind(rng: np.random.Generator) -> str:
    return str(rng.choice(["window", "wide", "balcony", "corridor"], p=[0.4, 0.2, 0.34, 0.06]))


def _openings(rng: np.random.Generator, block: Block) -> tuple[Opening, ...]:
    found = []
    shape = {
        kind: (between(rng, (0.10, 0.24)), between(rng, (0.26, 0.34)), between(rng, (0.78, 0.88)))
        for kind in ("window", "wide", "corridor", "glass", "balcony")
    }
    for bay, kind in enumerate(block.kinds, start=1):
        u0, u1 = block.edges[bay - 1], block.edges[bay]
        wide = u1 - u0
        side, low, high = shape[kind]
        if kind in {"wide", "glass"}:
            side = min(side, 0.08)
        if kind in {"balcony", "corridor"}:
            side, low, high = 0.05, 0.36, 0.9
        for floor in range(1, block.floors + 1):
            v0 = block.base_m + (floor - 1) * block.floor_m
            v1 = v0 + block.floor_m
            found.append(
                Opening(
                    zone=f"F{floor}-{bay}",
                    what=kind if kind in {"balcony", "corridor"} else "window",
                    floor=floor,
                    bay=bay,
                    box=(
                        u0 + side * wide,
                        v0 + low * block.floor_m,
                        u1 - side * wide,
                        v0 + high * block.floor_m,
                    ),
                    cell=(u0, v0, u1, v1),
                    out_m=0.3 if kind == "balcony" else 0.15,
                )
            )
        top = block.height_m
        found.append(
            Opening(
                zone=f"R-{bay}",
                what="roof",
                floor=block.floors + 1,
                bay=bay,
                box=(u0 + 0.2, top + 0.9, u1 - 0.2, top + 1.6),
                cell=(u0, top, u1, top + 2.2),
                out_m=0.2,
            )
        )
    return tuple(found)


def camera(rng: np.random.Generator, block: Block, size: tuple[int, int]) -> Lens:
    """A camera at 1.5 to 8 m, 12 to 70 m away, up to 25° off axis, filled by the facade."""
    high = between(rng, (1.5, 8.0))
    lowest = max(12.0, 0.35 * block.height_m)
    away = between(rng, (lowest, max(lowest + 5.0, min(70.0, 1.6 * block.height_m))))
    off = math.radians(between(rng, (-25.0, 25.0)))
    middle = block.width_m * between(rng, (0.4, 0.6))
    place = (middle - away * math.tan(off), high, away)
    reach = math.hypot(away, away * math.tan(off))
    bottom = between(rng, (-0.05, 0.3)) * block.height_m
    top = block.height_m * between(rng, (0.92, 1.06)) + 1.5
    if rng.random() < 0.25:
        top *= between(rng, (0.75, 1.0))
    # on a tall, narrow block one looks closer at a part of it
    bottom = max(bottom, top - max(16.0, between(rng, (0.9, 2.4)) * block.width_m))
    low, up = math.atan2(bottom - high, reach), math.atan2(top - high, reach)
    half = min(max((up - low) / 2, math.radians(10)), math.radians(41))
    focal = size[1] / 2 / math.tan(half)
    pitch = up - half
    corner = math.hypot(size[0], size[1]) / 2 / focal
    k1 = between(rng, (-0.25, 0.1)) if rng.random() < 0.8 else 0.0
    # a lens that bends more than this at its corner would not be sold
    k1 = min(max(k1, -0.16 / corner**2), 0.12 / corner**2)
    roll = float(rng.normal(0, math.radians(0.8)))
    turn = off * between(rng, (0.85, 1.15))
    return Lens(size=size, focal_px=focal, place=place, axes=look(turn, pitch, roll), k1=k1)
