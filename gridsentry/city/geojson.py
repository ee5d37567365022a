"""Features as the importers write them: one a line, ids that the wire allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from contracts.geo import Point
from gridsentry.city.notes import Notes


def position(point: Point) -> list[float]:
    """A GeoJSON position, to a centimetre."""
    return [round(point.lon, 7), round(point.lat, 7)]


def feature(shape: str, coordinates: Any, properties: Mapping[str, Any]) -> dict[str, Any]:
    """A GeoJSON feature; properties that are None are left out."""
    return {
        "type": "Feature",
        "geometry": {"type": shape, "coordinates": coordinates},
        "properties": {k: v for k, v in properties.items() if v is not None},
    }


def collection(features: Iterable[dict[str, Any]]) -> bytes:
    """One feature a line, so that a change of one thing is a change of one line. The datum is
    named, whatever that of the city's other files is."""
    lines = b",\n".join(msgspec.json.encode(one) for one in features)
    head = b'{"type": "FeatureCollection", "crs": "wgs84", "features": [\n'
    return head + lines + b"\n]}\n"


def unique_ids(
    wanted: Iterable[tuple[str, str]], prefixes: Mapping[str, str], notes: Notes
) -> dict[tuple[str, str], str]:
    """(what, name) → an id that the wire allows, each once in the whole file.

    A name that is taken gets the prefix of what it is (engines let a pipe and a manhole have one
    name; here every id stands for one thing), then a number. What was renamed is said.
    """
    ids: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    renamed: list[str] = []
    for what, name in wanted:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:56].strip("-") or what
        id = f"{prefixes[what]}{plain}" if what in prefixes and plain in taken else plain
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
