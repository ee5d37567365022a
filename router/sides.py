"""What a merge, a split or its undoing does to incidents and to the ticket on the other side."""

from __future__ import annotations

from datetime import datetime

import msgspec

from contracts.case import Change, Command, Incident, Ticket
from contracts.wire import plain
from router import byhand, hearing, sensed
from router.book import is_open
from router.causes import root_ticket
from router.house import House
from router.relate import between_m
from router.stages import step
from router.words import apart, one_line


def follows(house: House, ticket: Ticket, command: Command, now: datetime) -> list[Change]:
    """After the deed on `ticket`."""
    if command.action == "merge":
        return _merge(house, ticket, command, now)
    if command.action == "split":
        return _split(house, ticket, command, now)
    return _undo(house, ticket, command, now) if command.action == "undo" else []


def _because(incident: Incident, en: str, zh: str) -> str:
    old_en, old_zh = apart(incident.reason)
    return one_line(f"{old_en}; {en}", f"{old_zh}；{zh}")


# --- merged ---------------------------------------------------------------------------------------


def _merge(house: House, gone: Ticket, command: Command, now: datetime) -> list[Change]:
    book = house.book
    into = book.tickets[str((command.data or {})["into"])]
    a, b = book.incidents[gone.incident], book.incidents[into.incident]
    own = [e.id for e in book.own_events_of(a)]
    changes: list[Change] = []
    for part in book.children_of(gone):
        if is_open(part):
            moved = byhand.ended(house, part, into, command, now)
            changes += house.put(moved, "cancelled", now)
    marked = byhand.noted(
        into,
        command,
        now,
        what="took",
        ticket=gone.id,
        incident=a.id,
        was={
            "events": list(b.events),
            "places": len(b.also),
            "incident": {"kind": b.kind, "site": b.site, "severity": b.severity},
            "ticket": plain(byhand.facts(into)),
            "parts": [t.id for t in book.children_of(into)],
        },
    )
    why = command.reason or ""
    note = one_line(f"{gone.id} was merged into it: {why}", f"{gone.id} 并入本工单：{why}")
    changes += house.put(step(marked, now, "updated", command.by, note), "updated", now)
    ended = msgspec.structs.replace(
        a,
        rev=a.rev + 1,
        merged_into=b.id,
        closed_at=a.closed_at or now,
        reason=_because(
            a,
            f"merged into {b.id} by {command.by}: {why}",
            f"由{command.by}并入 {b.id}：{why}",
        ),
    )
    changes.append(house.put_incident(ended, "updated" if a.closed_at else "closed", now))
    house.set_timers(a.id)
    wider = msgspec.structs.replace(b, also=(*b.also, a.place, *a.also))
    told = [(f"joined by {len(own)} events of {a.id}", f"并入 {a.id} 的{len(own)}起事件")]
    events = (*b.events, *(e for e in own if e not in b.events))
    return changes + hearing.refresh(house, wider, now, events=events, told=told)


# --- split ---------------------------------------------------------------------------------------


def _split(house: House, ticket: Ticket, command: Command, now: datetime) -> list[Change]:
    book = house.book
    incident = book.incidents[ticket.incident]
    names = byhand.asked_events(command)
    name = str(byhand.entries(ticket)[-1]["incident"])
    rest = [e for e in book.own_events_of(incident) if e.id not in names]
    kinds = [e.kind for e in rest if e.kind != "citizen_report"] or [rest[0].kind]
    kind = incident.kind if incident.kind in kinds else kinds[0]
    smaller = msgspec.structs.replace(
        incident, kind=kind, severity=house.correlator.severity(kind, rest)
    )
    n, why = len(names), command.reason or ""
    told = [(f"{n} events are no longer its own", f"{n}起事件已拆出")]
    left = tuple(e for e in incident.events if e not in names)
    changes = hearing.refresh(house, smaller, now, events=left, told=told)
    first = house.incidents.open(book.events[names[0]], name, now)
    new = msgspec.structs.replace(
        house.incidents.revised(first, tuple(names), book, now), rev=1, split_from=incident.id
    )
    new = msgspec.structs.replace(
        new,
        reason=_because(
            new,
            f"split from {incident.id} by {command.by}: {why}",
            f"由{command.by}自 {incident.id} 拆出：{why}",
        ),
    )
    changes.append(house.put_incident(new, "opened", now))
    changes += house.open_tickets(new, now)
    root = root_ticket(new, book)
    if root is not None:
        entry = {"what": "split_from", "ticket": ticket.id, "incident": new.id}
        marked = byhand.noted(root, command, now, **entry)
        note = one_line(f"split from {ticket.id}: {why}", f"自 {ticket.id} 拆出：{why}")
        changes += house.put(step(marked, now, "updated", command.by, note), "updated", now)
    house.set_timers(new.id)
    return changes


# --- undone ---------------------------------------------------------------------------------------


def _undo(house: House, ticket: Ticket, command: Command, now: datetime) -> list[Change]:
    book = house.book
    last = ticket.reason["undone"]
    mine = last["what"] in ("merged", "split_from")
    kept = book.tickets[last["ticket"]] if mine else ticket
    apart_ = book.incidents[ticket.incident if mine else last["incident"]]
    other = ticket if mine else root_ticket(apart_, book)
    changes: list[Change] = []
    if last["what"] in ("merged", "took"):
        assert other is not None  # a merge is only undone while its ticket is known
        was = (byhand.entries(kept)[-1] if mine else last)["was"]
        if mine:
            changes += house.put(byhand.kept_as_it_was(kept, command, now), "updated", now)
        else:
            moved = byhand.returned(house, other, command, now)
            changes += house.put(moved, moved.stage, now)
        for part in book.children_of(other):
            entries = byhand.entries(part)
            if part.stage == "void" and entries and entries[-1]["what"] == "merged":
                moved = byhand.returned(house, part, command, now)
                changes += house.put(moved, moved.stage, now)
        for part in book.children_of(kept):
            if is_open(part) and part.id not in was["parts"]:
                moved = byhand.withdrawn(house, part, command, now)
                changes += house.put(moved, "cancelled", now)
        return changes + _parted(house, book.incidents[kept.incident], apart_, was, now)
    if mine:
        changes += house.put(byhand.kept_as_it_was(kept, command, now), "updated", now)
    for gone in book.open_tickets_of(apart_.id):
        changes += house.put(byhand.withdrawn(house, gone, command, now), "cancelled", now)
    return changes + _rejoined(house, book.incidents[kept.incident], apart_, command, now)


def _parted(
    house: House, b: Incident, a: Incident, was: dict[str, object], now: datetime
) -> list[Change]:
    """The events of two merged incidents are each one's own again; what came since goes with the
    one it lies nearer to."""
    book = house.book
    before = was["events"]
    assert isinstance(before, list)
    later = [e for e in book.events_of(b) if e.id not in before and e.id not in a.events]
    nearer = [e.id for e in later if between_m(e.place, a.place) < between_m(e.place, b.place)]
    theirs = [*(e for e in a.events if e not in before), *nearer]
    places = was["places"]
    assert isinstance(places, int)
    smaller = msgspec.structs.replace(b, also=b.also[:places], **_dict(was["incident"]))
    told = [(f"without the events of {a.id}", f"不含 {a.id} 的事件")]
    left = tuple(e for e in b.events if e not in theirs)
    changes = hearing.refresh(house, smaller, now, events=left, told=told)
    alone = msgspec.structs.replace(a, merged_into=None, closed_at=None)
    grown = (*a.events, *nearer)
    events = [book.events[e] for e in grown if e in book.events]
    alone = msgspec.structs.replace(
        house.incidents.revised(alone, grown, book, now),
        rev=a.rev + 1,
        reason=house.incidents.reason(house.correlator.kind_of(a, events), events, a.cause),
    )
    if house.correlator.over(a.kind, events) is None and not book.open_tickets_of(a.id):
        alone = msgspec.structs.replace(alone, closed_at=a.closed_at)
    changes.append(house.put_incident(alone, "updated", now))
    if alone.closed_at is not None:
        changes += sensed.recovered(house, alone, now)
    house.set_timers(a.id)
    return changes


def _dict(value: object) -> dict[str, object]:
    return {str(k): v for k, v in value.items()} if isinstance(value, dict) else {}


def _rejoined(
    house: House, kept: Incident, gone: Incident, command: Command, now: datetime
) -> list[Change]:
    """What was split is the first one's again, with everything that came to it since."""
    book = house.book
    own = [e.id for e in book.own_events_of(gone)]
    why = command.reason or ""
    ended = msgspec.structs.replace(
        gone,
        rev=gone.rev + 1,
        merged_into=kept.id,
        closed_at=gone.closed_at or now,
        reason=_because(gone, f"split undone: {why}", f"撤销拆分：{why}"),
    )
    changes = [house.put_incident(ended, "updated" if gone.closed_at else "closed", now)]
    house.set_timers(gone.id)
    told = [(f"{len(own)} events are its own again", f"{len(own)}起事件重新并入")]
    events = (*kept.events, *(e for e in own if e not in kept.events))
    return changes + hearing.refresh(house, kept, now, events=events, told=told)
