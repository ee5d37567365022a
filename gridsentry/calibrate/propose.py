"""From a picture of a facade to a proposed calibration, with what was found and what is a guess."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from gridsentry.calibrate.rhythm import Rhythm, find_rhythm
from gridsentry.calibrate.vanishing import View, find_view, segments_of
from gridsentry.calibrate.wall import Wall, extent, front

Array = NDArray[np.float64]
Line = tuple[tuple[float, float], tuple[float, float]]

FLOOR_M = 3.0
"""Height of a floor where nobody says (GB 50096-2011: 2.8 m and more; usual 2.9 to 3.0)."""
MOST_LINES = 6
"""Lines of each kind to be written: few enough to correct by hand, enough to find a wrong one."""
STRAIGHT = 0.01
"""Distortion (k1 for a focal length of one width) that is not worth writing: 0.3 px at 1080p's
sides, 3 px in its corners."""
UNSURE_SLABS, UNSURE_RHYTHM = 0.12, 0.4
WIDTH = 1600
"""Lines are sought in a picture of at most this width."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the person knows."""

    floors: int | None = None
    floor_m: float = FLOOR_M
    floor_m_given: bool = False
    first_floor: int = 1
    bays: int | None = None
    bay_m: float | None = None
    focal_px: float | None = None


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A calibration to be corrected by hand."""

    size: tuple[int, int]
    distortion: tuple[float, float, float, float] | None
    focal_px: float | None
    floor_lines: tuple[tuple[float, Line], ...]
    """(v in metres, its two ends in pixels), lowest first."""
    bay_lines: tuple[tuple[float, Line], ...]
    """(u in metres, its two ends in pixels), from the left."""
    floors: tuple[float, ...]
    """Boundaries, metres."""
    first_floor: int
    bays: tuple[float, ...]
    """Boundaries, metres."""
    said: tuple[str, ...]
    """What was found."""
    doubts: tuple[str, ...]
    """What is a guess, and how to mend it."""


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """No proposal: what was found and what is missing."""

    said: tuple[str, ...]
    missing: str
    segments: Array
    """(n, 4), pixels."""


def propose(
    picture: NDArray[np.uint8], mask: NDArray[np.uint8] | None, asked: Asked
) -> Proposal | Nothing:
    """From the empty scene (height, width, 3). Lines are sought where `mask` is not 0."""
    height, width = picture.shape[:2]
    scale = min(1.0, WIDTH / width)
    size = (round(width * scale), round(height * scale))
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    if scale < 1:
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        if mask is not None:
            mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    segments = segments_of(grey, mask)
    said = [f"{len(segments)} line segments"]
    focal = asked.focal_px * scale if asked.focal_px is not None else None

    def nothing(missing: str) -> Nothing:
        return Nothing(said=tuple(said), missing=missing, segments=segments / scale)

    view, missing = find_view(segments, size, focal, None)
    if view is None:
        return nothing(missing)
    said += _about(view, scale)
    wall = Wall(view)
    level = view.segments[view.level]
    box = extent(wall, level, np.hypot(level[:, 2] - level[:, 0], level[:, 3] - level[:, 1]))
    if box is None:
        return nothing("a wall that the level lines lie on")
    bay_share = (
        asked.bay_m / asked.floor_m if asked.bay_m is not None and asked.bays is None else None
    )
    seen = front(wall, grey, box)
    rhythm, missing = find_rhythm(seen, asked.floors, asked.bays, bay_share)
    if rhythm is None:
        return nothing(missing)
    return _written(view, wall, rhythm, asked, scale, said, (width, height))


def _about(view: View, scale: float) -> list[str]:
    up = view.up[:2] / view.up[2] / scale if abs(view.up[2]) > 1e-12 else None
    told = "infinitely far up" if up is None else f"at [{up[0]:.0f}, {up[1]:.0f}]"
    lines = [
        f"{int(view.upright.sum())} upright lines that meet {told}",
        f"{int(view.level.sum())} level ones",
    ]
    if abs(view.bend) >= STRAIGHT:
        lines.append(f"lens distortion k1 {view.distortion[0]:+.3f}")
    known = "" if view.focal_known else " (assumed)"
    lines.append(f"focal length {view.focal_px / scale:.0f} px{known}")
    return lines


def _written(
    view: View, wall: Wall, rhythm: Rhythm, asked: Asked, scale: float, said: list[str],
    size: tuple[int, int],
) -> Proposal | Nothing:  # fmt: skip
    edges, columns = np.array(rhythm.floors), np.array(rhythm.bays)
    per_floor = float(np.median(np.diff(edges)))
    metres = asked.floor_m / per_floor
    across = metres
    if asked.bay_m is not None:
        across = asked.bay_m * (len(columns) - 1) / float(columns[-1] - columns[0])
    heights = tuple(
        round((asked.first_floor - 1 + n) * asked.floor_m, 3) for n in range(len(edges))
    )
    places = tuple(round(float(u), 2) for u in (columns - columns[0]) * across)
    limits = (size[0] * scale, size[1] * scale)
    rows = [
        (heights[n], _seen(wall, [(x, edges[n]) for x in _spread(columns)], limits, scale))
        for n in _few(len(edges))
    ]
    uprights = [
        (places[n], _seen(wall, [(columns[n], y) for y in _spread(edges)], limits, scale))
        for n in _few(len(columns))
    ]
    floor_lines = tuple((v, line) for v, line in rows if line is not None)
    bay_lines = tuple((u, line) for u, line in uprights if line is not None)
    said.append(f"{len(edges) - 1} floors, {len(columns) - 1} bays")
    if min(len(floor_lines), len(bay_lines)) < 2:
        return Nothing(
            said=tuple(said),
            missing="two floors and two bays that lie within the picture",
            segments=view.segments / scale,
        )
    bent = abs(view.bend) >= STRAIGHT
    return Proposal(
        size=size,
        distortion=view.distortion if bent else None,
        focal_px=view.focal_px / scale if view.focal_known else None,
        floor_lines=floor_lines,
        bay_lines=bay_lines,
        floors=heights,
        first_floor=asked.first_floor,
        bays=places,
        said=tuple(said),
        doubts=tuple(_doubts(view, rhythm, asked)),
    )


def _doubts(view: View, rhythm: Rhythm, asked: Asked) -> list[str]:
    doubts = []
    if rhythm.clear < UNSURE_RHYTHM and rhythm.slabs < UNSURE_SLABS and asked.floors is None:
        doubts.append(
            "most likely wrong: what repeats here may be tiles or joints, not floors; count the "
            "floors and give --floors"
        )
    if not asked.floor_m_given:
        doubts.append(
            f"a floor is taken as {asked.floor_m:g} m high: measure one, and give --floor-height"
        )
    if asked.first_floor == 1:
        doubts.append("the lowest floor seen is taken as floor 1: else give --first-floor")
    if rhythm.clear < UNSURE_RHYTHM:
        doubts.append("floors hardly repeat here: count them in the overlay, or give --floors")
    if rhythm.slabs < UNSURE_SLABS:
        doubts.append(
            "slabs do not stand apart from windows (glass?): all floor lines may lie too high or "
            "too low by the same part of a floor"
        )
    if not rhythm.bays_seen and asked.bays is None and asked.bay_m is None:
        doubts.append("bays were not seen and are laid out evenly: count them, and give --bays")
    if not view.focal_known:
        doubts.append(
            "the wall is seen so straight on that it tells no focal length, and so not how wide "
            "things are: give --bay-width, or --focal-px from the lens's data sheet"
        )
    if asked.bay_m is None and view.focal_known:
        doubts.append("widths follow from heights by the lens alone: measure a bay (--bay-width)")
    return doubts


def _few(count: int) -> list[int]:
    """At most MOST_LINES of so many, spread evenly, both ends among them."""
    return sorted({round(n) for n in np.linspace(0, count - 1, min(count, MOST_LINES))})


def _spread(edges: Array) -> Array:
    return np.linspace(float(edges[0]), float(edges[-1]), 400)


def _seen(
    wall: Wall, places: list[tuple[float, float]], limits: tuple[float, float], scale: float
) -> Line | None:
    """The two ends of the part of a line that the picture shows, pixels."""
    pixels = wall.pixels(np.array(places))
    inside = np.all((pixels >= 0) & (pixels <= np.array(limits)), axis=1)
    shown = pixels[inside] / scale
    if len(shown) < 2 or float(np.hypot(*(shown[-1] - shown[0]))) < 40:
        return None
    (x0, y0), (x1, y1) = shown[0], shown[-1]
    return (round(float(x0), 1), round(float(y0), 1)), (round(float(x1), 1), round(float(y1), 1))
