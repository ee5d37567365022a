"""The Things Stack v3 as its MQTT server publishes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.aliases import Alias
from contracts.nouns import Status
from tests.unit.ingest.adapters.gateways import adapted, arrival, device, poisons, said, values

TOPIC = "v3/drains@ttn/devices/well-7/up"
EUI = "24E124713D001122"


def up(**more: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "session_key_id": "AXA5", "f_port": 85, "f_cnt": 1,
        "frm_payload": base64.b64encode(bytes.fromhex("01755c03824408040001")).decode(),
        "rx_metadata": [
            {"gateway_ids": {"gateway_id": "a"}, "time": "2026-07-01T07:59:57.787Z", "rssi": -80,
             "channel_rssi": -80, "snr": 5},
            {"gateway_ids": {"gateway_id": "b"}, "rssi": -35, "snr": 7.2},
        ],
        "version_ids": {"brand_id": "milesight-iot", "model_id": "em310-udl"},
        "received_at": "2026-07-01T07:59:58.789585559Z",
        **more,
    }  # fmt: skip
    return {
        "end_device_ids": {"device_id": "well-7", "dev_eui": EUI, "dev_addr": "01497ECC",
                           "application_ids": {"application_id": "drains"}},
        "received_at": "2026-07-01T07:59:59.014773143Z",
        "uplink_message": message,
    }  # fmt: skip


@pytest.mark.parametrize("name", [EUI, EUI.lower(), "well-7"])
def test_an_uplink_becomes_readings_at_the_network_servers_time(name: str) -> None:
    gate = adapted("tts", [device("s-7")], [Alias(alias=name, device="s-7")])
    nouns = said(gate, arrival(TOPIC, up()))
    assert values(nouns) == pytest.approx(
        {"battery_percent": 92, "distance": 2.116, "tilted": 1, "rssi": -35, "snr": 7.2}
    )
    assert {n.sent_at for n in nouns} == {datetime(2026, 7, 1, 7, 59, 58, 789585, UTC)}


def test_a_decoded_payload_is_read_where_there_is_no_profile() -> None:
    gate = adapted("tts", [device("well-7")], radio=False)
    told = {"water_level": 0.43, "door": "open", "BatV": 3.6, "nested": {"flow": "3.6 m3/h"}}
    nouns = said(gate, arrival(TOPIC, up(decoded_payload=told, version_ids=None)))
    found = values(nouns)
    assert found["level"] == 0.43
    assert found["battery"] == 3.6
    assert found["door"] == 1
    assert found["nested.flow"] == pytest.approx(0.001)


def test_normalized_measurements_are_read_where_there_is_nothing_else() -> None:
    gate = adapted("tts", [device("well-7")], radio=False)
    normal = [{"air": {"temperature": 21.5}, "battery": 3.6}, {"water": {"leak": True}}]
    message = up(normalized_payload=normal, frm_payload=None, version_ids=None)
    found = values(said(gate, arrival(TOPIC, message)))
    assert found == pytest.approx({"temperature": 21.5, "battery": 3.6, "water.leak": 1})


def test_a_join_says_that_the_device_is_there() -> None:
    gate = adapted("tts", [device("well-7")])
    join = {k: v for k, v in up().items() if k != "uplink_message"}
    join["join_accept"] = {"received_at": "2026-07-01T07:59:00Z"}
    (status,) = said(gate, arrival("v3/drains@ttn/devices/well-7/join", join))
    assert isinstance(status, Status)
    assert status.at == datetime(2026, 7, 1, 7, 59, tzinfo=UTC)


@pytest.mark.parametrize("what", ["downlink_ack", "downlink_failed", "location_solved", "x"])
def test_the_rest_is_set_aside(what: str) -> None:
    gate = adapted("tts", [device("well-7")], topics=["v3/#"])
    other = {"end_device_ids": {"device_id": "well-7"}, what: {}}
    assert said(gate, arrival(f"v3/drains@ttn/devices/well-7/{what}", other)) == []


def test_a_message_without_a_device_is_told() -> None:
    gate = adapted("tts", [device("well-7")])
    (bad,) = poisons(said(gate, arrival(TOPIC, {"uplink_message": {"f_port": 1}})))
    assert "does not say which device" in bad.reason
