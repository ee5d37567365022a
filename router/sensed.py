"""What the sensors say about the work: recovered, relapsed, able to say it again."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.case import Change, Incident, Ticket
from contracts.event import Event
from router import questions, verification
from router.desk import SENSOR
from router.house import House
from router.stages import ENDED, step, with_reason
from router.words import both, one_line

NOBODY_CAME = frozenset({"dispatched", "accepted", "returned", "suspended", "reworked"})
"""Stages in which nobody is there to see that it is over: somebody is asked to confirm it."""
_PLEASE = ("the sensor says it is over: please confirm", "传感器显示已恢复，请现场确认")


def recovered(house: House, incident: Incident, now: datetime) -> list[Change]:
    """The sensors say it is over: verifies what was done, asks where nobody was yet."""
    changes: list[Change] = []
    if incident.kind in house.settings.moment_kinds:
        return changes
    for ticket in house.book.open_tickets_of(incident.id):
        if ticket.stage == "disposed":
            changes += verified(house, ticket, now)
        elif incident.kind in house.settings.self_healing_kinds and ticket.stage == "dispatched":
            moved = house.desk.withdrawn(ticket, now, "it reports again", "设备已恢复上报")
            changes += house.put(moved, "cancelled", now)
        elif ticket.stage in NOBODY_CAME:
            moved = questions.ask(
                ticket, questions.CONFIRM, now, SENSOR, house.desk.ask_by(ticket, now), _PLEASE
            )
            changes += house.put(
                step(moved, now, "updated", SENSOR, one_line(*_PLEASE)), "updated", now
            )
        elif ticket.stage != "verified":
            changes += house.put(
                step(ticket, now, "updated", SENSOR, one_line(*_PLEASE)), "updated", now
            )
    return changes


def verified(house: House, ticket: Ticket, now: datetime) -> list[Change]:
    """Disposed, and the sensor says it is over: verified, unless it is in no state to say so."""
    silent = verification.unable(house, ticket, now)
    if silent is not None:
        return house.put(silent, "updated", now)
    if verification.doubted(ticket) or ticket.reason.get("deaf") or house.over(ticket) is not True:
        return []
    shown = verification.proof(house, ticket)
    return house.put(house.desk.verified_by_sensor(ticket, now, shown), "verified", now)


def relapsed(house: House, incident: Incident, now: datetime) -> list[Change]:
    """The sensors say it is back: what was verified goes back to work, what was closed a short
    while ago is opened again, and nobody need confirm any more."""
    changes: list[Change] = []
    for ticket in house.book.open_tickets_of(incident.id):
        if ticket.stage == "verified":
            shown = verification.proof(house, ticket)
            changes += house.put(house.desk.contradicted(ticket, now, shown), "reworked", now)
        elif questions.is_open(ticket, questions.CONFIRM):
            moved = questions.withdrawn(ticket, (questions.CONFIRM,), now)
            note = one_line("it is back: go on", "再次报警，请继续处置")
            moved = step(house.ladder.arm(moved, now), now, "updated", SENSOR, note)
            changes += house.put(moved, "updated", now)
    if not house.book.open_tickets_of(incident.id):
        changes += _opened_again(house, incident, now)
    return changes


def _opened_again(house: House, incident: Incident, now: datetime) -> list[Change]:
    changes: list[Change] = []
    for ticket in house.book.tickets_of(incident.id):
        if ticket.parent is None and may_reopen(house, ticket, now):
            words = both("the sensor reports it again: opened again", "传感器再次报警，重新办理")
            moved = house.desk.reopened(ticket, now, SENSOR, words, doubt=False)
            changes += house.put(moved, "reworked", now)
    return changes


def may_reopen(house: House, ticket: Ticket, now: datetime) -> bool:
    """Whether it was closed so short a while ago that it may be opened again."""
    ended = [s.at for s in ticket.timeline if s.change == "closed"]
    if ticket.stage not in ENDED or not ended:
        return False
    return now - ended[-1] <= timedelta(seconds=house.settings.reopen_s)


def speaks_again(house: House, event: Event, now: datetime) -> list[Change]:
    """A sensor that could not verify can say again: what waits for a person is looked at anew."""
    if event.kind not in verification.DEAF_KINDS or event.phase != "closed":
        return []
    changes: list[Change] = []
    device = event.device or event.site
    of = [house.book.incident_of(e.id) for e in house.book.told_by(device)]
    waiting = {
        t.id: t
        for incident in of
        if incident is not None
        for t in house.book.tickets_of(incident.id)
        if t.stage == "disposed" and device in (t.reason.get("deaf") or {}).get("devices", ())
    }
    for _, ticket in sorted(waiting.items()):
        if verification.deaf(house, ticket):
            continue  # another one, or it is silent and faulty
        moved = with_reason(ticket, deaf=None)
        note = one_line("the sensor reports again", "传感器已恢复上报")
        changes += house.put(step(moved, now, "updated", SENSOR, note), "updated", now)
        changes += verified(house, house.book.tickets[ticket.id], now)
    return changes
