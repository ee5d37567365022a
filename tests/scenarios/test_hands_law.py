"""Laws of more hands: whatever people do, restarts change nothing and nothing is out twice."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import msgspec
import pytest

from contracts.governance import Patrol, SpecialGrid
from contracts.kinds import OPEN_STAGES
from tests.scenarios.governed import MAIN_ROAD, RESOURCES, governed
from tests.scenarios.script import Script, event
from tests.scenarios.town import at, place

PATROLS = (
    Patrol(id="p-1", name_zh="巡", name_en="p", assets=("road-1",), at=("11:00", "14:00")),
    Patrol(id="p-2", name_zh="雨", name_en="r", points=(at(400, 200),), when="rain"),
)
SPECIAL = (SpecialGrid(grid=MAIN_ROAD, what="main_road"),)
KINDS: list[tuple[str, str, tuple[int, int], dict[str, Any]]] = [
    ("flooding", "road-1", (400, 200), {"metric": "depth", "stage": "observed", "value": 0.3}),
    ("flooding", "road-2", (1700, 800), {"stage": "forecast"}),
    ("severed_cable", "L1", (500, 400), {"owners": ["grid-co", "telecom-co"]}),
    ("pole_tilt", "lamp-1", (600, 600), {}),
]
ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("request_helper", {"count": 2}),
    ("request_helper", {"worker": "w-42"}),
    ("accept_help", {}),
    ("refuse_help", {}),
    ("release_helper", {"worker": "w-42"}),
    ("take_resource", {"resource": "pump-1"}),
    ("take_resource", {"resource": "fence-1", "count": 3}),
    ("return_resource", {"resource": "pump-1"}),
    ("report", {"road_blocked": True}),
    ("report", {"road_blocked": False}),
    ("assign", {"utility": "lights"}),
    ("dispose", {"findings": [{"ok": False, "text": "坏", "kind": "drain_blocked"}]}),
    *((action, {}) for action in ("accept", "arrive", "dispose", "verify", "close", "void")),
]


@pytest.fixture(autouse=True)
def cut_always() -> None:
    """These tests say themselves where they cut."""


def night(seed: int, *, cut: bool) -> Script:
    """Anything that people, water and cables may do: the same seed gives the same acts."""
    dice = random.Random(seed)
    city = governed(patrols=PATROLS, special=SPECIAL, grids=(*governed().grids, MAIN_ROAD))
    story = Script(city, cut=cut)
    seconds = 0.0
    for _ in range(50):
        seconds += dice.choice([0, 30, 300, 1800])
        story.at(seconds)
        if dice.random() < 0.25 or not story.tickets():
            kind, site, (east, north), said = dice.choice(KINDS)
            device = None if site == "L1" else site
            fresh = event(kind, site, place(east, north), seconds, device=device, **said)
            story.event(fresh)
            continue
        ticket = dice.choice(story.tickets())
        mine = [ticket.worker, ticket.utility, *ticket.helpers]
        by = dice.choice(["center", "h-1", *(name for name in mine if name)])
        action, data = dice.choice(ACTIONS)
        story.command(ticket.id, action, by, reason="because", **data)
        holds(story)
    story.at(seconds + 7200)
    return story


def holds(story: Script) -> None:
    """What must be so at any moment."""
    out: Counter[str] = Counter()
    for ticket in story.tickets():
        states = {hand.worker: hand.state for hand in ticket.hands}
        assert len(states) == len(ticket.hands), "one hand for each helper"
        assert ticket.worker not in ticket.helpers
        assert set(ticket.helpers) == {
            worker
            for worker, state in states.items()
            if state in ("requested", "accepted") and worker != ticket.worker
        }
        if ticket.stage in OPEN_STAGES:
            for entry in ticket.reason.get("resources", {}).get("taken", []):
                out[entry["resource"]] += entry["count"]
        else:
            assert not ticket.helpers
            assert not ticket.reason.get("resources", {}).get("taken")
    for resource, count in out.items():
        assert count <= RESOURCES[resource].count, f"{resource} is out {count} x"


@pytest.mark.parametrize("seed", range(6))
def test_restarts_change_nothing_and_nothing_is_out_twice(seed: int) -> None:
    straight, cut = night(seed, cut=False), night(seed, cut=True)
    assert cut.told() == straight.told()
    encode = msgspec.json.encode
    assert [encode(c) for c in cut.changes] == [encode(c) for c in straight.changes]
    assert [encode(a) for a in cut.answers] == [encode(a) for a in straight.answers]
    assert sum(answer.ok for answer in straight.answers) > 5
