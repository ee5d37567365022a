"""A detector that sees less than it should says so: once in the log, and as a metric."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import msgspec
import pytest
from prometheus_client import generate_latest

from contracts.detector import Site, Spec
from contracts.nouns import Frame, Reading
from detectors import sensor_silent
from detectors._common.sample import city, device
from gridsentry.engine.runner import SiteRunner
from gridsentry.live.conditions import Conditions
from gridsentry.metrics import Metrics


class Nothing(msgspec.Struct, frozen=True):
    """No settings."""


class Moody:
    """Says what it is told to say."""

    said: str | None = None

    def __init__(self, _cfg: Nothing, _site: Site, _snapshot: bytes | None) -> None:
        pass

    def on_item(self, _item: Frame, /) -> list[Any]:
        return []

    def on_time(self, _now: datetime, /) -> list[Any]:
        return []

    def wake_at(self) -> None:
        return None

    def snapshot(self) -> bytes:
        return b""

    def condition(self) -> str | None:
        return self.said


def test_each_change_is_logged_once_and_shown_as_a_metric(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = device("cam")
    site = Site(id="cam", district="d", point=one.point, devices=(one,))
    spec: Spec[Nothing] = Spec(
        kind="high_altitude_throw",
        consumes=(Frame,),
        config=Nothing,
        sites=lambda *_: (site,),
        build=Moody,
    )
    runner = SiteRunner(spec, Nothing(), site, 0, None)
    metrics = Metrics()
    conditions = Conditions(metrics)
    name = 'gridsentry_detector_degraded{kind="high_altitude_throw",site="cam"}'
    shown = []
    with caplog.at_level(logging.INFO):
        for said in (None, "rain: only things of 12 px and more", "rain: only things", None, None):
            monkeypatch.setattr(Moody, "said", said)
            conditions.look([runner])
            lines = generate_latest(metrics.registry).decode().splitlines()
            shown.append([line.split()[-1] for line in lines if line.startswith(name)])
    assert shown == [[], ["1.0"], ["1.0"], ["0.0"], ["0.0"]]
    assert [r.levelname for r in caplog.records] == ["WARNING", "WARNING", "INFO"]
    assert "rain: only things of 12 px and more" in caplog.text


def test_a_detector_that_says_nothing_is_well_and_one_left_out_is_not() -> None:
    spec = sensor_silent.SPEC
    (site,) = spec.sites(city(devices={"d": device("d", reports_every_s=60.0)}), spec.config())
    runner = SiteRunner(spec, spec.config(), site, 0, None)
    assert Reading in spec.consumes and runner.condition() is None
    runner.failure = "detector sensor_silent failed"
    assert runner.condition() == "detector sensor_silent failed"
