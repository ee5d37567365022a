"""Tickets for other systems: GeoJSON, CSV, and JSON by mapping."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from center.context import Context
from center.feeds import shown
from center.feeds.csvtext import MARK, line
from center.guard import Caller
from center.problems import Problem, json_response
from center.query import parse
from center.reads import dossier, found, open_tickets
from center.said import apart, kind_names
from contracts.kinds import NAMES, OPEN_STAGES
from contracts.loop import STAGE_NAMES
from contracts.ports import Query

COLUMNS = (
    *("工单号 ticket", "类别 kind", "代码 code", "等级 severity", "阶段 stage", "网格 grid"),
    *("地点 address", "经度 lon", "纬度 lat", "网格员 worker", "责任单位 utility"),
    *("立案 opened", "接单 accepted", "到场 arrived", "处置 disposed", "核实 verified"),
    *("结案 closed", "处置时限 due", "按期 on_time", "返工 reworks", "回退 returns"),
    *("主工单 parent", "事件 incident"),
)
UNDONE = frozenset(
    {"detected", "filed", "dispatched", "accepted", "arrived", "returned", "reworked"}
)
"""Stages in which the clock to dispose of it runs, or has yet to begin."""
CSV_MOST = 100_000
"""Rows of one export."""


async def geojson(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`/feeds/tickets.geojson`: open tickets as points, without personal data."""
    features = [
        {
            "type": "Feature",
            "id": ticket["id"],
            "geometry": {
                "type": "Point",
                "coordinates": [ticket["place"]["lon"], ticket["place"]["lat"]],
            },
            "properties": {
                name: context.veil.redact(ticket.get(name))
                for name in ("kind", "code", "severity", "stage", "grid", "utility", "parent",
                             "opened_at", "updated_at", "deadlines")
            } | {"address": context.veil.redact(ticket["place"].get("address"))},
        }
        async for ticket in open_tickets(context)
        if ticket.get("place")
    ]  # fmt: skip
    return json_response({"type": "FeatureCollection", "features": features})


async def table(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`/api/v1/tickets.csv`: the listing's filters, all pages, as a spreadsheet opens it."""
    query = parse("tickets", request, context.settings)
    query.limit = context.settings.page_limit_max
    keep = shown.keeps(context, caller, request)
    only_open = "open" in request.query and query.stage is None
    name = f"tickets-{context.clock.now():%Y%m%d-%H%M}.csv"
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
    )
    now = context.clock.now()
    await context.desk.log_access(caller.name, "tickets.csv", now)
    await response.prepare(request)
    await response.write(MARK + line(COLUMNS))
    for stage in sorted(OPEN_STAGES) if only_open else (query.stage,):
        async for ticket in _all(context, msgspec.structs.replace(query, stage=stage)):
            if keep(ticket):
                await response.write(line(_row(context, ticket)))
    await response.write_eof()
    return response


async def _all(context: Context, query: Query) -> AsyncIterator[dict[str, Any]]:
    count = 0
    while count < CSV_MOST:
        page = await context.desk.page("tickets", query)
        for ticket in page.items:
            yield ticket
        count += len(page.items)
        if page.next is None:
            return
        query.after = page.next


def _row(context: Context, ticket: dict[str, Any]) -> list[object]:
    zone = ZoneInfo(context.city.timezone)
    seen: dict[str, Any] = context.veil.redact(ticket)
    first: dict[str, str] = {}
    last: dict[str, str] = {}  # after a rework only the last one counts
    counts: dict[str, int] = {}
    for step in ticket.get("timeline") or ():
        first.setdefault(step["change"], step["at"])
        last[step["change"]] = step["at"]
        counts[step["change"]] = counts.get(step["change"], 0) + 1
    place, due = seen.get("place") or {}, (ticket.get("deadlines") or {}).get("dispose")
    on_time = _on_time(ticket, due, last.get("disposed"), context.clock.now())
    worker = context.city.workers.get(str(ticket.get("worker")))
    utility = context.city.utilities.get(str(ticket.get("utility")))
    kind = str(ticket["kind"])

    def local(moment: str | None) -> str:
        if moment is None:
            return ""
        return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M:%S}"

    return [
        ticket["id"],
        f"{NAMES.get(kind, (kind, kind))[0]} {kind}",
        ticket.get("code"),
        ticket.get("severity"),
        f"{_stage_zh(ticket)} {ticket.get('stage')}",
        ticket.get("grid"),
        place.get("address"),
        place.get("lon"),
        place.get("lat"),
        worker.name if worker else ticket.get("worker"),
        utility.name if utility else ticket.get("utility"),
        local(ticket.get("opened_at")),
        *(local(first.get(s)) for s in ("accepted", "arrived")),
        *(local(last.get(s)) for s in ("disposed", "verified", "closed")),
        local(due),
        on_time,
        counts.get("reworked", 0),
        counts.get("returned", 0),
        ticket.get("parent"),
        ticket.get("incident"),
    ]


def _on_time(ticket: dict[str, Any], due: str | None, disposed: str | None, now: datetime) -> str:
    """Whether it was disposed of in time, over every rework; empty while that is open."""
    if due is None or ticket.get("stage") in ("suspended", "void"):
        return ""
    limit = datetime.fromisoformat(due)
    clock = (ticket.get("reason") or {}).get("clocks", {}).get("dispose") or {}
    if ticket.get("stage") in UNDONE:
        return "否 no" if clock.get("late") or now > limit else ""
    if disposed is None:
        return ""
    late = bool(clock["late"]) if "late" in clock else datetime.fromisoformat(disposed) > limit
    return "否 no" if late else "是 yes"


# --- JSON by mapping ---------------------------------------------------------------------------


async def mapped_list(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`/feeds/{mapping}/tickets.json`: open tickets in another system's shape."""
    mapping = _mapping(context, request)
    items = [mapping.of(await _full(context, ticket)) async for ticket in open_tickets(context)]
    await context.desk.log_access(caller.name, f"feeds/{mapping.name}", context.clock.now())
    return json_response(items)


async def mapped(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`/feeds/{mapping}/tickets/{id}.json`: one ticket in another system's shape."""
    mapping = _mapping(context, request)
    ticket = await found(context.desk, "tickets", request.match_info["id"])
    await context.desk.log_access(caller.name, f"tickets/{ticket['id']}", context.clock.now())
    return json_response(mapping.of(await _full(context, ticket)))


def _mapping(context: Context, request: web.Request) -> Any:
    name = request.match_info["mapping"]
    mapping = context.mappings.get(name)
    if mapping is None:
        known = ", ".join(context.mappings)
        raise Problem(404, "not_found", f"there is no mapping {name[:64]!r}; known: {known}")
    return mapping


def _stage_zh(ticket: dict[str, Any]) -> str:
    """As the field's systems call the step: 派遣, not 已派遣."""
    return STAGE_NAMES.get(str(ticket.get("stage")), ("", ""))[0].removeprefix("已")


async def _full(context: Context, ticket: dict[str, Any]) -> dict[str, Any]:
    """The dossier with the names that a mapping may ask for."""
    full = await dossier(context.desk, ticket, context.signer, absolute=True)
    return {**full, **names(full, context)}


def names(full: dict[str, Any], context: Context) -> dict[str, Any]:
    """What people call things, beside the dossier's own fields."""
    zh, en = kind_names(context.city, str(full.get("kind")))
    worker = context.city.workers.get(str(full.get("worker")))
    utility = context.city.utilities.get(str(full.get("utility")))
    reason_zh, reason_en = apart((full.get("incident_detail") or {}).get("reason"))
    links = [event.get("links") or {} for event in full.get("events") or ()]
    reporters = [
        (event.get("evidence") or {}).get("reporter") for event in full.get("events") or ()
    ]
    ended = [s["at"] for s in full.get("timeline") or () if s["change"] in ("closed", "void")]
    return {
        "kind_zh": zh,
        "kind_en": en,
        "stage_zh": _stage_zh(full),
        "worker_name": worker.name if worker else None,
        "utility_name": utility.name if utility else None,
        "reason_zh": reason_zh,
        "reason_en": reason_en,
        "images": [link[k] for link in links for k in ("still", "photo") if k in link],
        "videos": [link["clip"] for link in links if "clip" in link],
        "reporter": next((r for r in reporters if r), None),
        "closed_at": ended[-1] if ended else None,
    }
