"""A worker's own tickets, in memory and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.unit.store.makes import at, batch, change, ticket
from tests.unit.store.twins import Twin


def kept(twin: Twin, *tickets: Any) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 1000)
    for number, one in enumerate(tickets, 1):
        writer.commit(batch(number, changes=[change(one, known_at=at(10 * number))]))


def found(twin: Twin, worker: str, since: int = 0, limit: int = 50) -> list[str]:
    async def ask() -> list[str]:
        desk = twin.desk()
        await desk.open()
        try:
            tickets = await desk.tickets_of_worker(worker, at(since), limit)
            return sorted(str(t["id"]) for t in tickets)
        finally:
            await desk.close()

    return asyncio.run(ask())


def test_a_ticket_is_found_by_everybody_whom_it_concerns(twin: Twin) -> None:
    kept(
        twin,
        ticket(name="t-sent", worker="w-1"),
        ticket(name="t-help", worker="w-2", helpers=("w-1", "w-3")),
        ticket(name="t-near", worker="w-2", reason={"ladder": {"neighbour": "w-1"}}),
        ticket(name="t-told", worker=None, reason={"ladder": {"person": "w-1"}}),
        ticket(name="t-first", worker=None, reason={"consultation": {"receiver": "w-1"}}),
        ticket(name="t-part", worker=None, reason={"worker": {"contact": "w-1"}}),
        ticket(name="t-other", worker="w-11", reason={"worker": {"text_en": "w-1 is nearest"}}),
    )
    named = ["t-first", "t-help", "t-near", "t-part", "t-sent", "t-told"]
    assert found(twin, "w-1") == named
    assert found(twin, "w-3") == ["t-help"]
    assert found(twin, "w-4") == []
    assert found(twin, 'w-1", "w-2') == []
    assert len(found(twin, "w-1", limit=2)) == 2


def test_what_ended_is_found_for_a_while(twin: Twin) -> None:
    kept(
        twin,
        ticket(name="t-old", worker="w-1", stage="closed"),
        ticket(name="t-new", worker="w-1", stage="closed"),
        ticket(name="t-open", worker="w-1", stage="suspended"),
    )
    assert found(twin, "w-1", since=15) == ["t-new", "t-open"]
    assert found(twin, "w-1", since=1000) == ["t-open"]


def test_a_position_is_taken_in_by_whichever_shard_looks_first(twin: Twin) -> None:
    topic = "gridsentry/v1/worker/w-1/position"

    async def file() -> None:
        desk = twin.desk()
        await desk.open()
        await desk.file_report(topic, b"{}", at(1))
        await desk.file_report("gridsentry/v1/feed/south/app-1/report", b"{}", at(2))
        await desk.close()

    writer = twin.writer()
    asyncio.run(file())
    rows = writer.intake(10, bulk=False, districts=["north"])
    assert [row.topic for row in rows] == [topic]
    assert writer.intake(10, bulk=True, districts=["north"]) == []
