"""SenML, Sparkplug B, Zigbee2MQTT, AWS and Azure in the shapes their makers allow."""

from __future__ import annotations

import base64
import json
import struct
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from contracts.errors import Permanent
from contracts.nouns import Quality, Reading
from tests.unit.ingest.adapters.rig import adapter, arrived, codes, values
from tests.unit.ingest.adapters.test_adapter_sparkplug import payload as births

BT = 1795330800


# --- SenML ------------------------------------------------------------------------------------


def senml(*records: dict[str, Any]) -> Any:
    some = adapter("senml", "m", topics=["x"])
    return some.decode(arrived("x", json.dumps(records).encode()))


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({"n": "battery", "u": "%EL", "v": 87}, {"battery_percent": 87}),
        ({"n": "battery", "u": "/", "v": 0.87}, {"battery_percent": 87}),
        ({"n": "battery", "u": "V", "v": 3.6}, {"battery": 3.6}),
        ({"n": "battery", "u": "mV", "v": 3600}, {"battery": 3.6}),
        ({"n": "level", "u": "%", "v": 45}, {"level_percent": 45}),
        ({"n": "level", "u": "mm", "v": 450}, {"level": 0.45}),
        ({"n": "level", "u": "Pa", "v": 450}, {"level_Pa": 450}),
        ({"n": "temperature", "u": "K", "v": 293.15}, {"temperature": 20}),
        ({"n": "capacity", "u": "F", "v": 12}, {"capacity": 12}),  # farad
        ({"n": "humidity", "u": "%RH", "v": 61}, {"humidity": 61}),
        ({"n": "tilt", "vb": True}, {"tilt_state": 1}),
        ({"n": "last_gasp", "vb": True}, {"last_gasp": 1}),
        ({"n": "state", "vs": "open"}, {}),
        ({"n": "raw", "vd": "AQID"}, {}),
        ({"n": "rain", "u": "mm", "v": 2, "s": 1000}, {"rain": 0.002, "rain_sum": 1.0}),
        ({"n": "optical_power", "u": "dBW", "v": -50}, {"optical_power": -20}),
    ],
)
def test_a_record_is_told_in_our_units_or_by_what_it_is(
    record: dict[str, Any], wanted: dict[str, float]
) -> None:
    told = senml({"bn": "m:", "bt": BT} | record)
    assert values(told) == pytest.approx({("m", k): v for k, v in wanted.items()})
    assert not codes(told)


def test_base_values_hold_until_they_are_said_again() -> None:
    told = senml(
        {"bn": "m:", "bt": BT, "bu": "cm", "bv": 100, "n": "level", "v": 1},
        {"n": "depth", "v": 2, "t": -60},
        {"bu": "Cel", "bv": 0, "n": "temperature", "v": -4.5, "t": 60},
    )
    assert {(r.metric, r.value, r.sent_at.timestamp()) for r in told} == {
        ("level", 1.01, BT), ("depth", 1.02, BT - 60), ("temperature", -4.5, BT + 60)
    }  # fmt: skip


def test_secondary_units_may_be_announced_and_a_later_version_may_not() -> None:
    told = senml({"bver": 26, "bn": "m:", "n": "pressure", "u": "hPa", "v": 3000})
    assert values(told) == {("m", "pressure"): 300.0}
    with pytest.raises(Permanent, match="version 42"):
        senml({"bver": 42, "bn": "m:", "n": "level", "v": 1})


def test_cbor_has_half_floats_decimals_tags_and_open_ends() -> None:
    half = b"\x9f\xbf\x21\x62m:\x00\x65level\x02\xf9\x3e\x00\xff\xff"  # 1.5 in 16 bits
    some = adapter("senml", "m", topics=["x"])
    for data in (half, b"\xd9\xd9\xf7" + half):
        assert values(some.decode(arrived("x", data))) == {("m", "level"): 1.5}
    exact = cbor2.dumps([{-2: "m:", 0: "level", 2: cbor2.CBORTag(4, [-2, 150])}])
    assert values(some.decode(arrived("x", exact))) == {("m", "level"): 1.5}
    odd = cbor2.dumps([{-2: "m:", 0: "level", 2: cbor2.CBORSimpleValue(99)}])
    assert codes(some.decode(arrived("x", odd))) == ["not_a_number"]


# --- Sparkplug B ------------------------------------------------------------------------------


def spark(*metrics: dict[str, Any], ids: tuple[str, ...] = ("d",)) -> Any:
    some = adapter("sparkplug", *ids)
    some.decode(arrived("spBv1.0/g/NBIRTH/n", births(0)))
    return some.decode(arrived("spBv1.0/g/DBIRTH/n/d", births(1, *metrics)))


def unit(name: str) -> dict[str, Any]:
    return {"keys": ["engUnit"], "values": [{"string_value": name}]}


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        ({"name": "level", "float_value": 45, "datatype": 9, "properties": unit("%")},
         {"level_percent": 45}),
        ({"name": "level", "float_value": 12, "datatype": 9, "properties": unit("Inches")},
         {"level": 0.3048}),
        ({"name": "temperature", "float_value": 212, "datatype": 9, "properties": unit("degF")},
         {"temperature": 100}),
        ({"name": "level", "float_value": 3, "datatype": 9, "properties": unit("steps")},
         {"level_steps": 3}),
        ({"name": "tilt", "boolean_value": True, "datatype": 11}, {"tilt_state": 1}),
        ({"name": "level", "int_value": 2**32 - 5, "datatype": 3}, {"level": -5}),
        ({"name": "level", "int_value": 2**16 - 5, "datatype": 2}, {"level": -5}),
        ({"name": "level", "is_null": True, "datatype": 9}, {}),
        ({"name": "taps", "datatype": 23, "bytes_value": struct.pack("<2h", -3, 4)},
         {"taps/0": -3, "taps/1": 4}),
        ({"name": "taps", "datatype": 30, "bytes_value": struct.pack("<f", 12.3)},
         {"taps/0": 12.3}),
        ({"name": "taps", "datatype": 23, "bytes_value": b"odd"}, {}),
    ],
)  # fmt: skip
def test_a_metric_is_told_in_our_units_or_by_what_it_is(
    metric: dict[str, Any], wanted: dict[str, float]
) -> None:
    told = [r for r in spark(metric) if isinstance(r, Reading)]
    assert values(told) == pytest.approx({("d", k): v for k, v in wanted.items()})


def test_a_data_set_is_told_by_column_and_by_row_where_there_are_several() -> None:
    def table(*rows: tuple[float, bool]) -> dict[str, Any]:
        return {
            "name": "phase", "datatype": 16,
            "dataset_value": {
                "columns": ["amps", "live"], "types": [10, 11],
                "rows": [
                    {"elements": [{"double_value": amps}, {"boolean_value": live}]}
                    for amps, live in rows
                ],
            },
        }  # fmt: skip

    assert values(spark(table((1.5, True)))) == {
        ("d", "phase/amps"): 1.5, ("d", "phase/live"): 1.0
    }  # fmt: skip
    assert ("d", "phase/1/amps") in values(spark(table((1.5, True), (2.5, False))))


# --- Zigbee2MQTT ------------------------------------------------------------------------------


def bridge(name: str, body: Any, some: Any = None, retained: bool = False) -> Any:
    some = some or adapter("zigbee2mqtt", "d-1")
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return some.decode(arrived(f"zigbee2mqtt/{name}", data, retained=retained))


def test_a_bridge_may_publish_each_attribute_by_itself() -> None:
    assert values(bridge("d-1/temperature", b"23.5")) == {("d-1", "temperature"): 23.5}
    assert values(bridge("d-1/water_leak", b"true")) == {("d-1", "water_leak"): 1.0}
    assert values(bridge("d-1/pressure", b"1013")) == {("d-1", "air_pressure"): 101.3}
    assert values(bridge("d-1/state", b"ON")) == {("d-1", "state"): 1.0}
    assert not bridge("d-1/action", b"single")
    assert not bridge("d-1/temperature", b"23.5", retained=True)


def test_attributes_are_not_told_twice_where_the_object_comes_as_well() -> None:
    some = adapter("zigbee2mqtt", "d-1")
    assert values(bridge("d-1", {"temperature": 23.5}, some)) == {("d-1", "temperature"): 23.5}
    assert not bridge("d-1/temperature", b"23.5", some)


def test_raw_light_yes_or_no_and_the_bridges_lists_are_no_quantities() -> None:
    assert values(bridge("d-1", {"illuminance": 21000, "illuminance_lux": 126})) == {
        ("d-1", "lux"): 126.0
    }
    assert values(bridge("d-1", {"vibration": True, "tilt": False, "angle_x": -3})) == {
        ("d-1", "vibration_state"): 1.0, ("d-1", "tilt_state"): 0.0, ("d-1", "angle_x"): -3.0
    }  # fmt: skip
    for name in ("bridge/devices", "bridge/groups", "bridge/info", "bridge/health"):
        assert not bridge(name, [{"ieee_address": "0x1", "friendly_name": "d-1"}])


# --- AWS --------------------------------------------------------------------------------------


def shadow(tail: str, body: Any) -> Any:
    some = adapter("json_mapping", "d-1", mapping="aws_shadow", topics=["$aws/things/#"])
    return some.decode(arrived(f"$aws/things/d-1/shadow/{tail}", json.dumps(body).encode()))


REPORTED = {
    "state": {"reported": {"level": 0.5, "battery": 91}, "desired": {"interval": 60}},
    "metadata": {"reported": {"level": {"timestamp": BT - 60}, "battery": {"timestamp": BT}},
                 "desired": {"interval": {"timestamp": BT - 9}}},
    "version": 9, "timestamp": BT + 5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("tail", "body"),
    [
        ("get/accepted", REPORTED),
        ("name/drain/get/accepted", REPORTED),
        ("update/documents", {"previous": {"state": {"reported": {"level": 0.1}}},
                              "current": REPORTED, "timestamp": BT + 5}),
    ],
)  # fmt: skip
def test_what_a_shadow_repeats_keeps_the_time_it_was_reported(tail: str, body: Any) -> None:
    told = shadow(tail, body)
    assert {(r.metric, r.value, r.sent_at.timestamp()) for r in told} == {
        ("level", 0.5, BT - 60.0), ("battery_percent", 91.0, float(BT))
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tail", "body"),
    [
        ("update/delta", {"version": 2, "timestamp": BT, "state": {"level": 9.0}}),
        ("update/accepted", {"state": {"desired": {"level": 9.0}}, "version": 2, "timestamp": BT}),
        ("update/rejected", {"code": 409, "message": "Version conflict", "timestamp": BT}),
        ("delete/accepted", {"version": 4, "timestamp": BT}),
        ("get", {"clientToken": "a"}),
    ],
)
def test_what_is_asked_of_a_device_is_no_measurement_and_no_fault(tail: str, body: Any) -> None:
    assert not shadow(tail, body)


# --- Azure ------------------------------------------------------------------------------------


def hub(body: Any, topic: str = "x") -> Any:
    some = adapter("json_mapping", "d-1", mapping="azure_iot_hub", topics=["x/#"])
    return some.decode(arrived(topic, json.dumps(body).encode()))


WHO = {"iothub-connection-device-id": "d-1", "iothub-enqueuedtime": "2026-11-22T07:00:00Z"}
TOLD = base64.b64encode(b'{"level":0.5}').decode()


@pytest.mark.parametrize(
    "body",
    [
        [{"id": "1", "eventType": "Microsoft.Devices.DeviceTelemetry", "dataVersion": "",
          "data": {"body": TOLD, "systemProperties": WHO}, "eventTime": "2026-11-22T07:00:01Z"}],
        {"Body": TOLD, "EnqueuedTimeUtc": "2026-11-22T07:00:00.000Z",
         "SystemProperties": {"connectionDeviceId": "d-1", "contentLength": 13}},
        {"event": {"origin": "d-1", "payload": '{"level":0.5}'}},
        {"reported": {"level": 0.5, "$version": 3}, "desired": {"level": 9, "$version": 1},
         "deviceId": "d-1"},
        {"version": 2, "properties": {"reported": {"level": 0.5, "$metadata": {"a": 1}}},
         "deviceId": "d-1"},
    ],
)  # fmt: skip
def test_only_what_the_device_reported_is_read(body: Any) -> None:
    assert values(hub(body)) == {("d-1", "level"): 0.5}


def test_a_body_that_is_no_json_is_told_and_nothing_else_is_read_for_it() -> None:
    body = {"Body": "KOEw/A==", "SystemProperties": {"connectionDeviceId": "d-1", "size": 4}}
    (bad,) = hub(body)
    assert bad.code == "not_json" and "Body" in bad.reason
    assert not hub({"properties": {"desired": {"level": 9}}, "deviceId": "d-1"})


def test_an_array_is_several_messages_each_set_aside_alone() -> None:
    some = adapter("json_mapping", "d-1", mapping="flat", topics=["x/#"])
    body = [{"ts": BT, "level": 1}, {"ts": "soon", "level": 2}, {"ts": BT + 1, "level": 3}]
    told = some.decode(arrived("x/d-1", json.dumps(body).encode()))
    assert [r.value for r in told if isinstance(r, Reading)] == [1, 3]
    assert codes(told) == ["bad_time"]
    assert all(
        r.sent_at in (datetime.fromtimestamp(BT, UTC), datetime.fromtimestamp(BT + 1, UTC))
        and not r.quality & Quality.CLOCK_OFF
        for r in told
        if isinstance(r, Reading)
    )


def test_a_name_that_is_no_utf8_is_no_fault_of_ours() -> None:
    birth = bytearray(births(1, {"name": "level", "float_value": 1.5, "datatype": 9}))
    birth[birth.index(b"level")] = 0xE5
    told = adapter("sparkplug", "d").decode(arrived("spBv1.0/g/DBIRTH/n/d", bytes(birth)))
    assert [r.value for r in told if isinstance(r, Reading)] == [1.5]


def test_one_value_by_itself_is_called_by_its_name_and_told_in_our_unit() -> None:
    some = adapter("json_mapping", "d-1", mapping="flat", topics=["x/#"])

    def said(body: dict[str, Any]) -> dict[tuple[str, str], float]:
        return values(some.decode(arrived("x/d-1", json.dumps(body).encode())))

    assert said({"sensor_type": "pressure", "value": 3.1, "unit": "bar", "timestamp": BT}) == {
        ("d-1", "pressure"): 310.0
    }
    assert said({"type": "drain", "v": 3.6, "level": 0.2}) == {
        ("d-1", "v"): 3.6, ("d-1", "level"): 0.2
    }  # fmt: skip
    assert said({"humidity": 50, "pressure": 1013, "battery": 98, "tilt": True}) == {
        ("d-1", "humidity"): 50.0, ("d-1", "air_pressure"): pytest.approx(101.3),
        ("d-1", "battery_percent"): 98.0, ("d-1", "tilt_state"): 1.0,
    }  # fmt: skip
    assert said({"id": "x", "value": 3.6}) == {("d-1", "value"): 3.6}
    assert said({"p1": {"value": 3.1, "unit": "bar"}, "level": {"value": 43, "unit": "cm"}}) == {
        ("d-1", "p1"): 310.0, ("d-1", "level"): 0.43
    }  # fmt: skip
