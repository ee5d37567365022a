"""Green means ready: from then on nothing that is published is lost."""

from __future__ import annotations

import json
import time

import pytest

from tests.rig import Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("input")]


def test_green_only_once_it_writes_and_is_subscribed(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0")])
    service = stage.service(core={"lease_s": 0.5})
    service.start()
    told: list[str] = []

    def green() -> bool:
        status, text = service.readyz()
        if status == 503:
            told.append(text)
        return status == 200

    eventually(green, timeout=90, every=0.002)
    seen = json.loads(service.readyz()[1])
    gateway = stage.gateway()
    gateway.telemetry("s-0", now_ms(), depth=0.01)
    gateway.settle()
    service.kill()
    service.start()
    stage.all_stored(1)
    assert [core["active"] for core in seen["cores"].values()] == [True]
    sessions = seen["sessions"].values()
    assert [(s["connected"], s["subscribed"]) for s in sessions] == [(True, True)] * 2
    assert told, "it was asked early enough to see it red"


def test_strange_but_readable_values_stop_nothing(stage: Stage) -> None:
    """Zero, huge, tiny, long ago, far ahead: stored, marked, and no detector falls over."""
    metrics = ["level", "depth", "flow", "rain_rate", "pressure", "tilt", "tension", "strange"]
    metrics += ["voltage_a", "current_a", "lamp_current", "sound_level", "battery", "last_gasp"]
    kinds = ["drain", "manhole", "hydrant", "line", "pole", "lamp", "microphone"]
    rows = [
        f"s-{i},d1,{kind},{118.005 + 0.004 * i:.4f},26.05,water,s-{i},5,{';'.join(metrics)}"
        for i, kind in enumerate(kinds)
    ]
    write_city(stage.city, rows)
    service = stage.service()
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    now = now_ms()
    day = 86_400_000
    times: list[str | int] = [
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 0, -1, now, now + 119_000, now - 6 * day,
        now - 8 * day, now - 1, now + 1,
    ]  # fmt: skip
    values = [0.0, -0.0, 1e12, -1e12, 1e-300, -1e-300, 0.1, 1e6, -1e6, 5e-324]
    for device in range(len(kinds)):
        for n, ts in enumerate(times):
            m = {metric: values[(n + i) % len(values)] for i, metric in enumerate(metrics)}
            gateway.publish(
                f"gridsentry/v1/feed/d1/s-{device}/telemetry",
                json.dumps({"ts": ts, "seq": n, "m": m}),
            )
    for n in range(20):  # an ordinary flood after all that
        for device in range(len(kinds)):
            gateway.telemetry(f"s-{device}", now + 100 + n, depth=0.03 * n)
    gateway.settle()
    stage.all_stored(len(kinds) * (len(times) * len(metrics) + 20))
    time.sleep(1)
    status, text = service.readyz()
    assert status == 200, text
    assert service.stop() == 0
    assert "Traceback" not in service.said(), service.tail()
