"""The town's water mains: what EPANET says of them must make physical sense."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from contracts.errors import Wrong
from simulators.layout import Lattice
from simulators.water_mains import engine, network
from simulators.water_mains.engine import KPA_PER_M, Trouble
from simulators.water_mains.take import Order, take

SEED = 5
MAINS = network.build(SEED, Lattice(SEED))


def test_every_seed_builds_mains_that_hang_together() -> None:
    for seed in (0, 1, 7, -3):
        mains = network.build(seed, Lattice(seed))
        assert (len(mains.junctions), len(mains.pipes), len(mains.hydrants)) == (20, 31, 12)
        reached, todo = {mains.inlet}, [mains.inlet]
        while todo:
            at = todo.pop()
            for pipe in mains.pipes.values():
                for a, b in ((pipe.from_, pipe.to), (pipe.to, pipe.from_)):
                    if a == at and b not in reached:
                        reached.add(b)
                        todo.append(b)
        assert reached == mains.junctions.keys()


def test_pressures_are_those_of_a_town_and_follow_its_heights_and_its_day() -> None:
    calm = engine.run(MAINS, SEED, 24.0, 0.0)
    mean = {n: float(p.mean()) for n, p in calm.items()}
    assert all(140 < kpa < 600 for kpa in mean.values())
    low = min(MAINS.hydrants.values(), key=lambda h: h.elevation_m)
    high = max(MAINS.hydrants.values(), key=lambda h: h.elevation_m)
    head = (high.elevation_m - low.elevation_m) * KPA_PER_M
    assert mean[low.id] - mean[high.id] == pytest.approx(head, rel=0.35)
    for series in calm.values():
        assert float(series.max() - series.min()) < 150


def test_the_same_order_gives_the_same_readings_and_another_seed_does_not() -> None:
    order = Order(seed=SEED, hours=4.0, trouble="valve_shut", lasts_s=1800.0)
    assert take(order).readings == take(order).readings
    assert take(order).readings != take(Order(seed=6, hours=4.0, trouble="valve_shut")).readings


def test_behind_a_shut_valve_the_pressure_leaks_away_and_no_neighbour_feels_it() -> None:
    run = take(Order(seed=SEED, hours=12.0, trouble="valve_shut", lasts_s=3600.0))
    assert run.trouble is not None
    shut = run.trouble.where
    assert run.missing[shut] > 150
    assert max(kpa for n, kpa in run.missing.items() if n != shut) == 0.0


def test_an_open_hydrant_loses_most_itself_and_all_the_town_a_little() -> None:
    where = sorted(MAINS.hydrants)[3]
    one = Trouble(what="hydrant_open", where=where, begin_s=3600, end_s=7200, size=0.004)
    calm = engine.run(MAINS, SEED, 3.0, 10.0)
    real = engine.run(MAINS, SEED, 3.0, 10.0, (one,))
    at = 90  # minutes: in the middle of it
    lost = {n: float(calm[n][at] - real[n][at]) for n in calm}
    assert max(lost, key=lost.__getitem__) == where
    others = [kpa for n, kpa in lost.items() if n != where]
    assert 0 < max(others) < 0.6 * lost[where]
    for name, series in calm.items():
        assert np.allclose(series[:59], real[name][:59], atol=1.0), "nothing before it began"


def test_a_broken_main_is_felt_most_by_the_hydrants_beside_it() -> None:
    pipe = min(h.main for h in MAINS.hydrants.values())
    beside = {h.id for h in MAINS.hydrants.values() if h.main == pipe}
    one = Trouble(what="main_break", where=pipe, begin_s=3600, end_s=7200, size=0.02)
    calm = engine.run(MAINS, SEED, 3.0, 10.0)
    real = engine.run(MAINS, SEED, 3.0, 10.0, (one,))
    lost = {n: float(calm[n][90] - real[n][90]) for n in calm}
    most = sorted(lost, key=lost.__getitem__, reverse=True)[:3]
    assert beside & set(most)
    assert min(lost.values()) > 5


def test_without_a_pump_the_tank_feeds_the_town_until_it_is_empty() -> None:
    one = Trouble(what="pump_outage", where="", begin_s=600, end_s=11 * 3600)
    real = engine.run(MAINS, SEED, 12.0, 6.0, (one,))
    share = {n: float(p[10 * 60] / p[0]) for n, p in real.items()}
    soon = {n: float(p[60] / p[0]) for n, p in real.items()}
    assert min(soon.values()) > 0.7
    assert max(share.values()) < 0.5


def test_a_missing_engine_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wntr", None)
    with pytest.raises(Wrong, match=r"pip install 'gridsentry\[town\]'"):
        engine.run(MAINS, SEED, 1.0, 0.0)
