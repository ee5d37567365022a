"""Tickets for other systems: GeoJSON, CSV, JSON by mapping."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from center.feeds.mapping import Shape
from contracts.clock import ManualClock
from contracts.errors import Wrong
from tests.unit.center.conftest import TOKENS, VIEWER, Client, Serve
from tests.unit.center.scene import Scene

ZONE = ZoneInfo("Asia/Shanghai")


def rows(body: bytes) -> list[dict[str, str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def test_a_spreadsheet_has_every_ticket_with_names_and_moments(
    client: Client, scene: Scene
) -> None:
    scene.happen("flooding", worker="w-07", address="文晖街道")
    scene.happen("fibre_break")
    scene.desk.step("t-1", "accepted", "w-07")
    scene.desk.step("t-1", "disposed", "w-07")
    reply = client.get("/api/v1/tickets.csv")
    assert "attachment" in reply.headers["content-disposition"]
    first, second = sorted(rows(reply.body), key=lambda row: row["工单号 ticket"])
    assert first["类别 kind"] == "道路积水 flooding"
    assert first["网格员 worker"] == scene.city.workers["w-07"].name
    assert first["接单 accepted"] == "2026-07-14 20:00:00"
    assert first["按期 on_time"] == "是 yes"
    assert second["责任单位 utility"] == "电信维护中心"
    (only,) = rows(client.get("/api/v1/tickets.csv?kind=fibre_break").body)
    assert only == second


def later(scene: Scene, seconds: float) -> None:
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    clock.advance_to(clock.now() + timedelta(seconds=seconds))


def test_what_was_sent_back_was_not_done_when_it_was_first_said_to_be(
    client: Client, scene: Scene
) -> None:
    scene.happen("flooding")
    scene.desk.step("t-1", "disposed", "w-07")
    later(scene, 3 * 3600)
    scene.desk.step("t-1", "reworked", "sensor")
    (row,) = rows(client.get("/api/v1/tickets.csv").body)
    assert row["按期 on_time"] == "否 no"
    later(scene, 60)
    late = {"clocks": {"dispose": {"due": "2026-07-14T14:00:00Z", "late": 1}}}
    scene.desk.amend("t-1", reason=late)
    scene.desk.step("t-1", "disposed", "w-07")
    (row,) = rows(client.get("/api/v1/tickets.csv").body)
    assert row["处置 disposed"] == "2026-07-14 23:01:00"
    assert row["按期 on_time"] == "否 no"


def test_what_is_open_and_overdue_is_not_on_time(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    assert rows(client.get("/api/v1/tickets.csv").body)[0]["按期 on_time"] == ""
    later(scene, 3 * 3600)
    assert rows(client.get("/api/v1/tickets.csv").body)[0]["按期 on_time"] == "否 no"


def test_a_text_that_is_a_formula_stays_a_text(client: Client, scene: Scene) -> None:
    scene.happen("flooding", address='=HYPERLINK("http://x")')
    (row,) = rows(client.get("/api/v1/tickets.csv").body)
    assert row["地点 address"].startswith("'=")


def test_exports_with_names_need_a_token_and_are_logged(serve: Serve, scene: Scene) -> None:
    client = serve(tokens=TOKENS)
    scene.happen("flooding")
    for path in ("/api/v1/tickets.csv", "/feeds/wecom/tickets.json"):
        assert client.get(path).status == 401
        assert client.get(path, token=VIEWER).status == 200
    assert ("wall", "tickets.csv") in scene.desk.accesses


def test_open_tickets_are_points_without_personal_data(client: Client, scene: Scene) -> None:
    scene.happen("high_altitude_throw", address="17楼 F17-3")
    reply = client.get("/feeds/tickets.geojson")
    (feature,) = reply.json["features"]
    assert feature["geometry"]["type"] == "Point"
    assert feature["properties"]["kind"] == "high_altitude_throw"
    assert b"F17-3" not in reply.body
    assert scene.city.workers["w-05"].name.encode() not in reply.body


def test_wecom_reads_a_ticket_in_its_own_words(client: Client, scene: Scene) -> None:
    scene.happen("flooding", worker="w-07", address="文晖街道")
    told = client.get("/feeds/wecom/tickets/t-1.json").json
    assert told["order_id"] == "t-1"
    assert told["case_name"] == "道路积水"
    assert told["urge_type"] == 1
    assert told["order_status"] == 1
    assert told["processor_userids"] == ["w-07"]
    assert told["location"]["name"] == "文晖街道"
    assert told["process_list"][0]["solve_userid"] == "sensor"
    assert told["report_time"] == told["process_list"][0]["solved_time"]


def test_a_hotline_reads_a_work_order(client: Client, scene: Scene) -> None:
    scene.happen("severed_cable", severity=5)
    told = client.get("/feeds/hotline12345/tickets.json").json[0]
    assert (told["urgency"], told["status"]) == ("特急", "派遣")
    assert told["acceptTime"] == "2026-07-14 20:00:00"
    assert told["handleUnit"] == "国网供电所"
    assert told["finishTime"] is None


def test_an_unknown_mapping_names_the_known_ones(client: Client) -> None:
    reply = client.get("/feeds/nobody/tickets.json")
    assert reply.status == 404
    assert "wecom" in reply.json["reason"]


def test_a_city_brings_its_own(serve: Serve, scene: Scene) -> None:
    table: dict[str, Any] = {"fields": {"编号": "$.id", "n": 7}}
    client = serve(mappings={"own": table})
    scene.happen("flooding")
    assert client.get("/feeds/own/tickets.json").json == [{"编号": "t-1", "n": 7}]


def test_paths_texts_lists_and_what_is_not_there() -> None:
    shape = Shape(
        "x",
        {
            "fields": {
                "last": "$.steps[-1].at",
                "none": "$.nobody.there[3]",
                "text": "{$.id}/{$.nobody}!",
                "each": {"each": "$.steps", "fields": {"w": "$.at"}},
                "list": ["$.id", "fixed"],
                "deep": {"a": {"b": "$.id"}},
                "kind": {"from": "$.n", "map": {"1": "one"}, "else": "many"},
                "when": {"from": "$.t", "format": "epoch_ms"},
                "bad": {"from": "$.id", "format": "local"},
            }
        },
        ZONE,
    )
    item = {"id": "t", "n": 1, "t": "1970-01-01T00:00:01Z", "steps": [{"at": 1}, {"at": 2}]}
    assert shape.of(item) == {
        "last": 2,
        "none": None,
        "text": "t/!",
        "each": [{"w": 1}, {"w": 2}],
        "list": ["t", "fixed"],
        "deep": {"a": {"b": "t"}},
        "kind": "one",
        "when": 1000,
        "bad": None,
    }


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("$.a b", "a path such as"),
        ("{$..x}", "a path such as"),
        ({"from": "$.a", "format": "iso"}, "local, epoch"),
        ({"from": "$.a", "mapping": {}}, "format"),
        ({"from": "$.a", "map": 3}, "a table"),
    ],
)
def test_a_mapping_that_is_wrong_says_where(field: Any, says: str) -> None:
    with pytest.raises(Wrong, match=says) as caught:
        Shape("x", {"fields": {"f": field}}, ZONE)
    assert "x.fields.f" in str(caught.value)
