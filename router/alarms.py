"""What tickets and incidents wait for, and what happens when it is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.case import Change, Incident, Ticket
from router import patrols, questions, silences, verification
from router.book import is_open
from router.consult import NobodyNamed
from router.hands import HelpUnanswered
from router.house import Alarm, House
from router.ladder import rung_words
from router.lapse import RoundLapses
from router.stages import step
from router.unanswered import OfferUnanswered
from router.words import local, moment, one_line


class SuspensionEnds:
    """挂账 until a date: it comes back by itself."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """The date; one without a date (of an older version) comes back all the same."""
        if ticket.stage != "suspended":
            return None
        suspended = ticket.reason.get("suspended", {})
        since = moment(suspended.get("at")) or ticket.updated_at
        latest = since + timedelta(seconds=house.settings.suspend_s)
        return moment(suspended.get("until")) or latest

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """Back to where it was."""
        note = one_line("the time of its suspension is up: it goes on", "挂账到期，恢复办理")
        return house.put(*house.desk.resumed(ticket, now, "router", note), now)


class SensorContradicts:
    """Disposed, but a sensor still says otherwise when the time to verify is over: 返工."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """The end of the time to verify; None where the sensor was found unable to say."""
        if ticket.stage != "disposed" or house.over(ticket) is not False:
            return None
        if verification.doubted(ticket) or ticket.reason.get("deaf"):
            return None
        return ticket.deadlines.verify

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """Back to work; or, where the sensor has fallen silent meanwhile, a person must look."""
        silent = verification.unable(house, ticket, now)
        if silent is not None:
            return house.put(silent, "updated", now)
        shown = verification.proof(house, ticket)
        return house.put(house.desk.contradicted(ticket, now, shown), "reworked", now)


class Unanswered:
    """A question that nobody has answered goes one rung higher."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """When the first of its open questions is put again."""
        found = questions.due(ticket) if house.settings.ladder else None
        return found[1] if found else None

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """Put again, to the next rung that somebody is on."""
        name = (questions.due(ticket) or ("", now))[0]
        asked = questions.asked(ticket, name)
        last = asked.get("rung")
        top = len(house.city.profile.escalate_to) - 1
        above = 0 if last is None else min(int(last) + 1, top)
        rung = house.ladder.rung(ticket, above, now, "verify")
        s = house.settings
        pause = house.ladder.pause(ticket, s.remind_every_s if rung.top else s.escalate_every_s)
        moved = questions.asked_again(
            ticket,
            name,
            house.clocks.time_of(ticket).add(now, pause),
            rung=rung.index,
            to=rung.role,
            person=rung.person.id if rung.person else None,
        )
        since = local(moment(asked["at"]) or now, house.zone)
        to_en, to_zh = rung_words(rung)
        note = one_line(
            f"no answer since {since}: {asked['text_en']}; to {to_en}",
            f"{since}起无人答复：{asked['text_zh']}；报{to_zh}",
        )
        change = "reminded" if rung.index == last else "escalated"
        return house.put(step(moved, now, change, "router", note), change, now)


class ClosesItself:
    """What the sensor verified and did not take back is closed, the parent after its parts."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """A while after the verification; None while a part is open or no sensor had a say."""
        proof = ticket.reason.get("verification", {})
        wait = house.settings.closes_itself_s
        if ticket.stage != "verified" or not wait or not proof.get("ok"):
            return None
        if "sensor" not in (proof.get("by"), proof.get("with")):
            return None
        if any(is_open(part) for part in house.book.children_of(ticket)):
            return None
        return (moment(proof.get("at")) or ticket.updated_at) + timedelta(seconds=wait)

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """Closed by the router, and judged by its times."""
        note = one_line(
            "the sensor verified it and did not take it back: closed",
            "传感器核实后未复发，自动结案",
        )
        return house.put(house.desk.to_stage(ticket, "closed", now, "router", note), "closed", now)


class NextRung:
    """Reminders and escalation."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """The ladder's next step; a question that holds it climbs in its place."""
        return None if questions.holds(ticket) else house.ladder.due(ticket)

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """One step on."""
        moved, change, note = house.ladder.fire(ticket, now)
        return house.put(step(moved, now, change, "router", note), change, now)


ALARMS: tuple[Alarm, ...] = (
    SuspensionEnds(),
    RoundLapses(),
    SensorContradicts(),
    ClosesItself(),
    Unanswered(),
    NobodyNamed(),
    HelpUnanswered(),
    OfferUnanswered(),
    NextRung(),
)
"""In the order in which they ring when several are due."""


def ring(house: House, now: datetime) -> list[Change]:
    """Everything due at or before `now`, in order."""
    house.book.forget(now)
    house.holds.forget(now - timedelta(seconds=house.settings.keep_ended_s))
    changes: list[Change] = []
    while (key := house.timers.pop(now)) is not None:
        if key in house.book.tickets:
            changes += _ticket_due(house, house.book.tickets[key], now)
        elif key.startswith(patrols.TIMER):
            changes += patrols.ring(house, key, now)
        elif key.startswith(silences.TIMERS):
            changes += silences.ring(house, key, now)
        elif key in house.book.incidents:
            changes += _grace_over(house, house.book.incidents[key], now)
    return changes


def _ticket_due(house: House, ticket: Ticket, now: datetime) -> list[Change]:
    for alarm in house.alarms:
        due = alarm.due(house, ticket)
        if due is not None and due <= now:
            return alarm.ring(house, ticket, now)
    house.set_ticket_timer(ticket)
    return []


def _grace_over(house: House, incident: Incident, now: datetime) -> list[Change]:
    """A symptom whose cause did not come becomes a ticket."""
    if incident.closed_at is not None or house.book.had_tickets(incident.id):
        return []
    return house.open_tickets(incident, now)
