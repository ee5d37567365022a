"""The ingest benchmark's own pieces: what it pours, how it counts, what it reports."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from rich.console import Console

from bench.ingest import load, machine, report, sessions, shards
from bench.ingest.burst import Phases, back_to_normal
from bench.ingest.drain import Counter, Drained, Stored
from bench.ingest.figures import figures_of
from bench.ingest.latency import Latency, streets
from bench.ingest.peers import install, node_red
from bench.ingest.peers.node_red import flow
from bench.ingest.plan import Plan, plan_from
from bench.ingest.pour import Pourer, connect_packet, publish_packet
from bench.ingest.references import Taken
from bench.ingest.results import Results, Round
from bench.ingest.soak import Sample, slope, verdict
from bench.ingest.stage import Stage
from contracts.clock import epoch_ms
from contracts.nouns import Arrival, Reading
from detectors import specs
from detectors.flooding.config import FloodingConfig
from detectors.flooding.detect import Flooding
from gridsentry.city import load_city
from gridsentry.live.roles import parse
from ingest.decoder import NativeDecoder

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
START = epoch_ms(NOW) - 3_600_000


@pytest.fixture(scope="module")
def city_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    load.write_city(folder)
    return folder


def _readings(folder: Path, messages: list[tuple[str, bytes]]) -> list[Reading]:
    city = load_city(folder)
    decoder = NativeDecoder(city.devices, city.workers)
    out: list[Reading] = []
    for topic, payload in messages:
        for noun in decoder.decode(Arrival(topic, payload, NOW)):
            assert isinstance(noun, Reading), noun
            out.append(noun)
    return out


def test_a_fifth_of_what_is_poured_is_watched_on_a_thousand_sites(city_folder: Path) -> None:
    readings = _readings(city_folder, list(load.singles(10_000, START)))
    assert len(readings) == 10_000
    assert sum(r.metric == load.WATCHED for r in readings) == 2000
    city = load_city(city_folder)
    assert len(list(specs()["flooding"].sites(city, FloodingConfig()))) == load.DEVICES


def test_no_reading_is_poured_twice(city_folder: Path) -> None:
    first = load.span_s(1500, per_message=1) * 1000
    readings = _readings(
        city_folder,
        [*load.singles(1500, START), *load.batched(30, START + first)],
    )
    keys = {(r.device, r.metric, r.sent_at) for r in readings}
    assert len(keys) == len(readings) == 1500 + 30 * 100


def test_a_message_of_one_reading_has_200_bytes() -> None:
    assert {len(payload) for _, payload in load.singles(3000, START)} == {load.BYTES}


def test_what_is_poured_is_no_flood_but_the_measured_flood_is_one(city_folder: Path) -> None:
    city = load_city(city_folder)
    site = next(s for s in specs()["flooding"].sites(city, FloodingConfig()))
    detector = Flooding(FloodingConfig(), site, None)
    dry = _readings(city_folder, list(load.singles(5000, START)))
    for reading in dry:
        if (reading.device, reading.metric) == (site.id, load.WATCHED):
            assert not list(detector.on_item(reading))
    flood = load.single(0, load.WATCHED, load.FLOOD_M, epoch_ms(NOW), 1)
    (wet,) = _readings(city_folder, [(load.topic(0), flood)])
    assert [event.phase for event in detector.on_item(wet)] == ["opened"]


def test_packets_are_mqtt() -> None:
    assert connect_packet("ab") == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02ab"
    assert publish_packet("t", b"xy", 258) == b"\x32\x07\x00\x01t\x01\x02xy"
    long = publish_packet("t", b"x" * 200, 1)
    assert long[1:3] == bytes([0x80 | (205 & 0x7F), 205 >> 7])


def test_pouring_ends_when_everything_is_acknowledged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[int] = []

        def broker() -> None:
            connection, _ = server.accept()
            with connection:
                reader = connection.makefile("rb")
                reader.read(len(connect_packet("c")))
                connection.sendall(b"\x20\x02\x00\x00")
                while True:
                    head = reader.read(2)
                    if head[:1] != b"\x32":
                        return
                    body = reader.read(head[1])
                    mid = body[3:5]
                    heard.append(int.from_bytes(mid, "big"))
                    # One byte at a time: acknowledgements may come in pieces.
                    for byte in b"\x40\x02" + mid:
                        connection.sendall(bytes([byte]))

        thread = threading.Thread(target=broker, daemon=True)
        thread.start()
        with Pourer("127.0.0.1", server.getsockname()[1], "c") as pourer:
            pourer.pour([("t", b"x")] * 40)
            assert pourer.acknowledged == pourer.sent == 40
        thread.join(5)
    assert heard == list(range(1, 41))


def test_a_percentile_is_the_nearest_rank() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert report.percentile(values, 0.5) == 50
    assert report.percentile(values, 0.99) == 99
    assert report.percentile([7.0], 0.99) == 7
    assert report.percentile([1.0, 2.0, 3.0], 0.5) == 2


def test_a_figure_that_could_not_be_had_is_there_with_null(tmp_path: Path) -> None:
    plan = Plan(soak_s=1800)
    figures = figures_of(Results(), plan)
    assert {f.value for f in figures} == {None}
    names = {f.figure for f in figures}
    assert {"single readings, 200 bytes: messages", "100 readings in a message: readings"} <= names
    assert "memory at this load: slope (95 % interval)" in names
    report.write(figures, {"python": "3"}, tmp_path / "deep" / "ingest.json")
    told = json.loads((tmp_path / "deep" / "ingest.json").read_text())
    assert told["about"] == {"python": "3"}
    assert [f["figure"] for f in told["figures"]] == [f.figure for f in figures]
    report.show(figures, {"python": "3"}, Console(quiet=True))


def _drained(speed: float, us: float = 20.0) -> Drained:
    return Drained(speed, us, 5.0, 7.0, 0.8, speed, [100.0] * 50)


def test_figures_say_median_and_spread_and_the_faster_reference() -> None:
    rounds = [
        Round(
            ours=[_drained(speed), _drained(speed)],
            taken={"paho 3.1.1": Taken(40_000.0, 20.0), "paho 5": Taken(50_000.0, 30.0)},
        )
        for speed in (20_000.0, 30_000.0, 25_000.0)
    ]
    results = Results(rounds=rounds, latency=[Latency([0.01] * 98 + [0.05, 0.2], 0, 0.1)])
    told = {f.figure: f for f in figures_of(results, Plan())}
    speed = told["single readings, 200 bytes: messages"]
    assert (speed.value, speed.low, speed.high, speed.n) == (25_000.0, 20_000.0, 30_000.0, 6)
    assert told["  speed, of the faster bare paho's"].value == 0.5
    assert told["flood to ticket at 1,000/s, p99"].value == 50
    assert told["flood to ticket at 1,000/s, p50"].value == 10
    results.latency.append(Latency([0.3] * 10, 0, 0.1))
    late = {f.figure: f for f in figures_of(results, Plan())}["flood to ticket at 1,000/s, p99"]
    assert (late.value, late.low, late.high) == (300, 50, 300)


def test_ours_is_compared_within_its_round_before_and_after_the_other() -> None:
    """A machine that is half as fast for a round changes no ratio."""
    rounds = [
        Round(
            ours=[_drained(40_000 * pace), _drained(60_000 * pace)],
            stored={
                "insert": Stored(10_000.0 * pace, 150.0, 5.0, 60.0, 1.0),
                "batched": Stored(40_000.0 * pace, 50.0, 5.0, 4.0, 1.0),
            },
        )
        for pace in (1.0, 0.5)
    ]
    told = {f.figure: f for f in figures_of(Results(rounds=rounds), Plan(only=("singles",)))}
    insert = told["  speed, of Node-RED's with an INSERT per message"]
    assert (insert.value, insert.low, insert.high) == (5.0, 5.0, 5.0)
    assert report.met(insert) is True
    batched = told["  speed, of Node-RED's with batched UNNEST"]
    assert batched.value == 1.25
    assert report.met(batched) is False
    assert told["Node-RED 4.1, INSERT per message: messages"].value == 7500


def _minute(grows_mb_per_h: float, seconds: int = 1800) -> list[Sample]:
    """Memory that rises at first, then as said, with the sawtooth of an allocator on it."""
    return [
        Sample(float(t), 200 + min(t, 200) / 20 + grows_mb_per_h * t / 3600 + (t % 7), 30.0, 0)
        for t in range(seconds)
    ]


def test_flat_memory_is_called_flat_and_growing_memory_is_not() -> None:
    flat = slope(_minute(0.0))
    assert flat is not None
    assert flat.low < 0 < flat.high
    assert verdict(flat, 0.1) == "flat: the interval of the slope holds zero"
    grows = slope(_minute(60.0))
    assert grows is not None
    assert grows.mb_per_h == pytest.approx(60, abs=2)
    assert grows.low > 50
    assert verdict(grows, 0.1) == "it grows"
    little = slope(_minute(3.0))  # 1.2 MB of 210 within the 25 minutes that are judged
    assert little is not None
    assert little.low > 0
    assert verdict(little, 0.1) == "flat within 1 %"


def test_a_service_that_does_not_keep_up_says_nothing_of_80_percent() -> None:
    assert verdict(slope(_minute(0.0)), 30.0).startswith("it did not keep up")
    assert verdict(slope(_minute(0.0, seconds=20)), 0.0) == "too short to say"


def test_a_burst_is_ten_times_as_much_for_as_long_as_it_says() -> None:
    phases = Phases(warm=1.0, before=2.0, burst=10.0, after=4.0)
    assert phases.end == 17
    assert phases.due(3.0, 1000) == 3000
    assert phases.due(13.0, 1000) - phases.due(3.0, 1000) == 100_000
    assert phases.due(17.0, 1000) - phases.due(13.0, 1000) == 4000
    assert [phases.rate(t, 1000) for t in (2.9, 3.0, 12.9, 13.0)] == [1000, 10_000, 10_000, 1000]


def test_back_to_normal_is_the_first_of_a_second_without_a_late_one() -> None:
    late: list[tuple[float, float | None]] = [(0.1 * i, 0.5) for i in range(8)]
    calm: list[tuple[float, float | None]] = [(0.8 + 0.1 * i, 0.02) for i in range(12)]
    assert back_to_normal(0.03, [*late, *calm]) == pytest.approx(0.8)
    relapse = [*late, *calm[:5], (1.3, 0.2), *[(1.4 + 0.1 * i, 0.01) for i in range(10)]]
    assert back_to_normal(0.03, relapse) == pytest.approx(1.4)
    assert back_to_normal(0.03, [*late, *calm[:9]]) is None
    assert back_to_normal(0.03, [(0.0, None), *calm]) == pytest.approx(0.8)


def test_two_ingest_processes_are_the_ones_the_service_knows() -> None:
    assert shards.names(1) == parse("ingest", "1/1").writers()
    assert shards.names(2) == [name for i in (1, 2) for name in parse("ingest", f"{i}/2").writers()]


def test_the_city_is_shared_evenly_by_two_processes(city_folder: Path) -> None:
    devices = load_city(city_folder).devices
    shared = [devices[load.device(n)].district for n in range(load.DEVICES)]
    assert [shared.count(name) for name in ("d1", "d2")] == [load.DEVICES // 2] * 2
    assert len(_readings(city_folder, [load.live(n, START) for n in range(100)])) == 100


def test_readings_are_counted_from_the_counters_making_on_and_once() -> None:
    batches = [(1, 100), (2, 50)]

    class Answer:
        def __init__(self, row: tuple[object, ...]) -> None:
            self.row = row

        def fetchone(self) -> tuple[object, ...]:
            return self.row

    class Store:
        def execute(self, query: str, values: list[object] | None = None) -> Answer:
            if values is None:
                return Answer((True,))
            last = values[1]
            assert isinstance(last, int)
            later = [(n, readings) for n, readings in batches if n > last]
            return Answer((sum(r for _, r in later), max((n for n, _ in later), default=None)))

    counter = Counter(Store(), "all")
    assert counter.now() == 0
    batches.append((3, 7))
    assert counter.now() == 7
    batches.append((4, 5))
    assert counter.now() == counter.now() == 12


def test_node_red_gets_the_same_topics_with_a_session_that_waits() -> None:
    stage = cast(Stage, SimpleNamespace(host="127.0.0.1", port=1883))
    for way in (node_red.INSERT, node_red.BATCHED):
        broker, taken, function = flow(stage, way)[1:]
        assert broker["cleansession"] is False
        assert broker["clientid"] == node_red.client_id(way)
        assert (taken["topic"], taken["qos"]) == (sessions.FILTER, "1")
        assert "ON CONFLICT DO NOTHING" in function["func"]
    assert "unnest" in flow(stage, node_red.BATCHED)[3]["func"]


def test_every_peer_is_pinned_by_its_hash() -> None:
    lock = json.loads((install.HERE / "node_red" / "package-lock.json").read_text())
    packages = {name: p for name, p in lock["packages"].items() if name}
    assert all(p.get("integrity") or p.get("inBundle") for p in packages.values())
    pinned = (install.HERE / "requirements.txt").read_text()
    named = [line for line in pinned.splitlines() if line and not line.startswith((" ", "#"))]
    assert all("==" in line and line.endswith("\\") for line in named)


def test_no_street_is_flooded_in_two_runs() -> None:
    plan = plan_from({})
    flooded = [number for run in range(plan.runs) for number in streets(run, plan.floods)]
    assert len(flooded) == len(set(flooded)) == plan.runs * plan.floods
    assert max(flooded) < load.DEVICES // 2  # the others send the background
    with pytest.raises(ValueError, match="more than there are streets"):
        streets(10, 50)


def test_quick_is_one_run() -> None:
    assert plan_from({"QUICK": "1"}).runs == 1
    assert plan_from({}).runs >= 5
    assert plan_from({"QUICK": "0"}).runs >= 5
    assert plan_from({"RUNS": "2", "MESSAGES": "80000"}).messages == 80_000


def test_half_an_hour_of_soak_is_only_measured_when_asked_for() -> None:
    assert not plan_from({}).has("soak")
    assert plan_from({"SOAK": "30"}).soak_s == 1800
    assert plan_from({}, ["--only", "soak"]).soak_s == 1800
    assert plan_from({}, ["--only", "soak", "--soak", "5"]).soak_s == 300
    assert plan_from({"QUICK": "1"}).has("soak")
    assert plan_from({"ONLY": "soak"}).has("soak")
    assert not plan_from({"ONLY": "soak"}).has("singles")


def test_the_command_line_goes_before_the_environment() -> None:
    plan = plan_from({"RUNS": "2", "BACKLOG": "5000"}, ["--runs", "3"])
    assert (plan.runs, plan.backlog) == (3, 5000)
    assert plan_from({}).backlog == 1_000_000
    with pytest.raises(SystemExit):
        plan_from({}, ["--only", "everything"])
    with pytest.raises(SystemExit):
        plan_from({"RUNS": "0"})


def test_processor_time_of_a_process_grows_with_its_work() -> None:
    import os

    before = machine.cpu_s(os.getpid())
    while machine.cpu_s(os.getpid()) < before + 0.03:
        sum(range(10_000))
    assert machine.tree_cpu_s(os.getpid()) >= before + 0.03
    assert machine.cpu_s(2**22 + 1) == 0.0


def test_memory_that_rises_while_a_backlog_is_drained_misses_its_aim() -> None:
    flat = Results(backlog=_drained(50_000.0))
    plan = Plan(only=("backlog",))
    told = {f.figure.strip(): f for f in figures_of(flat, plan)}
    assert (told["growth"].value, report.met(told["growth"])) == (0.0, True)
    rising = _drained(50_000.0)
    rising.rss_mb = [100.0 + n for n in range(50)]
    told = {f.figure.strip(): f for f in figures_of(Results(backlog=rising), plan)}
    assert told["growth"].value == pytest.approx(46, abs=2)
    assert report.met(told["growth"]) is False
