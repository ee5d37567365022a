"""A file of a device as the messages its gateway would have sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from contracts.city import City, Device
from contracts.clock import epoch_ms
from contracts.errors import Wrong
from contracts.nouns import Arrival
from gridsentry.city.notes import choices
from gridsentry.record import series, single, video
from gridsentry.record.times import DEFAULT_AT

log = logging.getLogger(__name__)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What to record of which file."""

    path: Path
    device: Device
    kind: str
    at: datetime | None = None
    """Of the first picture, row or sample; None: the file's own time."""
    segment_s: float = 1.0
    rotate: bool = True
    time: str | None = None
    zone: ZoneInfo | None = None
    metrics: tuple[series.Mapping, ...] = ()


def find_device(city: City, name: str) -> Device:
    """The registered device. Raises Wrong, naming the nearest ones."""
    if name not in city.devices:
        raise Wrong("--device", f"there is no device {name}", choices(city.devices, name))
    return city.devices[name]


def topic(device: Device, last: str) -> str:
    """The device's topic with that last part."""
    return f"gridsentry/v1/feed/{device.district}/{device.id}/{last}"


def arrivals(source: Source, tick: Callable[[int, int], None]) -> Iterator[Arrival]:
    """The messages in order of receipt; `tick(done, all)` tells how far it is. Raises Wrong."""
    if not source.path.is_file():
        raise Wrong("--from", f"there is no file {source.path}", "a file that can be read")
    if source.kind == "segment":
        return _segments(source, tick)
    if source.kind == "telemetry":
        return _telemetry(source, tick)
    return _single(source)


def _segments(source: Source, tick: Callable[[int, int], None]) -> Iterator[Arrival]:
    begin = source.at or DEFAULT_AT
    if source.at is None:
        log.warning("%s: no --at: it begins at %s", source.path.name, begin.isoformat())
    found = video.pieces(source.path, source.segment_s, tick, rotate=source.rotate)
    for piece in found:
        first = begin + timedelta(seconds=piece.start_s)
        yield Arrival(
            topic=topic(source.device, f"segment/{epoch_ms(first)}"),
            payload=piece.data,
            received_at=begin + timedelta(seconds=piece.end_s),
        )


def _telemetry(source: Source, tick: Callable[[int, int], None]) -> Iterator[Arrival]:
    if source.time is None:
        raise Wrong("--time", "missing", "the name of the time column")
    if not source.metrics:
        raise Wrong("--metric", "missing", "COLUMN=name[*FACTOR[+OFFSET]], at least once")
    found = series.read_series(
        source.path, source.time, source.metrics, zone=source.zone, at=source.at
    )
    if found.empty_cells:
        log.warning(
            "%s: %d cells without a number left out, %d rows without any",
            source.path.name,
            found.empty_cells,
            found.empty_rows,
        )
    if found.resorted:
        log.warning("%s: rows were not in order of time and have been sorted", source.path.name)
    own = source.device.metrics
    for mapping in source.metrics:
        if own and mapping.metric not in own:
            log.warning(
                "devices.csv does not list metric %s for %s", mapping.metric, source.device.id
            )
    for done, row in enumerate(found.rows, start=1):
        yield Arrival(
            topic=topic(source.device, "telemetry"),
            payload=series.message(row),
            received_at=row.at,
        )
        tick(done, len(found.rows))


def _single(source: Source) -> Iterator[Arrival]:
    data = single.read_record(source.path) if source.kind == "record" else source.path.read_bytes()
    if not data:
        raise Wrong("--from", f"{source.path.name} is empty", "a file with content")
    at = source.at or single.own_time(source.kind, data, source.zone)
    if at is None:
        at = DEFAULT_AT
        log.warning(
            "%s: no --at and no time of its own: it is taken as %s",
            source.path.name,
            at.isoformat(),
        )
    yield Arrival(
        topic=topic(source.device, f"{source.kind}/{epoch_ms(at)}"), payload=data, received_at=at
    )
