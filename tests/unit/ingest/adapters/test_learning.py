"""What is proposed for messages that were heard reads them, and calls things what they are."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import Permanent
from ingest.adapting.learning import Lesson
from ingest.adapting.mapping import parse
from tests.unit.ingest.adapters.rig import NOW, arrived


def lesson(*messages: tuple[str, Any]) -> Lesson:
    some = Lesson()
    for k, (topic, body) in enumerate(messages):
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        some.hear(arrived(topic, payload, NOW + timedelta(minutes=k)))
    return some


def table(some: Lesson) -> dict[str, Any]:
    """The proposal, which must be right and read every message."""
    text = some.proposal()
    mapping = parse(text, "proposal")
    for arrival in some.messages:
        for told in mapping.told(json.loads(arrival.payload), arrival.topic):
            assert not isinstance(told, Permanent), (str(told), text)
    return tomllib.loads(text)


def drains(n: int = 6) -> list[tuple[str, Any]]:
    return [
        (
            f"acme/NJ-{k % 3}/data",
            {
                "devId": f"NJ-{k % 3}", "collectTime": f"2026-11-22 16:0{k}:00", "msgId": k,
                "status": "online",
                "data": {"waterLevel_mm": 200 + k, "Temp": 21.5, "voltage": 3.6, "fw": "1.2.3"},
            },
        )
        for k in range(n)
    ]  # fmt: skip


def test_flat_messages_of_drains_are_understood() -> None:
    found = table(lesson(*drains()))
    assert found["device"] == ["$.devId", "topic:1"]
    assert found["time"] == "$.collectTime"
    assert found["time_zone"] == "Asia/Shanghai", "its times have no zone"
    assert found["seq"] == "$.msgId"
    assert found["online"] == "$.status"
    assert found["metrics"] == {
        "level": {"path": "$.data.waterLevel_mm", "unit": "mm"},
        "temperature": {"path": "$.data.Temp"},
        "battery": {"path": "$.data.voltage"},
    }, "3.6 V are a battery's, and a version is no number"


def test_a_list_of_records_is_understood() -> None:
    bodies = [
        {"gw": "G1", "list": [{"sn": f"S{d}", "t": int(NOW.timestamp()) + 60 * k,
                               "v": {"flow(l/s)": 3, "bat": 88}} for d in range(2)]}
        for k in range(4)
    ]  # fmt: skip
    found = table(lesson(*(("yh/up", body) for body in bodies)))
    assert found["records"] == "$.list[*]"
    assert found["device"] == ["@.sn"]
    assert found["time"] == "@.t"
    assert found["metrics"]["flow"] == {"path": "@.v['flow(l/s)']", "unit": "l/s"}
    assert found["metrics"]["battery_percent"] == "@.v.bat"


def test_the_topic_names_the_device_when_the_message_does_not() -> None:
    found = table(lesson(*((f"s/{k % 2}x/up", {"a": k}) for k in range(4))))
    assert found["device"] == ["topic:1"]


def test_what_is_no_json_is_counted_and_said() -> None:
    some = lesson(("a", b"\x00\x01"), ("a", b"{"))
    assert (some.heard, some.unread) == (2, 2)
    with pytest.raises(Permanent, match="2 messages are something else"):
        some.proposal()


@pytest.mark.parametrize("name", ['a"b', "a'b", "a\\b", "温度", "x y", "a\nb", "."])
def test_names_of_any_kind_make_a_right_file(name: str) -> None:
    bodies = ((f"t/{k}", {"id": f"{k}", name: 20 + k, "deep": {name: 1}}) for k in (1, 2))
    found = table(lesson(*bodies))
    assert found["metrics"]


def test_chinese_names_and_units_in_brackets_are_understood() -> None:
    body = {"设备编号": "HZ-1", "采集时间": "2026/11/22 16:00:00", "水位(mm)": 432,
            "电压(V)": 3.61, "温度": "12.5", "流量（L/s）": 4, "状态": "正常"}  # fmt: skip
    some = lesson(*[("hz/HZ-1/up", body)] * 3)
    found = table(some)
    assert found["device"] == ["$['设备编号']"]
    assert (found["time"], found["time_zone"]) == ("$['采集时间']", "Asia/Shanghai")
    assert found["metrics"]["level"] == {"path": "$['水位(mm)']", "unit": "mm"}
    assert found["metrics"]["flow"] == {"path": "$['流量（L/s）']", "unit": "l/s"}
    assert found["metrics"]["battery"]["path"] == "$['电压(V)']"
    assert found["metrics"]["temperature"] == {"path": "$['温度']"}
    assert "# Left out, being words: 状态 (正常)" in some.proposal()


def test_lists_of_names_and_values_are_asked_for_by_name_not_by_place() -> None:
    body = {
        "gw": "GW-1", "ts": int(NOW.timestamp()),
        "devs": [
            {"sn": f"T-{k}", "items": [{"k": "tilt_x", "v": k + 0.5, "u": "deg"},
                                       {"k": "it's", "v": 2}, {"k": "bat", "v": 87}]}
            for k in range(3)
        ],
    }  # fmt: skip
    found = table(lesson(("plc/report", body)))
    assert found["metrics"]["tilt_x"] == {"path": "@.items[?@.k=='tilt_x'].v", "unit": "deg"}
    assert found["metrics"]["battery_percent"] == "@.items[?@.k=='bat'].v"
    turned = json.loads(json.dumps(body))
    for one in turned["devs"]:
        one["items"].reverse()
    mapping = parse(lesson(("plc/report", body)).proposal(), "proposal")
    told = [one for one in mapping.told(turned, "plc/report") if not isinstance(one, Permanent)]
    assert [one.values["tilt_x"] for one in told] == [0.5, 1.5, 2.5]
    assert {one.values["it_s"] for one in told} == {2.0}


def test_a_unit_that_a_metric_cannot_have_makes_it_another_thing() -> None:
    body = {"id": "a", "t": int(NOW.timestamp() * 1000), "level_kPa": 4.2, "voltage_c": 230.0,
            "tilt": True, "q_lps": 5.1}  # fmt: skip
    some = lesson(*[("acme/a", body)] * 2)
    found = table(some)["metrics"]
    assert found["level_kPa"] == "$.level_kPa"
    assert found["voltage_c"] == {"path": "$.voltage_c"}
    assert "tilt" not in found
    assert found["q"] == {"path": "$.q_lps", "unit": "l/s"}
    assert "rename it if it is flow" in some.proposal()
    assert "2026-11-22" in some.proposal(), "its time is told so that a person can check it"


def test_what_is_no_json_is_shown_with_what_to_do() -> None:
    some = lesson(("csv/7", b"7;43.2;12.3"))
    with pytest.raises(Permanent, match=r"'7;43\.2;12\.3' on csv/7.*let the gateway send JSON"):
        some.proposal()
    with pytest.raises(Permanent, match="nothing was heard"):
        Lesson().proposal()


def test_one_value_a_message_is_called_by_its_own_name() -> None:
    def told(kind: str, value: float, unit: str, k: int) -> tuple[str, dict[str, Any]]:
        at = int((NOW + timedelta(minutes=k)).timestamp() * 1000)
        return f"plant/S-{k % 2}", {"sensor_id": f"S-{k % 2}", "sensor_type": kind, "value": value,
                                    "unit": unit, "timestamp": at}  # fmt: skip

    some = lesson(*[
        told(*one, k)
        for k, one in enumerate([("pressure", 3.1, "bar"), ("level", 43.0, "cm")] * 3)
    ])  # fmt: skip
    found = table(some)
    assert found["device"][0] == "$.sensor_id" and found["time"] == "$.timestamp"
    assert found["all"] == {"path": "$"} and "metrics" not in found
    assert "# pressure: pressure, 3 times" in some.proposal()


def test_several_numbers_beside_a_type_are_no_value_with_a_name() -> None:
    body = {"type": "drain", "v": 3.6, "level": 0.2, "ts": int(NOW.timestamp())}
    assert set(table(lesson(("s/d-1", body)))["metrics"]) == {"v", "level"}


def test_a_value_with_its_unit_inside_is_called_by_what_holds_it() -> None:
    body = {"id": "a", "ts": int(NOW.timestamp()), "pressure": {"value": 3.1, "unit": "bar"}}
    found = table(lesson(("acme/a", body)))
    assert found["metrics"] == {"pressure": {"path": "$.pressure.value", "unit": "bar"}}
