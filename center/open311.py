"""Open311 GeoReport v2: kinds as services, tickets as service requests, a POST as a report."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from center.query import one_of, parse_time
from center.reads import found
from center.shapes import ReportBody
from center.writes import read_body, take_report
from contracts.kinds import KINDS, NAMES, OPEN_STAGES
from contracts.ports import Query

COMMON = ("jurisdiction_id", "api_key")
LIST = (*COMMON, "service_request_id", "service_code", "start_date", "end_date", "status")
MOST = 1_000
"""GeoReport's own limit of requests in one answer."""
REPORTED = tuple(k for k in KINDS if k not in ("sensor_silent", "sensor_faulty"))
"""Kinds a resident can report."""


class Form(msgspec.Struct, frozen=True):
    """The form fields of a new service request that are used here."""

    service_code: str
    lat: str
    long: str
    description: str
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None


async def services(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`services.json`."""
    return json_response(
        [
            {
                "service_code": kind,
                "service_name": _name(context, kind),
                "description": NAMES[kind][1],
                "metadata": False,
                "type": "realtime",
                "keywords": "",
                "group": "gridsentry",
            }
            for kind in REPORTED
        ]
    )


async def requests(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`requests.json`: newest first."""
    given = request.query
    if "service_request_id" in given:
        ids = given["service_request_id"].split(",")[:MOST]
        tickets = [t for t in [await context.desk.get("tickets", i) for i in ids] if t is not None]
        return json_response([_request(context, t) for t in tickets])
    codes = given["service_code"].split(",") if "service_code" in given else list(KINDS)
    for code in codes:
        one_of(code, KINDS, "service_code")
    status = given.get("status")
    if status is not None:
        one_of(status, ("open", "closed"), "status")
    query = Query(
        limit=context.settings.page_limit_max,
        kind=codes[0] if len(codes) == 1 else None,
        since=parse_time(given["start_date"], "start_date") if "start_date" in given else None,
        until=parse_time(given["end_date"], "end_date") if "end_date" in given else None,
    )
    shown: list[dict[str, Any]] = []
    while len(shown) < MOST:
        page = await context.desk.page("tickets", query)
        for ticket in page.items:
            item = _request(context, ticket)
            if ticket["kind"] in codes and status in (None, item["status"]):
                shown.append(item)
        if page.next is None:
            break
        query = msgspec.structs.replace(query, after=page.next)
    return json_response(shown[:MOST])


async def single(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`requests/{id}.json`."""
    ticket = await found(context.desk, "tickets", request.match_info["id"])
    return json_response([_request(context, ticket)])


async def file(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """POST `requests.json`: 201 with a token; the request's id is known once it is routed."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Problem(415, "not_form", "send Content-Type: application/x-www-form-urlencoded")
    form = _form(await read_body(request, context.settings.body_bytes))
    one_of(form.service_code, REPORTED, "service_code")
    try:
        lat, lon = float(form.lat), float(form.long)
    except ValueError:
        raise Problem(400, "bad_value", "lat and long are degrees", path="lat") from None
    who = " ".join(p for p in (form.first_name, form.last_name, form.phone) if p)
    body = ReportBody(
        text=form.description, lon=lon, lat=lat, kind=form.service_code, reporter=who or None
    )
    return json_response([{"token": await take_report(context, body)}], status=201)


def _form(data: bytes) -> Form:
    try:
        fields = parse_qs(data.decode(), max_num_fields=50, strict_parsing=bool(data))
        return msgspec.convert({k: v[0] for k, v in fields.items()}, Form)
    except msgspec.ValidationError as error:
        raise Problem(400, "bad_body", str(error)) from None
    except ValueError as error:
        raise Problem(400, "bad_form", f"the body is not a form: {error}") from None


def _name(context: Context, kind: str) -> str:
    own = context.city.profile.kinds.get(kind)
    return (own and own.name_zh) or NAMES[kind][0]


def _request(context: Context, ticket: dict[str, Any]) -> dict[str, Any]:
    ticket = context.veil.redact(ticket)
    place = ticket.get("place") or {}
    utility = context.city.utilities.get(str(ticket.get("utility")))
    kind = str(ticket["kind"])
    deadlines = ticket.get("deadlines") or {}
    return {
        "service_request_id": ticket["id"],
        "status": "open" if ticket.get("stage") in OPEN_STAGES else "closed",
        "status_notes": ticket.get("stage"),
        "service_name": _name(context, kind),
        "service_code": kind,
        "description": None,
        "agency_responsible": utility.name if utility else None,
        "service_notice": None,
        "requested_datetime": ticket.get("opened_at"),
        "updated_datetime": ticket.get("updated_at"),
        "expected_datetime": deadlines.get("dispose"),
        "address": place.get("address"),
        "address_id": None,
        "zipcode": None,
        "lat": place.get("lat"),
        "long": place.get("lon"),
        "media_url": None,
    }
