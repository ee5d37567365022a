"""Originals: only for an operator with the right, only for a reason, noted before a byte leaves."""

from __future__ import annotations

from typing import Any

import pytest

from center.settings import Token
from tests.unit.center.conftest import OPERATOR, REPORTER, TOKENS, VIEWER, Client, Reply, Serve
from tests.unit.center.scene import Scene

INSPECTOR, WATCHER = "inspector-token-001", "watcher-token-00001"
RIGHTS = (
    *TOKENS,
    Token(token=INSPECTOR, name="inspector", role="operator", originals=True),
    Token(token=WATCHER, name="watcher", role="viewer", originals=True),
)
REASON = "警情 2026-118"


@pytest.fixture
def event(scene: Scene) -> str:
    """A throw with its clip and still, blurred and original."""
    scene.happen("high_altitude_throw")
    for folder, text in ((scene.evidence, b"blurred"), (scene.originals, b"original")):
        (folder / "cam-1").mkdir(parents=True)
        (folder / "cam-1" / "throw.jpg").write_bytes(b"\xff\xd8\xff" + text)
        (folder / "cam-1" / "throw.mp4").write_bytes(text * 20)
    return "e-high_altitude_throw-1"


@pytest.fixture
def guarded(serve: Serve, event: str) -> Client:
    return serve(tokens=RIGHTS)


def ask(client: Client, event: str, token: str | None, **body: Any) -> Reply:
    told = {"what": "still", "reason": REASON, **body}
    return client.post(f"/api/v1/events/{event}/original", told, token=token)


def test_with_the_right_and_a_reason_it_opens_and_is_noted(
    guarded: Client, scene: Scene, event: str
) -> None:
    reply = ask(guarded, event, INSPECTOR)
    assert (reply.status, reply.body) == (200, b"\xff\xd8\xfforiginal")
    assert reply.headers["content-type"] == "image/jpeg"
    assert reply.headers["cache-control"] == "no-store"
    assert scene.desk.accesses == [
        ("inspector", f"originals/cam-1/throw.jpg of events/{event}", REASON)
    ]


def test_the_clip_opens_too(serve: Serve, scene: Scene, event: str) -> None:
    reply = ask(serve(tokens=RIGHTS), event, INSPECTOR, what="clip")
    assert (reply.status, reply.headers["content-type"]) == (200, "video/mp4")
    assert reply.body == b"original" * 20
    assert len(scene.desk.accesses) == 1


@pytest.mark.parametrize(
    ("token", "status", "error"),
    [
        (None, 401, "token_needed"),
        (VIEWER, 403, "no_right_to_originals"),
        (REPORTER, 403, "no_right_to_originals"),
        (OPERATOR, 403, "no_right_to_originals"),
        (WATCHER, 403, "no_right_to_originals"),
    ],
)
def test_without_the_right_nobody_sees_it(
    guarded: Client, scene: Scene, event: str, token: str | None, status: int, error: str
) -> None:
    reply = ask(guarded, event, token)
    assert (reply.status, reply.json["error"]) == (status, error)
    if status == 403:
        assert "originals = true" in reply.json["reason"]
    assert b"original\x00" not in reply.body and not reply.body.startswith(b"\xff\xd8")
    assert scene.desk.accesses == []


@pytest.mark.parametrize("reason", ["", "   ", "ok", "x" * 501, "a\x00bcde"])
def test_without_a_reason_it_stays_shut(
    guarded: Client, scene: Scene, event: str, reason: str
) -> None:
    reply = ask(guarded, event, INSPECTOR, reason=reason)
    assert (reply.status, reply.json["path"]) == (400, "$.reason")
    assert ask(guarded, event, INSPECTOR, what="track").status == 400
    assert scene.desk.accesses == []


def test_what_cannot_be_noted_is_not_shown(guarded: Client, scene: Scene, event: str) -> None:
    async def noted(*_: Any, **__: Any) -> None:
        scene.desk.down = True
        scene.desk._check()

    scene.desk.log_access = noted  # type: ignore[method-assign]
    assert ask(guarded, event, INSPECTOR).status == 503


def test_an_original_that_was_let_go_says_so(guarded: Client, scene: Scene, event: str) -> None:
    (scene.originals / "cam-1" / "throw.jpg").unlink()
    reply = ask(guarded, event, INSPECTOR)
    assert (reply.status, reply.json["error"]) == (404, "original_gone")
    assert ask(guarded, "e-nothing", INSPECTOR).status == 404
    assert scene.desk.accesses == []


def test_no_path_and_no_link_leads_to_the_originals(
    guarded: Client, scene: Scene, event: str
) -> None:
    links = guarded.get(f"/api/v1/events/{event}", token=INSPECTOR).json["links"]
    for link in links.values():
        assert b"original" not in guarded.get(link).body
    for path in ("../originals/cam-1/throw.jpg", "%2e%2e/originals/cam-1/throw.jpg"):
        assert guarded.get(f"/evidence/{path}", token=INSPECTOR).status == 404


def test_openings_are_rationed(serve: Serve, event: str) -> None:
    rationed = serve(tokens=RIGHTS, originals_per_minute=4.0)
    assert ask(rationed, event, INSPECTOR).status == 200
    reply = ask(rationed, event, INSPECTOR)
    assert (reply.status, reply.json["error"]) == (429, "too_many")


def test_a_foreign_page_cannot_open_one_on_this_machine(client: Client, event: str) -> None:
    path = f"/api/v1/events/{event}/original"
    told = {"what": "still", "reason": REASON}
    foreign = client.post(path, told, headers={"Origin": "https://elsewhere.example"})
    assert (foreign.status, foreign.json["error"]) == (403, "foreign_origin")
    assert client.post(path, told).status == 200


def test_the_track_is_personal_and_has_a_link(serve: Serve, scene: Scene) -> None:
    told = {"track_file": "t.json", "clip": "t.mp4", "still": "t.jpg", "chain": {"number": 1}}
    scene.happen("high_altitude_throw", evidence=told)
    scene.evidence.mkdir(exist_ok=True)
    (scene.evidence / "t.json").write_text("{}")
    client = serve(tokens=RIGHTS)
    path = "/api/v1/events/e-high_altitude_throw-1"
    seen = client.get(path, token=VIEWER).json
    assert client.get(seen["links"]["track_file"]).headers["content-type"] == "application/json"
    assert client.get(path).json["track_file"] is None
