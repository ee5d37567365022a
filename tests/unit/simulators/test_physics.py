"""The engines behind the town give what physics says."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import otdrparser
import pytest

from contracts.sor import parse_sor
from simulators import hydraulics, otdr, power
from simulators.ballistics import BODIES, GRAVITY, STEP_S, fall, throw
from simulators.dice import dice
from simulators.hydraulics import Flood, Storm
from simulators.otdr import Break
from simulators.town import Town

AT = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)


def test_without_air_a_thing_falls_by_half_g_t_squared() -> None:
    points = fall((0.0, 45.0, 1.0), (0.0, 0.0, 2.0), 0.0, ground_m=0.0)
    t = np.arange(len(points)) * STEP_S
    assert np.allclose(points[:, 1], 45.0 - GRAVITY * t**2 / 2, atol=1e-6)
    assert np.allclose(points[:, 2], 1.0 + 2.0 * t, atol=1e-9)
    assert math.isclose(t[-1], math.sqrt(2 * 45 / GRAVITY), abs_tol=2 * STEP_S)


def test_with_air_it_approaches_its_terminal_speed() -> None:
    k = 0.05
    points = fall((0.0, 400.0, 1.0), (0.0, 0.0, 0.0), k, ground_m=0.0)
    speed = np.linalg.norm(points[-1] - points[-2]) / STEP_S
    assert math.isclose(speed, math.sqrt(GRAVITY / k), rel_tol=0.01)


@pytest.mark.parametrize("number", range(3))
def test_what_is_thrown_starts_in_its_window_and_leaves_the_facade(town: Town, number: int) -> None:
    tower = town.towers[number]
    rng = dice(1, "test", number)
    for _ in range(20):
        floor, bay = int(rng.integers(4, tower.floors + 1)), int(rng.integers(1, tower.bays + 1))
        flight = throw(rng, tower, floor, bay)
        u0, v0, u1, v1 = tower.window(floor, bay)
        u, v, w = flight.points[0]
        assert u0 < u < u1
        assert v0 < v < v1
        assert w > 0
        assert (flight.points[:, 2] > 0).all(), "nothing falls through the wall"
        high = v - 0.15
        assert flight.duration_s > 0.8 * math.sqrt(2 * high / GRAVITY)
        assert flight.impact_m_s < math.sqrt(2 * GRAVITY * (high + 0.2) + 10)


def test_every_body_is_something_a_person_can_throw() -> None:
    for body in BODIES:
        assert 0.1 < body.mass_kg < 10
        assert 0.005 < body.drag_per_m < 0.2


@pytest.fixture(scope="module")
def flood(town: Town) -> Flood:
    storm = Storm(dry_s=1800, duration_s=5400, return_years=2.5)
    return hydraulics.run(town.sewers, storm, 4.0, {"p-mh-207": 0.42})


def test_the_design_storm_has_the_depth_of_the_formula() -> None:
    storm = Storm(dry_s=0, duration_s=7200, return_years=5)
    depth_mm = hydraulics.hyetograph(storm).sum() / 60
    assert math.isclose(depth_mm, 2 * hydraulics.intensity_mm_h(120, 5), rel_tol=0.03)


def test_water_is_neither_made_nor_lost(flood: Flood) -> None:
    assert abs(flood.continuity_error) < 1.0
    fallen_m3 = flood.rain_m3
    assert 1_000 < fallen_m3 < 20_000


def test_only_the_blocked_branch_floods_and_it_recedes(flood: Flood, town: Town) -> None:
    first = flood.first_over_road("mh-207")
    assert first is not None
    assert first > 1800
    assert flood.depth_m["mh-207"].max() > 0.27
    wet = {n for n, d in flood.depth_m.items() if d.max() > 0.02}
    assert wet == {"mh-207"}
    assert flood.depth_m["mh-207"][-1] == 0.0
    node = town.sewers.network.nodes["mh-207"]
    height = (node.rim_m or 0) - (node.invert_m or 0)
    over = flood.level_m["mh-207"] > height
    assert np.allclose(
        flood.depth_m["mh-207"][over], flood.level_m["mh-207"][over] - height, atol=1e-4
    )


def test_without_a_blockage_the_same_storm_stays_in_the_pipes(town: Town) -> None:
    storm = Storm(dry_s=1800, duration_s=5400, return_years=2.5)
    dry = hydraulics.run(town.sewers, storm, 3.0, {})
    assert max(float(d.max()) for d in dry.depth_m.values()) < 0.02


@pytest.fixture(scope="module")
def line(town: Town) -> Iterator[power.Line]:
    yield power.Line(town.feeder)


def test_an_intact_line_feeds_everybody_within_the_standard(town: Town, line: power.Line) -> None:
    state = line.solve(None, 1.0)
    for node, volts in state.volts.items():
        for v in volts:  # GB/T 12325: 220 V +7 % / -10 %
            assert 198 <= v <= 235.4, (node, volts)


def test_behind_a_severed_span_there_is_no_voltage_and_before_it_there_is(
    town: Town, line: power.Line
) -> None:
    for span in ("s-pole-05", "s-pole-12", "s-pole-23"):
        dead = power.behind(town.feeder, span)
        state = line.solve(power.Cut(span))
        for node, volts in state.volts.items():
            if node in dead:
                assert max(volts) < 5, node
            else:
                assert min(volts) > 190, node
        assert max(state.amps[town.feeder.network.spans[span].to]) < 0.01


def test_one_open_phase_leaves_the_other_two(town: Town, line: power.Line) -> None:
    state = line.solve(power.Cut("s-pole-11", (2,)))
    for node in power.behind(town.feeder, "s-pole-11") - town.feeder.loads.keys():
        a, b, c = state.volts[node]
        assert b < 60
        assert min(a, c) > 190


def test_demand_lowers_the_far_end(town: Town, line: power.Line) -> None:
    light, heavy = line.solve(None, 0.3), line.solve(None, 1.0)
    assert min(heavy.volts["pole-18"]) < min(light.volts["pole-18"])
    assert heavy.amps["tx-01"][0] > 2.5 * light.amps["tx-01"][0]


def parsed(data: bytes) -> dict[str, dict[str, object]]:
    blocks: dict[str, dict[str, object]] = otdrparser.parse2(io.BytesIO(data))
    return blocks


def test_a_trace_reads_back_as_it_was_written(town: Town) -> None:
    blocks = parsed(otdr.shoot(town.plant, AT, dice(1, "t"), "1"))
    fixed, key = blocks["FxdParams"], blocks["KeyEvents"]
    assert fixed["date_time"] == int(AT.timestamp())
    assert fixed["wavelength"] == 1550.0
    events = key["events"]
    assert isinstance(events, list)
    assert len(events) == len(town.plant.splices) + 1
    for event, (distance, loss) in zip(events, town.plant.splices, strict=False):
        assert math.isclose(event["distance_of_travel"], distance, abs_tol=0.1)
        assert math.isclose(event["splice_loss"], loss, abs_tol=0.001)
    assert math.isclose(events[-1]["distance_of_travel"], town.plant.length_m, abs_tol=2)
    points = np.array(blocks["DataPts"]["data_points"])
    assert math.isclose(points[1, 0] - points[0, 0], otdr.SPACING_M, rel_tol=1e-4)
    lit = points[(points[:, 0] > 700) & (points[:, 0] < 1000)]
    slope = np.polyfit(lit[:, 0] / 1000, lit[:, 1], 1)[0]
    assert math.isclose(slope, -otdr.ATTENUATION_DB_PER_KM, abs_tol=0.06)


def test_behind_a_break_there_is_only_noise(town: Town) -> None:
    broken = Break(1234.5, False)
    blocks = parsed(otdr.shoot(town.plant, AT, dice(2, "t"), "1", broken))
    points = np.array(blocks["DataPts"]["data_points"])
    before = points[(points[:, 0] > 1150) & (points[:, 0] < 1230), 1]
    after = points[(points[:, 0] > 1260), 1]
    assert before.mean() - after.mean() > 20
    events = blocks["KeyEvents"]["events"]
    assert isinstance(events, list)
    assert events[-1]["event_type"].startswith("0E")
    assert math.isclose(events[-1]["distance_of_travel"], 1234.5, abs_tol=2)


def test_the_projects_own_reader_takes_the_traces(town: Town) -> None:
    trace = parse_sor(otdr.shoot(town.plant, AT, dice(3, "t"), "1"), "otdr-01", AT, AT)
    assert math.isclose(trace.spacing_m, otdr.SPACING_M, rel_tol=1e-4)
    assert trace.events[-1].kind == "end"
    assert math.isclose(trace.events[-1].distance_m, town.plant.length_m, abs_tol=2)
    assert trace.power_db[2000] > trace.power_db[-100] + 10
