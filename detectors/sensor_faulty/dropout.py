"""Dropout: reports are missing in patches while others of the neighbourhood are heard.

A single long silence is `sensor_silent`'s; here it is the device that comes and goes. A patch in
which many of the same network were missing too is the gateway's or the broker's, and counts for
nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from detectors.sensor_faulty.told import Finding, spell

KEPT: Final = 24
"""Patches remembered of each device."""
WINDOW_S, WINDOW_REPORTS = 7200.0, 40.0
"""Reports missing are counted over this time, at least so many of the device's periods."""
SHARE: Final = 0.2
"""Of the reports expected in it; radio networks lose some in a hundred."""
PATCHES: Final = 3
LONG_S, LONG_REPORTS = 43200.0, 3
"""... or this many patches of so many reports and more within so long a time."""
COUNTED: Final = 10
"""A patch counts at most this many reports."""
SHARED: Final = 0.3
"""A patch in which this share of the others was silent too is not the device's."""


class Patch(msgspec.Struct, array_like=True):
    """Reports missing from `begin` to `end` (receipt, epoch seconds)."""

    begin: float
    end: float
    missed: int


def silent_in(patches: Iterable[Patch], heard: float, period: float, one: Patch) -> bool:
    """Whether a device with those patches, last `heard` then, was silent in most of `one`."""
    half = 0.5 * (one.end - one.begin)
    if one.end - max(heard, one.begin) > max(half, 1.2 * period):
        return True
    return any(min(p.end, one.end) - max(p.begin, one.begin) >= half for p in patches)


def comes_and_goes(own: list[Patch], now: float, period: float) -> tuple[int, int, float] | None:
    """(patches, reports missing, seconds they were counted over) when that is a fault. `own`:
    patches that nobody shared, in order."""
    window = max(WINDOW_S, WINDOW_REPORTS * period)
    recent = [p for p in own if p.end > now - window]
    missed = sum(min(p.missed, COUNTED) for p in recent)
    if len(recent) >= PATCHES and missed * period >= SHARE * window:
        return len(recent), missed, window
    window = max(LONG_S, WINDOW_REPORTS * period)
    longer = [p for p in own if p.end > now - window and p.missed >= LONG_REPORTS]
    if len(longer) >= PATCHES:
        return len(longer), sum(p.missed for p in longer), window
    return None


def finding(own: list[Patch], patches: int, missing: int, window: float, *, alone: bool) -> Finding:
    """What is to be told when its newest patch made `comes_and_goes` say those three numbers;
    `alone`: it has no neighbour to compare with."""
    en_t, zh_t = spell(window)
    en, zh = ", while others were heard", "，而邻近设备正常"
    if alone:
        en, zh = "; with no neighbour it may be its gateway", "；无邻近设备可比，也可能是网关问题"
    return Finding(
        "dropout",
        "",
        own[-patches].begin,
        own[-1].end,
        f"it comes and goes: {missing} reports are missing in {patches} patches within {en_t}{en}",
        f"时断时续：{zh_t}内分{patches}段缺报{missing}次{zh}",
        {"patches": float(patches), "missing": float(missing), "within_s": window},
    )
