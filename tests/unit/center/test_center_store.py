"""The center over the store's own desk: both keep the same promises to each other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
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
from contracts.clock import ManualClock, epoch_ms
from contracts.nouns import Reading
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
        self.clock = ManualClock(START)
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
                MemoryDesk(self.store), self.scene.city, settings, clock=self.clock,
                evidence_dir=folder, originals_dir=folder,
                health=lambda: {"ready": True, "reasons": []},
                registry=CollectorRegistry(),
            ),
            settings,
        )  # fmt: skip

    def measure(self, *seconds: float) -> None:
        """Two devices measure at each of these seconds from the start; the seconds themselves."""
        readings = [
            Reading(
                device=device, metric="level", value=second, at=START + timedelta(seconds=second),
                received_at=START, sent_at=START + timedelta(seconds=second),
            )
            for second in seconds for device in ("b", "a")
        ]  # fmt: skip
        self.commit(readings)

    def commit(self, readings: Sequence[Reading] = ()) -> None:
        self.number += 1
        self.writer.commit(
            Batch(
                writer="w", number=self.number, epoch=self.epoch, at=START,
                changes=list(self.changes), readings=list(readings),
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
    "path",
    [
        *("tickets?after=x", "events?after=eA", "readings?after=x"),
        *(f"readings?{name}=x" for name in ("kind", "stage", "grid")),
        *("readings?since=2020-01-01T00:00:00Z", "readings?since=0&until=86400001"),
    ],
)
def test_what_the_desk_refuses_is_the_callers_mistake(stored: Stored, path: str) -> None:
    reply = Client(stored.server).get(f"/api/v1/{path}")
    refused = "unknown_parameter" if path.endswith("=x") and "after" not in path else "bad_query"
    assert (reply.status, reply.json["error"]) == (400, refused)


def test_readings_of_all_devices_are_those_of_the_last_hour(stored: Stored) -> None:
    stored.measure(-3601, -3600, -2, -1, 0, 1)
    client = Client(stored.server)
    first = client.get("/api/v1/readings?limit=3").json
    assert [(r["device"], r["value"]) for r in first["items"]] == [
        *(("a", -3600), ("b", -3600), ("a", -2)),
    ]
    # Half an hour passes between the pages: the second still begins where the first ended.
    stored.clock.advance_to(START + timedelta(minutes=30))
    second = client.get(f"/api/v1/readings?limit=3&after={first['next']}").json
    assert [(r["device"], r["value"]) for r in second["items"]] == [
        *(("b", -2), ("a", -1), ("b", -1)),
    ]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        ("since={hour}", [-3600, -2, -1]),
        ("until={hour}", [-3601]),
        ("since=0&until=1", []),
        ("until=0001-01-01T00:00:00Z", []),
        ("metric=flow", []),
        ("since={hour}&until={now}&metric=level", [-3600, -2, -1]),
    ],
)
def test_readings_of_all_devices_keep_to_the_range_asked_for(
    stored: Stored, asked: str, values: list[float]
) -> None:
    stored.measure(-3601, -3600, -2, -1, 0, 1)
    times = {"now": epoch_ms(START), "hour": epoch_ms(START - timedelta(hours=1))}
    reply = Client(stored.server).get(f"/api/v1/readings?{asked.format(**times)}")
    assert reply.status == 200, reply.body
    assert [r["value"] for r in reply.json["items"] if r["device"] == "a"] == values
    assert reply.json["next"] is None


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
