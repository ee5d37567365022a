"""A center made anew serves at the same port; one that cannot be made leaves the old one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from center.server import CenterServer
from center.settings import CenterSettings
from contracts.errors import Wrong
from tests.unit.center.conftest import Client
from tests.unit.center.scene import Scene


def until(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        try:
            if holds():
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError("it did not come")


def test_the_center_is_made_anew_with_the_city_as_it_is_now(scene: Scene) -> None:
    settings = CenterSettings(port=0)
    names = ["wenhui", "linping"]
    made: list[str] = []

    def make() -> Any:
        import msgspec

        if not names:
            raise Wrong("city", "broken")
        made.append(names.pop(0))
        scene.city = msgspec.structs.replace(scene.city, id=made[-1])
        return scene.app(settings)

    server = CenterServer(make, settings)
    server.start()
    try:
        client, port = Client(server), server.port
        assert client.get("/api/v1/city").json["id"] == "wenhui"
        server.renew()
        until(lambda: len(made) == 2)
        time.sleep(0.5)  # asyncio drops a connection that comes in while its server closes
        until(lambda: bool(client.get("/api/v1/city").json["id"] == "linping"))
        assert server.port == port
        server.renew()  # it cannot be made: what is there goes on
        time.sleep(0.1)
        assert client.get("/api/v1/city").json["id"] == "linping"
    finally:
        server.stop(3.0)
    assert not server.alive
