"""JSON of any shape becomes readings as its mapping says; a wrong mapping is told at its place."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.aliases import Alias
from contracts.errors import Permanent, Wrong
from contracts.nouns import Reading, Status
from ingest.adapting.mapping import SHIPPED, load, parse
from ingest.adapting.moments import moment
from tests.unit.ingest.adapters.rig import adapter, arrived, codes, values

ACME = """
records = "$.list[*]"
device = ["@.dev", "topic:1"]
time = ["@.at", "$.at"]
time_zone = "Asia/Shanghai"
online = "@.link"

[metrics]
depth = "@.d"

[metrics.level]
path = "@.data.lvl"
unit = "cm"
invalid = [-9999]

[metrics.lamp_current]
path = "@.data.lamp"
factor = 0.001
values = { OFF = 0 }

[all]
path = "@.more"
except = ["rssi"]
"""


def acme(tmp_path: Path, text: str = ACME, *ids: str, **more: Any) -> Any:
    (tmp_path / "mappings").mkdir(exist_ok=True)
    (tmp_path / "mappings" / "acme.toml").write_text(text)
    return adapter(
        "json_mapping", *(ids or ("d-1", "d-2")), folder=tmp_path,
        mapping="mappings/acme.toml", topics=["acme/+"], **more,
    )  # fmt: skip


def said(some: Any, body: Any, topic: str = "acme/d-2") -> Any:
    return some.decode(arrived(topic, json.dumps(body).encode()))


def test_every_record_is_read_as_the_mapping_says(tmp_path: Path) -> None:
    told = said(
        acme(tmp_path),
        {
            "at": "2026-11-22 15:00:00",
            "list": [
                {"dev": "d-1", "data": {"lvl": "43", "lamp": "OFF"}, "link": "up"},
                {"d": 0.2, "at": 1795330800, "more": {"Temp": 21.5, "rssi": -90, "x": {"y": True}}},
            ],
        },
    )
    assert values(told) == {
        ("d-1", "level"): pytest.approx(0.43),
        ("d-1", "lamp_current"): 0.0,
        ("d-2", "depth"): 0.2,
        ("d-2", "temperature"): 21.5,
        ("d-2", "x.y"): 1.0,
    }
    times = {r.device: r.sent_at for r in told if isinstance(r, Reading)}
    assert times == {
        "d-1": datetime(2026, 11, 22, 7, 0, tzinfo=UTC),
        "d-2": datetime.fromtimestamp(1795330800, UTC),
    }
    assert [(s.device, s.online) for s in told if isinstance(s, Status)] == [("d-1", True)]


def test_a_value_that_says_there_is_none_is_left_out(tmp_path: Path) -> None:
    assert said(acme(tmp_path), {"list": [{"data": {"lvl": -9999}, "at": 1795330800}]}) == []


def test_a_record_that_cannot_be_read_is_set_aside_alone(tmp_path: Path) -> None:
    told = said(
        acme(tmp_path),
        {"list": [{"dev": "d-1", "d": "deep"}, {"dev": "d-1", "d": 1, "at": "soon"},
                  {"dev": "ghost", "d": 1}, {"dev": "ghost", "d": 2}, {"dev": "d-1", "d": 4}]},
    )  # fmt: skip
    assert values(told) == {("d-1", "depth"): 4.0}
    assert codes(told) == ["not_a_number", "bad_time", "unknown_device"]


def test_the_city_may_rename_what_a_mapping_names(tmp_path: Path) -> None:
    alias = Alias(alias="b4", device="d-1", metrics={"depth": "level", "Temp": ""})
    some = acme(tmp_path, ACME, "d-1", aliases={"b4": alias})
    told = said(some, {"list": [{"dev": "b4", "d": 2, "more": {"Temp": 3}}]})
    assert values(told) == {("d-1", "level"): 2.0}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"list": []}, "nothing_mapped"),
        ({"list": [{"other": 1}]}, "nothing_mapped"),
        (7, "nothing_mapped"),
    ],
)
def test_a_message_with_nothing_in_it_says_where_was_looked(
    tmp_path: Path, body: Any, code: str
) -> None:
    assert codes(said(acme(tmp_path), body)) == [code]


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="JSON"):
        acme(tmp_path).decode(arrived("acme/d-1", b"{"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("device = '$.d'", "maps nothing"),
        ("[all]", "device"),
        ("device = 3\n[all]", "device"),
        ("device = 'd'\n[all]", "begins with"),
        ("device = '$.a['\n[all]", "JSONPath"),
        ("device = '$.d'\nmetrics.level.path = '$.l'\nmetrics.level.unit = 'furlong'", "furlong"),
        ("device = '$.d'\nmetrics.level.path = '$.l'\nmetrics.level.unit = 'V'", "level can have"),
        ("device = '$.d'\nmetrics.level.paht = '$.l'", "paht"),
        ("device = '$.d'\nmetrics.'?' = '$.l'", "metrics"),
        ("device = '$.d'\ntime_zone = 'Mars/Base'\n[all]", "Asia/Shanghai"),
        ("device =", "acme.toml"),
    ],
)
def test_a_wrong_mapping_is_told_at_its_place(text: str, says: str) -> None:
    with pytest.raises(Wrong) as wrong:
        parse(text, "acme.toml")
    assert "acme.toml" in str(wrong.value)
    assert says in str(wrong.value)


def test_a_mapping_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(Wrong, match="aws_shadow, azure_iot_hub, flat"):
        load("acme", tmp_path)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_is_right(path: Path) -> None:
    assert parse(path.read_text(), path.name).table.title


def shipped(name: str) -> Any:
    return adapter("json_mapping", "d-1", mapping=name, topics=["x/#"])


AWS = {
    "state": {"reported": {"level": 0.43, "door": {"open": False}, "fw": "1.2"}},
    "metadata": {"reported": {"level": {"timestamp": 1795330799}}},
    "version": 7,
    "timestamp": 1795330800,
}


def test_a_shadow_of_aws_is_read() -> None:
    told = said(shipped("aws_shadow"), AWS, "$aws/things/d-1/shadow/update/accepted")
    assert values(told) == {("d-1", "level"): 0.43, ("d-1", "door.open"): 0.0}
    assert {r.metric: r.sent_at.timestamp() for r in told} == {
        "level": 1795330799.0,  # its own time, from the metadata
        "door.open": 1795330800.0,
    }


BODY = {"level": 0.43, "timestamp": "2026-11-22T07:00:00.1234567Z"}
PACKED = base64.b64encode(json.dumps(BODY).encode()).decode()
SYSTEM = {"iothub-connection-device-id": "d-1", "iothub-enqueuedtime": "2026-11-22T07:00:01Z"}


@pytest.mark.parametrize(
    ("body", "topic"),
    [
        ({"body": BODY, "systemProperties": SYSTEM, "properties": {}}, "x"),
        ({"body": PACKED, "systemProperties": SYSTEM}, "x"),
        ({"data": {"body": BODY, "systemProperties": SYSTEM}, "eventType": "telemetry"}, "x"),
        ({"EnqueuedTimeUtc": "2026-11-22T07:00:01Z", "Body": BODY,
          "SystemProperties": {"connectionDeviceId": "d-1"}}, "x"),
        ({"deviceId": "d-1", "enqueuedTime": "2026-11-22T07:00:00Z",
          "telemetry": {"level": 0.43}}, "x"),
        ({"deviceId": "d-1", "enqueuedTime": "2026-11-22T07:00:00Z",
          "telemetry": [{"name": "level", "value": 0.43}]}, "x"),
        ({"level": 0.43}, "devices/d-1/messages/events/%24.ct=json"),
    ],
)  # fmt: skip
def test_the_shapes_of_azure_are_read(body: Any, topic: str) -> None:
    assert values(said(shipped("azure_iot_hub"), body, topic)) == {("d-1", "level"): 0.43}


def test_a_flat_object_is_read_by_its_topic() -> None:
    told = said(shipped("flat"), {"ts": 1795330800123, "seq": 4, "level": 1, "ok": True}, "s/d-1")
    assert values(told) == {("d-1", "level"): 1.0, ("d-1", "ok"): 1.0}
    assert {r.seq for r in told} == {4}
    assert {r.sent_at.microsecond for r in told} == {123_000}


@pytest.mark.parametrize(
    ("told", "form", "zone"),
    [
        (1795330800, "auto", None),
        (1795330800.0, "auto", None),
        (1795330800000, "auto", None),
        (1795330800000000, "auto", None),
        (1795330800000000000, "auto", None),
        ("1795330800", "auto", None),
        ("1795330800000", "ms", None),
        ("2026-11-22T07:00:00Z", "auto", None),
        ("2026-11-22T15:00:00.000000000+08:00", "auto", None),
        ("2026-11-22 15:00:00", "auto", "Asia/Shanghai"),
        ("22.11.2026 15:00", "%d.%m.%Y %H:%M", "Asia/Shanghai"),
        ("20261122150000", "auto", "Asia/Shanghai"),
        (20261122150000, "auto", "Asia/Shanghai"),
        ("2026/11/22 15:00:00", "auto", "Asia/Shanghai"),
        ("2026-11-22 7:00:00Z", "auto", None),
    ],
)
def test_a_time_is_read_however_it_is_written(told: Any, form: str, zone: str | None) -> None:
    assert moment(told, form, zone) == datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "code"),
    [("soon", "bad_time"), ({}, "bad_time"), (True, "bad_time"), (1e40, "bad_time"),
     ("2026-11-22 15:00:00", "naive_time")],
)  # fmt: skip
def test_what_is_no_time_says_so(told: Any, code: str) -> None:
    with pytest.raises(Permanent) as bad:
        moment(told)
    assert bad.value.code == code
