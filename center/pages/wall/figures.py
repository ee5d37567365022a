"""The wall's numbers, from tickets at a glance. Pure; nobody's name, number or words come in here.

A gauge says of one clock (接单 到场 处置 结案) which share was kept over the last 24 hours: of the
tickets that stopped it in that time, and of those that let it run out and still have not stopped
it. What nobody ever finishes would otherwise look well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from center.board import Glance, News
from contracts.clock import iso

DAY = timedelta(hours=24)
RUNS: dict[str, str] = {
    "detected": "accept",
    "filed": "accept",
    "dispatched": "accept",
    "returned": "accept",
    "accepted": "arrive",
    "arrived": "dispose",
    "reworked": "dispose",
    "disposed": "verify",
    "verified": "close",
}
"""The clock that runs in each stage (`router.stages.STANDING`)."""
GAUGES = ("accept", "arrive", "dispose", "close")
HOURS = 24
MARKS_MOST = 500
"""More marks say nothing more on a map of one screen: the gravest and newest stand for all."""
TOLD = 12


class Gauge(msgspec.Struct, frozen=True):
    """One clock over the last day."""

    clock: str
    kept: int
    missed: int
    share: float | None
    """Kept ÷ all; None where there was nothing to keep."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is counted."""

    open: int
    """未结."""
    overdue: int
    """Of those, whose running clock has run out."""
    waiting: int
    """Sent, and nobody has accepted yet."""
    onway: int
    """Accepted, not there yet."""
    onsite: int
    opened_today: int
    """Since midnight in the city's zone; void ones left out."""
    closed_today: int
    on_time: float | None
    """按期结案率 of today: closed by their time ÷ (closed today + due today and not closed)."""
    gauges: list[Gauge]
    hours: list[str]
    """Begin of each of the last 24 hours, the running one last."""
    opened: list[int]
    closed: list[int]


def figures(tickets: Iterable[Glance], now: datetime, zone: ZoneInfo) -> Figures:
    """Count them."""
    kept_all = [t for t in tickets if t.stage != "void"]
    going = [t for t in kept_all if t.open]
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    opened, closed = [0] * HOURS, [0] * HOURS
    for ticket in kept_all:
        _count(opened, ticket.opened_at, first)
        if not ticket.open:
            _count(closed, closed_at(ticket), first)
    ended = [(t, closed_at(t)) for t in kept_all if not t.open]
    done = [t for t, at in ended if at is not None and at >= midnight]
    in_time = sum(_closed_in_time(t) for t in done)
    left = sum(1 for t in going if (due := t.deadlines.get("close")) and midnight <= due <= now)
    return Figures(
        open=len(going),
        overdue=sum(overdue(t, now) for t in going),
        waiting=sum(t.stage in ("detected", "filed", "dispatched", "returned") for t in going),
        onway=sum(t.stage == "accepted" for t in going),
        onsite=sum(t.stage in ("arrived", "reworked") for t in going),
        opened_today=sum(t.opened_at >= midnight for t in kept_all),
        closed_today=len(done),
        on_time=in_time / (len(done) + left) if done or left else None,
        gauges=[_gauge(clock, kept_all, now) for clock in GAUGES],
        hours=[iso(first + timedelta(hours=h)) for h in range(HOURS)],
        opened=opened,
        closed=closed,
    )


def overdue(ticket: Glance, now: datetime) -> bool:
    """Whether the clock that runs now has run out."""
    clock = RUNS.get(ticket.stage)
    due = ticket.deadlines.get(clock) if clock is not None else None
    return due is not None and due < now


def closed_at(ticket: Glance) -> datetime | None:
    """When it was closed; where no clock says so, when it last changed."""
    stopped = ticket.clocks.get("close")
    return stopped.at if stopped is not None and stopped.at is not None else ticket.changed_at


def _closed_in_time(ticket: Glance) -> bool:
    stopped = ticket.clocks.get("close")
    return stopped is None or stopped.on_time


def _gauge(clock: str, tickets: Sequence[Glance], now: datetime) -> Gauge:
    kept = missed = 0
    for ticket in tickets:
        stopped = ticket.clocks.get(clock)
        if stopped is not None and stopped.at is not None and now - stopped.at <= DAY:
            kept += stopped.on_time
            missed += not stopped.on_time
        elif RUNS.get(ticket.stage) == clock and overdue(ticket, now):
            missed += 1
    return Gauge(clock, kept, missed, kept / (kept + missed) if kept or missed else None)


def _count(hours: list[int], at: datetime | None, first: datetime) -> None:
    if at is not None and at >= first:
        hour = int((at - first) / timedelta(hours=1))
        if hour < HOURS:
            hours[hour] += 1


def marks(tickets: Iterable[Glance], now: datetime) -> list[list[Any]]:
    """What the map shows: `[id, kind, severity, lon, lat, overdue, opened]` of each open incident
    by the ticket that leads it, the gravest and newest first. Places are told to some 10 m."""
    lead: dict[str, Glance] = {}
    for ticket in tickets:
        if not ticket.open:
            continue
        known = lead.get(ticket.incident)
        if known is None or (ticket.parent is None, ticket.severity) > (
            known.parent is None,
            known.severity,
        ):
            lead[ticket.incident] = ticket
    order = sorted(lead.values(), key=lambda t: (t.severity, t.opened_at, t.id), reverse=True)
    return [
        [
            t.id, t.kind, t.severity, round(t.lon, 4), round(t.lat, 4), overdue(t, now),
            iso(t.opened_at),
        ]
        for t in order[:MARKS_MOST]
    ]  # fmt: skip


def ticker(news: Iterable[News], names: dict[str, str]) -> list[dict[str, Any]]:
    """The newest changes, newest first: when, what, where (the grid), how far. Of a run of changes
    of one ticket only the last; what is a mere update is left out."""
    told: dict[str, dict[str, Any]] = {}
    for one in sorted(news, key=lambda n: (n.at, n.position), reverse=True):
        ticket = one.ticket
        if one.change == "updated" or ticket.parent is not None or ticket.id in told:
            continue
        told[ticket.id] = {
            "id": ticket.id,
            "at": iso(one.at),
            "kind": ticket.kind,
            "severity": ticket.severity,
            "state": one.change,
            "place": names.get(ticket.grid or "", ""),
        }
        if len(told) == TOLD:
            break
    return list(told.values())
