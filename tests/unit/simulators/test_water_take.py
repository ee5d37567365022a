"""Runs of the sewer studio: the water obeys, the truth is true, and no reading knows it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.errors import Wrong
from contracts.nouns import Quality, Reading
from simulators.water import engine, run
from simulators.water.blocking import Plug
from simulators.water.dry import Homes
from simulators.water.network import Network, town_network
from simulators.water.rain import showers
from simulators.water.take import FAULTS, Order, Take

pytestmark = pytest.mark.slow

HOURS = 12.0


def order(**asked: Any) -> Order:
    return Order(**{"seed": 11, "network": "town", "hours": HOURS, "reports_s": 300.0, **asked})


@pytest.fixture(scope="module")
def network() -> Network:
    return town_network()


@pytest.fixture(scope="module")
def everything() -> Take:
    """A run with a storm, a blockage, faults and outages."""
    return run.take(order(blockages=1, faults=0.9, outages=4, sensors=0.9, gauges=2))


def route(network: Network, asked: Order, *plugs: Plug) -> engine.Series:
    homes = Homes(asked, network, run.begin_of(asked), engine.SPIN_S)
    rain = engine.weather(asked.seed, network, showers(asked))
    flows = tuple(network.links)
    return engine.run(network, homes, rain, asked.hours, plugs, flows)


def test_the_engine_keeps_its_water(network: Network) -> None:
    series = route(network, order(return_years=(20.0, 20.0)))
    assert abs(series.runoff_error) < 1.0
    assert abs(series.routing_error) < 2.0


def test_dry_weather_drowns_nothing_and_breathes_with_the_day(network: Network) -> None:
    series = route(network, order(storms=0, hours=24.0))
    assert not series.over.any()
    last = max(
        network.links, key=lambda id: float(series.flow_m3_s[:, series.links.index(id)].mean())
    )
    flow = series.flow_m3_s[:, series.links.index(last)]
    assert flow.max() > 1.5 * flow.min() > 0


def test_a_blocked_pipe_raises_what_lies_above_and_lowers_what_lies_below(
    network: Network,
) -> None:
    asked = order(storms=0, hours=6.0)
    plug = Plug(pipe="p-mh-105", begin_s=3600, full_s=3900, end_s=1e9, lost=1.0)
    free, real = route(network, asked), route(network, asked, plug)
    late = slice(-30, None)

    def change(node: str) -> float:
        column = real.nodes.index(node)
        return float((real.level_m[late, column] - free.level_m[late, column]).mean())

    def flow(series: engine.Series, link: str) -> float:
        return float(series.flow_m3_s[late, series.links.index(link)].mean())

    assert change("mh-105") > 0.1
    assert change("mh-106") < 0
    assert flow(real, "p-mh-106") < 0.6 * flow(free, "p-mh-106")
    assert change("mh-201") == pytest.approx(0, abs=0.002)
    before = slice(0, int(3600 / engine.READ_S))
    assert np.allclose(real.level_m[before], free.level_m[before], atol=1e-6)


def test_less_open_area_raises_more(network: Network) -> None:
    asked = order(storms=0, hours=6.0)
    ends = []
    for lost in (0.9, 0.98):
        plug = Plug(pipe="p-mh-105", begin_s=600, full_s=900, end_s=1e9, lost=lost)
        series = route(network, asked, plug)
        ends.append(float(series.level_m[-1, series.nodes.index("mh-105")]))
    assert ends[0] + 0.02 < ends[1]


def test_a_pipe_jetted_free_runs_again(network: Network) -> None:
    asked = order(storms=0, hours=6.0)
    plug = Plug(pipe="p-mh-105", begin_s=600, full_s=900, end_s=9000, lost=1.0)
    free, real = route(network, asked), route(network, asked, plug)
    column = real.nodes.index("mh-105")
    assert real.level_m[295, column] > free.level_m[295, column] + 0.05
    assert real.level_m[-1, column] == pytest.approx(float(free.level_m[-1, column]), abs=0.03)


def test_a_heavy_storm_comes_out_and_a_light_one_does_not() -> None:
    heavy = run.take(order(return_years=(100.0, 100.0)))
    light = run.take(order(return_years=(0.2, 0.2)))
    assert heavy.overflows
    assert not light.overflows
    for overflow in heavy.overflows:
        node = heavy.city.drains and heavy.city.drains.nodes[overflow.node]
        assert node and node.rim_m is not None and node.invert_m is not None
        assert overflow.peak_m >= node.rim_m - node.invert_m - 0.02
        assert heavy.storms[0].begin <= overflow.begin < overflow.end


def test_an_order_gives_the_same_take_twice_and_another_seed_another(everything: Take) -> None:
    again = run.take(everything.order)
    assert msgspec.msgpack.encode(again.readings) == msgspec.msgpack.encode(everything.readings)
    assert (again.overflows, again.blockages, again.faults, again.outages) == (
        everything.overflows,
        everything.blockages,
        everything.faults,
        everything.outages,
    )
    other = run.take(msgspec.structs.replace(everything.order, seed=12))
    assert other.readings[:50] != everything.readings[:50]


def test_readings_come_in_the_order_of_receipt_and_once(everything: Take) -> None:
    received = [r.received_at for r in everything.readings]
    assert received == sorted(received)
    keys = Counter((r.device, r.metric, r.seq) for r in everything.readings)
    assert max(keys.values()) == 1


def of(take: Take, device: str) -> dict[int, Reading]:
    return {r.seq: r for r in take.readings if r.device == device and r.seq is not None}


def said(reading: Reading) -> tuple[float, object]:
    return reading.value, reading.sent_at


def test_faults_are_in_the_readings_where_the_truth_says_so_and_nowhere_else(
    everything: Take,
) -> None:
    healthy = run.take(msgspec.structs.replace(everything.order, faults=0.0))
    assert len(everything.faults) >= 10
    assert {f.what for f in everything.faults} <= set(FAULTS)
    ill = {f.device: f for f in everything.faults}
    assert set(ill) < set(everything.city.devices)
    for device in everything.city.devices:
        well, sick = of(healthy, device), of(everything, device)
        changed = [r for seq, r in well.items() if seq not in sick or said(sick[seq]) != said(r)]
        assert bool(changed) == (device in ill), device
        assert set(sick) <= set(well)
        for reading in changed:
            assert reading.sent_at is not None
            margin = timedelta(seconds=1)
            assert ill[device].begin - margin <= reading.sent_at <= ill[device].end + margin


def test_each_kind_of_fault_does_what_its_name_says() -> None:
    seen: dict[str, int] = Counter()
    for seed in (21, 22):
        asked = order(seed=seed, faults=1.0, sensors=1.0, storms=0)
        sick, well = run.take(asked), run.take(msgspec.structs.replace(asked, faults=0.0))
        for fault in (f for f in sick.faults if f.metric == "level"):
            seen[fault.what] += 1
            a, b = of(sick, fault.device), of(well, fault.device)
            inside = [
                (a.get(seq), r)
                for seq, r in b.items()
                if fault.begin <= (r.sent_at or r.at) < fault.end
            ]
            pairs = [(x, y) for x, y in inside if x is not None]
            match fault.what:
                case "dropout":
                    assert not pairs
                case "stuck":
                    assert len({x.value for x, _ in pairs}) == 1
                case "debris":
                    assert all(x.value >= y.value for x, y in pairs)
                case "clock_skew":
                    assert all(x.value == y.value and x.sent_at != y.sent_at for x, y in pairs)
                case "out_of_range":
                    assert all(
                        x.value in (-9999, -999, -1, 65.54, 65.535, 99.99, 327.67)
                        or abs(x.value) > 60
                        for x, _ in pairs
                    )
                case "drift":
                    gaps = np.array([x.value - y.value for x, y in pairs])
                    assert gaps[-1] > 0.2 and (np.diff(gaps) > -0.02).all()
                case "spike":
                    assert 2 <= sum(x.value != y.value for x, y in pairs) <= 5
    assert set(seen) == set(FAULTS)


def test_clocks_far_ahead_are_overruled_by_the_time_of_arrival(everything: Take) -> None:
    for reading in everything.readings:
        off = bool(reading.quality & Quality.CLOCK_OFF)
        assert reading.sent_at is not None
        age = (reading.received_at - reading.sent_at).total_seconds()
        assert off == (not -120 <= age <= 7 * 86_400)
        assert reading.at == (reading.received_at if off else reading.sent_at)


def test_a_gateway_that_is_away_keeps_its_readings_or_loses_them() -> None:
    asked = order(outages=6, storms=0)
    away, there = run.take(asked), run.take(msgspec.structs.replace(asked, outages=0))
    for outage in away.outages:
        for device in outage.devices:
            assert not [
                r
                for r in away.readings
                if r.device == device and outage.begin <= r.received_at < outage.end
            ]
    missing = {(r.device, r.seq) for r in there.readings} - {
        (r.device, r.seq) for r in away.readings
    }
    lossy = {d for o in away.outages if o.lost for d in o.devices}
    kept = {d for o in away.outages for d in o.devices} - lossy
    assert {device for device, _ in missing} <= lossy
    delayed = {r.device for r in away.readings if (r.received_at - r.at).total_seconds() > 300}
    assert delayed & kept


def test_the_truth_is_neither_in_the_readings_nor_in_the_city(everything: Take) -> None:
    public = msgspec.json.encode((everything.city, everything.readings)).decode()
    for word in (*FAULTS, "blocked", "overflow", "outage", "effect"):
        assert word not in public
    drains = everything.city.drains
    assert drains is not None
    bare = run.take(msgspec.structs.replace(everything.order, blockages=0, faults=0.0, storms=0))
    assert bare.city == everything.city


def test_blockages_say_when_they_could_first_be_noticed() -> None:
    found = [run.take(order(seed=s, blockages=2)).blockages for s in (31,)]
    for first, second in found:
        assert first.cleared is not None and first.cleared <= second.begin
        assert second.cleared is None
        for blockage in (first, second):
            assert 0.5 < blockage.lost <= 1
            assert blockage.begin < blockage.full
            if blockage.effect is not None:
                assert blockage.begin < blockage.effect
            if blockage.sensed is not None:
                assert blockage.effect is not None and blockage.effect <= blockage.sensed
    assert any(b.sensed for pair in found for b in pair)


def test_gauges_collect_the_rain_that_fell() -> None:
    made = run.take(order(gauges=1, return_years=(5.0, 5.0), reports_s=60.0))
    rates = [r for r in made.readings if r.metric == "rain_rate"]
    storm = next(iter(showers(made.order)))
    fallen = sum(storm.mm_h) / 60
    measured = sum(r.value for r in rates) / 60
    assert measured == pytest.approx(fallen, rel=0.2)
    assert all(r.value == 0 for r in rates if r.at < made.storms[0].begin)


def test_an_order_that_cannot_be_run_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(Wrong, match="0 to 1"):
        run.take(order(faults=2.0))
    with pytest.raises(Wrong, match="town"):
        run.take(order(network="nowhere"))
