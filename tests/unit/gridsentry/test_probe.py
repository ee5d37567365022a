"""A process without pages still says how it is."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from contracts.errors import Wrong
from gridsentry.live.probe import Probe
from gridsentry.metrics import Metrics


def get(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_it_tells_health_readiness_and_metrics() -> None:
    told: dict[str, Any] = {"ready": False, "reasons": ["no broker"]}
    metrics = Metrics()
    metrics.batches.inc()
    probe = Probe("127.0.0.1", 0, lambda: told, metrics.registry)
    probe.start()
    try:
        assert get(probe.port, "/healthz")[0] == 200
        code, body = get(probe.port, "/readyz")
        assert (code, json.loads(body)["reasons"]) == (503, ["no broker"])
        told["ready"] = True
        assert get(probe.port, "/readyz")[0] == 200
        assert b"gridsentry_batches_total 1.0" in get(probe.port, "/metrics")[1]
        assert get(probe.port, "/api/v1/tickets")[0] == 404
        with pytest.raises(Wrong, match="probe_port"):
            Probe("127.0.0.1", probe.port, lambda: told, metrics.registry)
    finally:
        probe.stop()
