"""Observations: readings of some streams, oldest or newest first, a page at a time.

Streams follow each other by id, so a page of many streams is one of the first of them. Where a page
ends is told by stream, time and how many readings of just that time were handed out: readings that
arrived without a time of their own may share one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from center.context import Context
from center.problems import Problem
from center.sensorthings.filters import Comparison, Filter, compared, parse_moment
from center.sensorthings.model import Stream, stream_id
from contracts.clock import iso
from contracts.history import RAW, TooMuch
from contracts.ports import Query

MOST_READ: Final = 50_000
"""Readings looked at for one page; a page that is not full by then says where to go on."""
PER_QUERY: Final = 100
"""What a query counts for beside its readings."""
MOST_COUNTED: Final = 1_000_000
CHUNK: Final = 1_000
TINY: Final = timedelta(microseconds=1)
FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)
WIDER: Final = 8


class Span(msgspec.Struct, frozen=True):
    """[since, until)."""

    since: datetime = FIRST
    until: datetime = LAST


class Found(msgspec.Struct):
    """A page; `token` is None on the last, `skip` what of `$skip` is still to do."""

    items: list[dict[str, Any]]
    token: str | None
    skip: int = 0


def narrowed(filter_: Filter | None) -> tuple[Span, str | None, bool]:
    """The times and the Datastream that a filter allows, and whether that is all it says."""
    since, until, stream, whole = FIRST, LAST, None, True
    for one in filter_.needed if filter_ is not None else ():
        if one.path == "phenomenonTime" and (times := _times(one)) is not None:
            since, until = max(since, times.since), min(until, times.until)
        elif (
            one.path in ("Datastream/id", "Datastream/@iot.id")
            and one.op == "eq"
            and isinstance(one.value, str)
        ):
            whole = whole and stream in (None, one.value)
            stream = one.value
        else:
            whole = False
    return Span(since, until), stream, whole and (filter_ is None or filter_.whole)


def _times(one: Comparison) -> Span | None:
    at = parse_moment(one.value) if isinstance(one.value, str) else one.value
    if not isinstance(at, datetime):
        raise Problem(
            400, "bad_value", "$filter: phenomenonTime is compared with an ISO 8601 time with a"
            " zone, such as 2026-01-31T08:00:00Z", path="$filter",
        )  # fmt: skip
    at = min(max(at, FIRST), LAST)
    spans = {
        "ge": Span(since=at), "gt": Span(since=at + TINY), "lt": Span(until=at),
        "le": Span(until=at + TINY), "eq": Span(at, at + TINY),
    }  # fmt: skip
    return spans.get(one.op)


class Reader:
    """Reads for one request; what it may look at is bounded over all its pages."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._read = 0

    async def page(
        self, streams: Sequence[Stream], span: Span, *, newest_first: bool, top: int, skip: int = 0,
        token: str | None = None, filter_: Filter | None = None,
    ) -> Found:  # fmt: skip
        """One page. Raises Problem 400 for a token that is not ours, Temporary."""
        streams = sorted(streams, key=stream_id)
        mark = (FIRST, 0)
        if token is not None:
            first, mark = _begin(token)
            streams = [stream for stream in streams if stream_id(stream) >= first]
            if not streams or stream_id(streams[0]) != first:
                raise _no_token()
        items: list[dict[str, Any]] = []
        sifted = not narrowed(filter_)[2]  # then how many must be read is not known
        for stream in streams:
            name, resumed = stream_id(stream), mark
            mark = (FIRST, 0)
            if self._read >= MOST_READ:
                return Found(items, _token(name, resumed), skip)
            size = CHUNK if sifted else top - len(items) + skip + 1
            walk = self._walk(stream, span, resumed, newest_first, size)
            async for item in walk:
                at = _moment(item)
                right = filter_ is None or filter_.test(_getter(item, stream))
                full = len(items) >= top and not skip
                if (right and full) or self._read > MOST_READ:
                    return Found(items, _token(name, resumed), skip)
                resumed = (at, resumed[1] + 1 if at == resumed[0] else 1)
                if right and skip:
                    skip -= 1
                elif right:
                    items.append(item)
        return Found(items, None)

    async def count(self, streams: Sequence[Stream], span: Span) -> int:
        """How many there are. Raises Problem 400 where they are too many to count."""
        devices = sorted({device for device, _ in streams})
        metrics = sorted({metric for _, metric in streams})
        if not devices:
            return 0
        try:
            found = await self._context.desk.history.stretches(
                devices, metrics, span.since, span.until, RAW,
                zone=self._context.city.timezone, limit=MOST_COUNTED,
            )  # fmt: skip
        except TooMuch as much:
            raise Problem(
                400, "too_much", f"$count: {much}; narrow phenomenonTime by $filter", path="$count"
            ) from much
        wanted = set(streams)
        return sum(len(one.times) for one in found if (one.device, one.metric) in wanted)

    async def period(self, stream: Stream) -> str | None:
        """Its first and its last time as an ISO 8601 interval; None without any reading."""
        first = await self.page([stream], Span(), newest_first=False, top=1)
        last = await self.page([stream], Span(), newest_first=True, top=1)
        if not (first.items and last.items):
            return None
        return f"{first.items[0]['ts']}/{last.items[0]['ts']}"

    async def one(self, stream: Stream, name: str) -> dict[str, Any] | None:
        """The one that `observation_id` names so, or None."""
        at = parse_moment(name.partition("~")[0])
        if at is None or not FIRST <= at < LAST:
            return None
        async for item in self._pages(stream, Span(at, at + TINY), CHUNK):
            if mark_of(item) == name:
                return item
        return None

    async def _walk(
        self, stream: Stream, span: Span, mark: tuple[datetime, int], newest_first: bool, size: int
    ) -> AsyncIterator[dict[str, Any]]:
        """Those after the mark."""
        at, done = mark
        if done and newest_first:
            span = Span(span.since, min(span.until, at + TINY))
        elif done:
            span = Span(max(span.since, at), span.until)
        size = min(max(size + done, 1), CHUNK)
        walk = self._back(stream, span, size) if newest_first else self._pages(stream, span, size)
        async for item in walk:
            if done and _moment(item) == at:
                done -= 1
                continue
            done = 0
            yield item

    async def _pages(self, stream: Stream, span: Span, size: int) -> AsyncIterator[dict[str, Any]]:
        """Oldest first."""
        query = Query(
            limit=size, device=stream[0], metric=stream[1], since=span.since, until=span.until
        )
        while span.since < span.until:
            page = await self._context.desk.page("readings", query)
            self._read += PER_QUERY
            for item in page.items:
                self._read += 1
                yield item
            if page.next is None:
                return
            query = msgspec.structs.replace(query, after=page.next)

    async def _back(self, stream: Stream, span: Span, size: int) -> AsyncIterator[dict[str, Any]]:
        """Newest first: the times of ever longer stretches back, then the readings of those."""
        oldest = [item async for item in self._first(stream, span)]
        if not oldest:
            return
        since = _moment(oldest[0])
        end, width = span.until, timedelta(hours=1)
        begin = max(since, min(self._context.clock.now() - width, end - width))
        while end > since:
            try:
                found = await self._context.desk.history.stretches(
                    [stream[0]], [stream[1]], begin, end, RAW,
                    zone=self._context.city.timezone, limit=MOST_READ,
                )  # fmt: skip
            except TooMuch:
                width = (end - begin) / WIDER
                begin = end - width
                continue
            self._read += PER_QUERY
            times = found[0].times if found else []
            while times:
                low = times[max(0, len(times) - size)]
                edge = FIRST + timedelta(microseconds=low)
                chunk = Span(edge, min(end, FIRST + timedelta(microseconds=times[-1]) + TINY))
                for item in reversed([item async for item in self._pages(stream, chunk, CHUNK)]):
                    yield item
                times = times[: bisect_left(times, low)]
            end, width = begin, width * WIDER
            begin = max(since, end - min(width, end - since))

    async def _first(self, stream: Stream, span: Span) -> AsyncIterator[dict[str, Any]]:
        async for item in self._pages(stream, span, 1):
            yield item
            return


def observation(item: dict[str, Any]) -> dict[str, Any]:
    """The properties of a reading as an Observation. `phenomenonTime` is the time the device said
    (its identity), `resultTime` the one that takes effect: the arrival, where a clock is off."""
    return {
        "phenomenonTime": item["ts"],
        "resultTime": item["at"],
        "result": item["value"],
        "resultQuality": item["quality"] or None,
        "parameters": {"received_at": item["received_at"]},
    }


def observation_id(item: dict[str, Any]) -> str:
    """`device:metric@time`; with `~boot.seq` where the device said no time."""
    return f"{item['device']}:{item['metric']}@{mark_of(item)}"


def mark_of(item: dict[str, Any]) -> str:
    """What tells a reading from the others of its stream."""
    if item["sent_at"] is not None or item["seq"] is None:
        return str(item["ts"])
    return f"{item['ts']}~{item['boot']}.{item['seq']}"


def _getter(item: dict[str, Any], stream: Stream) -> Any:
    """What a filter can ask of an Observation."""
    known: dict[str, Any] = {
        **observation(item), "id": observation_id(item), "@iot.id": observation_id(item),
        "Datastream/id": stream_id(stream), "Datastream/@iot.id": stream_id(stream),
        "Datastream/name": stream_id(stream),
        "Datastream/Thing/id": stream[0], "Datastream/Thing/@iot.id": stream[0],
        "Datastream/Thing/name": stream[0],
        "Datastream/ObservedProperty/id": stream[1], "Datastream/ObservedProperty/name": stream[1],
        "Datastream/ObservedProperty/@iot.id": stream[1],
        "FeatureOfInterest/id": stream[0], "FeatureOfInterest/@iot.id": stream[0],
    }  # fmt: skip

    def get(path: str) -> Any:
        if path not in known:
            raise Problem(
                400, "bad_value", f"$filter: {path[:64]!r} cannot be asked of an Observation; there"
                f" are {', '.join(n for n in known if '@' not in n)}", path="$filter",
            )  # fmt: skip
        return known[path]

    return get


def possible(filter_: Filter, stream: Stream) -> bool:
    """Whether a stream can hold an Observation that a filter lets through: what it needs of the
    Datastream and the Thing is looked at before any reading is."""
    nothing = {
        "device": stream[0], "metric": stream[1], "ts": iso(FIRST), "at": iso(FIRST), "value": 0.0,
        "quality": [], "received_at": iso(FIRST), "sent_at": iso(FIRST), "boot": 0, "seq": None,
    }  # fmt: skip
    get = _getter(nothing, stream)
    of_stream = [one for one in filter_.needed if "/" in one.path]
    for one in filter_.needed:
        get(one.path)  # refused by name, also where there is no reading
    return all(compared(get(one.path), one.op, one.value) for one in of_stream)


def _moment(item: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(item["ts"]).astimezone(UTC)


def _token(name: str, mark: tuple[datetime, int]) -> str:
    at, done = mark
    return f"{name}@{(at - FIRST) // TINY}-{done}"


def _begin(token: str) -> tuple[str, tuple[datetime, int]]:
    name, _, mark = token.rpartition("@")
    at, _, done = mark.partition("-")
    if not (at.isascii() and at.isdigit() and done.isascii() and done.isdigit()):
        raise _no_token()
    if len(at) > 18 or len(done) > 9 or (begin := int(at) * TINY) >= LAST - FIRST:
        raise _no_token()
    return name, (FIRST + begin, int(done))


def _no_token() -> Problem:
    return Problem(400, "bad_value", "$skiptoken: that is none of ours", path="$skiptoken")
