"""The whole service stands still for 12 s, as on a machine that suspends: nothing is lost."""

from __future__ import annotations

import signal
import time

import pytest

from tests.rig import Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("broker")]

RATE = 300
FROZEN_S = 12.0


def test_frozen_for_12_seconds_nothing_is_lost_or_doubled(stage: Stage) -> None:
    write_city(stage.city, [drain(f"s-{i}", i) for i in range(10)])
    service = stage.service()
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    began = now_ms()
    steady = stage.steady(
        RATE, lambda n: gateway.telemetry(f"s-{n % 10}", began + n * 1000 // RATE, depth=0.01)
    )
    eventually(lambda: stage.count("readings") > RATE, timeout=60)
    service.signal(signal.SIGSTOP)
    time.sleep(1)
    stood = stage.count("readings")
    time.sleep(FROZEN_S - 1)
    assert stage.count("readings") == stood, "it is frozen"
    service.signal(signal.SIGCONT)
    eventually(lambda: stage.count("readings") > stood + FROZEN_S * RATE, timeout=60)
    count = steady.stop()
    assert gateway.settle() == count
    stage.all_stored(count)
    service.wait_ready()
    assert service.stop() == 0
