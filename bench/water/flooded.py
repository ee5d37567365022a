"""Overflows: which were warned of, how long before, and which alarms were of nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import numpy as np

from bench.water import rules
from bench.water.watch import Episode, Series, begin_of, rims
from contracts.clock import EPOCH
from simulators.water.take import Take

JOINED_S: Final = 3600.0
"""Overflows of one node closer than this are one."""
BEFORE_S: Final = 6 * 3600.0
"""An alarm further ahead of an overflow was not about it."""
AFTER_S: Final = 900.0
"""An alarm so soon after an overflow began is late, not false."""
QUIET_S: Final = 3600.0


class Alarm(msgspec.Struct, frozen=True):
    """One alarm of a detector or of a reference."""

    device: str
    begin: float
    end: float


class Overflowed(msgspec.Struct, frozen=True, kw_only=True):
    """A node with a sensor that overflowed."""

    device: str
    node: str
    begin: float
    """Seconds since the run began."""
    leads: dict[str, float | None]
    """Minutes of warning of `ours` and of each reference; None: it came after, or never."""
    faulty: bool
    """Its instrument was at fault when it began."""


class FalseAlarm(msgspec.Struct, frozen=True):
    """An alarm of ours that nothing came of."""

    device: str
    at: float
    faulty: bool
    """The instrument was at fault."""


class Coverage(msgspec.Struct, frozen=True):
    """Forecasts of one overflow: how many were published before it, how many held it."""

    published: int
    held: int
    first: bool
    """Whether the first one held it."""


class Floods(msgspec.Struct, frozen=True, kw_only=True):
    """What a run says of overflows."""

    overflowed: tuple[Overflowed, ...] = ()
    false: tuple[FalseAlarm, ...] = ()
    reference_false: dict[str, int] = {}
    coverage: tuple[Coverage, ...] = ()


def judge(take: Take, episodes: Sequence[Episode], series: Mapping[str, Series]) -> Floods:
    """Sensors that stand in a node with a rim."""
    zero = begin_of(take)
    heights = rims(take)
    tall = {d: heights[d] for d in series if d in heights}
    truths = {device: _overflows(take, take.sensed[device], zero) for device in tall}
    ours = [e for e in episodes if e.kind == "flooding" and _device(e) in tall]
    alarms: dict[str, list[Alarm]] = {
        "ours": [Alarm(_device(e), e.opened, e.closed) for e in ours],
        "70 % of rim": [],
        "slope": [],
    }
    for device, rim in tall.items():
        t, v = series[device].t, series[device].v
        full = rules.episodes(t, v >= rules.RIM_SHARE * rim, QUIET_S)
        rising = rules.episodes(t, rules.sloping(t, v, rim), QUIET_S)
        alarms["70 % of rim"] += [Alarm(device, *span) for span in full]
        alarms["slope"] += [Alarm(device, *span) for span in rising]
    overflowed = [
        Overflowed(
            device=device,
            node=take.sensed[device],
            begin=begin,
            leads={name: _lead(device, begin, told) for name, told in alarms.items()},
            faulty=at_fault(take, device, begin),
        )
        for device, spans in truths.items()
        for begin, _ in spans
    ]
    return Floods(
        overflowed=tuple(overflowed),
        false=tuple(
            FalseAlarm(a.device, a.begin, at_fault(take, a.device, a.begin))
            for a in alarms["ours"]
            if _is_false(a, truths[a.device])
        ),
        reference_false={
            name: sum(_is_false(a, truths[a.device]) for a in told)
            for name, told in alarms.items()
            if name != "ours"
        },
        coverage=tuple(_coverage(ours, truths, zero)),
    )


def at_fault(take: Take, device: str, at: float) -> bool:
    """Whether the device's instrument was at fault then (or has been within two hours)."""
    moment = begin_of(take) + timedelta(seconds=at)
    return any(
        f.device == device and f.begin <= moment <= f.end + timedelta(hours=2) for f in take.faults
    )


def _device(episode: Episode) -> str:
    return episode.device or episode.site


def _overflows(take: Take, node: str, zero: datetime) -> list[tuple[float, float]]:
    """(begin, end) of the node's overflows, seconds, near ones joined; those that had begun when
    the readings begin are left out."""
    spans = sorted(
        ((o.begin - zero).total_seconds(), (o.end - zero).total_seconds())
        for o in take.overflows
        if o.node == node
    )
    joined: list[tuple[float, float]] = []
    for begin, end in spans:
        if joined and begin - joined[-1][1] < JOINED_S:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return [span for span in joined if span[0] > 0]


def _lead(device: str, begin: float, alarms: Iterable[Alarm]) -> float | None:
    """Minutes between the alarm that stood when the overflow began and the overflow."""
    leads = [
        (begin - a.begin) / 60
        for a in alarms
        if a.device == device and begin - BEFORE_S <= a.begin < begin <= a.end + JOINED_S
    ]
    return max(leads) if leads else None


def _is_false(alarm: Alarm, spans: Iterable[tuple[float, float]]) -> bool:
    """Nothing overflowed from shortly before it opened until it was over."""
    last = min(alarm.end + JOINED_S, alarm.begin + BEFORE_S)
    return not any(
        begin <= max(last, alarm.begin) and alarm.begin <= max(end, begin + AFTER_S)
        for begin, end in spans
    )


def _coverage(
    episodes: Sequence[Episode], truths: Mapping[str, Sequence[tuple[float, float]]], zero: datetime
) -> Iterable[Coverage]:
    """Of forecasts whose overflow came."""
    for episode in episodes:
        for begin, _ in truths[_device(episode)]:
            held = []
            for known in episode.revisions:
                over = known.event.evidence.get("overflow_at")
                if over and begin - BEFORE_S <= known.at < begin:
                    low, high = (seconds(over[key], zero) for key in ("low", "high"))
                    held.append(low <= begin <= high)
            if held:
                yield Coverage(len(held), sum(held), held[0])


def seconds(text: Any, zero: datetime = EPOCH) -> float:
    """An event's time on the run's clock; not a number where it says none."""
    try:
        return (datetime.fromisoformat(text) - zero).total_seconds()
    except (TypeError, ValueError):
        return float(np.nan)
