"""What a part of the city means for the stream, silences, counts and late answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from center.accounts.lands import Lands
from center.accounts.scope import Scope, facts_of
from center.settings import Token
from contracts.clock import iso
from contracts.geo import Point
from tests.unit.center.conftest import Client, Serve
from tests.unit.center.scene import LAT, LON, START, STEP, Scene, town

NORTH = Token(token="north-token-000001", name="north", role="operator", grids=("c0",))
WORKER = Token(token="worker-token-00001", name="w5", role="worker", worker="w-05")
UTILITY = Token(token="utility-token-0001", name="gd", role="utility", utility="gd")
TRUSTED = Token(token="utility-token-0002", name="cg", role="utility", utility="cg")
DESK = Token(token="desk-token-0000001", name="desk", role="operator")
TOKENS = (NORTH, WORKER, UTILITY, TRUSTED, DESK)


@pytest.fixture
def client(serve: Serve) -> Client:
    return serve(tokens=TOKENS, stream_heartbeat_s=0.3)


class Stream:
    """Reads Server-Sent Events."""

    def __init__(self, client: Client, token: str, cookie: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=5)
        headers = {"Cookie": cookie} if cookie else {"Authorization": f"Bearer {token}"}
        self.connection.request("GET", "/api/v1/stream", headers=headers)
        self.answer = self.connection.getresponse()

    def events(self) -> Iterator[tuple[str, Any]]:
        """Name and data of each; ends when the center hangs up."""
        name = ""
        for line in iter(self.answer.readline, b""):
            text = line.decode().rstrip("\n")
            if text.startswith("event: "):
                name = text[7:]
            elif text.startswith("data: "):
                yield name, json.loads(text[6:])

    def close(self) -> None:
        """Hang up."""
        self.answer.close()
        self.connection.close()

    def until(self, name: str, subject: str) -> list[tuple[str, str]]:
        """Names and subjects up to this one."""
        found = []
        for got, data in self.events():
            if got != "hello":
                found.append((got, str(data.get("subject"))))
            if (got, data.get("subject")) == (name, subject):
                return found
        raise AssertionError(found)


def test_a_part_hears_of_its_own_only(client: Client, scene: Scene) -> None:
    with closing(Stream(client, NORTH.token)) as stream:
        scene.happen("severed_cable")  # c1
        scene.happen("high_altitude_throw")  # c0
        found = stream.until("ticket", "t-2")
    assert found == [("event", "e-high_altitude_throw-2"), ("incident", "i-2"), ("ticket", "t-2")]


def test_a_worker_hears_that_a_ticket_went_to_somebody_else(client: Client, scene: Scene) -> None:
    scene.happen("flooding", worker="w-05")
    with closing(Stream(client, WORKER.token)) as stream:
        scene.desk.amend("t-1", worker="w-06")
        scene.happen("flooding", worker="w-07")
        scene.happen("flooding", worker="w-05")
        assert stream.until("ticket", "t-3") == [("gone", "t-1"), ("ticket", "t-3")]
    assert client.get("/api/v1/tickets/t-1", token=WORKER.token).status == 404


def test_a_helper_and_who_is_asked_to_step_in_see_the_ticket(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    scene.desk.amend("t-1", worker="w-07", helpers=("w-05",))
    assert client.get("/api/v1/tickets/t-1", token=WORKER.token).status == 200
    reason = {"ladder": {"neighbour": "w-05"}}
    scene.desk.amend("t-1", helpers=(), reason=reason)
    assert client.get("/api/v1/tickets/t-1", token=WORKER.token).status == 200
    scene.desk.amend("t-1", reason={})
    assert client.get("/api/v1/tickets/t-1", token=WORKER.token).status == 404


def test_a_utility_sees_windows_only_where_the_city_trusts_it(client: Client, scene: Scene) -> None:
    for utility, token, shown in (("gd", UTILITY, False), ("cg", TRUSTED, True)):
        ticket = scene.happen("high_altitude_throw", utility=utility)
        found = client.get(f"/api/v1/tickets/{ticket}", token=token.token).json
        event = found["events"][0]
        assert (event["evidence"]["origin"] is not None) == shown
        assert ("links" in event and event["links"] is not None) == shown


def test_a_worker_acts_on_their_own_in_their_own_name(client: Client, scene: Scene) -> None:
    mine, other = scene.happen("flooding", worker="w-05"), scene.happen("flooding", worker="w-06")
    body = {"action": "accept", "rev": 1}
    path = "/api/v1/tickets/{}/actions".format
    reply = client.post(path(mine), {**body, "by": "w-06"}, token=WORKER.token)
    assert (reply.status, reply.json["error"]) == (403, "not_yours")
    assert client.post(path(other), body, token=WORKER.token).status == 404
    assert scene.desk.commands == []
    assert client.post(path(mine), body, token=WORKER.token).status == 200
    assert scene.desk.commands[0].by == "w-05"
    reply = client.ask(
        "POST", f"/api/v1/tickets/{other}/photos", b"x", token=WORKER.token,
        headers={"Content-Type": "image/png"},
    )  # fmt: skip
    assert reply.status == 404


def test_who_hands_a_ticket_on_is_told_so(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding", worker="w-05")
    take = scene.desk.file_command

    async def handed_on(command: Any, wait_s: float) -> Any:
        answer = await take(command, wait_s)
        scene.desk.amend(ticket, worker="w-06", timeline=())
        return answer

    scene.desk.file_command = handed_on  # type: ignore[method-assign]
    reply = client.post(
        f"/api/v1/tickets/{ticket}/actions", {"action": "accept", "rev": 1}, token=WORKER.token
    )
    assert (reply.status, reply.json["gone"]) == (200, True)


def test_silences_stay_within_a_part(client: Client, scene: Scene) -> None:
    until = iso(START + timedelta(hours=2))
    base = {"until": until, "by": "a", "reason": "works"}
    outside = (
        {"grid": "c1"}, {"grid": "s1"}, {"kinds": ["flooding"]}, {"sites": ["drain-a"]},
        {"point": {"lon": LON + 3 * STEP, "lat": LAT + STEP}, "radius_m": 50},
    )  # fmt: skip
    for said in outside:
        reply = client.post("/api/v1/silences", base | said, token=NORTH.token)
        assert (reply.status, reply.json["error"]) == (403, "out_of_scope"), said
    assert scene.desk.commands == []


def test_evidence_opens_by_its_link_and_not_by_guessing(client: Client, scene: Scene) -> None:
    (scene.evidence / "cam-1").mkdir(parents=True)
    (scene.evidence / "cam-1" / "throw.jpg").write_bytes(b"\xff\xd8\xff")
    ticket = scene.happen("high_altitude_throw")
    path = "/evidence/cam-1/throw.jpg"
    assert client.get(path, token=DESK.token).status == 200
    reply = client.get(path, token=NORTH.token)
    assert (reply.status, reply.json["error"]) == (403, "link_needed")
    shown = client.get(f"/api/v1/tickets/{ticket}", token=NORTH.token).json
    assert client.get(shown["events"][0]["links"]["still"], token=NORTH.token).status == 200


def test_devices_and_workers_are_those_of_the_part(client: Client, scene: Scene) -> None:
    devices = client.get("/api/v1/devices", token=NORTH.token).json["items"]
    assert {d["id"] for d in devices} == {"lvl-0", "lvl-1", "lvl-2", "lvl-3", "app-1", "cam-1"}
    workers = client.get("/api/v1/workers", token=NORTH.token).json["items"]
    assert {w["grid"] for w in workers} == {"g00", "g01", "g02", "g03"}
    assert client.get("/api/v1/devices/lvl-9", token=NORTH.token).status == 404
    assert client.get("/api/v1/devices", token=WORKER.token).json["items"] == []
    only = client.get("/api/v1/workers", token=WORKER.token).json["items"]
    assert [w["id"] for w in only] == ["w-05"]


def test_a_place_belongs_to_the_smallest_grid() -> None:
    lands = Lands(town())
    assert lands.at(Point(LON + 0.5 * STEP, LAT + STEP)) == "g00"
    assert lands.at(Point(LON - STEP, LAT)) is None
    assert lands.devices["cam-1"] == "g03"


def test_nobody_without_a_worker_or_utility_sees_anything() -> None:
    ticket: dict[str, Any] = {
        "id": "t",
        "worker": None,
        "utility": None,
        "helpers": [],
        "grid": None,
    }
    for scope in (Scope(worker="-"), Scope(utility="-"), Scope(grids=frozenset())):
        assert not scope.holds("ticket", facts_of("ticket", ticket))


def test_a_stream_ends_with_its_session(scene: Scene, serve: Serve) -> None:
    from tests.unit.center.test_every_route import People

    scene.person("desk", "operator")
    client = serve(stream_heartbeat_s=0.2)
    people = People(scene, client.server)
    people.enter("desk")
    with closing(Stream(client, "", cookie=f"gridsentry={people.tokens['desk']}")) as stream:
        assert stream.answer.status == 200
        assert scene.accounts is not None
        scene.accounts._sessions.clear()
        assert [name for name, _ in stream.events()] == ["hello"]  # and then it hangs up


def test_each_part_of_the_city_hands_over_its_own_shift(client: Client, scene: Scene) -> None:
    own = scene.happen("flooding")
    path = "/api/v1/shift/handovers"
    whole = client.post(path, {"leaving": "王"}, token=DESK.token).json
    made = client.post(path, {"leaving": "陈"}, token=NORTH.token)
    assert made.status == 201, "the city's desk does not wait for the part's, nor the part for it"
    shown = client.get("/api/v1/shift", token=NORTH.token).json
    assert [one["id"] for one in shown["before"]] == [made.json["id"]]
    assert shown["waiting"]["id"] == made.json["id"] and shown["waiting"]["areas"]
    assert client.get(f"{path}/{whole['id']}", token=NORTH.token).status == 404
    taken = client.post(f"{path}/{whole['id']}/take", {"coming": "李"}, token=NORTH.token)
    assert taken.status == 404
    city = client.get("/api/v1/shift", token=DESK.token).json
    assert {one["id"] for one in city["before"]} == {whole["id"], made.json["id"]}
    assert city["waiting"]["id"] == whole["id"]
    assert own in {one["id"] for one in whole["body"]["open"]}


def test_labels_outside_of_their_part_are_neither_seen_nor_taken_back(
    client: Client, scene: Scene
) -> None:
    scene.happen("severed_cable")  # c1
    scene.happen("high_altitude_throw")  # c0
    said = [
        client.post("/api/v1/labels", {"verdict": "true", "ticket": t}, token=DESK.token).json
        for t in ("t-1", "t-2")
    ]
    south, north = (one["items"][0]["id"] for one in said)
    seen = client.get("/api/v1/labels", token=NORTH.token).json["items"]
    assert [one["id"] for one in seen] == [north]
    gone = client.ask("DELETE", f"/api/v1/labels/{south}", token=NORTH.token)
    assert gone.status == 404
    given = client.post("/api/v1/labels", {"verdict": "true", "ticket": "t-1"}, token=NORTH.token)
    assert given.status == 404
    assert len(client.get("/api/v1/labels", token=DESK.token).json["items"]) == 2
