"""Where falls began, on throws in space through random cameras with calibration errors."""

from __future__ import annotations

import numpy as np
import pytest

from detectors._common.facade import Facade
from detectors._common.zones import ELSEWHERE, Prior
from detectors.high_altitude_throw.flight import GRAVITY, basis, fallen, falling
from detectors.high_altitude_throw.origin import Origin, origin_fact, origin_of
from detectors.high_altitude_throw.release import TERMINAL, fit_release
from detectors.high_altitude_throw.sample import HEIGHT, WIDTH, camera, zones
from detectors.high_altitude_throw.tracking import Hit
from detectors.high_altitude_throw.wall import Wall, wall_of
from tests.unit.detectors.throws import Throw, World, a_throw, a_world, flight, project

pytestmark = pytest.mark.slow


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
    guess = matrix @ np.array([*start, *throw, 0.0, 0.0, 0.0]) + fixed
    assert np.abs(guess - way).max() < 0.25
    assert float(falling(np.asarray(60.0), np.asarray(terminal))) == pytest.approx(terminal)
    heavy = float(fallen(np.asarray(1.0), np.asarray(1e4)))
    assert heavy == pytest.approx(GRAVITY / 2, rel=1e-3)


@pytest.mark.parametrize("terminal", [2.5, 8.0, 40.0])
def test_a_flight_at_a_terminal_speed_between_is_as_good_as_linear_in_it(terminal: float) -> None:
    t, more = np.linspace(0, 4, 50), 0.15
    matrix, fixed = basis(t, terminal)
    theirs = -fallen(t, np.asarray(terminal * (1 + more)))
    ours = (matrix @ np.array([0.0] * 8 + [more]) + fixed)[:, 1]
    assert np.abs(ours - theirs).max() <= np.log(2) * terminal**2 / GRAVITY * more**2 + 1e-6
    assert np.abs(fixed[:, 1] - theirs).max() > 5 * np.abs(ours - theirs).max()


@pytest.mark.parametrize("terminal", [2.7, 3.8, 5.4])
def test_what_sinks_for_long_began_where_it_began_whatever_its_terminal_speed(
    terminal: float,
) -> None:
    """Between the terminal speeds weighed, where a point beside it fits with a false beginning."""
    wall = wall_of(camera(), (HEIGHT, WIDTH))
    assert terminal not in TERMINAL
    for seed in range(3):
        rng = np.random.default_rng(seed)
        start = np.array([6.0, 20.0, 0.3])
        t, way = flight(start, np.array([0.2, 0.0, 0.5]), terminal, np.zeros(3), rng, 0.3, 9.0)
        at = np.arange(0.3, t[-1], 1 / 15)
        u, v = np.interp(at, t, way[:, 0]), np.interp(at, t, way[:, 1])
        hits = [
            Hit(round(a * 1e6), 10 * b + rng.normal(0, 0.3), 240 - 10 * c + rng.normal(0, 0.3),
                6.0, 6.0, 50.0)
            for a, b, c in zip(at.tolist(), u.tolist(), v.tolist(), strict=True)
        ]  # fmt: skip
        release = fit_release(hits, wall.facade, HEIGHT, between=True)
        assert release is not None
        assert release.terminal == pytest.approx(terminal, rel=0.08)
        origin = origin_of(hits, wall, HEIGHT)
        assert origin is not None
        assert origin.zones[0][0] == "F7-2"
        assert origin.named


def placed(*zones: tuple[str, int | None, int | None, float]) -> Origin:
    return Origin(
        place=(0.0, 0.0), sd=(1.0, 1.0), speed=9.0, terminal=20.0, outward=0.5, misfit=0.5,
        height=3.0, height_sd=0.5, zones=zones,
    )  # fmt: skip


def test_where_the_floor_is_about_known_the_likeliest_window_is_named_with_its_low_chance() -> None:
    origin = placed(
        ("F9-4", 9, 4, 0.3), ("F8-4", 8, 4, 0.25), ("F9-3", 9, 3, 0.2), ("F10-4", 10, 4, 0.2)
    )
    assert not origin.dominates
    assert origin.near == pytest.approx(0.95)
    fact = origin_fact(origin)
    assert fact is not None
    assert (fact["zone"], fact["p"]) == ("F9-4", 0.3)
    assert fact["others"] == [["F8-4", 0.25], ["F9-3", 0.2], ["F10-4", 0.2]]
    assert fact["floors"] == [8, 10, 0.95]


@pytest.mark.parametrize(
    "zones",
    [
        (),
        (("roof", None, None, 0.3), ("F9-1", 9, 1, 0.25)),
        tuple((f"F{floor}-1", floor, 1, 0.12) for floor in range(2, 10)),
        (("F9-1", 9, 1, 0.3), ("F5-1", 5, 1, 0.28), ("F2-1", 2, 1, 0.27)),
        (("F9-1", 9, 1, 0.2), ("F8-1", 8, 1, 0.2)),
    ],
)
def test_over_many_floors_or_outside_all_zones_it_abstains(
    zones: tuple[tuple[str, int | None, int | None, float], ...],
) -> None:
    assert origin_fact(placed(*zones)) is None


def test_the_floors_told_are_the_fewest_that_hold_nine_tenths() -> None:
    def told(*zones: tuple[str, int | None, int | None, float]) -> object:
        return (origin_fact(placed(*zones)) or {})["floors"]

    assert told(("F9-4", 9, 4, 0.93), ("F8-4", 8, 4, 0.06)) == [9, 9, 0.93]
    spread = ("F9-4", 9, 4, 0.6), ("F8-4", 8, 4, 0.35), ("F3-4", 3, 4, 0.05)
    assert told(*spread) == [8, 9, 0.95]
    assert told(("F9-4", 9, 4, 0.6), ("F8-4", 8, 4, 0.1)) is None, "much is outside all floors"
    assert told(("roof", None, None, 0.95)) is None


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
