"""What the desk asks for: its queue in one answer, many acknowledged at once, facades, exports."""

from __future__ import annotations

import csv
import gzip
import io
import json
import posixpath
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from center.pages.desk import menu
from center.pages.desk.building import homography
from center.urgency import calls, overdue
from contracts.case import Command
from contracts.city import Camera, Zone
from contracts.clock import ManualClock, iso
from contracts.ports import Page, Query, What
from tests.unit.center.conftest import OPERATOR, REPORTER, TOKENS, VIEWER, Client, Serve
from tests.unit.center.scene import START, THROW, Scene


def ids(client: Client, **more: Any) -> list[str]:
    return [item["id"] for item in client.get("/api/v1/queue", **more).json["items"]]


def later(scene: Scene, seconds: float) -> None:
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    clock.advance_to(clock.now() + timedelta(seconds=seconds))


def test_the_queue_begins_with_what_is_late_then_goes_by_severity_and_clock(
    client: Client, scene: Scene
) -> None:
    scene.happen("flooding", severity=3)
    scene.happen("severed_cable", severity=5)
    scene.happen("fibre_break", severity=5, opened_s_ago=60)
    scene.happen("street_light_out", severity=2, opened_s_ago=3_600)
    assert ids(client) == ["t-4", "t-3", "t-2", "t-1"]


def test_a_screen_s_worth_comes_first_when_it_is_asked_for(client: Client, scene: Scene) -> None:
    for _ in range(5):
        scene.happen("flooding")
    whole = client.get("/api/v1/queue").json
    first = client.get("/api/v1/queue?first=2").json
    assert first["items"] == whole["items"][:2]
    assert client.get("/api/v1/queue?first=0").status == 400


def test_the_queue_is_small_and_packed_and_names_what_it_mentions(
    client: Client, scene: Scene
) -> None:
    scene.happen("flooding")
    reply = client.get("/api/v1/queue", headers={"Accept-Encoding": "gzip"})
    assert reply.headers["content-encoding"] == "gzip"
    queue = json.loads(gzip.decompress(reply.body))
    (item,) = queue["items"]
    assert {"id", "deadlines", "severity", "place", "timeline"} <= item.keys()
    assert "runners_up" not in item
    grids = queue["names"]["grids"]
    assert grids[item["grid"]][1] in grids, "a grid comes with all it lies in"
    assert queue["names"]["workers"][item["worker"]][0] == scene.city.workers[item["worker"]].name


def test_the_queue_follows_every_change_without_reading_all_anew(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        scene.happen("flooding")
    assert len(ids(client)) == 3
    read: list[What] = []
    page = scene.desk.page

    async def counted(what: What, query: Query) -> Page:
        read.append(what)
        return await page(what, query)

    monkeypatch.setattr(scene.desk, "page", counted)
    scene.desk.step("t-2", "closed", "center")
    scene.happen("severed_cable")
    assert set(ids(client)) == {"t-1", "t-3", "t-4"}
    assert "tickets" not in read


def test_the_queue_is_read_anew_when_changes_were_missed(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    assert ids(client) == ["t-1"]
    scene.desk.down = True
    assert client.get("/api/v1/queue").status in (200, 503)
    scene.desk.down = False
    scene.desk.step("t-1", "closed", "center")
    scene.happen("severed_cable")
    assert ids(client) == ["t-2"]


def test_without_sight_of_evidence_the_queue_names_no_window(scene: Scene, serve: Serve) -> None:
    scene.happen("high_altitude_throw", reason={"worker": {"text_en": "from F17-3", "text_zh": ""}})
    client = serve(tokens=TOKENS)
    assert b"F17-3" not in client.get("/api/v1/queue").body
    assert b"F17-3" in client.get("/api/v1/queue", token=VIEWER).body


def test_many_are_acknowledged_at_once_and_each_refusal_says_why(
    client: Client, scene: Scene
) -> None:
    for kind in ("flooding", "severed_cable", "fibre_break"):
        scene.happen(kind)
    scene.desk.step("t-3", "closed", "center")
    answer = client.post(
        "/api/v1/desk/acknowledge", {"tickets": ["t-1", "t-2", "t-3", "t-9"], "by": "chen"}
    )
    assert answer.status == 200
    assert sorted(answer.json["done"]) == ["t-1", "t-2"]
    refused = dict(answer.json["refused"])
    assert "已办结" in refused["t-3"] and "没有此工单" in refused["t-9"]
    filed = {(c.ticket, c.action, c.by) for c in scene.desk.commands}
    assert filed == {("t-1", "acknowledge", "chen"), ("t-2", "acknowledge", "chen")}


def test_an_acknowledgement_that_met_a_newer_revision_is_asked_for_again(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.happen("flooding")
    obey = scene.desk.file_command
    moved: list[bool] = []

    async def overtaken(command: Command, wait_s: float) -> Any:
        if not moved:
            moved.append(True)
            scene.desk.amend("t-1", severity=5)
        return await obey(command, wait_s)

    monkeypatch.setattr(scene.desk, "file_command", overtaken)
    answer = client.post("/api/v1/desk/acknowledge", {"tickets": ["t-1"]}).json
    assert answer["done"] == ["t-1"], answer


@pytest.mark.parametrize(
    "body", [{"tickets": []}, {"tickets": ["a b"]}, {"tickets": ["t-1"] * 501}, {"tickets": "t-1"}]
)
def test_a_wrong_list_is_refused_with_its_place(client: Client, body: dict[str, Any]) -> None:
    reply = client.post("/api/v1/desk/acknowledge", body)
    assert (reply.status, reply.json["path"]) == (400, "$.tickets")


def test_only_who_may_operate_acknowledges(scene: Scene, serve: Serve) -> None:
    scene.happen("flooding")
    client = serve(tokens=TOKENS)
    for token, status in ((None, 401), (VIEWER, 403), (OPERATOR, 200)):
        assert client.post(
            "/api/v1/desk/acknowledge", {"tickets": ["t-1"]}, token=token
        ).status == status  # fmt: skip


def test_names_are_given_for_what_is_asked(client: Client, scene: Scene) -> None:
    names = client.get("/api/v1/names?grids=g00,nowhere&workers=w-01,w-99").json
    assert names["grids"] == {
        "g00": ["第1网格", "c0"], "c0": ["桃园社区", "s1"], "s1": ["文晖街道", None],
    }  # fmt: skip
    assert list(names["workers"]) == ["w-01"]


def test_the_menu_and_the_panels_are_those_that_are_there(client: Client) -> None:
    menu = client.get("/api/v1/pages").json
    assert menu[0] == {"path": "/", "zh": "工作台", "en": "Desk"}
    assert not [page for page in menu if "{" in page["path"]]
    panels = {panel["name"]: panel for panel in client.get("/api/v1/desk/panels").json}
    assert {"head", "work", "evidence", "building", "timeline"} <= panels.keys()
    for panel in panels.values():
        for file in (panel["script"], panel["style"]):
            assert file is None or client.get(file).status == 200


def test_the_menu_names_no_page_that_would_refuse(serve: Serve) -> None:
    def paths(client: Client, token: str | None = None) -> set[str]:
        return {page["path"] for page in client.get("/api/v1/pages", token=token).json}

    client = serve(tokens=TOKENS)
    assert "/" not in paths(client, REPORTER) and "/" in paths(client, VIEWER)
    assert "/w" not in paths(client, OPERATOR), "it is for grid workers and would say so"
    assert paths(client) == {"/", "/wall"}, "with tokens only the case work is open to look at"


def test_a_facade_tells_windows_and_where_it_came_from_before(client: Client, scene: Scene) -> None:
    def thrown(zone: str, p: float) -> None:
        told = {**THROW, "origin": {"zone": zone, "floor": 1, "bay": 1, "p": p, "others": []}}
        scene.happen("high_altitude_throw", evidence=told)

    for zone, p in (("F17-3", 0.9), ("F17-3", 0.7), ("F16-1", 0.4)):
        thrown(zone, p)
    building = client.get("/api/v1/buildings/cam-1").json
    assert [zone["id"] for zone in building["zones"]][:2] == ["F16-1", "F16-2"]
    assert {zone: hot["count"] for zone, hot in building["hot"].items()} == {"F17-3": 2}
    assert building["hot"]["F17-3"]["before"] is not None
    assert client.get("/api/v1/buildings/cam-9").status == 404
    assert ("local", "buildings/cam-1") in scene.desk.accesses


def test_windows_are_found_in_the_picture_by_the_calibration() -> None:
    # A facade seen from below: parallels meet, so only a plane's full map will do.
    plane = ((48.0, -3.1, 300.0), (2.5, -40.0, 900.0), (0.002, 0.008, 1.0))

    def seen(u: float, v: float) -> tuple[float, float]:
        x, y, w = (a * u + b * v + c for a, b, c in plane)
        return x / w, y / w

    walls = [(0.0, 0.0), (12.0, 0.0), (12.0, 18.0), (0.0, 18.0), (6.0, 9.0)]
    camera = Camera(device="c", size=(960, 540), points=tuple((*seen(*w), *w) for w in walls))
    found = homography(camera)
    assert found is not None
    for u, v in ((3.0, 15.0), (11.0, 2.0)):
        x, y, w = (a * u + b * v + c for a, b, c in found)
        assert (x / w, y / w) == pytest.approx(seen(u, v), abs=1e-3)
    flat = msgspec.structs.replace(
        camera, points=tuple((p[0], p[1], 1.0, 1.0) for p in camera.points)
    )
    assert homography(flat) is None
    bent = msgspec.structs.replace(camera, distortion=(0.1, 0.0, 0.0, 0.0))
    assert homography(bent) is None
    assert homography(Camera(device="c", size=(1, 1), zones=(Zone(id="a", polygon=()),))) is None


def exported(client: Client, query: str) -> set[str]:
    path = f"/api/v1/tickets.csv?{quote(query, safe='=&,')}"
    body = client.get(path).body.decode("utf-8-sig")
    return {row["工单号 ticket"] for row in csv.DictReader(io.StringIO(body))}


def test_an_export_has_what_the_page_shows(client: Client, scene: Scene) -> None:
    scene.happen("flooding", severity=5, address="文晖路 88 号")
    scene.happen("severed_cable", severity=4)
    scene.happen("fibre_break", severity=2, opened_s_ago=7_200)
    scene.happen("street_light_out", severity=1)
    scene.desk.step("t-4", "closed", "center")
    assert exported(client, "severities=5,4") == {"t-1", "t-2"}
    assert exported(client, "severity=2&open=1") == {"t-1", "t-2", "t-3"}
    assert exported(client, "utility=gd") == {"t-2"}
    assert exported(client, "q=文晖路") == {"t-1"}
    assert exported(client, "q=电信 光缆") == {"t-3"}
    assert exported(client, "show=overdue") == {"t-3"}
    assert exported(client, "open=1&inside=s1") == {"t-1", "t-2", "t-3"}
    assert exported(client, "inside=c0&open=1") < {"t-1", "t-2", "t-3"}
    scene.desk.step("t-2", "accepted", "w-01")
    client.post("/api/v1/desk/acknowledge", {"tickets": ["t-1"], "by": "center"})
    assert exported(client, "show=unacknowledged") == {"t-3"}
    assert exported(client, "show=mine") >= {"t-1"}
    assert client.get("/api/v1/tickets.csv?show=none").status == 400
    assert client.get("/api/v1/tickets.csv?severities=9").status == 400


STEPS: dict[str, float] = {"detected": 0, "dispatched": 1}


def ticket(steps: dict[str, float], **more: Any) -> dict[str, Any]:
    """A ticket as the wire has it; steps in minutes after START."""
    timeline = [
        {"at": iso(START + timedelta(minutes=m)), "change": name, "by": "x"}
        for name, m in steps.items()
    ]
    return {
        "id": "t", "stage": "dispatched", "opened_at": iso(START), "timeline": timeline,
        "reason": {}, "deadlines": {"accept": iso(START + timedelta(minutes=5))}, **more,
    }  # fmt: skip


def known(at: float, until: float) -> dict[str, Any]:
    at_, until_ = (iso(START + timedelta(minutes=m)) for m in (at, until))
    return {"ladder": {"acknowledged": {"by": "center", "at": at_, "until": until_}}}


CASES: list[tuple[dict[str, Any], float, bool]] = [
    (ticket(STEPS), 2, True),
    (ticket({**STEPS, "accepted": 2}, stage="accepted"), 3, False),
    (ticket({**STEPS, "accepted": 2, "escalated": 9}, stage="accepted"), 10, True),
    (ticket({**STEPS, "accepted": 2, "returned": 4}, stage="returned"), 5, True),
    (ticket({**STEPS, "disposed": 5, "reworked": 8}, stage="reworked"), 9, True),
    (ticket(STEPS, reason=known(2, 32)), 10, False),
    (ticket(STEPS, reason=known(2, 32)), 33, True),
    (ticket({**STEPS, "escalated": 9}, reason=known(2, 32)), 10, True),
    (ticket(STEPS, stage="closed"), 2, False),
    (ticket(STEPS, parent="t-0"), 2, False),
    (ticket({**STEPS, "escalated": 9}, parent="t-0"), 10, True),
    (ticket({}), 2, True),
]
"""(ticket, minutes after START, whether its alarm sounds); the page is held to them too."""


@pytest.mark.parametrize(("told", "minute", "sounds"), CASES)
def test_what_calls_for_somebody(told: dict[str, Any], minute: float, sounds: bool) -> None:
    assert calls(told, START + timedelta(minutes=minute)) is sounds


def test_a_ticket_is_late_by_the_clock_of_its_stage() -> None:
    deadlines = {"accept": iso(START), "arrive": iso(START + timedelta(minutes=20)), "close": None}
    now = START + timedelta(minutes=10)
    assert overdue(ticket(STEPS, deadlines=deadlines), now)
    assert not overdue(ticket(STEPS, deadlines=deadlines, stage="accepted"), now)
    assert not overdue(ticket(STEPS, deadlines=deadlines, stage="closed"), now)


def test_the_page_asks_for_every_module_at_once() -> None:
    """A module that is only found inside another one costs a round trip more."""
    web = Path(menu.__file__).parent / "web"
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+\.js)"', (web / "page.html").read_text()))

    def file(url: str) -> Path:
        page, _, rest = url.removeprefix("/static/").partition("/")
        return web.parent.parent / page / "web" / rest

    def needed(url: str, seen: set[str]) -> set[str]:
        if url not in seen:
            seen.add(url)
            for other in re.findall(r"^import [^;]*?'([^']+)';", file(url).read_text(), re.M):
                needed(posixpath.normpath(posixpath.join(posixpath.dirname(url), other)), seen)
        return seen

    assert named == needed("/static/desk/app.js", set())
