"""Zigbee2MQTT: devices' numbers and switches are readings, the bridge's own talk is left aside."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.errors import Permanent
from contracts.nouns import Reading, Status
from ingest.adapters.zigbee2mqtt import WORDS
from tests.unit.ingest.adapters.rig import SHARED, adapter, arrived, codes, values

SAMPLES = SHARED / "zigbee2mqtt"


def said(body: Any, topic: str = "zigbee2mqtt/d-1", retained: bool = False, **more: Any) -> Any:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    some = adapter("zigbee2mqtt", "d-1", "hall/d-2", **more)
    return some.decode(arrived(topic, payload, retained=retained))


def test_numbers_switches_and_yes_or_no_are_readings() -> None:
    told = said(
        {
            "temperature": 27.34, "humidity": 44.72, "pressure": 1013, "battery": 87,
            "voltage": 2985, "state": "ON", "water_leak": True, "linkquality": 90,
            "action": "single", "update": {"state": "idle", "progress": 3},
            "last_seen": "2026-11-22T15:00:00+08:00",
        }
    )  # fmt: skip
    assert values(told) == {
        ("d-1", "temperature"): 27.34,
        ("d-1", "humidity"): 44.72,
        ("d-1", "air_pressure"): 101.3,
        ("d-1", "battery_percent"): 87.0,
        ("d-1", "battery"): 2.985,
        ("d-1", "state"): 1.0,
        ("d-1", "water_leak"): 1.0,
        ("d-1", "linkquality"): 90.0,
    }
    assert {r.sent_at for r in told} == {datetime(2026, 11, 22, 7, 0, tzinfo=UTC)}


def test_the_voltage_of_a_meter_is_its_first_phase() -> None:
    told = said({"voltage": 229.4, "current": 1.2, "power": 274})
    assert values(told) == {
        ("d-1", "voltage_a"): 229.4,
        ("d-1", "current_a"): 1.2,
        ("d-1", "power"): 274.0,
    }


@pytest.mark.parametrize("body", [b"online", {"state": "online"}, b"offline", {"state": "offline"}])
def test_availability_is_on_and_offline(body: Any) -> None:
    told = said(body, "zigbee2mqtt/d-1/availability", retained=True)
    assert [s.online for s in told if isinstance(s, Status)] == ["online" in str(body)]


@pytest.mark.parametrize(
    "topic",
    ["zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/devices", "zigbee2mqtt/d-1/set",
     "zigbee2mqtt/hall/d-2/get"],
)  # fmt: skip
def test_what_the_bridge_says_and_is_asked_is_left_aside(topic: str) -> None:
    assert said(b"anything", topic) == ()


def test_a_retained_state_without_a_time_is_no_news() -> None:
    assert said({"temperature": 20}, retained=True) == ()
    assert said(b"", retained=True) == ()


def test_a_name_may_have_slashes_and_a_device_go_by_its_address() -> None:
    assert values(said({"occupancy": True}, "zigbee2mqtt/hall/d-2")) == {
        ("hall/d-2", "occupancy"): 1.0
    }
    body = {"temperature": 1, "device": {"ieeeAddr": "0x00158d0001dc126a"}}
    told = said(body, "zigbee2mqtt/kitchen", aliases={"00158D0001DC126A": "d-1"})
    assert values(told) == {("d-1", "temperature"): 1.0}


def test_an_unknown_device_is_refused_by_its_name() -> None:
    with pytest.raises(Permanent, match="no device goes by 'attic'"):
        said({"temperature": 1}, "zigbee2mqtt/attic")


def test_another_base_topic_may_be_configured() -> None:
    told = said({"temperature": 1}, "z2m/d-1", base_topic="z2m", topics=["z2m/#"])
    assert values(told) == {("d-1", "temperature"): 1.0}


@pytest.mark.parametrize("body", [b"{", b"[1]"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Permanent):
        said(body)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_real_sample_is_read_or_left_aside(path: Any) -> None:
    body = json.loads(path.read_text())
    pairs = (
        [(one["topic"], one["payload"]) for one in body]
        if isinstance(body, list)
        else [("zigbee2mqtt/bridge/event" if "type" in body else "zigbee2mqtt/d-1", body)]
    )
    for topic, payload in pairs:
        name = topic.removeprefix("zigbee2mqtt/")
        some = adapter("zigbee2mqtt", "d-1", name)
        told = list(some.decode(arrived(topic, json.dumps(payload).encode())))
        assert codes(told) == []
        if topic.startswith("zigbee2mqtt/bridge"):
            assert told == []
            continue
        numbers = [
            v for v in payload.values()
            if isinstance(v, (bool, int, float)) or (isinstance(v, str) and v in WORDS)
        ]  # fmt: skip
        assert len([r for r in told if isinstance(r, Reading)]) == len(numbers)
