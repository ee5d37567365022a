"""Open311 GeoReport v2: kinds as services, tickets as service requests, a POST as a report.

Every answer as JSON and as XML (wiki.open311.org/GeoReport_v2). A posted report is answered with a
token; the request's id is known once it is routed, and found by that token.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from center.query import one_of, parse_time
from center.reads import every, found
from center.said import kind_names, xml_text
from center.shapes import ReportBody
from center.writes import read_body, take_report
from contracts.kinds import NAMES, OPEN_STAGES, PUBLIC_KINDS, STAGES
from contracts.ports import Query

COMMON = ("jurisdiction_id", "api_key")
LIST = (*COMMON, "service_request_id", "service_code", "start_date", "end_date", "status")
MOST = 1_000
"""GeoReport's own limit of requests in one answer."""
STATUS: dict[str | None, list[str | None]] = {
    None: [None],
    "open": [*sorted(OPEN_STAGES)],
    "closed": [*sorted(set(STAGES) - OPEN_STAGES)],
}
"""By GeoReport's status: stages; None: any."""
REPORTED = tuple(k for k in PUBLIC_KINDS if k not in ("sensor_silent", "sensor_faulty"))
"""Kinds a resident can report."""


TOKEN = re.compile(r"e-[0-9a-f]{20}")


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
    """`services`: what can be reported."""
    return answer(request, "services", "service", [_service(context, kind) for kind in REPORTED])


async def definition(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`services/{code}`: which further fields a report of it needs: none."""
    code = request.match_info["code"]
    if code not in REPORTED:
        raise Problem(404, "not_found", f"there is no service {code[:64]!r}")
    told = {"service_code": code, "attributes": []}
    return answer(request, "service_definition", "attribute", told)


def _service(context: Context, kind: str) -> dict[str, Any]:
    return {
        "service_code": kind,
        "service_name": kind_names(context.city, kind)[0],
        "description": NAMES[kind][1],
        "metadata": False,
        "type": "realtime",
        "keywords": "",
        "group": "gridsentry",
    }


async def requests(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`requests.json`: newest first."""
    given = request.query
    if "service_request_id" in given:
        ids = given["service_request_id"].split(",")[:MOST]
        tickets = [await context.desk.get("tickets", i) for i in ids]
        return _requests(request, [_request(context, t) for t in tickets if t and _public(t)])
    codes = given["service_code"].split(",") if "service_code" in given else list(PUBLIC_KINDS)
    for code in codes:
        one_of(code, PUBLIC_KINDS, "service_code")
    status = given.get("status")
    if status is not None:
        one_of(status, ("open", "closed"), "status")
    query = Query(
        limit=context.settings.page_limit_max,
        since=parse_time(given["start_date"], "start_date") if "start_date" in given else None,
        until=parse_time(given["end_date"], "end_date") if "end_date" in given else None,
    )
    # Each stage and kind is a query of its own: what is not asked for is not read.
    right: dict[str, dict[str, Any]] = {}
    for kind, stage in product(codes if "service_code" in given else [None], STATUS[status]):
        asked = msgspec.structs.replace(query, kind=kind, stage=stage)
        right |= {ticket["id"]: ticket for ticket in await _newest(context, asked)}
    newest = sorted(right.values(), key=lambda t: (str(t["opened_at"]), str(t["id"])), reverse=True)
    return _requests(request, [_request(context, ticket) for ticket in newest[:MOST]])


async def _newest(context: Context, query: Query) -> list[dict[str, Any]]:
    """The newest requests of a query, MOST of them."""
    found: list[dict[str, Any]] = []
    async for ticket in every(context.desk, query):
        if _public(ticket):
            found.append(ticket)
            if len(found) >= MOST:
                break
    return found


def _public(ticket: dict[str, Any]) -> bool:
    """A utility's part of a request is no request of its own, and our own rounds are none."""
    return not ticket.get("parent") and ticket["kind"] in PUBLIC_KINDS


async def single(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`requests/{id}.json`."""
    id_ = request.match_info["id"]
    ticket = await found(context.desk, "tickets", id_)
    if not _public(ticket):
        raise Problem(404, "not_found", f"there is no request {id_!r}")
    return _requests(request, [_request(context, ticket)])


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
    taken = await take_report(context, body)
    return answer(request, "service_requests", "request", [{"token": taken.event}], status=201)


async def token(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`tokens/{token}`: the request that a posted report became, once there is one."""
    event = request.match_info["token"]
    tickets = await context.desk.tickets_of_event(event)
    known = tickets or await context.desk.get("events", event)
    if not known and not TOKEN.fullmatch(event):
        raise Problem(404, "not_found", "that is no token of ours")
    found_id = tickets[0]["id"] if tickets else None
    told = [{"token": event, "service_request_id": found_id}]
    return answer(request, "service_requests", "request", told)


def _requests(request: web.Request, items: list[dict[str, Any]]) -> web.Response:
    return answer(request, "service_requests", "request", items)


def answer(
    request: web.Request, root: str, entry: str, body: Any, *, status: int = 200
) -> web.Response:
    """The body as JSON, or as XML where the path says so."""
    if not request.path.endswith(".xml"):
        return json_response(body, status=status)
    return web.Response(
        body=as_xml(root, entry, body),
        status=status,
        content_type="text/xml",
        charset="utf-8",
        headers={"Cache-Control": "no-store"},
    )


def as_xml(root: str, entry: str, body: Any) -> bytes:
    """A list as `<root><entry>…`, an object as `<root>…`; lists inside have `entry` elements."""
    top = ET.Element(root)
    if isinstance(body, list):
        for item in body:
            _fill(ET.SubElement(top, entry), item, entry)
    else:
        _fill(top, body, entry)
    made: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return made


def _fill(element: ET.Element, item: dict[str, Any], entry: str) -> None:
    for name, value in item.items():
        child = ET.SubElement(element, name)
        if isinstance(value, list):
            for inner in value:
                _fill(ET.SubElement(child, entry), inner, entry)
        elif value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            child.text = xml_text(text)


def _form(data: bytes) -> Form:
    try:
        fields = parse_qs(data.decode(), max_num_fields=50, strict_parsing=bool(data))
        return msgspec.convert({k: v[0] for k, v in fields.items()}, Form)
    except msgspec.ValidationError as error:
        raise Problem(400, "bad_body", str(error)) from None
    except ValueError as error:
        raise Problem(400, "bad_form", f"the body is not a form: {error}") from None


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
        "service_name": kind_names(context.city, kind)[0],
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
