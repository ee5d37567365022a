"""The OpenAPI 3.1 document, generated from the table of routes and the nouns' JSON schemas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from center.route import Route
from center.shapes import Error
from contracts.case import Incident, Ticket
from contracts.event import Event
from contracts.kinds import KINDS, STAGES
from contracts.loop import PHOTOS

REF = "#/components/schemas/{name}"

PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "after": ("Cursor: `next` of the page before.", {"type": "string"}),
    "limit": ("Items on the page.", {"type": "integer", "minimum": 1}),
    "kind": (
        "Kind of incident, such as " + ", ".join(KINDS[:3]) + " (devices: their type; dead"
        " letters: their code; stream and Open311: several, comma-separated).",
        {"type": "string"},
    ),
    "stage": ("Stage of the ticket.", {"type": "string", "enum": list(STAGES)}),
    "grid": (
        "Id of a grid: listings of tickets, incidents and events take exactly this grid, workers"
        " and the stream also everything inside it.",
        {"type": "string"},
    ),
    "severity": (
        "At least this one: 1 minor to 5 extreme.",
        {"type": "integer", "minimum": 1, "maximum": 5},
    ),
    "utility": ("Id of the responsible utility.", {"type": "string"}),
    "severities": ("Exactly these, comma-separated.", {"type": "string"}),
    "inside": ("Id of a grid, with everything inside it.", {"type": "string"}),
    "open": ("`1`: only tickets that are not finished.", {"type": "string", "enum": ["1"]}),
    "show": (
        "`overdue`: whose clock has run out; `unacknowledged`: nobody has taken or acknowledged"
        " it.",
        {"type": "string", "enum": ["overdue", "unacknowledged", "mine"]},
    ),
    "q": ("Words that stand in its id, place, grid, people or reason.", {"type": "string"}),
    "grids": ("Ids of grids, comma-separated.", {"type": "string"}),
    "workers": ("Ids of workers, comma-separated.", {"type": "string"}),
    "device": ("Id of a device.", {"type": "string"}),
    "metric": ("Name of a metric.", {"type": "string"}),
    "since": ("From this time on: ISO 8601 with zone, or epoch ms.", {"type": "string"}),
    "until": ("Before this time.", {"type": "string"}),
    "resolution": (
        "Readings themselves, or rolled up; `auto`: the finest with at most `points`.",
        {"type": "string", "enum": ["auto", "raw", "1m", "15m", "1h", "1d"]},
    ),
    "first": ("Only so many, the first of the order.", {"type": "integer", "minimum": 1}),
    "points": ("Points of each line at most.", {"type": "integer", "minimum": 1}),
    "format": ("Form of the answer.", {"type": "string", "enum": ["json", "csv", "arrow"]}),
    "last_event_id": ("As the header Last-Event-ID.", {"type": "string"}),
    "from": ("`oldest`: begin with the oldest change still kept.", {"type": "string"}),
    "type": ("`ticket`, `incident`, `event`, `silence`; several by comma.", {"type": "string"}),
    "worker": ("Whom to act as, where the center is open to this machine.", {"type": "string"}),
    "exp": ("When the signed link ends, epoch seconds.", {"type": "string"}),
    "sig": ("The link's signature.", {"type": "string"}),
    "api_key": ("The bearer token, as Open311 sends it.", {"type": "string"}),
    "jurisdiction_id": ("The city's id.", {"type": "string"}),
    "service_request_id": ("Ids of requests, comma-separated.", {"type": "string"}),
    "service_code": ("Kinds, comma-separated.", {"type": "string"}),
    "start_date": ("Requested at or after, ISO 8601.", {"type": "string"}),
    "end_date": ("Requested before, ISO 8601.", {"type": "string"}),
    "status": ("`open` or `closed`.", {"type": "string", "enum": ["open", "closed"]}),
    "by": ("Who asks: a person's name; the token's where it is left out.", {"type": "string"}),
    "reason": ("Why.", {"type": "string"}),
    "name": ("What a photograph shows.", {"type": "string", "enum": list(PHOTOS)}),
    "width": ("Width of the picture in px, 320 to 2000.", {"type": "integer"}),
    "lang": ("Language of its words.", {"type": "string", "enum": ["zh", "en"]}),
    "bbox": ("A box: `west,south,east,north` in degrees.", {"type": "string"}),
    "zoom": ("Zoom of a web map, 0 to 24; together with `bbox`.", {"type": "number"}),
    "ids": ("Ids, comma-separated.", {"type": "string"}),
    "rev": ("The revision that the reader has.", {"type": "integer", "minimum": 0}),
    "step": (
        "Length of each period; what suits the whole where it is left out.",
        {"type": "string", "enum": ["hour", "day", "week", "month"]},
    ),
    "events": ("Ids of events, comma-separated, 20 at most.", {"type": "string"}),
    "all": ("`1`: also what was taken back.", {"type": "string", "enum": ["0", "1"]}),
    "state": ("How it stands.", {"type": "string"}),
    "near": ("`lon,lat` in degrees: the nearest first.", {"type": "string"}),
    "what": ("Sort of resource, such as `pump`.", {"type": "string"}),
    "next": ("Path within this center to go on to.", {"type": "string"}),
    "before": ("Entries numbered below this: `next` of the page before.", {"type": "integer"}),
    "account": ("Id of an account.", {"type": "string"}),
    "action": ("One word of the audit log, such as `login`.", {"type": "string"}),
    "only": ("Id of the one session.", {"type": "string"}),
    "$top": ("SensorThings: entities on the page, 1000 at most.", {"type": "integer"}),
    "$skip": ("SensorThings: entities left out first.", {"type": "integer"}),
    "$count": ("SensorThings: tell `@iot.count`.", {"type": "string", "enum": ["true", "false"]}),
    "$orderby": (
        "SensorThings: `name desc`; Observations of one Datastream by `phenomenonTime`.",
        {"type": "string"},
    ),
    "$select": ("SensorThings: properties, comma-separated.", {"type": "string"}),
    "$expand": (
        "SensorThings: `Datastreams($top=5;$expand=Observations($top=1))`.",
        {"type": "string"},
    ),
    "$filter": (
        "SensorThings: `phenomenonTime ge 2026-01-31T08:00:00Z and result gt 0.3`,"
        " `properties/type eq 'water_level'`.",
        {"type": "string"},
    ),
    "$skiptoken": (
        "SensorThings: where the page before ended (`@iot.nextLink`).",
        {"type": "string"},
    ),
    "$resultFormat": ("SensorThings: not offered (501).", {"type": "string"}),
    **{
        name: ("What an OpenID provider sends back.", {"type": "string"})
        for name in ("code", "error", "error_description", "error_uri", "iss", "session_state")
    },
    "figures.by": (
        "One line for each of these.",
        {"type": "string", "enum": ["grid", "kind", "utility", "worker", "district"]},
    ),
    "figures.since": ("Begin of the period; 30 days before its end.", {"type": "string"}),
    "figures.until": ("End of the period, not included; now.", {"type": "string"}),
}
"""By name; `NAME OF A GROUP OF ROUTES.name` where it means something else there."""


def document(table: Sequence[Route], version: str) -> dict[str, Any]:
    """The document for this table."""
    nouns: list[Any] = [Error, Ticket, Incident, Event]
    for route in table:
        nouns += [t for t in (route.body, *route.answers.values()) if _noun(t)]
        nouns += [t for a in route.answers.values() if isinstance(a, tuple) for t in a if _noun(t)]
    unique = list(dict.fromkeys(nouns))
    _, components = msgspec.json.schema_components(unique, ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gridsentry",
            "version": version,
            "description": "Incidents and grid tickets, live. Writes and evidence need a bearer "
            "token or a session when any token or account is there; without one personal data are "
            "withheld (null), and with accounts the case work is. Accounts see their part of the "
            "city only.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "gridsentry",
                    "description": "From `/api/v1/login`; writes send `X-CSRF-Token` of"
                    " `/api/v1/me` along.",
                },
            },
        },
        "security": [{}, {"bearer": []}, {"session": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"\{(\w+)\}", route.path)
        ]
        + [
            {"name": n, "in": "query", "description": said, "schema": schema}
            for n in route.query
            for said, schema in (_parameter(route, n),)
        ],
        "responses": {
            **{str(status): _answer(status, shape) for status, shape in route.answers.items()},
            "default": _answer(0, Error),
        },
    }
    if route.access not in ("open", "pass"):
        nobody: list[dict[str, Any]] = [{}] if route.access == "read" else []
        operation["security"] = [*nobody, {"bearer": []}, {"session": []}]
        operation["x-access"] = route.access
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {route.body_type: {"schema": _schema(route.body)}},
        }
    return operation


def _parameter(route: Route, name: str) -> tuple[str, dict[str, Any]]:
    own = f"{route.name.partition('-')[0]}.{name}"
    return PARAMETERS.get(own) or PARAMETERS[name]


def _answer(status: int, shape: Any) -> dict[str, Any]:
    meanings = {0: "Refused, with the reason.", 202: "Taken, not yet done.", 503: "Not ready."}
    media = shape if isinstance(shape, str) else "application/json"
    schema = {"type": "string"} if isinstance(shape, str) else _schema(shape)
    return {
        "description": meanings.get(status, "Done."),
        "content": {media: {"schema": schema}},
    }


def _schema(shape: Any) -> dict[str, Any]:
    if isinstance(shape, tuple) and shape[0] is list:
        items = _schema(shape[1] or dict)
        return {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": {"type": "array", "items": items},
                "next": {"type": ["string", "null"]},
            },
        }
    if isinstance(shape, tuple):
        return {"allOf": [_schema(part) for part in shape]}
    if shape is bytes:
        return {"type": "string", "format": "binary"}
    if shape is list:
        return {"type": "array", "items": {"type": "object"}}
    if _noun(shape):
        return {"$ref": REF.format(name=shape.__name__)}
    return {"type": "object"}


def _noun(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)
