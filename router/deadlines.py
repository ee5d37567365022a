"""Which deadlines a ticket gets, and why: limits of the profile on the profile's calendars."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from contracts.case import Deadlines, Ticket
from contracts.city import Calendar, Limit, Profile
from contracts.clock import iso
from contracts.kinds import CLOCKS
from router.calendar import WorkingTime
from router.words import both, kind_names, moment

FROM_DISPATCH = ("accept", "arrive", "dispose")
_CONTINUOUS = Calendar(continuous=True)


class Clocks:
    """The profile's limits as moments. accept, arrive and dispose run from the dispatch, verify
    from the disposal, close from the verification (until then: from the deadline before)."""

    def __init__(self, profile: Profile, zone: ZoneInfo) -> None:
        self._profile = profile
        self.zone = zone
        self._times = {
            name: WorkingTime(calendar, zone) for name, calendar in profile.calendars.items()
        }
        self._continuous = WorkingTime(_CONTINUOUS, zone)

    def limit(self, kind: str) -> Limit:
        """The limit of a kind; the profile's default where it has none."""
        entry = self._profile.kinds.get(kind)
        return entry.limit if entry and entry.limit else self._profile.default_limit

    def time(self, calendar: str) -> WorkingTime:
        """A calendar by name; continuous when the profile no longer has it."""
        return self._times.get(calendar, self._continuous)

    def time_of(self, ticket: Ticket) -> WorkingTime:
        """The calendar a ticket runs on."""
        return self.time(str(ticket.reason.get("deadlines", {}).get("calendar", "")))

    def open(self, kind: str, now: datetime) -> tuple[Deadlines, dict[str, Any]]:
        """Deadlines of a ticket dispatched now, with the reason (JSON-ready)."""
        limit = self.limit(kind)
        time = self.time(limit.calendar)
        due: dict[str, datetime] = {}
        start: dict[str, datetime] = {}
        last = now
        for clock in CLOCKS:
            hours = getattr(limit, f"{clock}_h")
            if hours is None:
                continue
            start[clock] = now if clock in FROM_DISPATCH else last
            due[clock] = time.add(start[clock], hours * 3600)
            last = due[clock]
        entry = self._profile.kinds.get(kind)
        own = bool(entry and entry.limit)
        rule = kind if own else "default_limit"
        en = "day and night" if self._runs_always(limit.calendar) else "working hours only"
        zh = "连续计时" if self._runs_always(limit.calendar) else "仅计工作时间"
        zh_name, en_name = kind_names(kind)
        of_en, of_zh = (en_name.lower(), zh_name) if own else ("any other kind", "其他类别")
        reason: dict[str, Any] = {
            "rule": rule,
            "profile": self._profile.name,
            "calendar": limit.calendar,
            "limits_h": {c: getattr(limit, f"{c}_h") for c in CLOCKS},
            "source": entry.source if entry and own else "",
            "from": {clock: iso(at) for clock, at in start.items()},
            **both(
                f"limits of profile {self._profile.name} for {of_en}, counted {en}",
                f"按方案 {self._profile.name} 的“{of_zh}”时限，{zh}",
            ),
        }
        return Deadlines(**due), reason

    def _runs_always(self, calendar: str) -> bool:
        return self._profile.calendars.get(calendar, _CONTINUOUS).continuous

    def restart(
        self, ticket: Ticket, now: datetime, *clocks: str
    ) -> tuple[Deadlines, dict[str, Any]]:
        """These clocks (and verify and close after them) run anew from `now`."""
        reason = dict(ticket.reason.get("deadlines", {}))
        limits = reason.get("limits_h", {})
        started = dict(reason.get("from", {}))
        due = {clock: getattr(ticket.deadlines, clock) for clock in CLOCKS}
        time = self.time_of(ticket)
        last = now
        touched = False
        for clock in CLOCKS:
            mine = clock in clocks or (touched and clock not in FROM_DISPATCH)
            if mine and limits.get(clock) is not None:
                begin = now if clock in clocks else last
                due[clock] = time.add(begin, float(limits[clock]) * 3600)
                started[clock] = iso(begin)
                touched = True
            if due[clock] is not None:
                last = due[clock]
        return Deadlines(**due), {**reason, "from": started}

    def extended(self, ticket: Ticket, until: datetime) -> tuple[Deadlines, dict[str, Any]]:
        """延期 granted: the work may take until then; no clock gets shorter by that, and the
        clocks after it move along."""
        reason = dict(ticket.reason.get("deadlines", {}))
        limits, started = reason.get("limits_h", {}), dict(reason.get("from", {}))
        due = {clock: getattr(ticket.deadlines, clock) for clock in CLOCKS}
        due["dispose"] = last = max(until, due["dispose"] or until)
        time = self.time_of(ticket)
        for clock in ("verify", "close"):
            if limits.get(clock) is not None:
                due[clock] = time.add(last, float(limits[clock]) * 3600)
                started[clock], last = iso(last), due[clock]
        return Deadlines(**due), {**reason, "from": started}

    def tightened(
        self, ticket: Ticket, kind: str, now: datetime
    ) -> tuple[Deadlines, dict[str, Any]]:
        """The incident turned out to be of another kind: its limits count from now where they
        end earlier; no clock gets longer by that."""
        fresh, reason = self.open(kind, now)
        old = ticket.deadlines
        before = ticket.reason.get("deadlines", {})
        due: dict[str, datetime | None] = {}
        started = dict(reason["from"])
        for clock in CLOCKS:
            a, b = getattr(old, clock), getattr(fresh, clock)
            keep = a is not None and (b is None or a <= b)
            due[clock] = a if keep else b
            if keep and clock in before.get("from", {}):
                started[clock] = before["from"][clock]
        return Deadlines(**due), {**reason, "from": started}

    def resumed(
        self, ticket: Ticket, since: datetime, now: datetime
    ) -> tuple[Deadlines, dict[str, Any]]:
        """What was left of each clock when it was suspended is left again from now."""
        time = self.time_of(ticket)
        reason = dict(ticket.reason.get("deadlines", {}))
        started = dict(reason.get("from", {}))
        due: dict[str, datetime | None] = {}
        for clock in CLOCKS:
            end = getattr(ticket.deadlines, clock)
            due[clock] = end
            if end is None or end <= since:
                continue
            due[clock] = time.add(now, time.between(since, end))
            begin = moment(started.get(clock))
            if begin is not None and begin > since:  # a projection: it moves along
                started[clock] = iso(time.add(now, time.between(since, begin)))
        return Deadlines(**due), {**reason, "from": started}


def reached(ticket: Ticket, clock: str, now: datetime) -> Ticket:
    """The ticket with this clock stopped now: kept or missed (`reason["clocks"]`, for the
    figures). `late` counts how often it was missed, over every 返工."""
    due: datetime | None = getattr(ticket.deadlines, clock)
    known = ticket.reason.get("clocks", {})
    kept = due is None or now <= due
    entry = {
        "due": iso(due) if due else None,
        "at": iso(now),
        "on_time": kept,
        "late": int(known.get(clock, {}).get("late", 0)) + (0 if kept else 1),
    }
    clocks = {**known, clock: entry}
    return msgspec.structs.replace(ticket, reason={**ticket.reason, "clocks": clocks})


def with_deadlines(ticket: Ticket, found: tuple[Deadlines, dict[str, Any]]) -> Ticket:
    """The ticket with these deadlines and their reason."""
    deadlines, reason = found
    return msgspec.structs.replace(
        ticket, deadlines=deadlines, reason={**ticket.reason, "deadlines": reason}
    )
