"""`/api/v1/analysis/…`: how it goes over time, what happens again, how often alarms are right."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from center.context import Context
from center.feeds.csvtext import MARK, line
from center.figures import COLUMNS, TIMES, counted, period
from center.guard import Caller
from center.pages.analysis.words import Names
from center.problems import Problem, json_response
from center.query import one_of
from contracts.annals import Judged
from contracts.clock import iso
from contracts.kinds import KINDS

PERIOD = ("since", "until")
STEPS = ("hour", "day", "week", "month")
POINTS_MOST = 400
"""Points of one curve: a year by day, half a month by hour."""
SPOTS = 100
Z = 1.959964
"""95 % of a normal distribution lie within so many standard deviations."""


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's score: honest for few and for none.

    E. B. Wilson, JASA 22 (1927) 209; for n = 0 it is everything.
    """
    if n == 0:
        return 0.0, 1.0
    p, z2 = hits / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def edges(since: datetime, until: datetime, step: str, zone: ZoneInfo) -> list[datetime]:
    """[since, until) cut at the hours, days, weeks (Mondays) or months of that zone: ascending,
    `since` first and `until` last, as UTC offsets of the zone."""
    found = [since]
    at = since.astimezone(zone)
    at = at.replace(minute=0, second=0, microsecond=0)
    if step != "hour":
        at = at.replace(hour=0)
    if step == "week":
        at -= timedelta(days=at.weekday())
    if step == "month":
        at = at.replace(day=1)
    while True:
        at = _next(at, step)
        if at.timestamp() >= until.timestamp():
            return [*found, until]
        if at.timestamp() > found[-1].timestamp():
            found.append(at)


def _next(at: datetime, step: str) -> datetime:
    if step == "hour":  # an hour later by the sun: twice or never where clocks are put back or on
        return (at.astimezone(ZoneInfo("UTC")) + timedelta(hours=1)).astimezone(at.tzinfo)
    if step == "month":
        return at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)
    return at + timedelta(days=7 if step == "week" else 1)


def usual_step(since: datetime, until: datetime) -> str:
    """By the hour for two days, by the day for a season, by the week for a year."""
    days = (until - since) / timedelta(days=1)
    return "hour" if days <= 2.1 else "day" if days <= 93 else "week" if days <= 400 else "month"


async def series(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/analysis/series`: the figures of each hour, day, week or month."""
    since, until = period(context, request)
    step = request.query.get("step", usual_step(since, until))
    one_of(step, STEPS, "step")
    longest = timedelta(hours=1) if step == "hour" else timedelta(days=1)
    if (until - since) / longest > POINTS_MOST:
        raise Problem(
            400, "bad_period", f"more than {POINTS_MOST} points; take a longer step"
            " / 时段过长，请选择更大的时间单位", path="step",
        )  # fmt: skip
    tally, since, until = await counted(context, request)
    cuts = edges(since, until, step, ZoneInfo(context.city.timezone))
    found = await asyncio.to_thread(tally.series, cuts)
    items = [
        {"since": iso(a), "until": iso(b), "figures": figures}
        for a, b, figures in zip(cuts[:-1], cuts[1:], found, strict=True)
    ]
    if _as_csv(request):
        rows = [[item["since"], *_cells(item["figures"])] for item in items]
        return table("series", since, until, ["时间 since", *COLUMNS.values()], rows)
    return json_response({"step": step, "since": iso(since), "until": iso(until), "items": items})


async def ratings(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/analysis/ratings`: what each grid thinks of each department's work."""
    tally, since, until = await counted(context, request)
    found = await asyncio.to_thread(tally.ratings, since, until)
    names = _names(context)
    items = [
        {
            **one,
            "utility_name": _utility(context, one["utility"]),
            "grid_name": names.grid(one["grid"]),
        }
        for one in found
        if caller.grids is None or one["grid"] in caller.grids
    ]
    if _as_csv(request):
        keys = ("utility", "utility_name", "grid", "grid_name", "n", "score", "satisfaction")
        head = [
            "部门 utility",
            "名称",
            "网格 grid",
            "名称",
            "评价数 n",
            "均分 score",
            "满意度 satisfaction",
        ]
        return table("ratings", since, until, head, [[one[key] for key in keys] for one in items])
    return json_response({"since": iso(since), "until": iso(until), "items": items})


async def spots(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/analysis/spots`: where the same happened again and again, the worst first."""
    since, until = period(context, request)
    kind = request.query.get("kind")
    if kind is not None:
        one_of(kind, KINDS, "kind")
    annals = context.desk.annals
    found = await annals.spots(since, until, kind=kind, grids=caller.grids, limit=SPOTS)
    tickets = await annals.tickets_of(id_ for spot in found for id_ in spot.newest)
    names, items = _names(context), []
    for spot in found:
        zh, en = names.spot(spot)
        items.append(
            {
                **msgspec.to_builtins(spot),
                "first_at": iso(spot.first_at),
                "last_at": iso(spot.last_at),
                "zh": zh,
                "en": en,
                "grid_name": names.grid(spot.grid),
                "tickets": [tickets[id_] for id_ in spot.newest if id_ in tickets],
            }
        )
    if _as_csv(request):
        keys = ("kind", "spot", "zh", "grid_name", "incidents", "first_at", "last_at", "lon", "lat")
        head = [
            "类别 kind", "位置 spot", "名称", "网格 grid", "次数 incidents", "首次 first",
            "最近 last", "lon", "lat",
        ]  # fmt: skip
        return table("spots", since, until, head, [[one[key] for key in keys] for one in items])
    return json_response({"since": iso(since), "until": iso(until), "items": items})


async def detectors(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/analysis/detectors`: how often alarms are right, by kind and by device."""
    since, until = period(context, request)
    judged = await context.desk.annals.judged(since, until)
    if caller.grids is not None:
        where, theirs = await asyncio.to_thread(lambda: context.lands.devices), caller.grids
        judged = [one for one in judged if where.get(one.device) in theirs]
    kinds: dict[str, list[Judged]] = {}
    for one in judged:
        kinds.setdefault(one.kind, []).append(one)
    items = [_right(_sum(kind, lines)) for kind, lines in kinds.items()]
    devices = [_right(one) for one in judged]
    devices.sort(key=lambda one: (-one["said_false"], -one["alarms"], one["kind"], one["device"]))
    if _as_csv(request):
        head = [
            "类别 kind", "设备 device", "报警 alarms", "确认属实 said_true", "误报 said_false",
            "处置完毕 worked", "未判 unjudged", "漏报 missed", "准确率 precision", "下限 low",
            "上限 high",
        ]  # fmt: skip
        keys = (
            "kind", "device", "alarms", "said_true", "said_false", "worked", "unjudged", "missed",
            "precision", "low", "high",
        )  # fmt: skip
        rows = [[one[key] for key in keys] for one in (*items, *devices)]
        return table("detectors", since, until, head, rows)
    return json_response(
        {"since": iso(since), "until": iso(until), "items": items, "devices": devices[:2000]}
    )


def _sum(kind: str, lines: Sequence[Judged]) -> Judged:
    def total(of: Callable[[Judged], int]) -> int:
        return sum(map(of, lines))

    return Judged(
        kind=kind,
        device="",
        alarms=total(lambda one: one.alarms),
        said_true=total(lambda one: one.said_true),
        said_false=total(lambda one: one.said_false),
        worked=total(lambda one: one.worked),
        missed=total(lambda one: one.missed),
    )


def _right(one: Judged) -> dict[str, Any]:
    """With how often an alarm was right, of those that anybody judged, and its interval."""
    right, wrong = one.said_true + one.worked, one.said_false
    low, high = wilson(right, right + wrong)
    return {
        **msgspec.to_builtins(one),
        "unjudged": one.alarms - right - wrong,
        "precision": right / (right + wrong) if right + wrong else None,
        "low": low,
        "high": high,
    }


def table(
    name: str, since: datetime, until: datetime, head: list[str], rows: list[list[Any]]
) -> web.Response:
    """The rows as a spreadsheet opens them."""
    body = MARK + line(head)
    for row in rows:
        body += line([round(c, 4) if isinstance(c, float) and c < 90 else c for c in row])
    return web.Response(
        body=body,
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": "attachment; "
            f'filename="{name}-{since:%Y%m%d}-{until:%Y%m%d}.csv"',
            "Cache-Control": "no-store",
        },
    )


def _cells(figures: Any) -> list[Any]:
    return [figures[key]["mean"] if key in TIMES else figures[key] for key in COLUMNS]


def _as_csv(request: web.Request) -> bool:
    return request.path.endswith(".csv")


def _utility(context: Context, id_: str) -> str:
    known = context.city.utilities.get(id_)
    return id_ if known is None else known.name


_made: list[tuple[Any, Names]] = []


def _names(context: Context) -> Names:
    """Of the city that is shown now; made once."""
    if not _made or _made[0][0] is not context.city:
        _made[:] = [(context.city, Names(context.city))]
    return _made[0][1]
