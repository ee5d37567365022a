"""What the city asks of its grids, departments and workers: rates and times, from tickets alone.

Terms are the field's (the family of GB/T 30428.4 绩效评价); 按期结案率 = closed on time ÷
(due − deferred), as Jinhua publishes it. Pure: tickets and a period in, figures out. Times in
seconds, rates 0 to 1.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from contracts.case import Ticket
from contracts.kinds import CLOCKS
from router.evaluation import satisfaction, scored
from router.lapse import lapsed
from router.verdicts import standing
from router.words import moment


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket as the figures see it. Moments are UTC."""

    id: str
    kind: str
    grid: str | None = None
    district: str = "-"
    worker: str | None = None
    utility: str | None = None
    opened_at: datetime
    answered_at: datetime | None = None
    """The first time that somebody accepted it (or was there)."""
    disposed_at: datetime | None = None
    verified_at: datetime | None = None
    closed_at: datetime | None = None
    dispose_due: datetime | None = None
    """As it stands now: with the time that was granted."""
    first_due: datetime | None = None
    """Its time to close as first limited; None: as it stands now."""
    close_due: datetime | None = None
    """As it stands now."""
    void: bool = False
    """作废: reported, but not a case."""
    lapsed: bool = False
    """未完成: a round that nobody made in its time; filed and due, never closed."""
    suspended: bool = False
    """挂账 at the moment."""
    reworks: int = 0
    """Standing ones: what an appeal struck does not count."""
    returns: int = 0
    satisfaction: tuple[int, ...] = ()
    """Residents' scores, 1 to 5."""
    score: float | None = None
    """The grid's verdict on the work: a person's, else by its times; 1 to 5."""


class Spread(msgspec.Struct, frozen=True):
    """A time over many tickets, seconds."""

    n: int
    mean: float | None
    p50: float | None
    p90: float | None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Counts and what follows from them; a rate over nothing is None."""

    reported: int
    """Tickets of the period, void ones included."""
    filed: int
    """立案: without those that were void."""
    filing_rate: float | None
    """立案率 = filed ÷ reported."""
    due: int
    """应结案: whose time to close, as first limited, ended within the period."""
    deferred: int
    """缓办: of those, still open and suspended, or with time granted beyond the period."""
    closed: int
    """Of those due."""
    closing_rate: float | None
    """结案率 = closed ÷ due."""
    on_time: int
    """Closed by their time, that was granted included."""
    on_time_rate: float | None
    """按期结案率 = on time ÷ (due − deferred)."""
    disposed_on_time_rate: float | None
    """按期处置率 = disposed by their time ÷ (due for disposal − deferred)."""
    not_done: int
    """未完成: rounds of the period that nobody made in their time; they count as filed and due."""
    rework_rate: float | None
    """返工率 = tickets sent back ÷ tickets disposed."""
    return_rate: float | None
    """回退率 = tickets returned ÷ filed."""
    first_response: Spread
    """From filing until somebody accepted."""
    disposal: Spread
    """平均处置用时: from filing until it was done."""
    recovery: Spread
    """From filing until it was proved."""
    satisfaction: float | None
    """Mean of the residents' scores, 1 to 5."""
    satisfied_rate: float | None
    """满意率: scores of 4 and 5 ÷ all."""
    score: float | None
    """Mean of the grid's verdicts, 1 to 5 (网格评部门)."""


def case_of(ticket: Ticket) -> Case:
    """A ticket, flat."""
    reached: dict[str, datetime] = {}
    for step in ticket.timeline:
        reached.setdefault(f"first {step.change}", step.at)
        reached[step.change] = step.at
    clocks: dict[str, Any] = ticket.reason.get("clocks", {})
    worked = [reached[k] for k in ("first accepted", "first arrived") if k in reached]
    over = ticket.stage in ("closed", "evaluated")
    dues = [getattr(ticket.deadlines, c) for c in CLOCKS]
    granted = ticket.reason.get("extensions") or [{}]
    proved = moment(clocks.get("verify", {}).get("at"))
    return Case(
        id=ticket.id,
        kind=ticket.kind,
        grid=ticket.grid,
        district=ticket.district,
        worker=ticket.worker,
        utility=ticket.utility,
        opened_at=ticket.opened_at,
        answered_at=min(worked) if worked else None,
        disposed_at=reached.get("disposed"),
        verified_at=proved,
        closed_at=reached.get("closed") if over else None,
        dispose_due=moment(clocks.get("dispose", {}).get("due")) or ticket.deadlines.dispose,
        first_due=moment(granted[0].get("close_from")),
        close_due=max((d for d in dues if d is not None), default=None),
        void=ticket.stage == "void" and not lapsed(ticket),
        lapsed=lapsed(ticket),
        suspended=ticket.stage == "suspended",
        reworks=len(standing(ticket, "rework")),
        returns=len(ticket.reason.get("returns", ())),
        satisfaction=tuple(satisfaction(ticket)),
        score=scored(ticket),
    )


def figures(cases: Iterable[Case], since: datetime, until: datetime) -> Figures:
    """The figures of a period [since, until): counted as filed by when they were opened, as due by
    when their time ended."""
    cases = list(cases)
    opened = [c for c in cases if since <= c.opened_at < until]
    filed = [c for c in opened if not c.void]
    due = [c for c in cases if not c.void and _within(c.first_due or c.close_due, since, until)]
    closed = [c for c in due if c.closed_at is not None and c.closed_at < until]
    late_by_leave = [
        c
        for c in due
        if (c.closed_at or until) >= until
        and (c.suspended or (c.close_due is not None and c.close_due >= until))
    ]
    on_time = [c for c in closed if _kept(c.closed_at, c.close_due)]
    to_dispose = [c for c in cases if not c.void and _within(c.dispose_due, since, until)]
    waiting = [c for c in to_dispose if c.suspended and c.disposed_at is None]
    disposed = [c for c in filed if c.disposed_at is not None]
    residents = [s for c in filed for s in c.satisfaction]
    return Figures(
        reported=len(opened),
        filed=len(filed),
        filing_rate=_rate(len(filed), len(opened)),
        due=len(due),
        deferred=len(late_by_leave),
        closed=len(closed),
        closing_rate=_rate(len(closed), len(due)),
        on_time=len(on_time),
        on_time_rate=_rate(len(on_time), len(due) - len(late_by_leave)),
        disposed_on_time_rate=_rate(
            sum(_kept(c.disposed_at, c.dispose_due) for c in to_dispose),
            len(to_dispose) - len(waiting),
        ),
        not_done=sum(c.lapsed for c in filed),
        rework_rate=_rate(sum(c.reworks > 0 for c in disposed), len(disposed)),
        return_rate=_rate(sum(c.returns > 0 for c in filed), len(filed)),
        first_response=_spread(filed, lambda c: c.answered_at),
        disposal=_spread(filed, lambda c: c.disposed_at),
        recovery=_spread(filed, lambda c: c.verified_at),
        satisfaction=_mean([float(s) for s in residents]),
        satisfied_rate=_rate(sum(s >= 4 for s in residents), len(residents)),
        score=_mean([c.score for c in filed if c.score is not None]),
    )


def league(cases: Iterable[Case], by: str, since: datetime, until: datetime) -> dict[str, Figures]:
    """Figures by `grid`, `kind`, `utility`, `worker` or `district`, the best on-time rate first
    (those without one last, then by name). Cases without one (no utility) are left out."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        name = getattr(case, by)
        if name is not None:
            groups.setdefault(str(name), []).append(case)
    table = {name: figures(group, since, until) for name, group in groups.items()}

    def rank(name: str) -> tuple[float, float, str]:
        found = table[name]
        return -(found.on_time_rate or -1.0), -(found.score or 0.0), name

    return {name: table[name] for name in sorted(table, key=rank)}


def series(cases: Iterable[Case], edges: Sequence[datetime]) -> list[Figures]:
    """The figures of each period between two neighbouring edges (ascending, two at least)."""
    buckets: list[list[Case]] = [[] for _ in edges[1:]]
    for case in cases:
        moments = (case.opened_at, case.first_due or case.close_due, case.dispose_due)
        for index in {bisect_right(edges, at) - 1 for at in moments if at is not None}:
            if 0 <= index < len(buckets):
                buckets[index].append(case)
    return [figures(bucket, *edges[i : i + 2]) for i, bucket in enumerate(buckets)]


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """What one grid thinks of one utility's work (网格评部门)."""

    utility: str
    grid: str | None
    n: int
    """Verdicts, a person's or by the times that were kept."""
    score: float
    """Their mean, 1 to 5."""
    satisfaction: float | None
    """Mean of the residents' scores on the same tickets, 1 to 5."""
    satisfied: int
    """Verdicts of 4 and more."""


def ratings(cases: Iterable[Case], since: datetime, until: datetime) -> list[Rating]:
    """Verdicts on tickets filed in [since, until), the best mean first."""
    groups: dict[tuple[str, str | None], list[Case]] = {}
    for case in cases:
        if case.utility is not None and case.score is not None and since <= case.opened_at < until:
            groups.setdefault((case.utility, case.grid), []).append(case)
    found = []
    for (utility, grid), group in groups.items():
        scores = [case.score for case in group if case.score is not None]
        found.append(
            Rating(
                utility=utility,
                grid=grid,
                n=len(scores),
                score=math.fsum(scores) / len(scores),
                satisfaction=_mean([float(s) for case in group for s in case.satisfaction]),
                satisfied=sum(score >= 4 for score in scores),
            )
        )
    return sorted(found, key=lambda one: (-one.score, one.utility, one.grid or ""))


def _within(at: datetime | None, since: datetime, until: datetime) -> bool:
    return at is not None and since <= at < until


def _kept(at: datetime | None, due: datetime | None) -> bool:
    return at is not None and (due is None or at <= due)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _spread(cases: Sequence[Case], end: Callable[[Case], datetime | None]) -> Spread:
    """Seconds from the filing; percentiles are the nearest rank."""
    took = sorted(
        max(0.0, (at - c.opened_at).total_seconds()) for c in cases if (at := end(c)) is not None
    )
    if not took:
        return Spread(0, None, None, None)

    def rank(share: float) -> float:
        return took[max(0, math.ceil(share * len(took)) - 1)]

    return Spread(len(took), _mean(took), rank(0.5), rank(0.9))
