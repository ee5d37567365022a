"""The loop as a state machine: anything may happen, by anybody, and its laws hold at every moment.

Two routers live through the same acts; one of them is stopped and restored whenever the dice say
so, and must do the same. What is legal is written down here by hand, apart from the router's own
table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.case import Deadlines, Ticket
from contracts.clock import iso
from contracts.event import Event
from contracts.kinds import CLOCKS, OPEN_STAGES
from contracts.loop import ACTION_NAMES
from router import alarms, commands, returns
from router.assign.load import HANDS_FULL
from router.deadlines import Clocks
from router.engine import GridRouter
from router.house import House
from router.ladder import pending
from router.settings import RouterSettings
from router.stages import MOVES
from tests.scenarios.script import START, Script, event, moment
from tests.scenarios.town import at, place, town


@pytest.fixture(autouse=True)
def cut_always() -> None:
    """The machine says itself when it restarts."""


WAY = {
    "dispatched": {"accepted", "returned", "suspended", "void", "verified"},
    "accepted": {"arrived", "returned", "suspended", "void", "verified", "dispatched"},
    "arrived": {"disposed", "returned", "suspended", "void", "verified", "dispatched"},
    "disposed": {"verified", "reworked", "void"},
    "verified": {"closed", "reworked", "void"},
    "closed": {"evaluated", "reworked"},
    "evaluated": {"closed", "reworked"},
    "reworked": {"arrived", "disposed", "returned", "suspended", "void", "verified", "dispatched"},
    "returned": {"dispatched", "accepted", "suspended", "void", "verified"},
    "suspended": {"dispatched", "accepted", "arrived", "reworked", "returned", "void", "verified"},
    "void": set(),
}
"""Which stage may follow which. `verified` from afar is a person confirming the sensor's word."""

PROVED = {"dispatched", "accepted", "arrived", "reworked", "returned", "suspended"}
"""Stages that reach `verified` only by a sensor and a person."""

KINDS: list[tuple[str, str, tuple[float, float], dict[str, Any]]] = [
    ("flooding", "road-1", (400, 200), {}),
    ("flooding", "road-2", (1700, 800), {}),
    ("severed_cable", "L1", (500, 400), {"owners": ["grid-co", "telecom-co"]}),
    ("high_altitude_throw", "cam-1", (300, 300), {}),
    ("street_light_out", "lamp-1", (600, 600), {}),
    ("sensor_silent", "road-1", (400, 200), {}),
    ("citizen_report", "app", (1300, 300), {"kind": "drain_blocked"}),
]
BY = ["doer", "doer", "center", "center", "h-1", "h-2", "resident:li", "w-22", "helper", " "]
ACTIONS = [*sorted(a for a in ACTION_NAMES if a not in ("void", "reassign")), "restored", "fly"]
NEXT = {
    "dispatched": ("accept", "doer"),
    "returned": ("accept", "doer"),
    "accepted": ("arrive", "doer"),
    "reworked": ("dispose", "doer"),
    "arrived": ("dispose", "doer"),
    "disposed": ("verify", "center"),
    "verified": ("close", "center"),
    "closed": ("evaluate", "center"),
    "suspended": ("resume", "center"),
}


CITY = town()


class Night(RuleBasedStateMachine):
    """A night of anything."""

    policy: Literal["each", "joint"] = "each"

    def __init__(self) -> None:
        super().__init__()
        self.city = CITY
        self.straight = Script(self.city, RouterSettings(policy=self.policy), cut=False)
        self.cut = Script(self.city, RouterSettings(policy=self.policy), cut=False)
        self.seconds = 0.0
        self.living: dict[str, Event] = {}
        self.seen = 0
        self.newest: dict[str, Ticket] = {}

    def _both(self, name: str, *args: Any, **said: Any) -> None:
        for story in (self.straight, self.cut):
            getattr(story, name)(*args, **said)

    def _tickets(self) -> list[Ticket]:
        return list(self.newest.values())

    def _ticket(self, pick: int) -> Ticket:
        tickets = self._tickets()
        return tickets[pick % len(tickets)]

    # --- what may happen --------------------------------------------------------------------

    @initialize(pick=st.integers(0, 2))
    def begin(self, pick: int) -> None:
        self.opened(pick, 3)

    @rule(pick=st.integers(0, len(KINDS) - 1), severity=st.integers(1, 5))
    def opened(self, pick: int, severity: int) -> None:
        kind, site, (east, north), said = KINDS[pick]
        fresh = event(kind, site, place(east, north), self.seconds, severity=severity, **said)
        if fresh.id not in self.living:
            self.living[fresh.id] = fresh
            self._both("event", fresh)

    @rule(
        pick=st.integers(0, 50),
        phase=st.sampled_from(["closed", "closed", "updated"]),
        worse=st.booleans(),
    )
    def revised(self, pick: int, phase: Any, worse: bool) -> None:
        old = self.living[sorted(self.living)[pick % len(self.living)]]
        new = msgspec.structs.replace(
            old, rev=old.rev + 1, phase=phase, severity=min(5, old.severity + worse)
        )
        self.living[new.id] = new
        self._both("event", new, old)

    @rule(seconds=st.sampled_from([1.0, 30.0, 200.0, 400.0, 1900.0, 7300.0, 90_000.0]))
    def passes(self, seconds: float) -> None:
        self.seconds += seconds
        self._both("at", self.seconds)

    @rule(east=st.integers(0, 2000), worker=st.sampled_from(["w-11", "w-12", "w-42"]))
    def walks(self, east: int, worker: str) -> None:
        self.passes(1.0)  # of two positions of one moment the first stands
        self._both("position", worker, at(east, 300))

    @precondition(lambda self: self.newest)
    @rule(pick=st.integers(0, 50), steps=st.integers(1, 5))
    def goes_on(self, pick: int, steps: int) -> None:
        """The next steps as they should be, by whom they should be."""
        ident = self._ticket(pick).id
        for _ in range(steps):
            ticket = self.newest[ident]
            action, who = NEXT.get(ticket.stage, ("note", "center"))
            self._command(ticket, action, self._doer(ticket) if who == "doer" else "center")
            self.laws()

    def _doer(self, ticket: Ticket) -> str:
        return str(ticket.utility if ticket.parent else ticket.worker)

    @precondition(lambda self: self.newest)
    @rule(
        pick=st.integers(0, 50),
        action=st.sampled_from(ACTIONS),
        by=st.sampled_from(BY),
        stale=st.integers(0, 9),
        words=st.sampled_from(["because", "because", "because", None]),
    )
    def acts(self, pick: int, action: str, by: str, stale: int, words: str | None) -> None:
        """Anybody asks for anything."""
        ticket = self._ticket(pick)
        own = {"doer": self._doer(ticket), "helper": next(iter(ticket.helpers), "center")}
        self._command(ticket, action, own.get(by, by), words, stale == 0)

    @precondition(lambda self: self.newest)
    @rule(
        pick=st.integers(0, 50),
        which=st.integers(0, 50),
        by=st.sampled_from(["doer", "center", "h-1", "resident:li"]),
    )
    def branches_off(self, pick: int, which: int, by: str) -> None:
        """Something that the stage at least allows."""
        ticket = self._ticket(pick)
        asked = {n for n, q in ticket.reason.get("questions", {}).items() if q["state"] == "open"}
        allowed = [
            action
            for action, move in MOVES.items()
            if ticket.stage in move.stages and action not in ("void", "reassign", "note")
            if move.answers is None or move.answers in asked
        ]
        who = self._doer(ticket) if by == "doer" else by
        self._command(ticket, allowed[which % len(allowed)], who)

    @precondition(lambda self: self.newest)
    @rule(pick=st.integers(0, 50), whom=st.sampled_from(["w-22", "h-1", "w-99"]))
    def reassigned(self, pick: int, whom: str) -> None:
        self._command(self._ticket(pick), "reassign", "center", worker=whom)

    @precondition(lambda self: len(self.newest) > 3)
    @rule(pick=st.integers(0, 50))
    def voided(self, pick: int) -> None:
        self._command(self._ticket(pick), "void", "center", "no matter")

    def _command(
        self,
        ticket: Ticket,
        action: str,
        by: str,
        why: str | None = "as asked",
        stale: bool = False,
        **data: Any,
    ) -> None:
        given = {
            "until": iso(moment(self.seconds + 5000)),
            "score": 2,
            "photos": [{"name": "处置后", "ref": "p"}],
            **data,
        }
        rev = ticket.rev - 1 if stale else ticket.rev
        self._both("command", ticket.id, action, by, reason=why, rev=rev, **given)

    @rule()
    def restarts(self) -> None:
        """One of the two is stopped, and takes up what the store kept."""
        self.cut.router = GridRouter(self.city, self.cut._settings)
        self.cut._kept.restore_into(self.cut.router)

    # --- what always holds --------------------------------------------------------------------

    @invariant()
    def laws(self) -> None:
        fresh = self.straight.changes[self.seen :]
        self.seen = len(self.straight.changes)
        for change in fresh:
            if isinstance(change.body, Ticket):
                self._moved(self.newest.get(change.id), change.body, change.change)
                self.newest[change.id] = change.body
        for ticket in self._tickets():
            self._stands(ticket)

    def _moved(self, old: Ticket | None, new: Ticket, change: str) -> None:
        assert new.rev == (old.rev if old else 0) + 1
        step = new.timeline[-1]
        assert step.by.strip(), "every transition has an actor"
        assert step.note.strip(), f"every transition has a reason: {step}"
        assert step.at == new.updated_at <= self.straight.now
        assert [s.at for s in new.timeline] == sorted(s.at for s in new.timeline)
        if old is None:
            assert (new.stage, change) == ("dispatched", "opened")
            assert all(getattr(new.deadlines, clock) for clock in CLOCKS)
            return
        assert len(new.timeline) == len(old.timeline) + 1
        if new.stage != old.stage:
            assert new.stage in WAY[old.stage], f"{old.stage} to {new.stage} by {step}"
            if new.stage == "verified" and old.stage in PROVED:
                assert new.reason["verification"]["with"] == "sensor"
                assert new.reason["verification"]["by"] not in ("sensor", "router")
        if new.stage == "returned" and old.stage != "returned":
            assert step.by in str(new.reason)
        for clock in CLOCKS:
            assert getattr(new.deadlines, clock) is not None, f"{clock} was lost"

    def _stands(self, ticket: Ticket) -> None:
        if ticket.stage not in OPEN_STAGES:
            parts = [t for t in self._tickets() if t.parent == ticket.id]
            assert not any(t.stage in OPEN_STAGES for t in parts), "closed before its parts"
            return
        named = ticket.worker or ticket.utility or ticket.reason["ladder"].get("person")
        assert named, "a ticket without an owner"
        assert ticket.stage == "suspended" or pending(ticket) is not None
        if ticket.stage == "suspended":
            assert ticket.reason["suspended"]["until"]
        house = self.straight.router._house  # type: ignore[attr-defined]
        assert house.timers._due.get(ticket.id) is not None, f"silent: {ticket.stage}"

    @invariant()
    def the_restarted_one_did_the_same(self) -> None:
        assert len(self.cut.changes) == len(self.straight.changes)
        assert self.cut.changes[-3:] == self.straight.changes[-3:]
        assert [a.ok for a in self.cut.answers[-1:]] == [a.ok for a in self.straight.answers[-1:]]

    @invariant()
    def everybodys_load_is_what_the_tickets_say(self) -> None:
        house = self.straight.router._house  # type: ignore[attr-defined]
        busy: Counter[str] = Counter()
        for ticket in house.book.tickets.values():
            if ticket.stage in HANDS_FULL:
                busy.update([*([ticket.worker] if ticket.worker else []), *ticket.helpers])
        assert +busy == +Counter(dict(house.book.load))

    def teardown(self) -> None:
        encode = msgspec.json.encode
        assert encode(self.cut.changes) == encode(self.straight.changes)
        assert self.straight.now >= START


LAWFUL = settings(
    max_examples=70,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


class NightThoughtOver(Night):
    """The same while people are re-sent."""

    policy = "joint"


@pytest.mark.slow
@pytest.mark.parametrize("night", [Night, NightThoughtOver])
def test_whatever_anybody_does_the_laws_of_the_loop_hold(night: type[Night]) -> None:
    run_state_machine_as_test(night, settings=LAWFUL)


def _stages_skipped(patch: pytest.MonkeyPatch) -> None:
    early = msgspec.structs.replace(MOVES["dispose"], stages=frozenset(WAY))
    patch.setitem(MOVES, "dispose", early)


def _no_ladder(patch: pytest.MonkeyPatch) -> None:
    rest = tuple(a for a in alarms.ALARMS if not isinstance(a, alarms.NextRung))
    patch.setattr(alarms, "ALARMS", rest)


def _parent_first(patch: pytest.MonkeyPatch) -> None:
    rest = tuple(r for r in commands.REFUSALS if r is not commands._parts_open)
    patch.setattr(commands, "REFUSALS", rest)


def _nobody_takes_over(patch: pytest.MonkeyPatch) -> None:
    def lost(ticket: Ticket, to: str) -> Ticket:
        return msgspec.structs.replace(ticket, worker=None, utility=None)

    patch.setattr(returns, "_went", lost)


def _memory_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(House, "set_timers", lambda self, incident: None)


def _clock_lost(patch: pytest.MonkeyPatch) -> None:
    def lose(self: Clocks, ticket: Ticket, now: datetime, *clocks: str) -> Any:
        return Deadlines(accept=now), ticket.reason["deadlines"]

    patch.setattr(Clocks, "restart", lose)


@pytest.mark.parametrize(
    "broken",
    [_stages_skipped, _no_ladder, _parent_first, _nobody_takes_over, _memory_lost, _clock_lost],
    ids=lambda broken: broken.__name__.strip("_"),
)
def test_a_loop_that_breaks_a_law_is_caught(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(Night, settings=LAWFUL)
