"""Why hydrants have no pressure: one of them, or all that hang on a main or a pump."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from detectors.hydrant_no_pressure.config import HydrantConfig
from detectors.hydrant_no_pressure.gauge import OK, Gauge


class Cause(msgspec.Struct, frozen=True):
    """What probably happened."""

    what: str
    """`supply` pump or tank, `main` a broken or closed main, `opened` a hydrant in use, `closed` a
    shut or broken valve, `frozen`, `never` had pressure, `works`."""
    severity: int
    nearest: str
    """The hydrant that fell most."""


def fallen(gauge: Gauge, t: float) -> float:
    """By how much it stands lower than usual, kPa."""
    usual = gauge.usual if gauge.stands != OK else (gauge.expected(t) or gauge.value)
    return max(usual - gauge.steady(), 0.0) if gauge.curve else 0.0


def together(
    anchor: str, gauges: Mapping[str, Gauge], t: float, cfg: HydrantConfig
) -> tuple[str, ...]:
    """The hydrants that fall with `anchor`, itself first: those that began to sag about when it
    did, and by a like amount."""
    own = gauges[anchor]
    falls = {anchor: fallen(own, t)}
    for name, gauge in gauges.items():
        if name == anchor or gauge.sagging is None or gauge.level is None:
            continue
        window = cfg.together_s + max(gauge.pause, own.pause)
        if abs(gauge.sagging - (own.sagging or own.since)) <= window:
            falls[name] = fallen(gauge, t)
    most = max(falls.values())
    if own.usual <= 0.0 or falls[anchor] < cfg.together_share * most:
        return (anchor,)
    with_it = [n for n, fall in falls.items() if fall >= cfg.together_share * most]
    if len(with_it) == 2 and gauges[with_it[1]].sags < cfg.hold_readings:
        return (anchor,)  # one reading of one neighbour: water hammer says the same
    return tuple(with_it)


def unsettled(anchor: str, gauges: Mapping[str, Gauge], t: float, cfg: HydrantConfig) -> bool:
    """Whether the last report of some neighbour, and it alone, speaks of a common fall."""
    first = gauges[anchor]
    if first.count > cfg.hold_readings or first.pause > cfg.rare_s:
        return False  # it has waited, or the wait would be long
    own = fallen(first, t)
    return any(
        gauge.sags == 1
        and gauge.sagging is not None
        and t - gauge.sagging <= max(gauge.pause, first.pause)
        and (gauge.expected(t) or 0.0) - gauge.value >= cfg.together_share * own
        for name, gauge in gauges.items()
        if name != anchor
    )


def judge(
    members: Sequence[str], gauges: Mapping[str, Gauge], t: float, cfg: HydrantConfig
) -> Cause:
    """What explains these hydrants' low pressure best."""
    falls = {name: fallen(gauges[name], t) for name in members}
    nearest = max(members, key=lambda name: (falls[name], name))
    if len(members) > 1:
        heard = [n for n, g in gauges.items() if g.level is not None and _lately(g, t)]
        # who has nothing left cannot fall further
        least = [fallen(gauges[n], t) for n in heard if gauges[n].steady() >= cfg.dead_kpa]
        even = min(least, default=math.inf) >= cfg.even_share * falls[nearest] and len(heard) > 2
        return Cause("supply" if even else "main", 4, nearest)
    gauge = gauges[nearest]
    if gauge.level is None:
        return Cause("never", 2, nearest)
    if gauge.lowest >= cfg.dead_kpa and gauge.step >= 0.5 * falls[nearest]:
        return Cause("opened", 2 if gauge.value >= cfg.min_kpa else 3, nearest)
    if gauge.lowest >= cfg.dead_kpa:
        return Cause("closed", 2, nearest)
    cold = gauge.temperature is not None and gauge.temperature <= cfg.frost_c
    return Cause("frozen" if cold else "closed", 3, nearest)


def _lately(gauge: Gauge, t: float) -> bool:
    return t - gauge.last <= 3 * max(gauge.pause, 60.0)
