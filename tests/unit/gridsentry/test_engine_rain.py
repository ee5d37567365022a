"""The engine tells the router when time begins and when it rains."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.case import Change, Ticket
from contracts.governance import Patrol
from contracts.nouns import Reading
from gridsentry.engine.rooms import build_engine
from router.settings import RouterSettings
from tests.scenarios.governed import governed

START = datetime(2026, 7, 10, 0, 0, tzinfo=UTC)
RAIN = Patrol(id="r", name_zh="雨", name_en="r", assets=("road-1",), when="rain")
CLOCK = Patrol(id="c", name_zh="钟", name_en="c", assets=("road-1",), at=("08:30",))


def reading(metric: str, value: float, quality: int = 0) -> Reading:
    at = START + timedelta(seconds=60)
    return Reading(
        device="rain-1",
        metric=metric,
        at=at,
        received_at=at,
        value=value,
        sent_at=at,
        seq=None,
        quality=quality,
    )


def rounds(engine: Any) -> list[str]:
    return [ticket.reason["patrol"]["id"] for ticket in opened(engine)]


def opened(engine: Any) -> list[Ticket]:
    changes = [c for c in engine.drain().changes if isinstance(c, Change)]
    return [c.body for c in changes if c.change == "opened" and isinstance(c.body, Ticket)]


@pytest.mark.parametrize(
    ("metric", "value", "called"),
    [
        ("rain_rate", 12.0, ["r"]),
        ("rain_forecast", 12.0, ["r"]),
        ("rain_rate", 2.0, []),
        ("temperature", 12.0, []),
    ],
)
def test_rain_calls_for_a_round(metric: str, value: float, called: list[str]) -> None:
    engine = build_engine(governed(patrols=(RAIN,)), RouterSettings(), {})
    engine.advance(START)
    engine._reading(reading(metric, value))
    assert rounds(engine) == called


def test_where_another_process_decides_nobody_is_told_here() -> None:
    engine = build_engine(governed(patrols=(RAIN, CLOCK)), RouterSettings(), {}, routes=False)
    engine.advance(START + timedelta(hours=1))
    engine._reading(reading("rain_rate", 12.0))
    assert rounds(engine) == []


def test_rounds_by_the_clock_need_no_message() -> None:
    engine = build_engine(governed(patrols=(CLOCK,)), RouterSettings(), {})
    engine.advance(START)
    assert engine.router.wake_at() == START + timedelta(minutes=30)
    engine.advance(START + timedelta(hours=1))
    assert rounds(engine) == ["c"]


def test_a_round_that_was_missed_is_opened_when_the_service_starts() -> None:
    engine = build_engine(governed(patrols=(CLOCK,)), RouterSettings(), {})
    begun = START + timedelta(minutes=45)
    engine.advance(begun)
    (ticket,) = opened(engine)
    assert ticket.opened_at == begun
