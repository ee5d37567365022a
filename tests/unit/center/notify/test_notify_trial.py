"""A test message tells whether a target takes anything."""

from __future__ import annotations

import asyncio

import pytest

from center.notify.settings import Target
from center.notify.trial import trial
from contracts.clock import SystemClock
from tests.unit.center.notify.post_office import Receiver
from tests.unit.center.scene import town


@pytest.mark.parametrize("how", ["webhook", "apprise"])
@pytest.mark.parametrize(("status", "fault"), [(200, None), (404, "404"), (503, "503")])
def test_a_test_message_says_what_became_of_it(how: str, status: int, fault: str | None) -> None:
    async def send() -> tuple[str | None, Receiver]:
        receiver = Receiver()
        receiver.status["x"] = [status]
        async with receiver.open():
            url = receiver.url("x", "http" if how == "webhook" else "json")
            target = Target(name="x", url=url, how=how, lang="both")  # type: ignore[arg-type]
            return await trial(target, 5.0, town(), SystemClock()), receiver

    said, receiver = asyncio.run(send())
    if fault is None:
        assert said is None
        said_there = str(receiver.got[0].json)
        assert "测试消息" in said_there if how == "apprise" else "gridsentry.test" in said_there
    else:
        assert said is not None
        assert fault in said
