"""Which pipe is blocked? Each pipe is a hypothesis, beside: only sensors are at fault.

A blocked pipe makes a pool above it, level as water is, that reaches every manhole whose water
would stand lower; below it less water flows than usual. So sensors above it that the pool reaches
stand high, those below it low or as usual, and a pair with the pipe between them is parted. What a
hypothesis does not explain must be sensors' faults: as few as explain all the rest, each at its own
odds.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

import msgspec

from detectors.drain_blocked.sites import Layout, Reach

SLACK_M = 0.1
"""Surveyed inverts, sensors' zeros and the slope of flowing water leave heads this uncertain."""
MISSED = -4.0
"""Log-odds of a sensor that the pool reaches standing as usual."""
SPILL = -3.0
"""... of a pool above the rim of a manhole on the way: water would stand on the road instead."""
DEEP_PER_M = 0.6
"""Pools of each further metre of depth at the blockage are rarer by this (log): it must hold back
that much water."""
APART, APART_HIGH = -1.5, -0.5
"""Log-odds of a pair with the blocked pipe between them that is not parted; and where the upper one
stands high by itself."""
PARTS = (0.25, 0.5, 0.75, 1.0)
MOST_HELD = 0.9
"""Some water always comes from elsewhere."""
SOME = 0.1
"""Share of a sensor's water from which it knows of the same rain."""
MORE = -2.0
"""Log-odds by which more water below than usual speaks at the most."""
HELD = 3.0
"""Log-odds by which water that is missing below speaks at the most."""
ENOUGH = 0.3
"""Share of a sensor's water from which its loss shows."""


class Look(msgspec.Struct, frozen=True):
    """What one sensor says."""

    sign: int
    """+1 high, -1 low, 0 as usual."""
    head_m: float | None
    """Its water surface, in the datum of the inverts."""
    fault: float
    """Log-odds that what is odd about it is its own fault."""
    lean: float = 0.0
    """Its flow of the last half hour over what was expected (logarithm)."""
    spread: float = 1.0
    """How far that strays as a rule."""


Parted = Mapping[tuple[str, str], int]
"""(above, below) → +1 too high above for what comes below, -1 too low, 0 as usual."""


class Belief(msgspec.Struct, frozen=True):
    """The posterior."""

    odds: float
    """Log-odds of any blocked pipe against sensor faults alone."""
    pipes: tuple[tuple[str, float], ...]
    """Pipes with their probabilities given that one is blocked, likeliest first."""
    members: tuple[str, ...]
    """Sensors whose trouble the likeliest pipe explains."""


NOTHING = Belief(-math.inf, (), ())


def believe(
    layout: Layout,
    looks: Mapping[str, Look],
    pairs: Parted,
    prior: float,
    near: Collection[str] | None = None,
    slack_m: float = math.inf,
) -> Belief:
    """The posterior over pipes; `prior` is the log-odds of each being blocked before any look.

    Only pipes that explain what is odd at one of the sensors `near`, if given. Pools are as level
    as water is: what stands more than `slack_m` above one is not of it.
    """
    pipes: set[str] = set()
    for device, look in looks.items():
        if look.sign > 0:
            pipes |= layout.down(device).keys()
        elif look.sign < 0:
            pipes |= layout.up(device).keys()
    for (above, below), sign in pairs.items():
        if sign > 0:
            pipes |= layout.down(above).keys() & layout.up(below).keys()
    odd: list[tuple[tuple[str, ...], int]] = [
        ((d,), look.sign) for d, look in looks.items() if look.sign
    ]
    odd += [(pair, sign) for pair, sign in pairs.items() if sign]
    if not pipes or not odd:
        return NOTHING
    null = _cover(odd, looks)
    mean = math.fsum(layout.weight(p) for p in pipes) / len(pipes)
    over: dict[str, dict[str, Reach]] = {pipe: {} for pipe in pipes}
    under: dict[str, set[str]] = {pipe: set() for pipe in pipes}
    for device in looks:
        for name, reach in layout.down(device).items():
            if name in over:
                over[name][device] = reach
        for name in layout.up(device):
            if name in under:
                under[name].add(device)
    scores: dict[str, float] = {}
    for pipe in sorted(pipes):
        brim = _brim(looks, over[pipe], slack_m)
        told = [one for one in odd if explains(layout, pipe, *one) and _under(one, looks, brim)]
        if not told or (near is not None and not any(d in near for ds, _ in told for d in ds)):
            continue
        left = [one for one in odd if one not in told]
        score = _cover(left, looks) + _fits(layout, pipe, looks, pairs, over[pipe], under[pipe])
        scores[pipe] = score + math.log(layout.weight(pipe) / mean) + prior
    if not scores:
        return NOTHING
    top = max(scores.values())
    weights = {p: math.exp(s - top) for p, s in scores.items()}
    whole = sum(weights.values())
    ranked = sorted(weights, key=lambda p: (-weights[p], p))
    best = ranked[0]
    brim = _brim(looks, over[best], slack_m)
    members = {
        d
        for one in odd
        if explains(layout, best, *one) and _under(one, looks, brim)
        for d in one[0]
    }
    return Belief(
        odds=top + math.log(whole) - null,
        pipes=tuple((p, weights[p] / whole) for p in ranked),
        members=tuple(sorted(members)),
    )


def explains(layout: Layout, pipe: str, devices: tuple[str, ...], sign: int) -> bool:
    """Whether that pipe being blocked makes that sensor, or that pair, odd in that way."""
    if len(devices) == 1:
        device = devices[0]
        if sign > 0:
            return pipe in layout.down(device)
        return pipe in layout.up(device) and layout.share(pipe, device) >= ENOUGH
    above, below = devices
    under, over = pipe in layout.down(above), pipe in layout.up(below)
    if sign > 0:  # parted by it, or the lower one misses the water of another branch
        return over and (under or (
            pipe not in layout.up(above) and layout.share(pipe, below) >= ENOUGH
        ))  # fmt: skip
    # The pool has reached the lower one alone, or the upper one misses the water.
    return pipe in layout.down(below) or (
        pipe in layout.up(above) and layout.share(pipe, above) >= ENOUGH
    )


def _brim(looks: Mapping[str, Look], above: Mapping[str, Reach], slack_m: float) -> float:
    """Up to where the pool that the nearest high sensor stands in reaches (metres in the datum)."""
    high = [d for d in above if looks[d].sign > 0]
    if not high:
        return math.inf
    head = looks[min(high, key=lambda d: (above[d].metres, d))].head_m
    return math.inf if head is None else head + slack_m


def _under(one: tuple[tuple[str, ...], int], looks: Mapping[str, Look], brim: float) -> bool:
    devices, sign = one
    if len(devices) > 1 or sign < 0:
        return True
    head = looks[devices[0]].head_m
    return head is None or head <= brim


def _cover(odd: Iterable[tuple[tuple[str, ...], int]], looks: Mapping[str, Look]) -> float:
    """Log-odds of the sensor faults that explain all that is odd: greedily those that explain most
    at the least cost."""
    left = [devices for devices, _ in odd]
    cost = 0.0
    while left:
        names = {d for devices in left for d in devices if d in looks}
        best = max(
            sorted(names),
            key=lambda d: (sum(d in devices for devices in left), looks[d].fault),
        )
        cost += looks[best].fault
        left = [devices for devices in left if best not in devices]
    return cost


def _fits(
    layout: Layout,
    pipe: str,
    looks: Mapping[str, Look],
    pairs: Parted,
    above: Mapping[str, Reach],
    below: set[str],
) -> float:
    """Log-odds of what should be seen if that pipe were blocked and is, or is not. `above` and
    `below` are the sensors on either side of it."""
    score = 0.0
    high = [d for d in above if looks[d].sign > 0]
    high = high or [a for (a, _), sign in pairs.items() if sign > 0 and a in above]
    pool: float | None = None
    if high:
        near = min(high, key=lambda d: (above[d].metres, d))
        pool, reach = looks[near].head_m, above[near]
        if pool is not None and reach.rim_m is not None and pool > reach.rim_m + SLACK_M:
            score += SPILL
        own = layout.sensors[near].invert_m
        if own is not None and reach.invert_m is not None:
            score -= DEEP_PER_M * max(0.0, own - reach.invert_m)
        for device in above:
            head = looks[device].head_m
            calm = looks[device].sign == 0 and device not in high
            if calm and pool is not None and head is not None and head < pool - 2 * SLACK_M:
                score += MISSED
    for (a, b), sign in pairs.items():
        if sign == 0 and a in above and b in below:
            score += APART if looks[a].sign <= 0 else APART_HIGH
    lower = next((d for d in layout.below(pipe) if d in looks), None)
    if lower is not None:
        score += held_back(layout.share(pipe, lower), looks[lower])
    return score


def held_back(share: float, look: Look) -> float:
    """Log-odds of what a sensor below says, if a pipe is blocked that brings this share of its
    water: as often as not nothing is missing any more, for the pool is as full as it gets; else
    any part of it may be."""
    lean, double = look.lean, 2.0 * look.spread * look.spread
    if lean > 0.0 and share >= SOME:  # more comes to both: that explains the upper one as well
        here = math.exp(-min(lean * lean / double, 50.0))
        more = min(look.spread, 1.0) * math.exp(-0.5 * (lean - 1.0) ** 2)
        return max(min(math.log(here / (0.5 * here + 0.5 * more)), 0.0), MORE)
    if share < ENOUGH:
        return 0.0
    told = 0.0
    for part in PARTS:
        drop = math.log1p(-min(part * share, MOST_HELD))
        told += math.exp(min((lean * lean - (lean - drop) ** 2) / double, 20.0))
    return min(math.log(0.5 + 0.5 * told / len(PARTS)), HELD)
