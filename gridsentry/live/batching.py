"""From what the engine produced to one transaction, and what is counted of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.batch import Batch, Committed, DeadLetter
from contracts.case import Change, Ticket
from contracts.nouns import Poison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from contracts.ports import Session
    from gridsentry.engine.draft import Draft
    from gridsentry.metrics import Metrics
    from ingest.breaker import Breaker


def batch_of(draft: Draft, writer: str, number: int, epoch: int, at: datetime) -> Batch:
    """The batch of a draft; what does not come from the engine is put in by the loop."""
    return Batch(
        writer=writer,
        number=number,
        epoch=epoch,
        at=at,
        readings=draft.readings,
        positions_in_batch=draft.positions_in_batch,
        items=draft.items,
        statuses=draft.statuses,
        worker_positions=draft.worker_positions,
        events=draft.events,
        changes=[c for c in draft.changes if isinstance(c, Change)],
        # A message of an unknown device is kept whole, and listed among the dead letters.
        dead_letters=[
            c for c in draft.changes if isinstance(c, DeadLetter) and c.code != "unknown_device"
        ],
        unknown=draft.unknown,
        snapshots=draft.snapshots,
    )


def count(metrics: Metrics, draft: Draft, light: int, heavy: int) -> None:
    """Tell the metrics what a committed draft held; `light` and `heavy` are messages."""
    if light:
        metrics.messages.labels("telemetry").inc(light)
    if heavy:
        metrics.messages.labels("bulk").inc(heavy)
    if draft.late:
        metrics.late.inc(draft.late)
    for published in draft.events:
        metrics.events.labels(published.event.kind).inc()
    for change in draft.changes:
        if isinstance(change, DeadLetter):
            metrics.dead_letters.labels(change.code).inc()
        elif isinstance(change.body, Ticket):
            metrics.tickets.labels(change.body.kind, change.change).inc()


def count_found(metrics: Metrics, found: Committed) -> None:
    """Tell the metrics what the transaction found of the readings."""
    metrics.readings.labels("new").inc(found.readings_new)
    metrics.readings.labels("duplicate").inc(found.readings_duplicate)
    metrics.readings.labels("conflict").inc(found.conflicts)


def watch_poison(breaker: Breaker, nouns: Sequence[object], now: datetime) -> None:
    """Tell the breaker; devices nobody registered say nothing about our decoders."""
    good = 0
    for noun in nouns:
        if not isinstance(noun, Poison):
            good += 1
        elif noun.device is not None and noun.code != "unknown_device":
            breaker.observe(now, poison_of=noun.device)
    if good:
        breaker.observe(now, good=good)


def session_health(sessions: Mapping[str, Session | None], metrics: Metrics) -> dict[str, Any]:
    """Health of each session, told to the metrics too."""
    told = {}
    for name, session in sessions.items():
        if session is not None:
            told[name] = session.health()
            metrics.connected.labels(name).set(1 if told[name].get("connected") else 0)
    return told
