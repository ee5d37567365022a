"""A small town and an in-memory desk: enough of the service to drive the center in tests."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from prometheus_client import CollectorRegistry

from center.accounts.passwords import hashed as slowly_hashed
from center.app import make_app
from center.server import CenterServer
from center.settings import CenterSettings
from center.tailer import grid_of
from contracts.accounts import Account, Note, View
from contracts.batch import DeadLetter, OutboxRow, Undelivered
from contracts.case import (
    AS_IT_STANDS,
    Answer,
    Candidate,
    Change,
    Command,
    Deadlines,
    Incident,
    Step,
    Ticket,
)
from contracts.city import (
    Calendar,
    Camera,
    City,
    Device,
    DrainNetwork,
    Fibre,
    Grid,
    Limit,
    LineNetwork,
    LineNode,
    Node,
    Pipe,
    Profile,
    Span,
    Utility,
    Worker,
    Zone,
)
from contracts.clock import ManualClock, SystemClock, iso
from contracts.errors import Refused, Temporary
from contracts.event import Event, Place
from contracts.geo import Point
from contracts.kinds import OPEN_STAGES
from contracts.people import concerned
from contracts.ports import Page, Query, What
from contracts.wire import (
    body_object,
    change_key,
    cloud_event,
    event_object,
    plain,
    ticket_glance,
)
from gridsentry.live.offers import allowed
from router.stages import MOVES
from store.memory_accounts import MemoryAccounts
from store.memory_annals import MemoryAnnals
from store.memory_history import MemoryHistory

PASSWORD = "rain on 9 roofs"


@cache
def hashed(password: str) -> str:
    return slowly_hashed(password)


START = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
LON, LAT = 120.150, 30.270
STEP = 0.0022


def box(lon: float, lat: float, w: float, h: float) -> Any:
    ring = ((lon, lat), (lon + w, lat), (lon + w, lat + h), (lon, lat + h), (lon, lat))
    return ((ring,),)


def town() -> City:
    grids = [
        Grid(id="s1", name="文晖街道", level="street", rings=box(LON, LAT, 6 * STEP, 4 * STEP))
    ]
    names = ("桃园社区", "流水社区", "打铁关社区")
    for c, name in enumerate(names):
        rings = box(LON + 2 * c * STEP, LAT, 2 * STEP, 4 * STEP)
        grids.append(Grid(id=f"c{c}", name=name, level="community", parent="s1", rings=rings))
        for g in range(4):
            x, y = LON + (2 * c + g % 2) * STEP, LAT + (g // 2) * 2 * STEP
            grids.append(
                Grid(
                    id=f"g{c}{g}", name=f"第{4 * c + g + 1}网格", level="grid", parent=f"c{c}",
                    rings=box(x, y, STEP, 2 * STEP),
                )
            )  # fmt: skip
    surnames = "王李张刘陈杨赵黄周吴徐孙"
    workers = {
        f"w-{i:02}": Worker(
            id=f"w-{i:02}", name=f"{surnames[i % 12]}{'建伟芳敏'[i % 4]}", role="grid_worker",
            grid=f"g{i % 3}{i % 4}", skills=(), shift="",
            point=Point(LON + (0.3 + i % 6) * STEP, LAT + (0.4 + i // 6 * 0.9) * STEP),
            phone=f"6600{i:02}",
        )
        for i in range(24)
    }  # fmt: skip
    devices = {
        f"lvl-{i}": Device(
            id=f"lvl-{i}", district="wenhui", type="water_level", owner="water",
            point=Point(LON + (0.6 + 0.35 * i) * STEP, LAT + 1.5 * STEP), site="drain-a",
        )
        for i in range(14)
    } | {
        "cam-1": Device(
            id="cam-1", district="wenhui", type="camera",
            point=Point(LON + 1.4 * STEP, LAT + 3.2 * STEP),
        ),
        "app-1": Device(id="app-1", district="wenhui", type="app", point=Point(LON, LAT)),
    }  # fmt: skip
    nodes = {
        f"n{i}": Node(id=f"n{i}", point=Point(LON + (0.6 + 0.35 * i) * STEP, LAT + 1.5 * STEP))
        for i in range(14)
    }
    pipes = {
        f"p{i}": Pipe(
            id=f"p{i}", from_=f"n{i}", to=f"n{i + 1}",
            path=(nodes[f"n{i}"].point, nodes[f"n{i + 1}"].point),
        )
        for i in range(13)
    }  # fmt: skip
    poles = {
        f"t{i}": LineNode(
            id=f"t{i}", what="pole",
            point=Point(LON + (0.5 + 0.5 * i) * STEP, LAT + (2.6 + 0.1 * (i % 3)) * STEP),
        )
        for i in range(11)
    }  # fmt: skip
    spans = {
        f"sp{i}": Span(
            id=f"sp{i}", owner="power", from_=f"t{i}", to=f"t{i + 1}",
            path=(poles[f"t{i}"].point, poles[f"t{i + 1}"].point),
        )
        for i in range(10)
    }  # fmt: skip
    fibre = Fibre(
        id="f1", owner="telecom", device=None,
        path=(Point(LON + 0.4 * STEP, LAT + 0.5 * STEP), Point(LON + 3 * STEP, LAT + 0.8 * STEP),
              Point(LON + 5.6 * STEP, LAT + 0.4 * STEP)),
    )  # fmt: skip
    return City(
        id="wenhui",
        timezone="Asia/Shanghai",
        profile=Profile(
            name="test", kinds={}, default_limit=Limit(), calendars={"continuous": Calendar()}
        ),
        grids=tuple(grids),
        devices=devices,
        workers=workers,
        utilities={
            "gd": Utility(id="gd", name="国网供电所", owners=("power",), phone="95598"),
            "pw": Utility(id="pw", name="市政排水公司", owners=("water",), phone="12319"),
            "cg": Utility(id="cg", name="城管中队", owners=(), restricted=True),
            "tel": Utility(id="tel", name="电信维护中心", owners=("telecom",)),
        },
        cameras={
            "cam-1": Camera(
                device="cam-1",
                size=(960, 540),
                zones=(
                    *(
                        Zone(id=f"F{floor}-{bay}", floor=floor, bay=bay, polygon=())
                        for floor in (16, 17)
                        for bay in (1, 2, 3)
                    ),
                    Zone(id="东侧 阳台", polygon=()),
                ),
            )
        },
        drains=DrainNetwork(nodes=nodes, pipes=pipes),
        lines=(LineNetwork(id="l1", nodes=poles, spans=spans, root="t0"),),
        fibres={"f1": fibre},
    )


def event(kind: str, n: int, at: datetime, evidence: dict[str, Any], place: Place) -> Event:
    device = {"high_altitude_throw": "cam-1", "flooding": "lvl-4"}.get(kind)
    return Event(
        id=f"e-{kind}-{n}", rev=1, kind=kind, site="site-1", device=device, at=at, severity=4,
        place=place, phase="opened", evidence=evidence,
    )  # fmt: skip


THROW = {
    "track": [["2026-07-14T11:59:58Z", 300, 40], ["2026-07-14T11:59:59Z", 310, 300]],
    "origin": {"zone": "F17-3", "floor": 17, "bay": 3, "p": 0.93, "others": [["F16-3", 0.05]]},
    "speed": 27.4,
    "clip": "cam-1/throw.mp4",
    "still": "cam-1/throw.jpg",
}


def flood(at: datetime) -> dict[str, Any]:
    curve = [
        [iso(at - timedelta(minutes=60 - i)), round(0.08 + 0.35 / (1 + math.exp((46 - i) / 6)), 4)]
        for i in range(61)
    ]
    return {
        "value": curve[-1][1], "metric": "level", "rate": 0.00004, "stage": "forecast",
        "overflow_at": {
            "at": iso(at + timedelta(minutes=17)), "low": iso(at + timedelta(minutes=11)),
            "high": iso(at + timedelta(minutes=29)),
        },
        "lines": {"warn": 0.35, "close": 0.55, "source": "city"}, "curve": curve,
        "units": {"value": "m"},
    }  # fmt: skip


CABLE = {
    "spans": [["sp4", 0.88], ["sp5", 0.09], ["sp3", 0.03]], "error_m": 24.0, "what": "severed",
    "point": {"lon": LON + 2.75 * STEP, "lat": LAT + 2.65 * STEP}, "state": "confirmed",
    "owners": ["power"], "ruled_out": [],
}  # fmt: skip
FIBRE = {
    "distance_m": 868.2, "error_m": 6.0, "loss_db": 18.4,
    "point": {"lon": LON + 4.1 * STEP, "lat": LAT + 0.62 * STEP},
    "trace": [[i * 10, -0.002 * i if i < 87 else -22 - (i % 3)] for i in range(150)],
    "healthy_trace": [[i * 10, -0.002 * i] for i in range(150)],
}  # fmt: skip


PLACES = {
    "high_altitude_throw": (1.4, 3.3),
    "flooding": (2.0, 1.5),
    "fibre_break": (4.1, 0.62),
    "severed_cable": (2.75, 2.65),
}
"""Where things happen, in steps east and north of the town's corner."""
UTILITIES = {"severed_cable": "gd", "flooding": "pw", "fibre_break": "tel"}


class Desk:
    """`contracts.ports.Desk` in memory, with a router that knows the steps of a ticket."""

    STEPS = {  # noqa: RUF012
        "accept": ("dispatched", "accepted"),
        "arrive": ("accepted", "arrived"),
        "dispose": ("arrived", "disposed"),
        "verify": ("disposed", "verified"),
        "close": ("verified", "closed"),
    }

    def __init__(self, clock: ManualClock | SystemClock | None = None) -> None:
        self.clock = clock or ManualClock(START)
        self.things: dict[str, dict[str, dict[str, Any]]] = {}
        self.nouns: dict[str, Ticket] = {}
        self.bodies: dict[tuple[str, str], Any] = {}
        self.letters: dict[str, DeadLetter] = {}
        self.first: dict[str, datetime] = {}
        self.taken_in: dict[int, tuple[str, bytes, datetime]] = {}
        self.annals = MemoryAnnals(SceneCases(self))
        self.measurements: list[tuple[str, str, datetime, int, float]] = []
        """(device, metric, time, 0, value)."""
        self.history = MemoryHistory(lambda: self.measurements)
        self.rows: list[OutboxRow] = []
        self.dropped = 0
        self.reports: list[tuple[str, bytes]] = []
        self.accesses: list[tuple[str, ...]] = []
        self.views: list[View] = []
        self.commands: list[Command] = []
        self.answers: dict[str, Answer] = {}
        self.targets: dict[str, int] = {}
        self.given_up: list[Undelivered] = []
        self.leases: dict[str, str] = {}
        self.silent = False
        self.down = False
        self.reads = 0
        self._lock = threading.Lock()
        self._followers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def put(self, change: Change) -> None:
        """What a commit and the relay do: the state, a row of the stream, a sign of life."""
        with self._lock:
            what = f"{change.type}s"
            self.things.setdefault(what, {})[change.id] = body_object(change.body)
            self.bodies[change.type, change.id] = change.body
            if isinstance(change.body, Ticket):
                self.nouns[change.id] = change.body
            self.rows.append(
                OutboxRow(
                    position=len(self.rows) + self.dropped + 1,
                    key=change_key(change), type=change.type, subject=change.id,
                    kind=change.body.kind, district=change.district, change=change.change,
                    at=change.known_at,
                    data=msgspec.json.encode(cloud_event(change, "/gridsentry/wenhui")),
                )
            )  # fmt: skip
            followers = list(self._followers)
        for loop, grown in followers:
            loop.call_soon_threadsafe(grown.set)

    def forget(self, count: int) -> None:
        """Retention drops the oldest rows."""
        del self.rows[:count]
        self.dropped += count

    def _check(self) -> None:
        self.reads += 1
        if self.down:
            raise Temporary("the database is away")

    async def page(self, what: What, query: Query) -> Page:
        self._check()
        if query.after is not None and not query.after.isdigit():
            raise Refused("after: that is no cursor of ours")
        rows = list(self.things.get(what, {}).values())[::-1]
        keep = [
            r for r in rows
            if (query.kind is None or r.get("kind") == query.kind)
            and (query.stage is None or r.get("stage") == query.stage)
            and (query.grid is None or r.get("grid") == query.grid)
            and (query.utility is None or r.get("utility") == query.utility)
            and (query.severity is None or r.get("severity", 0) >= query.severity)
            and (query.device is None or r.get("device") == query.device)
            and (query.worker is None or query.worker in concerned(r))
            and (query.grids is None or grid_of(r) in query.grids)
        ]  # fmt: skip
        start = int(query.after or 0)
        end = start + query.limit
        return Page(keep[start:end], str(end) if end < len(keep) else None)

    async def get(self, what: What, id: str) -> dict[str, Any] | None:
        self._check()
        return self.things.get(what, {}).get(id)

    async def tickets_of_event(self, event: str) -> list[dict[str, Any]]:
        self._check()
        incidents = self.things.get("incidents", {}).values()
        theirs = {i["id"] for i in incidents if event in i["events"]}
        tickets = self.things.get("tickets", {}).values()
        return [t for t in tickets if t["incident"] in theirs][::-1]

    async def tickets_of_worker(
        self, worker: str, since: datetime, limit: int
    ) -> list[dict[str, Any]]:
        self._check()
        tickets = list(self.things.get("tickets", {}).values())[::-1]
        mine = [t for t in tickets if worker in concerned(t)]
        lately = iso(since)
        return [t for t in mine if t["stage"] in OPEN_STAGES or t["updated_at"] >= lately][:limit]

    async def lately(self, since: datetime) -> list[dict[str, Any]]:
        self._check()
        tickets = self.things.get("tickets", {}).values()
        return [ticket_glance(t) for t in tickets
                if t["stage"] in OPEN_STAGES or t["updated_at"] >= iso(since)]  # fmt: skip

    async def file_command(self, command: Command, wait_s: float) -> Answer | None:
        self._check()
        if command.id in self.answers:  # sent again: the answer it had
            return self.answers[command.id]
        self.commands.append(command)
        if self.silent:
            return None
        answer = self._answer(command)
        self.answers[command.id] = answer
        return answer

    def _answer(self, command: Command) -> Answer:
        ticket = self.nouns[command.ticket]
        before, after = self.STEPS.get(command.action, ("", ""))
        move = None if before else MOVES.get(command.action)
        if command.rev not in (ticket.rev, AS_IT_STANDS):
            return Answer(
                command.id, False,
                f"the ticket is at revision {ticket.rev}, you saw {command.rev}: look again"
                f" / 工单已更新至第{ticket.rev}版，请刷新后再试",
                ticket.rev,
            )  # fmt: skip
        if command.action == "acknowledge" and ticket.stage in OPEN_STAGES:
            self.acknowledge(ticket.id, command.by)
            return Answer(command.id, True, "applied", ticket.rev + 1)
        if move is not None and ticket.stage in move.stages:
            said = command.reason or command.note or ""
            self.step(ticket.id, move.to or "updated", command.by, said, stage=move.to)
            return Answer(command.id, True, "applied", ticket.rev + 1)
        if ticket.stage != before:
            return Answer(command.id, False, f"not allowed in {ticket.stage}", ticket.rev)
        self.step(ticket.id, after, command.by)
        return Answer(command.id, True, "applied", ticket.rev + 1)

    def acknowledge(self, ticket_id: str, by: str, lasts_s: float = 1_800.0) -> None:
        """Somebody knows of it, for so long."""
        now, ticket = self.clock.now(), self.nouns[ticket_id]
        known = {"by": by, "at": iso(now), "until": iso(now + timedelta(seconds=lasts_s))}
        step = Step(at=now, change="updated", by=by, note="acknowledged / 已知悉")
        ladder = {**ticket.reason.get("ladder", {}), "acknowledged": known}
        self.amend(
            ticket_id, reason={**ticket.reason, "ladder": ladder}, timeline=(*ticket.timeline, step)
        )

    def step(
        self, ticket_id: str, change: str, by: str, note: str = "", stage: str | None = ""
    ) -> None:
        """Move a ticket on, as the router would; with `stage` None it stays where it is."""
        step = Step(at=self.clock.now(), change=change, by=by, note=note)
        ticket = self.nouns[ticket_id]
        there = ticket.stage if stage is None else change
        self.amend(ticket_id, change, stage=there, timeline=(*ticket.timeline, step))

    def amend(self, ticket_id: str, change: str = "updated", **fields: Any) -> None:
        """The ticket's next revision, with these fields."""
        ticket, now = self.nouns[ticket_id], self.clock.now()
        moved = msgspec.structs.replace(ticket, rev=ticket.rev + 1, updated_at=now, **fields)
        self.put(
            Change(
                type="ticket", id=ticket.id, rev=moved.rev, change=change, known_at=now, body=moved
            )
        )

    async def file_report(self, topic: str, payload: bytes, received_at: datetime) -> None:
        self._check()
        self.reports.append((topic, payload))

    async def newest_position(self) -> int:
        self._check()
        return self.dropped + len(self.rows)

    async def oldest_position(self) -> int:
        self._check()
        return self.dropped + 1

    async def stream(self, after: int, limit: int) -> list[OutboxRow]:
        self._check()
        start = max(0, after - self.dropped)
        return self.rows[start : start + limit]

    async def follow(self) -> AsyncIterator[None]:
        grown = asyncio.Event()
        entry = (asyncio.get_running_loop(), grown)
        self._followers.add(entry)
        try:
            while True:
                yield None
                try:
                    await asyncio.wait_for(grown.wait(), 0.5)
                except TimeoutError:
                    continue
                grown.clear()
        finally:
            self._followers.discard(entry)

    async def target_position(self, target: str) -> int:
        return self.targets.get(target, 0)

    async def start_target(self, target: str, position: int) -> int:
        self._check()
        return self.targets.setdefault(target, position)

    async def hold(self, lease: str, holder: str, now: datetime, ttl_s: float) -> bool:
        self._check()
        return self.leases.setdefault(lease, holder) == holder

    async def put_undelivered(self, item: Undelivered) -> None:
        self.given_up.append(item)

    async def undelivered(self, limit: int) -> list[Undelivered]:
        return self.given_up[::-1][:limit]

    async def set_target_position(self, target: str, position: int) -> None:
        self.targets[target] = position

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
        self._check()
        number = len(self.views) + 1
        self.views.append(
            View(id=number, at=at, who=who, what=what, reason=reason, account=account,
                 address=address)
        )  # fmt: skip
        self.accesses.append((who, what) if reason is None else (who, what, reason))

    async def ping(self) -> None:
        self._check()


class SceneCases:
    """What a scene's desk knows, for its annals."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _of(self, type_: str) -> list[Any]:
        return [body for (what, _), body in self._desk.bodies.items() if what == type_]

    def events(self) -> list[Event]:
        return self._of("event")

    def incidents(self) -> list[Incident]:
        return self._of("incident")

    def tickets(self) -> list[Ticket]:
        return self._of("ticket")

    def letters(self) -> dict[str, DeadLetter]:
        return self._desk.letters

    def intake(self) -> list[int]:
        return list(self._desk.taken_in)

    def file(self, topic: str, payload: bytes, received_at: datetime) -> int:
        number = len(self._desk.taken_in) + 1
        self._desk.taken_in[number] = (topic, payload, received_at)
        return number

    def first_heard(self) -> dict[str, datetime]:
        return self._desk.first

    def segments(self) -> dict[str, datetime]:
        return {}


class Scene:
    """The town, its desk, an evidence folder, and things that happen."""

    def __init__(self, folder: Path, clock: ManualClock | SystemClock | None = None) -> None:
        self.city = town()
        self.desk = Desk(clock)
        self.evidence = folder
        self.originals = folder.parent / "originals"
        self.health: dict[str, Any] = {"ready": True, "reasons": []}
        self.accounts: MemoryAccounts | None = None
        """Who logs in, where somebody does."""
        self.put: Callable[[Change], None] = self.desk.put
        """Where changes go."""
        self._n = 0

    def person(self, name: str, role: str, *, password: str | None = PASSWORD, **more: Any) -> str:
        """Somebody who logs in with `name` and the password; the account's id."""
        self.accounts = self.accounts or MemoryAccounts(self.desk.views)
        now = self.desk.clock.now()
        account = Account(
            id=f"a-{name}", name=name, role=role, created_at=now, changed_at=now,
            password=None if password is None else hashed(password), **more,
        )  # fmt: skip
        note = Note(at=now, who="scene", action="account_added", subject=f"accounts/{account.id}")
        with contextlib.suppress(StopIteration):  # memory never waits: no loop is needed
            self.accounts.add_account(account, note).send(None)
        return account.id

    def happen(self, kind: str, *, severity: int = 4, opened_s_ago: float = 0, **more: Any) -> str:
        """An event, its incident and its ticket appear; the ticket's id."""
        self._n += 1
        n = self._n
        now = self.desk.clock.now() - timedelta(seconds=opened_s_ago)
        at = PLACES.get(kind, (0.5 + n * 0.7 % 5, 0.6 + n % 3))
        grid = f"g{int(at[0] // 2)}{int(at[0] % 2) + 2 * int(at[1] // 2)}"
        place = Place(LON + at[0] * STEP, LAT + at[1] * STEP, grid, more.pop("address", None))
        evidence = more.pop("evidence", None) or {
            "high_altitude_throw": THROW, "flooding": flood(now), "severed_cable": CABLE,
            "fibre_break": FIBRE,
        }.get(kind, {"note": "as measured"})  # fmt: skip
        told = event(kind, n, now, evidence, place)
        incident = Incident(
            id=f"i-{n}", rev=1, kind=kind, events=(told.id,), reason="one sensor, one place",
            place=place, site="site-1", severity=severity, opened_at=now, district="wenhui",
        )  # fmt: skip
        worker = more.pop("worker", f"w-{(n * 5) % 24:02}")
        utility = more.pop("utility", UTILITIES.get(kind, "cg"))
        name = self.city.workers[worker].name
        ticket = Ticket(
            id=f"t-{n}", rev=1, incident=incident.id, kind=kind, stage="dispatched", lane="direct",
            worker=worker, helpers=(), utility=utility, parent=more.pop("parent", None), grid=grid,
            reason=more.pop("reason", {
                "worker": {
                    "text_en": f"{name} is nearest: 182 m, 2 min on foot, position 8 s old",
                    "text_zh": f"{name}距现场最近：182米，步行2分钟，定位8秒前",
                },
                "utility": {
                    "text_en": "owner of the asset", "text_zh": "按设施权属",
                },
                "deadlines": {"text_en": "city rule, all hours", "text_zh": "市级标准"},
            }),
            runners_up=tuple(
                Candidate(f"w-{i:02}", self.city.workers[f"w-{i:02}"].name, 240.0 + 60 * i,
                          170.0 + 45 * i, 9.0, i % 3, True, i % 2 == 0)
                for i in range(3)
            ),
            deadlines=Deadlines(
                accept=now + timedelta(minutes=5), arrive=now + timedelta(minutes=20),
                dispose=now + timedelta(hours=2), close=now + timedelta(hours=8),
            ),
            severity=severity, place=place, opened_at=now, updated_at=now, district="wenhui",
            timeline=(Step(at=now, change="detected", by="sensor", note="one sensor, one place"),
                      Step(at=now, change="filed", by="router"),
                      Step(at=now, change="dispatched", by="router")),
            **more,
        )  # fmt: skip
        for type_, body in (("event", told), ("incident", incident), ("ticket", ticket)):
            assert isinstance(body, Event | Incident | Ticket)
            self.put(
                Change(
                    type=type_,  # type: ignore[arg-type]
                    id=body.id, rev=1, change="opened", known_at=now, body=body, district="wenhui",
                )
            )  # fmt: skip
        return ticket.id

    def app(self, settings: CenterSettings, **more: Any) -> Any:
        """The application over this scene."""
        more.setdefault("allowed", partial(allowed, appeal_s=86_400.0))
        more.setdefault("accounts", self.accounts)
        return make_app(
            self.desk, self.city, settings, clock=self.desk.clock, evidence_dir=self.evidence,
            originals_dir=self.originals,
            health=lambda: self.health, registry=CollectorRegistry(), **more,
        )  # fmt: skip

    def server(self, settings: CenterSettings | None = None, **more: Any) -> CenterServer:
        """The application in a thread of its own, on a free port."""
        settings = settings or CenterSettings(port=0)
        return CenterServer(lambda: self.app(settings, **more), settings)


def draw_still(path: Path) -> None:
    """A facade at dusk with something falling: a picture that a person can recognise."""
    rng = np.random.default_rng(7)
    picture = np.full((540, 960, 3), (62, 48, 38), np.uint8)
    cv2.rectangle(picture, (170, 0), (790, 540), (96, 92, 90), -1)
    for row in range(7):
        for column in range(7):
            x, y = 205 + column * 82, 14 + row * 78
            lit = (120, 205, 245) if rng.random() < 0.35 else (70, 58, 50)
            cv2.rectangle(picture, (x, y), (x + 54, y + 52), lit, -1)
            cv2.rectangle(picture, (x, y), (x + 54, y + 52), (140, 138, 136), 2)
    track = [(478 + 2 * i, 60 + i * i * 4) for i in range(11)]
    for a, b in itertools.pairwise(track):
        cv2.line(picture, a, b, (60, 90, 255), 2, cv2.LINE_AA)
    cv2.rectangle(picture, (451, 14), (505, 66), (60, 60, 255), 3)
    cv2.circle(picture, track[-1], 9, (230, 240, 255), -1, cv2.LINE_AA)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)


__all__ = ["START", "Desk", "Scene", "draw_still", "event_object", "plain", "town"]
