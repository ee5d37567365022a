"""The live town's drains between storms: rhythm, blocked pipes, sick sensors, silent gateways."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.clock import epoch_ms
from contracts.errors import Wrong
from simulators import drains
from simulators.recording import record
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.water.faults import Ill
from simulators.weather import Weather
from simulators.world import Truth, World

START = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
NOW = epoch_ms(START)
HOUR = 3_600_000


@pytest.fixture(scope="module")
def weather(town: Town) -> Weather:
    return Weather(town, SimSettings(blockage_grows_s=(1800.0, 1800.0)), World(), Truth())


def test_the_water_of_a_dry_day_rises_in_the_morning_and_drowns_nothing(
    town: Town, weather: Weather
) -> None:
    midnight = NOW - 14 * HOUR
    deepest = "mh-r04"
    night, morning = (weather.level(deepest, midnight + h * HOUR) for h in (4, 9))
    assert morning > night > 0
    assert weather.level(deepest, NOW) == pytest.approx(weather.level(deepest, NOW + 24 * HOUR))
    for node in town.sewers.catches:
        assert weather.level(node, NOW) < 0.2
        assert weather.depth(node, NOW) == 0


def test_a_blocked_pipe_backs_up_and_runs_off_once_jetted(town: Town) -> None:
    weather = Weather(town, SimSettings(blockage_grows_s=(1800.0, 1800.0)), World(), Truth())
    before = {n: weather.level(n, NOW + 3 * HOUR - 1000) for n in town.sewers.catches}
    blocked = weather.block(NOW)
    assert blocked.full == NOW + HOUR // 2
    late = blocked.cleared - 1000
    pipe = town.sewers.network.pipes[blocked.pipe]
    assert blocked.felt is not None and NOW < blocked.felt < late
    assert weather.level(pipe.from_, late) > before[pipe.from_] + 0.05
    if pipe.to in before:
        assert weather.level(pipe.to, late) <= before[pipe.to] + 0.005
    assert blocked.more(pipe.from_, blocked.end) == 0
    assert abs(blocked.more(pipe.from_, blocked.end - 1000)) < 0.05


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("stuck", [0.30, 0.30, 0.30]),
        ("out_of_range", [-999.0, -999.0, -999.0]),
        ("drift", [0.30, 0.81, 1.32]),
        ("dropout", [None, None, None]),
    ],
)
def test_a_sick_sensor_says_what_its_fault_makes_of_the_water(
    what: str, expected: list[float | None]
) -> None:
    ill = Ill(what=what, begin_s=0.0, end_s=1.0, size=0.5, code=-999.0, seed=1)
    sick = drains.Sick(ill, NOW, NOW + 3 * HOUR)
    said = [sick.say(NOW + k * HOUR, 0.30 + 0.01 * k) for k in range(3)]
    assert said == [pytest.approx(v) if v is not None else None for v in expected]
    assert sick.say(NOW - 1, 0.7) == sick.say(NOW + 3 * HOUR, 0.7) == 0.7


def test_debris_reads_too_high_and_spikes_are_few() -> None:
    ill = Ill(what="debris", begin_s=0.0, end_s=1.0, size=0.5, code=0.0, seed=1)
    debris = drains.Sick(ill, NOW, NOW + HOUR)
    assert debris.say(NOW, 0.1) == pytest.approx(0.5, abs=0.03)
    assert debris.say(NOW, 0.9) == 0.9
    ill = Ill(what="spike", begin_s=0.0, end_s=1.0, size=0.5, code=0.0, seed=1)
    spikes = drains.Sick(ill, NOW, NOW + HOUR)
    said = [spikes.say(NOW + k, 0.1) for k in range(400)]
    assert 5 <= sum(v != 0.1 for v in said) <= 40


@pytest.fixture(scope="module")
def troubled(town: Town, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Five minutes with a sick sensor and a silent gateway."""
    folder = tmp_path_factory.mktemp("troubled")
    settings = SimSettings(
        cameras=0,
        fibre_first_s=0.0,
        sensor_fault_first_s=30.0,
        sensor_fault_every_s=0.0,
        gateway_outage_first_s=90.0,
        gateway_outage_every_s=0.0,
        gateway_outage_s=100.0,
        worker_every_s=(60.0, 90.0),
    )
    out, truth = folder / "town.jsonl", folder / "secret" / "truth.jsonl"
    record(town, settings, out, START, 5, truth=truth)
    return {
        "lines": [json.loads(line) for line in out.read_text().splitlines()],
        "truth": [json.loads(line) for line in truth.read_text().splitlines()],
    }


def ms(text: str) -> int:
    return epoch_ms(datetime.fromisoformat(text))


def test_nothing_comes_from_a_gateway_that_is_away_and_it_says_so(
    town: Town, troubled: dict[str, list[Any]]
) -> None:
    (told,) = (t for t in troubled["truth"] if t["kind"] == "sensor_silent")
    gateway, begin, end = told["where"], ms(told["at"]), told["details"]["ends_at"]
    states = {
        line["payload"]["state"]: ms(line["at"])
        for line in troubled["lines"]
        if line["topic"].split("/")[4:] == [gateway, "status"]
    }
    assert states["offline"] == begin
    assert states["online"] == end
    behind = {d for d, g in town.gateways.items() if g == gateway}
    sent = [
        (ms(line["at"]), line["payload"]["ts"])
        for line in troubled["lines"]
        if line["topic"].endswith("/telemetry") and line["topic"].split("/")[4] in behind
    ]
    assert [at for at, _ in sent if at < begin] and [at for at, _ in sent if at > end + 10_000]
    assert not [at for at, _ in sent if begin <= at < end]
    kept = [ts for at, ts in sent if at >= end and begin <= ts < end - 3000]
    assert bool(kept) != told["details"]["lost"]


def test_the_truth_names_the_sick_sensor(town: Town, troubled: dict[str, list[Any]]) -> None:
    (told,) = (t for t in troubled["truth"] if t["kind"] == "sensor_faulty")
    assert town.devices[told["where"]].type == "water_level"
    assert told["details"]["ends_at"] - ms(told["at"]) == 2_700_000


def test_a_blockage_that_never_ends_is_refused() -> None:
    with pytest.raises(Wrong, match="1800 to 43200"):
        SimSettings(blockage_cleared_s=60.0)
