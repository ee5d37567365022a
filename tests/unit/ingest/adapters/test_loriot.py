"""LORIOT's uplinks, told twice and stored once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.ingest.adapters.gateways import adapted, arrival, device, poisons, said, values

EUI = "1000000000000001"


def rx(**more: Any) -> dict[str, Any]:
    return {
        "cmd": "rx", "EUI": EUI, "ts": 1_782_892_798_000, "fcnt": 2, "port": 85, "rssi": -21,
        "snr": 10, "bat": 127, "data": "01755C03824408040001", "model": "EM310-UDL", **more,
    }  # fmt: skip


def test_an_uplink_and_its_repetition_with_gateways_have_one_identity() -> None:
    gate = adapted("loriot", [device(EUI)])
    first = said(gate, arrival("loriot/app", rx()))
    gws = [{"rssi": -90, "snr": 1}, {"rssi": -40, "snr": 8.5}]
    again = said(gate, arrival("loriot/app", rx(cmd="gw", gws=gws)))
    assert values(first) == pytest.approx(
        {"battery_percent": 92, "distance": 2.116, "tilted": 1, "rssi": -21, "snr": 10}
    )
    assert {(n.metric, n.sent_at) for n in first} == {(n.metric, n.sent_at) for n in again}
    assert values(again)["rssi"] == -40


@pytest.mark.parametrize("cmd", ["txd", "cq", "err"])
def test_the_servers_own_messages_are_set_aside(cmd: str) -> None:
    assert said(adapted("loriot", [device(EUI)]), arrival("loriot/app", {"cmd": cmd})) == []


@pytest.mark.parametrize(("level", "percent"), [(127, 50.0), (0, None), (255, None), (None, None)])
def test_the_stations_battery_is_a_percentage_where_it_is_one(
    level: int | None, percent: float | None
) -> None:
    gate = adapted("loriot", [device(EUI)], radio=False)
    found = values(said(gate, arrival("loriot/app", rx(bat=level, data="03824408"))))
    assert found.get("battery_percent") == percent


def test_bad_hexadecimal_is_told() -> None:
    gate = adapted("loriot", [device(EUI)])
    (bad,) = poisons(said(gate, arrival("loriot/app", rx(data="0x"))))
    assert bad.code == "bad_hex"
