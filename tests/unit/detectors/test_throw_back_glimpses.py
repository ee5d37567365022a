"""Falls of which little was seen: few pictures, half a path."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from detectors.high_altitude_throw.glimpse import floors
from detectors.high_altitude_throw.hypotheses import Hit, Track
from detectors.high_altitude_throw.motion import Candidates
from detectors.high_altitude_throw.sample import HEIGHT, WIDTH, camera
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.space import space_of
from detectors.high_altitude_throw.tracking import Tracker
from detectors.high_altitude_throw.verdict import judge
from detectors.high_altitude_throw.wall import wall_of


def judged(
    until: float, *, score: float = 90.0, ended: bool = True, pull: float = 9.81, top: float = 20.0
) -> str:
    """What is said about a fall from `top` metres of the sample's wall that vanishes at `until`."""
    rng = np.random.default_rng(5)
    seen = []
    for t in np.arange(0.2, until, 1 / 25).tolist():
        y = 240 - 10 * (top - pull / 2 * t**2)
        x, y = 100 + rng.normal(0, 0.4), y + rng.normal(0, 0.4)
        seen.append(Hit(round(t * 1e6), x, y, 5, 5, 50))
    track = Track(1, seen, [0.0] * 5, [0.0] * 9, seen[-1].t, score, score, len(seen))
    wall = wall_of(camera(), (HEIGHT, WIDTH))
    verdict = judge(track, Settings(), (HEIGHT, WIDTH), wall, ended=ended)
    return "not asked" if verdict is None else verdict.against


def test_a_glimpse_of_a_high_fall_counts_when_it_is_beyond_doubt() -> None:
    assert judged(0.94) == ""
    assert judged(0.94, ended=False) == "not asked", "it may still go on"
    assert judged(0.94, score=34) == "not asked", "chance makes such a thing"
    assert judged(0.94, top=4.5) == "not asked", "it fell off a sill near the ground"
    assert judged(2.8, pull=1.0) != "", "a lift that sets off"
    assert judged(0.75) == "not asked", "less than a floor"


def test_what_was_let_go_in_sight_counts_from_one_floor_on() -> None:
    assert judged(1.3, pull=4.5) == "", "a light thing, seen from its window on"
    assert judged(0.9, pull=4.5) == "not asked", "less than a floor"


def test_the_ground_floor_is_fallen_past_where_the_lowest_window_is_above_it() -> None:
    calibrated = camera()
    upper = tuple(zone for zone in calibrated.zones if min(v for _, v in zone.polygon) >= 3.0)
    assert 0 < len(upper) < len(calibrated.zones)
    shops = wall_of(msgspec.structs.replace(calibrated, zones=upper), (HEIGHT, WIDTH))
    assert shops.prior.low > 2.0
    way = [Hit(0, 100, 240 - 10 * 6.0, 5, 5, 50), Hit(1_000_000, 100, 240 - 10 * 0.5, 5, 5, 50)]
    assert floors(way, shops) == pytest.approx(5.5 / shops.prior.floor_m, rel=0.05)


def falling(step_s: float, count: int, gaps: tuple[float, float] = (9.0, 9.0)) -> Tracker:
    tracker = Tracker((720, 1280))
    for number in range(count):
        t = number * step_s
        shown = not gaps[0] < t < gaps[1]
        rows = [[300.0, 100 + 250 * t**2, 8.0, 8.0, 50.0]] if shown else []
        found = np.array(rows).reshape(-1, 5)
        tracker.add(Candidates(round(t * 1e6) + 1, found, len(rows), True))
    return tracker


@pytest.mark.parametrize("step_s", [0.04, 0.08, 0.1])
def test_six_pictures_before_a_quiet_wall_are_worth_judging(step_s: float) -> None:
    track = max(falling(step_s, 9).tracks, key=lambda one: len(one.hits))
    assert len(track.hits) >= 6
    track = max(falling(step_s, 9).tracks, key=lambda one: one.best)
    assert track.best / len(track.hits) * 6 >= Settings().least_score


def test_what_a_canopy_hides_is_bridged_back_where_metres_are_known() -> None:
    def first(step_s: float, hidden: tuple[float, float]) -> float:
        facade = wall_of(camera(), (HEIGHT, WIDTH)).facade
        tracker = Tracker((HEIGHT, WIDTH), space_of(facade, (HEIGHT, WIDTH)))
        shown = []
        for number in range(round(1.8 / step_s)):
            t = number * step_s
            seen = not hidden[0] < t < hidden[1]
            rows = [[100.0, 30 + 49 * t**2, 5.0, 5.0, 50.0]] if seen else []
            found = np.array(rows).reshape(-1, 5)
            shown += [Hit(round(t * 1e6) + 1, *row) for row in rows]
            tracker.add(Candidates(round(t * 1e6) + 1, found, len(rows), True))
        late = [hit for hit in shown if hit.t > hidden[1] * 1e6]
        track = Track(9, late, [], [], 0)
        tracker.trace_back(track)
        return track.hits[0].t / 1e6

    assert first(1 / 12.5, (0.5, 0.95)) < 0.4
    assert first(1 / 12.5, (0.3, 1.1)) > 1.1, "too long"


def test_a_track_that_ends_is_traced_back_before_its_last_judgement() -> None:
    tracker = falling(0.04, 30, (0.45, 1.0))
    tracker.tracks = [one for one in tracker.tracks if one.hits[0].t > 900_000]
    for one in tracker.tracks:
        one.hits = [hit for hit in one.hits if hit.t > 1_000_000]
    none = np.zeros((0, 5))
    ended = []
    for number in range(30, 70):
        ended += tracker.add(Candidates(round(number * 0.04e6) + 1, none, 0, True))
    assert all(one.hits[0].t < 450_000 for one in ended if len(one.hits) >= 5)
