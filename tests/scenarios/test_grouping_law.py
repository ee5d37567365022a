"""The laws of merges, splits, silences and storms, whatever people decide and when we restart."""

from __future__ import annotations

import functools
import random
from typing import Any

import msgspec
import pytest

from contracts.event import Event
from contracts.kinds import OPEN_STAGES
from tests.scenarios.script import Script, event
from tests.scenarios.town import place
from tests.scenarios.wired import wired_town

SEEDS = (0, 1, 2, 3, 4, 5)


@pytest.fixture(autouse=True)
def cut_always() -> None:
    """These tests say themselves where they cut."""


def night(story: Script, seed: int) -> None:
    """Anything, with merges, splits, undos, silences and a storm."""
    dice = random.Random(seed)
    living: dict[str, Event] = {}
    seconds = 0.0
    for number in range(70):
        seconds += dice.choice([0, 1, 30, 300, 1800])
        story.at(seconds)
        roll = dice.random()
        tickets = [t for t in story.tickets() if t.parent is None]
        if roll < 0.35 or len(tickets) < 2:
            kind = dice.choice(["flooding", "street_light_out", "sensor_silent", "severed_cable"])
            east = dice.choice([300, 340, 420, 800, 850])
            site = {"severed_cable": "L1"}.get(kind, f"{kind}-{east}")
            told: dict[str, Any] = {"rain": {"mean_10_min": 20.0}}
            if kind == "severed_cable":
                told = {"spans": [[f"s-{east // 100}", 0.9]], "owners": ["grid-co"]}
            fresh = event(kind, site, place(east, 400), seconds, ordinal=number, **told)
            living[fresh.id] = fresh
            story.event(fresh)
        elif roll < 0.55:
            old = living[dice.choice(sorted(living))]
            phase: Any = dice.choice(["updated", "closed"])
            living[old.id] = msgspec.structs.replace(
                old, rev=old.rev + 1, phase=phase, severity=dice.randint(1, 5)
            )
            story.event(living[old.id])
        elif roll < 0.65:
            kinds = [dice.choice(["flooding", "street_light_out"])]
            story.silence(f"s-{number}", seconds + dice.choice([60, 4000]), kinds=kinds)
            if dice.random() < 0.3:
                story.lift(f"s-{number - 1}")
        else:
            ticket, other = dice.choice(tickets), dice.choice(tickets)
            events = dice.sample(sorted(living), 2) + list(ticket.reason["incident"]["events"])[:1]
            action = dice.choice(["merge", "split", "undo", "accept", "arrive", "dispose", "close"])
            story.command(
                ticket.id, action, reason="x", into=other.id, events=events[dice.randint(0, 2) :]
            )
    story.at(seconds + 8000)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_people_decide_a_restart_changes_nothing_and_nothing_is_lost(seed: int) -> None:
    straight = told(seed)
    cut = Script(wired_town(), cut=True)
    night(cut, seed)
    assert cut.told() == straight.told()
    assert msgspec.json.encode(cut.changes) == msgspec.json.encode(straight.changes)
    for one in straight.incidents():
        going_on = one.closed_at is None and one.kind != "storm"
        waits = one.held is not None and one.held.ended_at is None
        tickets = [t for t in straight.tickets() if t.incident == one.id]
        assert not going_on or waits or tickets, one
        assert one.merged_into is None or not any(t.stage in OPEN_STAGES for t in tickets)
    owners: dict[str, list[str]] = {}
    for one in straight.incidents():
        if one.closed_at is None and one.merged_into is None:
            for name in one.events:
                owners.setdefault(name, []).append(one.id)
    assert all(len(found) == 1 for found in owners.values())


@functools.cache
def told(seed: int) -> Script:
    """The night without a restart."""
    story = Script(wired_town(), cut=False)
    night(story, seed)
    return story


def test_the_nights_do_merge_split_undo_and_hold() -> None:
    done: set[str] = set()
    for seed in SEEDS:
        story = told(seed)
        done |= {e["what"] for t in story.tickets() for e in t.reason.get("by_hand", ())}
        done |= {"undone" for t in story.tickets() if "undone" in t.reason}
        done |= {"storm" for i in story.incidents() if i.kind == "storm"}
        done |= {"held" for i in story.incidents() if i.held is not None}
        done |= {"caused" for i in story.incidents() if i.cause is not None}
    assert done >= {"merged", "took", "split", "split_from", "undone", "storm", "held", "caused"}
