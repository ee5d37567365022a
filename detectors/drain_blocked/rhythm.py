"""What all sensors of a network do together: the day's rhythm and rain; and who does not."""

from __future__ import annotations

import math

from detectors.drain_blocked.pair import LOOSE
from detectors.drain_blocked.sites import Layout
from detectors.drain_blocked.state import State

RAIN_LEAP = 0.5
"""The common factor rises by this within half an hour only when it rains: mornings take hours
(measured on the pattern of households, Metcalf & Eddy, fig. 3-5: 0.45 an hour at most)."""
RAIN_LEFT = 0.8
"""After rain the sewers have drained once the common factor is as near what it was before."""
RAIN_MEMORY_S = 1500.0
"""How slowly the factor's memory follows (time constant, seconds): half an hour."""
STIFF = 2.5
"""A sensor is in backwater when its level would mean twelve times the flow that comes to others
for each manhole above."""
RISING, RISEN = 0.15, 0.3
"""Without a rain gauge: it rains when this share of the sensors rises at once, and at least two;
and it has not drained while this share stands high."""
MOST_S = 1800.0
"""A longer pause between looks says no more of how the factor moves (seconds)."""
FEW = 4
"""With fewer sensors heard, no common rhythm can be told from one sensor's trouble."""


def common(state: State, minute: float) -> None:
    """The factor by which all levels stand above their usual ones, and how far they differ."""
    if minute - state.rain_heard > 3600.0 and all_rise(state, minute):
        state.rained = max(state.rained, minute)
    ratios = [
        g.flow - (g.usual or 0.0)
        for g in state.gauges.values()
        if g.follows >= LOOSE and g.count and minute - g.at < 4 * g.every_s and not g.stuck
    ]
    ratios.sort()
    sky = state.sky
    since = min(minute - state.looked, MOST_S)
    state.looked = minute
    sky.known = len(ratios) >= FEW
    if not sky.known:
        sky.factor, sky.spread = 0.0, 0.0
        return
    middle = ratios[len(ratios) // 2]
    off = sorted(abs(r - middle) for r in ratios)
    sky.factor = middle
    sky.spread = 1.4826 * off[len(off) // 2]
    leap = middle - sky.usual
    if not sky.wet and leap <= RAIN_LEAP:
        sky.dry = middle
    elif leap > RAIN_LEAP or middle > sky.dry + RAIN_LEFT:
        state.rained = max(state.rained, minute)
    sky.usual += leap * -math.expm1(-since / RAIN_MEMORY_S)


def all_rise(state: State, minute: float) -> bool:
    """Whether so many sensors rise, or stand high, that it must be rain."""
    heard = [g for g in state.gauges.values() if minute - g.at < 4 * g.every_s]
    rising = sum(g.flow - g.before > 0.8 * RAIN_LEAP for g in heard)
    high = sum(g.trend > 0 for g in heard)
    wet = state.sky.wet and high >= max(2, RISEN * len(heard))
    return wet or rising >= max(2, RISING * len(heard))


def stiffen(state: State, layout: Layout) -> None:
    """Which sensors stand in backwater, by the register: those whose pipe would carry far more
    at that level than others do for each manhole above."""
    rates = {}
    for device, gauge in state.gauges.items():
        sensor = layout.sensors[device]
        if gauge.usual is not None and sensor.full_m3s:
            rates[device] = gauge.usual + math.log(sensor.full_m3s / sensor.holes)
    ranked = sorted(rates.values())
    if len(ranked) < 2:
        return
    low = ranked[len(ranked) // 4]
    for device, rate in rates.items():
        state.gauges[device].stiffens(rate > low + STIFF)
