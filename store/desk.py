"""What the center reads and files: pages, single objects, commands, reports, the stream."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from contracts.batch import OutboxRow, Undelivered
from contracts.case import Answer, Command, Incident, Silence, Ticket
from contracts.clock import monotonic
from contracts.errors import Temporary
from contracts.event import Event
from contracts.kinds import OPEN_STAGES
from contracts.nouns import Quality
from contracts.ports import Page, Query, What
from contracts.wire import event_object, incident_object, plain, silence_object, ticket_object
from store import cursor as cursors
from store.annals import PgAnnals
from store.connect import CHANNEL_STREAM, CHANNEL_WORK, PEER_LOSS, session_options
from store.failures import translated
from store.history import PgHistory
from store.pack import unsigned
from store.queries import sql
from store.settings import StoreSettings
from store.text import key, storable

log = logging.getLogger(__name__)

Row = dict[str, Any]
AsyncConnection = psycopg.AsyncConnection[DictRow]


TICKETS_OF_EVENT = 20
"""Tickets of one event that are handed out; the newest count."""


def reading_object(row: Row) -> Row:
    """A stored reading as `/readings` shows it."""
    return plain(
        {
            "device": row["device"],
            "metric": row["metric"],
            "ts": row["ts"],
            "value": row["value"],
            "at": row["effective_at"],
            "received_at": row["received_at"],
            "sent_at": row["sent_at"],
            "boot": unsigned(row["boot"]),
            "seq": None if row["seq"] is None else unsigned(row["seq"]),
            "quality": [flag.name.lower() for flag in Quality(row["quality"]) if flag.name],
        }
    )


def device_object(row: Row) -> Row:
    """What the store knows of a device; where it stands is in the city."""
    return plain({name: row[name] for name in ("id", "online", "status_at", "last_reading_at")})


def worker_object(row: Row) -> Row:
    """Where a worker is."""
    point = {"lon": row["lon"], "lat": row["lat"]}
    rest = {name: row[name] for name in ("id", "at", "received_at", "accuracy_m")}
    return plain({**rest, "point": point})


def dead_letter_object(row: Row) -> Row:
    """A dead letter; with `payload` (base64) where the row has it."""
    names = ("id", "topic", "code", "reason", "device", "adapter", "bytes", "sha256")
    shown = {name: row[name] for name in names}
    shown["received_at"] = row["received_at"] if "received_at" in row else row["sort"]
    if "payload" in row:
        shown["payload"] = base64.b64encode(bytes(row["payload"])).decode()
    return plain(shown)


def case_object(what: What, body: str) -> Row:
    """A stored event, incident, ticket or silence as the wire shows it."""
    if what == "tickets":
        return ticket_object(msgspec.json.decode(body, type=Ticket))
    if what == "incidents":
        return incident_object(msgspec.json.decode(body, type=Incident))
    if what == "silences":
        return silence_object(msgspec.json.decode(body, type=Silence))
    return event_object(msgspec.json.decode(body, type=Event))


def shown(what: What, row: Row) -> Row:
    """A row of a listing as JSON-ready builtins."""
    if what == "readings":
        return reading_object(row)
    if what == "devices":
        return device_object(row)
    if what == "workers":
        return worker_object(row)
    if what == "dead-letters":
        return dead_letter_object(row)
    return case_object(what, row["body"])


def cursor_of(what: What, row: Row, given: Row) -> str:
    """The cursor that goes on after this row of the page with these parameters."""
    if what == "readings" and given["device"] is None:
        key_of = (row["metric"], row["ts"], row["ident"], row["device"])
        cursor = cursors.Cursor(what, *key_of, given["until"])
    elif what == "readings":
        cursor = cursors.Cursor(what, row["metric"], row["ts"], row["ident"])
    elif what in ("devices", "workers"):
        cursor = cursors.Cursor(what, row["id"])
    else:
        cursor = cursors.Cursor(what, row["id"], row["sort"])
    return cursors.encode(cursor)


class PgDesk:
    """`contracts.ports.Desk` on PostgreSQL. `await open()` before use, `await close()` after."""

    def __init__(self, dsn: str, settings: StoreSettings | None = None) -> None:
        self._dsn = dsn
        self._settings = settings or StoreSettings()
        self._pool: AsyncConnectionPool[AsyncConnection] | None = None
        self.annals = PgAnnals(self._use, self._all)
        self.history = PgHistory(self._use, self._settings)

    async def open(self) -> None:
        """Open the pool; connections are made in the background, so this does not fail."""
        settings = self._settings
        self._pool = AsyncConnectionPool(
            self._dsn,
            connection_class=psycopg.AsyncConnection[DictRow],
            kwargs=self._kwargs(),
            min_size=settings.pool_min,
            max_size=settings.pool_max,
            timeout=settings.pool_wait_s,
            check=AsyncConnectionPool.check_connection,
            reconnect_timeout=5.0,
            open=False,
        )
        await self._pool.open()

    def _kwargs(self) -> dict[str, Any]:
        return {
            "autocommit": True,
            "row_factory": dict_row,
            "connect_timeout": self._settings.connect_timeout_s,
            "options": session_options(self._settings),
            "application_name": "gridsentry-desk",
            **PEER_LOSS,
        }

    async def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close(timeout=1.0)
            self._pool = None

    @asynccontextmanager
    async def _use(self) -> AsyncIterator[AsyncConnection]:
        if self._pool is None:
            raise RuntimeError("open the desk first")
        with translated():
            async with self._pool.connection() as connection:
                yield connection

    async def _all(self, name: str, /, **parameters: Any) -> list[Row]:
        async with self._use() as connection:
            return await (await connection.execute(sql(name), parameters)).fetchall()

    async def _one(self, name: str, /, **parameters: Any) -> Row | None:
        rows = await self._all(name, **parameters)
        return rows[0] if rows else None

    async def _number(self, name: str, /, **parameters: Any) -> int:
        row = await self._one(name, **parameters)
        return 0 if row is None else int(next(iter(row.values())))

    async def _do(self, name: str, /, *, tell: str | None = None, **parameters: Any) -> None:
        async with self._use() as connection, connection.transaction():
            await connection.execute(sql(name), parameters)
            if tell is not None:
                await connection.execute(sql("notify"), {"channel": tell})

    # --- reads ---------------------------------------------------------------------------------

    async def page(self, what: What, query: Query) -> Page:
        """One page of JSON-ready objects, keys as in the wire contract.

        Newest first; readings oldest first; devices and workers by id. Raises Refused on a
        filter the listing does not know, a cursor that is not ours, readings of all devices without
        a range of a day at most.
        """
        parameters = cursors.parameters(what, query)
        all_devices = what == "readings" and query.device is None
        name = "all_readings" if all_devices else what.replace("-", "_")
        rows = await self._all(f"page_{name}", **parameters)
        more, rows = len(rows) > query.limit, rows[: query.limit]
        items = [shown(what, row) for row in rows]
        return Page(items, cursor_of(what, rows[-1], parameters) if more else None)

    async def get(self, what: What, id: str) -> dict[str, Any] | None:
        """One object, or None. Dead letters come with their payload (base64)."""
        if "\x00" in id or what == "readings":
            return None
        if what in ("devices", "workers"):
            page = await self.page(what, Query(device=id, limit=1))
            return page.items[0] if page.items else None
        if what == "dead-letters":
            number = id.removeprefix("u-")
            unknown = id.startswith("u-") and number.isdecimal() and len(number) < 19
            row = await self._one("one_unknown_message", number=int(number)) if unknown else None
            row = row or await self._one("one_dead_letter", id=id)
            return None if row is None else dead_letter_object(row)
        row = await self._one(f"one_{what[:-1]}", id=id)
        return None if row is None else case_object(what, row["body"])

    async def tickets_of_event(self, event: str) -> list[dict[str, Any]]:
        """The tickets of every incident this event belongs to, newest first."""
        rows = await self._all("tickets_of_event", event=key(event), limit=TICKETS_OF_EVENT)
        return [ticket_object(msgspec.json.decode(row["body"], type=Ticket)) for row in rows]

    async def tickets_of_worker(
        self, worker: str, since: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """Open tickets that concern this worker, and those changed at or after `since`."""
        asked = {"worker": key(worker), "since": since, "open": sorted(OPEN_STAGES)}
        rows = await self._all("tickets_of_worker", **asked, limit=limit)
        return [ticket_object(msgspec.json.decode(row["body"], type=Ticket)) for row in rows]

    async def lately(self, since: datetime) -> list[dict[str, Any]]:
        """Open tickets and those changed at or after `since`, at a glance."""
        rows = await self._all("tickets_lately", since=since, open=sorted(OPEN_STAGES))
        # Thousands at once: in a thread, so that nobody else waits for it.
        return await asyncio.to_thread(
            lambda: [msgspec.json.decode(row["glance"], type=dict[str, Any]) for row in rows]
        )

    # --- commands and reports ------------------------------------------------------------------

    async def file_command(self, command: Command, wait_s: float) -> Answer | None:
        """File it and wait for the router's answer; None when none came in time (it stays)."""
        until = monotonic() + wait_s
        await self._do(
            "file_command",
            tell=CHANNEL_WORK,
            id=key(command.id),
            ticket=key(command.ticket),
            action=key(command.action),
            by=storable(command.by),
            rev=command.rev,
            at=command.at,
            reason=None if command.reason is None else storable(command.reason),
            note=None if command.note is None else storable(command.note),
            data=None if command.data is None else msgspec.json.encode(command.data).decode(),
        )
        pause = 0.01
        while True:
            row = await self._one("answer_to", id=key(command.id))
            if row is not None:
                return Answer(command.id, row["ok"], row["reason"], row["rev"])
            left = until - monotonic()
            if left <= 0:
                return None
            await asyncio.sleep(min(pause, left))
            pause = min(0.1, pause * 1.5)

    async def file_report(self, topic: str, payload: bytes, received_at: datetime) -> None:
        """Durably hand a report to the intake, as if it had come by MQTT."""
        await self._do(
            "file_intake",
            tell=CHANNEL_WORK,
            topic=storable(topic),
            payload=payload,
            received_at=received_at,
        )

    # --- the stream ----------------------------------------------------------------------------

    async def newest_position(self) -> int:
        """The stream's newest position, 0 when empty."""
        return await self._number("newest_position")

    async def oldest_position(self) -> int:
        """The oldest position still kept; one above the newest when none is."""
        return await self._number("oldest_position")

    async def stream(self, after: int, limit: int) -> list[OutboxRow]:
        """Rows with a position above `after`, in order."""
        rows = await self._all("stream_after", after=after, limit=limit)
        return [OutboxRow(**{**row, "data": bytes(row["data"])}) for row in rows]

    async def follow(self) -> AsyncIterator[None]:
        """Yields at once, whenever the stream may have grown, and every 5 s at least.

        A lost connection is made anew; it yields then, too, since something may have been missed.
        """
        pause = 0.1
        while True:
            try:
                with translated():
                    connection = await psycopg.AsyncConnection.connect(
                        self._dsn, **{**self._kwargs(), "row_factory": dict_row}
                    )
                    async with connection:
                        await connection.execute(
                            psycopg.sql.SQL("LISTEN {}").format(
                                psycopg.sql.Identifier(CHANNEL_STREAM)
                            )
                        )
                        pause = 0.1
                        while True:
                            yield None
                            async for _ in connection.notifies(timeout=5.0, stop_after=1):
                                pass
            except Temporary as error:
                log.warning(
                    "the stream's notifications are away (%s); again in %.1f s", error, pause
                )
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)
                yield None

    async def target_position(self, target: str) -> int:
        """How far an outgoing target (MQTT alerts) has got; 0 for one that never was."""
        return await self._number("target_position", target=target)

    async def start_target(self, target: str, position: int) -> int:
        """Where a target goes on; one that never was begins at `position`."""
        return await self._number("start_target", target=target, position=position)

    async def hold(self, lease: str, holder: str, now: datetime, ttl_s: float) -> bool:
        """Take or renew a lease; False while another live holder has it."""
        ends = now + timedelta(seconds=ttl_s)
        row = await self._one("acquire_lease", name=lease, holder=holder, now=now, expires_at=ends)
        return row is not None

    async def put_undelivered(self, item: Undelivered) -> None:
        """Keep what a target did not take, with the reason."""
        await self._do(
            "put_undelivered",
            target=item.target,
            key=key(item.key),
            known_at=item.known_at,
            given_up_at=item.given_up_at,
            reason=storable(item.reason),
        )

    async def undelivered(self, limit: int) -> list[Undelivered]:
        """The newest of what targets did not take."""
        return [Undelivered(**row) for row in await self._all("undelivered", limit=limit)]

    async def set_target_position(self, target: str, position: int) -> None:
        """The target has everything up to here. Never goes back."""
        await self._do("set_target_position", target=target, position=position)

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
        why = None if reason is None else storable(reason)
        await self._do(
            "log_access", who=storable(who), what=storable(what), at=at, reason=why,
            account=account, address=address,
        )  # fmt: skip

    async def ping(self) -> None:
        """Raises Temporary when the database does not answer."""
        await self._all("ping")


__all__ = ["PgDesk"]
