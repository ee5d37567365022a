"""`gridsentry plot` of a flood that a service took from the broker: while it runs and after."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.rig import Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("input")]


def test_the_service_and_its_database_draw_the_same_flood(stage: Stage, tmp_path: Path) -> None:
    write_city(stage.city, [drain("s-0")])
    service = stage.service()
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    now = now_ms()
    for minute in range(120):
        depth = 0.35 / (1 + math.exp((100 - minute) / 4))
        gateway.telemetry("s-0", now - 60_000 * (119 - minute), depth=round(depth, 3))
    gateway.settle()
    (ticket,) = eventually(lambda: service.items("/api/v1/tickets?kind=flooding"), timeout=60)

    answered = service.fetch(f"/api/v1/tickets/{ticket['id']}/plot.svg?width=960&lang=en").decode()
    for wanted in ('class="line"', 'class="alarm"', "0.27 m"):
        assert wanted in answered
    for number, (id_, running) in enumerate(((ticket["id"], True), (ticket["incident"], False))):
        if not running:
            assert service.stop() == 0
        out = tmp_path / f"{number}.svg"
        done = service.command("plot", id_, "-o", str(out), "--width", "960", "--lang", "en")
        assert done.returncode == 0, done.stderr
        assert out.read_text() == answered, "the database tells what the service told"
    unknown = service.command("plot", "t-nobody")
    assert unknown.returncode == 1
    assert "no ticket, incident or event 't-nobody'" in unknown.stderr
