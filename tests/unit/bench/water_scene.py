"""A row of five manholes with sensors, and what is said of them by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bench.water.watch import Episode, Known
from contracts.city import City, DrainNetwork, Node, Pipe
from contracts.clock import iso
from contracts.event import Event, Place
from contracts.geo import Point
from contracts.nouns import Reading
from detectors._common.sample import START, city, device
from simulators.water.take import Blockage, Fault, Order, Overflow, Take

HOUR = 3600.0
PLACE = Point(120.0, 30.0)


def row(length: int = 12) -> City:
    """`n0` → `n1` → …, each 2 m deep, a sensor `lv-k` in each of the first five."""
    nodes = {f"n{k}": Node(id=f"n{k}", point=PLACE, invert_m=1.0, rim_m=3.0) for k in range(length)}
    pipes = {
        f"p{k}": Pipe(id=f"p{k}", from_=f"n{k}", to=f"n{k + 1}", path=(PLACE, PLACE))
        for k in range(length - 1)
    }
    devices = {f"lv-{k}": device(f"lv-{k}", type="level", metrics=("level",)) for k in range(5)}
    return city(devices=devices, drains=DrainNetwork(nodes=nodes, pipes=pipes))


def take(
    *,
    overflows: Sequence[tuple[str, float, float]] = (),
    blockages: Sequence[tuple[str, float, float | None]] = (),
    faults: Sequence[tuple[str, str, float, float]] = (),
    hours: float = 12.0,
    level: float = 0.1,
) -> Take:
    """Level readings every five minutes; truths as (name, hours, hours)."""

    def at(when: float) -> Any:
        return START + timedelta(hours=when)

    town = row()
    readings = [
        Reading(name, "level", level, at(minute / 60), at(minute / 60), at(minute / 60))
        for minute in range(0, round(60 * hours) + 1, 5)
        for name in town.devices
    ]
    return Take(
        order=Order(seed=1, network="town", hours=hours),
        city=town,
        readings=tuple(readings),
        overflows=tuple(
            Overflow(node=n, begin=at(b), end=at(e), peak_m=2.1) for n, b, e in overflows
        ),
        blockages=tuple(
            Blockage(pipe=p, begin=at(b), full=at(b + 1), lost=0.9, effect=at(b + 0.5),
                     sensed=None if s is None else at(s))
            for p, b, s in blockages
        ),
        faults=tuple(
            Fault(device=d, metric="level", what=w, begin=at(b), end=at(e)) for d, w, b, e in faults
        ),
        sensed={f"lv-{k}": f"n{k}" for k in range(5)},
    )  # fmt: skip


def episode(
    kind: str, device: str, begin: float, end: float | None = None, **evidence: Any
) -> Episode:
    """Opened and closed at these hours, saying this."""

    def event(rev: int, phase: Any) -> Event:
        return Event(
            id=f"{kind}-{device}-{begin}", rev=rev, kind=kind, site=device, device=device,
            at=START, severity=3, place=Place(120.0, 30.0), phase=phase, evidence=evidence,
        )  # fmt: skip

    known = [Known(begin * HOUR, event(1, "opened"))]
    if end is not None:
        known.append(Known(end * HOUR, event(2, "closed")))
    return Episode(kind=kind, site=device, device=device, revisions=known)


def overflow_at(low: float, best: float, high: float) -> dict[str, str]:
    """A forecast, hours."""
    return {
        key: iso(START + timedelta(hours=when))
        for key, when in (("low", low), ("at", best), ("high", high))
    }
