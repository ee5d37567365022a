"""`GET /api/v1/{tickets|incidents|events}/{id}/plot.svg`: the chart of a water or a line incident.

What it draws is what the store has: the readings around the event, those of the next sensors up-
and downstream in the city's drains, the nearest rain gauge, and what the event itself says; of a
line its map and the voltages of its monitors (`center.lineplot`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast

from aiohttp import web

from center import lineplot
from center.chart import Chart, Fan, Limit, Neighbour, draw
from center.context import Context
from center.guard import Caller
from center.linechart import draw_line
from center.neighbours import Drains
from center.problems import Problem
from center.reads import found
from center.sheet import Language, Points
from contracts.city import City
from contracts.clock import EPOCH, from_epoch_ms
from contracts.geo import distance_m
from contracts.ports import Desk, Query, What

PLOTTED: Final[tuple[What, ...]] = ("tickets", "incidents", "events")
WATER: Final = frozenset(
    {"flooding", "drain_blocked", "manhole_cover_displaced", "hydrant_no_pressure"}
)
POLES: Final = frozenset({"pole_tilt", "street_light_out"})
"""Kinds that have a chart of a reading; `sensor_faulty` has one where it tells of a reading."""
BEFORE: Final = timedelta(hours=3)
AFTER: Final = timedelta(hours=1)
MOST_SPAN: Final = timedelta(hours=24)
MOST_READINGS: Final = 6_000
PAGE: Final = 1_000
GAUGE_M: Final = 5_000.0
"""A rain gauge further away tells little of this street."""
METRICS: Final = {"drain_blocked": "level", "manhole_cover_displaced": "tilt",
                  "hydrant_no_pressure": "pressure", "pole_tilt": "tilt",
                  "street_light_out": "lamp_current"}  # fmt: skip
UNITS: Final = {
    "level": "m",
    "depth": "m",
    "tilt": "°",
    "pressure": "kPa",
    "flow": "m³/s",
    "lamp_current": "A",
    "lux": "lx",
}
WIDTHS: Final = (320, 2000)


async def plot(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """The chart; `width` in px, `lang` zh or en."""
    what = cast(What, request.path.split("/")[3])
    await found(context.desk, what, request.match_info["id"])  # within their part of the city
    return await drawn(context, what, request.match_info["id"], request.query)


async def drawn(
    context: Context, what: What, id_: str, query: Mapping[str, str]
) -> web.StreamResponse:
    """The chart of what whoever asks may see, as `query` wants it. Raises Problem 400, 404."""
    language, width = _asked(query)
    svg = await plotted(
        context.whole.desk, context.city, context.drains, what, id_,
        now=context.clock.now(), width=width, language=language,
    )  # fmt: skip
    return web.Response(
        text=svg,
        content_type="image/svg+xml",
        charset="utf-8",
        headers={"Cache-Control": "private, no-cache",
                 "Content-Security-Policy": "default-src 'none'; sandbox"},
    )  # fmt: skip


def _asked(query: Mapping[str, str]) -> tuple[Language, int]:
    language, text = query.get("lang", "zh"), query.get("width", "720")
    if language not in ("zh", "en"):
        raise Problem(400, "bad_value", f"{language[:40]!r}; allowed: zh, en", path="lang")
    width = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not WIDTHS[0] <= width <= WIDTHS[1]:
        told = f"{text[:40]!r}; allowed: {WIDTHS[0]} to {WIDTHS[1]} px"
        raise Problem(400, "bad_value", told, path="width")
    return cast(Language, language), width


async def plotted(
    desk: Desk,
    city: City,
    drains: Drains,
    what: What,
    id_: str,
    *,
    now: datetime,
    width: int = 720,
    language: Language = "zh",
) -> str:
    """The SVG of the newest event with a curve in this ticket, incident or event.

    Raises Problem 404 when there is no such thing, or nothing of it can be drawn.
    """
    for event in await _events(desk, what, id_):
        if event.get("kind") in lineplot.KINDS:
            line = await lineplot.line_chart(
                functools.partial(_readings, desk), city, event, now, language
            )
            if line is not None:
                return draw_line(line, width=width, zone=city.timezone, language=language)
        chart = await _chart(desk, city, drains, event, now, language)
        if chart is not None:
            return draw(chart, width=width, zone=city.timezone, language=language)
    one = what.removesuffix("s")
    raise Problem(404, "no_plot", f"{one} {id_!r} has no readings or line to draw")


async def _events(desk: Desk, what: What, id_: str) -> list[dict[str, Any]]:
    """Its events, newest first."""
    thing = await found(desk, what, id_)
    if what == "events":
        return [thing]
    if what == "tickets":
        thing = await found(desk, "incidents", str(thing.get("incident")))
    told = [await desk.get("events", str(one)) for one in thing.get("events", [])]
    return [event for event in reversed(told) if event is not None]


async def _chart(
    desk: Desk,
    city: City,
    drains: Drains,
    event: dict[str, Any],
    now: datetime,
    language: Language,
) -> Chart | None:
    evidence = {**(event.get("evidence") or {}), **event}
    kind = str(event.get("kind"))
    metric = str(evidence.get("metric") or METRICS.get(kind, ""))
    if not metric or (kind not in WATER | POLES and kind != "sensor_faulty"):
        return None
    main = _sensor(evidence)
    device = (
        event.get("device")
        or main.get("device")
        or drains.sensor_above(_likeliest(evidence), metric)
    )
    curve = _pairs(evidence.get("curve") or (evidence.get("curves") or {}).get(str(device)))
    if device is None and not curve:
        return None
    onset = datetime.fromisoformat(str(event["at"]))
    first = min([onset, *(_moment(t) for t, _ in curve[:1])]) - BEFORE
    last = min(now, max([onset, *(_moment(t) for t, _ in curve[-1:])]) + AFTER)
    first = max(first, last - MOST_SPAN)

    async def read(name: str, of: str) -> list[tuple[float, float]]:
        return await _readings(desk, name, of, first, last)

    points = await read(str(device), metric) if device is not None else []
    points = points if len(points) > 1 else list(curve)
    if len(points) < 2:
        return None
    name = language == "zh"
    neighbours, percent = [], True
    if metric in ("level", "depth") and device is not None:
        beside = drains.beside(str(device), metric)
        percent = all(drains.rim(one) is not None for _, one in beside)
        for side, one in beside:
            rim = drains.rim(one) if percent else None
            told = [(t, 100 * v / rim if rim else v) for t, v in await read(one, metric)]
            if told:
                neighbours.append(Neighbour(side, one, told))
    gauge = _gauge(city, str(device), event) if kind in WATER else None  # rain tells of no lamp
    rain = await read(gauge, "rain_rate") if gauge is not None else []
    names = city.profile.kinds.get(kind)
    called = (names.name_zh if name else names.name_en) if names is not None else None
    return Chart(
        title=f"{called or kind} {device or event.get('site')}",
        unit=UNITS.get(metric, ""),
        points=points,
        limits=_limits(evidence, drains.rim(str(device)) if metric == "level" else None),
        fan=_fan(evidence),
        rain=rain,
        neighbours=tuple(neighbours),
        neighbours_in_percent=percent,
        alarm=onset.timestamp(),
    )


async def _readings(
    desk: Desk, device: str, metric: str, first: datetime, last: datetime
) -> list[tuple[float, float]]:
    """(epoch seconds, value) of one metric, in order of the time that takes effect."""
    out: dict[float, float] = {}
    after: str | None = None
    while len(out) < MOST_READINGS:
        page = await desk.page(
            "readings",
            Query(after=after, limit=PAGE, device=device, metric=metric, since=first, until=last),
        )
        for item in page.items:
            at, value = _time(item.get("at")), item.get("value")
            bad = {"stuck", "spike", "out_of_range"} & set(item.get("quality") or ())
            mine = item.get("device") == device and item.get("metric") == metric
            if mine and not bad and at is not None and isinstance(value, int | float):
                out[at] = float(value)
        after = page.next
        if after is None:
            break
    return sorted(out.items())


def _gauge(city: City, device: str, event: Mapping[str, Any]) -> str | None:
    """Who measures rain there: the device itself, else the nearest that does."""
    own = city.devices.get(device)
    if own is not None and "rain_rate" in own.metrics:
        return device
    if own is None:
        return None
    gauges = [d for d in city.devices.values() if "rain_rate" in d.metrics]
    near = min(gauges, key=lambda d: (distance_m(d.point, own.point), d.id), default=None)
    if near is None or distance_m(near.point, own.point) > GAUGE_M:
        return None
    return near.id


LINES: Final = ("warn", "close", "least", "usual", "rest", "limit")
"""Lines that detectors name in `lines`."""


def _limits(evidence: Mapping[str, Any], rim: float | None) -> tuple[Limit, ...]:
    lines = evidence.get("lines")
    known: dict[str, object] = {"expected": _sensor(evidence).get("expected")}
    if isinstance(lines, dict):
        known |= {name: lines.get(name) for name in LINES}
    out = [
        Limit(name, float(value))
        for name, value in known.items()
        if isinstance(value, int | float) and math.isfinite(value)
    ]
    if rim is not None and all(abs(limit.value - rim) > 1e-6 for limit in out):
        out.append(Limit("rim", rim))
    return tuple(out)


def _sensor(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    """The sensor that tells most of a blocked pipe: one above it, else the first; or nothing."""
    sensors = evidence.get("sensors")
    if not isinstance(sensors, list):
        return {}
    told = [one for one in sensors if isinstance(one, dict)]
    above = [one for one in told if one.get("side") == "above"]
    return next(iter([*above, *told]), {})


def _fan(evidence: Mapping[str, Any]) -> Fan | None:
    over, lines = evidence.get("overflow_at"), evidence.get("lines")
    if not isinstance(over, dict) or not isinstance(lines, dict):
        return None
    best, close = _time(over.get("at")), lines.get("close")
    if best is None or not isinstance(close, int | float):
        return None
    low, high = _time(over.get("low")), _time(over.get("high"))
    return Fan(best if low is None else low, best, best if high is None else high, float(close))


def _likeliest(evidence: Mapping[str, Any]) -> str | None:
    """The pipe a blockage is most likely in."""
    pipes = evidence.get("pipes")
    if not isinstance(pipes, list) or not pipes:
        return None
    return str(max(pipes, key=lambda one: float(one[1]))[0])


def _pairs(curve: object) -> Points:
    """A curve of the evidence, `[[time, value], …]`."""
    if not isinstance(curve, list):
        return []
    return sorted(_sound(curve))


def _sound(curve: Iterable[Any]) -> Iterable[tuple[float, float]]:
    for one in curve:
        if isinstance(one, list | tuple) and len(one) >= 2:
            at = _time(one[0])
            if at is not None and isinstance(one[1], int | float) and math.isfinite(one[1]):
                yield at, float(one[1])


def _time(text: object) -> float | None:
    if isinstance(text, int):
        return from_epoch_ms(text).timestamp()
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _moment(t: float) -> datetime:
    return EPOCH + timedelta(seconds=t)
