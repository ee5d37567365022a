"""A worker's phone asks: its own tickets only, each step once, and nothing without consent."""

from __future__ import annotations

import http.client
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from center.pages.worker.act import command_id
from center.pages.worker.place import CONSENT
from center.pages.worker.shell import MARK, kept
from center.settings import Token
from contracts.case import AS_IT_STANDS, Answer, Command, Hand
from contracts.clock import ManualClock, iso
from contracts.geo import Point, distance_m, gcj02_to_wgs84
from tests.unit.center.conftest import OPERATOR, TOKENS, Client, Reply, Serve
from tests.unit.center.scene import START, Scene, draw_still

ME = "w-05"
OTHER = "w-06"
MINE, THEIRS = "worker-token-w-05-x", "worker-token-w-06-x"
WORKERS = (
    *TOKENS,
    Token(token=MINE, name="yang", role="worker", worker=ME),
    Token(token=THEIRS, name="zhao", role="worker", worker=OTHER),
    Token(token="worker-token-nobody", name="gone", role="worker", worker="w-99"),
)


@pytest.fixture
def client(serve: Serve) -> Client:
    """A center with tokens, two of them of workers."""
    return serve(tokens=WORKERS)


def act(
    client: Client,
    ticket: str,
    action: str,
    key: str = "key-00000001",
    *,
    token: str = MINE,
    ago_s: float = 0,
    **more: Any,
) -> Reply:
    sent = START + timedelta(hours=3, minutes=7)  # a phone's clock that is off
    body = {"action": action, "done_at": iso(sent - timedelta(seconds=ago_s)), "sent_at": iso(sent)}
    return client.post(
        f"/api/v1/me/tickets/{ticket}/actions",
        body | more,
        token=token,
        headers={"Idempotency-Key": key},
    )


def mine(client: Client, token: str = MINE) -> Any:
    reply = client.get("/api/v1/me/tickets", token=token)
    assert reply.status == 200, reply.body
    return reply.json


def test_the_list_is_mine_and_sorted_by_what_it_wants_of_me(client: Client, scene: Scene) -> None:
    offered = scene.happen("flooding", worker=ME)
    working = scene.happen("flooding", worker=ME)
    scene.desk.step(working, "accepted", ME)
    help_ = scene.happen("severed_cable", worker="w-02")
    asked = Hand(ME, "requested", scene.desk.clock.now(), "router")
    scene.desk.amend(help_, helpers=(ME,), hands=(asked,))
    done = scene.happen("flooding", worker=ME)
    scene.desk.step(done, "closed", "center")
    scene.happen("flooding", worker=OTHER)
    shown = mine(client)
    assert sorted(c["id"] for c in shown["asked"]) == sorted([offered, help_])
    assert [c["id"] for c in shown["working"]] == [working]
    assert [c["id"] for c in shown["done"]] == [done]
    assert shown["me"]["id"] == ME
    by_id = {c["id"]: c for c in shown["asked"]}
    assert by_id[offered]["clock"]["name"] == "accept"
    assert {"accept", "return", "note"} <= {a["action"] for a in by_id[offered]["actions"]}
    assert {"accept_help", "refuse_help"} <= {a["action"] for a in by_id[help_]["actions"]}
    assert not {"accept", "return", "void"} & {a["action"] for a in by_id[help_]["actions"]}


def test_chinese_maps_are_given_their_own_coordinates(client: Client, scene: Scene) -> None:
    scene.happen("flooding", worker=ME)
    card = mine(client)["asked"][0]
    drawn = Point(card["way"]["gcj02_lon"], card["way"]["gcj02_lat"])
    here = Point(card["place"]["lon"], card["place"]["lat"])
    assert 300 < distance_m(drawn, here) < 700
    assert distance_m(gcj02_to_wgs84(drawn), here) < 0.5


@pytest.mark.parametrize("path", ["/api/v1/me/tickets/{}", "/api/v1/me/tickets/{}/actions"])
def test_a_ticket_of_somebody_else_is_not_there(client: Client, scene: Scene, path: str) -> None:
    ticket = scene.happen("flooding", worker=OTHER)
    for id_ in (ticket, "t-none", "..%2f"):
        if path.endswith("actions"):
            reply = act(client, id_, "accept")
        else:
            reply = client.get(path.format(id_), token=MINE)
        assert (reply.status, reply.json["error"]) in ((404, "not_yours"), (404, "not_found"))
    assert scene.desk.commands == []
    assert client.get(path.format(ticket).removesuffix("/actions"), token=THEIRS).status == 200


def test_whoever_is_no_worker_has_no_tickets(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding", worker=ME)
    for token in (OPERATOR, "worker-token-nobody"):
        assert client.get("/api/v1/me/tickets", token=token).status == 403
        assert act(client, ticket, "accept", token=token).status == 403
    assert client.get("/api/v1/me/tickets").status == 401
    # Acting as somebody is for demonstrations only.
    assert client.get(f"/api/v1/me/tickets?worker={ME}", token=OPERATOR).status == 403
    assert [t["id"] for t in mine(client, THEIRS)["asked"]] == []
    assert client.get(f"/api/v1/me/tickets?worker={ME}", token=THEIRS).json["me"]["id"] == OTHER
    assert client.get("/api/v1/me/choices").status == 403


def test_an_open_center_lets_one_choose_whom_to_act_as(serve: Serve, scene: Scene) -> None:
    client = serve()
    scene.happen("flooding", worker=ME)
    assert client.get("/api/v1/me/tickets").json["choose"] is True
    assert ME in [w["id"] for w in client.get("/api/v1/me/choices").json["items"]]
    shown = client.get(f"/api/v1/me/tickets?worker={ME}").json
    assert (shown["me"]["id"], len(shown["asked"])) == (ME, 1)


def test_a_step_sent_again_is_done_once(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding", worker=ME)
    replies = [act(client, ticket, "accept") for _ in range(3)]
    assert {r.status for r in replies} == {200}
    assert replies[-1].json["stage"] == "accepted"
    assert [c.action for c in scene.desk.commands] == ["accept"]
    command = scene.desk.commands[0]
    assert (command.by, command.rev, command.data) == (ME, AS_IT_STANDS, None)
    # The same key of another worker is another deed.
    assert command_id(ME, "key-00000001") != command_id(OTHER, "key-00000001")
    assert act(client, ticket, "arrive", "key-00000002").json["stage"] == "arrived"


@pytest.mark.parametrize("key", ["", "short", "with space in it", "x" * 65, '"quoted-but-open'])
def test_a_step_needs_a_key(client: Client, scene: Scene, key: str) -> None:
    ticket = scene.happen("flooding", worker=ME)
    assert act(client, ticket, "accept", key).json["error"] == "no_key"
    assert scene.desk.commands == []


def test_a_step_without_an_answer_is_heard_of_later(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding", worker=ME)
    scene.desk.silent = True
    waiting = act(client, ticket, "accept")
    assert (waiting.status, waiting.json["command"]) == (202, command_id(ME, "key-00000001"))


def test_what_was_done_without_network_says_when(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding", worker=ME)
    scene.desk.step(ticket, "accepted", ME)
    scene.desk.step(ticket, "arrived", ME)
    reply = act(client, ticket, "dispose", ago_s=38 * 60, note="井盖已复位")
    assert reply.json["stage"] == "disposed"
    command = scene.desk.commands[-1]
    # By our clock, whatever the phone's says: the town's time is UTC+8.
    assert (command.data or {})["done_at"] == iso(START - timedelta(minutes=38))
    assert command.note == (
        "井盖已复位 (done without network at 19:22, sent at 20:00)"
        " / 井盖已复位（19:22 离线办理，20:00 补传）"
    )
    assert command.at == START


def test_what_comes_too_late_is_refused_with_the_reason_and_noted(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = scene.happen("flooding", worker=ME)
    scene.desk.step(ticket, "accepted", ME)
    scene.desk.amend(ticket, "dispatched", stage="dispatched", worker=OTHER)  # sent to another
    why = f"the ticket is not {ME}'s: it is with {OTHER} / 该工单由 {OTHER} 承办"
    obey = scene.desk.file_command

    async def strict(command: Command, wait_s: float) -> Answer | None:
        if command.by == ME and command.action != "note":
            scene.desk.commands.append(command)
            return Answer(command.id, False, why, 9)
        return await obey(command, wait_s)

    monkeypatch.setattr(scene.desk, "file_command", strict)
    assert mine(client)["asked"] == mine(client)["working"] == []
    reference = "photos/ab/" + "ab" * 32 + ".jpg"
    photos = [{"name": "after", "ref": reference}]
    for _ in range(2):
        reply = act(client, ticket, "dispose", ago_s=600, note="已疏通", photos=photos)
        assert (reply.status, reply.json["reason"]) == (409, why)
        assert reply.json["noted"] is True
    notes = [c for c in scene.desk.commands if c.action == "note"]
    assert len(notes) == 1
    assert (notes[0].data or {})["photos"] == photos
    assert "19:50" in (notes[0].note or "")
    assert "已疏通" in (notes[0].note or "")
    # Done in front of the screen, the worker reads it there: nothing for the office to read.
    assert act(client, ticket, "dispose", "key-00000009").json["noted"] is False
    assert len([c for c in scene.desk.commands if c.action == "note"]) == 1


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"action": "void"}, "$.action"),
        ({"action": "accept", "note": "\x00"}, "$.note"),
        ({"action": "accept", "done_at": "today"}, "$.done_at"),
        ({"action": "accept", "photos": [{"name": "after", "ref": "../x"}]}, "$.photos"),
        ({"action": "accept", "data": {"photos": []}}, "$.data"),
        ({"action": "accept", "by": OTHER}, "$"),
        ({"action": "accept", "rev": 1}, "$"),
    ],
)
def test_what_is_not_a_workers_to_say_is_refused(
    client: Client, scene: Scene, more: dict[str, Any], path: str
) -> None:
    ticket = scene.happen("flooding", worker=ME)
    body = {"done_at": iso(START), "sent_at": iso(START)} | more
    reply = client.post(
        f"/api/v1/me/tickets/{ticket}/actions", body, token=MINE,
        headers={"Idempotency-Key": "key-00000001"},
    )  # fmt: skip
    assert (reply.status, reply.json["path"]) == (400, path)
    assert scene.desk.commands == []


def test_a_photograph_is_kept_once_and_only_of_my_ticket(
    client: Client, scene: Scene, tmp_path: Path
) -> None:
    ticket, other = scene.happen("flooding", worker=ME), scene.happen("flooding", worker=OTHER)
    draw_still(tmp_path / "p.jpg")
    picture = (tmp_path / "p.jpg").read_bytes()

    def send(id_: str) -> Reply:
        return client.ask(
            "POST", f"/api/v1/me/tickets/{id_}/photos?name=after", picture, token=MINE,
            headers={"Content-Type": "image/jpeg"},
        )  # fmt: skip

    first, second = send(ticket), send(ticket)
    assert (first.status, first.json["ref"]) == (201, second.json["ref"])
    assert len(list((scene.evidence / "photos").rglob("*.jpg"))) == 1
    assert send(other).status == 404


def test_the_sheet_shows_the_blurred_still_and_notes_the_look(client: Client, scene: Scene) -> None:
    draw_still(scene.evidence / "cam-1" / "throw.jpg")
    ticket = scene.happen("high_altitude_throw", worker=ME)
    shown = client.get(f"/api/v1/me/tickets/{ticket}", token=MINE).json
    link = shown["saw"]["media"][0]["still"]
    assert client.get(link).status == 200
    assert "F17-3" not in json.dumps(shown)  # the window is not for a phone in the street
    assert (f"yang ({ME})", f"tickets/{ticket}") in scene.desk.accesses
    assert shown["saw"]["text_zh"]


def test_a_position_needs_consent_and_comes_as_if_by_mqtt(client: Client, scene: Scene) -> None:
    body = {"ts": iso(START), "lon": 120.1512, "lat": 30.2711, "accuracy_m": 8.0}
    refused = client.post("/api/v1/me/position", body | {"consent": "2020-01"}, token=MINE)
    assert (refused.status, refused.json["error"]) == (403, "consent_needed")
    assert scene.desk.reports == []
    yes, no = ({"share": share, "version": CONSENT} for share in ("job", "off"))
    for _ in range(2):  # a phone that was cut off before our answer says it again
        assert client.post("/api/v1/me/consent", yes, token=MINE).status == 200
    taken = client.post("/api/v1/me/position", body | {"consent": CONSENT}, token=MINE)
    assert taken.status == 202
    (topic, payload), *more = scene.desk.reports
    assert topic == f"gridsentry/v1/worker/{ME}/position"
    assert json.loads(payload) == body
    assert not more
    for said in (no, yes):
        client.post("/api/v1/me/consent", said, token=MINE)
    noted = [entry for entry in scene.desk.accesses if entry[1] == f"workers/{ME}/position"]
    words = [entry[2].removeprefix(f"consent {CONSENT}: ") for entry in noted]
    assert words == ["job", "off", "job"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"lon": 181.0}, "bad_value"),
        ({"accuracy_m": -1.0}, "bad_value"),
        ({"ts": iso(START - timedelta(minutes=11))}, "too_old"),
        ({"worker": OTHER}, "bad_body"),
    ],
)
def test_a_bad_position_is_refused(
    client: Client, scene: Scene, more: dict[str, Any], code: str
) -> None:
    body = {"ts": iso(START), "lon": 120.0, "lat": 30.0, "consent": CONSENT} | more
    reply = client.post("/api/v1/me/position", body, token=MINE)
    assert (reply.status, reply.json["error"]) == (400, code)
    assert scene.desk.reports == []


def test_positions_come_so_often_and_no_oftener(client: Client, scene: Scene) -> None:
    body = {"ts": iso(START), "lon": 120.0, "lat": 30.0, "consent": CONSENT}
    found = [client.post("/api/v1/me/position", body, token=MINE).status for _ in range(6)]
    assert found == [202, 202, 202, 429, 429, 429]
    assert client.post("/api/v1/me/position", body, token=THEIRS).status == 202


def test_nearby_shows_where_and_not_who(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding", worker=OTHER, reason={"text_zh": "王某某上报"})
    grid = scene.city.workers[ME].grid
    scene.desk.amend(ticket, "returned", stage="returned", worker=None, grid=grid)
    shown = mine(client)["nearby"]
    assert [n["id"] for n in shown] == [ticket]
    assert "王某某" not in json.dumps(shown, ensure_ascii=False)


def test_the_phone_hears_of_its_own_tickets_only(client: Client, scene: Scene) -> None:
    kept = scene.happen("flooding", worker=ME)
    stream = listening(client, MINE)
    assert stream.next()["event"] == "hello"
    scene.happen("flooding", worker=OTHER)
    fresh = scene.happen("severed_cable", worker=ME)
    scene.desk.amend(kept, "dispatched", worker=OTHER)
    scene.desk.amend(kept, "accepted", worker=OTHER, stage="accepted")
    scene.desk.step(fresh, "accepted", ME)
    told = [stream.next()["data"] for _ in range(3)]
    assert [(t["id"], t["mine"], t["new"]) for t in told] == [
        (fresh, True, True), (kept, False, False), (fresh, True, False),
    ]  # fmt: skip
    assert "place" not in told[0]
    stream.close()


class listening:
    """An open `/api/v1/me/stream`."""

    def __init__(self, client: Client, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=10)
        self._connection.request(
            "GET", "/api/v1/me/stream", headers={"Authorization": f"Bearer {token}"}
        )
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200

    def next(self) -> dict[str, Any]:
        name = ""
        while True:
            line = self._answer.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                return {"event": name, "data": json.loads(line[6:])}

    def close(self) -> None:
        self._connection.close()


def test_only_this_page_may_ask_where_the_phone_is(client: Client) -> None:
    assert "geolocation=(self)" in client.get("/w").headers["permissions-policy"]
    for path in ("/", "/w/sw.js", "/api/v1/me/choices"):
        assert "geolocation=()" in client.get(path).headers["permissions-policy"]


def test_the_shells_version_follows_from_its_files(client: Client) -> None:
    reply = client.get("/w/sw.js")
    text = reply.body.decode()
    assert reply.headers["service-worker-allowed"] == "/w"
    assert MARK not in text
    for path in kept():
        assert json.dumps(path) in text
        assert client.get(path).status == 200
    assert client.get("/w/sw.js", headers={"If-None-Match": reply.headers["etag"]}).status == 304


def test_the_town_stands_still(scene: Scene) -> None:
    """What these tests say of times rests on it."""
    assert isinstance(scene.desk.clock, ManualClock)
