"""Spikes and debris: leaps that are no water, told by how they end.

* A spike is back where it was within two reports. One is nothing; some in a day are a loose plug,
  bad earthing, or something that moves through the beam.
* Debris under an ultrasonic head makes it read too high: the level leaps up from one report to the
  next, stays where it is (the head measures the same leaf or branch all the time), and leaps back
  when that is gone. Water rises over several reports and recedes slower than it rose.

While it rains, or while neighbours rise as well, rare reports make leaps of storms too: only one
that is still like a stone after a leap by 20 cm and more is told of then, and none near the brim,
where water stands still by itself.
"""

from __future__ import annotations

from statistics import fmean, pstdev
from typing import Final

from detectors.sensor_faulty.channel import DRY, FOLLOWED, UNKNOWN, WET, Channel, Leap
from detectors.sensor_faulty.metrics import Metric
from detectors.sensor_faulty.told import Finding, named, spell

BACK: Final = 0.6
"""Share of the leap that must be gone in one report for it to have come back as it came."""
SHORT: Final = 2
"""Reports that a spike lasts at most."""
EXACT: Final = 0.05
EXACT_STEPS: Final = 5.0
"""A spike comes back to where it was by this share of it and so many usual steps: pumps and waves
leave the water somewhere else."""
STAYS: Final = 6
STAYS_S: Final = 900.0
"""Reports and seconds that a leap must have stayed where it is to be debris."""
MOVES: Final = 0.35
"""Share of the leap by which it may move meanwhile ..."""
MOVES_STEPS: Final = 6.0
"""... or this many usual steps, if that is more: otherwise it is water."""
STILL_M: Final = 0.008
"""By how much the later half of it may differ from the earlier (metres): the water around it rises
and falls, debris does not."""
SPREAD_M: Final = 0.015
SPREAD_STEPS: Final = 2.0
"""Standard deviation of its readings, at most this (metres) or so many usual steps: an echo from
something solid is as good as ever, while surcharged water heaves."""
FOLLOWED_S: Final = 7 * 86400.0
WET_M: Final = 0.4
WET_STAYS: Final = 12
"""With water about, or where nobody knows: the least leap (metres), and how many reports it must
have stayed."""

NOTHING, SPIKE, DEBRIS, GONE, WATER, SWING = 0, 1, 2, 3, 4, 5
"""What the newest reading says: nothing yet; back within two reports; debris lies there (the caller
notes when it told so); debris is gone; it was water (or anything else that moves); it swings
(pumps, waves)."""

_WATER: Final = {
    DRY: ("without rain or a neighbour that rose", "无降雨、邻近点未涨"),
    UNKNOWN: (
        "which water does not do (a rain gauge or a neighbour would tell sooner)",
        "水位不会如此变化（若有雨量计或邻近点可更早判断）",
    ),
    WET: ("though water about it moves", "而周边水位仍在变化"),
}
"""What is said of the water about a leap that was debris: (en, zh)."""


def follow(channel: Channel, metric: Metric, wet: int) -> int:
    """Fold the newest reading of a channel that leaps, or whose leap is followed."""
    leap = channel.leap
    v, step = channel.v, channel.v - channel.before
    if leap is None:
        channel.leap = _begun(channel, wet)
        return NOTHING
    size = leap.to - leap.from_
    leap.wet = max(leap.wet, wet)
    if step * size < 0 and abs(step) >= BACK * abs(size):
        return _back(channel, metric, leap, size)
    values = leap.values
    if abs(step) > channel.small and len(values) <= SHORT:
        leap.to = v  # it takes several reports to get there
        values.clear()
    values.append(v)
    if leap.told:
        return _lies(channel, leap, v, size)
    most = max(MOVES * abs(size), MOVES_STEPS * leap.step)
    if len(values) > FOLLOWED or max(abs(max(values) - leap.to), abs(min(values) - leap.to)) > most:
        channel.leap = None
        return WATER
    if len(values) < (WET_STAYS if leap.wet else STAYS) or channel.t - leap.t < STAYS_S:
        return NOTHING
    if metric.above is None or size < (WET_M if leap.wet else metric.above):
        channel.leap = None
        return WATER
    half = len(values) // 2
    if (leap.wet == WET and leap.to >= metric.brim) or abs(
        fmean(values[half:]) - fmean(values[:half])
    ) > STILL_M:
        return NOTHING
    if pstdev(values) > max(SPREAD_M, SPREAD_STEPS * leap.step):
        return NOTHING
    return DEBRIS


def debris(metric: str, leap: Leap, t: float, lies: bool) -> Finding:
    """What is to be told at `t` of a leap that was debris, which still `lies` there or is gone."""
    en, zh = named(metric)
    size, stayed = leap.to - leap.from_, t - leap.t
    en_t, zh_t = spell(stayed)
    en_water, zh_water = _WATER[leap.wet]
    return Finding(
        "debris",
        metric,
        leap.t,
        t,
        f"{en} leapt by {size:.2f} m from one report to the next and "
        f"{'lies there' if lies else 'leapt back'} after {en_t}, {en_water}: "
        "something is under the head",
        f"{zh}在一次上报间突增{size:.2f}米，{zh_t}后{'仍停留不动' if lies else '突然回落'}，"
        f"{zh_water}：探头下方有杂物",
        {"leap_m": round(size, 4), "stayed_s": round(stayed, 1)},
    )


def _begun(channel: Channel, wet: int) -> Leap:
    v = channel.v
    channel.leaps()
    return Leap(channel.before, v, channel.t, values=[v], step=channel.step, wet=wet)


def _back(channel: Channel, metric: Metric, leap: Leap, size: float) -> int:
    """It leapt back, or most of the way."""
    channel.leap = None
    off = abs(channel.v - leap.from_)
    if off > (1.0 - BACK) * abs(size) + channel.small:
        channel.leap = _begun(channel, leap.wet)
        return GONE if leap.told else SWING
    if leap.told:
        return GONE
    if len(leap.values) <= SHORT:
        exact = EXACT * abs(size) + min(EXACT_STEPS * leap.step, 2 * EXACT * abs(size))
        return SPIKE if off <= exact and abs(size) >= metric.spike else SWING
    least = metric.above if leap.wet == DRY else WET_M
    lay = leap.wet != WET and channel.t - leap.t >= STAYS_S
    if least is not None and metric.above is not None and size >= least and lay:
        return GONE
    return SWING


def _lies(channel: Channel, leap: Leap, v: float, size: float) -> int:
    """Debris that was told: it lies there until it leaps back, sinks away, or lay for a week."""
    del leap.values[:-FOLLOWED]
    if v - leap.from_ < (1.0 - BACK) * size or channel.t - leap.t > FOLLOWED_S:
        channel.leap = None
        return GONE
    return DEBRIS
