"""SensorThings over PostgreSQL: pages of what is stored, newest and oldest first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from center.app import make_app
from center.settings import CenterSettings
from contracts.batch import Batch
from contracts.clock import ManualClock
from contracts.nouns import Reading
from store.desk import PgDesk
from store.rollups import roll
from store.settings import StoreSettings
from store.writer import PgWriter
from tests.unit.center.scene import START, town

COUNT = 2_500
STREAM = "/sta/v1.1/Datastreams('lvl-0:level')/Observations"


def readings() -> list[Reading]:
    """One a minute, with a week of silence in between; three without a time of their own."""
    found = []
    for n in range(COUNT):
        at = START - timedelta(minutes=COUNT - n) - (timedelta(days=7) if n < 1000 else timedelta())
        found.append(
            Reading(device="lvl-0", metric="level", value=n, at=at, received_at=at, sent_at=at)
        )
    at = START - timedelta(seconds=10)
    found += [
        Reading(device="lvl-1", metric="ph", value=n, at=at, received_at=at, boot=3, seq=n)
        for n in range(3)
    ]
    return found


async def results(client: Any, path: str) -> list[float]:
    found: list[float] = []
    next_: str | None = quote(path, safe="/?&=$(),':;@")
    while next_ is not None:
        answer = await client.get(next_)
        told = await answer.json()
        assert answer.status == 200, told
        found += [one["result"] for one in told["value"]]
        parts = urlsplit(told.get("@iot.nextLink", ""))
        next_ = f"{parts.path}?{parts.query}" if parts.path else None
    return found


@pytest.mark.slow
def test_what_is_stored_is_paged_both_ways(pg_dsn: str, tmp_path: Path) -> None:
    settings = StoreSettings()
    writer = PgWriter(pg_dsn, "/gridsentry/wenhui", settings)
    epoch = writer.acquire("w", "me", START, 60.0)
    assert epoch is not None
    writer.commit(Batch(writer="w", number=1, epoch=epoch, at=START, readings=readings()))
    writer.close()
    roll(pg_dsn, START, settings)
    desk = PgDesk(pg_dsn, settings)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        await desk.open()
        yield
        await desk.close()

    async def run() -> None:
        app = make_app(
            desk, town(), CenterSettings(port=0), clock=ManualClock(START),
            evidence_dir=tmp_path, originals_dir=tmp_path,
            health=lambda: {"ready": True, "reasons": []}, registry=CollectorRegistry(),
            lifespans=[opened],
        )  # fmt: skip
        async with TestClient(TestServer(app)) as client:
            wanted = [float(n) for n in range(COUNT)]
            down = "$orderby=phenomenonTime desc"
            assert await results(client, f"{STREAM}?$top=700") == wanted
            assert await results(client, f"{STREAM}?$top=700&{down}") == wanted[::-1]
            some = f"{STREAM}?{down}&$top=3&$filter=result ge 995 and result lt 1005"
            assert await results(client, some) == wanted[1004:994:-1]
            told = await (await client.get("/sta/v1.1/Datastreams")).json()
            assert [one["@iot.id"] for one in told["value"]] == ["lvl-0:level", "lvl-1:ph"]
            whole = await results(client, "/sta/v1.1/Observations?$top=1000")
            assert whole == [*wanted, 0.0, 1.0, 2.0]
            count = await (await client.get(f"{STREAM}?$count=true&$top=1")).json()
            assert count["@iot.count"] == COUNT

    asyncio.run(run())
