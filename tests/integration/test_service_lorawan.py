"""Gateways of other makes on a real broker: their messages become readings of registered devices,
an incident opens, and what is wrong with one of them stops nobody else."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import from_epoch_ms, iso
from tests.rig import ROOT, Gateway, ServiceProcess, Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("input")]

HEAD = "alias,device,profile,height_m,metrics"
V4, V3, TTS = "24e124713d000004", "24e124713d000003", "24e124713d000777"
ADAPTERS = [
    {"use": "chirpstack", "topics": ["application/#"], "radio": False},
    {"use": "tts", "radio": False},
]


def aliases(city: Path, *lines: str) -> None:
    (city / "aliases.csv").write_text("\n".join([HEAD, *lines]) + "\n")


def distance(mm: int) -> str:
    """A Milesight EM500-UDL's payload."""
    return base64.b64encode(b"\x01\x75\x64\x03\x82" + mm.to_bytes(2, "little")).decode()


class Network:
    """LoRaWAN network servers that publish to the stage's broker."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.count = 0

    def v4(self, eui: str, ms: int, data: str, event: str = "up", **more: Any) -> None:
        info = {"devEui": eui, "deviceName": f"dev {eui[-3:]}", "deviceProfileName": "EM500-UDL"}
        self._say(
            f"application/17c8/device/{eui}/event/{event}",
            {"time": iso(from_epoch_ms(ms)), "deviceInfo": info, "fPort": 85, "data": data,
             "rxInfo": [{"rssi": -60, "snr": 9}], **more},
        )  # fmt: skip

    def v3(self, eui: str, ms: int, level: float) -> None:
        self._say(
            f"application/3/device/{eui}/event/up",
            {"applicationID": "3", "deviceName": "old one",
             "devEUI": base64.b64encode(bytes.fromhex(eui)).decode(), "fPort": 2, "data": "AQ==",
             "rxInfo": [{"time": iso(from_epoch_ms(ms)), "rssi": -60, "loRaSNR": 9}],
             "objectJSON": json.dumps({"level": level})},
        )  # fmt: skip

    def tts(self, eui: str, ms: int, **decoded: float) -> None:
        self._say(
            "v3/drains@ttn/devices/well-7/up",
            {"end_device_ids": {"device_id": "well-7", "dev_eui": eui},
             "uplink_message": {"received_at": iso(from_epoch_ms(ms)), "f_port": 2, "f_cnt": 1,
                                "decoded_payload": decoded}},
        )  # fmt: skip

    def _say(self, topic: str, payload: dict[str, Any]) -> None:
        self.count += 1
        self.gateway.publish(topic, json.dumps({**payload, "fCnt": self.count}))


def started(stage: Stage, **tables: Any) -> tuple[ServiceProcess, Network]:
    service = stage.service(adapters=ADAPTERS, **tables)
    service.start()
    service.wait_ready()
    return service, Network(stage.gateway())


def test_three_network_servers_speak_and_an_incident_opens(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0"), drain("s-3", 3), drain("s-7", 7)])
    # The sensor hangs 2.5 m over the road: what it calls a level is a depth over the road.
    aliases(stage.city, f"{V4},s-0,,2.5,level=depth;battery_percent=", f"{V3},s-3,,,", "well-7,s-7")
    service, network = started(stage)
    began = now_ms() - 120_000
    for n in range(60):
        network.v4(V4, began + 1000 * n, distance(2500 - min(20 * n, 450)))
    network.v4(V4, began, distance(2500))  # comes again, as brokers do
    network.v4(V4, began, "", event="ack")
    network.v3(V3, began, 0.43)
    network.tts(TTS, began, level=0.12, temperature=18.5)
    network.gateway.settle()
    stage.all_stored(60 * 2 + 1 + 2)
    found = stage.rows("SELECT device, metric, value FROM readings WHERE device <> 's-0' "
                       "ORDER BY device, metric")  # fmt: skip
    assert found == [("s-3", "level", 0.43), ("s-7", "level", 0.12), ("s-7", "temperature", 18.5)]
    (incident,) = eventually(lambda: service.items("/api/v1/incidents"), timeout=60)
    assert incident["kind"] == "flooding"
    (event,) = service.items("/api/v1/events?kind=flooding")
    assert (event["device"], event["metric"]) == ("s-0", "depth")
    counted = service.metrics()
    name = 'gridsentry_adapter_messages_total{adapter="chirpstack",outcome="%s"}'
    assert (counted[name % "taken"], counted[name % "aside"]) == (62, 1)
    assert service.items("/api/v1/dead-letters") == []
    sessions = json.loads(service.readyz()[1])["sessions"]
    assert {"all-telemetry", "all-bulk", "all-chirpstack", "all-tts"} == set(sessions)
    assert service.stop() == 0


def test_an_unregistered_sensor_is_kept_until_it_has_an_alias(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0")])
    service, network = started(stage)
    began = now_ms() - 60_000
    for n in range(20):
        network.v4(V4, began + 1000 * n, distance(1000 + n))
    network.gateway.settle()
    eventually(lambda: stage.count("unknown_messages") == 20, timeout=60)
    letter = service.items("/api/v1/dead-letters?kind=unknown_device")[0]
    assert letter["device"] == V4
    service.kill()
    service.start()
    service.wait_ready()
    # By the name in the message, not by what the messages are kept under.
    aliases(stage.city, "dev 004,s-0,EM500-UDL,,")
    stage.all_stored(40)
    assert stage.count("unknown_messages") == 0
    eventually(lambda: stage.count("intake") == 0, timeout=60)
    assert stage.rows("SELECT DISTINCT device FROM readings") == [("s-0",)]
    assert service.stop() == 0


def test_what_is_killed_is_delivered_again_and_stored_once(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0"), drain("n-0", 3)])
    aliases(stage.city, f"{V4},s-0")
    service, network = started(stage)
    began = now_ms() - 60_000
    for n in range(400):
        network.v4(V4, began + 100 * n, distance(1000 + n))
        network.gateway.telemetry("n-0", began + 100 * n, depth=0.01)
        if n == 200:
            service.kill()
            service.start()
    network.gateway.settle()
    stage.all_stored(400 * 3)
    assert stage.rows("SELECT count(DISTINCT (device, metric, ts)) FROM readings") == [(1200,)]


def test_a_broken_adapter_is_told_and_holds_back_nobody_else(stage: Stage) -> None:
    write_city(stage.city, [drain(f"s-{i}", i) for i in range(6)] + [drain("n-0", 8)])
    euis = [f"24e124713d00000{i}" for i in range(6)]
    aliases(stage.city, *(f"{eui},s-{i},," for i, eui in enumerate(euis)))
    service, network = started(stage)
    began = now_ms()
    for n in range(6):
        network.v4(euis[n], began + n, "not base64 %%")
    network.gateway.telemetry("n-0", began, depth=0.01)
    network.gateway.settle()
    stage.all_stored(1)
    letters = eventually(lambda: service.items("/api/v1/dead-letters?kind=bad_base64"), timeout=30)
    assert len(letters) == 6
    assert {letter["adapter"] for letter in letters} == {"chirpstack"}
    assert {letter["device"] for letter in letters} == {f"s-{i}" for i in range(6)}
    assert service.readyz()[0] == 200, "six messages are no five minutes"
    assert service.stop() == 0


def test_a_wrong_configuration_is_refused_at_the_start(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0")])
    service = stage.service(adapters=[{"use": "tts"}, {"use": "chirpstak"}])
    service.start()
    assert service.process is not None
    assert service.process.wait(60) == 2
    told = service.tail()
    assert ".toml, adapters 2, use: 'chirpstak'" in told
    assert "did you mean chirpstack?" in told


def test_shards_share_a_gateway_and_each_keeps_its_districts(stage: Stage) -> None:
    rows = [drain("s-0"), drain("s-1", 1).replace(",d1,", ",d2,")]
    write_city(stage.city, rows)
    aliases(stage.city, f"{V4},s-0", f"{V3},s-1")
    shards = [
        stage.service("ingest", f"{i}/2", adapters=ADAPTERS, core={"lease_s": 2.0}) for i in (1, 2)
    ]
    for shard in shards:
        shard.start()
    for shard in shards:
        for name in ("", "-chirpstack", "-tts"):
            shard.wait_said(f"of2{name} is subscribed")
    network = Network(stage.gateway())
    began = now_ms() - 60_000
    for n in range(50):
        for eui in (V4, V3, TTS):
            network.v4(eui, began + 1000 * n, distance(1000 + n))
    network.gateway.settle()
    stage.all_stored(50 * 2 * 2)
    eventually(lambda: stage.count("unknown_messages") == 50, timeout=60)
    found = stage.rows("SELECT DISTINCT device, writer FROM readings ORDER BY device")
    assert found == [("s-0", "ingest-1of2"), ("s-1", "ingest-2of2")]
    # Registered in the second shard's district: kept by the first, stored once.
    write_city(stage.city, [*rows, drain("s-2", 2).replace(",d1,", ",d2,")])
    aliases(stage.city, f"{V4},s-0", f"{V3},s-1", f"{TTS},s-2")
    stage.all_stored(50 * 3 * 2)
    eventually(lambda: stage.count("intake") + stage.count("unknown_messages") == 0, timeout=60)
    for shard in shards:
        assert shard.stop() == 0


def test_a_recording_of_a_foreign_gateway_is_replayed_without_any_configuration(
    stage: Stage, tmp_path: Path
) -> None:
    write_city(stage.city, [drain("s-0")])
    aliases(stage.city, f"{V4},s-0,EM500-UDL,2.5,level=depth")
    lines = []
    for n in range(60):
        at = iso(from_epoch_ms(1_782_892_800_000 + 1000 * n))
        payload = {"time": at, "deviceInfo": {"devEui": V4}, "fPort": 85, "fCnt": n,
                   "data": distance(2500 - min(20 * n, 450))}  # fmt: skip
        topic = f"application/1/device/{V4}/event/up"
        lines.append(json.dumps({"at": at, "topic": topic, "payload": payload}))
    recording = tmp_path / "lora.jsonl"
    recording.write_text("\n".join(lines) + "\n")
    words = ["replay", "--city", str(stage.city), str(recording)]
    done = subprocess.run(
        [sys.executable, "-m", "gridsentry", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["type"] for one in told} >= {"event", "incident", "ticket"}
    assert {one.get("kind") for one in told if one["type"] == "event"} == {"flooding"}
    assert not [one for one in told if one["type"] == "dead_letter"]
