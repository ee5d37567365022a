"""One fibre of `lines.geojson`: where on its path the OTDR's zero is, and which way it looks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from contracts.city import Device, Fibre, LineNode
from contracts.clock import EPOCH
from contracts.errors import Permanent
from contracts.geo import Point, distance_m, length_m, to_wgs84
from contracts.sor import parse_sor
from gridsentry.city.files import Feature, line_of
from gridsentry.city.notes import Notes, choices
from gridsentry.city.owners import owners_of
from gridsentry.city.raw import LineProperties

FORWARD = frozenset(["forward", "forwards", "+", "+1", "1", "increasing", "up", "正向"])
BACKWARD = frozenset(["backward", "backwards", "reverse", "-", "-1", "decreasing", "down", "反向"])
ENDS = dict.fromkeys(["start", "begin", "first"], True) | dict.fromkeys(["end", "last"], False)
ON_PATH_M = 30.0
"""A splice belongs to a fibre of its owner (or that it names as its line) when it lies so near."""
DRAWN_M = 10.0
"""A splice's own chainage further than this (and 0.2 %) from where it is drawn is metres of cable,
spare loops and all: what light counts."""
FAR_FROM_PATH_M = 200.0
"""A start further than this from the cable's drawn path is worth a warning: a drop or a patch
room is rarely longer."""


def chainage_of(path: tuple[Point, ...], point: Point) -> tuple[float, float]:
    """(metres along `path` of its place nearest to `point`, distance in metres from there)."""
    best, walked = (0.0, math.inf), 0.0
    for a, b in itertools.pairwise(path):
        # Flat around the segment: spans are short against the earth's radius.
        shrink = math.cos(math.radians(a.lat))
        bx, by = (b.lon - a.lon) * shrink, b.lat - a.lat
        px, py = (point.lon - a.lon) * shrink, point.lat - a.lat
        square = bx * bx + by * by
        part = min(1.0, max(0.0, (px * bx + py * by) / square)) if square else 0.0
        near = Point(a.lon + (b.lon - a.lon) * part, a.lat + (b.lat - a.lat) * part)
        off, length = distance_m(near, point), distance_m(a, b)
        if off < best[1]:
            best = (walked + part * length, off)
        walked += length
    return best


def read_fibre(
    folder: Path,
    feature: Feature,
    raw: LineProperties,
    *,
    nodes: Mapping[str, Point],
    devices: Mapping[str, Device],
    fibres: int,
    notes: Notes,
    splices: Iterable[tuple[LineNode, str | None]] = (),
) -> Fibre | None:
    """The fibre, or None after noting why not. `fibres` is how many the city has, `splices` are the
    city's, each with the line it names."""
    path = line_of(feature)
    if path is None:
        shape = feature.shape or "none"
        notes.wrong(f"{feature.where}, geometry", shape, "a LineString: the cable along its route")
        return None
    points = {**{name: device.point for name, device in devices.items()}, **nodes}
    device = _otdr(raw, devices, fibres, feature.where, notes)
    start = _start(raw, path, points, device, feature.where, notes=notes)
    if start is None:
        return None
    forward = _forward(raw, path, points, start, feature.where, notes=notes)
    baseline = _baseline(folder, raw.baseline, feature.where, notes)
    if forward is None:
        return None
    return Fibre(
        id=raw.id,
        owner=owners_of(raw)[0],
        path=path,
        device=device,
        start_m=start,
        forward=forward,
        baseline=baseline,
        marks=_marks(raw, path, start, forward, splices, notes=notes, where=feature.where),
    )


def _marks(
    raw: LineProperties,
    path: tuple[Point, ...],
    start: float,
    forward: bool,
    splices: Iterable[tuple[LineNode, str | None]],
    *,
    notes: Notes,
    where: str,
) -> tuple[tuple[float | None, float], ...]:
    """Known places in order from the OTDR: as listed, else the splices drawn along the cable."""
    total, sign = length_m(path), 1.0 if forward else -1.0
    found: list[tuple[float | None, float]] = []
    for light, chainage in raw.marks or ():
        if -1.0 <= chainage <= total + 1.0 and (light is None or light >= 0):
            found.append((light, min(max(chainage, 0.0), total)))
        else:
            notes.wrong(
                f"{where}, marks",
                f"[{light}, {chainage}]",
                f"[metres of light or null, 0 to {total:.0f} m along the path]",
            )
    owner = owners_of(raw)[0]
    for node, line in splices if raw.marks is None else ():
        own = line == raw.id or (line is None and owner is not None and node.owner == owner)
        chainage, off = chainage_of(path, node.point)
        if own and off <= ON_PATH_M:
            told = node.chainage_m
            cable = told is not None and abs(told - chainage) > DRAWN_M + 0.002 * chainage
            light = sign * (told - start) if cable and told is not None else None
            found.append((light, round(chainage, 2)))
    ahead = [(light, c) for light, c in found if sign * (c - start) > 0]
    return tuple(sorted(ahead, key=lambda mark: sign * mark[1]))


def _otdr(
    raw: LineProperties, devices: Mapping[str, Device], fibres: int, where: str, notes: Notes
) -> str | None:
    if raw.device is not None:
        if raw.device not in devices:
            notes.wrong(
                f"{where}, device", f"there is no device {raw.device}", choices(devices, raw.device)
            )
        return raw.device
    if isinstance(raw.start, str) and raw.start in devices:
        return raw.start
    otdrs = [device for device in devices.values() if "otdr" in device.type.lower()]
    names = {raw.id, raw.line, raw.site} - {None}
    here = [d for d in otdrs if d.site in names] or [d for d in devices.values() if d.site in names]
    if len(here) == 1:
        return here[0].id
    if not here and len(otdrs) == 1 and fibres == 1:
        notes.warn(where, f"no device: taken is {otdrs[0].id}, the only OTDR")
        return otdrs[0].id
    text = "several devices have it as their site" if here else "no OTDR watches it"
    notes.warn(where, f"{text}: name one in `device`")
    return None


def _start(
    raw: LineProperties,
    path: tuple[Point, ...],
    points: Mapping[str, Point],
    device: str | None,
    where: str,
    *,
    notes: Notes,
) -> float | None:
    """Chainage in metres of the OTDR's zero."""
    start: float | str | tuple[float, ...] | None = raw.start
    if isinstance(start, str) and start not in points and start.lower() in ENDS:
        start = 0.0 if ENDS[start.lower()] else length_m(path)
    if isinstance(start, str) and start not in points:
        try:
            start = float(start)
        except ValueError:
            notes.wrong(
                f"{where}, start",
                f"there is no node or device {raw.start}",
                "metres along the path, a position [lon, lat], or "
                + choices(points, str(raw.start)),
            )
            return None
    if isinstance(start, float | int):
        total = length_m(path)
        if not -1e6 < start < total + 1.0:
            notes.wrong(f"{where}, start", f"{start} m", f"0 to {total:.0f} m, the path's length")
            return None
        return float(start)
    if isinstance(start, tuple):
        try:
            point = to_wgs84(start[0], start[1])
        except (ValueError, IndexError):
            notes.wrong(f"{where}, start", repr(list(start)), "[lon, lat] in degrees")
            return None
    elif start is not None:
        point = points[start]
    elif raw.from_ in points:
        point = points[str(raw.from_)]
    elif device in points:
        point = points[str(device)]
        notes.warn(where, f"no start: taken where {device} stands")
    else:
        notes.warn(where, "no start: taken at the first point of the path")
        return 0.0
    chainage, off = chainage_of(path, point)
    if off > FAR_FROM_PATH_M:
        notes.warn(where, f"its start lies {off:.0f} m from the path")
    return round(chainage, 3)


def _forward(
    raw: LineProperties,
    path: tuple[Point, ...],
    points: Mapping[str, Point],
    start: float,
    where: str,
    *,
    notes: Notes,
) -> bool | None:
    """Whether distance grows along the path."""
    total = length_m(path)
    if raw.direction is None:
        forward = start <= total / 2
        if not forward:
            notes.warn(where, "no direction: it starts near the end of the path, taken as backward")
        return forward
    if isinstance(raw.direction, float | int):
        if raw.direction in (1, -1):
            return raw.direction == 1
    elif raw.direction in points:
        return chainage_of(path, points[raw.direction])[0] >= start
    elif (word := raw.direction.strip().lower()) in FORWARD or word in BACKWARD:
        return word in FORWARD
    notes.wrong(
        f"{where}, direction",
        repr(raw.direction),
        "forward, backward, 1, -1, or the id of a node it looks towards",
    )
    return None


def _baseline(folder: Path, name: object, where: str, notes: Notes) -> bytes | None:
    if name is None:
        return None
    if not isinstance(name, str):
        notes.warn(f"{where}, baseline", "not the path of a .sor file: left aside, it is learned")
        return None
    path = folder / name
    if not path.is_file():
        notes.wrong(f"{where}, baseline", f"there is no file {name}", "a .sor file of this folder")
        return None
    data = path.read_bytes()
    if not data:
        notes.wrong(f"{where}, baseline", f"{name} is empty", "an OTDR trace (SR-4731 .sor)")
        return data
    try:
        parse_sor(data, "", EPOCH, EPOCH)
    except Permanent as error:
        notes.warn(f"{where}, baseline", f"{name}: {error.reason}; it is learned instead")
    return data
