"""A camera file's points and lines as correspondences, checked and judged."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gridsentry.city.calibration import WORST_M, Group, Lens, Point, crossings, worth
from gridsentry.city.notes import Notes
from gridsentry.city.raw import BayLine, CameraToml, FloorLine

SHORTEST_PX = 20.0
"""A shorter line says too little about its direction: 1 px at its end is 3 degrees."""


def correspondences(raw: CameraToml, lens: Lens, name: str, notes: Notes) -> tuple[Point, ...]:
    """(px, py, u_m, v_m) of the points as given and of where the lines meet; `name` is the file's.

    What is wrong, suspicious or worth knowing goes to `notes`."""
    before = len(notes.problems)
    points: list[Point] = list(raw.points)
    groups = [
        Group(f"point {n} {list(point)}", (n - 1,)) for n, point in enumerate(points, start=1)
    ]
    if raw.floor_lines or raw.bay_lines:
        _check_lines(raw, name, notes)
        if len(notes.problems) > before:
            return ()
        met, pairs = crossings(
            [(one.v, np.array(one.line)) for one in raw.floor_lines],
            [(one.u, np.array(one.line)) for one in raw.bay_lines],
            lens,
            raw.size,
        )
        first = len(points)
        points += met
        for n, floor in enumerate(raw.floor_lines):
            mine = tuple(first + k for k, pair in enumerate(pairs) if pair[0] == n)
            groups.append(Group(f"floor line v = {floor.v:g}", mine))
        for m, bay in enumerate(raw.bay_lines):
            mine = tuple(first + k for k, pair in enumerate(pairs) if pair[1] == m)
            groups.append(Group(f"bay line u = {bay.u:g}", mine))
    where = f"{name}, points"
    if not points:
        if raw.floor_lines:
            notes.wrong(f"{name}, floor_lines", "they meet no bay line near the picture",
                        "horizontal lines in floor_lines, vertical ones in bay_lines")  # fmt: skip
        else:
            notes.warn(where, "none: this camera cannot name windows")
        return ()
    if len(points) < 4:
        notes.wrong(where, f"{len(points)} points", "none, or at least 4 (points, or 2 floor_lines "
                    "and 2 bay_lines)")  # fmt: skip
        return tuple(points)
    if not (_spans([p[:2] for p in points]) and _spans([p[2:] for p in points])):
        notes.wrong(
            where,
            "all on one line, in the picture or on the facade",
            "points that span the facade, both along it and up it",
        )
        return tuple(points)
    outside = [p for p in raw.points if not (0 <= p[0] <= raw.size[0] and 0 <= p[1] <= raw.size[1])]
    if outside:
        notes.warn(where, f"{len(outside)} lie outside the picture of {raw.size}")
    _judge(points, groups, lens, name, notes)
    return tuple(points)


def _check_lines(raw: CameraToml, name: str, notes: Notes) -> None:
    kinds: tuple[tuple[str, Sequence[FloorLine | BayLine], list[float]], ...] = (
        ("floor_lines", raw.floor_lines, [one.v for one in raw.floor_lines]),
        ("bay_lines", raw.bay_lines, [one.u for one in raw.bay_lines]),
    )
    for field, lines, at in kinds:
        if len(lines) < 2:
            notes.wrong(
                f"{name}, {field}", f"{len(lines)}", "at least 2 floor_lines and 2 bay_lines"
            )
        if len(set(at)) < len(at):
            twice = next(one for one in at if at.count(one) > 1)
            notes.wrong(f"{name}, {field}", f"two at {twice:g} m", "each height or place once")
        for number, one in enumerate(lines, start=1):
            if math.dist(one.line[0], one.line[-1]) < SHORTEST_PX:
                notes.wrong(
                    f"{name}, {field} {number}, line",
                    f"{[list(p) for p in one.line]} is shorter than {SHORTEST_PX:g} px",
                    "two places far apart on the line",
                )


def _judge(
    points: Sequence[Point], groups: Sequence[Group], lens: Lens, name: str, notes: Notes
) -> None:
    found = worth(points, groups, lens)
    if found is None:
        notes.wrong(
            f"{name}, points",
            "no wall can be seen like this",
            "points of which no three lie on a line",
        )
        return
    if found.count == 4:
        notes.tell(name, "4 correspondences: they fit any wall, so nothing is checked; two or "
                   "more further ones would be")  # fmt: skip
        return
    text = f"{found.count} correspondences, rms {found.error_m:.2f} m, {found.error_px:.1f} px"
    notes.tell(name, text)
    for one in found.outliers:
        notes.warn(
            f"{name}, {one.name}",
            f"{one.error_m:.2f} m ({one.error_px:.0f} px) from where the others put it: look again",
        )
    if found.error_m > WORST_M and not found.outliers:
        notes.warn(
            f"{name}, points",
            f"{text}: more than {WORST_M:g} m, so windows may be mistaken, and no single one is to "
            "blame; is the lens distortion given, and are all on one wall?",
        )


def _spans(points: Sequence[tuple[float, ...]]) -> bool:
    """Whether places (x, y) spread in two directions: their narrower spread (the square root of
    the lesser eigenvalue of their covariance) is above a thousandth of the wider."""
    n = len(points)
    x0, y0 = sum(p[0] for p in points) / n, sum(p[1] for p in points) / n
    xx = sum((p[0] - x0) ** 2 for p in points)
    yy = sum((p[1] - y0) ** 2 for p in points)
    xy = sum((p[0] - x0) * (p[1] - y0) for p in points)
    middle, reach = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
    return middle - reach > 1e-6 * (middle + reach)
