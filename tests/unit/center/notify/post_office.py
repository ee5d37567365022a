"""A real HTTP receiver that can refuse, and postmen that deliver to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from aiohttp import web
from prometheus_client import CollectorRegistry

from center.ear import listening
from center.feeds.mapping import known
from center.links import Signer
from center.metrics import Metrics
from center.notify.office import Office
from center.notify.passes import Passes
from center.notify.post import Tools
from center.notify.settings import NotifySettings, Target, check
from center.notify.words import Words
from center.privacy import Veil
from contracts.clock import monotonic
from tests.unit.center.scene import Scene

URL = "https://grid.example.cn"
SECRET = "a secret of ours, long"


class Got(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """Somebody's webhook: keeps what it got, answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.status: dict[str, list[int]] = {}
        """Path → what the next requests are answered (200 when none is left)."""
        self.hangs: set[str] = set()
        self.port = 0

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/{path}"

    def taken(self, path: str) -> list[Got]:
        return [g for g in self.got if g.path == f"/{path}" and g.headers.get("x-answer") == "200"]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async def answer(request: web.Request) -> web.Response:
            body = await request.read()
            if request.path[1:] in self.hangs:
                await asyncio.sleep(30)
            waiting = self.status.get(request.path[1:], [])
            status = waiting.pop(0) if waiting else 200
            headers = {k.lower(): v for k, v in request.headers.items()}
            self.got.append(Got(request.path, headers | {"x-answer": str(status)}, body))
            return web.Response(status=status, text="" if status == 200 else "no thanks")

        app = web.Application()
        app.router.add_post("/{path:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        async with listening(runner, "127.0.0.1", 0) as self.port:
            yield


def office(scene: Scene, targets: tuple[Target, ...], **settings: Any) -> Office:
    """The postmen of these targets over this scene."""
    patience = {"pause_s": 0.05, "pause_max_s": 0.1, "timeout_s": 2.0} | settings
    told = NotifySettings(targets=targets, **patience)
    check(told, scene.city)
    clock = scene.desk.clock
    tools = Tools(
        desk=scene.desk,
        city=scene.city,
        settings=told,
        signer=Signer(SECRET, 600, clock, URL),
        veil=Veil(scene.city),
        words=Words(scene.city, told.templates),
        passes=Passes(SECRET, told.link_s, clock, URL),
        metrics=Metrics(CollectorRegistry()),
        clock=clock,
        inside=lambda grid: frozenset({grid}),
        public_url=URL,
        holder=f"center-{id(told)}",
        shapes=known({}, ZoneInfo(scene.city.timezone)),
        names=lambda full: {"kind_zh": "类别"},
    )
    return Office(told.targets, tools)


def deliver(
    scene: Scene,
    receiver: Receiver,
    targets: Callable[[], tuple[Target, ...]],
    story: Callable[[], Any],
    until: Callable[[], bool],
    **settings: Any,
) -> Office:
    """Start the postmen, let the story happen, wait until it is so (or fail)."""

    async def main() -> Office:
        async with receiver.open():
            made = office(scene, targets(), **settings)
            tasks = [asyncio.create_task(postman.run()) for postman in made.postmen]
            await asyncio.sleep(0.05)  # they begin where the stream stands
            story()
            end = monotonic() + 10
            while not until() and monotonic() < end:
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert until(), [p.status(len(scene.desk.rows)) for p in made.postmen]
            return made

    return asyncio.run(main())
