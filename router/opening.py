"""From an incident to its tickets: one for the worker, and one for each utility when there are
several (the worker's is then their parent)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from contracts.case import Incident, Step, Ticket
from contracts.city import City, KindProfile
from contracts.event import Event
from router.assign import Choice, Roster
from router.book import Book
from router.causes import held_note, incident_reason
from router.deadlines import Clocks
from router.ears import Ears
from router.ladder import Ladder
from router.settings import RouterSettings
from router.stages import with_reason
from router.utility import Duties, Duty
from router.words import both, kind_names, one_line


def name_of(prefix: str, *parts: str) -> str:
    """An id that replay and restart give again."""
    return f"{prefix}-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:20]}"


def _filed(kind: str, profile: KindProfile | None) -> str:
    """立案: as what."""
    zh, en = kind_names(kind)
    code = profile.code if profile else None
    return one_line(
        f"filed as {en.lower()}" + (f", code {code}" if code else ""),
        f"按“{zh}”立案" + (f"，编码{code}" if code else ""),
    )


class Opener:
    """Builds new tickets; decides nothing about old ones."""

    def __init__(
        self,
        city: City,
        duties: Duties,
        roster: Roster,
        clocks: Clocks,
        ladder: Ladder,
        settings: RouterSettings,
    ) -> None:
        self._city = city
        self._duties = duties
        self._roster = roster
        self._clocks = clocks
        self._ladder = ladder
        self._ears = Ears(settings)

    def duty(self, incident: Incident, events: Sequence[Event]) -> Duty:
        """Who must act on it."""
        return self._duties.of(incident.kind, incident.place.grid, events)

    def open(
        self, incident: Incident, events: Sequence[Event], book: Book, now: datetime
    ) -> list[Ticket]:
        """The incident's tickets, parent first."""
        duty = self.duty(incident, events)
        choice = self._roster.choose(
            incident.place,
            now,
            skills=duty.skills,
            helpers=duty.helpers,
            load=book.load,
            severity=incident.severity,
        )
        # A second ticket of the same incident (the first was ended, then it got worse) is named
        # by the revision that called for it.
        named = book.had_tickets(incident.id) or incident.held is not None
        again = (str(incident.rev),) if named else ()
        several = len(duty.utilities) > 1
        root = self._ticket(
            incident,
            name_of("t", incident.id, *again),
            now,
            duty=duty,
            began=min([now, *(e.at for e in events)]),
            choice=choice,
            utility=None if several or not duty.utilities else duty.utilities[0],
            parent=None,
        )
        sound = self._ears.reason(events)
        if sound is not None:
            root = with_reason(root, sound=sound)
        parts = [self.part(root, u, incident, duty, now) for u in duty.utilities if several]
        return [root, *parts]

    def task(
        self, incident: Incident, ticket_id: str, now: datetime, *, duty: Duty, choice: Choice
    ) -> Ticket:
        """A task for one of our own people, without an event that called for it."""
        return self._ticket(
            incident,
            ticket_id,
            now,
            duty=duty,
            began=now,
            choice=choice,
            utility=None,
            parent=None,
        )

    def part(
        self, root: Ticket, utility: str, incident: Incident, duty: Duty, now: datetime
    ) -> Ticket:
        """The part of one utility, on clocks of its own; the worker on site is its contact."""
        part = self._ticket(
            incident,
            name_of("t", root.id, utility),
            now,
            duty=duty,
            began=root.timeline[0].at,
            choice=None,
            utility=utility,
            parent=root,
        )
        return with_reason(part, sound=root.reason["sound"]) if "sound" in root.reason else part

    def _ticket(
        self,
        incident: Incident,
        ticket_id: str,
        now: datetime,
        *,
        duty: Duty,
        began: datetime,
        choice: Choice | None,
        utility: str | None,
        parent: Ticket | None,
    ) -> Ticket:
        deadlines, why = self._clocks.open(incident.kind, now)
        profile = self._city.profile.kinds.get(incident.kind)
        if choice is not None:
            worker_reason = choice.reason
        else:
            contact = parent.worker if parent else None
            person = self._city.workers.get(contact or "")
            name = person.name if person is not None else contact
            worker_reason = {
                "contact": contact,
                **both(
                    f"for the utility; contact on site: {name or 'none'}",
                    f"由权属单位处置，现场联系人：{name or '无'}",
                ),
            }
        reason: dict[str, Any] = {
            "worker": worker_reason,
            "utility": duty.reason,
            "deadlines": why,
            "incident": incident_reason(incident),
        }
        filed = held_note(incident) or _filed(incident.kind, profile)
        ticket = Ticket(
            id=ticket_id,
            rev=1,
            incident=incident.id,
            kind=incident.kind,
            stage="dispatched",
            lane=duty.lane,
            worker=choice.worker if choice else None,
            helpers=choice.helpers if choice else (),
            utility=utility,
            parent=parent.id if parent else None,
            grid=incident.place.grid,
            reason=reason,
            runners_up=choice.runners_up if choice else (),
            deadlines=deadlines,
            severity=incident.severity,
            place=incident.place,
            opened_at=now,
            updated_at=now,
            district=incident.district,
            code=profile.code if profile else None,
            timeline=(
                Step(at=began, change="detected", by="sensor", note=incident.reason),
                Step(at=now, change="filed", by="router", note=filed),
                Step(at=now, change="dispatched", by="router", note=self._to(choice, utility)),
            ),
        )
        return self._ladder.arm(ticket, now)

    def _to(self, choice: Choice | None, utility: str | None) -> str:
        names = []
        worker = self._roster.worker(choice.worker) if choice else None
        if worker is not None:
            names.append(f"{worker.name} ({worker.id})")
        if utility is not None:
            names.append(f"{self._city.utilities[utility].name} ({utility})")
        to = ", ".join(names)
        return one_line(f"to {to}", f"派至 {to}") if to else one_line("to nobody", "暂无承办人")

    def recast(self, ticket: Ticket, incident: Incident, now: datetime) -> Ticket:
        """The ticket of an incident that turned out to be of another kind."""
        deadlines, why = self._clocks.tightened(ticket, incident.kind, now)
        profile = self._city.profile.kinds.get(incident.kind)
        return msgspec.structs.replace(
            ticket,
            kind=incident.kind,
            code=profile.code if profile else None,
            deadlines=deadlines,
            reason={**ticket.reason, "deadlines": why},
        )
