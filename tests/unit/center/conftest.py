"""The center over a small town in memory, asked over real HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from center.server import CenterServer
from center.settings import CenterSettings, Token
from tests.unit.center.scene import Scene

OPERATOR = "operator-token-0001"
VIEWER = "viewer-token-000001"
REPORTER = "reporter-token-0001"
TOKENS = (
    Token(token=OPERATOR, name="desk", role="operator"),
    Token(token=VIEWER, name="wall", role="viewer"),
    Token(token=REPORTER, name="app", role="reporter"),
)


class Reply(msgspec.Struct):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks one center; `token` goes along as bearer."""

    def __init__(self, server: CenterServer) -> None:
        self.server = server

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        sent |= headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request(method, path, data if body is not None else None, sent)
            answer = connection.getresponse()
            return Reply(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            )
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Reply:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: object, **more: Any) -> Reply:
        return self.ask("POST", path, body, **more)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "evidence")


Serve = Callable[..., Client]


@pytest.fixture
def serve(scene: Scene) -> Iterator[Serve]:
    """Starts a center over the scene with these settings."""
    started: list[CenterServer] = []

    def start(**settings: Any) -> Client:
        server = scene.server(CenterSettings(port=0, **settings))
        server.start()
        started.append(server)
        return Client(server)

    yield start
    for server in started:
        server.stop(2.0)


@pytest.fixture
def client(serve: Serve) -> Client:
    """A center without tokens, open to this machine."""
    return serve()
