"""`cameras/{device}.toml`: how a fixed camera sees its facade."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec
import shapely

from contracts.city import Camera, Zone
from gridsentry.city.calibration import Lens, Point
from gridsentry.city.correspondences import correspondences
from gridsentry.city.fields import build
from gridsentry.city.files import read_toml
from gridsentry.city.notes import Notes, choices
from gridsentry.city.picture import SUFFIXES, read_picture
from gridsentry.city.raw import BandTable, BayLine, CameraToml, FloorLine, ZoneTable

FOLDER = "cameras"
OVERLAY = ".overlay.png"
"""How the names of drawings for people end; nobody reads them."""
Mask = tuple[tuple[tuple[float, float], ...], ...]
Band = tuple[int | str, float, float]

# Names a floor's or bay's table may use for its number and its two edges.
_ALIASES: dict[str, str] = {
    **dict.fromkeys(["floor", "bay", "n", "number", "name"], "id"),
    **dict.fromkeys(["from", "bottom", "left", "low_m", "v0", "u0", "v_low", "u_low"], "low"),
    **dict.fromkeys(["to", "top", "right", "high_m", "v1", "u1", "v_high", "u_high"], "high"),
}

_TABLES: dict[str, type[msgspec.Struct]] = {
    "zones": ZoneTable,
    "floor_lines": FloorLine,
    "bay_lines": BayLine,
}


def read_cameras(folder: Path, devices: Collection[str], notes: Notes) -> dict[str, Camera]:
    """The cameras by device id, files in the order of their names."""
    cameras: dict[str, Camera] = {}
    pictures: set[str] = set()
    strangers: list[Path] = []
    for path in sorted((folder / FOLDER).iterdir()):
        name = f"{FOLDER}/{path.name}"
        if path.suffix != ".toml" or path.name.startswith("."):
            strangers.append(path)
            continue
        if path.stem not in devices:
            notes.wrong(name, f"there is no device {path.stem}", choices(devices, path.stem))
            continue
        found = read_camera(path, name, notes)
        if found is not None:
            camera, raw = found
            pictures.add(raw.picture or "")
            cameras[camera.device] = camera
    for path in strangers:
        if path.suffix in SUFFIXES and path.stem in devices and path.stem not in cameras:
            continue  # what `calibrate` left where it found too little: material for its file
        if path.name not in pictures and not path.name.endswith(OVERLAY):
            notes.warn(f"{FOLDER}/{path.name}", "not a camera's TOML file: left aside")
    return cameras


def read_camera(path: Path, name: str, notes: Notes) -> tuple[Camera, CameraToml] | None:
    """One camera's file, called `name` in messages, and what stands in it; None where it cannot
    be used at all."""
    table = read_toml(path, notes, name)
    if table is None:
        return None
    _spread_distortion(table)
    if not _check_tables(table, name, notes):
        return None
    raw = build(CameraToml, table, f"{name}, ", notes)
    if raw is None:
        return None
    picture = None
    if raw.picture is not None and min(raw.size) > 0:
        picture = read_picture(path.parent, raw.picture, raw.size, f"{name}, picture", notes)
    return _camera(path.stem, raw, name, picture, notes), raw


def _check_tables(table: dict[str, Any], name: str, notes: Notes) -> bool:
    """Read the tables within the table one by one, so that an error names the very field."""
    before = len(notes.problems)
    for field, cls in _TABLES.items():
        given = table.get(field)
        for number, item in enumerate(given if isinstance(given, list) else [], start=1):
            if isinstance(item, dict):
                build(cls, item, f"{name}, {field} {number}, ", notes)
    return len(notes.problems) == before


def _spread_distortion(table: dict[str, Any]) -> None:
    """Distortion as a table {k1, k2, p1, p2, k3, focal_px} or as k1 alone becomes OpenCV's list."""
    given = table.get("distortion")
    if isinstance(given, int | float) and not isinstance(given, bool):
        table["distortion"] = [given, 0.0, 0.0, 0.0]
    elif isinstance(given, dict) and given.keys() <= {"k1", "k2", "p1", "p2", "k3", "focal_px"}:
        if "focal_px" in given:
            table.setdefault("focal_px", given["focal_px"])
        names = ("k1", "k2", "p1", "p2", "k3")
        table["distortion"] = [given.get(name, 0.0) for name in names]


def _camera(device: str, raw: CameraToml, name: str, picture: bytes | None, notes: Notes) -> Camera:
    if min(raw.size) < 1:
        notes.wrong(f"{name}, size", repr(list(raw.size)), "[width, height], both above 0")
    if len(raw.distortion) not in (0, 4, 5):
        notes.wrong(
            f"{name}, distortion", f"{len(raw.distortion)} numbers", "[k1, k2, p1, p2] and k3"
        )
    bends = raw.distortion if len(raw.distortion) in (4, 5) else ()
    focal = raw.focal_px
    if raw.distortion and focal is None:
        # 1.0 times the picture's width: the horizontal view of 53 degrees of a common 4 mm lens.
        focal = float(raw.size[0])
        notes.warn(
            f"{name}, focal_px",
            f"not given: the distortion is read for one of the width, {focal:.0f} px",
        )
    points = correspondences(raw, Lens(raw.size, bends, focal), name, notes)
    zones = {zone.id: zone for zone in _facade(raw, points, name, notes)}
    for table in raw.zones:
        if table.id in zones and any(z.id == table.id for z in raw.zones if z is not table):
            notes.wrong(f"{name}, zones", f"{table.id} again", "each zone once")
        if not shapely.Polygon(table.polygon).is_valid:
            notes.wrong(
                f"{name}, zones, {table.id}",
                "its outline crosses itself",
                "corners in order around it",
            )
        zones[table.id] = Zone(
            id=table.id,
            what="roof_edge" if table.what == "roof" else table.what,
            floor=table.floor,
            bay=table.bay,
            polygon=table.polygon,
        )
    return Camera(
        device=device,
        size=raw.size,
        distortion=raw.distortion,
        focal_px=focal,
        focal_assumed=raw.focal_px is None and focal is not None,
        points=points,
        zones=tuple(zones.values()),
        detect_mask=read_mask(raw.detect_mask, f"{name}, detect_mask", notes),
        privacy_mask=read_mask(raw.privacy_mask, f"{name}, privacy_mask", notes),
        picture=picture,
    )


def _facade(raw: CameraToml, points: Sequence[Point], name: str, notes: Notes) -> list[Zone]:
    """The windows that floors × bays make: `F17-3` is floor 17, bay 3."""
    if raw.floors is None and raw.bays is None:
        return []
    if raw.floors is None or raw.bays is None:
        missing = "bays" if raw.bays is None else "floors"
        notes.wrong(f"{name}, {missing}", "missing", "floors and bays together, or zones")
        return []
    floors = bands(raw.floors, [p[3] for p in points], f"{name}, floors", notes)
    bays = bands(raw.bays, [p[2] for p in points], f"{name}, bays", notes)
    return [
        Zone(
            id=f"F{floor}-{bay}",
            floor=floor if isinstance(floor, int) else None,
            bay=bay if isinstance(bay, int) else None,
            polygon=((left, low), (right, low), (right, high), (left, high)),
        )
        for floor, low, high in floors
        for bay, left, right in bays
    ]


def bands(value: Any, seen: list[float], where: str, notes: Notes) -> list[Band]:
    """(number, low, high) of each floor or bay in metres, lowest first, numbered from 1.

    `seen` are the calibration points' coordinates on this axis; a bare count divides their
    range evenly.
    """
    allowed = "a count, ascending boundaries in metres, or tables {id, low, high}"
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        if not seen or max(seen) <= min(seen):
            notes.wrong(where, f"{value} without calibration points", "boundaries in metres")
            return []
        low, high = min(seen), max(seen)
        notes.warn(where, f"{value} even parts of {low:g} to {high:g} m, the range of the points")
        step = (high - low) / value
        return [(n + 1, low + n * step, low + (n + 1) * step) for n in range(value)]
    if not isinstance(value, list) or not value:
        notes.wrong(where, repr(value), allowed)
        return []
    if all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        if len(value) < 2 or any(a >= b for a, b in itertools.pairwise(value)):
            notes.wrong(where, repr(value), "at least 2 ascending boundaries in metres")
            return []
        return [
            (n, float(a), float(b)) for n, (a, b) in enumerate(itertools.pairwise(value), start=1)
        ]
    made: list[Band] = []
    for number, item in enumerate(value, start=1):
        if not isinstance(item, dict):
            notes.wrong(f"{where} {number}", repr(item), allowed)
            continue
        table: dict[str, Any] = {
            _ALIASES.get(str(key), str(key)): part for key, part in item.items()
        }
        row = build(BandTable, {"id": number, **table}, f"{where} {number}, ", notes)
        if row is None:
            continue
        if row.low >= row.high:
            notes.wrong(
                f"{where} {number}", f"low {row.low} not below high {row.high}", "low < high"
            )
            continue
        made.append((row.id, row.low, row.high))
    if len({band[0] for band in made}) < len(made):
        notes.wrong(where, "the same number twice", "each once")
    return made


def read_mask(value: Any, where: str, notes: Notes) -> Mask:
    """Polygons in pixels; one polygon alone is taken as a list of one."""
    if value is None or value == []:
        return ()
    for candidate in (value, [value]):
        try:
            polygons = msgspec.convert(candidate, Mask)
        except msgspec.ValidationError:
            continue
        if all(len(polygon) >= 3 for polygon in polygons):
            return polygons
    notes.wrong(where, repr(value)[:80], "polygons [[[x, y], …], …] in pixels, 3 corners or more")
    return ()
