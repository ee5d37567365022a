"""One target's postman: follows the stream on its own, delivers in order, at least once.

Two rounds share a target. *At once* takes what may be told now. *Later* takes what quiet hours
held back: when they end, the newest state of each ticket that is still open. Which round a change
belongs to follows from its own moment, so each round needs nothing but how far it has got, and a
restart goes on where it stopped. A target that fails holds back nobody but itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import msgspec

from center.feeds.mapping import Shape
from center.links import Signer
from center.metrics import Metrics
from center.notify import webhook
from center.notify.breaker import Breaker
from center.notify.concern import Concern
from center.notify.passes import Passes
from center.notify.push import Pusher
from center.notify.quiet import Quiet
from center.notify.settings import NotifySettings, Target
from center.notify.words import Message, Words
from center.privacy import Veil
from center.reads import dossier
from center.tailer import following
from contracts.batch import OutboxRow, Undelivered
from contracts.city import City
from contracts.clock import Clock, epoch_ms, iso, monotonic
from contracts.errors import GridsentryError, Permanent, Temporary
from contracts.kinds import OPEN_STAGES
from contracts.ports import Desk

log = logging.getLogger(__name__)

ROWS = 100
LATE_S = 600.0
"""People are not told of a change this old when the ticket has gone on since."""
SHOWN = 5
"""Messages of one end of quiet hours; the rest is a number."""
LEASE_S = 30.0
"""Of several centers one delivers; another takes over when it is gone this long."""
LOOK_S = 30.0
"""While waiting the clock is asked again this often: it may be a simulator's."""


class Tools:
    """What all postmen share."""

    def __init__(
        self,
        *,
        desk: Desk,
        city: City,
        settings: NotifySettings,
        signer: Signer,
        veil: Veil,
        words: Words,
        passes: Passes,
        metrics: Metrics,
        clock: Clock,
        inside: Callable[[str], frozenset[str]],
        public_url: str,
        holder: str,
        shapes: Mapping[str, Shape],
        names: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None:
        self.shapes = shapes
        self.names = names
        self.holder = holder
        self.desk = desk
        self.settings = settings
        self.signer = signer
        self.veil = veil
        self.words = words
        self.passes = passes
        self.metrics = metrics
        self.clock = clock
        self.inside = inside
        self.public_url = public_url
        self.zone = ZoneInfo(city.timezone)


class Postman:
    """Delivers to one target. `run` is a coroutine for the center's event loop."""

    def __init__(self, target: Target, tools: Tools) -> None:
        self.target = target
        self._t = tools
        self._concern = Concern(target, tools.inside)
        self._quiet = Quiet(target.quiet if target.how == "apprise" else "")
        s = tools.settings
        self.breaker = Breaker(s.tries, s.pause_s, s.pause_max_s)
        self._pusher = (
            Pusher(target.name, target.url, s.timeout_s) if target.how == "apprise" else None
        )
        self._session: aiohttp.ClientSession | None = None
        self._turn = asyncio.Lock()
        self._ours = asyncio.Event()
        self.position = 0
        self.fault: str | None = None
        """Why the last attempt failed."""
        self.sent_at: datetime | None = None

    async def run(self) -> None:
        """Follow the stream until cancelled."""
        rounds = [self._keep_turn(), self._round("", self._at_once)]
        if self.target.quiet:
            rounds.append(self._round("#later", self._later))
        async with aiohttp.ClientSession() as session:
            self._session = session
            await asyncio.gather(*rounds)

    async def _keep_turn(self) -> None:
        """Hold the lease: two centers never tell people twice."""
        lease = f"notify:{self.target.name}"
        while True:
            try:
                now = self._t.clock.now()
                ours = await self._t.desk.hold(lease, self._t.holder, now, LEASE_S)
            except (GridsentryError, OSError, TimeoutError):
                ours = False  # without the store nothing can be marked as delivered either
            (self._ours.set if ours else self._ours.clear)()
            await asyncio.sleep(LEASE_S / 3 if ours else LEASE_S / 10)

    # --- the two rounds -----------------------------------------------------------------------

    async def _round(self, suffix: str, work: Callable[[list[OutboxRow]], Awaitable[int]]) -> None:
        name = f"{self.target.name}{suffix}"
        position: int | None = None
        async for _ in following(self._t.desk):
            if not self._ours.is_set():
                position = None  # another center may have gone on
                await self._ours.wait()
            try:
                if position is None:
                    newest = await self._t.desk.newest_position()
                    position = await self._t.desk.start_target(name, newest)
                    if not suffix:
                        self.position = position
                while rows := await self._t.desk.stream(position, ROWS):
                    position = await work(rows)
                    await self._t.desk.set_target_position(name, position)
                    if not suffix:
                        self.position = position
                        self._t.metrics.set("target_position", position, target=name)
            except (GridsentryError, OSError, TimeoutError) as error:  # the desk, not the target
                log.warning("target %s waits for the store: %s", name, error)

    async def _at_once(self, rows: list[OutboxRow]) -> int:
        """Deliver what may be told now; the position that is behind us."""
        for row in rows:
            ticket = self._ticket(row)
            if ticket is None or self._held_until(row, ticket) is not None:
                continue
            await self._deliver(row)
            # Each delivered change is behind us at once: a restart repeats one at most.
            await self._t.desk.set_target_position(self.target.name, row.position)
        return rows[-1].position

    async def _later(self, rows: list[OutboxRow]) -> int:
        """Deliver what was held back, once its quiet hours are over."""
        end: datetime | None = None
        for number, row in enumerate(rows):
            ticket = self._ticket(row)
            until = None if ticket is None else self._held_until(row, ticket)
            if until is None:
                continue
            if number > 0:
                return rows[number - 1].position
            end = until
            break
        if end is None:
            return rows[-1].position
        await self._sleep_until(end)
        held: dict[str, OutboxRow] = {}
        position, reached = rows[0].position - 1, rows[0].position - 1
        while more := await self._t.desk.stream(position, ROWS):
            for row in more:
                if row.at >= end:
                    more = []
                    break
                reached = row.position
                ticket = self._ticket(row)
                if ticket is not None and self._held_until(row, ticket) is not None:
                    held[row.subject] = row
            if not more:
                break
            position = reached
        await self._tell_held(held)
        return max(reached, rows[0].position)

    async def _tell_held(self, held: dict[str, OutboxRow]) -> None:
        open_: list[tuple[int, OutboxRow]] = []
        for row in held.values():
            now = await self._t.desk.get("tickets", row.subject)
            if now is not None and now.get("stage") in OPEN_STAGES:
                open_.append((int(now.get("severity") or 1), row))
        if not open_:
            return
        open_.sort(key=lambda pair: (-pair[0], pair[1].position))
        if len(open_) > 1:
            first = open_[0][1]
            hidden = max(0, len(open_) - SHOWN)
            words = self._t.words.late(len(open_), hidden, self.target.lang)
            await self._persist(first, lambda: self._push(words), key=f"{first.key}#quiet")
        for _, row in open_[:SHOWN]:
            await self._deliver(row)

    def _held_until(self, row: OutboxRow, ticket: dict[str, Any]) -> datetime | None:
        if int(ticket.get("severity") or 1) >= self.target.quiet_below:
            return None
        return self._quiet.ends(row.at, self._t.zone)

    async def _sleep_until(self, end: datetime) -> None:
        while (left := (end - self._t.clock.now()).total_seconds()) > 0:
            await asyncio.sleep(min(left, LOOK_S))

    # --- one change ---------------------------------------------------------------------------

    def _ticket(self, row: OutboxRow) -> dict[str, Any] | None:
        """The ticket in the row when this target is to know of it."""
        if row.type != "ticket":
            return None
        try:
            event: dict[str, Any] = msgspec.json.decode(row.data, type=dict)
            ticket = event["data"]
            wanted = self._concern.of(ticket, row.change)
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError) as error:
            self._t.metrics.count("target_skipped", target=self.target.name)
            log.error("row %d of the stream cannot be read, left out: %s", row.position, error)
            return None
        return ticket if wanted else None

    async def _deliver(self, row: OutboxRow) -> None:
        event: dict[str, Any] = msgspec.json.decode(row.data, type=dict)
        full = await dossier(self._t.desk, event["data"], self._t.signer, absolute=True)
        if self._pusher is not None:
            if await self._overtaken(row, full):
                self._t.metrics.count("target_overtaken", target=self.target.name)
                return
            shown = self._t.veil.redact(full)
            message = self._t.words.of(shown, row.change, self.target.lang, self._link(full))
            await self._persist(row, lambda: self._push(message))
            return
        data = full if self.target.restricted else self._t.veil.redact(full)
        if link := self._act(full):
            data = {**data, "act": link}
        told: Any = {**event, "data": data}
        if self.target.mapping:
            told = self._t.shapes[self.target.mapping].of({**data, **self._t.names(data)})
        body = msgspec.json.encode(told)
        await self._persist(row, lambda: self._post(row, body))

    async def _overtaken(self, row: OutboxRow, ticket: dict[str, Any]) -> bool:
        """Whether it is old, and the ticket has gone on: its newer change follows."""
        if (self._t.clock.now() - row.at).total_seconds() < LATE_S:
            return False
        now = await self._t.desk.get("tickets", row.subject)
        return now is not None and int(now.get("rev") or 0) > int(ticket.get("rev") or 0)

    def _act(self, ticket: dict[str, Any]) -> str:
        """The signed link, for targets of the very utility the ticket is with."""
        utility = ticket.get("utility")
        if utility is None or f"utility:{utility}" not in self.target.to:
            return ""
        if ticket.get("stage") not in OPEN_STAGES:
            return ""
        return self._t.passes.make(str(ticket["id"]), str(utility))

    def _link(self, ticket: dict[str, Any]) -> str:
        act = self._act(ticket)
        if act.startswith("http"):
            return act
        url = self._t.public_url
        return f"{url}/#{ticket['id']}" if url else ""

    async def _push(self, message: Message) -> None:
        assert self._pusher is not None
        await self._pusher.send(message)

    async def _post(self, row: OutboxRow, body: bytes) -> None:
        assert self._session is not None
        await webhook.post(
            self._session,
            self.target.url,
            secret=self.target.secret,
            key=row.key,
            seconds=epoch_ms(self._t.clock.now()) // 1000,
            body=body,
            timeout_s=self._t.settings.timeout_s,
        )

    async def _persist(
        self, row: OutboxRow, send: Callable[[], Awaitable[None]], *, key: str | None = None
    ) -> None:
        """Send until it is taken, refused for good, or too old."""
        name = self.target.name
        expires = row.at + timedelta(seconds=self._t.settings.expire_s)
        async with self._turn:  # the two rounds never speak at once
            while True:
                await asyncio.sleep(self.breaker.wait(monotonic()))
                await self._ours.wait()
                try:
                    await send()
                except Temporary as error:
                    self.fault = str(error)
                    pause = self.breaker.failed(monotonic())
                    self._t.metrics.count("target_failures", target=name)
                    log.warning("target %s: %s; again in %.3g s", name, error, pause)
                    if self._t.clock.now() < expires:
                        continue
                    await self._give_up(row, key or row.key, f"too old: {error}")
                except Permanent as error:
                    self.breaker.worked()  # it answers, it only does not want this one
                    self.fault = error.reason
                    await self._give_up(row, key or row.key, error.reason)
                else:
                    self.breaker.worked()
                    self.fault = None
                    self.sent_at = self._t.clock.now()
                    self._t.metrics.count("target_sent", target=name)
                return

    async def _give_up(self, row: OutboxRow, key: str, reason: str) -> None:
        self._t.metrics.count("target_undelivered", target=self.target.name)
        log.error("target %s did not take %s: %s", self.target.name, key, reason)
        await self._t.desk.put_undelivered(
            Undelivered(
                target=self.target.name,
                key=key,
                known_at=row.at,
                given_up_at=self._t.clock.now(),
                reason=reason,
            )
        )

    def status(self, newest: int) -> dict[str, Any]:
        """How it stands, without its address (a secret)."""
        now = monotonic()
        return {
            "name": self.target.name,
            "how": self.target.how,
            "to": list(self.target.to),
            "state": self.breaker.state(now),
            "failures": self.breaker.failures,
            "fault": self.fault,
            "behind": max(0, newest - self.position),
            "sent_at": None if self.sent_at is None else iso(self.sent_at),
        }
