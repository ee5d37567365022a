"""What crews do to the town: trouble is over when its owner has mended it, and not before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from contracts.geo import Point, distance_m
from simulators.covers import Covers
from simulators.director import Director
from simulators.drains import Blocked
from simulators.duty.ground import TownGround
from simulators.hydrants import Hydrants, Lacking
from simulators.sensors import Sensor
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.walkers import walkers
from simulators.water.engine import READ_S
from simulators.world import World

START = 1_777_600_800_000
MINUTE = 60_000
FAR = Point(118.3, 26.3)


@pytest.fixture(scope="module")
def director(town: Town) -> Iterator[Director]:
    with pytest.MonkeyPatch.context() as patch:
        for silent in (Sensor, Hydrants, Covers):
            patch.setattr(silent, "go", lambda self, ms: None)
        settings = SimSettings(
            cameras=0,
            fibre_first_s=0.0,
            hydrant_first_s=0.0,
            cover_first_s=0.0,
            worker_every_s=(900.0, 900.0),
        )
        yield Director(town, settings, START)


@pytest.fixture
def ground(director: Director) -> TownGround:
    return TownGround(director)


def play(director: Director, until: int) -> None:
    while (due := director.world.next_at()) is not None and due <= until:
        director.world.step()


def test_only_the_owner_splices_a_line_and_then_it_is_whole(
    director: Director, ground: TownGround, town: Town
) -> None:
    now = START + MINUTE
    play(director, now)
    down = director.line.down
    assert down is not None
    place = town.feeder.network.nodes[town.feeder.network.spans[down].to].point
    assert ground.wrong("severed_cable", place, now)
    assert not ground.wrong("severed_cable", FAR, now)
    for by in (None, "tv", "telecom", "traffic-police"):
        assert not ground.mend("severed_cable", place, by, now)
    assert ground.mend("severed_cable", place, "power", now)
    assert not ground.wrong("severed_cable", place, now)
    assert director.truth.entries[-1]["kind"] == "mended"
    again = director.line.shared_cut()
    director.line.sever(now + 10_000, now + 99 * MINUTE, again)
    play(director, START + 11 * MINUTE)  # past the time when the first would have been spliced
    assert director.line.down == again.span


def test_a_crane_needs_power_and_telecom(
    director: Director, ground: TownGround, town: Town
) -> None:
    now = START + MINUTE
    play(director, now)
    director.fibre.tear(now, now + 9 * MINUTE, 900.0)
    play(director, now)
    assert director.fibre.broken
    place = town.fibre.path[1]
    ground.mend("severed_cable", place, "power", now)
    assert ground.wrong("fibre_break", place, now)
    assert ground.mend("severed_cable", place, "telecom", now)
    assert not ground.wrong("fibre_break", place, now)


def test_a_cover_put_back_may_be_lifted_again(
    director: Director, ground: TownGround, town: Town
) -> None:
    now = START + MINUTE
    director.covers.lift(now, now + 30 * MINUTE)
    (cover,) = [c for c in director.covers.sensors if director.covers.askew(c, now)]
    place = town.devices[cover].point
    assert ground.wrong("manhole_cover_displaced", place, now)
    assert not ground.wrong("manhole_cover_displaced", FAR, now)
    assert ground.mend("manhole_cover_displaced", place, "water", now)
    assert not ground.wrong("manhole_cover_displaced", place, now)
    assert not ground.mend("manhole_cover_displaced", place, "water", now)
    director.covers._displace(cover, now + MINUTE, now + 90 * MINUTE, 40.0, "lifted")
    play(director, now + 31 * MINUTE)  # when the first lifting would have ended
    assert director.covers.askew(cover, now + 31 * MINUTE)


@pytest.mark.parametrize("kind", ["pole_tilt", "street_light_out"])
def test_lamps_and_poles_are_mended(
    director: Director, ground: TownGround, town: Town, kind: str
) -> None:
    now = START + MINUTE
    begin = director.street.strike if kind == "pole_tilt" else director.street.fail
    begin(now, now + 300 * MINUTE)
    (wrong,) = [s for s in director.street.sensors if director.street.broken(s, now)]
    place = town.devices[wrong].point
    assert ground.wrong(kind, place, now)
    assert ground.mend(kind, place, "telecom", now)
    assert not ground.wrong(kind, place, now)


def test_mains_have_pressure_again(director: Director, ground: TownGround, town: Town) -> None:
    gauge = next(d for d in town.devices.values() if d.type == "hydrant")
    some = {gauge.id: np.full(100, 300.0, dtype=np.float32)}
    director.hydrants._troubles = [Lacking(START - 3_600_000, some)]
    assert ground.wrong("hydrant_no_pressure", gauge.point, START + 1)
    assert ground.mend("hydrant_no_pressure", gauge.point, "water", START + 1)
    assert not ground.wrong("hydrant_no_pressure", gauge.point, START + 1)


def test_a_jetted_pipe_runs_off_at_once(director: Director, ground: TownGround, town: Town) -> None:
    pipe = next(iter(town.sewers.network.pipes.values()))
    node, n = pipe.from_, round(7200 / READ_S)
    rises = np.concatenate([np.linspace(0, 1, n), np.linspace(1, 0, n)])
    director.weather._blocked = Blocked(
        pipe=pipe.id, begin=START, full=START + 3_600_000, cleared=START + 7_200_000, lost=1.0,
        felt=None, nodes={node: 0}, more_m=rises[:, None].astype(np.float32),
    )  # fmt: skip
    now, place = START + 3_000_000, town.sewers.network.nodes[node].point
    before = director.weather._blocked.more(node, now)
    assert ground.wrong("drain_blocked", place, now)
    assert ground.mend("drain_blocked", place, "water", now)
    assert not ground.wrong("drain_blocked", place, now)
    later = director.weather._blocked.more(node, now + 7_000_000)
    assert later < 0.1 < before
    assert not ground.mend("drain_blocked", place, "water", now)
    director.weather._blocked = None


def test_a_faulty_sensor_is_put_right(director: Director, ground: TownGround, town: Town) -> None:
    director.weather.sicken(START)
    (sick,) = [d for d in town.sewers.catches if director.weather.faulty(d, START)]
    place = town.devices[sick].point
    assert ground.wrong("sensor_faulty", place, START)
    assert ground.mend("sensor_faulty", place, None, START + 1)
    assert not ground.wrong("sensor_faulty", place, START + 1)


def test_water_runs_off_by_itself_alone(director: Director, ground: TownGround, town: Town) -> None:
    now = START + 20 * MINUTE
    wet = max(town.sewers.catches, key=lambda m: director.weather.depth(m, now))
    assert director.weather.depth(wet, now) > 0.05
    place = town.devices[wet].point
    assert ground.wrong("flooding", place, now)
    assert not ground.mend("flooding", place, "water", now)
    assert ground.wrong("flooding", place, now)
    assert not ground.wrong("flooding", place, now + 6 * 60 * MINUTE)


def test_a_gateway_that_is_away_is_still_away_to_who_looks(
    director: Director, ground: TownGround, town: Town
) -> None:
    device = next(iter(town.sewers.catches))
    director.world.silence(town.gateways[device], START, START + MINUTE, lost=False)
    place = town.devices[device].point
    assert ground.wrong("sensor_silent", place, START)
    assert not ground.wrong("sensor_silent", place, START + MINUTE)


def test_what_nobody_can_sense_is_over_and_unknown_people_are_nowhere(
    director: Director, ground: TownGround
) -> None:
    assert not ground.wrong("high_altitude_throw", FAR, START)
    assert not ground.mend("high_altitude_throw", FAR, "city-management", START)
    assert ground.where("nobody") is None


def test_a_worker_who_was_sent_goes_there_on_the_map_and_strolls_again(town: Town) -> None:
    walker = next(w for w in walkers(town, SimSettings(worker_every_s=(10.0, 10.0))))
    world = World()
    there: list[int] = []
    seen: list[float] = []
    walker.go(START, world)
    goal = town.towers[0].point
    far = distance_m(walker.point, goal)
    walker.send(goal, 4.0, there.append)
    while not there:
        message = world.step()
        if message is not None:
            seen.append(distance_m(walker.point, goal))
    assert seen == sorted(seen, reverse=True)
    assert far / 5.0 < (there[0] - START) / 1000 < far / 4.0 + 20
    end = there[0] + 10 * MINUTE
    while (world.next_at() or end) < end:
        world.step()
    assert distance_m(walker.point, goal) < 0.2  # stays
    assert len(there) == 1
    walker.release()
    while (world.next_at() or 2 * end) < end + 10 * MINUTE:
        world.step()
    assert distance_m(walker.point, goal) > 5
