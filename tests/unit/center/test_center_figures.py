"""Figures over HTTP: counted by the router's own table, over the scene and over a store."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from center.settings import CenterSettings
from contracts.clock import ManualClock, iso
from gridsentry.live.tally import TicketTally
from tests.unit.center.conftest import OPERATOR, REPORTER, TOKENS, Client
from tests.unit.center.scene import START, Scene

LATER = START + timedelta(hours=9)


@pytest.fixture
def shift(scene: Scene) -> Scene:
    """Two floodings, one of them closed in time; a severed cable that nobody takes. It is later
    than the time of each."""
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    first = scene.happen("flooding")
    scene.happen("flooding")
    scene.happen("severed_cable")
    for minutes, stage in enumerate(("accepted", "arrived", "disposed", "verified", "closed"), 1):
        clock.advance_to(START + timedelta(minutes=minutes))
        scene.desk.step(first, stage, "w-05")
    clock.advance_to(LATER)
    return scene


@pytest.fixture
def counting(shift: Scene) -> Iterator[Client]:
    settings = CenterSettings(port=0, tokens=TOKENS)
    server = shift.server(settings, tally=TicketTally)
    server.start()
    yield Client(server)
    server.stop(2.0)


def by_id(answer: Any) -> dict[str, dict[str, Any]]:
    return {item["id"]: item["figures"] for item in answer["items"]}


def test_utilities_are_told_with_the_most_punctual_first(counting: Client) -> None:
    answer = counting.get("/api/v1/figures?by=utility", token=OPERATOR).json
    assert [(item["id"], item["name"]) for item in answer["items"]] == [
        ("pw", "市政排水公司"),
        ("gd", "国网供电所"),
    ]
    figures = by_id(answer)
    assert (figures["pw"]["due"], figures["pw"]["on_time"]) == (2, 1)
    assert figures["pw"]["on_time_rate"] == 0.5
    assert figures["pw"]["first_response"] == {"n": 1, "mean": 60.0, "p50": 60.0, "p90": 60.0}
    assert figures["gd"]["on_time_rate"] == 0.0
    assert answer["total"]["due"] == 3
    assert answer["until"] == iso(LATER)


@pytest.mark.parametrize(
    ("by", "name"),
    [("kind", "道路积水"), ("grid", "第5网格"), ("worker", "杨伟"), ("district", "wenhui")],
)
def test_every_group_has_the_names_that_people_use(counting: Client, by: str, name: str) -> None:
    answer = counting.get(f"/api/v1/figures?by={by}", token=OPERATOR).json
    assert answer["by"] == by
    assert name in [item["name"] for item in answer["items"]]


def test_the_spreadsheet_says_the_same(counting: Client) -> None:
    reply = counting.get("/api/v1/figures.csv?by=kind", token=OPERATOR)
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.body.startswith("\ufeff".encode())
    head, *rows = csv.reader(io.StringIO(reply.body.decode("utf-8-sig")))
    table = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["kind"] for row in table] == ["flooding", "severed_cable", "合计 total"]
    assert [row["按期结案率 on_time_rate"] for row in table] == ["0.5", "0.0", "0.3333"]
    assert table[1]["平均响应(秒) first_response_s"] == ""


def test_a_period_leaves_out_what_is_not_of_it(counting: Client) -> None:
    before = f"since={iso(START - timedelta(days=2))}&until={iso(START - timedelta(days=1))}"
    answer = counting.get(f"/api/v1/figures?{before}".replace("+", "%2B"), token=OPERATOR).json
    assert answer["items"] == []
    assert (answer["total"]["reported"], answer["total"]["on_time_rate"]) == (0, None)


def test_a_wall_of_screens_is_one_count(counting: Client, shift: Scene) -> None:
    counting.get("/api/v1/figures?by=kind", token=OPERATOR)
    reads = shift.desk.reads
    counting.get("/api/v1/figures?by=grid", token=OPERATOR)
    counting.get("/api/v1/figures.csv?by=kind", token=OPERATOR)
    assert shift.desk.reads == reads


def test_who_may_not_see_evidence_sees_no_figures(counting: Client) -> None:
    assert counting.get("/api/v1/figures").status == 401
    assert counting.get("/api/v1/figures", token=REPORTER).status == 403


def test_figures_of_people_are_noted_in_the_log(counting: Client, shift: Scene) -> None:
    counting.get("/api/v1/figures?by=worker", token=OPERATOR)
    assert ("desk", "figures by worker") in shift.desk.accesses


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("by=street", "by"),
        ("since=yesterday", "since"),
        ("since=2026-07-14T00:00:00Z&until=2026-07-13T00:00:00Z", "since"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(counting: Client, query: str, path: str) -> None:
    reply = counting.get(f"/api/v1/figures?{query}", token=OPERATOR)
    assert (reply.status, reply.json["path"]) == (400, path)


def test_without_a_counter_the_center_says_so(client: Client) -> None:
    reply = client.get("/api/v1/figures")
    assert (reply.status, reply.json["error"]) == (503, "no_figures")


def test_a_page_is_not_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("center.counts.PAGE", 2)
    scene = Scene(tmp_path / "evidence")
    for _ in range(5):
        scene.happen("flooding")
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    clock.advance_to(LATER)
    server = scene.server(tally=TicketTally)
    server.start()
    try:
        assert Client(server).get("/api/v1/figures").json["total"]["reported"] == 5
    finally:
        server.stop(2.0)
