"""A utility's dispatcher acts by a signed link, without an account."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from center.notify.passes import Passes
from tests.unit.center.conftest import TOKENS, Client, Serve
from tests.unit.center.scene import Scene
from tests.unit.center.test_center_photos import picture

SECRET = "a secret of ours, long"


@pytest.fixture
def client(serve: Serve) -> Client:
    """A center that everybody else needs a token for."""
    return serve(tokens=TOKENS, evidence_secret=SECRET)


def link(scene: Scene, ticket: str, utility: str = "gd") -> str:
    made = Passes(SECRET, 3600, scene.desk.clock).make(ticket, utility).removeprefix("/u/")
    return f"/api/v1/passes/{made}"


def test_the_link_shows_the_ticket_and_what_can_be_done(client: Client, scene: Scene) -> None:
    ticket = scene.happen("severed_cable")
    answer = client.get(link(scene, ticket))
    assert answer.status == 200
    shown: dict[str, Any] = answer.json
    assert shown["utility"] == "国网供电所"
    assert shown["actions"] == ["accept", "return", "note"]
    assert shown["ticket"]["events"][0]["evidence"]["spans"][0] == ["sp4", 0.88]
    assert shown["contact"]
    assert ("pass:gd", f"tickets/{ticket}") in scene.desk.accesses


def test_accept_arrive_restored_in_the_utilitys_name(client: Client, scene: Scene) -> None:
    ticket = scene.happen("severed_cable")
    for rev, action in enumerate(("accept", "arrive", "dispose"), 1):
        body = {"action": action, "rev": rev, "by": "钱工", "note": "换了一档线"}
        answer = client.post(f"{link(scene, ticket)}/actions", body)
        assert answer.status == 200, answer.body
    assert answer.json["ticket"]["stage"] == "disposed"
    assert {c.by for c in scene.desk.commands} == {"utility:gd"}
    assert scene.desk.commands[0].note == "钱工: 换了一档线"


def test_an_open_page_asks_again_and_is_told_only_what_is_new(client: Client, scene: Scene) -> None:
    ticket = scene.happen("severed_cable")
    known = client.get(link(scene, ticket)).json["ticket"]["rev"]
    looks = list(scene.desk.accesses)
    again = client.get(f"{link(scene, ticket)}?rev={known}")
    assert (again.status, again.body) == (204, b"")
    assert scene.desk.accesses == looks, "nothing was shown"
    scene.desk.step(ticket, "accepted", "w-05")
    news = client.get(f"{link(scene, ticket)}?rev={known}")
    assert (news.status, news.json["ticket"]["stage"]) == (200, "accepted")
    scene.desk.amend(ticket, utility="tel")
    assert client.get(f"{link(scene, ticket)}?rev={known}").status == 410


class Watching:
    """An open stream of one link."""

    def __init__(self, client: Client, there: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=5)
        self._connection.request("GET", f"{there}/stream")
        self._answer = self._connection.getresponse()
        self.status = self._answer.status

    def told(self) -> tuple[str, dict[str, Any]]:
        """The next event; ("", {}) when the stream ended."""
        name = ""
        for line in self._answer:
            text = line.decode().strip()
            if text.startswith("event: "):
                name = text[7:]
            elif text.startswith("data: "):
                return name, json.loads(text[6:])
        return "", {}

    def close(self) -> None:
        self._connection.close()


def test_a_watched_ticket_tells_its_revision_and_nothing_else(client: Client, scene: Scene) -> None:
    other, ticket = scene.happen("severed_cable"), scene.happen("severed_cable")
    looks = list(scene.desk.accesses)
    watching = Watching(client, link(scene, ticket))
    try:
        name, told = watching.told()
        assert (name, told["rev"], set(told)) == ("hello", 1, {"rev", "now"})
        scene.desk.step(other, "accepted", "w-05")
        scene.desk.step(ticket, "accepted", "w-05")
        assert watching.told() == ("ticket", {"rev": 2})
        assert scene.desk.accesses == looks, "nothing was shown"
        scene.desk.amend(ticket, utility="tel")
        assert watching.told() == ("gone", {})
        assert watching.told() == ("", {})
    finally:
        watching.close()


def test_a_link_that_is_passed_on_does_not_fill_the_centers_room(
    client: Client, scene: Scene
) -> None:
    there, other = (link(scene, scene.happen("severed_cable")) for _ in range(2))
    pages = [Watching(client, there) for _ in range(8)]
    try:
        assert {page.status for page in pages} == {200}
        refused = client.get(f"{there}/stream")
        assert (refused.status, refused.json["error"]) == (429, "too_many_streams")
        pages.append(Watching(client, other))
        assert pages[-1].status == 200
    finally:
        for page in pages:
            page.close()


def test_the_chart_of_a_line_is_shown_by_its_link_and_nothing_of_a_camera(
    client: Client, scene: Scene
) -> None:
    there = link(scene, scene.happen("severed_cable"))
    answer = client.get(f"{there}/plot.svg?width=400&lang=en")
    assert (answer.status, answer.headers["content-type"][:13]) == (200, "image/svg+xml")
    fall = link(scene, scene.happen("high_altitude_throw", utility="gd"))
    assert client.get(f"{fall}/plot.svg").status == 404
    assert client.get("/api/v1/passes/forged/plot.svg").status == 403


def test_what_the_router_refuses_is_told(client: Client, scene: Scene) -> None:
    ticket = scene.happen("severed_cable")
    answer = client.post(f"{link(scene, ticket)}/actions", {"action": "accept", "rev": 7})
    assert answer.status == 409
    assert "look again" in answer.json["reason"]


def test_a_link_allows_nothing_else(client: Client, scene: Scene) -> None:
    ticket = scene.happen("severed_cable")
    for action in ("verify", "close", "void", "reassign"):
        answer = client.post(f"{link(scene, ticket)}/actions", {"action": action, "rev": 1})
        assert answer.status == 400
    assert not scene.desk.commands
    forged = link(scene, ticket).replace(ticket, scene.happen("fibre_break"))
    assert client.get(forged).status == 403
    assert client.get(f"/api/v1/tickets/{ticket}").json["events"][0]["evidence"]["spans"]


def test_a_ticket_that_went_to_another_utility_is_gone(client: Client, scene: Scene) -> None:
    ticket = scene.happen("severed_cable", utility="tel")
    answer = client.get(link(scene, ticket, "gd"))
    assert answer.status == 410
    assert "somebody else" in answer.json["reason"]


def test_the_window_is_not_shown_by_a_link(client: Client, scene: Scene) -> None:
    ticket = scene.happen("high_altitude_throw", utility="gd")
    assert b"F17-3" not in client.get(link(scene, ticket)).body


def test_the_page_of_the_link_is_served(client: Client) -> None:
    answer = client.get("/u/whatever")
    assert answer.status == 200
    assert b"/static/utility/utility.js" in answer.body


def test_guessing_links_is_slowed_down(serve: Serve) -> None:
    client = serve(tokens=TOKENS, evidence_secret=SECRET, passes_per_minute=8)
    codes = [client.get("/api/v1/passes/t-1~gd~99~x").status for _ in range(4)]
    assert codes == [403, 403, 429, 429]


def test_how_targets_stand_is_for_those_who_may(client: Client) -> None:
    assert client.get("/api/v1/targets").status == 401
    answer = client.get("/api/v1/targets", token=TOKENS[1].token)
    assert answer.json == {"items": [], "undelivered": []}


def test_a_photograph_goes_with_a_step_by_link(client: Client, scene: Scene) -> None:
    ticket = scene.happen("severed_cable")
    there = link(scene, ticket)
    jpeg = {"Content-Type": "image/jpeg"}
    sent = client.ask("POST", f"{there}/photos?name=before", picture(), headers=jpeg)
    assert sent.status == 201
    ref = sent.json["ref"]
    assert ("pass:gd", f"{ref} added to tickets/{ticket}") in scene.desk.accesses
    body = {"action": "accept", "rev": 1, "photos": [{"name": "before", "ref": ref}]}
    assert client.post(f"{there}/actions", body).status == 200
    assert scene.desk.commands[0].data == {"photos": [{"name": "before", "ref": ref}]}


def test_a_link_names_no_files_but_photographs(client: Client, scene: Scene) -> None:
    there = link(scene, scene.happen("severed_cable"))
    body = {"action": "accept", "rev": 1, "photos": [{"name": "near", "ref": "cam-1/throw.jpg"}]}
    answer = client.post(f"{there}/actions", body)
    assert (answer.status, answer.json["path"]) == (400, "$.photos")
    assert scene.desk.commands == []


def test_a_link_that_is_not_ours_takes_no_photograph(client: Client, scene: Scene) -> None:
    jpeg = {"Content-Type": "image/jpeg"}
    answer = client.ask("POST", "/api/v1/passes/forged/photos", picture(), headers=jpeg)
    assert answer.status == 403
    assert not list(scene.evidence.rglob("*.jpg"))
