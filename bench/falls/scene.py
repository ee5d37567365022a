"""One job: the film, what was made of it, and what of that was right."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from typing import Any

import msgspec

from bench.falls.fade import Boxes, compare
from bench.falls.films import Films
from bench.falls.match import Matched, match
from bench.falls.plan import Job
from bench.falls.reference import Reference
from bench.falls.sheet import strobe
from bench.falls.watch import Watched, boxes_of, last_revisions, track_of, watch
from contracts.event import Event
from simulators.falls.film import film
from simulators.falls.take import Take, TrueFall


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What an event says, and whether it was a fall."""

    first_s: float
    last_s: float
    of: int | None
    """Number of the true fall, or None: a false alarm."""
    double: bool
    """Unmatched while something fell."""
    mirror: bool
    """It follows the fall's mirror image."""
    score: float | None
    confidence: float | None
    zone: str | None
    """The window it names, or None: it abstains."""
    floor: int | None
    bay: int | None
    p: float | None
    late_s: float | None
    """From receipt of the segment that ends the fall to the first revision, decoding and detecting
    included; 0 when it was known before."""
    why: tuple[str, ...]
    picture: bytes | None = None
    """JPEG of what it saw, for false ones."""


class Fell(msgspec.Struct, frozen=True, kw_only=True):
    """A true fall and what became of it."""

    body: str
    zone: str
    floor: int
    bay: int
    size_px: float
    contrast: float
    visible: float
    floors: float
    pictures: int
    """In which at least a quarter of it could be seen."""
    said: int | None
    """Number of the event, or None: missed."""
    reference: bool
    """Whether the reference caught it."""
    picture: bytes | None = None
    """JPEG of what there was to see, for missed ones."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one job."""

    job: Job
    error: str | None = None
    """A crash counts as everything in it missed."""
    seconds: float = 0.0
    pictures: int = 0
    calibrated: bool = False
    falls: tuple[Fell, ...] = ()
    events: tuple[Said, ...] = ()
    boxes: Boxes | None = None
    reference_boxes: Boxes | None = None
    reference_false: int = 0
    film_s: float = 0.0
    """CPU of rendering and encoding."""
    decode_s: float = 0.0
    detect_s: float = 0.0
    reference_s: float = 0.0

    @property
    def false(self) -> list[Said]:
        """Events that are no fall, doubles among them."""
        return [said for said in self.events if said.of is None]


def score(
    job: Job, plates: Path | None, films: Films | None = None, *, pictures: bool = True
) -> Result:
    """Film it (or take the film that `films` kept), watch it, compare.

    A crash of the studio or the detector is a failed result.
    """
    begin = time.process_time()
    try:
        take = films.get(job.order) if films is not None else None
        if take is None:
            take = film(job.order, plates)
            if films is not None:
                films.put(take)
    except Exception:
        return Result(job=job, error="studio: " + traceback.format_exc(limit=-4))
    film_s = time.process_time() - begin
    return score_take(job, take, film_s=film_s, pictures=pictures)


def film_only(job: Job, plates: Path | None, films: Films) -> Result:
    """Film it for a later run; nothing is judged."""
    begin = time.process_time()
    if films.get(job.order) is None:
        films.put(film(job.order, plates))
    return Result(job=job, film_s=time.process_time() - begin)


def score_take(job: Job, take: Take, *, film_s: float = 0.0, pictures: bool = True) -> Result:
    """Watch a film and compare."""
    reference = Reference()
    try:
        watched = watch(take.segments, take.camera, beside=reference)
    except Exception:
        told = "detector: " + traceback.format_exc(limit=-4)
        missed = tuple(_fell(fall, None, False) for fall in take.falls)
        return Result(
            job=job, error=told, seconds=job.order.seconds, falls=missed, film_s=film_s,
            boxes=compare(take.falls, [], [0.0]) if take.falls else None,
        )  # fmt: skip
    height = float(job.order.size[1])
    events = last_revisions(watched)
    mirrored = job.order.reflection
    found = match(take.falls, [track_of(event) for event in events], height, mirrored=mirrored)
    alarms = reference.alarms()
    theirs = match(take.falls, [alarm.track for alarm in alarms], height, mirrored=mirrored)
    said = tuple(
        _said(event, number, found, take, watched, pictures) for number, event in enumerate(events)
    )
    fell = []
    for number, fall in enumerate(take.falls):
        event = found.fall_of.index(number) if number in found.fall_of else None
        jpeg = None
        if event is None and pictures:
            jpeg = strobe(take.segments, truth=fall.track)
        fell.append(_fell(fall, event, number in theirs.fall_of, jpeg))
    given = [box for event in events for box in boxes_of(event)]
    return Result(
        job=job,
        seconds=job.order.seconds,
        pictures=len(watched.times),
        calibrated=len(take.camera.points) >= 4,
        falls=tuple(fell),
        events=said,
        boxes=compare(take.falls, given, watched.times),
        reference_boxes=compare(
            take.falls, [hit for alarm in alarms for hit in alarm.hits], watched.times
        ),
        reference_false=sum(owner is None for owner in theirs.fall_of),
        film_s=film_s,
        decode_s=watched.decode_s,
        detect_s=watched.detect_s,
        reference_s=reference.cpu_s,
    )


def _fell(fall: TrueFall, said: int | None, reference: bool, jpeg: bytes | None = None) -> Fell:
    return Fell(
        body=fall.body,
        zone=fall.zone,
        floor=fall.floor,
        bay=fall.bay,
        size_px=fall.size_px,
        contrast=fall.contrast,
        visible=fall.visible,
        floors=fall.floors,
        pictures=sum(seen.visible >= 0.25 for seen in fall.track),
        said=said,
        reference=reference,
        picture=jpeg,
    )


def _said(
    event: Event, number: int, found: Matched, take: Take, watched: Watched, pictures: bool
) -> Said:
    facts = event.evidence
    origin: dict[str, Any] = facts.get("origin") or {}
    track = track_of(event)
    of = found.fall_of[number]
    jpeg = None
    if of is None and pictures:
        jpeg = strobe(take.segments, track=track)
    return Said(
        first_s=track[0][0] if track else 0.0,
        last_s=track[-1][0] if track else 0.0,
        of=of,
        double=found.double[number],
        mirror=found.mirror[number],
        score=facts.get("score"),
        confidence=facts.get("confidence"),
        zone=origin.get("zone"),
        floor=origin.get("floor"),
        bay=origin.get("bay"),
        p=origin.get("p"),
        late_s=None if of is None else late(event, take.falls[of], watched),
        why=tuple(str(line) for line in facts.get("why") or ()),
        picture=jpeg,
    )


def late(event: Event, fall: TrueFall, watched: Watched) -> float | None:
    """Seconds from receipt of the segment in which the fall ends to the event's first revision.

    The fall ends where it was last to be seen. Known in an earlier segment: 0.
    """
    ends = max((seen.t for seen in fall.track if seen.visible >= 0.25), default=fall.landed_s)
    receipt = min((r for r in watched.received if r >= ends), default=None)
    first = next((k for k in watched.revisions if k.event.id == event.id), None)
    if receipt is None or first is None:
        return None
    if first.known_s < receipt:
        return 0.0
    return first.known_s - receipt + first.cpu_s
