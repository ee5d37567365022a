"""A detector with a fault is left out; the others, and what is stored, go on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from contracts.batch import SiteSnapshot
from contracts.detector import Site, Spec
from contracts.event import Event
from contracts.nouns import Reading
from detectors import flooding, sensor_silent
from detectors._common.sample import city, device, reading
from gridsentry.engine.book import EventBook
from gridsentry.engine.engine import Engine
from gridsentry.engine.roster import Roster
from gridsentry.engine.runner import SiteRunner
from ingest.screen import Screen
from router.engine import GridRouter


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing to set."""


class Brittle:
    """Fails on the value 13, and asks for a wake-up that it cannot take at 14."""

    def __init__(self) -> None:
        self._wake: datetime | None = None

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        if item.value == 13:
            raise ZeroDivisionError("thirteen")
        if item.value == 14:
            self._wake = item.received_at
        return ()

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        raise RuntimeError(f"woken at {now}")

    def wake_at(self) -> datetime | None:
        return self._wake

    def snapshot(self) -> bytes:
        return b"good"


def spec() -> Spec[Config]:
    def sites(town: Any, _cfg: Config) -> Iterable[Site]:
        for one in town.devices.values():
            yield Site(id=one.id, district="d", point=one.point, devices=(one,))

    return Spec(
        kind="flooding",
        consumes=(Reading,),
        metrics=frozenset({"depth"}),
        config=Config,
        sites=sites,
        build=lambda _cfg, _site, _saved: Brittle(),
    )


@pytest.mark.parametrize("value", [13, 14])
def test_a_failing_detector_is_left_out_and_says_so(value: float) -> None:
    town = city(devices={"a": device("a"), "b": device("b")})
    engine = Engine(
        town,
        Roster(town, {"flooding": spec()}, {}),
        EventBook(GridRouter(town).place),
        GridRouter(town),
        Screen(),
    )
    engine.drain()
    for t, name, said in ((0, "a", 1.0), (10, "a", value), (20, "b", 1.0), (30, "a", 1.0)):
        one = reading(name, "depth", said, t)
        engine.advance(one.received_at)
        engine._reading(one)
    draft = engine.drain(snapshot_all=True)
    assert len(draft.readings) == 4, "what it failed on is stored all the same"
    (failure,) = engine.failures()
    assert "flooding at a" in failure
    assert [s.site for s in draft.snapshots] == ["b"], "its last good snapshot stands"


def test_a_detector_that_would_stop_time_is_left_out() -> None:
    class Stuck(Brittle):
        def on_time(self, _now: datetime, /) -> Iterable[Event]:
            return ()

    town = city(devices={"a": device("a")})
    kind = spec()
    kind.build = lambda _cfg, _site, _saved: Stuck()
    (site,) = kind.sites(town, Config())
    runner = SiteRunner(kind, Config(), site, 0, None)
    one = reading("a", "depth", 14.0, 0)
    runner.put(one)
    assert runner.wake(one.received_at) == []
    assert runner.failure is not None
    assert "asked to be woken" in runner.failure
    assert runner.wake_at() is None


def test_a_snapshot_nobody_can_read_any_more_keeps_nobody_from_starting() -> None:
    town = city(devices={"a": device("a", metrics=("depth",), reports_every_s=60.0)})
    kinds: tuple[Spec[Any], ...] = (flooding.SPEC, sensor_silent.SPEC)
    for kind in kinds:
        cfg = kind.config()
        site = next(iter(kind.sites(town, cfg)))
        stale = SiteSnapshot(kind.kind, site.id, b"of another version", b"also")
        runner = SiteRunner(kind, cfg, site, 0, stale)
        assert not runner.resumed, "a fresh snapshot is due in the first batch"
        runner.put(reading("a", "depth", 0.1, 0))
        assert SiteRunner(kind, cfg, site, 0, runner.snapshot()).resumed
