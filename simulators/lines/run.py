"""`take`: one order run to the end, readings and truth apart."""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from contracts.errors import Wrong
from simulators.dice import between, dice
from simulators.lines import drawn, files
from simulators.lines.confuse import confused, other_work
from simulators.lines.course import Stretch
from simulators.lines.engine import Engine, context
from simulators.lines.install import install
from simulators.lines.reports import report
from simulators.lines.scene import Scene, broken
from simulators.lines.sway import Sway
from simulators.lines.take import BREAKS, CONFOUNDERS, Order, Take

FEEDERS = ("ieee123", "ieee13", "town", "village")
MONITORS = ("everywhere", "leaves", "some")
_FIRST = datetime(2026, 1, 5, tzinfo=UTC)
_built: dict[tuple[str, Path | None], Engine] = {}
_drawn: dict[tuple[str, int], Engine] = {}
_contexts: list[Any] = []
_lock = threading.Lock()


def take(order: Order, feeders: Path | None = None) -> Take:
    """Run an order: the same order gives the same take, to the last digit.

    `feeders` is the folder with the OpenDSS files (`ieee123`, `ieee13`); drawn feeders need none.
    Beside it, `lorawan_field` is where wind is resampled from when it is there.
    Takes in threads wait for one another. Raises Wrong for an order that cannot be run, an unknown
    feeder, and when the engine is not installed.
    """
    check(order)
    with _lock:
        engine = _engine(order, feeders)
        rng = dice(order.seed, "lines", order.feeder, order.happening, order.monitors)
        model = engine.model
        installed = install(order, model)
        begin = begin_of(order)
        scene = Scene()
        if order.happening in BREAKS:
            scene = broken(order, model, installed.city.lines[0], begin, rng)
        elif order.happening is not None:
            scene = confused(order, model, installed, begin, rng)
        if not scene.works:
            scene = msgspec.structs.replace(scene, works=other_work(order, model, begin, rng))
        usual = {name: math.exp(rng.normal(-0.03, 0.25)) for name in engine.loads()}
        engine.share(usual)
        sway = Sway.read(feeders.parent / "lorawan_field" if feeders is not None else None)
        told = report(
            Stretch(
                order=order,
                begin=begin,
                engine=engine,
                installed=installed,
                scene=scene,
                demand=between(rng, (0.85, 1.15)),
                sway=sway,
            ),
            rng,
        )
    return Take(
        order=order,
        city=msgspec.structs.replace(installed.city, works=scene.works),
        items=told.items,
        breaks=scene.breaks,
        confounders=scene.confounders,
        first_word=told.first_word,
        showing=told.showing,
    )


def check(order: Order) -> None:
    """Refuse an order that cannot be run, saying what is allowed. Raises Wrong."""
    happenings = (None, *BREAKS, *CONFOUNDERS)
    rules: tuple[tuple[str, bool, str], ...] = (
        ("feeder", order.feeder in FEEDERS, ", ".join(FEEDERS)),
        ("happening", order.happening in happenings, ", ".join(map(str, happenings))),
        ("monitors", order.monitors in MONITORS, ", ".join(MONITORS)),
        ("before_s", 10 <= order.before_s <= 86_400, "10 to 86400"),
        ("after_s", 10 <= order.after_s <= 86_400, "10 to 86400"),
        ("reports_s", 1 <= order.reports_s <= 3600, "1 to 3600"),
        ("loss", 0 <= order.loss < 1, "0 to below 1"),
        ("delay_s", 0 < order.delay_s <= 60, "above 0, up to 60"),
    )
    for name, good, allowed in rules:
        if not good:
            raise Wrong(f"lines: {name}", f"{getattr(order, name)}", allowed)


def begin_of(order: Order) -> datetime:
    """When the take begins: any second of any day of 2026."""
    rng = dice(order.seed, "lines", order.feeder, "begin")
    return _FIRST + timedelta(days=int(rng.integers(350)), seconds=int(rng.integers(86_400)))


def _engine(order: Order, feeders: Path | None) -> Engine:
    """The built feeder: one from files is kept; drawn ones follow one another in one context,
    because making a context takes longer than drawing, building and solving a feeder."""
    if order.feeder in files.FILES:
        key = (order.feeder, feeders)
        if key not in _built:
            _built[key] = Engine(files.read(order.feeder, feeders))
        return _built[key]
    if not _contexts:
        _contexts.append(context())
    if (order.feeder, order.seed) not in _drawn:
        _drawn.clear()
        draw = drawn.town if order.feeder == "town" else drawn.village
        _drawn[order.feeder, order.seed] = Engine(draw(order.seed), _contexts[0])
    return _drawn[order.feeder, order.seed]
