"""Analysis over HTTP: labels, alarm quality, hot spots, figures over time, ratings."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from center.pages.analysis.api import edges, usual_step, wilson
from center.settings import CenterSettings
from contracts.clock import ManualClock, iso
from gridsentry.live.tally import TicketTally
from router.figures import Case, figures, ratings, series
from tests.unit.center.conftest import OPERATOR, TOKENS, VIEWER, Client
from tests.unit.center.scene import START, Scene

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def asked(scene: Scene) -> Iterator[Client]:
    server = scene.server(CenterSettings(port=0, tokens=TOKENS), tally=TicketTally)
    server.start()
    yield Client(server)
    server.stop(2.0)


def label(client: Client, **body: Any) -> Any:
    reply = client.post("/api/v1/labels", body, token=OPERATOR)
    assert reply.status == 201, reply.json
    return reply.json["items"]


def test_a_false_alarm_is_kept_with_what_it_really_was_and_who_says_so(
    scene: Scene, asked: Client
) -> None:
    scene.happen("high_altitude_throw")
    (made,) = label(
        asked,
        verdict="false",
        event="e-high_altitude_throw-1",
        cause="bird",
        note="一只鸽子",
        by="王",
    )
    assert (made["kind"], made["device"], made["cause"]) == ("high_altitude_throw", "cam-1", "bird")
    assert (made["verdict"], made["by"], made["at"]) == ("false", "王", iso(START))
    listed = asked.get("/api/v1/labels", token=OPERATOR).json["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert ("desk", "label false bird: high_altitude_throw e-high_altitude_throw-1") in [
        entry[:2] for entry in scene.desk.accesses
    ]


def test_a_label_can_be_taken_back_once(scene: Scene, asked: Client) -> None:
    scene.happen("flooding")
    (made,) = label(asked, verdict="false", event="e-flooding-1", cause="splash")
    path = f"/api/v1/labels/{made['id']}"
    gone = asked.ask("DELETE", path + "?by=li", token=OPERATOR)
    assert (gone.status, gone.json["withdrawn_by"]) == (200, "li")
    assert asked.ask("DELETE", path, token=OPERATOR).status == 409
    assert asked.get("/api/v1/labels", token=OPERATOR).json["items"] == []
    assert len(asked.get("/api/v1/labels?all=1", token=OPERATOR).json["items"]) == 1


def test_a_ticket_is_judged_with_all_events_of_its_incident(scene: Scene, asked: Client) -> None:
    ticket = scene.happen("flooding")
    (made,) = label(asked, verdict="true", ticket=ticket)
    assert (made["event"], made["incident"], made["grid"]) == ("e-flooding-1", "i-1", "g10")


def test_what_was_missed_is_told_with_time_and_device(scene: Scene, asked: Client) -> None:
    (made,) = label(
        asked, verdict="missed", kind="flooding", device="lvl-4", at="2026-07-14T11:00:00Z",
        until="2026-07-14T11:20:00Z", note="水漫过路沿",
    )  # fmt: skip
    assert (made["event"], made["device"], made["grid"]) == (None, "lvl-4", "g10")
    assert (made["at"], made["until"]) == ("2026-07-14T11:00:00Z", "2026-07-14T11:20:00Z")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"verdict": "false", "event": "e-flooding-1", "cause": "bird"}, "$.cause"),
        ({"verdict": "false", "event": "e-flooding-1", "cause": "other"}, "$.note"),
        ({"verdict": "true", "event": "e-flooding-1", "cause": "splash"}, "$.cause"),
        ({"verdict": "true"}, "$.event"),
        ({"verdict": "true", "event": "e-flooding-1", "ticket": "t-1"}, "$.event"),
        ({"verdict": "missed", "kind": "flooding"}, "$.at"),
        ({"verdict": "missed", "kind": "flooding", "at": 0}, "$.device"),
        ({"verdict": "missed", "kind": "flooding", "at": 0, "device": "x"}, "$.device"),
        ({"verdict": "missed", "kind": "citizen_report", "at": 0, "device": "lvl-1"}, "$.kind"),
        (
            {"verdict": "missed", "kind": "flooding", "device": "lvl-1", "at": "2027-01-01T00:00Z"},
            "$.at",
        ),
        ({"verdict": "maybe", "event": "e-flooding-1"}, "$.verdict"),
    ],
)
def test_a_label_that_says_too_little_is_refused_by_name(
    scene: Scene, asked: Client, body: dict[str, Any], path: str
) -> None:
    scene.happen("flooding")
    reply = asked.post("/api/v1/labels", body, token=OPERATOR)
    assert (reply.status, reply.json["path"]) == (400, path), reply.json


def test_who_may_not_act_may_not_judge(scene: Scene, asked: Client) -> None:
    scene.happen("flooding")
    body = {"verdict": "true", "event": "e-flooding-1"}
    assert asked.post("/api/v1/labels", body, token=VIEWER).status == 403
    for path in ("labels", "labels.jsonl", "analysis/detectors", "analysis/spots"):
        assert asked.get(f"/api/v1/{path}", token=VIEWER).status == 403


def test_labels_leave_as_json_lines_the_oldest_first(scene: Scene, asked: Client) -> None:
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    for kind in ("flooding", "high_altitude_throw"):
        scene.happen(kind)
    label(asked, verdict="true", event="e-flooding-1")
    clock.advance_to(START + timedelta(minutes=1))
    label(asked, verdict="false", event="e-high_altitude_throw-2", cause="rain")
    reply = asked.get("/api/v1/labels.jsonl", token=OPERATOR)
    lines = [json.loads(line) for line in reply.body.splitlines()]
    assert [(one["event"], one["verdict"], one["cause"]) for one in lines] == [
        ("e-flooding-1", "true", ""),
        ("e-high_altitude_throw-2", "false", "rain"),
    ]


def test_precision_counts_what_was_judged_and_says_how_sure_it_is(
    scene: Scene, asked: Client
) -> None:
    tickets = [scene.happen("flooding") for _ in range(4)]
    for stage in ("accepted", "arrived", "disposed", "verified", "closed"):
        scene.desk.step(tickets[0], stage, "w-05")
    label(asked, verdict="true", event="e-flooding-2")
    label(asked, verdict="false", event="e-flooding-3", cause="washing")
    until = iso(scene.desk.clock.now() + timedelta(hours=1))
    told = asked.get(f"/api/v1/analysis/detectors?until={until}", token=OPERATOR).json
    (kind,) = told["items"]
    assert (kind["alarms"], kind["said_true"], kind["worked"], kind["said_false"]) == (4, 1, 1, 1)
    assert (kind["unjudged"], kind["precision"]) == (1, pytest.approx(2 / 3))
    assert kind["low"] == pytest.approx(0.2077, abs=1e-3)
    assert kind["high"] == pytest.approx(0.9385, abs=1e-3)
    assert [one["device"] for one in told["devices"]] == ["lvl-4"]
    sheet = asked.get(f"/api/v1/analysis/detectors.csv?until={until}", token=OPERATOR)
    rows = list(csv.reader(io.StringIO(sheet.body.decode("utf-8-sig"))))
    assert rows[1][:3] == ["flooding", "", "4"] and rows[2][:2] == ["flooding", "lvl-4"]


def test_the_window_that_is_thrown_from_again_is_called_by_floor_and_bay(
    scene: Scene, asked: Client
) -> None:
    tickets = [scene.happen("high_altitude_throw") for _ in range(3)]
    scene.happen("severed_cable")
    until = iso(scene.desk.clock.now() + timedelta(hours=1))
    told = asked.get(f"/api/v1/analysis/spots?until={until}", token=OPERATOR).json["items"]
    assert [(one["incidents"], one["spot"]) for one in told] == [(3, "cam-1/F17-3")]
    assert "17 层3 列" in told[0]["zh"] and "floor 17, bay 3" in told[0]["en"]
    assert told[0]["tickets"] == tickets[::-1]
    assert told[0]["grid_name"] == "第4网格"
    reply = asked.get("/api/v1/analysis/spots?kind=nonsense", token=OPERATOR)
    assert (reply.status, reply.json["path"]) == (400, "kind")


def test_figures_over_time_are_those_of_each_day_of_the_city(scene: Scene, asked: Client) -> None:
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    scene.happen("flooding")  # 20:00 in Shanghai
    clock.advance_to(START + timedelta(hours=5))  # past midnight there
    scene.happen("flooding")
    scene.happen("flooding")
    clock.advance_to(START + timedelta(hours=6))
    told = asked.get(
        "/api/v1/analysis/series?step=day&since=2026-07-12T16:00:00Z", token=OPERATOR
    ).json
    assert [one["figures"]["filed"] for one in told["items"]] == [0, 1, 2]
    assert [one["since"] for one in told["items"]] == [
        f"2026-07-{day}T16:00:00Z" for day in (12, 13, 14)
    ]
    reply = asked.get(
        "/api/v1/analysis/series?step=hour&since=2026-01-01T00:00:00Z", token=OPERATOR
    )
    assert (reply.status, reply.json["path"]) == (400, "step")


def test_periods_are_cut_at_the_citys_own_hours_days_weeks_and_months() -> None:
    since, until = datetime(2026, 7, 14, 3, 20, tzinfo=UTC), datetime(2026, 9, 2, 1, tzinfo=UTC)
    days = edges(since, until, "day", SHANGHAI)
    assert days[0] == since and days[-1] == until
    assert {(at.hour, at.minute) for at in days[1:-1]} == {(0, 0)} and len(days) == 52
    assert {at.weekday() for at in edges(since, until, "week", SHANGHAI)[1:-1]} == {0}
    months = edges(since, until, "month", SHANGHAI)[1:-1]
    assert [(at.month, at.day) for at in months] == [(8, 1), (9, 1)]
    # The day on which Berlin's clocks are put back has 25 hours.
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, tzinfo=berlin)
    hours = edges(first, first + timedelta(days=1), "hour", berlin)
    assert len(hours) - 1 == 25
    assert all((b.timestamp() - a.timestamp()) == 3600 for a, b in pairwise(hours))


@pytest.mark.parametrize(
    ("days", "step"), [(0.3, "hour"), (2, "hour"), (30, "day"), (200, "week"), (900, "month")]
)
def test_a_curve_has_as_many_points_as_an_eye_can_take(days: float, step: str) -> None:
    now = datetime(2026, 7, 14, tzinfo=UTC)
    assert usual_step(now - timedelta(days=days), now) == step


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_is_wilsons(hits: int, n: int, low: float, high: float) -> None:
    assert list(wilson(hits, n)) == pytest.approx([low, high], abs=2e-4)


def case(n: int, hours: float, **more: Any) -> Case:
    at = START + timedelta(hours=hours)
    return Case(
        id=f"t-{n}", kind="flooding", opened_at=at, close_due=at + timedelta(hours=8), **more
    )


def test_the_series_says_of_each_period_what_asking_for_it_alone_says() -> None:
    cases = [case(n, n * 5.5, closed_at=START + timedelta(hours=n * 7)) for n in range(30)]
    cuts = [START + timedelta(hours=24 * n) for n in range(8)]
    alone = [figures(cases, a, b) for a, b in pairwise(cuts)]
    assert series(cases, cuts) == alone
    assert sum(one.filed for one in alone) == len(cases)


def test_departments_are_rated_by_each_grid() -> None:
    cases = [
        case(1, 0, utility="pw", grid="g1", score=5.0, satisfaction=(4, 5)),
        case(2, 0, utility="pw", grid="g1", score=2.0),
        case(3, 0, utility="pw", grid="g2", score=4.0),
        case(4, 0, utility="gd", grid="g2"),
        case(5, 99, utility="gd", grid="g2", score=1.0),
    ]
    found = ratings(cases, START, START + timedelta(hours=1))
    assert [(one.utility, one.grid, one.n, one.score, one.satisfied) for one in found] == [
        ("pw", "g2", 1, 4.0, 1),
        ("pw", "g1", 2, 3.5, 1),
    ]
    assert found[1].satisfaction == 4.5


def test_ratings_are_told_with_names(scene: Scene, asked: Client) -> None:
    told = asked.get("/api/v1/analysis/ratings", token=OPERATOR)
    assert (told.status, told.json["items"]) == (200, [])
