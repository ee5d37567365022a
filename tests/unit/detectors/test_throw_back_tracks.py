"""Following, merging and judging: points in pictures that are only lists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.high_altitude_throw.hypotheses import Hit, Track, branch, decide
from detectors.high_altitude_throw.merge import is_image, same_fall
from detectors.high_altitude_throw.motion import Candidates
from detectors.high_altitude_throw.sample import HEIGHT, WIDTH, camera
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.space import PictureSpace, WallSpace, space_of
from detectors.high_altitude_throw.tracking import Tracker
from detectors.high_altitude_throw.verdict import judge
from detectors.high_altitude_throw.wall import wall_of
from tests.unit.detectors.throws import a_world, project

SHAPE = (720, 1280)
Way = Callable[[float], tuple[float, float]]


def follow(
    ways: list[Way], *, rate: float = 25.0, seconds: float = 1.6, seen: float = 1.0,
    hidden: tuple[float, float] = (9.0, 9.0), tracker: Tracker | None = None, seed: int = 0,
) -> list[Track]:  # fmt: skip
    """All tracks after things that move so were shown; `hidden` from when to when, s."""
    rng = np.random.default_rng(seed)
    tracker = tracker or Tracker(SHAPE)
    ended: list[Track] = []
    for number in range(round(seconds * rate)):
        t = number / rate
        rows = [
            [*(np.array(way(t)) + rng.normal(0, 0.5, 2)), 8.0, 8.0, 50.0]
            for way in ways
            if rng.random() < seen and not hidden[0] <= t < hidden[1]
        ]
        found = np.array(rows).reshape(-1, 5)
        ended += tracker.add(Candidates(round(t * 1e6) + 1, found, len(rows), True))
    return [*ended, *tracker.tracks]


def falls(x: float, y: float, begins: float = 0.0, pull: float = 250.0) -> Way:
    return lambda t: (x, y + pull * max(0.0, t - begins) ** 2)


def longest(tracks: list[Track]) -> Track:
    return max(tracks, key=lambda track: len(track.hits))


# --- following ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [10.0, 15.0, 30.0])
@pytest.mark.parametrize("seen", [0.65, 1.0])
def test_a_thing_that_is_seen_two_times_of_three_is_one_track(rate: float, seen: float) -> None:
    track = longest(follow([falls(300, 80)], rate=rate, seen=seen, seed=3))
    assert len(track.hits) >= 0.55 * seen * 1.6 * rate
    assert track.best >= Settings().least_score


def test_what_a_tree_hides_for_half_a_second_is_found_again() -> None:
    tracks = follow([falls(300, 60)], hidden=(0.7, 1.25))
    track = longest(tracks)
    assert track.hits[0].t < 0.4e6
    assert track.last.t > 1.45e6


def test_a_weak_track_is_not_waited_for() -> None:
    tracker = Tracker(SHAPE)
    follow([falls(300, 80)], seconds=0.16, tracker=tracker)
    assert tracker.tracks
    follow_on = Candidates(900_000, np.zeros((0, 5)), 0, True)
    tracker.add(follow_on)
    assert tracker.tracks == []


def test_the_better_of_two_branches_stays() -> None:
    hits = [Hit(n * 40_000, 300.0, 100.0 + n, 8, 8, 50) for n in range(5)]
    track = Track(1, hits, [0.0] * 5, [0.0] * 9, 0, score=20.0, best=20.0)
    track.rival = branch(track)
    track.rival.hits.append(Hit(300_000, 320.0, 130.0, 8, 8, 50))
    track.rival.score = 30.0
    decide(track)
    assert track.score == 30.0
    assert track.last.x == 320.0
    assert not track.rival


def test_something_that_crosses_does_not_lead_a_fall_astray() -> None:
    def crossing(t: float) -> tuple[float, float]:
        return 300 + 700 * (t - 0.8), 240.0

    track = longest(follow([falls(300, 80), crossing]))
    assert track.last.y > 600
    assert max(abs(hit.x - 300) for hit in track.hits) < 30


def test_metres_are_followed_where_the_camera_is_calibrated() -> None:
    wall = wall_of(camera(), (HEIGHT, WIDTH))
    space = space_of(wall.facade, (HEIGHT, WIDTH))
    assert isinstance(space, WallSpace)
    place, unit = space.places(np.array([[100.0, 40.0]]))
    assert place[0] == pytest.approx([10, -20], abs=1e-3)
    assert unit[0] == pytest.approx([0.1, 0.1], abs=1e-4)
    assert space.pixel(10, -20) == pytest.approx((100, 40), abs=0.01)
    assert isinstance(space_of(None, SHAPE), PictureSpace)


def test_a_snapshot_of_the_tracker_goes_on_as_it_would_have() -> None:
    one, other = Tracker(SHAPE), Tracker(SHAPE)
    follow([falls(300, 80), falls(700, 60, 0.3)], seconds=0.8, tracker=one)
    other.restore(one.state())
    follow_on = np.array([[300.0, 80 + 250 * 0.8**2, 8, 8, 50]])
    for tracker in (one, other):
        tracker.add(Candidates(800_001, follow_on.copy(), 1, True))
    assert one.state() == other.state()


# --- one fall or two ------------------------------------------------------------------------------


def hits(way: Way, begin: float, end: float, rate: float = 25.0) -> list[Hit]:
    times = np.arange(begin, end, 1 / rate)
    return [Hit(round(t * 1e6), *way(float(t)), 8, 8, 50) for t in times]


def test_a_parallel_track_is_the_mirror_image_but_not_from_far_away() -> None:
    thing = hits(falls(300, 80), 0.2, 1.4)
    assert same_fall(thing, hits(falls(380, 90), 0.2, 1.3), 720, None)
    assert not same_fall(thing, hits(falls(800, 90), 0.2, 1.3), 720, None)


def test_the_next_thing_from_the_same_window_is_another_fall() -> None:
    first, second = hits(falls(300, 40), 0.2, 1.6), hits(falls(300, 40, 1.2), 1.4, 2.6)
    assert not same_fall(first, second, 720, None)


def test_a_piece_below_a_tree_belongs_to_the_piece_above() -> None:
    way = falls(300, 40)
    assert same_fall(hits(way, 0.2, 0.6), hits(way, 1.1, 1.6), 720, None)
    assert not same_fall(hits(way, 0.2, 0.6), hits(falls(300, -200, 0.9), 1.1, 1.6), 720, None)


def test_an_image_behind_the_glass_is_known_by_where_it_is() -> None:
    world = a_world(np.random.default_rng(7), error_px=0.5, focal_known=True)
    wall = wall_of(world.camera, SHAPE)
    t = np.arange(0.2, 1.6, 0.04)
    u, v = 0.3 * world.bays * world.bay_m, 0.8 * world.floors * world.floor_m

    def seen(out: float) -> list[Hit]:
        place = np.column_stack([np.full(len(t), u), v - 4.9 * t**2, out * (0.5 + 2 * t)])
        pixels = project(world.matrix, place)
        rows = zip(t, pixels, strict=True)
        return [Hit(round(a * 1e6), float(p[0]), float(p[1]), 8, 8, 50) for a, p in rows]

    thing, image = seen(1.0), seen(-1.0)
    assert same_fall(thing, image, 720, wall)
    assert is_image(image, thing, 720, wall)
    assert not is_image(thing, image, 720, wall)


# --- judging --------------------------------------------------------------------------------------


def judged(
    v: NDArray[np.float64], t: NDArray[np.float64], u: float = 10.0, rain: int = 0, px: float = 5
) -> str:
    """What is said about a thing that is at heights `v` before the sample's wall."""
    rng = np.random.default_rng(5)
    seen = [
        Hit(
            round(a * 1e6),
            10 * u + rng.normal(0, 0.4),
            240 - 10 * b + rng.normal(0, 0.4),
            px * tumbles,
            px,
            50,
        )
        for a, b, tumbles in zip(
            t.tolist(), v.tolist(), (1 + 0.3 * np.sin(9 * t)).tolist(), strict=True
        )
    ]
    track = Track(1, seen, [0.0] * 5, [0.0] * 9, seen[-1].t, 90.0, 90.0, len(seen), rain=rain)
    verdict = judge(
        track, Settings(), (HEIGHT, WIDTH), wall_of(camera(), (HEIGHT, WIDTH)), ended=True
    )
    return "not asked" if verdict is None else verdict.against


def test_a_light_thing_at_its_terminal_speed_is_a_fall_where_metres_are_known() -> None:
    t = np.arange(0, 3, 1 / 15)
    assert judged(20 - 4.5 * t, t, px=12) == ""
    assert judged(20 - 4.5 * t, t, px=5) != "", "a leaf is as small"
    assert judged(20 - 4.5 * t, t, px=12, rain=40) != "", "not in rain"
    slow = np.arange(0, 6, 1 / 15)
    assert judged(20 - 1.8 * slow, slow, px=12) == "steady motion explains it", "a lift"
    assert judged(20 - 4.5 * t, t, px=12, u=40.0) != "", "not beside the house"
    panes = t[(4.5 * t) % 3 < 1.6]
    assert judged(20 - 4.5 * panes, panes, px=12) != "", "mirrored in panes, missing between them"
    surging = 20 - 4.5 * t + 0.9 * np.sin(5 * t)
    assert judged(surging, t, px=12) != "", "a bird that beats its wings"


def test_two_floors_count_and_one_does_not() -> None:
    t = np.arange(0.2, 1.15, 1 / 25)
    assert judged(20 - 4.9 * t**2, t) == ""
    short = t[t < 0.75]
    assert judged(20 - 4.9 * short**2, short) == "not asked"


def test_what_drives_before_the_foot_of_the_house_is_not_asked() -> None:
    t = np.arange(0, 1.2, 1 / 25)
    assert judged(-1 - 4.9 * t**2, t) == "not asked"
