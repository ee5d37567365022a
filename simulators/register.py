"""The files of a city folder that every simulated place has: its register as text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Container, Iterable, Sequence
from typing import Any

from contracts.city import Device, DrainNetwork, Grid, LineNetwork, Utility, Work
from contracts.clock import iso
from contracts.geo import Point


def city_file(id: str, name: str, timezone: str, profile: str) -> bytes:
    """`city.toml`."""
    return (
        f"id = {text(id)}\nname = {text(name)}\n"
        f"timezone = {text(timezone)}\nprofile = {text(profile)}\n"
    ).encode()


def grids_file(grids: Iterable[Grid]) -> bytes:
    """`grids.geojson`."""
    return collection(
        feature(
            "Polygon",
            [[list(xy) for xy in ring] for ring in grid.rings[0]],
            id=grid.id,
            parent=grid.parent,
            level=grid.level,
            name=grid.name,
        )
        for grid in grids
    )


def devices_file(devices: Iterable[Device]) -> bytes:
    """`devices.csv`."""
    return table(
        ("id", "district", "type", "lon", "lat", "owner", "site", "reports_every_s", "metrics"),
        (
            (
                d.id,
                d.district,
                d.type,
                d.point.lon,
                d.point.lat,
                d.owner,
                d.site,
                d.reports_every_s,
                ";".join(d.metrics),
            )
            for d in devices
        ),
    )


def drains_file(drains: DrainNetwork, devices: Container[str]) -> bytes:
    """`drains.geojson`; a node that has the name of a device carries it."""
    features = [
        feature(
            "Point",
            position(node.point),
            id=node.id,
            kind="node",
            invert_m=node.invert_m,
            rim_m=node.rim_m,
            warn_m=node.warn_m,
            close_m=node.close_m,
            device=node.id if node.id in devices else None,
        )
        for node in drains.nodes.values()
    ]
    features += [
        feature(
            "LineString",
            [position(p) for p in pipe.path],
            id=pipe.id,
            kind="pipe",
            from_=pipe.from_,
            to=pipe.to,
            diameter_m=pipe.diameter_m,
            length_m=pipe.length_m,
        )
        for pipe in drains.pipes.values()
    ]
    return collection(features)


def line_features(network: LineNetwork) -> list[dict[str, Any]]:
    """The poles, transformers, customers and spans of a line in `lines.geojson`."""
    found = [
        feature(
            "Point",
            position(node.point),
            id=node.id,
            kind=node.what,
            line=network.id,
            owner=node.owner,
            carries=list(node.carries) or None,
            chainage_m=node.chainage_m,
            device=node.device,
        )
        for node in network.nodes.values()
    ]
    found += [
        feature(
            "LineString",
            [position(p) for p in span.path],
            id=span.id,
            kind="span",
            line=network.id,
            owner=span.owner,
            carries=list(span.carries) or None,
            from_=span.from_,
            to=span.to,
            chainage_m=span.chainage_m,
            kv=span.kv,
            phases=None if span.kv is None else span.phases,
            switch=span.switch or None,
        )
        for span in network.spans.values()
    ]
    return found


def utilities_file(utilities: Iterable[Utility]) -> bytes:
    """`utilities.csv`."""
    return table(
        ("id", "name", "owners", "phone", "restricted"),
        (
            (u.id, u.name, ";".join(u.owners), u.phone, "true" if u.restricted else "false")
            for u in utilities
        ),
    )


def works_file(works: Iterable[Work]) -> bytes:
    """`works.csv`."""
    return table(
        ("id", "kind", "start", "end", "lon", "lat", "radius_m", "assets", "note"),
        (
            (
                w.id,
                w.kind,
                iso(w.start),
                iso(w.end),
                w.point.lon if w.point else None,
                w.point.lat if w.point else None,
                w.radius_m if w.point else None,
                ";".join(w.assets),
                w.note,
            )
            for w in works
        ),
    )


def text(value: object) -> str:
    """A value as TOML has it."""
    return json.dumps(value, ensure_ascii=False)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return out.getvalue().encode()


def position(point: Point) -> list[float]:
    """Coordinates of a point."""
    return [point.lon, point.lat]


def feature(geometry: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    """One feature; properties that are None are left out, `from_` is called `from`."""
    named = {("from" if key == "from_" else key): value for key, value in properties.items()}
    return {
        "type": "Feature",
        "properties": {key: value for key, value in named.items() if value is not None},
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def collection(features: Iterable[dict[str, Any]]) -> bytes:
    """A GeoJSON file, a feature a line."""
    lines = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'.encode()
