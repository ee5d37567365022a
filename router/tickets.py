"""How open tickets follow their incident: only what people act on makes a revision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from contracts.case import Incident, Ticket
from contracts.event import Event
from router.causes import incident_reason
from router.correlate import between_m
from router.ears import Ears
from router.ladder import Ladder
from router.opening import Opener
from router.settings import RouterSettings
from router.stages import step, with_reason
from router.utility import Duty
from router.words import kind_names, one_line

Words = tuple[str, str]


class Tickets:
    """Ticket revisions that an incident's revision calls for; keeps nothing."""

    def __init__(self, opener: Opener, ladder: Ladder, settings: RouterSettings) -> None:
        self._opener = opener
        self._ears = Ears(settings)
        self._ladder = ladder
        self._s = settings

    def joined(self, event: Event, how: str) -> Words:
        """What is told when another event joins."""
        zh, en = kind_names(event.kind)
        if how == "heard":
            return "a bang was heard that fits", "听到与之相符的异响"
        if how == "report" and event.kind == "citizen_report":
            return "a resident reports it too", "居民也已上报"
        return f"joined by {en.lower()} at {event.site}", f"并入{event.site}{zh}"

    def follow(
        self,
        tickets: Sequence[Ticket],
        old: Incident,
        new: Incident,
        events: Sequence[Event],
        *,
        now: datetime,
        told: Sequence[Words],
    ) -> Iterator[tuple[Ticket, str]]:
        """(ticket, change) for each open ticket that must say something new, and for the parts
        of utilities that only now turn out to be concerned."""
        duty = self._opener.duty(new, events)
        for ticket in tickets:
            words = [*told, *self._changed(ticket, old, new)]
            late: list[str] = []
            moved = ticket
            if ticket.parent is None:
                late = self._late_utilities(ticket, tickets, duty)
                moved = self._with_utilities(ticket, tickets, late, duty)
                words += (
                    [(f"also concerns {', '.join(late)}", f"涉及{'、'.join(late)}")] if late else []
                )
            if not words:
                continue
            if new.kind != ticket.kind:
                moved = msgspec.structs.replace(moved, lane=duty.lane)
            moved = self._revised(moved, new, events, words, now)
            yield moved, "updated"
            if moved.utility is None:
                first = [ticket.utility] if ticket.utility else []
                for utility in [*first, *late]:
                    yield self._opener.part(moved, utility, new, duty, now), "opened"

    def _changed(self, ticket: Ticket, old: Incident, new: Incident) -> Iterator[Words]:
        if new.kind != ticket.kind:
            zh, en = kind_names(new.kind)
            yield f"it is now known to be: {en.lower()}", f"现查明为{zh}"
        if new.severity > ticket.severity:
            yield (
                f"severity {ticket.severity} to {new.severity}",
                f"等级由{ticket.severity}升至{new.severity}",
            )
        metres = between_m(ticket.place, new.place)
        if metres > self._s.move_m:
            yield f"the place moved by {metres:.0f} m", f"位置更正{metres:.0f}米"
        if old.closed_at is not None and new.closed_at is None:
            yield "the sensor reports it again", "传感器再次报警"

    def _late_utilities(self, root: Ticket, tickets: Sequence[Ticket], duty: Duty) -> list[str]:
        """Utilities that were not known to be concerned when the ticket was opened. One that a
        person has replaced is not called again."""
        known = set(root.reason.get("utility", {}).get("owners", {}))
        known |= {t.utility for t in tickets if t.utility}
        return [u for u in duty.utilities if u not in known]

    def _with_utilities(
        self, root: Ticket, tickets: Sequence[Ticket], late: list[str], duty: Duty
    ) -> Ticket:
        if not late:
            return root
        parts = any(t.parent == root.id for t in tickets)
        alone = len(late) == 1 and root.utility is None and not parts
        moved = with_reason(root, utility=duty.reason)
        return msgspec.structs.replace(moved, utility=late[0] if alone else None, lane=duty.lane)

    def _revised(
        self,
        ticket: Ticket,
        incident: Incident,
        events: Sequence[Event],
        words: list[Words],
        now: datetime,
    ) -> Ticket:
        moved = ticket
        if incident.kind != ticket.kind:
            moved = self._opener.recast(moved, incident, now)
            if int(moved.reason.get("ladder", {}).get("rung") or 0) == 0:
                moved = self._ladder.arm(moved, now)
        moved = with_reason(moved, incident=incident_reason(incident))
        sound = self._ears.reason(events)
        if sound is not None:
            moved = with_reason(moved, sound=sound)
        note = one_line("; ".join(en for en, _ in words), "；".join(zh for _, zh in words))
        return step(
            moved,
            now,
            "updated",
            "router",
            note,
            severity=max(moved.severity, incident.severity),
            place=incident.place,
            grid=incident.place.grid,
        )
