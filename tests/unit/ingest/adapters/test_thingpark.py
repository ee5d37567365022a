"""Actility ThingPark's uplinks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.unit.ingest.adapters.gateways import adapted, arrival, device, said, values

EUI = "70B3D57BA000156B"
UPLINK = {
    "Time": "2026-07-01T09:59:58.138+02:00", "DevEUI": EUI, "FPort": "1", "FCntUp": 26,
    "payload_hex": "0207d9000390888081006400000c60", "LrrRSSI": "-114.0", "LrrSNR": "4.75",
    "Lrrs": {"Lrr": [{"LrrRSSI": "-90", "LrrSNR": "6"}]}, "DevAddr": "00FDA112",
    "DriverCfg": {"mod": {"pId": "dl", "mId": "dl-ctd10", "ver": "1"}},
}  # fmt: skip


def test_an_uplink_becomes_readings_also_where_numbers_are_texts() -> None:
    gate = adapted("thingpark", [device(EUI.lower())])
    nouns = said(gate, arrival("mqtt/things/x/uplink", {"DevEUI_uplink": UPLINK}))
    assert values(nouns) == pytest.approx(
        {"water_depth": 4.232, "level": 4.232, "temperature": 12.9, "battery": 3.168,
         "electrical_conductivity": 100, "freezing_flag": 0, "rssi": -90, "snr": 6}
    )  # fmt: skip
    assert nouns[0].sent_at == datetime(2026, 7, 1, 7, 59, 58, 138000, UTC)


def test_what_is_no_uplink_is_set_aside() -> None:
    gate = adapted("thingpark", [device(EUI)])
    assert said(gate, arrival("thingpark/x", {"DevEUI_downlink_Sent": {}})) == []
