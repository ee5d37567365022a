"""The ingest benchmark's own pieces: what it pours, how it counts, what it reports."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from bench.ingest import load, machine, report
from bench.ingest.__main__ import Results, figures_of, plan_from
from bench.ingest.drain import Drained
from bench.ingest.latency import Latency, streets
from bench.ingest.pour import Pourer, connect_packet, publish_packet
from bench.ingest.references import Taken
from contracts.clock import epoch_ms
from contracts.nouns import Arrival, Reading
from detectors import specs
from detectors.flooding.config import FloodingConfig
from detectors.flooding.detect import Flooding
from gridsentry.city import load_city
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
    figures = figures_of(Results())
    assert {f.value for f in figures} == {None}
    assert {"single readings: messages", "100 in a message: readings"} <= {
        f.figure for f in figures
    }
    report.write(figures, {"python": "3"}, tmp_path / "deep" / "ingest.json")
    told = json.loads((tmp_path / "deep" / "ingest.json").read_text())
    assert told["about"] == {"python": "3"}
    assert [f["figure"] for f in told["figures"]] == [f.figure for f in figures]
    report.show(figures, {"python": "3"}, Console(quiet=True))


def test_figures_say_median_and_spread_and_the_faster_reference() -> None:
    drained = [Drained(r, r, 20.0, 5.0, 7.0, 0.8) for r in (20_000.0, 30_000.0, 25_000.0)]
    results = Results(
        single=drained,
        paho_311=[Taken(40_000.0, 20.0)] * 3,
        paho_5=[Taken(50_000.0, 30.0)] * 3,
        latency=[Latency([0.01] * 98 + [0.05, 0.2], 0, 0.1)],
    )
    told = {f.figure: f for f in figures_of(results)}
    speed = told["single readings: messages"]
    assert (speed.value, speed.low, speed.high, speed.n) == (25_000.0, 20_000.0, 30_000.0, 3)
    assert told["  speed, of the faster bare paho"].value == 0.5
    assert told["flood to ticket on screen, p99"].value == 50
    assert told["flood to ticket on screen, p50"].value == 10
    results.latency.append(Latency([0.3] * 10, 0, 0.1))
    late = {f.figure: f for f in figures_of(results)}["flood to ticket on screen, p99"]
    assert (late.value, late.low, late.high) == (300, 50, 300)


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


def test_processor_time_of_a_process_grows_with_its_work() -> None:
    import os

    before = machine.cpu_s(os.getpid())
    while machine.cpu_s(os.getpid()) < before + 0.03:
        sum(range(10_000))
    assert machine.tree_cpu_s(os.getpid()) >= before + 0.03
    assert machine.cpu_s(2**22 + 1) == 0.0
