"""Silences over HTTP: the router makes and ends them, the center only files and shows."""

from __future__ import annotations

import msgspec
import pytest

from contracts.case import Answer, Command
from router.engine import GridRouter
from tests.unit.center.conftest import OPERATOR, TOKENS, VIEWER, Client, Serve
from tests.unit.center.scene import Scene

BODY = {
    "until": "2030-01-01T00:00:00Z",
    "by": "李主任",
    "reason": "lamps are being renewed",
    "kinds": ["street_light_out"],
}


@pytest.fixture
def routed(scene: Scene, serve: Serve) -> Client:
    """A center whose commands reach a real router."""
    router = GridRouter(scene.city)

    async def file_command(command: Command, wait_s: float) -> Answer | None:
        changes, answer = router.on_command(command, scene.desk.clock.now())
        for change in changes:
            scene.desk.put(change)
        return answer

    scene.desk.file_command = file_command  # type: ignore[method-assign]
    return serve(tokens=TOKENS)


def soon(scene: Scene, hours: float = 1.0) -> int:
    return int((scene.desk.clock.now().timestamp() + hours * 3600) * 1000)


def test_a_silence_is_made_shown_and_ended(scene: Scene, routed: Client) -> None:
    made = routed.post("/api/v1/silences", BODY | {"until": soon(scene)}, token=OPERATOR)
    assert made.status == 201, made.json
    silence = made.json
    assert (silence["kinds"], silence["by"], silence["ended_at"]) == (
        ["street_light_out"],
        "李主任",
        None,
    )
    assert [s["id"] for s in routed.get("/api/v1/silences").json["items"]] == [silence["id"]]
    path = f"/api/v1/silences/{silence['id']}"
    assert routed.get(path).json["reason"] == "lamps are being renewed"
    gone = routed.ask("DELETE", path + "?by=wang&reason=done", token=OPERATOR)
    assert gone.status == 200
    assert (gone.json["ended_by"], gone.json["rev"]) == ("wang", 2)
    again = routed.ask("DELETE", path, token=OPERATOR)
    assert again.status == 409 and "it ended" in again.json["reason"]
    told = [msgspec.json.decode(row.data) for row in scene.desk.rows]
    assert [e["type"] for e in told] == ["gridsentry.silence.opened", "gridsentry.silence.closed"]
    assert {row.type for row in scene.desk.rows} == {"silence"}


def test_what_the_router_refuses_is_said(scene: Scene, routed: Client) -> None:
    for change, why in (
        ({"until": soon(scene, 24 * 30)}, "no longer than 7 days"),
        ({"until": soon(scene), "kinds": []}, "say what is silenced"),
        ({"until": soon(scene), "grid": "nowhere"}, "no grid"),
        ({"until": soon(scene), "point": {"lon": 118.0, "lat": 32.0}}, "go together"),
    ):
        reply = routed.post("/api/v1/silences", BODY | change, token=OPERATOR)
        assert reply.status == 409
        assert why in reply.json["reason"]
    assert not scene.desk.rows


def test_what_is_no_silence_never_reaches_the_router(routed: Client) -> None:
    for change, path in (
        ({"until": "tomorrow"}, "$.until"),
        ({"reason": ""}, "$.reason"),
        ({"kind": "flooding"}, "$"),
        ({"sites": ["x"] * 201}, "$.sites"),
    ):
        reply = routed.post("/api/v1/silences", BODY | change, token=OPERATOR)
        assert reply.status == 400
        assert reply.json["path"] == path


def test_only_operators_silence(routed: Client) -> None:
    assert routed.post("/api/v1/silences", BODY, token=VIEWER).status == 403
    assert routed.post("/api/v1/silences", BODY).status == 401
    assert routed.ask("DELETE", "/api/v1/silences/s-1", token=VIEWER).status == 403
    assert routed.ask("DELETE", "/api/v1/silences/s-1", token=OPERATOR).status == 404


def test_an_answer_that_takes_long_is_said_to_be_on_its_way(scene: Scene, client: Client) -> None:
    scene.desk.silent = True
    reply = client.post("/api/v1/silences", BODY)
    assert reply.status == 202
    assert scene.desk.commands[0].action == "silence"
    assert scene.desk.commands[0].ticket in reply.json["reason"]


def test_storms_are_listed_by_their_kind(client: Client) -> None:
    assert client.get("/api/v1/incidents?kind=storm").status == 200
    assert client.get("/api/v1/tickets?kind=storm").status == 400
