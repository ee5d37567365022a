"""The router's laws: a restart at every moment, duplicates and batching change nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from contracts.case import Ticket
from contracts.clock import iso
from contracts.event import Event
from router.engine import GridRouter
from router.settings import RouterSettings
from router.stages import MOVES, STANDING
from tests.scenarios.script import Script, event
from tests.scenarios.town import at, place, town


@pytest.fixture(autouse=True)
def cut_always() -> None:
    """These tests say themselves where they cut."""


KINDS = [
    ("flooding", "road-1", (400, 200)),
    ("flooding", "road-2", (1700, 800)),
    ("high_altitude_throw", "cam-1", (300, 300)),
    ("severed_cable", "L1", (500, 400)),
    ("fibre_break", "F1", (520, 410)),
    ("sensor_silent", "m-5", (500, 400)),
    ("sensor_silent", "m-6", (600, 400)),
    ("loud_sound", "mic", (510, 400)),
    ("street_light_out", "lamp-1", (600, 600)),
    ("citizen_report", "app", (420, 210)),
]
ACTIONS = [
    *("accept", "arrive", "dispose", "verify", "close", "evaluate", "return", "rework"),
    *(action for action in MOVES if action != "void"),
    *("restored", "fly"),
]
NOTES = [None, "worker:w-22", "utility:lights"]


def next_step(ticket: Ticket) -> str:
    """The action that goes on from here."""
    return str(STANDING[ticket.stage].clock or "resume")


def play(story: Script, seed: int, acts: int = 60) -> None:
    """A night of anything: the same seed gives the same acts."""
    dice = random.Random(seed)
    seconds = 0.0
    living: dict[str, Event] = {}
    for _ in range(acts):
        seconds += dice.choice([0, 1, 20, 90, 600, 2400])
        story.at(seconds)
        roll = dice.random()
        if roll < 0.45 or not story.tickets():
            kind, site, (east, north) = dice.choice(KINDS)
            said = {"kind": "flooding"} if kind == "citizen_report" else {"error_m": 30}
            fresh = event(kind, site, place(east, north), seconds, **said)
            living[fresh.id] = fresh
            story.event(fresh)
        elif roll < 0.65:
            old = living[dice.choice(sorted(living))]
            new = msgspec.structs.replace(
                old,
                rev=old.rev + 1,
                phase=dice.choice(["updated", "closed", "closed"]),
                severity=dice.randint(old.severity, 5),
            )
            living[new.id] = new
            story.event(new, *([old] if dice.random() < 0.3 else []))
        elif roll < 0.7:
            worker = dice.choice(["w-11", "w-12", "w-42"])
            story.position(worker, at(dice.uniform(0, 2000), dice.uniform(0, 1000)))
        else:
            ticket = dice.choice(story.tickets())
            mine = [ticket.worker or "center", ticket.utility or "center"]
            by = dice.choice(["center", *mine, "h-1", "h-2", "resident:a", "w-22"])
            story.command(
                ticket.id,
                dice.choice([*ACTIONS, "void"]) if dice.random() < 0.7 else next_step(ticket),
                by,
                reason="because",
                note=dice.choice(NOTES),
                until=iso(story.now + timedelta(seconds=dice.choice([600, 7200]))),
                score=dice.randint(1, 5),
                photos=[{"name": "处置后", "ref": "p-1"}],
            )
    story.at(seconds + 7200)


@pytest.mark.parametrize("seed", range(25))
def test_restored_before_every_act_is_the_same_as_never_stopped(seed: int) -> None:
    straight, cut = Script(town(), cut=False), Script(town(), cut=True)
    play(straight, seed)
    play(cut, seed)
    assert len(straight.changes) > 40
    assert cut.told() == straight.told()
    encode = msgspec.json.encode
    assert [encode(c) for c in cut.changes] == [encode(c) for c in straight.changes]
    assert [encode(a) for a in cut.answers] == [encode(a) for a in straight.answers]


@pytest.mark.parametrize("seed", range(4))
def test_played_again_gives_the_same_bytes(seed: int) -> None:
    once, again = Script(town()), Script(town())
    play(once, seed)
    play(again, seed)
    assert msgspec.json.encode(once.changes) == msgspec.json.encode(again.changes)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_the_laws_of_tickets_hold(seed: int) -> None:
    story = Script(town())
    play(story, 100 + seed, acts=120)
    revisions: dict[str, int] = {}
    for change in story.changes:
        assert change.rev == change.body.rev == revisions.get(change.id, 0) + 1
        revisions[change.id] = change.rev
    for ticket in story.tickets():
        assert ticket.worker or ticket.utility
        assert all(step.by for step in ticket.timeline)
        times = [step.at for step in ticket.timeline]
        assert times == sorted(times)
        assert len(ticket.timeline) == ticket.rev + 2
    for parent in story.tickets():
        parts = [t for t in story.tickets() if t.parent == parent.id]
        if parent.stage in ("closed", "evaluated"):
            assert all(t.stage in ("closed", "evaluated", "void") for t in parts)


@pytest.mark.parametrize("seed", range(4))
def test_no_open_ticket_is_ever_silent(seed: int) -> None:
    story = Script(town())
    play(story, 200 + seed)
    seconds = (story.now - story.changes[0].known_at).total_seconds()
    waiting = {t.id for t in story.open_tickets() if t.stage != "suspended"}
    story.at(seconds + 7 * 86400)
    heard = {c.id for c in story.changes if c.change in ("reminded", "escalated", "reworked")}
    assert waiting <= heard


def test_batches_and_single_events_are_the_same() -> None:
    def told(feed: Callable[[Script, list[Event]], None]) -> bytes:
        story = Script(town())
        story.at(0)
        feed(story, [event(k, s, place(*where)) for k, s, where in KINDS])
        return msgspec.json.encode(story.changes)

    def one_by_one(story: Script, events: list[Event]) -> None:
        for one in events:
            story.event(one)

    assert told(one_by_one) == told(lambda story, events: (story.event(*events), None)[1])


def test_what_ended_a_day_ago_is_forgotten() -> None:
    router = GridRouter(town(), RouterSettings(ladder=False))
    story = Script(town(), RouterSettings(ladder=False), cut=False, build=lambda c, s: router)
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    story.command(story.ticket().id, "void", reason="x")
    story.at(60).event(event("flooding", "road-1", place(400, 200), rev=2, phase="closed"))
    story.at(86400 + 59).command(story.ticket().id, "note", note="still here")
    assert story.answers[-1].ok
    story.at(3 * 86400).command(story.ticket().id, "note", note="too late")
    assert "kept a day" in story.answers[-1].reason
    book = router._house.book
    assert not book.incidents
    assert not book.tickets
    assert not book.events


def test_a_ticket_that_ended_before_the_stores_horizon_is_not_opened_again() -> None:
    story = Script(town())
    story.at(0).event(event("sensor_silent", "road-2", place(1700, 800), severity=1))
    story.at(100).command(story.ticket().id, "void", reason="known, spare part ordered")
    week = 7 * 86400
    story.at(week).event(event("flooding", "road-1", place(400, 200), week))
    fresh = GridRouter(town(), RouterSettings(ladder=False))
    silent = next(i for i in story.incidents() if i.kind == "sensor_silent")
    old = event("sensor_silent", "road-2", place(1700, 800), severity=1)
    new = event("flooding", "road-1", place(400, 200), week)
    flood = story.ticket(kind="flooding")
    fresh.restore(story.incidents(), [flood], [old, new], [])
    assert fresh.wake_at() is None
    worse = msgspec.structs.replace(old, rev=2, severity=4)
    opened = [c for c in fresh.on_events([worse], story.now) if c.change == "opened"]
    assert [c.body.incident for c in opened if isinstance(c.body, Ticket)] == [silent.id]
    assert opened[0].id not in {t.id for t in story.tickets()}
