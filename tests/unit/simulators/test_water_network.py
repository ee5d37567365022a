"""Networks from SWMM files, the shapes of rain, and what is written of a take."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contracts.errors import Wrong
from contracts.geo import distance_m
from gridsentry.city.load import read_city
from simulators import hydraulics
from simulators.dice import dice
from simulators.water import __main__ as command
from simulators.water.blocking import Plug, loss_coefficient, shut
from simulators.water.network import load, parse, town_network
from simulators.water.rain import SHAPES, hyetograph
from simulators.water.run import take
from simulators.water.take import Order

SMALL = """\
[OPTIONS]
FLOW_UNITS CFS
[SUBCATCHMENTS]
s1 G a 10 50 500 1 0 SNOW
[SUBAREAS]
s1 0.015 0.2 0.1 0.2 25 OUTLET
[INFILTRATION]
s1 3 0.5 4 7 0
[JUNCTIONS]
a 110 10 0 0 0 ; the upper one
b 105 0 0 0 0
w 100 8 0 0 0
m 130 8 0 0 0
[OUTFALLS]
o 95 FREE
[CONDUITS]
ab a b 100 0.013 0 0 0 0
street a b 100 0.03 0 0 0 0
wo w o 100 0.013 0 0 0 0
bw b w 100 0.013 0 0 0 0
main w m 100 0.013 0 0 0 0
mo m o 100 0.013 0 0 0 0
[PUMPS]
p b w * ON 0 0
[XSECTIONS]
ab CIRCULAR 2 0 0 0 1
street TRAPEZOIDAL 2 50 4 4 1
wo CIRCULAR 3 0 0 0 1
bw CIRCULAR 3 0 0 0 1
main CIRCULAR 1 0 0 0 1
mo CIRCULAR 1 0 0 0 1
[COORDINATES]
a 0 0
b 200 0
w 400 0
m 400 200
o 600 0
"""


def test_a_file_in_feet_becomes_metres() -> None:
    net = parse("small", SMALL)
    a = net.holes["a"]
    assert a.invert_m == pytest.approx(33.528)
    assert a.depth_m == pytest.approx(3.048)
    assert a.area_ha == pytest.approx(4.0469, rel=1e-4)
    assert net.links["ab"].height_m == pytest.approx(0.6096)
    assert net.flow_unit == pytest.approx(0.0283168, rel=1e-5)
    # the map's unit is nobody's: 200 of it are a pipe of 100 ft
    assert distance_m(net.point("a"), net.point("b")) == pytest.approx(30.48, abs=0.2)


def test_a_manhole_without_depth_reaches_up_to_its_highest_pipe() -> None:
    assert parse("small", SMALL).holes["b"].depth_m == pytest.approx(0.9144)


def test_a_street_drawn_beside_a_pipe_is_left_out() -> None:
    net = parse("small", SMALL)
    assert "street" not in net.links
    assert not any(row.startswith("street") for rows in net.sections.values() for row in rows)


def test_a_file_that_is_no_network_is_refused() -> None:
    with pytest.raises(Wrong, match="no nodes"):
        parse("empty", "[OPTIONS]\nFLOW_UNITS CMS\n")
    with pytest.raises(Wrong, match="CMS"):
        parse("odd", SMALL.replace("CFS", "BUCKETS"))


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "north.inp.gz").write_bytes(gzip.compress(SMALL.encode()))
    assert load("north", tmp_path).holes.keys() == parse("north", SMALL).holes.keys()
    with pytest.raises(Wrong, match="town, north"):
        load("south", tmp_path)


def test_the_town_falls_towards_its_outfall() -> None:
    net = town_network()
    assert len(net.holes) == 41
    assert not any(link.turned for link in net.links.values())


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_brings_the_water_of_its_return_period(shape: str) -> None:
    rain = hyetograph(shape, 7200.0, 5.0, dice(1, shape))
    assert len(rain) == 120
    assert (rain >= 0).all()
    assert rain.sum() / 60 == pytest.approx(2 * hydraulics.intensity_mm_h(120, 5.0), rel=1e-6)


def test_huffs_quartiles_peak_one_after_the_other() -> None:
    middles = []
    for quartile in range(1, 5):
        rain = hyetograph(f"huff{quartile}", 14_400.0, 5.0, dice(1, "q", quartile))
        middles.append(float((rain * np.arange(len(rain))).sum() / rain.sum()))
    assert middles == sorted(middles)


def test_a_pipe_narrows_slowly_at_first_and_is_free_again_once_jetted() -> None:
    plug = Plug(pipe="p", begin_s=100, full_s=200, end_s=300, lost=1.0)
    shares = [plug.at(t) for t in (0, 100, 120, 150, 199, 200, 299, 300)]
    assert shares[0] == shares[1] == shares[-1] == 0
    assert shares[1:7] == sorted(shares[1:7])
    assert not shut(plug.at(199)) and shut(plug.at(200))
    losses = [loss_coefficient(x) for x in (0.0, 0.5, 0.9, 0.99)]
    assert losses == sorted(losses) and losses[0] == 0
    # an orifice of half the pipe: Idelchik's tables have about 4
    assert 3 < losses[1] < 5


def test_the_command_writes_a_city_a_recording_and_the_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "--seed",
        "3",
        "--hours",
        "4",
        "--storms",
        "1",
        "--blockages",
        "1",
        "--faults",
        "0.5",
        "--reports",
        "300",
    ]
    assert command.main([str(tmp_path / "a"), *words]) == 0
    assert "readings of" in capsys.readouterr().out
    assert command.main([str(tmp_path / "b"), *words]) == 0
    for name in ("readings.jsonl.gz", "truth.json", "city/drains.geojson", "city/devices.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    made = take(command.order_of(command.parser().parse_args(["-", *words])))
    city = read_city(tmp_path / "a" / "city").city
    assert city.drains == made.city.drains
    assert {d: city.devices[d] for d in made.city.devices} == made.city.devices
    with gzip.open(tmp_path / "a" / "readings.jsonl.gz", "rt", encoding="utf-8") as file:
        lines: list[dict[str, Any]] = [json.loads(line) for line in file]
    assert len(lines) == len(made.readings)
    assert lines[0].keys() == {"at", "topic", "payload"}
    assert lines[0]["payload"]["m"] == {made.readings[0].metric: made.readings[0].value}
    told = json.loads((tmp_path / "a" / "truth.json").read_bytes())
    assert told["blockages"][0]["pipe"] == made.blockages[0].pipe


def test_the_command_says_what_is_wrong_with_an_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(tmp_path), "--faults", "7"]) == 2
    assert "0 to 1" in capsys.readouterr().err
    assert command.main([str(tmp_path), "--years", "often"]) == 2
    assert "0.5-20" in capsys.readouterr().err


@pytest.mark.recordings
@pytest.mark.slow
@pytest.mark.parametrize("name", ["user3", "user4", "Greenville_EPA"])
def test_public_networks_run_dry_without_drowning(name: str, recordings: Path) -> None:
    made = take(
        Order(seed=5, network=name, hours=6.0, storms=0, reports_s=300.0),
        recordings / "drainage" / "swmm",
    )
    assert not made.overflows
    levels = [r.value for r in made.readings if r.metric == "level"]
    assert len(levels) > 1000
    assert max(levels) < 8.0
