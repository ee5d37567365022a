"""The desk in memory: the same pages, cursors and refusals as on PostgreSQL."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

import msgspec

from contracts.accounts import View
from contracts.batch import OutboxRow, Undelivered
from contracts.case import Answer, Command
from contracts.clock import monotonic
from contracts.kinds import OPEN_STAGES
from contracts.people import concerned
from contracts.ports import IntakeRow, Page, Query, What
from contracts.wire import (
    event_object,
    incident_object,
    silence_object,
    ticket_glance,
    ticket_object,
)
from store import cursor as cursors
from store import desk, pack
from store.memory import MemoryStore, as_row
from store.memory_history import MemoryHistory

Row = dict[str, Any]
"""A row as PostgreSQL's query would give it, `object` beside it where it is made already."""


class MemoryDesk:
    """`contracts.ports.Desk` on a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.annals = store.annals
        self.history = MemoryHistory(
            lambda: [
                (device, metric, ts, ident, reading.value)
                for (device, metric, ts, ident), (reading, *_) in store.readings.items()
            ]
        )

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    # --- reads ---------------------------------------------------------------------------------

    async def page(self, what: What, query: Query) -> Page:
        """One page of JSON-ready objects; as `PgDesk.page`."""
        given = cursors.parameters(what, query)
        with self._store.lock:
            rows = list(self._rows(what))
        rows = [row for row in rows if _passes(what, row, given)]
        forward = what in ("devices", "workers", "readings")
        rows.sort(key=lambda row: _order(what, row), reverse=not forward)
        if given["after_id"] is not None:
            after = _after(what, given)
            rows = [
                row
                for row in rows
                if (_order(what, row) > after if forward else _order(what, row) < after)
            ]
        more, rows = len(rows) > query.limit, rows[: query.limit]
        items = [_shown(what, row) for row in rows]
        return Page(items, desk.cursor_of(what, rows[-1], given) if more else None)

    async def get(self, what: What, id: str) -> dict[str, Any] | None:
        """One object, or None."""
        if what == "readings":
            return None
        with self._store.lock:
            found = [row for row in self._rows(what, whole=True) if row["id"] == id]
        return _shown(what, found[0]) if found else None

    def _rows(self, what: What, whole: bool = False) -> Iterable[Row]:
        store = self._store
        if what == "tickets":
            for _, t in store.tickets.values():
                facts: Row = {"kind": t.kind, "stage": t.stage, "grid": t.grid}
                facts |= {"severity": t.severity, "utility": t.utility}
                yield {"id": t.id, "sort": t.opened_at, **facts, "object": ticket_object(t)}
        elif what == "incidents":
            for _, i in store.incidents.values():
                facts = {"kind": i.kind, "grid": i.place.grid}
                yield {"id": i.id, "sort": i.opened_at, **facts, "object": incident_object(i)}
        elif what == "silences":
            for _, s in store.silences.values():
                yield {
                    **{"id": s.id, "sort": s.made_at, "grid": s.grid},
                    "object": silence_object(s),
                }
        elif what == "events":
            for published in store.newest_events():
                e = published.event
                facts = {"kind": e.kind, "grid": e.place.grid, "device": e.device}
                yield {"id": e.id, "sort": e.at, **facts, "object": event_object(e)}
        elif what == "devices":
            for name in store.statuses.keys() | store.seen.keys():
                status = store.statuses.get(name)
                yield {
                    "id": name,
                    "device": name,
                    "online": status.online if status else None,
                    "status_at": status.at if status else None,
                    "last_reading_at": store.seen.get(name),
                }
        elif what == "workers":
            for p in store.positions.values():
                yield {
                    **{"id": p.worker, "device": p.worker, "at": p.at},
                    **{"received_at": p.received_at, "accuracy_m": p.accuracy_m},
                    **{"lon": p.point.lon, "lat": p.point.lat},
                }
        elif what == "dead-letters":
            yield from self._dead_letters(whole)
        else:
            for (_, _, ts, ident), (r, _, _, _) in store.readings.items():
                facts = {name: getattr(r, name) for name in r.__struct_fields__ if name != "at"}
                yield {**facts, "ts": ts, "sort": ts, "ident": ident, "effective_at": r.at}

    def _dead_letters(self, whole: bool) -> Iterable[Row]:
        for letter in self._store.dead_letters.values():
            row = msgspec.structs.asdict(letter)
            yield _letter({**row, "sort": letter.received_at, "kind": letter.code}, whole)
        for number, message in self._store.unknown.items():
            reason = f"no device {message.device} is registered; the message is kept until it is"
            adapter = "native" if message.topic.startswith("gridsentry/v1/") else "outside"
            facts = {"code": "unknown_device", "reason": reason, "adapter": adapter}
            row = {**msgspec.structs.asdict(message), **facts, "id": f"u-{number}"}
            row["bytes"] = len(message.payload)
            row["sha256"] = hashlib.sha256(message.payload).hexdigest()
            yield _letter({**row, "sort": message.received_at, "kind": "unknown_device"}, whole)

    async def tickets_of_event(self, event: str) -> list[dict[str, Any]]:
        """The tickets of every incident this event belongs to, newest first."""
        with self._store.lock:
            theirs = {i.id for _, i in self._store.incidents.values() if event in i.events}
            found = [t for _, t in self._store.tickets.values() if t.incident in theirs]
        found.sort(key=lambda t: (t.opened_at, t.id), reverse=True)
        return [ticket_object(t) for t in found[: desk.TICKETS_OF_EVENT]]

    async def tickets_of_worker(
        self, worker: str, since: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """Open tickets that concern this worker, and those changed at or after `since`."""
        with self._store.lock:
            kept = list(self._store.tickets.values())
        kept.sort(key=lambda entry: (entry[1].opened_at, entry[1].id), reverse=True)
        shown = (
            ticket_object(ticket)
            for known_at, ticket in kept
            if ticket.stage in OPEN_STAGES or known_at >= since
        )
        return [ticket for ticket in shown if worker in concerned(ticket)][:limit]

    async def lately(self, since: datetime) -> list[dict[str, Any]]:
        """Open tickets and those changed at or after `since`, at a glance."""
        with self._store.lock:
            kept = [
                t
                for known_at, t in self._store.tickets.values()
                if t.stage in OPEN_STAGES or known_at >= since
            ]
        return [ticket_glance(ticket_object(t)) for t in kept]

    # --- commands and reports ------------------------------------------------------------------

    async def file_command(self, command: Command, wait_s: float) -> Answer | None:
        """File it and wait for the router's answer; None when none came in time (it stays)."""
        until = monotonic() + wait_s
        with self._store.lock:
            self._store.commands.setdefault(command.id, command)
        self._store.work.set()
        while command.id not in self._store.answers:
            if monotonic() >= until:
                return None
            await asyncio.sleep(0.005)
        return self._store.answers[command.id]

    async def file_report(self, topic: str, payload: bytes, received_at: datetime) -> None:
        """Hand a report to the intake, as if it had come by MQTT."""
        with self._store.lock:
            number = self._store.number()
            self._store.intake[number] = IntakeRow(number, topic, payload, received_at)
        self._store.work.set()

    # --- the stream ----------------------------------------------------------------------------

    async def newest_position(self) -> int:
        """The stream's newest position, 0 when empty."""
        return self._store.newest

    async def oldest_position(self) -> int:
        """The oldest position still kept; one above the newest when none is."""
        with self._store.lock:
            places = [row.position for row in self._store.outbox.values() if row.position]
            return min(places, default=self._store.newest + 1)

    async def stream(self, after: int, limit: int) -> list[OutboxRow]:
        """Rows with a position above `after`, in order."""
        with self._store.lock:
            rows = [
                as_row(name, row)
                for name, row in self._store.outbox.items()
                if row.position is not None and row.position > after
            ]
        return sorted(rows, key=lambda row: row.position)[:limit]

    async def follow(self) -> AsyncIterator[None]:
        """Yields at once, whenever the stream has grown, and every 5 s at least."""
        loop, grown = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(grown.set)

        with self._store.lock:
            self._store.followers.append(wake)
        try:
            while True:
                yield None
                try:
                    await asyncio.wait_for(grown.wait(), 5.0)
                except TimeoutError:
                    continue
                grown.clear()
        finally:
            with self._store.lock:
                self._store.followers.remove(wake)

    async def target_position(self, target: str) -> int:
        """How far an outgoing target has got; 0 for one that never was."""
        return self._store.targets.get(target, 0)

    async def start_target(self, target: str, position: int) -> int:
        """Where a target goes on; one that never was begins at `position`."""
        with self._store.lock:
            return self._store.targets.setdefault(target, position)

    async def hold(self, lease: str, holder: str, now: datetime, ttl_s: float) -> bool:
        """Take or renew a lease; False while another live holder has it."""
        return self._store.take_lease(lease, holder, now, ttl_s) is not None

    async def put_undelivered(self, item: Undelivered) -> None:
        """Keep what a target did not take, with the reason."""
        with self._store.lock:
            self._store.undelivered.setdefault((item.target, item.key), item)

    async def undelivered(self, limit: int) -> list[Undelivered]:
        """The newest of what targets did not take."""
        with self._store.lock:
            kept = sorted(self._store.undelivered.values(), key=lambda u: (u.target, u.key))
        return sorted(kept, key=lambda u: u.given_up_at, reverse=True)[:limit]

    async def set_target_position(self, target: str, position: int) -> None:
        """The target has everything up to here. Never goes back."""
        with self._store.lock:
            before = self._store.targets.get(target, 0)
            self._store.targets[target] = max(before, position)

    async def log_access(
        self,
        who: str,
        what: str,
        at: datetime,
        reason: str | None = None,
        *,
        account: str | None = None,
        address: str | None = None,
    ) -> None:
        """Evidence and personal data were looked at, by which account from where; an original with
        the reason given."""
        with self._store.lock:
            number = len(self._store.access) + 1
            self._store.access.append(
                View(
                    id=number, at=at, who=who, what=what, reason=reason, account=account,
                    address=address,
                )
            )  # fmt: skip

    async def ping(self) -> None:
        """Memory always answers."""


def _letter(row: Row, whole: bool) -> Row:
    if not whole:
        row.pop("payload")
    return row


def _passes(what: What, row: Row, given: Row) -> bool:
    for name in ("kind", "stage", "utility", "grid", "device", "metric"):
        if given.get(name) is not None and row[name] != given[name]:
            return False
    if given.get("severity") is not None and row["severity"] < given["severity"]:
        return False
    if given.get("grids") is not None and row["grid"] not in given["grids"]:
        return False
    if given.get("worker") is not None and given["worker"] not in concerned(row["object"]):
        return False
    since, until = given.get("since"), given.get("until")
    return (since is None or row["sort"] >= since) and (until is None or row["sort"] < until)


def _order(what: What, row: Row) -> tuple[Any, ...]:
    if what == "readings":
        return (row["ts"], row["device"], row["metric"], row["ident"])
    if what in ("devices", "workers"):
        return (row["id"],)
    return (row["sort"], row["id"])


def _after(what: What, given: Row) -> tuple[Any, ...]:
    if what == "readings":
        names = ("after_sort", "after_device", "after_id", "after_ident")
        return tuple(given[name] for name in names)
    if what in ("devices", "workers"):
        return (given["after_id"],)
    return (given["after_sort"], given["after_id"])


def _shown(what: What, row: Row) -> Row:
    if "object" in row:
        made: Row = row["object"]
        return made
    if what == "readings":
        row = {**row, "boot": pack.signed(row["boot"])}
    return desk.shown(what, row)
