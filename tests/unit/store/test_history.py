"""History answers alike in memory and on PostgreSQL, however its roll-ups came to be."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.history import RESOLUTIONS, Stretch, TooMuch
from store.rollups import roll
from tests.unit.store.makes import at, batch, reading
from tests.unit.store.twins import SETTINGS, Twin

NOW = at(0) + timedelta(days=3)


def asked(twin: Twin, resolution: str, *, limit: int = 10_000, **changed: Any) -> list[Stretch]:
    async def run() -> list[Stretch]:
        desk = twin.desk()
        await desk.open()
        try:
            given: dict[str, Any] = {
                "devices": ["lvl-7", "lvl-8"], "metrics": [], "since": at(0) - timedelta(days=1),
                "until": NOW, "zone": "Asia/Shanghai",
            } | changed  # fmt: skip
            return await desk.history.stretches(
                given["devices"],
                given["metrics"],
                given["since"],
                given["until"],
                resolution,
                zone=given["zone"],
                limit=limit,
            )
        finally:
            await desk.close()

    return asyncio.run(run())


def moments(stretch: Stretch) -> list[datetime]:
    return [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t) for t in stretch.times]


def rolled(twin: Twin) -> None:
    if twin.dsn is not None:
        roll(twin.dsn, NOW, SETTINGS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_late_and_early_readings_reach_their_buckets_whenever_it_is_rolled(
    twin: Twin, seed: int
) -> None:
    rng = random.Random(seed)
    writer = twin.writer()
    truth: dict[tuple[str, str, datetime], float] = {}
    epoch = writer.acquire("w", "h", at(0), 60.0) or 1
    for number in range(12):
        some = []
        for _ in range(rng.randrange(1, 40)):
            moment = at(round(rng.uniform(0, 2 * 86_400), 3))
            device, metric = rng.choice(["lvl-7", "lvl-8"]), rng.choice(["level", "depth"])
            value = round(rng.uniform(0, 3), 3)
            if truth.setdefault((device, metric, moment), value) == value:
                some.append(
                    reading(0, value, device=device, metric=metric, at=moment, sent_at=moment)
                )
        writer.commit(batch(number, epoch=epoch, readings=some))
        if rng.random() < 0.5:
            rolled(twin)
    rolled(twin)
    rolled(twin)
    for resolution in RESOLUTIONS:
        told = asked(twin, resolution)
        assert sum(sum(s.counts or [1] * len(s.times)) for s in told) == len(truth)
        for stretch in told:
            mine = {k[2]: v for k, v in truth.items() if k[:2] == (stretch.device, stretch.metric)}
            if stretch.counts is None:
                assert dict(zip(moments(stretch), stretch.values, strict=True)) == mine
                continue
            assert stretch.low is not None and stretch.high is not None
            assert min(stretch.low) == min(mine.values())
            assert max(stretch.high) == max(mine.values())
            total = sum(v * n for v, n in zip(stretch.values, stretch.counts, strict=True))
            assert total == pytest.approx(sum(mine.values()))
            assert stretch.times == sorted(set(stretch.times))


def one(twin: Twin, *moments: datetime) -> None:
    writer = twin.writer()
    epoch = writer.acquire("w", "h", at(0), 60.0) or 1
    readings = [reading(0, n + 1.0, at=m, sent_at=m) for n, m in enumerate(moments)]
    writer.commit(batch(0, epoch=epoch, readings=readings))
    rolled(twin)


def test_a_day_is_the_city_s(twin: Twin) -> None:
    evening = datetime(2026, 1, 10, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai
    one(twin, evening, evening + timedelta(hours=1))
    period: dict[str, Any] = {
        "since": evening - timedelta(days=2),
        "until": evening + timedelta(days=2),
    }
    (here,) = asked(twin, "1d", **period)
    assert moments(here) == [
        datetime(2026, 1, 9, 16, tzinfo=UTC), datetime(2026, 1, 10, 16, tzinfo=UTC),
    ]  # fmt: skip
    (there,) = asked(twin, "1d", zone="UTC", **period)
    assert moments(there) == [datetime(2026, 1, 10, tzinfo=UTC)]
    assert there.values == [1.5] and there.counts == [2]


def test_only_what_was_asked_for_comes(twin: Twin) -> None:
    one(twin, at(0), at(60), at(120))
    assert asked(twin, "raw", devices=["other"]) == []
    assert asked(twin, "1m", metrics=["depth"]) == []
    (some,) = asked(twin, "raw", since=at(60), until=at(120))
    assert moments(some) == [at(60)]
    with pytest.raises(TooMuch):
        asked(twin, "raw", limit=2)


def test_devices_that_measure_something_are_known(twin: Twin) -> None:
    one(twin, at(0))

    async def run() -> tuple[list[str], list[str], list[str]]:
        desk = twin.desk()
        await desk.open()
        try:
            ask = desk.history.measured
            return (
                await ask("level", at(0) - timedelta(hours=1)),
                await ask("level", at(0) + timedelta(hours=2)),
                await ask("flow", at(0) - timedelta(hours=1)),
            )
        finally:
            await desk.close()

    assert asyncio.run(run()) == (["lvl-7"], [], [])
