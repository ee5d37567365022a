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
