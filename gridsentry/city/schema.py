"""JSON schemas of the city folder's files, of what comes in and goes out, and of recordings."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.case import Incident, Ticket
from contracts.event import Event
from gridsentry.city import raw, raw_governance
from gridsentry.record.format import Line
from ingest.codec.people import PositionMessage, ReportMessage, StatusMessage
from ingest.codec.telemetry import Message

REF = "#/$defs/{name}"
TABLES: dict[str, type[msgspec.Struct]] = {
    "devices.csv": raw.DeviceRow,
    "workers.csv": raw.WorkerRow,
    "utilities.csv": raw.UtilityRow,
    "works.csv": raw.WorkRow,
    "resources.csv": raw.ResourceRow,
    "aliases.csv": raw.AliasRow,
    "places.csv": raw.PlaceRow,
}
FEATURES: dict[str, type[msgspec.Struct]] = {
    "grids.geojson": raw.GridProperties,
    "special.geojson": raw_governance.SpecialProperties,
    "barriers.geojson": raw_governance.BarrierProperties,
    "drains.geojson": raw.DrainProperties,
    "lines.geojson": raw.LineProperties,
}
TOMLS: dict[str, type[msgspec.Struct]] = {
    "city.toml": raw.CityToml,
    "cameras/{device}.toml": raw.CameraToml,
}
LISTS: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "rules.toml": ("rule", raw.RuleTable),
    "responses.toml": ("response", raw_governance.ResponseTable),
    "patrols.toml": ("patrol", raw_governance.PatrolTable),
}
"""TOML files that are one list: file → (name of the list, a table of it)."""
IN: dict[str, Any] = {
    "gridsentry/v1/feed/{district}/{device}/telemetry": Message | list[Message],
    "gridsentry/v1/feed/{district}/{device}/status": StatusMessage,
    "gridsentry/v1/feed/{district}/{device}/report": ReportMessage,
    "gridsentry/v1/worker/{worker}/position": PositionMessage,
}
OUT: dict[str, Any] = {"event": Event, "incident": Incident, "ticket": Ticket}


def schemas() -> dict[str, Any]:
    """One document: `city` by file, `in` by topic, `out` by type, `recording` for one line.

    Tables (CSV) are arrays of rows after reading: empty cells left out, numbers as numbers, cells
    of list columns split at `;`. Every part refers to the document's `$defs`.
    """
    groups: dict[str, dict[str, Any]] = {
        "city": {**TOMLS, **TABLES, **FEATURES, **{name: row for name, (_, row) in LISTS.items()}},
        "in": IN,
        "out": OUT,
        "recording": {"line": Line},
    }
    types = [hint for group in groups.values() for hint in group.values()]
    made, defs = msgspec.json.schema_components(types, ref_template=REF)
    found = iter(made)
    document: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    for group, names in groups.items():
        document[group] = {name: _shaped(name, next(found)) for name in names}
    document["$defs"] = defs
    return document


def _shaped(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the whole file, where `schema` is that of a row, rule or feature."""
    if name in TABLES:
        return {"type": "array", "items": schema}
    if name in LISTS:
        return _object({LISTS[name][0]: {"type": "array", "items": schema}}, [])
    if name in FEATURES:
        feature = _object(
            {
                "type": {"const": "Feature"},
                "id": {"type": ["string", "integer"]},
                "geometry": {"type": ["object", "null"]},
                "properties": schema,
            },
            ["type", "geometry", "properties"],
        )
        return _object(
            {
                "type": {"const": "FeatureCollection"},
                "crs": {},
                "features": {"type": "array", "items": feature},
            },
            ["type", "features"],
        )
    return schema


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}
