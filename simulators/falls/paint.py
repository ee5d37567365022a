"""Paints the wall of a block: tiles, concrete, render or glass, and what people put on it."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.dice import between
from simulators.falls.block import Block, Opening

Picture = NDArray[np.uint8]
Colour = tuple[float, float, float]

BELOW_M, ABOVE_M, BESIDE_M = 3.0, 5.0, 0.6
"""How much more than the wall the texture holds: the ground's edge, roof structures, cornices."""

_TONES: dict[str, tuple[Colour, ...]] = {
    "tiles": ((168, 178, 186), (140, 158, 178), (176, 176, 172), (120, 132, 158), (150, 168, 160)),
    "concrete": ((142, 146, 148), (120, 124, 126), (160, 162, 160), (104, 110, 112)),
    "render": ((188, 204, 212), (172, 196, 214), (196, 198, 196), (130, 150, 186), (158, 182, 176)),
    "glass": ((120, 112, 100), (96, 92, 84), (140, 136, 126)),
}
_CLOTH: tuple[Colour, ...] = (
    (60, 60, 170), (170, 110, 60), (225, 225, 225), (80, 150, 90), (70, 160, 200), (140, 90, 150),
    (50, 45, 45), (200, 190, 170),
)  # fmt: skip


class Wall(msgspec.Struct, frozen=True, kw_only=True):
    """The painted wall, flat: `per_m` texture pixels a metre, its first row is the highest."""

    bgr: Picture
    solid: Picture
    """255 where there is wall, 0 where one sees past it."""
    glass: Picture
    """255 where there is a pane."""
    per_m: float
    top_m: float
    """Height of the first row's upper edge."""


class _Brush:
    """Rectangles in metres."""

    def __init__(self, block: Block, per_m: float, rng: np.random.Generator) -> None:
        self.per_m, self.rng = per_m, rng
        self.top = block.height_m + ABOVE_M
        shape = (
            round((self.top + BELOW_M) * per_m),
            round((block.width_m + 2 * BESIDE_M) * per_m),
        )
        self.bgr: Picture = np.zeros((*shape, 3), np.uint8)
        self.solid: Picture = np.zeros(shape, np.uint8)
        self.glass: Picture = np.zeros(shape, np.uint8)
        self.lamps: Picture = np.zeros(shape, np.uint8)

    def ends(
        self, u0: float, v0: float, u1: float, v1: float
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        p = self.per_m
        a = (round((u0 + BESIDE_M) * p), round((self.top - v1) * p))
        b = (round((u1 + BESIDE_M) * p) - 1, round((self.top - v0) * p) - 1)
        return a, (max(a[0], b[0]), max(a[1], b[1]))

    def box(self, u0: float, v0: float, u1: float, v1: float, colour: Colour) -> None:
        a, b = self.ends(u0, v0, u1, v1)
        cv2.rectangle(self.bgr, a, b, colour, -1)
        cv2.rectangle(self.solid, a, b, (255,), -1)

    def pane(self, u0: float, v0: float, u1: float, v1: float, colour: Colour) -> None:
        self.box(u0, v0, u1, v1, colour)
        a, b = self.ends(u0, v0, u1, v1)
        cv2.rectangle(self.glass, a, b, (255,), -1)

    def line(self, points: list[tuple[float, float]], colour: Colour, wide_m: float) -> None:
        p = self.per_m
        at = [[(u + BESIDE_M) * p * 16, (self.top - v) * p * 16] for u, v in points]
        corners = np.rint(np.array(at)).astype(np.int32)
        thick = max(1, round(wide_m * p))
        cv2.polylines(self.bgr, [corners], False, colour, thick, cv2.LINE_AA, 4)


def shade(colour: Colour, f: float) -> Colour:
    """The colour, lighter or darker."""
    b, g, r = (float(min(255.0, max(0.0, c * f))) for c in colour)
    return b, g, r


def soft(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> NDArray[np.float32]:
    """Soft noise in 0..1 with about `cells` blobs across."""
    rows = max(2, cells * shape[0] // shape[1])
    coarse = rng.random((rows, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC))


def wall(rng: np.random.Generator, block: Block, per_m: float, day: float) -> Wall:
    """Paint `block` with `per_m` texture pixels a metre, by the light `day` (1.0: noon)."""
    brush = _Brush(block, per_m, rng)
    tones = _TONES[block.wall]
    tone = shade(tones[int(rng.integers(len(tones)))], between(rng, (0.6, 1.12)))
    _ground(brush, block, tone)
    _surface(brush, block, tone)
    lit = between(rng, (0.0, 0.2)) + 0.4 * (1.0 - day)
    cages, cooled = between(rng, (0.0, 0.5)), between(rng, (0.2, 0.85))
    for one in block.openings:
        kind = block.kinds[one.bay - 1]
        if one.what == "roof":
            continue
        if kind == "glass":
            _curtain(brush, one)
        elif kind in {"balcony", "corridor"}:
            _balcony(brush, one, tone, kind == "corridor")
        else:
            _window(brush, one, lit, cages)
            if rng.random() < cooled:
                _conditioner(brush, one)
    _bands(brush, block, tone)
    _roof(brush, block, tone)
    if block.wall != "glass":
        _weather(brush)
    _sun(brush, day)
    return Wall(bgr=brush.bgr, solid=brush.solid, glass=brush.glass, per_m=per_m, top_m=brush.top)


def _ground(brush: _Brush, block: Block, tone: Colour) -> None:
    brush.box(0, -BELOW_M, block.width_m, 0.3, shade(tone, 0.45))


def _surface(brush: _Brush, block: Block, tone: Colour) -> None:
    rng = brush.rng
    brush.box(0, 0, block.width_m, block.height_m, tone)
    if rng.random() < 0.5:  # some bays in another tone
        other = shade(tone, between(rng, (0.65, 0.9)))
        for bay in range(len(block.kinds)):
            if bay % 3 == 1:
                brush.box(block.edges[bay], 0, block.edges[bay + 1], block.height_m, other)
    shape = brush.solid.shape
    grain = 0.90 + 0.2 * soft(rng, (shape[0], shape[1]), 50) * soft(rng, (shape[0], shape[1]), 7)
    brush.bgr[:] = np.clip(brush.bgr * grain[..., None], 0, 255).astype(np.uint8)
    if block.wall == "tiles":
        step, dark = between(rng, (0.25, 0.7)), shade(tone, 0.86)
        v = 0.0
        while v < block.height_m:
            brush.box(0, v, block.width_m, v + 0.03, dark)
            v += step
    elif block.wall == "concrete":
        for edge in block.edges:
            brush.box(edge - 0.02, 0, edge + 0.02, block.height_m, shade(tone, 0.7))


def _bands(brush: _Brush, block: Block, tone: Colour) -> None:
    rng = brush.rng
    if block.wall == "glass" or rng.random() < 0.4:
        return
    high, f = between(rng, (0.06, 0.35)), between(rng, (0.6, 1.2))
    balconies = {bay for bay, kind in enumerate(block.kinds) if kind in {"balcony", "corridor"}}
    for floor in range(block.floors + 1):
        v = block.base_m + floor * block.floor_m
        for bay in range(len(block.kinds)):
            if bay not in balconies:
                u0, u1 = block.edges[bay], block.edges[bay + 1]
                brush.box(u0, v - high, u1, v, shade(tone, f))
                brush.box(u0, v - high - 0.08, u1, v - high, shade(tone, 0.6))


def _glass_tone(rng: np.random.Generator) -> Colour:
    return shade((92, 84, 70), between(rng, (0.35, 1.25)))


def _window(brush: _Brush, one: Opening, lit: float, cages: float) -> None:
    rng = brush.rng
    u0, v0, u1, v1 = one.box
    frame: Colour = (205, 208, 210) if one.bay % 4 else (88, 92, 96)
    brush.box(u0 - 0.06, v0 - 0.06, u1 + 0.06, v1 + 0.06, frame)
    brush.box(u0 - 0.12, v0 - 0.15, u1 + 0.12, v0 - 0.06, (150, 152, 156))
    brush.box(u0 - 0.12, v0 - 0.22, u1 + 0.12, v0 - 0.15, (84, 86, 88))
    bright = rng.random() < lit
    glass = shade((150, 205, 232), between(rng, (0.7, 1.0))) if bright else _glass_tone(rng)
    brush.pane(u0, v0, u1, v1, glass)
    if not bright:
        brush.pane(u0, v0 + 0.6 * (v1 - v0), u1, v1, shade(glass, between(rng, (1.1, 1.7))))
    else:
        cv2.rectangle(brush.lamps, *brush.ends(u0, v0, u1, v1), (255,), -1)
    if rng.random() < 0.6:
        cloth = shade((190, 200, 206), between(rng, (0.35, 0.95)))
        part = between(rng, (0.12, 0.5)) * (u1 - u0)
        brush.pane(u0, v0, u0 + part, v1, cloth)
        if rng.random() < 0.5:
            brush.pane(u1 - 0.8 * part, v0, u1, v1, cloth)
    if rng.random() < 0.18:  # stands open: the dark of the room
        brush.box(u0, v0, u0 + 0.5 * (u1 - u0), v1, shade((40, 38, 36), between(rng, (0.5, 1.3))))
    leaves = max(2, round((u1 - u0) / 0.8))
    for k in range(1, leaves):
        at = u0 + k * (u1 - u0) / leaves
        brush.box(at - 0.03, v0, at + 0.03, v1, frame)
    brush.box(u0, v0 + 0.7 * (v1 - v0), u1, v0 + 0.7 * (v1 - v0) + 0.05, frame)
    if rng.random() < cages:
        bars = int((u1 - u0) / 0.14)
        for k in range(bars + 1):
            at = u0 + k * (u1 - u0) / max(bars, 1)
            brush.box(at - 0.014, v0, at + 0.014, v1, (150, 152, 154))
        brush.box(u0 - 0.1, v0 - 0.1, u1 + 0.1, v0 - 0.02, (150, 152, 154))


def _balcony(brush: _Brush, one: Opening, tone: Colour, corridor: bool) -> None:
    rng = brush.rng
    u0, v0, u1, v1 = one.box
    floor_v, top_v = one.cell[1], one.cell[3]
    brush.box(u0, floor_v, u1, top_v - 0.15, shade(tone, 0.42))
    brush.box(u0, top_v - 0.45, u1, top_v - 0.15, shade(tone, 0.26))
    if not corridor:
        wide = u1 - u0
        brush.pane(u0 + 0.3 * wide, floor_v + 0.2, u0 + 0.85 * wide, v1 - 0.4, _glass_tone(rng))
        middle = u0 + 0.58 * wide
        brush.box(middle - 0.04, floor_v + 0.2, middle + 0.04, v1 - 0.4, (170, 172, 172))
        if rng.random() < 0.45:
            at = u0 + 0.15
            brush.line([(u0, v1 - 0.35), (u1, v1 - 0.35)], (150, 150, 150), 0.03)
            while at < u1 - 0.55:
                w, drop = between(rng, (0.25, 0.5)), between(rng, (0.45, 0.95))
                colour = shade(_CLOTH[int(rng.integers(len(_CLOTH)))], between(rng, (0.5, 0.85)))
                brush.box(at, v1 - 0.38 - drop, at + w, v1 - 0.38, colour)
                at += w + between(rng, (0.08, 0.6))
    brush.box(u0 - 0.08, floor_v - 0.12, u1 + 0.08, floor_v + 0.14, shade(tone, 0.95))
    if one.bay % 2 or corridor:
        brush.box(u0 - 0.05, floor_v + 0.14, u1 + 0.05, v0, shade(tone, 0.82))
    else:
        for k in range(int((u1 - u0) / 0.15) + 1):
            brush.box(u0 + k * 0.15, floor_v + 0.14, u0 + k * 0.15 + 0.04, v0, (128, 132, 136))
    brush.box(u0 - 0.08, v0 - 0.06, u1 + 0.08, v0, shade(tone, 1.1))


def _curtain(brush: _Brush, one: Opening) -> None:
    rng = brush.rng
    u0, v0, u1, v1 = one.cell
    tone = shade((150, 132, 108), between(rng, (0.75, 0.95)))
    sill = v0 + 0.25 * (v1 - v0)
    brush.pane(u0, sill, u1, v1, tone)
    brush.pane(u0, v0, u1, sill, shade(tone, 0.82))
    if rng.random() < 0.25:
        drop = between(rng, (0.2, 0.7)) * (v1 - sill)
        brush.pane(u0 + 0.1, v1 - drop, u1 - 0.1, v1, shade((180, 182, 178), 0.8))
    for at in (u0, (u0 + u1) / 2):
        brush.box(at - 0.04, v0, at + 0.04, v1, (92, 94, 96))
    brush.box(u0, sill - 0.04, u1, sill + 0.04, (92, 94, 96))
    brush.box(u0, v0 - 0.05, u1, v0 + 0.05, (80, 82, 84))


def _conditioner(brush: _Brush, one: Opening) -> None:
    rng = brush.rng
    u0, v0, u1, _ = one.box
    left = one.bay % 2 == 0 and u0 - 0.95 > one.cell[0]
    u = u0 - 0.95 if left else u0 + between(rng, (0.0, max(0.05, u1 - u0 - 0.85)))
    v = v0 + 0.1 if left else v0 - 0.85
    tone = shade((214, 216, 216), between(rng, (0.7, 1.0)))
    brush.box(u - 0.03, v - 0.10, u + 0.85, v - 0.02, (78, 80, 82))
    brush.box(u, v, u + 0.8, v + 0.55, tone)
    a, b = brush.ends(u + 0.08, v + 0.06, u + 0.52, v + 0.5)
    middle = ((a[0] + b[0]) // 2, (a[1] + b[1]) // 2)
    cv2.circle(brush.bgr, middle, max(1, (b[0] - a[0]) // 2), shade(tone, 0.5), -1, cv2.LINE_AA)
    if rng.random() < 0.6:
        sag = v - between(rng, (0.2, 0.8))
        points = [(u + 0.7, v + 0.1), (u + 0.95, sag), (u + 1.0, v0 + 0.4)]
        brush.line(points, shade(tone, 0.72), 0.03)


def _roof(brush: _Brush, block: Block, tone: Colour) -> None:
    rng, wide, high = brush.rng, block.width_m, block.height_m
    brush.box(-0.2, high, wide + 0.2, high + 0.9, shade(tone, 0.95))
    brush.box(-0.3, high + 0.78, wide + 0.3, high + 0.92, shade(tone, 1.12))
    for u in rng.uniform(0.05 * wide, 0.85 * wide, int(rng.integers(1, 5))):
        w, h = between(rng, (1.2, 4.5)), between(rng, (0.8, 3.4))
        brush.box(
            u, high + 0.9, min(u + w, wide), high + 0.9 + h, shade(tone, between(rng, (0.6, 1)))
        )
    for u in rng.uniform(0, wide, 2):
        brush.box(u, high + 0.9, u + 0.06, high + between(rng, (2, 4.5)), (110, 112, 114))


def _weather(brush: _Brush) -> None:
    """Streaks of dirt that run down from sills and edges."""
    rng = brush.rng
    h, w = brush.solid.shape
    streak = cv2.resize(
        rng.random((max(h // 400, 2), w)).astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR
    )
    dirt = 1.0 - 0.16 * np.clip(streak - 0.55, 0, 1) * 2
    brush.bgr[:] = (brush.bgr * dirt[..., None]).astype(np.uint8)


def _sun(brush: _Brush, day: float) -> None:
    """Light: shadows of the neighbours lie on some walls; in the evening lamps stay bright."""
    rng = brush.rng
    h, w = brush.solid.shape
    light = np.full((h, w), day, np.float32)
    if day == 1.0 and rng.random() < 0.45:
        edge = [(0.0, between(rng, (0, 1))), (1.0, between(rng, (0, 1)))]
        if rng.random() < 0.5:  # of a block with a flat roof and an upright edge
            side, one, other = (between(rng, span) for span in ((0.2, 0.8), (0, 1), (0, 1)))
            edge = [(0.0, one), (side, one + 0.1), (side + 0.05, other), (1.0, other + 0.1)]
        low = rng.random() < 0.7  # the sun is behind a lower block, or behind this one
        outline = [(x * w, y * h) for x, y in edge] + [(w, h if low else 0), (0, h if low else 0)]
        shadow = np.zeros((h, w), np.uint8)
        cv2.fillPoly(shadow, [np.rint(np.array(outline)).astype(np.int32)], (255,))
        soft = cv2.blur(shadow, (max(3, w // 200), max(3, w // 200))).astype(np.float32) / 255
        light *= np.float32(1.12) - np.float32(between(rng, (0.3, 0.6))) * soft
    light = np.where(brush.lamps > 0, np.maximum(light, 0.95), light)
    brush.bgr[:] = np.clip(brush.bgr * light[..., None], 0, 255).astype(np.uint8)
