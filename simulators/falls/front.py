"""What stands between the camera and the wall: trees, branches, poles, boards and wires.

It is planted after the throws are known, so that as much of each path is hidden as was ordered.
"""

from __future__ import annotations

import math

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.dice import between

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]
_TILE = 256


class Front(msgspec.Struct, frozen=True, kw_only=True):
    """Things in front of everything that falls."""

    bgr: Picture
    cover: NDArray[np.float32]
    """How much of what is behind each pixel hides, 0..1."""


class _Leaves(msgspec.Struct, frozen=True):
    """What crowns are made of."""

    bgr: Picture
    """A tile of leaves."""
    dense: NDArray[np.float32]
    """How much each pixel of the tile hides."""
    ragged: NDArray[np.float32]
    """Noise over the whole picture, 0..1, that frays borders."""


class _Plan(msgspec.Struct):
    """What hides one path: where along it, how much of it, and how."""

    kind: str
    middle: float
    """Along the path's length, 0 its begin and 1 its end."""
    share: float
    """Share of the length that is behind it."""
    wide: float
    """Half width across, px."""
    seed: int


def share_visible(pixels: Array, cover: NDArray[np.float32] | None) -> float:
    """Share of a way through the picture, by its length, that `cover` leaves to be seen."""
    if cover is None:
        return 1.0
    cells = pixels.astype(int)
    clear = 1.0 - cover[cells[:, 1], cells[:, 0]]
    length = np.hypot(*np.diff(pixels, axis=0).T)
    return float(np.sum(length * (clear[1:] + clear[:-1]) / 2) / max(np.sum(length), 1e-9))


def plant(
    rng: np.random.Generator,
    size: tuple[int, int],
    ways: list[Array],
    wanted: tuple[float, float],
    there: NDArray[np.float32] | None,
    light: float,
) -> Front | None:
    """Plant what hides each of `ways` (pixels, shape (n, 2)) down to a share within `wanted`.

    `there` is what hides already (a photograph's own foreground), `light`
    how bright a white thing is. None: nothing needed to grow.
    """
    low, high = wanted
    goals = [between(rng, (low, high)) for _ in ways]
    # an open view is the usual one: half of the orders that allow it get it
    goals = [1.0 if high >= 0.999 and rng.random() < 0.5 else goal for goal in goals]
    plans: list[_Plan | None] = []
    for way, goal in zip(ways, goals, strict=True):
        now = share_visible(way, there)
        plans.append(_plan(rng, size, now - goal) if now > goal + 0.02 else None)
    garden = [
        (between(rng, (-0.05, 1.05)) * size[0], between(rng, (0.75, 1.0)) * size[1], 0.10 * size[1])
        for _ in range(int(rng.integers(0, 4)))
    ]
    roots = int(rng.integers(2**31))
    leaves = _leaves(rng, size, light / 220)
    for attempt in range(9):
        front = _grown(roots, size, ways, plans, garden if attempt < 3 else [], leaves)
        if front is None:
            return None
        cover = front.cover if there is None else 1 - (1 - front.cover) * (1 - there)
        right = True
        for k, way in enumerate(ways):
            seen = share_visible(way, np.asarray(cover, np.float32))
            if low - 1e-9 <= seen <= high + 1e-9:
                continue
            right = False
            plan = plans[k]
            hidden, aim = 1 - seen, 1 - min(max(goals[k], low + 0.02), max(high - 0.02, low))
            if plan is not None and attempt >= 5 and seen < low:
                plans[k] = None  # too coarse for a path this short
            elif plan is not None:
                plan.share = min(max(plan.share * aim / max(hidden, 0.02), 0.01), 0.97)
            elif seen > high:
                plans[k] = _plan(rng, size, hidden)
            elif attempt >= 3:  # another path's tree stands before this one: make room
                others = [p for j, p in enumerate(plans) if j != k and p is not None]
                for other in others:
                    other.wide *= 0.6
        if right:
            break
    return front


def _plan(rng: np.random.Generator, size: tuple[int, int], share: float) -> _Plan:
    kinds, often = ["tree", "branch", "board", "pole", "wires"], [0.5, 0.2, 0.1, 0.12, 0.08]
    kind = str(rng.choice(kinds, p=often))
    if kind == "wires" and share > 0.12:
        kind = "tree"
    middle = {"tree": between(rng, (0.75, 1.0)), "branch": between(rng, (0.0, 0.7))}.get(
        kind, between(rng, (0.1, 0.9))
    )
    wide = between(rng, (0.04, 0.14)) * size[1]
    return _Plan(kind, middle, max(share, 0.02), wide, int(rng.integers(2**31)))


def _grown(
    seed: int,
    size: tuple[int, int],
    ways: list[Array],
    plans: list[_Plan | None],
    garden: list[tuple[float, float, float]],
    leaves: _Leaves,
) -> Front | None:
    """Draw all plans; the same arguments give the same picture."""
    if not garden and not any(plans):
        return None
    w, h = size
    rng = np.random.default_rng(seed)
    bgr: Picture = np.zeros((h, w, 3), np.uint8)
    cover = np.zeros((h, w), np.float32)
    for x, y, wide in garden:
        blob = np.zeros((h, w), np.uint8)
        for _ in range(7):
            at = (round(x + rng.normal(0, wide)), round(y + abs(rng.normal(0, wide))))
            cv2.circle(blob, at, round(wide * between(rng, (0.5, 1.0))), (255,), -1)
        cv2.rectangle(
            blob, (round(x - 0.8 * wide), round(y)), (round(x + 0.8 * wide), h), (255,), -1
        )
        _foliage(bgr, cover, blob, leaves, 0.3 * wide)
    for way, plan in zip(ways, plans, strict=True):
        if plan is not None:
            _draw(bgr, cover, way, plan, leaves)
    return Front(bgr=bgr, cover=np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.7), np.float32))


def _leaves(rng: np.random.Generator, size: tuple[int, int], light: float) -> _Leaves:
    """Larger leaves for larger pictures."""
    w, h = size
    blur = cv2.resize(rng.random((h // 12, w // 12)).astype(np.float32), (w, h))
    fine = cv2.resize(rng.random((h // 4, w // 4)).astype(np.float32), (w, h))
    bgr: Picture = np.full((_TILE, _TILE, 3), (24, 34, 28), np.uint8)
    cover: Picture = np.zeros((_TILE, _TILE), np.uint8)
    long = max(2.0, h / 240) * between(rng, (0.7, 1.8))
    tone = between(rng, (0.45, 1.1)) * light
    count = min(int(1.6 * _TILE**2 / (long * long * 2)), 4000)
    places = rng.integers(0, _TILE, (count, 2)).tolist()
    looks = rng.random((count, 3)).tolist()
    for k, ((x, y), (a, b, c)) in enumerate(zip(places, looks, strict=True)):
        axes = (max(1, round(long * (0.6 + 0.7 * a))), max(1, round(long * 0.45)))
        shade = tone * (0.5 + 0.7 * k / count) * (0.75 + 0.5 * b)
        colour = (52 * shade, 108 * shade, 82 * shade)
        cv2.ellipse(bgr, (x, y), axes, 180 * c, 0, 360, colour, -1)
        cv2.ellipse(cover, (x, y), axes, 180 * c, 0, 360, (255,), -1)
    return _Leaves(
        bgr,
        np.asarray(cover.astype(np.float32) / 255, np.float32),
        np.asarray(0.6 * blur + 0.4 * fine, np.float32),
    )


def _foliage(
    bgr: Picture,
    cover: NDArray[np.float32],
    blob: Picture,
    stuff: _Leaves,
    edge: float,
) -> None:
    """Fill `blob` with leaves; its border frays over about `edge` px."""
    x, y, w, h = cv2.boundingRect(blob)
    pad = math.ceil(edge) + 2
    x0, y0 = max(x - pad, 0), max(y - pad, 0)
    x1, y1 = min(x + w + pad, blob.shape[1]), min(y + h + pad, blob.shape[0])
    if w == 0 or x1 <= x0 or y1 <= y0:
        return
    here = (slice(y0, y1), slice(x0, x1))
    soft = cv2.GaussianBlur(blob[here].astype(np.float32) / 255, (0, 0), max(edge, 1.0) / 2)
    crown = soft + 0.9 * (stuff.ragged[here] - 0.5) > 0.5
    down, right = (y1 - y0) // _TILE + 1, (x1 - x0) // _TILE + 1
    leaves = np.tile(stuff.bgr, (down, right, 1))[: y1 - y0, : x1 - x0]
    dense = np.tile(stuff.dense, (down, right))[: y1 - y0, : x1 - x0]
    dense = np.where(soft > 0.85, np.maximum(dense, 0.93), dense) * crown
    bgr[here] = np.where(crown[..., None], leaves, bgr[here])
    cover[here] = np.maximum(cover[here], dense)


def _draw(
    bgr: Picture,
    cover: NDArray[np.float32],
    way: Array,
    plan: _Plan,
    stuff: _Leaves,
) -> None:
    rng = np.random.default_rng(plan.seed)
    h, w = cover.shape
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
    share = plan.share / 0.9 if plan.kind in {"tree", "branch"} else plan.share
    begin = min(max(plan.middle - share / 2, 0.0), max(1.0 - share, 0.0))
    at = length[-1] * np.linspace(begin, min(begin + share, 1.0), 12)
    points = np.stack([np.interp(at, length, way[:, axis]) for axis in (0, 1)], axis=-1)
    (ax, ay), (bx, by) = points[0], points[-1]
    blob: Picture = np.zeros((h, w), np.uint8)
    if plan.kind in {"tree", "branch"}:
        wide = plan.wide
        sides = rng.uniform(-0.5, 0.5, len(points)) * wide
        for (x, y), side in zip(points, sides, strict=True):
            half = (round(x + side), round(y))
            # flat towards the ends, so that it hides no more of the path than planned
            reach = min(max(y - ay, 2.0), max(by - y, 2.0) if plan.kind == "branch" else 1e9, wide)
            cv2.ellipse(blob, half, (round(wide), max(2, round(reach))), 0, 0, 360, (255,), -1)
        if plan.kind == "tree":
            foot = np.array(
                [[ax - wide, by], [bx + wide, by], [bx + 1.3 * wide, h], [ax - 1.3 * wide, h]]
            )
            cv2.fillPoly(blob, [np.rint(foot).astype(np.int32)], (255,))
        else:  # it hangs into the picture from the nearer side
            side_x = 0 if ax < w / 2 else w
            middle = (round((ax + bx) / 2), round((ay + by) / 2))
            cv2.line(bgr, (side_x, max(middle[1] - 40, 0)), middle, (38, 44, 50), max(2, h // 240))
            cv2.line(cover, (side_x, max(middle[1] - 40, 0)), middle, (1.0,), max(2, h // 240))
        _foliage(bgr, cover, blob, stuff, 0.12 * wide)
        return
    tone = between(rng, (30, 150))
    if plan.kind == "wires":
        count = max(1, round((by - ay) / 2.5))
        for y in np.linspace(0.1, 0.9, count) * (way[-1, 1] - way[0, 1]) + way[0, 1]:
            ends = (0, round(y + rng.normal(0, 0.02 * h))), (w, round(y + rng.normal(0, 0.02 * h)))
            cv2.line(bgr, *ends, (28, 28, 30), 3)
            cv2.line(cover, *ends, (1.0,), 3)
        return
    if plan.kind == "board":
        half = between(rng, (0.5, 1.6)) * plan.wide + abs(bx - ax)
        middle_x = (ax + bx) / 2 + between(rng, (-0.6, 0.6)) * half * 0.5
        corners = np.array(
            [
                [middle_x - half, ay],
                [middle_x + half, ay],
                [middle_x + half, by],
                [middle_x - half, by],
            ]
        )
    else:  # a lamp post: leans across the path, thin
        thick = max(3.0, 0.012 * h)
        lean = (bx - ax) + rng.normal(0, 1.0)
        far = (h + 10 - ay) / max(by - ay, 1.0)
        corners = np.array(
            [[ax - thick / 2, ay], [ax + thick / 2, ay],
             [ax + lean * far + thick, h + 10], [ax + lean * far - thick, h + 10]]
        )  # fmt: skip
    cv2.fillPoly(blob, [np.rint(corners).astype(np.int32)], (255,))
    inside = blob > 0
    grain = 0.85 + 0.3 * stuff.ragged[..., None]
    colour = tone * np.array([0.95, 1.0, 1.05]) * grain
    bgr[inside] = np.clip(colour[inside], 0, 255).astype(np.uint8)
    cover[inside] = 1.0
