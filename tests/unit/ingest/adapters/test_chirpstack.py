"""ChirpStack v4 and v3 as their gateways really publish, and as hurried people configure them."""

from __future__ import annotations

import base64
import json
import random
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.aliases import Alias
from contracts.nouns import Status
from tests.unit.ingest.adapters.gateways import (
    NOW,
    adapted,
    arrival,
    device,
    poisons,
    said,
    values,
)

EUI = "24e124713d001122"
TOPIC = f"application/17c8/device/{EUI}/event/up"
UDL = base64.b64encode(bytes.fromhex("01755c03824408040001")).decode()
"""Milesight EM310-UDL: battery 92 %, 2,116 mm down to the water, tilted."""


def v4(**more: Any) -> dict[str, Any]:
    up: dict[str, Any] = {
        "deduplicationId": "3ac7e3c4",
        "time": "2026-07-01T07:59:58.775023242+00:00",
        "deviceInfo": {
            "deviceProfileName": "EM310-UDL", "deviceName": "Well 7", "devEui": EUI, "tags": {},
        },
        "devAddr": "00189440", "fCnt": 10, "fPort": 85, "data": UDL,
        "rxInfo": [{"gatewayId": "a", "rssi": -110, "snr": -2.5},
                   {"gatewayId": "b", "rssi": -36, "snr": 10.5}],
    }  # fmt: skip
    return {**up, **more}


def v3(**more: Any) -> dict[str, Any]:
    up: dict[str, Any] = {
        "applicationID": "123", "applicationName": "drains", "deviceName": "Well 7",
        "devEUI": base64.b64encode(bytes.fromhex(EUI)).decode(),
        "deviceProfileName": "Milesight EM310-UDL",
        "rxInfo": [{"gatewayID": "AwMDAwMDAwM=", "time": "2026-07-01T07:59:59.048445Z",
                    "rssi": -48, "loRaSNR": 9}],
        "adr": True, "dr": 1, "fCnt": 10, "fPort": 85, "data": UDL, "objectJSON": "",
    }  # fmt: skip
    return {**up, **more}


def test_a_v4_uplink_becomes_readings_in_our_units_at_the_servers_time() -> None:
    gate = adapted("chirpstack", [device("s-7")], [Alias(alias=EUI, device="s-7")])
    nouns = said(gate, arrival(TOPIC, v4()))
    assert values(nouns) == pytest.approx(
        {"battery_percent": 92, "distance": 2.116, "tilted": 1, "rssi": -36, "snr": 10.5}
    )
    assert {n.sent_at for n in nouns} == {datetime(2026, 7, 1, 7, 59, 58, 775023, UTC)}
    assert {(n.device, n.seq, n.boot) for n in nouns} == {("s-7", 10, 0x00189440)}
    assert gate.counts == {("chirpstack", "taken"): 1}


def test_a_v3_uplink_says_the_same_without_device_info() -> None:
    gate = adapted("chirpstack", [device(EUI)])
    nouns = said(gate, arrival(TOPIC, v3()))
    assert values(nouns) == pytest.approx(
        {"battery_percent": 92, "distance": 2.116, "tilted": 1, "rssi": -48, "snr": 9}
    )
    assert nouns[0].sent_at == datetime(2026, 7, 1, 7, 59, 59, 48445, UTC)


def test_the_height_of_the_sensor_makes_a_level_of_the_distance() -> None:
    alias = Alias(alias=EUI, device="s-7", height_m=3.0, metrics={"tilted": "", "rssi": "radio"})
    gate = adapted("chirpstack", [device("s-7")], [alias], radio=False)
    found = values(said(gate, arrival(TOPIC, v4())))
    assert found == pytest.approx({"battery_percent": 92, "distance": 2.116, "level": 0.884})


@pytest.mark.parametrize(
    "name", [EUI, EUI.upper(), "24-E1-24-71-3D-00-11-22", "Well 7", "24:e1:24:71:3d:00:11:22"]
)
def test_the_device_is_known_by_its_eui_however_written_or_by_its_name(name: str) -> None:
    gate = adapted("chirpstack", [device("s-7")], [Alias(alias=name, device="s-7")])
    assert {n.device for n in said(gate, arrival(TOPIC, v4()))} == {"s-7"}


def test_an_unknown_device_is_told_by_its_eui_and_what_to_do_about_it() -> None:
    gate = adapted("chirpstack", [device("s-7")])
    (bad,) = poisons(said(gate, arrival(TOPIC, v4())))
    assert (bad.code, bad.device, bad.adapter) == ("unknown_device", EUI, "chirpstack")
    assert "aliases.csv" in bad.reason
    assert "Well 7" in bad.reason
    assert gate.counts == {("chirpstack", "unknown"): 1}


def test_decoded_objects_are_read_where_no_bytes_can_be() -> None:
    gate = adapted("chirpstack", [device(EUI)], radio=False)
    told = {
        "level": 0.43, "temperature": "21.5 °C", "door": True, "state": "unheard of", "none": None,
        "ch": [{"ma": 4.2}, {"ma": 8}], "pressure": {"displayName": "P", "value": 2, "unit": "bar"},
    }  # fmt: skip
    up = v4(object=told, data="AQ==", deviceInfo={"devEui": EUI, "deviceProfileName": "own"})
    assert values(said(gate, arrival(TOPIC, up))) == pytest.approx(
        {"level": 0.43, "temperature": 21.5, "door": 1, "ch.0.ma": 4.2, "ch.1.ma": 8,
         "pressure": 200}
    )  # fmt: skip
    old = v3(objectJSON=json.dumps(told), data=None, deviceProfileName=None)
    assert values(said(gate, arrival(TOPIC, old)))["level"] == 0.43


def test_bytes_go_before_a_stale_codec_unless_the_options_say_otherwise() -> None:
    up = v4(object={"distance": 5000})
    believing = adapted("chirpstack", [device(EUI)], radio=False, decoded=True)
    assert values(said(believing, arrival(TOPIC, up)))["distance"] == 5.0
    reading = adapted("chirpstack", [device(EUI)], radio=False)
    assert values(said(reading, arrival(TOPIC, up)))["distance"] == pytest.approx(2.116)


def test_a_codec_stands_in_where_the_bytes_cannot_be_read() -> None:
    gate = adapted("chirpstack", [device(EUI)], radio=False)
    up = v4(object={"distance": 1500, "position": "normal"}, data="AQ==")
    nouns = said(gate, arrival(TOPIC, up))
    assert values(nouns) == pytest.approx({"distance": 1.5, "tilted": 0})
    assert not poisons(nouns)


def test_undecoded_bytes_without_a_profile_are_told_but_the_radio_is_kept() -> None:
    gate = adapted("chirpstack", [device(EUI)])
    nouns = said(gate, arrival(TOPIC, v4(deviceInfo={"devEui": EUI})))
    (bad,) = poisons(nouns)
    assert (bad.code, bad.device) == ("no_profile", EUI)
    assert "column profile" in bad.reason
    assert set(values(nouns)) == {"rssi", "snr"}


def test_what_follows_an_unknown_channel_is_told_and_what_stood_before_it_kept() -> None:
    data = base64.b64encode(bytes.fromhex("01755c77770102")).decode()
    gate = adapted("chirpstack", [device(EUI)], radio=False)
    nouns = said(gate, arrival(TOPIC, v4(data=data)))
    assert values(nouns) == {"battery_percent": 92}
    (bad,) = poisons(nouns)
    assert "77770102" in bad.reason


def test_a_profile_that_is_not_there_is_told_with_those_that_are() -> None:
    alias = Alias(alias=EUI, device="s-7", profile="EM310-UDX")
    gate = adapted("chirpstack", [device("s-7")], [alias])
    (bad,) = poisons(said(gate, arrival(TOPIC, v4())))
    assert bad.code == "unknown_profile"
    assert "EM310-UDL" in bad.reason


def test_several_measurements_of_a_datalogger_keep_their_own_times() -> None:
    data = (
        bytes.fromhex("01756403823e00")
        + bytes.fromhex("20ce")
        + (1_782_892_800).to_bytes(4, "little")
        + (1234).to_bytes(2, "little")
    )
    info = {"devEui": EUI, "deviceProfileName": "EM500-UDL"}
    up = v4(data=base64.b64encode(data).decode(), deviceInfo=info)
    nouns = said(adapted("chirpstack", [device(EUI)], radio=False), arrival(TOPIC, up))
    assert {(n.metric, round(n.value, 3), n.sent_at) for n in nouns} == {
        ("battery_percent", 100, datetime(2026, 7, 1, 7, 59, 58, 775023, UTC)),
        ("distance", 0.062, datetime(2026, 7, 1, 7, 59, 58, 775023, UTC)),
        ("distance", 1.234, datetime(2026, 7, 1, 8, tzinfo=UTC)),
    }


@pytest.mark.parametrize("event", ["ack", "txack", "log", "location", "integration"])
def test_events_that_measure_nothing_are_set_aside_and_counted(event: str) -> None:
    gate = adapted("chirpstack", [device(EUI)])
    assert said(gate, arrival(f"application/1/device/{EUI}/event/{event}", b"not even JSON")) == []
    assert gate.counts == {("chirpstack", "aside"): 1}


def test_a_status_tells_battery_and_margin_and_a_join_that_it_is_there() -> None:
    gate = adapted("chirpstack", [device(EUI)])
    info = {"deviceInfo": {"devEui": EUI}, "time": "2026-07-01T07:59:00Z"}
    status = arrival(f"application/1/device/{EUI}/event/status",
                     {**info, "margin": 10, "batteryLevel": 88.3})  # fmt: skip
    assert values(said(gate, status)) == {"link_margin": 10, "battery_percent": 88.3}
    mains = {**info, "margin": 10, "externalPowerSource": True, "batteryLevel": 0}
    assert values(said(gate, arrival(status.topic, mains))) == {"link_margin": 10}
    (join,) = said(gate, arrival(f"application/1/device/{EUI}/event/join", info))
    assert isinstance(join, Status)
    assert join.online


@pytest.mark.parametrize(
    "up",
    [
        {"fPort": None, "rxInfo": None},
        {"fPort": "85", "rxInfo": []},
        {"rxInfo": {"rssi": -40, "snr": 3}},
        {"rxInfo": [None, 7, {"rssi": "loud"}]},
        {"fCnt": -1, "devAddr": "zz", "time": None},
        {"time": "yesterday", "object": [], "tags": 3},
        {"deviceInfo": {"devEui": EUI, "deviceProfileName": "EM310-UDL", "tags": None}},
    ],
)
def test_missing_and_odd_members_cost_nothing_but_themselves(up: dict[str, Any]) -> None:
    nouns = said(adapted("chirpstack", [device(EUI)]), arrival(TOPIC, v4(**up)))
    assert values(nouns)["distance"] == pytest.approx(2.116)
    assert not poisons(nouns)


def test_without_any_time_the_frame_counter_is_the_identity() -> None:
    gate = adapted("chirpstack", [device(EUI)])
    nouns = said(gate, arrival(TOPIC, v4(time=None)))
    assert {(n.sent_at, n.seq, n.boot, n.at) for n in nouns} == {(None, 10, 0x00189440, NOW)}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "empty"),
        (b"{", "not_json"),
        (b"[1]", "wrong_type"),
        (b"\xff", "bad_protobuf"),
        (b"{\xff", "not_utf8"),
    ],
)
def test_what_is_no_json_is_told_in_words(payload: bytes, code: str) -> None:
    (bad,) = said(adapted("chirpstack", [device(EUI)]), arrival(TOPIC, payload))
    assert (bad.code, bad.device) == (code, EUI), "the topic says whose it is"
    (stranger,) = said(adapted("chirpstack", [device("other")]), arrival(TOPIC, payload))
    assert (stranger.code, stranger.device) == (code, None)


def test_bad_base64_is_blamed_on_the_device() -> None:
    gate = adapted("chirpstack", [device(EUI)])
    (bad,) = poisons(said(gate, arrival(TOPIC, v4(data="%%%"))))
    assert (bad.code, bad.device) == ("bad_base64", EUI)


def test_a_message_delivered_again_has_the_same_identity() -> None:
    gate = adapted("chirpstack", [device(EUI)])
    first = said(gate, arrival(TOPIC, v4()))
    again = said(gate, arrival(TOPIC, v4(), at=datetime(2026, 7, 1, 9, tzinfo=UTC)))
    key = [(n.device, n.metric, n.sent_at, n.boot, n.seq) for n in first]
    assert key == [(n.device, n.metric, n.sent_at, n.boot, n.seq) for n in again]


def test_a_citys_own_profile_replaces_the_shipped_one(tmp_path: Path) -> None:
    folder = tmp_path / "device_profiles"
    folder.mkdir()
    (folder / "own.toml").write_text(
        """
        [devices.EM310-UDL]
        layout = "channels"
        [devices.EM310-UDL.blocks]
        0175 = "battery u8"
        0382 = "distance u16"
        0400 = "position u8"
        [devices.EM310-UDL.metrics]
        distance = { metric = "depth", unit = "mm", scale = -1, offset = 2500 }
        """
    )
    gate = adapted("chirpstack", [device(EUI)], folder=tmp_path, radio=False)
    assert values(said(gate, arrival(TOPIC, v4())))["depth"] == pytest.approx(0.384)


def test_an_impossible_value_is_set_aside_alone() -> None:
    gate = adapted("chirpstack", [device(EUI)])
    nouns = said(gate, arrival(TOPIC, v4(rxInfo=[{"rssi": 1e300, "snr": 3}])))
    assert set(values(nouns)) == {"battery_percent", "distance", "tilted", "snr"}
    (bad,) = poisons(nouns)
    assert (bad.code, bad.device) == ("out_of_range", EUI)


@pytest.mark.parametrize("seed", range(20))
def test_however_a_message_is_mangled_it_is_read_or_told(seed: int) -> None:
    """Members dropped or replaced by odd things anywhere: never a fault of ours."""
    rng = random.Random(seed)
    odd = [None, True, "", 0, -1, 1e308, "x", [], {}, [None], {"a": 1}, "2020", 2**70, 3.5]
    gate = adapted("chirpstack", [device(EUI)])
    for _ in range(50):
        message = rng.choice([v4, v3])(object={"a": {"value": 1, "unit": "m"}}, margin=3)
        for _ in range(rng.randint(1, 4)):
            places = list(spots(message))
            if not places:
                break
            holder, key = rng.choice(places)
            holder[key] = rng.choice(odd)
            if rng.random() < 0.4:
                del holder[key]
        event = rng.choice(["up", "status", "join", "other"])
        nouns = said(gate, arrival(f"application/1/device/{EUI}/event/{event}", message))
        assert [p.reason for p in poisons(nouns) if p.code == "decoder_fault"] == []


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in nested objects and arrays."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from spots(value[key])


def field(number: int, value: bytes | int | float, kind: str = "") -> bytes:
    """One protobuf field: bytes, a varint, or with kind `f` a float, `d` a double."""
    if kind:
        data = struct.pack("<" + kind, value)
        return bytes([*varint(number << 3 | (5 if kind == "f" else 1))]) + data
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(int(value) % 2**64)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


STAMP = field(1, 1_782_892_798) + field(2, 775_023_242)
PROTO4 = (
    field(1, b"3ac7e3c4-4401-4b8d-9386-a5c902f9202d")
    + field(2, STAMP)
    + field(3, field(6, b"EM310-UDL") + field(7, b"Well 7") + field(8, EUI.encode())
            + field(9, field(1, b"k") + field(2, b"v")))
    + field(4, b"00189440") + field(5, 1) + field(7, 10) + field(8, 85)
    + field(10, base64.b64decode(UDL))
    + field(11, field(1, field(1, b"ma") + field(2, field(2, 4.5, "d"))))
    + field(12, field(1, b"gw") + field(6, -36) + field(7, 10.5, "f"))
    + field(16, b"eu868")
)  # fmt: skip
PROTO3 = (
    field(1, 123) + field(2, b"drains") + field(3, b"Well 7") + field(4, bytes.fromhex(EUI))
    + field(5, field(1, b"12345678") + field(2, STAMP) + field(5, -48) + field(6, 9.0, "d"))
    + field(9, 10) + field(10, 85) + field(11, base64.b64decode(UDL)) + field(12, b"{}")
    + field(18, b"EM310-UDL")
)  # fmt: skip


@pytest.mark.parametrize(("payload", "rssi"), [(PROTO4, -36), (PROTO3, -48)])
def test_the_protobuf_marshaler_says_the_same_as_json(payload: bytes, rssi: int) -> None:
    nouns = said(adapted("chirpstack", [device(EUI)]), arrival(TOPIC, payload))
    found = values(nouns)
    assert found["distance"] == pytest.approx(2.116)
    assert (found["battery_percent"], found["rssi"]) == (92, rssi)
    assert nouns[0].sent_at == datetime(2026, 7, 1, 7, 59, 58, 775023, UTC)
    assert {n.seq for n in nouns} == {10}


def test_a_protobuf_status_and_its_objects_are_read() -> None:
    gate = adapted("chirpstack", [device(EUI)], radio=False)
    status = field(1, b"id") + field(2, STAMP) + field(3, field(8, EUI.encode()))
    status += field(5, -7) + field(8, 88.5, "f")
    topic = f"application/1/device/{EUI}/event/status"
    told = values(said(gate, arrival(topic, status)))
    assert told == {"link_margin": -7, "battery_percent": 88.5}
    bare = PROTO4.replace(b"EM310-UDL", b"something")
    assert values(said(gate, arrival(TOPIC, bare)))["ma"] == 4.5
    (bad,) = poisons(said(gate, arrival(TOPIC, PROTO4[:-3])))
    assert bad.code == "bad_protobuf"


@pytest.mark.parametrize(
    ("topic", "payload", "online"),
    [
        ("eu868/gateway/0016c001f153a14c/state/conn", {"gatewayId": "0016c001f153a14c",
                                                       "state": "ONLINE"}, True),
        ("gateway/0016c001f153a14c/state/conn", {"gatewayID": "ABbAAfFToUw=", "state": "OFFLINE"},
         False),
        ("eu868/gateway/0016c001f153a14c/state/conn",
         field(3, b"0016c001f153a14c") + field(2, 1), True),
    ],
)  # fmt: skip
def test_a_registered_lora_gateway_is_on_or_off_line(
    topic: str, payload: object, online: bool
) -> None:
    gate = adapted("chirpstack", [device("0016C001F153A14C", "gateway")])
    (status,) = said(gate, arrival(topic, payload, retained=True))
    assert isinstance(status, Status)
    assert (status.device, status.online) == ("0016C001F153A14C", online)
    assert said(adapted("chirpstack", [device("other")]), arrival(topic, payload)) == []
