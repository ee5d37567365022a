"""The wall's numbers, from tickets at a glance. Pure; nobody's name, number or words come in here.

A gauge says of one clock (接单 到场 处置 结案) which share was kept over the last 24 hours: of the
tickets that stopped it in that time, and of those that let it run out and still have not stopped
it. What nobody ever finishes would otherwise look well.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from center.board import Glance, News
from contracts.clock import iso
from contracts.kinds import OPEN_STAGES

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
    """Count them, in one pass: some 5 µs a ticket."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = midnight.astimezone(UTC)
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    day_ago = now - DAY
    opened, closed = [0] * HOURS, [0] * HOURS
    kept, missed = dict.fromkeys(GAUGES, 0), dict.fromkeys(GAUGES, 0)
    by_stage: dict[str, int] = {}
    late = opened_today = closed_today = in_time = left = 0
    for ticket in tickets:
        stage = ticket.stage
        if stage == "void":
            continue
        by_stage[stage] = by_stage.get(stage, 0) + 1
        if ticket.opened_at >= first:
            _count(opened, ticket.opened_at, first)
        opened_today += ticket.opened_at >= midnight
        for clock, stopped in ticket.clocks.items():
            if clock in kept and stopped.at is not None and stopped.at >= day_ago:
                (kept if stopped.on_time else missed)[clock] += 1
        if stage in OPEN_STAGES:
            if overdue(ticket, now):
                late += 1
                _still_missed(ticket, missed, day_ago)
            due = ticket.deadlines.get("close")
            left += due is not None and midnight <= due <= now
            continue
        at = closed_at(ticket)
        if at >= first:
            _count(closed, at, first)
        if at >= midnight:
            closed_today += 1
            in_time += _closed_in_time(ticket)

    def among(*stages: str) -> int:
        return sum(by_stage.get(stage, 0) for stage in stages)

    return Figures(
        open=among(*OPEN_STAGES),
        overdue=late,
        waiting=among("detected", "filed", "dispatched", "returned"),
        onway=among("accepted"),
        onsite=among("arrived", "reworked"),
        opened_today=opened_today,
        closed_today=closed_today,
        on_time=in_time / (closed_today + left) if closed_today or left else None,
        gauges=[
            Gauge(c, kept[c], missed[c], kept[c] / n if (n := kept[c] + missed[c]) else None)
            for c in GAUGES
        ],
        hours=[iso(first + timedelta(hours=h)) for h in range(HOURS)],
        opened=opened,
        closed=closed,
    )


def overdue(ticket: Glance, now: datetime) -> bool:
    """Whether the clock that runs now has run out."""
    clock = RUNS.get(ticket.stage)
    due = ticket.deadlines.get(clock) if clock is not None else None
    return due is not None and due < now


def closed_at(ticket: Glance) -> datetime:
    """When it was closed; where no clock says so, when it last changed."""
    stopped = ticket.clocks.get("close")
    return stopped.at if stopped is not None and stopped.at is not None else ticket.changed_at


def _closed_in_time(ticket: Glance) -> bool:
    stopped = ticket.clocks.get("close")
    return stopped is None or stopped.on_time


def _still_missed(ticket: Glance, missed: dict[str, int], day_ago: datetime) -> None:
    """Its running clock has run out; once is enough where it was stopped before, too (返工)."""
    clock = RUNS[ticket.stage]
    stopped = ticket.clocks.get(clock)
    counted = stopped is not None and stopped.at is not None and stopped.at >= day_ago
    if clock in missed and not counted:
        missed[clock] += 1


def _count(hours: list[int], at: datetime, first: datetime) -> None:
    hour = (at - first) // timedelta(hours=1)
    if hour < HOURS:
        hours[hour] += 1


def marks(tickets: Iterable[Glance], now: datetime) -> list[list[Any]]:
    """What the map shows: `[id, kind, severity, lon, lat, overdue, opened]` of each open incident
    by the ticket that leads it, the gravest and newest first. Places are told to some 10 m."""
    lead: dict[str, Glance] = {}
    for ticket in tickets:
        if ticket.stage not in OPEN_STAGES:
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
