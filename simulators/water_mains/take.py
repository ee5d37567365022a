"""A finished run of a town's hydrants: readings for detectors, truth for whoever scores them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import Device
from contracts.nouns import Reading
from simulators.dice import dice
from simulators.layout import Lattice
from simulators.water_mains import engine, network
from simulators.water_mains.engine import STEP_S, Trouble

START = datetime(2026, 7, 6, 16, 0, tzinfo=UTC)
"""Midnight in the town (UTC+8), a Monday to Tuesday."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One run: everything else follows from the seed."""

    seed: int
    hours: float = 48.0
    trouble: str | None = None
    """One of `engine.TROUBLES`, in the second half of the run; None: nothing happens."""
    lasts_s: float = 7200.0
    reports_s: float = 60.0
    hammer_s: float = 120.0
    """Seconds a day in which the pressure rings (water hammer); a report that falls into them
    says anything between a tenth and 1.7 times the pressure."""
    lost: float = 0.01
    """Share of the reports that never arrive."""


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    order: Order
    mains: network.Mains
    devices: tuple[Device, ...]
    readings: tuple[Reading, ...]
    """In the order of receipt."""
    trouble: Trouble | None
    begin: datetime | None
    end: datetime | None
    missing: dict[str, float]
    """Hydrant → the most it lacked of its pressure without the trouble, kPa."""


def take(order: Order) -> Take:
    """Run it. Raises Wrong when the engine is not installed."""
    mains = network.build(order.seed, Lattice(order.seed))
    rng = dice(order.seed, "hydrants", order.trouble or "")
    trouble = _trouble(order, mains, rng)
    calm = engine.run(mains, order.seed, order.hours, 0.0)
    real = calm
    if trouble is not None:
        real = engine.run(mains, order.seed, order.hours, 0.0, (trouble,))
    readings: list[Reading] = []
    for name in mains.hydrants:
        readings += _reports(name, real[name], order, rng)
    readings.sort(key=lambda r: (r.received_at, r.device))
    return Take(
        order=order,
        mains=mains,
        devices=network.devices(mains, order.reports_s),
        readings=tuple(readings),
        trouble=trouble,
        begin=START + timedelta(seconds=trouble.begin_s) if trouble else None,
        end=START + timedelta(seconds=trouble.end_s) if trouble else None,
        missing={n: float(np.max(calm[n] - real[n])) for n in mains.hydrants},
    )


def _trouble(order: Order, mains: network.Mains, rng: np.random.Generator) -> Trouble | None:
    if order.trouble is None:
        return None
    begin = round(float(rng.uniform(0.55, 0.8)) * order.hours * 3600)
    hydrants = sorted(mains.hydrants)
    where, size = "", 0.0
    if order.trouble == "main_break":
        where = sorted(mains.pipes)[int(rng.integers(len(mains.pipes)))]
        size = float(rng.uniform(0.012, 0.03))
    elif order.trouble == "hydrant_open":
        where, size = hydrants[int(rng.integers(len(hydrants)))], float(rng.uniform(0.003, 0.005))
    elif order.trouble == "valve_shut":
        where = hydrants[int(rng.integers(len(hydrants)))]
    return Trouble(
        what=order.trouble, where=where, begin_s=begin, end_s=begin + order.lasts_s, size=size
    )


def _reports(
    name: str, series: NDArray[np.float32], order: Order, rng: np.random.Generator
) -> list[Reading]:
    """What the gauge says: noise, a fixed error, now and then a water hammer, losses, lateness."""
    error = float(rng.normal(0, 3.0))
    last = (len(series) - 1) * STEP_S
    hammer_p = order.hammer_s / 86400
    t = float(rng.uniform(0, order.reports_s))
    found, seq = [], 0
    while t < last:
        k = int(t // STEP_S)
        part = t / STEP_S - k
        kpa = float(series[k]) * (1 - part) + float(series[k + 1]) * part
        value = kpa + (error if kpa > 10 else 0.3) + float(rng.normal(0, 1.5))
        if rng.random() < hammer_p:
            value = kpa * float(rng.uniform(0.1, 1.7))
        seq += 1
        if rng.random() >= order.lost:
            at = START + timedelta(milliseconds=round(t * 1000))
            received = at + timedelta(milliseconds=round(float(rng.uniform(200, 1500))))
            value = round(max(value, 0.0), 1)
            found.append(Reading(name, "pressure", value, at, received, sent_at=at, seq=seq))
        t += order.reports_s * float(rng.uniform(0.97, 1.03))
    return found
