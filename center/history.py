"""`/api/v1/history`: readings over time at the grain that is asked for, as JSON, CSV or Arrow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Final

import pyarrow as pa
from aiohttp import web

from center.context import Context
from center.feeds.csvtext import MARK, line
from center.guard import Caller
from center.problems import Problem, json_response
from center.query import one_of, parse_time
from contracts.clock import from_epoch_ms, iso
from contracts.errors import Refused
from contracts.history import GRAINS, RAW, RESOLUTIONS, Stretch, TooMuch, begin_of
from contracts.kinds import METRICS

QUERY: Final = ("device", "metric", "since", "until", "resolution", "points", "format")
FORMATS: Final = ("json", "csv", "arrow")
MOST_DEVICES, MOST_ROWS = 5_000, 1_000_000
POINTS, MOST_POINTS = 1_000, 50_000
RAW_UP_TO: Final = timedelta(hours=1)
"""A period as short as this is answered with the readings themselves."""
ARROW_TYPE: Final = "application/vnd.apache.arrow.stream"


async def history(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/history`. `device` and `metric` may be lists with commas; without devices, all
    that have the one metric."""
    given = request.query
    devices = _words(given.get("device", ""))
    metrics = _words(given.get("metric", ""))
    until = parse_time(given["until"], "until") if "until" in given else context.clock.now()
    since = parse_time(given["since"], "since") if "since" in given else until - timedelta(hours=1)
    if since >= until:
        raise Problem(400, "bad_period", "since must lie before until", path="since")
    form = given.get("format", FORMATS[0])
    one_of(form, FORMATS, "format")
    resolution = given.get("resolution", "auto")
    one_of(resolution, ("auto", *RESOLUTIONS), "resolution")
    if resolution == "auto":
        age = context.clock.now() - since
        kept = context.desk.history.kept
        resolution = grain_for(until - since, age, _points(given), kept)
    if not devices:
        if len(metrics) != 1:
            raise Problem(
                400, "device_missing", "name devices, or the one metric of all that have it",
                path="device",
            )  # fmt: skip
        devices = await context.desk.history.measured(metrics[0], since - timedelta(hours=1))
    try:
        found = await context.desk.history.stretches(
            devices[:MOST_DEVICES], metrics, _begin(since, resolution), until, resolution,
            zone=context.city.timezone, limit=MOST_ROWS,
        )  # fmt: skip
    except TooMuch as much:
        raise Refused(
            f"{much}: ask for fewer devices, a shorter period or a coarser resolution"
        ) from much
    asked = {"resolution": resolution, "since": iso(since), "until": iso(until)}
    if form == "csv":
        return _file(await asyncio.to_thread(as_csv, found), "text/csv; charset=utf-8", "csv")
    if form == "arrow":
        body = await asyncio.to_thread(as_arrow, found, asked)
        return _file(body, ARROW_TYPE, "arrow")
    return json_response(await asyncio.to_thread(lambda: asked | {"series": as_json(found)}))


def grain_for(period: timedelta, age: timedelta, points: int, kept: Mapping[str, timedelta]) -> str:
    """The finest grain with at most so many points, of those that are kept as far back as `age`."""
    if period <= RAW_UP_TO:
        return RAW
    for name, seconds in GRAINS.items():
        if period.total_seconds() / seconds <= points and age <= kept.get(name, timedelta.max):
            return name
    return "1d"


def _begin(since: datetime, resolution: str) -> datetime:
    """The beginning of the bucket that `since` lies in, so that it is not left out."""
    return since if resolution in (RAW, "1d") else begin_of(since, resolution)


def as_json(found: list[Stretch]) -> list[dict[str, Any]]:
    """One object for each device and metric; times in ms since 1970, columns of equal length."""
    out = []
    for one in found:
        told: dict[str, Any] = {
            "device": one.device, "metric": one.metric, "unit": METRICS.get(one.metric),
            "t": [at // 1000 for at in one.times], "value": one.values,
        }  # fmt: skip
        if one.counts is not None:
            told |= {"low": one.low, "high": one.high, "n": one.counts}
        out.append(told)
    return out


def as_csv(found: list[Stretch]) -> bytes:
    """A line for each time; the roll-ups' columns are empty for readings themselves."""
    out = [MARK + line(["device", "metric", "time", "value", "low", "high", "n"])]
    for one in found:
        blank: list[Any] = [""] * len(one.times)
        columns = (one.times, one.values, one.low or blank, one.high or blank, one.counts or blank)
        for at, *rest in zip(*columns, strict=True):
            out.append(line([one.device, one.metric, iso(from_epoch_ms(at / 1000)), *rest]))
    return b"".join(out)


def as_arrow(found: list[Stretch], asked: dict[str, str]) -> bytes:
    """An Arrow IPC stream of one table; the question stands in its schema's metadata."""
    names = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [
            ("device", names), ("metric", names), ("time", pa.timestamp("us", tz="UTC")),
            ("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
            ("n", pa.int64()),
        ],
        metadata={name.encode(): value.encode() for name, value in asked.items()},
    )  # fmt: skip
    sink = BytesIO()
    with pa.ipc.new_stream(sink, schema) as writer:
        for one in found:
            size = len(one.times)
            columns = [
                pa.array([one.device] * size).dictionary_encode(),
                pa.array([one.metric] * size).dictionary_encode(),
                pa.array(one.times, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
                pa.array(one.values, pa.float64()),
                *(
                    pa.nulls(size, kind) if column is None else pa.array(column, kind)
                    for column, kind in (
                        (one.low, pa.float64()), (one.high, pa.float64()), (one.counts, pa.int64()),
                    )
                ),
            ]  # fmt: skip
            writer.write_table(pa.table(columns, schema=schema))
    return sink.getvalue()


def _words(given: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in given.split(",") if word.strip()))


def _points(given: Any) -> int:
    text = given.get("points", str(POINTS))
    points = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= points <= MOST_POINTS:
        raise Problem(400, "bad_value", f"points: 1 to {MOST_POINTS:,}", path="points")
    return points


def _file(body: bytes, type_: str, ending: str) -> web.Response:
    return web.Response(
        body=body,
        headers={
            "Content-Type": type_,
            "Content-Disposition": f'attachment; filename="history.{ending}"',
            "Cache-Control": "no-store",
        },
    )
