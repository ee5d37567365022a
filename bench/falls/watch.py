"""Shows a film to the detector exactly as the service does: segments, pictures, time.

The detector gets the frames of `Take.segments` and the calibration of `Take.camera`, in a city
made of nothing else; a segment is received at its end; `on_time` is called when it asks.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from bench.falls.reference import Reference
from contracts.city import Camera, City
from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Frame, Segment
from detectors import high_altitude_throw as throw
from detectors._common.drive import Drive
from detectors._common.sample import START, city, device
from ingest.video import decode

DEVICE = "cam"
TAIL_S = 60.0
"""Time that runs on after the last segment: what is open ends."""

Segments = Iterable[tuple[float, bytes]]


class Known(msgspec.Struct, frozen=True):
    """One revision of one event and when it was known."""

    event: Event
    known_s: float
    """Receipt of the segment (or the timer) that gave it, seconds from the begin."""
    cpu_s: float
    """CPU from that receipt until it was there: decoding and detecting."""


class Watched(msgspec.Struct, frozen=True):
    """What a detector made of a film."""

    revisions: tuple[Known, ...]
    times: tuple[float, ...]
    """When its pictures are, seconds from the begin."""
    received: tuple[float, ...]
    """When each segment was received."""
    decode_s: float
    """CPU of decoding all pictures."""
    detect_s: float
    """CPU of detecting in all pictures."""


def site_of(camera: Camera | None) -> tuple[City, Site]:
    """A city with this one camera, and the detector's site in it."""
    cameras = {DEVICE: msgspec.structs.replace(camera, device=DEVICE)} if camera else {}
    here = city(devices={DEVICE: device(DEVICE, type="camera")}, cameras=cameras)
    return here, next(iter(throw.SPEC.sites(here, throw.SPEC.config())))


def segments_of(parts: Segments) -> Iterator[Segment]:
    """The film as the wire brings it: each segment is received when the next one begins."""
    items = list(parts)
    for k, (at_s, data) in enumerate(items):
        length = items[k + 1][0] - at_s if k + 1 < len(items) else _length(data)
        at = START + timedelta(seconds=at_s)
        yield Segment(DEVICE, at, at + timedelta(seconds=length), data)


def watch(
    parts: Segments,
    camera: Camera | None,
    *,
    drive: Drive | None = None,
    beside: Reference | None = None,
) -> Watched:
    """Run the detector over a film, and the reference on the same pictures.

    CPU is this process's, so it does not see its neighbours.
    """
    if drive is None:
        drive = Drive(throw.SPEC, throw.SPEC.config(), site_of(camera)[1])
    revisions: list[Known] = []
    times: list[float] = []
    received: list[float] = []
    decode_s = detect_s = 0.0
    last = START
    for segment in segments_of(parts):
        last = segment.received_at
        received.append(seconds(last))
        begin = before = time.process_time()
        for frame in decode(segment):
            times.append(seconds(frame.at))
            middle = time.process_time()
            found = drive.put(frame)
            after = time.process_time()
            revisions += (Known(e, seconds(known), after - begin) for known, e in found)
            decode_s += middle - before
            detect_s += after - middle
            if beside is not None:
                beside.add(times[-1], frame.luma)
                begin += time.process_time() - after
            before = time.process_time()
    for known, event in drive.run_to(last + timedelta(seconds=TAIL_S)):
        revisions.append(Known(event, seconds(known), 0.0))
    return Watched(tuple(revisions), tuple(times), tuple(received), decode_s, detect_s)


def frames_of(parts: Segments) -> Iterator[Frame]:
    """All pictures of a film."""
    for segment in segments_of(parts):
        yield from decode(segment)


def seconds(at: datetime) -> float:
    """Seconds from the begin of the film."""
    return (at - START).total_seconds()


def last_revisions(watched: Watched) -> list[Event]:
    """The final revision of each event, in the order of their first ones."""
    final: dict[str, Event] = {}
    for known in watched.revisions:
        final[known.event.id] = known.event
    return list(final.values())


def track_of(event: Event) -> list[tuple[float, float, float]]:
    """(seconds from the begin, x px, y px) of an event's track."""
    rows: list[list[Any]] = event.evidence.get("track") or []
    return [(seconds(datetime.fromisoformat(t)), float(x), float(y)) for t, x, y in rows]


def boxes_of(event: Event) -> list[tuple[float, float, float, float, float]]:
    """(seconds, middle x, middle y, width, height) of each hit.

    From `boxes` (time, left, top, width, height) where the event says them, else the square of
    its median size around each place.
    """
    rows: list[list[Any]] = event.evidence.get("boxes") or []
    if rows:
        return [
            (seconds(datetime.fromisoformat(t)), x + w / 2, y + h / 2, w, h)
            for t, x, y, w, h in rows
        ]
    side = float(event.evidence.get("size_px") or 6.0)
    return [(t, x, y, side, side) for t, x, y in track_of(event)]


def _length(data: bytes) -> float:
    """Seconds of one segment."""
    probe = Segment(DEVICE, START, START, data)
    times = [seconds(frame.at) for frame in decode(probe)]
    step = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.04
    return times[-1] + step
