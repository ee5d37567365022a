"""A SWMM network as the city's `drains.geojson`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from contracts.errors import Wrong
from contracts.geo import Point
from gridsentry.city.notes import CityProblems, Notes
from gridsentry.swmm.inp import FOOT_M, Inp, InpNode, read_inp
from gridsentry.swmm.place import About, Degrees, Projection, projection


class Imported(msgspec.Struct):
    """What came of it."""

    geojson: bytes
    nodes: int
    pipes: int
    flow_units: str
    west_south: Point
    east_north: Point
    warnings: list[str]


def drains_of(path: Path, *, origin: Point | None = None, crs: str | None = None) -> Imported:
    """The drains of the SWMM file at `path`, in WGS 84 and metres.

    `origin` puts the middle of the drawing there; `crs` is the EPSG code its coordinates are in.
    Raises Wrong on what cannot be used, with file, line and section of all of it.
    """
    notes = Notes()
    inp = read_inp(path, notes)
    for name, node in inp.nodes.items():
        if node.xy is None:
            notes.wrong(f"{path.name}, [COORDINATES]", f"node {name} has none", "name, x and y")
    if notes.problems:
        raise CityProblems(str(path), notes.problems, notes.warnings)
    place = _projection(path, inp, origin, crs)
    ids = _ids(inp, notes)
    features: list[dict[str, Any]] = []
    points: dict[str, Point] = {}
    for name, node in inp.nodes.items():
        points[name] = _point(place, node.xy, f"{path.name}, [COORDINATES] {name}")
        features.append(_node(ids["node", name], node, points[name]))
    for name, link in inp.links.items():
        start, end = ids["node", link.start], ids["node", link.end]
        if start == end:
            notes.warn(f"link {name}", f"begins and ends at {start}: left out")
            continue
        where = f"{path.name}, [VERTICES] {name}"
        path_ = [points[link.start], *(_point(place, v, where) for v in link.vertices)]
        path_.append(points[link.end])
        properties = {
            "id": ids["link", name],
            "kind": "pipe" if link.kind == "conduit" else link.kind,
            "from": start,
            "to": end,
            "diameter_m": _metres(link.height_m),
            "length_m": _metres(link.length_m),
        }
        features.append(_feature("LineString", [_position(p) for p in path_], properties))
    lons, lats = [p.lon for p in points.values()], [p.lat for p in points.values()]
    return Imported(
        geojson=_collection(features),
        nodes=len(inp.nodes),
        pipes=len(features) - len(inp.nodes),
        flow_units=inp.flow_units,
        west_south=Point(min(lons), min(lats)),
        east_north=Point(max(lons), max(lats)),
        warnings=notes.warnings,
    )


def _projection(path: Path, inp: Inp, origin: Point | None, crs: str | None) -> Projection:
    if crs is not None:
        return projection(crs)
    xs = [node.xy[0] for node in inp.nodes.values() if node.xy]
    ys = [node.xy[1] for node in inp.nodes.values() if node.xy]
    if origin is not None:
        if inp.map_units == "DEGREES":
            raise Wrong("--origin", f"{path.name} is drawn in degrees", "leave --origin out")
        to_m = {"FEET": FOOT_M, "METERS": 1.0}.get(inp.map_units, inp.to_m)
        return About(origin, (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, to_m)
    if inp.map_units == "DEGREES":
        return Degrees()
    raise Wrong(
        f"{path.name}, [COORDINATES]",
        f"x {min(xs):.0f} to {max(xs):.0f}, y {min(ys):.0f} to {max(ys):.0f}: the file does not "
        "say where on earth that is",
        "--crs EPSG:… of the drawing, or --origin LON,LAT where its middle lies",
    )


def _point(place: Projection, xy: tuple[float, float] | None, where: str) -> Point:
    assert xy is not None
    try:
        return place.to_point(*xy)
    except (ValueError, OverflowError) as error:
        raise Wrong(where, str(error), "coordinates in the system that --crs names") from error


def _ids(inp: Inp, notes: Notes) -> dict[tuple[str, str], str]:
    """(`node` or `link`, name) → an id that the wire allows, each once in the whole file."""
    ids: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    renamed: list[str] = []
    wanted = [("node", name) for name in inp.nodes] + [("link", name) for name in inp.links]
    for what, name in wanted:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:56].strip("-") or what
        # SWMM lets a pipe and a manhole have one name; here every id stands for one thing.
        id = f"p-{plain}" if what == "link" and plain in taken else plain
        count = 2
        while id in taken:
            id, count = f"{plain}-{count}", count + 1
        taken.add(id)
        ids[what, name] = id
        if id != name:
            renamed.append(f"{what} {name} → {id}")
    if renamed:
        more = f" and {len(renamed) - 3} more" if len(renamed) > 3 else ""
        notes.warn("ids", f"renamed to be unique and short: {'; '.join(renamed[:3])}{more}")
    return ids


def _node(id: str, node: InpNode, point: Point) -> dict[str, Any]:
    rim = node.invert_m + node.depth_m if node.depth_m is not None else None
    properties = {
        "id": id,
        "kind": "node" if node.kind == "junction" else node.kind,
        "invert_m": _metres(node.invert_m),
        "rim_m": _metres(rim),
    }
    return _feature("Point", _position(point), properties)


def _metres(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _position(point: Point) -> list[float]:
    return [round(point.lon, 7), round(point.lat, 7)]


def _feature(shape: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": shape, "coordinates": coordinates},
        "properties": {k: v for k, v in properties.items() if v is not None},
    }


def _collection(features: list[dict[str, Any]]) -> bytes:
    """One feature a line, so that a change of one manhole is a change of one line. The datum is
    named, whatever that of the city's other files is."""
    lines = b",\n".join(msgspec.json.encode(feature) for feature in features)
    head = b'{"type": "FeatureCollection", "crs": "wgs84", "features": [\n'
    return head + lines + b"\n]}\n"
