"""The center over the store's own desk: both keep the same promises to each other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from center.app import make_app
from center.links import Signer
from center.metrics import Metrics
from center.privacy import Veil
from center.server import CenterServer
from center.settings import CenterSettings
from center.tailer import Tailer
from contracts.batch import Batch
from contracts.case import Change
from contracts.clock import ManualClock
from store.memory import MemoryRelay, MemoryStore
from store.memory_desk import MemoryDesk
from store.memory_writer import MemoryWriter
from tests.unit.center.conftest import Client
from tests.unit.center.scene import START, Scene
from tests.unit.center.test_center_stream import listening


class Stored:
    """A writer, its relay, and the center beside them."""

    def __init__(self, folder: Path) -> None:
        self.scene = Scene(folder)
        self.store = MemoryStore()
        self.writer = MemoryWriter(self.store, "/gridsentry/wenhui")
        self.relay = MemoryRelay(self.store)
        epoch = self.writer.acquire("w", "me", START, 60.0)
        assert epoch is not None
        self.epoch, self.number = epoch, 0
        self.changes: list[Change] = []
        self.scene.put = self.changes.append
        settings = CenterSettings(port=0, answer_wait_s=0.1)
        self.server = CenterServer(
            lambda: make_app(
                MemoryDesk(self.store), self.scene.city, settings, clock=ManualClock(START),
                evidence_dir=folder, health=lambda: {"ready": True, "reasons": []},
                registry=CollectorRegistry(),
            ),
            settings,
        )  # fmt: skip

    def commit(self) -> None:
        self.number += 1
        self.writer.commit(
            Batch(
                writer="w", number=self.number, epoch=self.epoch, at=START,
                changes=list(self.changes),
            )
        )  # fmt: skip
        self.changes.clear()
        self.relay.step()


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stored]:
    stored = Stored(tmp_path)
    stored.server.start()
    yield stored
    stored.server.stop(2.0)


def test_what_is_committed_is_listed_and_streamed(stored: Stored) -> None:
    client = Client(stored.server)
    with listening(client) as stream:
        assert stream.take(1)[0][0] == 0
        stored.scene.happen("flooding")
        stored.scene.happen("severed_cable")
        stored.commit()
        told = stream.take(6)
    assert [position for position, _, _ in told] == [1, 2, 3, 4, 5, 6]
    tickets = client.get("/api/v1/tickets?limit=1").json
    more = client.get(f"/api/v1/tickets?limit=1&after={tickets['next']}").json
    assert {t["id"] for t in tickets["items"] + more["items"]} == {"t-1", "t-2"}
    assert client.get("/api/v1/tickets/t-1").json["incident_detail"]["kind"] == "flooding"
    with listening(client, "?last_event_id=4") as stream:
        assert [position for position, _, _ in stream.take(3)] == [4, 5, 6]


@pytest.mark.parametrize(
    "path", ["tickets?after=x", "events?after=eA", "readings", "readings?metric=level"]
)
def test_what_the_desk_refuses_is_the_callers_mistake(stored: Stored, path: str) -> None:
    reply = Client(stored.server).get(f"/api/v1/{path}")
    assert (reply.status, reply.json["error"]) == (400, "bad_query")


def test_a_command_nobody_takes_waits_in_the_store(stored: Stored) -> None:
    stored.scene.happen("flooding")
    stored.commit()
    reply = Client(stored.server).post(
        "/api/v1/tickets/t-1/actions", {"action": "accept", "by": "a", "rev": 1}
    )
    assert reply.status == 202
    assert [c.id for c in stored.writer.commands(10)] == [reply.json["command"]]


def test_rows_dropped_while_a_reader_was_behind_are_told(scene: Scene) -> None:
    async def main() -> None:
        desk = scene.desk
        signer = Signer("a secret of ours, long", 600, desk.clock)
        tailer = Tailer(
            desk, signer=signer, veil=Veil(scene.city), metrics=Metrics(CollectorRegistry()),
            clock=desk.clock, rows=2,
        )  # fmt: skip
        for _ in range(4):
            scene.happen("flooding")
        behind = await tailer.after(2, 3)
        assert behind is not None
        assert [entry.position for entry in behind] == [3, 4, 5]
        desk.forget(7)
        assert await tailer.after(5, 3) is None
        left = await tailer.after(7, 3)
        assert left is not None
        assert [entry.position for entry in left] == [8, 9, 10]

    asyncio.run(main())
