"""What the sensors say about the work: recovered, relapsed."""

from __future__ import annotations

from datetime import datetime

from contracts.case import Change, Incident
from router.desk import SENSOR
from router.house import House
from router.stages import step
from router.words import one_line


def recovered(house: House, incident: Incident, now: datetime) -> list[Change]:
    """The sensors say it is over: verifies what was done, asks where nobody was yet."""
    changes: list[Change] = []
    for ticket in house.book.open_tickets_of(incident.id):
        if incident.kind in house.settings.moment_kinds:
            continue
        if ticket.stage == "disposed":
            changes += house.put(house.desk.verified_by_sensor(ticket, now), "verified", now)
        elif incident.kind in house.settings.self_healing_kinds and ticket.stage == "dispatched":
            moved = house.desk.withdrawn(ticket, now, "it reports again", "设备已恢复上报")
            changes += house.put(moved, "cancelled", now)
        elif ticket.stage != "verified":
            note = one_line(
                "the sensor says it is over: please confirm", "传感器显示已恢复，请现场确认"
            )
            changes += house.put(step(ticket, now, "updated", SENSOR, note), "updated", now)
    return changes


def relapsed(house: House, incident: Incident, now: datetime) -> list[Change]:
    """The sensors say it is back: what was verified goes back to work."""
    changes: list[Change] = []
    for ticket in house.book.open_tickets_of(incident.id):
        if ticket.stage == "verified":
            changes += house.put(house.desk.contradicted(ticket, now), "reworked", now)
    return changes
