"""A SWMM network as the city's `drains.geojson`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from contracts.errors import Wrong
from contracts.geo import Point
from gridsentry.city.geojson import collection, feature, position, unique_ids
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
        features.append(feature("LineString", [position(p) for p in path_], properties))
    lons, lats = [p.lon for p in points.values()], [p.lat for p in points.values()]
    return Imported(
        geojson=collection(features),
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
    wanted = [("node", name) for name in inp.nodes] + [("link", name) for name in inp.links]
    return unique_ids(wanted, {"link": "p-"}, notes)


def _node(id: str, node: InpNode, point: Point) -> dict[str, Any]:
    rim = node.invert_m + node.depth_m if node.depth_m is not None else None
    properties = {
        "id": id,
        "kind": "node" if node.kind == "junction" else node.kind,
        "invert_m": _metres(node.invert_m),
        "rim_m": _metres(rim),
    }
    return feature("Point", position(point), properties)


def _metres(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
