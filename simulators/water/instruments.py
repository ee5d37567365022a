"""Instruments and their gateways: true values become readings, with all that goes wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.nouns import Quality, Reading
from simulators.dice import between, dice
from simulators.water.faults import Ill, plan
from simulators.water.take import Order, Outage

Truth = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""The true value at seconds from the first reading on."""
_AHEAD_S, _BEHIND_S = 120.0, 7 * 86_400.0
"""Between these the device's clock is believed; otherwise the time of arrival takes effect."""
_LOST_P = 0.003
"""Share of reports lost on the radio."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor as installed."""

    device: str
    metric: str
    gateway: str
    noise: float
    """Standard deviation of one reading, in the metric's unit."""
    step: float
    """Resolution."""
    offset: float
    """What was wrong when it was levelled in."""
    top: float
    """A value it cannot exceed while healthy (span of the instrument)."""
    room: float
    """What a fault is measured by: depth of the manhole, full flow of the pipe."""


def report_times(order: Order, device: str) -> NDArray[np.float64]:
    """When a device measures, seconds from the begin on: its own pace, with jitter, some lost."""
    rng = dice(order.seed, "water", order.network, "pace", device)
    every = order.reports_s * between(rng, (0.98, 1.02))
    count = int(order.hours * 3600 / every)
    times = every * (np.arange(count) + rng.random()) + rng.normal(0, 0.01 * every, count)
    times = np.clip(times, 0, order.hours * 3600)
    return np.asarray(times[rng.random(count) >= _LOST_P])


def measure(
    order: Order,
    instrument: Instrument,
    truth: Truth,
    start: datetime,
    outages: tuple[Outage, ...],
    ill: Ill | None,
) -> tuple[list[Reading], bool]:
    """The readings of one instrument, and whether `ill` is to be seen in them.

    With `ill` the values, times or presence of readings within the fault change, and of no other:
    the healthy numbers come of random streams of their own. A fault that changes next to nothing
    (a sensor of a dry pipe stuck at its zero) is none: the healthy readings come out.
    """
    rng = dice(order.seed, "water", order.network, "noise", instrument.device, instrument.metric)
    times = report_times(order, instrument.device)
    values = truth(times) + instrument.offset + rng.normal(0, instrument.noise, len(times))
    values = np.clip(values, 0.0 if instrument.metric != "flow" else -math.inf, instrument.top)
    late = np.minimum(0.2 + rng.exponential(1.5, len(times)), 30.0)
    slow = rng.random(len(times)) < 0.004  # a repeat after a collision
    late[slow] += rng.uniform(5.0, 90.0, int(slow.sum()))
    values = np.round(values / instrument.step) * instrument.step
    skew = np.zeros(len(times))
    stay = np.ones(len(times), np.bool_)
    shown = False
    if ill is not None:
        wrong, ahead, there = ill.apply(times, values)
        wrong = np.round(wrong / instrument.step) * instrument.step
        if ill.shows(times, (wrong != values) | (ahead != 0) | ~there):
            shown, values, skew, stay = True, wrong, ahead, there
    digits = max(0, -math.floor(math.log10(instrument.step)) + 1)
    readings: list[Reading] = []
    seq = int(rng.integers(0, 50_000))
    for k, (t, value) in enumerate(zip(times, values, strict=True)):
        seq += 1
        if not stay[k]:
            continue
        measured = start + timedelta(milliseconds=round(1000 * float(t)))
        received = measured + timedelta(milliseconds=round(1000 * float(late[k])))
        away = next((o for o in outages if o.begin <= received < o.end), None)
        if away is not None:
            if away.lost:
                continue
            received = away.end + timedelta(milliseconds=20 * k % 20_000 + 500)
        sent = measured + timedelta(seconds=round(float(skew[k])))
        age = (received - sent).total_seconds()
        believed = -_AHEAD_S <= age <= _BEHIND_S
        readings.append(
            Reading(
                device=instrument.device,
                metric=instrument.metric,
                value=round(float(value), digits),
                at=sent if believed else received,
                received_at=received,
                sent_at=sent,
                seq=seq,
                quality=int(Quality.GOOD if believed else Quality.CLOCK_OFF),
            )
        )
    return readings, shown


def outages(order: Order, gateways: tuple[str, ...], start: datetime) -> tuple[Outage, ...]:
    """When which gateway is away: a quarter of an hour to four, kept or lost."""
    rng = dice(order.seed, "water", order.network, "outages")
    found = []
    for _ in range(order.outages if gateways else 0):
        gateway = gateways[int(rng.integers(len(gateways)))]
        length = 900.0 * 16.0 ** float(rng.random())
        length = min(length, 0.25 * order.hours * 3600)
        begin = between(rng, (0.05, 0.95)) * (order.hours * 3600 - length)
        found.append(
            Outage(
                gateway=gateway,
                begin=start + timedelta(seconds=round(begin)),
                end=start + timedelta(seconds=round(begin + length)),
                lost=bool(rng.random() < 0.4),
            )
        )
    return tuple(sorted(found, key=lambda o: o.begin))


def illness(order: Order, instrument: Instrument) -> Ill | None:
    """The fault this instrument has in this order, if any."""
    rng = dice(order.seed, "water", order.network, "fault", instrument.device, instrument.metric)
    if rng.random() >= order.faults:
        return None
    return plan(rng, order.hours * 3600, order.reports_s, instrument.room, instrument.metric)
