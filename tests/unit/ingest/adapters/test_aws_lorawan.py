"""AWS IoT Core for LoRaWAN: uplinks are readings of our devices, the rest is left aside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.aliases import Alias
from tests.unit.ingest.adapters.gateways import adapted, arrival, device, poisons, said, values

EUI = "24e124713d000004"


def uplink(**more: Any) -> dict[str, Any]:
    return {
        "WirelessDeviceId": "57728ff8-5d1d-4130-9de2-f004d8722bc2",
        "PayloadData": "AXVcA2f4AARobg==",
        "WirelessMetadata": {
            "LoRaWAN": {
                "DevEui": EUI, "FPort": 85, "FCnt": 3, "Timestamp": "2026-07-01T07:59:58Z",
                "Gateways": [{"GatewayEui": "a", "Rssi": -90, "Snr": 1.0},
                             {"GatewayEui": "b", "Rssi": -76, "Snr": 9.75}],
            }
        },
    } | more  # fmt: skip


def heard(body: Any, alias: str = EUI, profile: str | None = "EM300-TH") -> list[Any]:
    names = [Alias(alias=alias, device="s-0", profile=profile)]
    return said(adapted("aws_lorawan", [device("s-0")], names), arrival("aws/lorawan/x", body))


@pytest.mark.parametrize("alias", [EUI.upper(), "57728ff8-5d1d-4130-9de2-f004d8722bc2"])
def test_an_uplink_is_read_by_the_devices_profile(alias: str) -> None:
    told = heard(uplink(), alias)
    assert values(told) == {
        "battery_percent": 92, "temperature": 24.8, "humidity": 55, "rssi": -76, "snr": 9.75,
    }  # fmt: skip
    assert {r.sent_at for r in told} == {datetime(2026, 7, 1, 7, 59, 58, tzinfo=UTC)}


def test_what_a_rule_decoded_is_read_without_a_profile() -> None:
    body = uplink(transformed_payload={"status": 200, "level": 0.5, "battery": 3.1})
    told = values(heard(body, profile=None))
    assert (told["level"], told["battery"]) == (0.5, 3.1)
    (bad,) = poisons(heard(uplink(), profile=None))
    assert bad.code == "no_profile"


@pytest.mark.parametrize(
    "body",
    [
        {"eventType": "joined", "WirelessDeviceId": "x", "timestamp": "2026-07-01T07:59:58Z"},
        {"WirelessMetadata": {"Sidewalk": {"CmdExStatus": "ok"}}, "PayloadData": "AA=="},
        {"WirelessMetadata": None},
    ],
)
def test_the_rest_is_left_aside(body: Any) -> None:
    assert not heard(body)


@pytest.mark.parametrize("body", [b"{", b"[]", b"1"])
def test_what_is_no_object_says_so(body: bytes) -> None:
    assert poisons(heard(body))
