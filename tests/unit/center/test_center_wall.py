"""The wall: its numbers from tickets at a glance, and nothing personal on it."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from center.board import ANEW_S, KEPT, Board, Glance, News, Stopped, glanced
from center.links import Signer
from center.metrics import Metrics
from center.pages.wall.api import Picture, _grid_names, build
from center.pages.wall.figures import RUNS, figures, marks, overdue, ticker
from center.privacy import Veil
from center.settings import Token
from center.tailer import Tailer
from contracts.city import Grid
from contracts.clock import iso
from contracts.errors import Temporary
from contracts.wire import ticket_glance
from router.stages import STANDING
from tests.unit.center.conftest import OPERATOR, TOKENS, VIEWER, Client
from tests.unit.center.scene import START, Scene, town

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
Serve = Callable[..., Client]


def glance(ident: str = "t-1", **more: Any) -> Glance:
    base: dict[str, Any] = {
        "id": ident, "rev": 1, "incident": f"i-{ident}", "kind": "flooding", "stage": "dispatched",
        "severity": 3, "opened_at": START - HOUR, "changed_at": START - HOUR, "lon": 120.15,
        "lat": 30.27, "grid": "g00",
    }  # fmt: skip
    return Glance(**{**base, **more})


def stopped(minutes_ago: float, on_time: bool = True) -> Stopped:
    return Stopped(START - timedelta(minutes=minutes_ago), None, on_time)


def test_the_clock_that_runs_is_the_loops_own() -> None:
    assert {stage: s.clock for stage, s in STANDING.items() if s.clock is not None} == RUNS


def test_open_tickets_are_counted_by_how_far_they_are() -> None:
    stages = ("dispatched", "returned", "accepted", "arrived", "reworked", "disposed", "closed")
    told = figures([glance(s, stage=s) for s in (*stages, "void")], START, ZONE)
    assert (told.open, told.waiting, told.onway, told.onsite) == (6, 2, 1, 2)
    assert told.opened_today == 7  # what was void never was a case


def test_overdue_is_whose_running_clock_has_run_out() -> None:
    late, soon = START - HOUR, START + HOUR
    assert overdue(glance(deadlines={"accept": late}), START)
    assert not overdue(glance(deadlines={"accept": soon, "arrive": late}), START)
    assert not overdue(glance(stage="suspended", deadlines={"accept": late}), START)
    assert not overdue(glance(deadlines={"accept": None}), START)
    told = figures([glance(deadlines={"accept": late})], START, ZONE)
    assert told.overdue == 1


def test_a_gauge_counts_what_was_missed_and_is_still_not_done() -> None:
    tickets = [
        glance("a", stage="accepted", clocks={"accept": stopped(30)}),
        glance("b", stage="accepted", clocks={"accept": stopped(30, on_time=False)}),
        glance("c", stage="accepted", clocks={"accept": stopped(60 * 25, on_time=False)}),
        glance("d", deadlines={"accept": START - HOUR}),
        glance("e", deadlines={"accept": START + HOUR}),
    ]
    accept, arrive, *_ = figures(tickets, START, ZONE).gauges
    assert (accept.clock, accept.kept, accept.missed) == ("accept", 1, 2)
    assert accept.share == pytest.approx(1 / 3)
    assert arrive.share is None


def test_today_begins_at_midnight_in_the_city() -> None:
    # START is 20:00 in Shanghai: the day is 20 h old there, 12 h by UTC.
    tickets = [
        glance("a", stage="closed", clocks={"close": stopped(60 * 19)}),
        glance("b", stage="closed", clocks={"close": stopped(60 * 21)}),
        glance("c", stage="evaluated", clocks={"close": stopped(10, on_time=False)}),
        glance("d", stage="disposed", deadlines={"close": START - HOUR}),
    ]
    told = figures(tickets, START, ZONE)
    assert told.closed_today == 2
    assert told.on_time == pytest.approx(1 / 3)
    assert figures([], START, ZONE).on_time is None


def test_the_last_24_hours_are_counted_by_the_hour() -> None:
    tickets = [
        glance("a", opened_at=START - timedelta(minutes=0)),
        glance("b", opened_at=START - timedelta(hours=23)),
        glance("c", opened_at=START - timedelta(hours=25), stage="closed",
               clocks={"close": stopped(61)}),
    ]  # fmt: skip
    told = figures(tickets, START, ZONE)
    assert (told.opened[23], told.opened[0], sum(told.opened)) == (1, 1, 2)
    assert told.closed == [0] * 21 + [1, 0, 0]
    assert told.hours[23] == iso(START)


def test_each_incident_has_one_mark_the_gravest_first() -> None:
    tickets = [
        glance("a", incident="i-1", severity=2),
        glance("b", incident="i-1", severity=5, parent="a"),
        glance("c", incident="i-2", severity=4),
        glance("d", incident="i-3", severity=5, stage="closed"),
    ]
    assert [mark[0] for mark in marks(tickets, START)] == ["c", "a"]


def test_the_ticker_tells_the_newest_step_of_each_ticket() -> None:
    news = [
        News(1, START, "dispatched", glance("a")),
        News(2, START + HOUR, "accepted", glance("a", stage="accepted")),
        News(3, START + 2 * HOUR, "updated", glance("b")),
        News(4, START, "dispatched", glance("c", parent="a")),
    ]
    (told,) = ticker(news, {"g00": "桃园社区 第1网格"})
    assert (told["state"], told["place"]) == ("accepted", "桃园社区 第1网格")


# --- the board ----------------------------------------------------------------------------------


def board_of(scene: Scene, rows: int = 100) -> Board:
    signer = Signer("a-secret-of-sixteen-letters", 60, scene.desk.clock)
    metrics, veil = Metrics(CollectorRegistry()), Veil(scene.city)
    tailer = Tailer(
        scene.desk, signer=signer, veil=veil, metrics=metrics, clock=scene.desk.clock, rows=rows
    )
    return Board(scene.desk, tailer, scene.desk.clock)


def test_the_board_reads_once_and_then_follows_the_stream(scene: Scene) -> None:
    async def story() -> None:
        first = scene.happen("flooding")
        board = await board_of(scene).current()
        assert set(board.tickets) == {first}
        second = scene.happen("severed_cable")
        scene.desk.step(first, "accepted", "w-01")
        await board.current()
        assert {t.id: t.stage for t in board.tickets.values()} == {
            first: "accepted", second: "dispatched",
        }  # fmt: skip
        assert [n.change for n in board.news][-2:] == ["dispatched", "accepted"]
        before = board.version
        await board.current()
        assert board.version == before

    asyncio.run(story())


def test_a_board_that_missed_rows_for_good_reads_anew(scene: Scene) -> None:
    async def story() -> None:
        ticket = scene.happen("flooding")
        board = await board_of(scene).current()
        scene.desk.step(ticket, "accepted", "w-01")
        scene.desk.step(ticket, "arrived", "w-01")
        scene.desk.forget(len(scene.desk.rows) - 1)
        assert (await board.current()).tickets[ticket].stage == "arrived"

    asyncio.run(story())


def test_what_ended_long_ago_leaves_the_board(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        ticket = scene.happen("flooding")
        scene.desk.step(ticket, "closed", "desk")
        board = await board_of(scene).current()
        assert ticket in board.tickets
        scene.desk.clock.advance_to(START + KEPT + HOUR)  # type: ignore[union-attr]
        passed = board._read_at + ANEW_S + 1
        monkeypatch.setattr("center.board.monotonic", lambda: passed)
        assert ticket not in (await board.current()).tickets

    asyncio.run(story())


def test_a_desk_that_is_away_is_said_and_taken_up_again(scene: Scene) -> None:
    async def story() -> None:
        board = board_of(scene)
        scene.desk.down = True
        with pytest.raises(Temporary):
            await board.current()
        scene.desk.down = False
        ticket = scene.happen("flooding")
        assert ticket in (await board.current()).tickets

    asyncio.run(story())


def test_a_ticket_of_another_shape_is_left_out_and_the_rest_goes_on(scene: Scene) -> None:
    ticket = scene.happen("flooding")
    good = ticket_glance(scene.desk.things["tickets"][ticket])
    assert glanced(good) is not None
    assert glanced({**good, "severity": "grave"}) is None


# --- over HTTP ----------------------------------------------------------------------------------


def test_the_wall_is_told_everything_at_once(scene: Scene, serve: Serve) -> None:
    scene.happen("flooding", severity=5)
    told = serve().get("/api/v1/wall").json
    assert told["figures"]["open"] == 1
    assert told["marks"][0][1:3] == ["flooding", 5]
    assert told["ticker"][0]["place"] == "流水社区 第5网格"
    assert told["kinds"]["flooding"] == ["道路积水", "Flooding"]
    assert told["build"] == build()


def test_nobody_is_named_on_the_wall(scene: Scene, serve: Serve) -> None:
    ticket = scene.happen(
        "citizen_report", address="3幢1单元502",
        evidence={"text": "我是张三 13800138000", "reporter": "13800138000", "kind": None},
    )  # fmt: skip
    scene.happen("high_altitude_throw")
    scene.desk.step(ticket, "accepted", "w-05", note="张三 13800138000")
    client = serve(tokens=TOKENS)
    said = client.get("/api/v1/wall", token=VIEWER).body.decode()
    said += first_frame(client, VIEWER)
    names = [w.name for w in scene.city.workers.values()] + list(scene.city.workers)
    hidden = ["13800138000", "张三", "502", "F17-3", "cam-1", *names]
    assert not [word for word in hidden if word in said]


def test_a_viewer_may_look_and_a_reporter_may_not(scene: Scene, serve: Serve) -> None:
    client = serve(tokens=TOKENS)
    assert client.get("/api/v1/wall", token=VIEWER).status == 200
    assert client.get("/api/v1/wall", token=OPERATOR).status == 200
    assert client.get("/wall").status == 200  # the page itself holds nothing


def test_a_screen_of_one_community_shows_that_one(scene: Scene, serve: Serve) -> None:
    scene.happen("flooding")  # 流水社区
    scene.happen("fibre_break")  # 打铁关社区
    token = Token(token="viewer-token-000002", name="c1", role="viewer", grids=("c1",))
    told = serve(tokens=(token,)).get("/api/v1/wall", token=token.token).json
    assert told["figures"]["open"] == 1
    assert [mark[1] for mark in told["marks"]] == ["flooding"]
    assert [one["kind"] for one in told["ticker"]] == ["flooding"]


def test_the_stream_tells_the_whole_and_then_what_changed(scene: Scene, serve: Serve) -> None:
    first = scene.happen("flooding")
    client = serve()
    stream = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=10)
    stream.request("GET", "/api/v1/wall/stream")
    answer = stream.getresponse()
    told = frame(answer)
    assert told["whole"]
    assert [m[0] for m in told["marks"]] == [first]
    second = scene.happen("severed_cable")
    told = frame(answer)
    while not told["marks"]:  # one that was already on its way
        told = frame(answer)
    assert [m[0] for m in told["marks"]] == [second]
    scene.desk.step(first, "closed", "desk")
    while not told["gone"]:
        told = frame(answer)
    assert told["gone"] == [first]
    stream.close()


def frame(answer: http.client.HTTPResponse) -> dict[str, Any]:
    data = b""
    while not data.startswith(b"data: "):
        data = answer.readline()
        assert data, "the stream ended"
    told: dict[str, Any] = json.loads(data[6:])
    return told


def first_frame(client: Client, token: str) -> str:
    stream = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=10)
    stream.request("GET", "/api/v1/wall/stream", headers={"Authorization": f"Bearer {token}"})
    text = json.dumps(frame(stream.getresponse()), ensure_ascii=False)
    stream.close()
    return text


def test_a_picture_holds_nothing_but_what_its_type_says() -> None:
    fields = {f.name for f in msgspec.structs.fields(Picture)}
    assert fields == {"now", "build", "figures", "ticker", "marks", "gone"}


def test_a_grid_is_named_with_its_community_and_nothing_twice() -> None:
    ring = (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)),)

    def grid(ident: str, name: str, level: str, parent: str | None) -> Grid:
        return Grid(id=ident, name=name, level=level, parent=parent, rings=(ring,))

    city = msgspec.structs.replace(
        town(),
        grids=(
            grid("s", "清溪街道", "street", None),
            grid("c", "江滨社区", "community", "s"),
            grid("g", "江滨社区第三网格", "grid", "c"),
            grid("m", "江滨社区第三网格四微网格（老粮站）", "microgrid", "g"),
            grid("x", "独立片区", "grid", None),
        ),
    )
    assert _grid_names(city) == {
        "s": "清溪街道", "c": "江滨社区", "g": "江滨社区 第三网格",
        "m": "江滨社区 四微网格（老粮站）", "x": "独立片区",
    }  # fmt: skip
