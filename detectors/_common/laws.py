"""Laws that every detector keeps, as functions that raise `LawBroken`.

A detector is a fold over time that arrives in the data. What follows from it is checked here on the
stream that each detector package offers (`sample.py`), always on the final revision of every event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, timedelta
from typing import Any, Final

import msgspec
import numpy as np

from contracts.detector import Many, Spec
from contracts.event import Event
from contracts.nouns import Item, Reading, Status
from contracts.rows import Book
from contracts.wire import FACTS, MEDIA_FACTS
from detectors._common.drive import Drive, Known, run
from detectors._common.many import fold_many
from detectors._common.sample import Sample

BOUND_S = 5.0
"""The reorder bound the laws try, that of known reorderers."""
CUTS_EACH = 120
"""Cuts tried one by one, beside all cuts in one run and every cut around a revision."""
CALLS_A_DAY = 5000
"""A detector that is woken more often than this while nothing happens does not let time pass."""


class LawBroken(AssertionError):
    """A detector that does not keep a law, and how."""


def final(known: Iterable[Known]) -> dict[str, bytes]:
    """The final revision of every event as JSON."""
    return {e.id: msgspec.json.encode(e, order="deterministic") for _, e in known}


def _cfg(spec: Spec[Any], sample: Sample) -> Any:
    return sample.cfg if sample.cfg is not None else spec.config()


def _run(spec: Spec[Any], sample: Sample, items: Sequence[Item], **more: Any) -> list[Known]:
    return run(spec, _cfg(spec, sample), sample.site, items, tail_s=sample.tail_s, **more)


def _same(a: dict[str, bytes], b: dict[str, bytes], when: str) -> None:
    if a == b:
        return
    for key in sorted(a.keys() | b.keys()):
        if a.get(key) != b.get(key):
            raise LawBroken(f"{when}: {key} is\n{b.get(key)!r}\nand was\n{a.get(key)!r}")


def same_input_same_events(spec: Spec[Any], sample: Sample) -> None:
    """The same items give the same revisions, byte for byte."""
    once, again = (_run(spec, sample, sample.items) for _ in range(2))
    encode = msgspec.json.Encoder(order="deterministic").encode
    if [encode(e) for _, e in once] != [encode(e) for _, e in again]:
        raise LawBroken("the same input gave other revisions the second time")


def no_evidence_no_event(spec: Spec[Any], sample: Sample) -> None:
    """A stream in which nothing happens gives no event."""
    events = _run(spec, sample, sample.quiet_items)
    if events:
        raise LawBroken(f"a quiet stream gave {events[0][1]}")


def every_cut(spec: Spec[Any], sample: Sample) -> None:
    """A snapshot and resume at every cut equals no cut."""
    cfg, site, items = _cfg(spec, sample), sample.site, sample.items
    end = items[-1].received_at + timedelta(seconds=sample.tail_s)
    whole = Drive(spec, cfg, site)
    states, known, told = [whole.state()], [], []
    for item in items:
        out = whole.put(item)
        known.extend(out)
        told.append(len(known))
        states.append(whole.state())
    before_tail = len(known)
    known.extend(whole.run_to(end))
    expected = final(known)

    chained, last = [], states[0]
    for item in items:  # all cuts at once: it forgets whatever it forgets, every time
        drive = Drive(spec, cfg, site, last)
        chained.extend(drive.put(item))
        last = drive.state()
    chained.extend(Drive(spec, cfg, site, last).run_to(end))
    _same(expected, final(chained), "stopped and resumed after every item")

    stride = max(1, len(items) // CUTS_EACH)
    near = {
        i + d
        for i in range(1, len(items))
        if told[i] != told[i - 1]
        for d in range(-2, 3)
        if 0 <= i + d <= len(items)
    }
    for cut in sorted(set(range(0, len(items) + 1, stride)) | near | {len(items)}):
        drive = Drive(spec, cfg, site, states[cut])
        rest = list(known[: told[cut - 1] if cut else 0])
        for item in items[cut:]:
            rest.extend(drive.put(item))
        rest.extend(drive.run_to(end))
        _same(expected, final(rest), f"stopped and resumed after item {cut} of {len(items)}")
    if before_tail != told[-1]:
        raise LawBroken("revisions were counted wrongly")


def duplicates_change_nothing(spec: Spec[Any], sample: Sample) -> None:
    """Redelivery changes nothing: at once, and all of the last ones again after a reconnect."""
    expected = final(_run(spec, sample, sample.items))
    doubled: list[Item] = []
    for i, item in enumerate(sample.items):
        doubled.extend((item, item))
        if i % 37 == 36:
            doubled.extend(_later(old, item) for old in sample.items[i - 30 : i + 1])
    _same(expected, final(_run(spec, sample, doubled)), "redelivered")


def _later(old: Item, now: Item) -> Item:
    """`old` received again now; a retained status without a time of its own takes effect now."""
    again: Item = msgspec.structs.replace(old, received_at=now.received_at)
    if isinstance(again, Status) and isinstance(old, Status) and old.at == old.received_at:
        newest: Item = msgspec.structs.replace(again, at=now.received_at)
        return newest
    return again


def reorder_changes_nothing(spec: Spec[Any], sample: Sample) -> None:
    """Items received out of order within the devices' bound give the same final revisions."""
    if not sample.reorderable:
        return
    bounds = {d.id: BOUND_S for d in sample.site.devices}
    expected = final(_run(spec, sample, sample.items, bounds=bounds))
    for seed in range(3):
        rng = np.random.default_rng(seed)
        mixed = [_delayed(item, float(rng.uniform(0, BOUND_S - 0.2))) for item in sample.items]
        mixed.sort(key=lambda item: item.received_at)
        found = final(_run(spec, sample, mixed, bounds=bounds))
        _same(expected, found, f"received out of order (seed {seed})")


def _delayed(item: Item, seconds: float) -> Item:
    if isinstance(item, Reading) and item.sent_at != item.at:
        return item
    received = max(item.received_at, item.at + timedelta(seconds=seconds))
    late: Item = msgspec.structs.replace(item, received_at=received)
    return late


def batches_do_not_matter(spec: Spec[Any], sample: Sample) -> None:
    """Where batches end (timers run on, wake-ups asked for, snapshots taken) changes nothing."""
    expected = final(_run(spec, sample, sample.items))
    cfg, items = _cfg(spec, sample), sample.items
    end = items[-1].received_at + timedelta(seconds=sample.tail_s)
    for seed, mean in ((1, 1), (2, 7), (3, 60)):
        rng = np.random.default_rng(seed)
        drive, known = Drive(spec, cfg, sample.site), []
        left = int(rng.integers(1, 2 * mean + 1))
        for i, item in enumerate(items):
            known.extend(drive.put(item))
            left -= 1
            if left > 0:
                continue
            left = int(rng.integers(1, 2 * mean + 1))
            following = items[i + 1].received_at if i + 1 < len(items) else end
            span = (following - item.received_at).total_seconds()
            moment = item.received_at + timedelta(seconds=float(rng.uniform(0, span)))
            known.extend(drive.run_to(min(moment, following)))
            drive.state()
            drive.detector.wake_at()
        known.extend(drive.run_to(end))
        _same(expected, final(known), f"in batches of about {mean}")


def many_at_once_equal_the_fold(spec: Spec[Any], sample: Sample) -> None:
    """Where detectors of a kind fold many readings at once: readings offered so give the events,
    in their order, and the snapshot of readings folded one by one, wherever the batches end."""
    if spec.many is None:
        return
    for items in (sample.items, sample.quiet_items):
        readings = [
            item
            for item in items
            if isinstance(item, Reading) and (not spec.metrics or item.metric in spec.metrics)
        ]
        for seed, mean in ((1, 2), (2, 13), (3, 300)):
            _many_at_once(spec, spec.many, sample, readings, seed, mean)


def _many_at_once(
    spec: Spec[Any],
    gather: Callable[[Sequence[Any]], Many],
    sample: Sample,
    readings: Sequence[Reading],
    seed: int,
    mean: int,
) -> None:
    rng = np.random.default_rng(seed)
    single, one = (spec.build(_cfg(spec, sample), sample.site, None) for _ in range(2))
    many, book = gather([one]), Book()
    batch: list[Reading] = []
    wanted: list[Event] = []

    def offer() -> None:
        told = fold_many(many, book, batch)
        if rng.random() < 0.5:
            many.settle()
            if one.snapshot() != single.snapshot():
                raise LawBroken(f"many at once, in batches of about {mean}: other state")
        if told != wanted:
            raise LawBroken(f"many at once, in batches of about {mean}: other after {batch[-1:]}")
        batch.clear()
        wanted.clear()

    for reading in readings:
        while (wake := single.wake_at()) is not None and wake <= reading.received_at:
            offer()
            many.settle()
            if list(one.on_time(wake)) != list(single.on_time(wake)):
                raise LawBroken(f"many at once, in batches of about {mean}: other at {wake}")
        batch.append(reading)
        wanted.extend(single.on_item(reading))
        if rng.random() < 1.0 / mean:
            offer()
    offer()
    many.settle()
    if one.snapshot() != single.snapshot():
        raise LawBroken(f"many at once, in batches of about {mean}: other state in the end")


def events_are_well_formed(spec: Spec[Any], sample: Sample) -> None:
    """One incident gives one event; ids stay, revisions rise by one from 1, phases make sense,
    the wire's facts are there, and everything can be written as JSON."""
    by_id: dict[str, list[Event]] = {}
    for _, event in _run(spec, sample, sample.items):
        by_id.setdefault(event.id, []).append(event)
    if len(by_id) != 1:
        raise LawBroken(f"the sample has one incident, but {len(by_id)} events came of it")
    for revisions in by_id.values():
        if [e.rev for e in revisions] != list(range(1, len(revisions) + 1)):
            raise LawBroken(f"revisions are {[e.rev for e in revisions]}")
        phases = [e.phase for e in revisions]
        if phases[0] == "updated" or "opened" in phases[1:] or "closed" in phases[:-1]:
            raise LawBroken(f"phases are {phases}")
        for event in revisions:
            _well_formed(spec, sample, event)


def _well_formed(spec: Spec[Any], sample: Sample, event: Event) -> None:
    # A site may be a district whose devices are told of one by one.
    places = {sample.site.id, *(device.id for device in sample.site.devices)}
    if event.kind != spec.kind or event.site not in places:
        raise LawBroken(f"it says {event.kind} at {event.site}")
    if not 1 <= event.severity <= 5:
        raise LawBroken(f"severity {event.severity}")
    if event.at.tzinfo is not UTC and event.at.utcoffset() != timedelta(0):
        raise LawBroken(f"the onset {event.at} is not in UTC")
    missing = set(FACTS.get(spec.kind, ())) - set(event.evidence) - set(MEDIA_FACTS)
    if missing:
        raise LawBroken(f"the wire promises {sorted(missing)} in the evidence")
    text = msgspec.json.encode(event)
    if b"NaN" in text or msgspec.json.decode(text, type=Event) != event:
        raise LawBroken("it does not survive being written as JSON")


def time_goes_on(spec: Spec[Any], sample: Sample) -> None:
    """`on_time` is called at exactly `wake_at`, which then lies ahead; a wake-up is never asked
    for in the past; nothing wakes for ever in quick succession."""
    cfg = _cfg(spec, sample)
    drive = Drive(spec, cfg, sample.site)
    for item in sample.items:
        drive.put(item)
        wake = drive.detector.wake_at()
        if wake is not None and wake < item.received_at:
            raise LawBroken(f"at {item.received_at} it asks to be woken at {wake}")
    calls, now = 0, sample.items[-1].received_at
    end = now + timedelta(days=1)
    while (wake := drive.detector.wake_at()) is not None and wake <= end:
        list(drive.detector.on_time(wake))
        again = drive.detector.wake_at()
        if again is not None and again <= wake:
            raise LawBroken(f"woken at {wake} it asks to be woken at {again}")
        calls += 1
        if calls > CALLS_A_DAY:
            raise LawBroken(f"it was woken {calls} times in a day without items")


LAWS: Final[dict[str, Callable[[Spec[Any], Sample], None]]] = {
    law.__name__: law
    for law in (
        same_input_same_events,
        no_evidence_no_event,
        every_cut,
        duplicates_change_nothing,
        reorder_changes_nothing,
        batches_do_not_matter,
        many_at_once_equal_the_fold,
        events_are_well_formed,
        time_goes_on,
    )
}
