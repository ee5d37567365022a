"""What sinks at its terminal speed, carried by wind; and what follows a gap."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.high_altitude_throw.hypotheses import Hit, Track
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.verdict import judge, without_strays
from detectors.high_altitude_throw.wall import wall_of
from tests.unit.detectors.throws import a_world, flight, project


def a_track(hits: list[Hit]) -> Track:
    return Track(1, hits, [0.0] * 5, [0.0] * 9, hits[-1].t, 90.0, 90.0, len(hits))


def sinks(seed: int, terminal: float, wind: float, folds: float = 0.2) -> bool:
    """Whether a sheet of 0.5 m from the upper floors, at 12 pictures a second, is a fall."""
    rng = np.random.default_rng(seed)
    world = a_world(rng)
    place = np.array([world.bays * world.bay_m / 2, (world.floors - 1) * world.floor_m, 0.4])
    velocity = np.array([0.0, 0.0, 0.5])
    air = np.array([wind, 0.0, 0.0])
    t, ways = flight(place, velocity, terminal, air, rng, 0.1, 4.0)
    pixels = project(world.matrix, ways)[40::8]
    higher = project(world.matrix, ways[40::8] + np.array([0.0, 1.0, 0.0]))
    metre = float(np.median(np.abs(higher[:, 1] - pixels[:, 1])))
    side = max(10.0, 0.5 * metre)
    sides = side * np.exp(folds * rng.normal(0, 1, len(pixels)))
    hits = [
        Hit(round(a * 1e6), x + rng.normal(0, 0.4), y + rng.normal(0, 0.4), wide, wide, 50)
        for a, (x, y), wide in zip(t[40::8], pixels, sides.tolist(), strict=True)
        if 0 <= x < 1280 and 0 <= y < 720
    ]
    verdict = judge(
        a_track(hits), Settings(), (720, 1280), wall_of(world.camera, (720, 1280)), ended=True
    )
    return verdict is not None and not verdict.against


@pytest.mark.parametrize("wind", [0.0, 2.4])
def test_a_cloth_is_a_fall_in_calm_air_and_in_a_breeze(wind: float) -> None:
    assert sum(sinks(seed, 3.4, wind) for seed in range(8)) >= 6


def test_what_glides_down_without_folding_or_tumbling_is_none() -> None:
    assert sum(sinks(seed, 3.4, 0.0, folds=0.0) for seed in range(8)) == 0


def test_what_sinks_as_slowly_as_an_empty_bag_is_none() -> None:
    assert sum(sinks(seed, 1.5, 0.0) for seed in range(8)) == 0


@pytest.mark.parametrize(("pause", "after", "kept"), [(7, 2, 8), (7, 3, 11), (3, 2, 10)])
def test_hardly_anything_after_a_long_gap_may_be_anothers(
    pause: int, after: int, kept: int
) -> None:
    steps = [*range(8), *(7 + pause + k for k in range(after))]
    hits = [Hit(40_000 * k, 300.0, 100.0 + 5 * k, 8, 8, 50) for k in steps]
    assert len(without_strays(a_track(hits)).hits) == kept
