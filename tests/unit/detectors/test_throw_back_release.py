"""Where falls began, on throws in space through random cameras with calibration errors."""

from __future__ import annotations

import numpy as np
import pytest

from detectors._common.facade import Facade
from detectors._common.zones import ELSEWHERE, Prior
from detectors.high_altitude_throw.flight import GRAVITY, basis, fallen, falling
from detectors.high_altitude_throw.origin import Origin, origin_fact, origin_of
from detectors.high_altitude_throw.sample import zones
from detectors.high_altitude_throw.wall import Wall, wall_of
from tests.unit.detectors.throws import Throw, World, a_throw, a_world, flight, project


def named(count: int, first_seed: int, **kind: float | None) -> list[tuple[Throw, Origin]]:
    found = []
    for seed in range(first_seed, first_seed + count):
        rng = np.random.default_rng(seed)
        world = a_world(rng)
        throw = a_throw(world, rng, **kind)
        origin = origin_of(throw.hits, wall_of(world.camera, (720, 1280)), 720)
        assert origin is not None
        found.append((throw, origin))
    return found


def test_what_it_says_with_certainty_is_right_and_it_often_is_certain() -> None:
    found = named(40, 1500)
    sure = [one for one in found if one[1].zones and one[1].zones[0][3] >= 0.8]
    right = [throw.zone == origin.zones[0][0] for throw, origin in sure]
    assert len(sure) >= 0.55 * len(found)
    assert np.mean(right) >= 0.95


def test_where_most_of_the_way_is_seen_the_window_is_right() -> None:
    found = [(throw, origin) for throw, origin in named(40, 1600) if throw.seen >= 0.6]
    exact = [bool(o.zones) and throw.zone == o.zones[0][0] for throw, o in found]
    near = [bool(o.zones) and abs((o.zones[0][1] or 99) - throw.floor) <= 1 for throw, o in found]
    assert np.mean(exact) >= 0.8
    assert np.mean(near) >= 0.9


def test_the_less_is_seen_the_less_it_claims() -> None:
    whole = [o.zones[0][3] if o.zones else 0.0 for _, o in named(12, 1700, hidden=0.0)]
    half = [o.zones[0][3] if o.zones else 0.0 for _, o in named(12, 1700, hidden=0.35)]
    assert np.mean(whole) > np.mean(half)


def test_outside_all_zones_no_window_is_named() -> None:
    rng = np.random.default_rng(1801)
    world = a_world(rng)
    throw = a_throw(world, rng)
    facade = Facade(world.camera, (720, 1280))
    far = tuple(zone for zone in world.camera.zones if abs((zone.floor or 0) - throw.floor) > 4)
    origin = origin_of(throw.hits, Wall(facade, Prior(far)), 720)
    assert origin is not None
    assert origin_fact(origin) is None


@pytest.mark.parametrize("terminal", [2.5, 8.0, 40.0])
def test_flights_in_closed_form_are_those_integrated_step_by_step(terminal: float) -> None:
    start, throw = np.array([3.0, 40.0, 0.2]), np.array([0.4, 0.3, 1.0])
    t, way = flight(start, throw, terminal, np.zeros(3), np.random.default_rng(0), 0.0, 2.0)
    matrix, fixed = basis(t, terminal)
    guess = matrix @ np.array([*start, *throw, 0.0, 0.0]) + fixed
    assert np.abs(guess - way).max() < 0.25
    assert float(falling(np.asarray(60.0), np.asarray(terminal))) == pytest.approx(terminal)
    heavy = float(fallen(np.asarray(1.0), np.asarray(1e4)))
    assert heavy == pytest.approx(GRAVITY / 2, rel=1e-3)


def test_the_camera_is_found_from_points_on_the_wall() -> None:
    misses = []
    for seed in range(1900, 1906):
        rng = np.random.default_rng(seed)
        world: World = a_world(rng, error_px=0.5, focal_known=True)
        facade = Facade(world.camera, (720, 1280))
        out = np.array([[2.0, 12.0, 3.0], [8.0, 20.0, 3.0], [5.0, 6.0, 1.0]])
        misses.append(np.hypot(*(facade.pose.project(out) - project(world.matrix, out)).T).max())
    assert np.median(misses) < 6


def test_zones_are_laid_on_the_wall_and_little_is_expected_elsewhere() -> None:
    prior = Prior(zones())
    row, column = int(np.searchsorted(prior.v, 16.4)), int(np.searchsorted(prior.u, 6.0))
    assert prior.zones[prior.zone[row, column]].id == "F6-2"
    assert prior.density[row, column] > 0.9
    assert prior.zone[0, 0] == -1
    assert prior.density[0, 0] == ELSEWHERE
    assert prior.floor_m == pytest.approx(3)
    assert prior.bay_m == pytest.approx(4)
    assert prior.sides == (0.0, 20.0)
