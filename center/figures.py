"""`/api/v1/figures`: the field's rates and times over a period, for a page or a spreadsheet.

What is counted and how is the router's (`contracts.ports.Tally`).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from center.context import Context
from center.feeds.csvtext import MARK, line
from center.guard import Caller
from center.problems import Problem, json_response
from center.query import one_of, parse_time
from contracts.clock import iso
from contracts.kinds import NAMES
from contracts.ports import Tally

QUERY = ("by", "since", "until")
GROUPS = ("utility", "grid", "kind", "worker", "district")
PERIOD = timedelta(days=30)
TIMES = ("first_response", "disposal", "recovery")
COLUMNS = {
    "reported": "上报数 reported",
    "filed": "立案数 filed",
    "filing_rate": "立案率 filing_rate",
    "due": "应结案数 due",
    "deferred": "缓办数 deferred",
    "closed": "结案数 closed",
    "closing_rate": "结案率 closing_rate",
    "on_time": "按期结案数 on_time",
    "on_time_rate": "按期结案率 on_time_rate",
    "disposed_on_time_rate": "按期处置率 disposed_on_time_rate",
    "not_done": "巡查未完成数 not_done",
    "rework_rate": "返工率 rework_rate",
    "return_rate": "回退率 return_rate",
    "first_response": "平均响应(秒) first_response_s",
    "disposal": "平均处置(秒) disposal_s",
    "recovery": "平均恢复(秒) recovery_s",
    "satisfaction": "满意度 satisfaction",
    "satisfied_rate": "满意率 satisfied_rate",
    "score": "网格评分 score",
}
TOTAL = "合计 total"


async def table(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/figures`."""
    by, since, until, lines, total = await _figures(context, caller, request)
    items = [
        {"id": id_, "name": _name(context, by, id_), "figures": figures}
        for id_, figures in lines.items()
    ]
    return json_response(
        {"by": by, "since": iso(since), "until": iso(until), "items": items, "total": total}
    )


async def sheet(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/figures.csv`: as a spreadsheet opens it."""
    by, since, until, lines, total = await _figures(context, caller, request)
    rows = [(id_, _name(context, by, id_), figures) for id_, figures in lines.items()]
    body = MARK + line([by, "名称 name", *COLUMNS.values()])
    for id_, name, figures in (*rows, (TOTAL, "", total)):
        body += line([id_, name, *(_cell(key, figures[key]) for key in COLUMNS)])
    name = f"figures-{by}-{since:%Y%m%d}-{until:%Y%m%d}.csv"
    return web.Response(
        body=body,
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


async def _figures(
    context: Context, caller: Caller, request: web.Request
) -> tuple[str, datetime, datetime, dict[str, dict[str, Any]], dict[str, Any]]:
    by = request.query.get("by", GROUPS[0])
    one_of(by, GROUPS, "by")
    tally, since, until = await counted(context, request)
    lines, total = await asyncio.to_thread(
        lambda: (tally.table(by, since, until), tally.total(since, until))
    )
    if by == "worker":  # how somebody does their work is about a person
        await context.desk.log_access(caller.name, "figures by worker", context.clock.now())
    return by, since, until, lines, total


def period(context: Context, request: web.Request) -> tuple[datetime, datetime]:
    """The period [since, until) that is asked about: the last 30 days where nothing is said.
    Raises Problem 400."""
    given = request.query
    until = parse_time(given["until"], "until") if "until" in given else context.clock.now()
    begin = until - PERIOD if until - datetime.min.replace(tzinfo=UTC) > PERIOD else until
    since = parse_time(given["since"], "since") if "since" in given else begin
    if since >= until:
        raise Problem(400, "bad_period", "since must lie before until", path="since")
    return since, until


async def counted(context: Context, request: web.Request) -> tuple[Tally, datetime, datetime]:
    """The tickets of the period that is asked about, counted. Raises Problem 400, 503."""
    since, until = period(context, request)
    if context.counts is None:
        raise Problem(503, "no_figures", "this center was started without a counter of figures")
    asked = (request.query.get("since", ""), request.query.get("until", ""))
    return await context.counts.of(asked, since, until)


def _name(context: Context, by: str, id_: str) -> str:
    city = context.city
    if by == "kind":
        own = city.profile.kinds.get(id_)
        return (own and own.name_zh) or NAMES.get(id_, (id_, id_))[0]
    named: Any = None
    if by == "grid":
        named = next((grid for grid in city.grids if grid.id == id_), None)
    elif by in ("utility", "worker"):
        named = (city.utilities if by == "utility" else city.workers).get(id_)
    return id_ if named is None else str(named.name)


def _cell(key: str, value: Any) -> object:
    if key in TIMES:
        value = value["mean"]
        return None if value is None else round(value, 1)
    return round(value, 4) if isinstance(value, float) else value
