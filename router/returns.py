"""回退: where a returned ticket goes next, without waiting for a person.

A worker's ticket goes to the next able worker, never to one who returned it; when nobody is left,
or after too many returns, to the grid head and the officers above, as a joint consultation. A
utility's return is a joint consultation at once (会商): it received it first, so it leads until it
is settled whose it is (首接负责). The chain of returns stays in the ticket.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from contracts.case import Change, Command, Ticket
from router import hands
from router.act import OWN_PART, consulted
from router.deadlines import with_deadlines
from router.house import House
from router.ladder import NEIGHBOUR
from router.opening import name_of
from router.stages import step, with_reason
from router.words import both, one_line


def goes_on(house: House, ticket: Ticket, command: Command, now: datetime) -> list[Change]:
    """What follows from a return (nothing from other commands)."""
    chain = ticket.reason.get("returns", ())
    if command.action != "return" or not chain:
        return []
    if chain[-1]["what"] == "utility":
        if chain[-1]["next"] == OWN_PART:
            return _own_part(house, ticket, chain[-1], now)
        return _consultation(house, ticket, chain[-1], now)
    return _next_worker(house, ticket, chain, now)


def _next_worker(
    house: House, ticket: Ticket, chain: list[dict[str, Any]], now: datetime
) -> list[Change]:
    out = {str(r["id"]) for r in chain if r["what"] == "worker"}
    last = chain[-1]
    rungs = house.city.profile.escalate_to
    climbed = any((w := house.roster.worker(who)) is not None and w.role in rungs for who in out)
    if not climbed and len(out) < house.settings.most_returns:
        rule = house.duties.rule_for(ticket.kind, ticket.grid)
        choice = house.roster.choose(
            ticket.place,
            now,
            skills=rule.skills if rule else (),
            load=house.book.load,
            without=out,
        )
        worker = house.roster.worker(choice.worker)
        asked = bool(choice.reason.get("on_shift"))
        if asked and worker is not None and worker.role not in rungs:
            note = one_line(
                f"returned by {last['name']} ({last['reason']}): to {worker.name} ({worker.id})",
                f"{last['name']} 回退（{last['reason']}），改派 {worker.name}（{worker.id}）",
            )
            why = {**choice.reason, "instead_of": sorted(out)}
            moved = hands.leads(with_reason(ticket, worker=why), worker.id, now)
            moved = msgspec.structs.replace(moved, runners_up=choice.runners_up)
            return _sent(house, moved, worker.id, now, note)
    for role in rungs:
        officer = None if role == NEIGHBOUR else house.roster.officer(role, ticket.grid)
        if officer is not None and officer.id not in out:
            because = (
                f"returned {len(chain)} x, last by {last['name']}: {last['reason']}",
                f"已回退{len(chain)}次，最近由 {last['name']}：{last['reason']}",
            )
            words = both(
                f"{because[0]}; {officer.name} decides", f"{because[1]}；由{officer.name}协调"
            )
            first = str(chain[0]["id"])
            why = {
                "worker": officer.id,
                "name": officer.name,
                "instead_of": sorted(out),
                "first_receiver": first,
                **words,
            }
            moved = hands.leads(with_reason(ticket, worker=why), officer.id, now)
            moved = msgspec.structs.replace(moved, lane="joint")
            note = one_line(words["text_en"], words["text_zh"])
            return _sent(house, moved, officer.id, now, note)
    # Nobody is left at all: who received it first leads the consultation.
    first = str(chain[0]["id"])
    lead = first if first in house.city.workers else ticket.worker
    moved = msgspec.structs.replace(_went(ticket, first), worker=lead)
    moved = consulted(house.desk, moved, now, "router", str(last["reason"]))
    text = moved.reason["questions"]["consultation"]
    note = one_line(text["text_en"], text["text_zh"])
    return house.put(step(moved, now, "updated", "router", note), "updated", now)


def _sent(house: House, ticket: Ticket, to: str, now: datetime, note: str) -> list[Change]:
    moved = house.desk.to_stage(_went(ticket, to), "dispatched", now, "router", note)
    return house.put(moved, "dispatched", now)


def _went(ticket: Ticket, to: str) -> Ticket:
    chain = [dict(r) for r in ticket.reason["returns"]]
    chain[-1]["next"] = to
    return with_reason(ticket, returns=chain)


def _consultation(house: House, part: Ticket, last: dict[str, Any], now: datetime) -> list[Change]:
    moved = consulted(house.desk, _went(part, "consultation"), now, "router", str(last["reason"]))
    text = moved.reason["questions"]["consultation"]
    note = one_line(text["text_en"], text["text_zh"])
    changes = house.put(step(moved, now, "updated", "router", note), "updated", now)
    parent = house.book.tickets.get(part.parent or "")
    if parent is not None:
        told = one_line(
            f"its part {part.id} was returned by {last['name']}: {last['reason']}",
            f"子工单 {part.id} 被 {last['name']} 回退：{last['reason']}",
        )
        changes += house.put(step(parent, now, "updated", "router", told), "updated", now)
    return changes


def _own_part(house: House, root: Ticket, last: dict[str, Any], now: datetime) -> list[Change]:
    """The utility shared the worker's ticket: what is open is whose it is, and that gets a ticket
    of its own; the worker's work goes on."""
    incident = house.book.incidents[root.incident]
    duty = house.opener.duty(incident, house.book.events_of(incident))
    part = house.opener.part(root, str(last["id"]), incident, duty, now)
    if part.id in house.book.tickets:  # it had a part before, and was given the ticket again
        again = name_of("t", root.id, str(last["id"]), str(root.rev))
        part = msgspec.structs.replace(part, id=again)
    part = with_deadlines(part, (root.deadlines, dict(root.reason["deadlines"])))
    part = with_reason(part, returns=[last])
    changes = house.put(part, "opened", now)
    returned = house.desk.to_stage(part, "returned", now, str(last["by"]), str(last["reason"]))
    changes += house.put(returned, "returned", now)
    return changes + _consultation(house, returned, last, now)
