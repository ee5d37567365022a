"""Falls that were torn in two tracks are one fall again, and nothing else is joined."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.event import Event
from contracts.nouns import Frame
from detectors.high_altitude_throw import Settings, ThrowDetector, sites
from detectors.high_altitude_throw.halves import (
    MOST,
    REMEMBERED_S,
    is_one_flight,
    remembered,
    wholes,
)
from detectors.high_altitude_throw.hypotheses import Hit, Track
from detectors.high_altitude_throw.sample import HEIGHT, PER_METRE, RATE, frames, put_thing, town
from detectors.high_altitude_throw.verdict import judge
from detectors.high_altitude_throw.wall import Wall, wall_of
from tests.unit.detectors.throws import Throw, World, a_throw, a_world

SIZE = (720, 1280)
SEEDS = 12


def track_of(hits: list[Hit], number: int) -> Track:
    worth = 6.0 * len(hits)
    return Track(number, hits, [0.0] * 5, [0.0] * 9, hits[-1].t, worth, worth, len(hits))


def torn(thrown: Throw, gap_s: float) -> tuple[list[Hit], list[Hit]]:
    """Its first third, and what comes `gap_s` later."""
    first = thrown.hits[: max(4, len(thrown.hits) // 3)]
    return first, [hit for hit in thrown.hits if hit.t > first[-1].t + gap_s * 1e6]


def found(early: list[Hit], late: list[Hit], wall: Wall) -> bool:
    for whole in wholes(track_of(late, 2), [track_of(early, 1)], wall, SIZE[0]):
        verdict = judge(whole, Settings(), SIZE, wall, ended=True)
        if is_one_flight(verdict, whole, wall, SIZE[0]):
            return True
    return False


def a_torn_throw(seed: int) -> tuple[World, list[Hit], list[Hit]]:
    """Of something heavier than cloth, which would sink by then."""
    rng = np.random.default_rng(seed)
    world = a_world(rng)
    for _ in range(200):
        thrown = a_throw(world, rng, hidden=0.0, rate=15.0)
        early, late = torn(thrown, 0.5)
        if len(late) >= 4 and thrown.terminal >= 8:
            return world, early, late
    raise AssertionError("no throw of this world is long enough to be torn")


def test_most_torn_throws_are_one_flight_again() -> None:
    whole = 0
    for seed in range(SEEDS):
        world, early, late = a_torn_throw(seed)
        whole += found(early, late, wall_of(world.camera, SIZE))
    assert whole >= SEEDS / 2


def test_the_beginning_of_one_throw_and_the_end_of_another_are_not_joined() -> None:
    for seed in range(SEEDS):
        world, early, late = a_torn_throw(seed)
        wall = wall_of(world.camera, SIZE)
        places = wall.facade.to_metres(np.array([(hit.x, hit.y) for hit in late]))
        beside = [
            Hit(hit.t, *_pixel(wall, u + 1.5 * world.bay_m, v), hit.w, hit.h, hit.contrast)
            for hit, (u, v) in zip(late, places.tolist(), strict=True)
        ]
        assert not found(early, beside, wall)


def _pixel(wall: Wall, u: float, v: float) -> tuple[float, float]:
    x, y, depth = wall.facade.pose.matrix @ np.array([u, v, 0.0, 1.0])
    return wall.facade.crooked(float(x / depth), float(y / depth))


def test_what_ended_is_remembered_for_seconds_and_only_the_most_worth_of_many() -> None:
    hits = [Hit(k * 40_000, 100.0, 100.0 + k, 8.0, 8.0, 40.0) for k in range(4)]
    ended = [track_of(hits, number) for number in range(MOST + 5)]
    for one in ended:
        one.best = float(one.number)
    known = remembered(ended, [], hits[-1].t)
    assert [one.number for one in known] == list(range(5, MOST + 5))
    assert remembered([], known, hits[-1].t + round(REMEMBERED_S * 1e6)) == known
    assert remembered([], known, hits[-1].t + round(REMEMBERED_S * 1e6) + 1) == []


def test_falls_and_chance_pairs_are_not_remembered() -> None:
    hits = [Hit(k * 40_000, 100.0, 100.0 + k, 8.0, 8.0, 40.0) for k in range(4)]
    fell, pair = track_of(hits, 1), track_of(hits[:2], 2)
    fell.fall = True
    assert remembered([fell, pair], [], hits[-1].t) == []


# --- the whole detector ---------------------------------------------------------------------------

GLIMPSES = ((0.60, 0.81), (1.46, 1.74))
"""Seconds after the release in which the thing can be seen: each too short for a fall."""


def glimpsed(aside_m: float = 0.0, seed: int = 3) -> list[Frame]:
    """A fall from (8.8, 20): two glimpses of it, the second `aside_m` beside the first."""
    out = []
    rng = np.random.default_rng(seed)
    for number, frame in enumerate(frames(rng, 4.0, None)):
        since = number / RATE - 1.0
        picture = frame.luma.astype(np.float32)
        for k, (first, last) in enumerate(GLIMPSES):
            if first <= since <= last:
                y = HEIGHT - (20.0 - 4.905 * since**2) * PER_METRE
                put_thing(picture, (8.8 + aside_m * k) * PER_METRE, y, 4, -60)
        luma = np.clip(picture, 0, 255).astype(np.uint8)
        out.append(Frame(frame.device, frame.at, frame.received_at, luma))
    return out


def watch(pictures: list[Frame], *, restarted_at: int | None = None) -> list[Event]:
    site = next(iter(sites(town(), Settings())))
    detector = ThrowDetector(Settings(), site, None)
    events: list[Event] = []
    for number, picture in enumerate(pictures):
        if number == restarted_at:
            detector = ThrowDetector(Settings(), site, detector.snapshot())
        events.extend(detector.on_item(picture))
    wake = detector.wake_at()
    return events + (list(detector.on_time(wake)) if wake is not None else [])


@pytest.mark.parametrize("restarted_at", [None, round(2.2 * RATE)])
def test_a_fall_of_two_glimpses_is_one_event_from_its_window(restarted_at: int | None) -> None:
    events = watch(glimpsed(), restarted_at=restarted_at)
    assert [event.phase for event in events] == ["opened", "closed"]
    assert events[-1].evidence["origin"]["zone"] == "F7-3"
    assert events[-1].evidence["hits"] >= 9


def test_either_glimpse_alone_is_none() -> None:
    early, late = glimpsed(), glimpsed()
    blank = glimpsed(aside_m=1000.0)[: len(early)]
    middle = round(2.0 * RATE)
    assert watch([*early[:middle], *blank[middle:]]) == []
    assert watch([*frames(np.random.default_rng(3), 4.0, None)[:middle], *late[middle:]]) == []


def test_two_things_at_two_windows_are_not_one_fall() -> None:
    assert watch(glimpsed(aside_m=5.0)) == []
