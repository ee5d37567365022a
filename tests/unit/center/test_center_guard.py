"""Where the center listens, and who may write."""

from __future__ import annotations

from typing import Any

import pytest

from center.server import CenterServer
from center.settings import CenterSettings, Token, check
from contracts.errors import Wrong
from tests.unit.center.conftest import TOKENS, Client, Serve
from tests.unit.center.scene import Scene

GOOD = {"action": "accept", "by": "a", "rev": 1}
TOKEN = Token(token="0123456789abcdef", name="a")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "grid.example.cn"])
def test_listening_beyond_loopback_without_a_token_is_refused(scene: Scene, host: str) -> None:
    settings = CenterSettings(host=host, port=0)
    server = CenterServer(lambda: scene.app(settings), settings)
    with pytest.raises(Wrong, match=r"center\.tokens: none, but .*at least one token"):
        server.start()
    check(CenterSettings(host=host, tokens=(TOKEN,)))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.1"])
def test_loopback_needs_none(host: str) -> None:
    check(CenterSettings(host=host))


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"tokens": (Token(token="short", name="a"),)}, r"center\.tokens\[0\]"),
        ({"tokens": (TOKEN, TOKEN)}, r"center\.tokens\[1\]"),
        ({"evidence_secret": "short"}, r"center\.evidence_secret"),
        ({"port": 70_000}, r"center\.port"),
        ({"page_limit": 600}, r"center\.page_limit"),
        ({"stream_slow_s": 0}, r"center\.stream_slow_s"),
        ({"public_url": "grid.example.cn"}, r"center\.public_url"),
        ({"allowed_origins": ("https://a.cn/",)}, r"center\.allowed_origins"),
    ],
)
def test_unsafe_settings_are_named(settings: dict[str, Any], where: str) -> None:
    with pytest.raises(Wrong, match=where):
        check(CenterSettings(**settings))


def test_a_taken_port_is_said(scene: Scene, client: Client) -> None:
    settings = CenterSettings(port=client.server.port)
    with pytest.raises(Wrong, match=r"cannot listen on 127\.0\.0\.1"):
        CenterServer(lambda: scene.app(settings), settings).start()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_foreign_page_may_not_write(
    client: Client, scene: Scene, headers: dict[str, str]
) -> None:
    ticket = scene.happen("flooding")
    reply = client.post(f"/api/v1/tickets/{ticket}/actions", GOOD, headers=headers)
    assert (reply.status, reply.json["error"]) == (403, "foreign_origin")
    assert scene.desk.commands == []


def test_our_own_page_and_named_origins_may_write(serve: Serve, scene: Scene) -> None:
    client = serve(allowed_origins=("https://desk.example.cn",))
    ticket = scene.happen("flooding")
    path = f"/api/v1/tickets/{ticket}/actions"
    ours = {"Origin": f"http://127.0.0.1:{client.server.port}", "Sec-Fetch-Site": "same-origin"}
    assert client.post(path, GOOD, headers=ours).status == 200
    named = {"Origin": "https://desk.example.cn"}
    assert client.post(path, GOOD, headers=named).status == 409  # stale, but let in


def test_a_form_of_another_page_is_no_action(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding")
    for type_ in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        reply = client.post(
            f"/api/v1/tickets/{ticket}/actions", GOOD, headers={"Content-Type": type_}
        )
        assert reply.status == 415


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"])
def test_a_rebound_name_sees_nothing(client: Client, host: str) -> None:
    reply = client.get("/api/v1/tickets", headers={"Host": host})
    assert (reply.status, reply.json["error"]) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080"])
def test_our_own_names_are_answered(client: Client, host: str) -> None:
    assert client.get("/api/v1/tickets", headers={"Host": host}).status == 200


def test_with_tokens_any_name_is_answered(serve: Serve) -> None:
    client = serve(tokens=TOKENS)
    assert client.get("/api/v1/tickets", headers={"Host": "grid.example.cn"}).status == 200
