"""Every real uplink that a LoRaWAN network server delivered, against what its makers' converter
made of it (ThingsBoard data converters, Apache-2.0)."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.aliases import Alias
from contracts.nouns import Arrival, Reading
from ingest.adapting import profile, shapes
from ingest.adapting.dispatch import Adapted
from tests.unit.ingest.adapters.gateways import adapted, device, poisons, said

pytestmark = pytest.mark.recordings

SERVERS = {
    "ChirpStack": ("chirpstack", "application/1/device/{}/event/up"),
    "HTTP": ("chirpstack", "application/1/device/{}/event/up"),  # v3's integration, same JSON
    "ThingsStackCommunity": ("tts", "v3/app@ttn/devices/{}/up"),
    "ThingsStackIndustries": ("tts", "v3/app@tenant/devices/{}/up"),
    "LORIOT": ("loriot", "loriot/{}"),
    "ThingPark": ("thingpark", "mqtt/things/{}/uplink"),
    "ThingParkEnterprise": ("thingpark", "mqtt/things/{}/uplink"),
}
ASIDE = {"session_key_id", "frm_payload", "eui", "rssi", "channel_rssi", "snr", "frequency_offset",
         "channel_index", "message_id", "consumed_airtime", "confirmed", "fCnt", "f_cnt", "dr",
         "fPort", "timestamp", "cmd", "type"}  # fmt: skip
"""What the converters say of the message, not of what was measured."""
PREFIXES = ("lora_", "forwarder", "home_network")
DIFFER = {
    # indoor air monitors: the samples' history holds bytes in the wrong order, read unsigned there
    **dict.fromkeys(("AM307", "AM307L", "AM308", "AM308L", "AM319", "AM319L"), "history"),
    "EM300-DI": "the converter rounds 50.5 % down",
    "EM300-SLD-ZLD": "the converter takes a byte of the time for the humidity",
    "EM500-SMTC": "the converter rounds 57.5 % down",
}
"""Models where we say another number on purpose."""
LONGER = {"AM307", "AM307L"}
"""Samples with a history record of another model, longer by four bytes: the rest is told."""
UNREAD = {"AT101", "DS3604", "WT201", "G4_NPS_FM", "G4_NPS_SM", "Clover", "Kiwi"}
"""Trackers, labels, thermostats, parking: not all of their payloads' fields are described."""


@pytest.fixture(scope="module")
def samples(recordings: Path) -> list[dict[str, Any]]:
    file = recordings / "payloads" / "thingsboard_data_converters" / "uplinks.jsonl.gz"
    with gzip.open(file, "rt") as lines:
        return [json.loads(line) for line in lines]


def _eui(payload: dict[str, Any]) -> str:
    told = (
        shapes.at(payload, "deviceInfo", "devEui"),
        payload.get("devEUI"),
        shapes.at(payload, "end_device_ids", "dev_eui"),
        payload.get("EUI"),
        shapes.at(payload, "DevEUI_uplink", "DevEUI"),
    )
    found = shapes.eui(shapes.first(*told))
    assert found is not None
    return found


def _gate(sample: dict[str, Any]) -> tuple[Adapted, Arrival]:
    use, topic = SERVERS[sample["network_server"]]
    eui = _eui(sample["payload"])
    alias = Alias(alias=eui, device="it", profile=sample["model"])
    at = datetime(2026, 1, 1, tzinfo=UTC)
    payload = json.dumps(sample["payload"]).encode()
    return adapted(use, [device("it")], [alias]), Arrival(topic.format(eui), payload, at)


def _expected(sample: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    said_ = sample["expected"]
    for one in said_ if isinstance(said_, list) else [said_]:
        if "ateway" in str(one.get("deviceType")):
            continue
        telemetry = one.get("telemetry") or []
        for entry in telemetry if isinstance(telemetry, list) else [telemetry]:
            values = entry.get("values", entry)
            yield (
                entry.get("ts"),
                {k: v for k, v in values.items() if k not in ASIDE and not k.startswith(PREFIXES)},
            )


def _same(told: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return told in (("true", 1.0) if wanted else ("false", 0.0))
    if isinstance(wanted, int | float):
        return isinstance(told, int | float) and told == pytest.approx(wanted, rel=1e-3, abs=1e-3)
    return str(told) == str(wanted)


def test_no_uplink_is_a_fault_and_all_come_with_the_time_the_converter_gives(
    samples: list[dict[str, Any]],
) -> None:
    timed: Counter[bool] = Counter()
    faults = []
    for sample in samples:
        gate, arrival = _gate(sample)
        nouns = said(gate, arrival)
        if sample["model"] not in LONGER:
            faults += [(sample["file"], bad.reason) for bad in poisons(nouns)]
        assert nouns, sample["file"]
        wanted = [ts for ts, _ in _expected(sample) if isinstance(ts, int) and ts > 1e11]
        if wanted:
            times = {
                round(n.sent_at.timestamp() * 1e3)
                for n in nouns
                if isinstance(n, Reading) and n.sent_at
            }
            near = any(abs(ts - when) <= 1 for ts in wanted for when in times)
            timed[near] += 1
    assert faults == []
    # TTS: the converter takes the moment of the application server for some, we the network's.
    assert timed[True] / timed.total() > 0.6, timed


def test_what_was_measured_is_what_the_converters_say(samples: list[dict[str, Any]]) -> None:
    profiles = profile.Profiles(profile.shipped())
    same: Counter[str] = Counter()
    wrong = []
    for sample in samples:
        own = profiles.named(sample["model"])
        assert own is not None, sample["model"]
        payload = sample["payload"]
        data, port = _bytes(payload)
        if port in own.aside_ports:
            same["configuration"] += 1
            continue
        told = own.told(data, port)
        records = [told.now, *(fields for _, fields in told.then)]
        for _, values in _expected(sample):
            for name, wanted in values.items():
                numeric = isinstance(wanted, int | float)
                if not numeric and sample["model"] not in LINES:
                    continue
                if any(name in r and _same(r[name], wanted) for r in records):
                    same["values"] += 1
                elif isinstance(wanted, list | dict) or name in TEXTS:
                    continue
                elif sample["model"] in DIFFER or sample["model"] in UNREAD:
                    same["known to differ"] += 1
                else:
                    wrong.append((sample["model"], name, wanted, [r.get(name) for r in records]))
    assert wrong == []
    assert same["values"] > 3_000, same
    assert same["known to differ"] < 200, same


LINES = {"CT101-CT103", "EM310-TILT", "EM320-TILT", "EM4301", "EM2101", "R718DA", "R718DA2",
         "R718N3", "R718KA", "EM310-UDL", "EM400-UDL", "EM400-TLD", "EM500-UDL", "EM500-SWL",
         "EM300-MCS", "R311A", "EM300-CL", "EM300-MLD"}  # fmt: skip
"""On lines, drains and poles: states in words are compared as well."""
TEXTS = {"ipso_version", "sn", "hardware_version", "firmware_version", "power"}


def _bytes(payload: dict[str, Any]) -> tuple[bytes, int | None]:
    park = payload.get("DevEUI_uplink")
    if park is not None:
        data = shapes.data_bytes(park["payload_hex"], hexadecimal=True)
        port = park.get("FPort")
    elif "EUI" in payload:
        data, port = shapes.data_bytes(payload["data"], hexadecimal=True), payload.get("port")
    else:
        up = payload.get("uplink_message", payload)
        data = shapes.data_bytes(shapes.first(up.get("frm_payload"), up.get("data")))
        port = shapes.first(up.get("f_port"), up.get("fPort"))
    assert data is not None
    return data, port


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("CT101-CT103", {"current_a"}),
        ("EM310-TILT", {"tilt", "tilt_x", "tilt_y"}),
        ("EM320-TILT", {"tilt", "tilt_x", "tilt_y", "battery_percent"}),
        ("EM4301", {"voltage_a", "voltage_b", "voltage_c", "current_a", "current_b", "current_c"}),
        ("R718N3", {"current_a", "current_b", "current_c", "battery"}),
        ("R718DA", {"moved", "battery"}),
        ("EM310-UDL", {"distance", "tilted"}),
        ("EM500-SWL", {"water_depth", "level"}),
        ("EM500-PP", {"pressure"}),
        ("DL-CTD10", {"water_depth", "level", "temperature", "battery"}),
        ("DL-TBRG", {"rain_rate", "precipitation", "battery"}),
        ("DL-PR26", {"pressure", "temperature"}),
        ("DL-KL66", {"tension"}),
        ("SD1001", {"last_gasp"}),
        ("WS302", {"sound_level"}),
    ],
)
def test_line_drain_and_tilt_devices_speak_in_our_metrics(
    samples: list[dict[str, Any]], model: str, wanted: set[str]
) -> None:
    found = set()
    for sample in samples:
        if sample["model"] == model:
            gate, arrival = _gate(sample)
            found |= {n.metric for n in said(gate, arrival) if isinstance(n, Reading)}
    assert wanted <= found
