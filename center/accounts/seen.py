"""The desk as one caller sees it: their part of the city, and a note of who looked from where.

Handlers get it as `context.desk`; what it withholds is not there for them. A method that a desk
gains must be decided on here, else it does not exist for handlers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

import msgspec

from center.accounts.lands import Lands
from center.accounts.scope import NOBODY, Scope, facts_of
from center.accounts.seen_annals import SeenAnnals
from center.guard import Caller
from center.problems import Problem
from center.roster import Roster, Things
from contracts.accounts import AccountStore, Note
from contracts.annals import Annals
from contracts.batch import OutboxRow, Undelivered
from contracts.case import Answer, Command
from contracts.city import City
from contracts.clock import Clock
from contracts.geo import Point
from contracts.history import History, Stretch
from contracts.ports import Desk, Page, Query, What

TURNS = 20
"""Pages read for one, where what is seen must be picked out of them."""
SIFTED = ("silences", "dead-letters", "readings")
OF_SILENCES = ("silence", "lift")


class SeenDesk:
    """`contracts.ports.Desk` for one request."""

    def __init__(
        self,
        desk: Desk,
        scope: Scope,
        caller: Caller,
        address: str,
        *,
        lands: Lands,
        city: City,
        accounts: AccountStore | None,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._scope = scope
        self._caller = caller
        self._address = address
        self._lands = lands
        self._city = city
        self._accounts = accounts
        self._clock = clock

    # --- reads -----------------------------------------------------------------------------------

    @property
    def annals(self) -> Annals:
        """Labels, hot spots and handovers of their grids."""
        if self._scope.everything:
            return self._desk.annals
        return SeenAnnals(
            self._desk.annals, self._scope, self._lands, partial(self.get, "dead-letters")
        )

    @property
    def history(self) -> History:
        """Of the devices in their grids; workers and utilities look at tickets, not at sensors."""
        if self._scope.everything:
            return self._desk.history
        return SeenHistory(self._desk.history, self._scope, self._lands)

    async def page(self, what: What, query: Query) -> Page:
        """One page of what is seen."""
        scope = self._scope
        if scope.everything:
            return await self._desk.page(what, query)
        if scope.own:
            return await self._own_page(what, query)
        if what in ("tickets", "incidents", "events"):
            assert scope.grids is not None  # neither everything nor their own
            within = scope.grids if query.grids is None else query.grids & scope.grids
            return await self._desk.page(what, msgspec.structs.replace(query, grids=within))
        if what in SIFTED:
            return await self._sifted(what, query)
        page = await self._desk.page(what, query)
        return Page([item for item in page.items if await self._seen(what, item)], page.next)

    async def _own_page(self, what: What, query: Query) -> Page:
        scope = self._scope
        if what != "tickets":
            return Page([], None)
        if scope.worker is not None:
            query = msgspec.structs.replace(query, worker=scope.worker)
        elif query.utility not in (None, scope.utility):
            return Page([], None)
        else:
            query = msgspec.structs.replace(query, utility=scope.utility)
        return await self._desk.page(what, query)

    async def _sifted(self, what: What, query: Query) -> Page:
        for _ in range(TURNS):
            page = await self._desk.page(what, query)
            items = [item for item in page.items if await self._seen(what, item)]
            if items or page.next is None:
                break
            query = msgspec.structs.replace(query, after=page.next)
        return Page(items, page.next)

    async def get(self, what: What, id: str) -> dict[str, Any] | None:
        """One object, or None where it is not seen."""
        found = await self._desk.get(what, id)
        if found is None or self._scope.everything:
            return found
        return found if await self._seen(what, found) else None

    async def _seen(self, what: What, item: dict[str, Any]) -> bool:
        scope = self._scope
        if what in ("devices", "readings", "dead-letters"):
            name = str(item.get("id" if what == "devices" else "device") or "")
            return not scope.own and scope.in_grids(self._lands.devices.get(name))
        if what == "workers":
            return item["id"] == scope.worker or not scope.own
        if what == "silences":
            return self._silence_seen(item)
        if scope.holds(what.removesuffix("s"), facts_of(what.removesuffix("s"), item)):
            return True
        # What a ticket of theirs was made of is theirs to see, too.
        events = [item["id"]] if what == "events" else item.get("events") or ()
        if what in ("events", "incidents"):
            for event in events[-1:]:
                tickets = await self._desk.tickets_of_event(str(event))
                of = (t for t in tickets if what == "events" or t["incident"] == item["id"])
                return any(scope.ticket(ticket) for ticket in of)
        return False

    def _silence_seen(self, said: dict[str, Any]) -> bool:
        """By its grid, else by where its point lies, else by its sites; one of kinds only is of
        the whole city."""
        if said.get("grid"):
            return self._scope.in_grids(said["grid"])
        if point := said.get("point"):
            spot = Point(float(point["lon"]), float(point["lat"]))
            return self._scope.in_grids(self._lands.at(spot))
        sites = said.get("sites") or ()
        known = [self._lands.devices.get(str(site)) for site in sites]
        return bool(known) and all(self._scope.in_grids(grid) for grid in known)

    async def tickets_of_event(self, event: str) -> list[dict[str, Any]]:
        """Those that are seen."""
        found = await self._desk.tickets_of_event(event)
        return [ticket for ticket in found if self._whole or self._scope.ticket(ticket)]

    async def tickets_of_worker(
        self, worker: str, since: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """Those that are seen."""
        if self._scope.own and worker != self._scope.worker:
            return []
        found = await self._desk.tickets_of_worker(worker, since, limit)
        return [ticket for ticket in found if self._whole or self._scope.ticket(ticket)]

    async def lately(self, since: datetime) -> list[dict[str, Any]]:
        """Those in their grids; at a glance nothing tells whose a ticket is."""
        found = await self._desk.lately(since)
        return [row for row in found if self._whole or self._scope.in_grids(row.get("grid"))]

    @property
    def _whole(self) -> bool:
        return self._scope.everything

    # --- writes ----------------------------------------------------------------------------------

    async def file_command(self, command: Command, wait_s: float) -> Answer | None:
        """File it in the name they may use, on what they see; it stands in the audit log, too.

        Raises Problem 403 in another's name, 403 or 404 outside of their part of the city.
        """
        command = msgspec.structs.replace(command, by=self._name(command.by))
        await self._may_file(command)
        answer = await self._desk.file_command(command, wait_s)
        caller = self._caller
        if self._accounts is not None and caller.account is not None:
            thing = "silences" if command.action in OF_SILENCES else "tickets"
            await self._accounts.note(
                Note(
                    at=self._clock.now(), who=caller.name, account=caller.account,
                    address=self._address, action="filed", subject=f"{thing}/{command.ticket}",
                    detail={"action": command.action, "by": command.by, "rev": command.rev,
                            "command": command.id, "ok": None if answer is None else answer.ok},
                )
            )  # fmt: skip
        return answer

    def _name(self, said: str) -> str:
        """Workers and utilities act as themselves; an account at the center by its own name, or for
        a worker, a utility or a resident who telephoned; tokens as they say."""
        scope, caller = self._scope, self._caller
        if scope.own:
            kind, own = ("worker", scope.worker) if scope.worker else ("utility", scope.utility)
            if said not in (own, f"{kind}:{own}", caller.name):
                raise Problem(
                    403, "not_yours",
                    "you can only act in your own name / 只能以本人（本单位）名义操作",
                    path="$.by",
                )  # fmt: skip
            return said if said != caller.name else str(own)
        if caller.account is None or said.startswith("resident"):
            return said
        name = said.removeprefix("worker:").removeprefix("utility:")
        return said if name in self._city.workers or name in self._city.utilities else caller.name

    async def _may_file(self, command: Command) -> None:
        if self._whole:
            return
        if command.action == "silence":
            if not self._silence_seen(command.data or {}):
                raise Problem(
                    403, "out_of_scope",
                    "name a grid, a place or sites within your part of the city "
                    "/ 请指定您辖区内的网格、地点或设备",
                )  # fmt: skip
            return
        things: list[tuple[What, str]] = [
            ("silences" if command.action == "lift" else "tickets", command.ticket)
        ]
        if into := (command.data or {}).get("into"):
            things.append(("tickets", str(into)))
        for what, id_ in things:
            if await self.get(what, id_) is None:
                one = what.removesuffix("s")
                raise Problem(404, "not_found", f"there is no {one} {id_[:64]!r}")

    async def file_report(self, topic: str, payload: bytes, received_at: datetime) -> None:
        """Anybody may report anything."""
        await self._desk.file_report(topic, payload, received_at)

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
        """Noted with the account and the address of this request."""
        await self._desk.log_access(
            who, what, at, reason, account=account or self._caller.account,
            address=address or self._address,
        )  # fmt: skip

    # --- the stream and what goes out ------------------------------------------------------------

    async def newest_position(self) -> int:
        """The stream's newest position."""
        return await self._desk.newest_position()

    async def oldest_position(self) -> int:
        """The oldest position still kept."""
        return await self._desk.oldest_position()

    async def stream(self, after: int, limit: int) -> list[OutboxRow]:
        """Rows of what is seen."""
        rows = await self._desk.stream(after, limit)
        return [row for row in rows if self._whole or self._row_seen(row)]

    def _row_seen(self, row: OutboxRow) -> bool:
        data = msgspec.json.decode(row.data, type=dict).get("data")
        return isinstance(data, dict) and self._scope.holds(row.type, facts_of(row.type, data))

    def follow(self) -> AsyncIterator[None]:
        """Yields whenever the stream may have grown."""
        return self._desk.follow()

    async def undelivered(self, limit: int) -> list[Undelivered]:
        """What targets did not take, for those who see everything."""
        return await self._desk.undelivered(limit) if self._whole else []

    async def target_position(self, target: str) -> int:
        """How far an outgoing target has got."""
        return await self._desk.target_position(target)

    async def start_target(self, target: str, position: int) -> int:
        """Not by a request."""
        raise self._never()

    async def hold(self, lease: str, holder: str, now: datetime, ttl_s: float) -> bool:
        """Not by a request."""
        raise self._never()

    async def put_undelivered(self, item: Undelivered) -> None:
        """Not by a request."""
        raise self._never()

    async def set_target_position(self, target: str, position: int) -> None:
        """Not by a request."""
        raise self._never()

    async def ping(self) -> None:
        """Whether the database answers."""
        await self._desk.ping()

    @staticmethod
    def _never() -> RuntimeError:
        return RuntimeError("targets and leases are no business of a request")


class SeenRoster:
    """Devices and workers as one caller sees them."""

    def __init__(self, roster: Roster, scope: Scope, lands: Lands) -> None:
        self._roster = roster
        self._scope = scope
        self._lands = lands

    async def page(self, what: Things, query: Query, grids: frozenset[str] | None) -> Page:
        """One page; as `Roster.page`."""
        return await self._roster.page(what, query, grids, lambda item: self.sees(what, item))

    async def get(self, what: Things, id_: str) -> dict[str, Any] | None:
        """One of them, or None."""
        found = await self._roster.get(what, id_)
        return found if found is not None and self.sees(what, found) else None

    async def heard(self, what: Things, fresh_s: float = 1.0) -> dict[str, dict[str, Any]]:
        """What the store last heard of those that are seen."""
        heard = await self._roster.heard(what, fresh_s)
        if what == "devices":
            lands, scope = self._lands.devices, self._scope
            return {id_: one for id_, one in heard.items() if scope.in_grids(lands.get(id_))}
        known = self._roster.known("workers")
        return {i: one for i, one in heard.items() if i in known and self.sees(what, known[i])}

    def known(self, what: Things) -> dict[str, dict[str, Any]]:
        """As registered."""
        known = self._roster.known(what)
        return {id_: one for id_, one in known.items() if self.sees(what, one)}

    def sees(self, what: Things, item: dict[str, Any]) -> bool:
        """Whether this device or worker is seen."""
        scope = self._scope
        if what == "devices":
            return not scope.own and scope.in_grids(self._lands.devices.get(str(item["id"])))
        if scope.own:
            return str(item["id"]) == scope.worker != NOBODY
        return scope.in_grids(item.get("grid"))


def as_desk(desk: SeenDesk) -> Desk:
    """It is one: mypy looks here."""
    return desk


def as_roster(roster: SeenRoster) -> Roster:
    """What handlers use of a roster."""
    return cast(Roster, roster)


class SeenHistory:
    """`contracts.history.History` of the devices in a part of the city."""

    def __init__(self, history: History, scope: Scope, lands: Lands) -> None:
        self._history = history
        self._scope = scope
        self._lands = lands

    @property
    def kept(self) -> Mapping[str, timedelta]:
        """The same for everybody."""
        return self._history.kept

    def _seen(self, devices: Iterable[str]) -> list[str]:
        return [d for d in devices if self._scope.in_grids(self._lands.devices.get(d))]

    async def stretches(
        self,
        devices: Sequence[str],
        metrics: Sequence[str],
        since: datetime,
        until: datetime,
        resolution: str,
        *,
        zone: str,
        limit: int,
    ) -> list[Stretch]:
        """Of those that are seen."""
        return await self._history.stretches(
            self._seen(devices), metrics, since, until, resolution, zone=zone, limit=limit
        )

    async def measured(self, metric: str, since: datetime) -> list[str]:
        """Those that are seen."""
        return self._seen(await self._history.measured(metric, since))
