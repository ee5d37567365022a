"""LoRaWAN servers and codecs say one thing in many shapes; each becomes what was measured."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from contracts.aliases import Alias
from contracts.nouns import Reading, Status
from tests.unit.ingest.adapters.gateways import adapted, arrival, device, poisons, said, values

EUI = "24e124713d000004"
APP = "application/3f1c/device/24e124713d000004/event/up"
TIME = "2026-07-01T07:59:58.5Z"


def up(**more: Any) -> dict[str, Any]:
    return {
        "time": TIME,
        "deviceInfo": {"devEui": EUI, "deviceName": "s-0", "deviceProfileName": "none"},
        "fCnt": 7, "fPort": 2, "rxInfo": [],
    } | more  # fmt: skip


def heard(body: Any, topic: str = APP, use: str = "chirpstack", profile: str = "") -> list[Any]:
    alias = Alias(alias=EUI, device="s-0", profile=profile or None)
    return said(adapted(use, [device("s-0")], [alias], radio=False), arrival(topic, body))


@pytest.mark.parametrize(
    ("decoded", "wanted"),
    [
        # a battery is volts, millivolts or per cent by its size
        ({"battery": 98}, {"battery_percent": 98}),
        ({"battery": 3.6}, {"battery": 3.6}),
        ({"battery": 3600}, {"battery": 3.6}),
        ({"battery": "87 %"}, {"battery_percent": 87}),
        ({"BatV": 3.31, "TempC_SHT": 21.5, "Hum_SHT": 40.1},
         {"battery": 3.31, "temperature": 21.5, "humidity": 40.1}),
        # a quantity whose unit is another is not that quantity
        ({"level": "45 %"}, {"level_percent": 45}),
        ({"level": "45 cm"}, {"level": 0.45}),
        ({"water_level": {"value": 120, "unit": "mm"}}, {"level": 0.12}),
        ({"level": "45 kPa"}, {"level_kPa": 45}),
        # nor is one that was told as yes or no
        ({"tilt": True, "vibration": False}, {"tilt_state": 1, "vibration_state": 0}),
        ({"tilt": "tilt"}, {"tilt_state": 1}),
        ({"tilt": 3.5}, {"tilt": 3.5}),
        # the air's pressure is no pipe's
        ({"temperature": 20, "humidity": 50, "pressure": 1013.2},
         {"temperature": 20, "humidity": 50, "air_pressure": 101.32}),
        ({"barometric_pressure": 101325}, {"air_pressure": 101.325}),
        ({"pressure": 350}, {"pressure": 350}),
        # Cayenne LPP as ChirpStack and others decode it
        ({"temperatureSensor": {"1": 21.5}, "humiditySensor": {"2": 40}, "analogInput": {"3": 1.5}},
         {"temperature": 21.5, "humidity": 40, "analogInput.3": 1.5}),
        ({"temperature_1": 21.5, "relative_humidity_2": 40, "barometric_pressure_3": 1002},
         {"temperature": 21.5, "humidity": 40, "air_pressure": 100.2}),
        ({"temperature_1": 21.5, "temperature_2": 4}, {"temperature_1": 21.5, "temperature_2": 4}),
        # wrapped, beside warnings, with the device's own clock
        ({"data": {"temperature": -3}, "errors": [], "warnings": ["low battery"]},
         {"temperature": -3}),
        ({"temperature": -3, "timestamp": 1782900000000}, {"temperature": -3}),
        # rows of named measurements
        ({"messages": [[{"measurementId": "4097", "measurementValue": 27.5,
                         "type": "Air Temperature"}]]}, {"temperature": 27.5}),
        ({"temperature": None, "humidity": "n/a"}, {}),
        ({"temperatureSensor": 25, "humiditySensor": 32}, {"temperature": 25, "humidity": 32}),
        ({"bytes": [83, 124, 50], "level": 1.5}, {"level": 1.5}),
        ({"bytes": [83, 124, 50]}, {}),
    ],
)  # fmt: skip
def test_decoded_fields_are_what_they_say_they_are(
    decoded: dict[str, Any], wanted: dict[str, float]
) -> None:
    told = heard(up(object=decoded))
    assert values(told) == pytest.approx(wanted)
    assert not poisons(told)
    assert all(r.sent_at is not None and r.sent_at.microsecond == 500_000 for r in told)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("application/1/device/x/event/txack", {"downlinkId": "1"}),
        ("application/1/device/x/event/ack", {"acknowledged": True}),
        ("application/1/device/x/event/log", {"level": "ERROR", "code": "UPLINK_CODEC"}),
        ("application/1/device/x/event/error", {"type": "DATA_UP_FCNT", "error": "x"}),
        ("application/1/device/x/event/location", {"location": {"latitude": 1.0}}),
        ("application/1/device/x/command/down", {"fPort": 1, "data": "AA=="}),
        ("gateway/0016c001f156d7e5/event/up", b"\x0a\x00"),
        ("eu868/gateway/0016c001f156d7e5/event/stats", b"\x0a\x00"),
        ("cn470_10/gateway/0016c001f156d7e5/event/up", b"\x0a\x00"),
    ],
)
def test_what_chirpstack_says_beside_measurements_is_left_aside(topic: str, body: Any) -> None:
    gate = adapted(
        "chirpstack", [device("s-0")], topics=["application/#", "gateway/#", "+/gateway/#"]
    )
    assert not said(gate, arrival(topic, body))


def test_what_the_network_says_to_itself_is_no_measurement() -> None:
    """Port 0 carries MAC commands: bytes that a profile would take for readings."""
    mac = base64.b64encode(bytes.fromhex("0175640367f800")).decode()
    assert not heard(up(fPort=0, data=mac), profile="EM300-TH")
    assert values(heard(up(data=mac), profile="EM300-TH"))


def test_bytes_are_read_as_base64_and_as_the_hexadecimal_that_some_forward() -> None:
    told = bytes.fromhex("01755c0367f8000468")
    plain = told.hex() + "6e"  # an even number of digits: 10 bytes
    as_hex = values(heard(up(data=plain), profile="EM300-TH"))
    as_base64 = values(
        heard(up(data=base64.b64encode(bytes.fromhex(plain)).decode()), profile="EM300-TH")
    )
    assert as_hex == as_base64 == {"battery_percent": 92, "temperature": 24.8, "humidity": 55}


@pytest.mark.parametrize("who", [EUI, EUI.upper(), base64.b64encode(bytes.fromhex(EUI)).decode()])
def test_v3_names_a_device_in_hexadecimal_or_base64(who: str) -> None:
    body = {
        "applicationID": "1", "devEUI": who, "deviceName": "s-0", "fPort": 2, "fCnt": 9,
        "objectJSON": '{"depth":0.25}', "rxInfo": [{"time": None, "loRaSNR": 7.5, "rssi": -60}],
        "publishedAt": TIME,
    }  # fmt: skip
    told = heard(body, "application/1/device/24e124713d000004/event/up")
    assert values(told) == {"depth": 0.25}


TTS = "v3/app@ttn/devices/s-0/up"


def uplink(**more: Any) -> dict[str, Any]:
    ids = {"device_id": "s-0", "dev_eui": EUI.upper(), "application_ids": {"application_id": "a"}}
    return {
        "end_device_ids": ids, "received_at": TIME,
        "uplink_message": {"f_port": 2, "f_cnt": 3, "received_at": TIME} | more,
    }  # fmt: skip


def test_normalized_measurements_have_the_units_of_their_schema() -> None:
    body = uplink(
        normalized_payload=[
            {"air": {"temperature": 20.5, "relativeHumidity": 61, "pressure": 1008.4,
                     "lightIntensity": 900}, "battery": 3.55},
            {"wind": {"speed": 2.5}},
        ]
    )  # fmt: skip
    assert values(heard(body, TTS, "tts")) == pytest.approx(
        {"temperature": 20.5, "humidity": 61, "air_pressure": 100.84, "lux": 900, "battery": 3.55,
         "wind.speed": 2.5}
    )  # fmt: skip


def test_an_uplink_that_somebody_simulated_is_no_measurement() -> None:
    body = uplink(decoded_payload={"level": 4})
    assert values(heard(body, TTS, "tts")) == {"level": 4}
    (bad,) = heard(body | {"simulated": True}, TTS, "tts")
    assert (bad.code, bad.device) == ("simulated", "s-0") and "simulated = true" in bad.reason
    gate = adapted("tts", [device("s-0")], simulated=True)
    assert values(said(gate, arrival(TTS, body | {"simulated": True}))) == {"level": 4}


def test_an_uplink_without_anything_decoded_says_what_is_missing() -> None:
    (bad,) = poisons(heard(uplink(frm_payload="AQIDBAUGBwg="), TTS, "tts"))
    assert bad.code == "no_profile" and "aliases.csv" in bad.reason
    assert not heard(uplink(), TTS, "tts")


def test_a_join_says_that_the_device_is_there() -> None:
    ids = uplink()["end_device_ids"]
    body = {"end_device_ids": ids, "join_accept": {"session_key_id": "x", "received_at": TIME}}
    (status,) = heard(body, "v3/app@ttn/devices/s-0/join", "tts")
    assert isinstance(status, Status) and status.online


def dragino(model: str, data: str, port: int = 2) -> dict[str, float]:
    told = heard(up(fPort=port, data=base64.b64encode(bytes.fromhex(data)).decode()), profile=model)
    assert not poisons(told)
    assert all(isinstance(r, Reading) for r in told)
    return dict(values(told))


def test_a_submerged_probe_tells_depth_by_its_range_and_none_where_it_has_none() -> None:
    # 3.654 V, immersion probe of 5 m, 8 mA
    assert dragino("PS-LB", "0e4600051f40000000") == pytest.approx(
        {"battery": 3.654, "loop_current": 0.008, "analog_voltage": 0, "water_depth": 1.25,
         "level": 1.25}
    )  # fmt: skip
    assert "level" not in dragino("PS-LB", "0e4600001f40000000"), "its range is not set"
    assert "level" not in dragino("PS-LB", "0e460005000a000000"), "its wire is broken"
    assert dragino("PS-LB", "16010001ff0e46", port=5) == {}, "its own state"


def test_an_ultrasonic_sensor_tells_millimetres_and_its_own_state_is_no_distance() -> None:
    assert dragino("LDDS75", "0ca404d200000000") == pytest.approx(
        {"battery": 3.236, "distance": 1.234}
    )
    assert dragino("LDDS75", "0ca4001400000000") == pytest.approx({"battery": 3.236})
    assert dragino("LDDS75", "16010001ff0ca4", port=5) == {}


def test_water_on_the_ground_is_told() -> None:
    assert dragino("LWL02", "4be0020000000000000000", 10) == {"battery": 3.04, "water_leak": 1.0}


@pytest.mark.parametrize("wrap", [lambda b: b, lambda b: {"data": b}])
def test_thingpark_writes_numbers_as_texts_and_may_be_wrapped(wrap: Any) -> None:
    body = {
        "DevEUI_uplink": {
            "Time": "2026-07-01T09:59:58.500+02:00", "DevEUI": EUI.upper(), "FPort": "2",
            "FCntUp": "17", "payload_hex": "00", "LrrRSSI": "-49.000000", "LrrSNR": "8.0",
            "payload": {"level": "0.5 m", "batteryVoltage": 3.6}, "DevAddr": "04D2848E",
        }
    }  # fmt: skip
    told = heard(wrap(body), "thingpark/x", "thingpark")
    assert values(told) == {"level": 0.5, "battery": 3.6}
    assert {r.sent_at.isoformat() for r in told} == {"2026-07-01T07:59:58.500000+00:00"}
