"""Pumped sewers, and where the studio blocks pipes."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.water import engine
from simulators.water.blocking import NOTICED, plugs, pool
from simulators.water.dry import Homes
from simulators.water.network import parse, town_network
from simulators.water.run import begin_of
from simulators.water.take import Order

PUMPED = """\
[OPTIONS]
FLOW_UNITS CMS
[JUNCTIONS]
a 10 4 0 0 0
m1 8 6 0 0 0
m2 6 8 0 0 0
top 15 3 0 0 0
low 12 4 0 0 0
sag 9 5 0 0 0
[OUTFALLS]
o 9.5 FREE NO
o2 9.5 FREE NO
[STORAGE]
well 8 6 0 FUNCTIONAL 5 0 0 0 0
[CONDUITS]
in a well 60 0.013 0 0 0 0
up m1 m2 80 0.013 0 0 0 0
rise m2 top 80 0.013 0 0 0 0
fall top low 80 0.013 0 0 0 0
gone low o 80 0.013 0 0 0 0
dip sag o2 80 0.013 0 0 0 0
[PUMPS]
p well m1 lift ON 1.0 0.5
[XSECTIONS]
in CIRCULAR 0.3 0 0 0 1
up CIRCULAR 0.3 0 0 0 1
rise CIRCULAR 0.3 0 0 0 1
fall CIRCULAR 0.3 0 0 0 1
gone CIRCULAR 0.3 0 0 0 1
dip CIRCULAR 0.3 0 0 0 1
[CURVES]
lift PUMP3 0 0.08
lift 20 0.0
[CONTROLS]
RULE both
IF NODE well DEPTH >= 0.6
THEN PUMP p STATUS = ON
RULE other
IF NODE a DEPTH >= 3
THEN PUMP q STATUS = ON
[COORDINATES]
a 0 0
well 60 0
m1 60 20
m2 140 20
top 220 20
low 300 20
o 380 20
sag 380 100
o2 420 100
"""


def test_a_main_goes_from_its_pump_to_the_summit_through_every_dip() -> None:
    net = parse("pumped", PUMPED)
    assert {h.id for h in net.holes.values() if h.sealed} == {"m1", "m2"}
    assert {h.id for h in net.holes.values() if h.manhole} == {"a", "top", "low", "sag"}
    assert (net.links["rise"].from_, net.links["rise"].to) == ("m2", "top")
    assert net.links["rise"].turned is False
    assert not net.links["up"].closed
    assert net.links["fall"].closed


def test_a_sag_has_water_standing_in_it_from_the_begin() -> None:
    holes = parse("pumped", PUMPED).holes
    assert holes["sag"].standing_m == pytest.approx(0.5)
    assert holes["low"].standing_m == 0.0
    assert holes["m1"].standing_m == pytest.approx(6.0)


def test_a_wells_pump_does_not_start_more_than_six_times_an_hour() -> None:
    row = parse("pumped", PUMPED).sections["STORAGE"][0].split()
    # T q / 4 = 600 s x 0.08 m3/s / 4 = 12 m3 between 0.5 and 1 m: 24 m2
    assert float(row[5]) + float(row[7]) == pytest.approx(24.0)


def test_a_pump_with_levels_of_its_own_is_not_switched_by_a_rule_too() -> None:
    rules = " ".join(parse("pumped", PUMPED).sections["CONTROLS"])
    assert "both" not in rules and "RULE other" in rules


def test_nobody_lives_on_a_main_and_levels_do_not_ring_behind_a_pump() -> None:
    rule = PUMPED[PUMPED.index("RULE other") : PUMPED.index("[COORDINATES]")]
    net = parse("pumped", PUMPED.replace(rule, ""))
    asked = Order(seed=5, network="pumped", hours=6.0, storms=0)
    homes = Homes(asked, net, begin_of(asked), engine.SPIN_S)
    assert set(homes.domestic) == {"a", "top", "low", "sag", "well"}
    series = engine.run(net, homes, engine.weather(5, net, ()), 6.0)
    assert "m1" not in series.nodes
    swing = np.abs(series.level_m[2:] - series.level_m[:-2])
    assert swing[:, [series.nodes.index(n) for n in ("top", "low", "sag")]].max() < 0.3


def test_a_pool_rises_to_the_sensor_above_and_no_further_than_its_brim() -> None:
    net = town_network()
    pipe = next(k for k in net.links.values() if k.id == "p-mh-105")
    here = pool(net, pipe.id, {pipe.from_})
    assert here is not None and 0.1 < here.rise_m < 0.5 and here.volume_m3 > 0
    assert pool(net, pipe.id, {pipe.to}) is None
    assert pool(net, pipe.id, set()) is None


def test_most_pipes_that_block_have_a_sensor_in_the_pool_above_them() -> None:
    net = town_network()
    watched = sorted(h.id for h in net.holes.values() if h.manhole)[::4]
    over = 0
    for seed in range(60):
        asked = Order(seed=seed, network="town", hours=36.0, storms=0, blockages=1)
        homes = Homes(asked, net, begin_of(asked), engine.SPIN_S)
        (plug,) = plugs(asked, net, homes, watched)
        over += pool(net, plug.pipe, watched) is not None
    assert NOTICED - 0.15 < over / 60 <= 1.0
