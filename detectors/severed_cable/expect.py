"""What a monitor shows of what may have happened: the probability of its channels' classes.

Sources: an open phase of a multi-phase line keeps up to 0.57 of its voltage by backfeed (IEEE
123-node feeder, 964 OpenDSS cases); behind a Dyn11 (or Dyn1) transformer one open medium-voltage
phase shows as (1/2, 1, 1/2), the two halves sharing one whole by their loads; two open ones leave
nothing; with an isolated neutral a phase to earth shows anything between 0.1 and 1.8 wherever one
measures it, on both sides of the break; a 0.4 kV neutral that is open shows 127/272/316 V or, with
loads nearly balanced, little. Tables are rounded and wide on purpose: orders of magnitude decide.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

WHAT: Final = ("severed", "phase_open", "neutral_open")
PHASE_SETS: Final = ((0, 1, 2), (0,), (1,), (2,), (0, 1), (1, 2), (0, 2), ())
"""Which phases are gone in each column of a break: all; one; two; none, but the neutral."""
COLUMNS: Final = len(PHASE_SETS)
NEUTRAL_OPEN: Final = 7
KIND: Final = ("severed", *["phase_open"] * 6, "neutral_open")

# classes:     gone  backfed half  low   bit-  there bit+  high  beyond
THERE: Final = (1e-9, 1e-9, 1e-8, 2e-5, 1e-3, 0.998, 5e-4, 2e-6, 1e-9)
THERE_MV: Final = (1e-9, 1e-9, 1e-8, 1e-7, 1e-3, 0.998, 5e-4, 2e-6, 1e-9)
"""At medium voltage no motor and no welder pulls one place down."""
DEAD: Final = (0.95, 0.03, 0.005, 0.004, 0.002, 0.006, 0.001, 0.001, 0.001)
OPEN: Final = (0.62, 0.18, 0.14, 0.025, 0.01, 0.015, 0.005, 0.003, 0.002)
MATE: Final = (0.001, 0.001, 0.003, 0.012, 0.08, 0.80, 0.08, 0.02, 0.003)
HALF: Final = (0.05, 0.22, 0.42, 0.20, 0.05, 0.05, 0.005, 0.003, 0.002)
SHIFT: Final = (0.06, 0.04, 0.07, 0.15, 0.14, 0.22, 0.13, 0.12, 0.07)
WIDE: Final = (0.08, 0.06, 0.06, 0.10, 0.08, 0.20, 0.08, 0.14, 0.20)
SAG: Final = (0.08, 0.17, 0.17, 0.30, 0.15, 0.06, 0.06, 0.008, 0.002)
# currents: none left, little, as before
NONE_LEFT: Final = (0.93, 0.04, 0.03)
AS_BEFORE: Final = (0.01, 0.03, 0.96)
BACKFED: Final = (0.60, 0.25, 0.15)
"""Of an open phase that still has some voltage: its loads hang between it and a phase that lives
..."""
MATES: Final = (0.02, 0.08, 0.90)
"""... and draw less from that one."""
ABOVE: Final = (0.25, 0.25, 0.5)
"""Where all that was fed lies below the break, nothing flows above it either."""
LESS: Final = (0.05, 0.25, 0.70)
MOVED: Final = 30.0
"""Three phases that one displacement explains: two of them tell the third."""
SELDOM_MOVED: Final = 0.02
"""How often voltages that changed by themselves look so."""
LIKE_VOLTAGE: Final = 4.0
"""Two halves that share one whole: each tells the other."""


class View(NamedTuple):
    """What one monitor says since the loss, in classes."""

    medium: bool
    phases: tuple[int, int, int]
    """Class by phase; -1: not told, or not there."""
    amps: tuple[int, int, int]
    """0 none left, 1 little, 2 as before; -1: not told, or too little to tell."""
    neutral: int
    """1: it rose; 0: it did not; -1: not told."""
    halves: tuple[bool, bool, bool]
    """For each phase: whether the other two share one whole."""
    moved: int
    """Whether a neutral that moved explains three phases (`view.shift`): 1 yes, 0 no; -1 nobody
    can tell."""
    even: bool
    """Whether three phases fell alike (a sag)."""
    gasp: bool
    singles: int
    """How many phases it has."""
    own: float
    """Probability that it is off all by itself: a fault, a customer's switch."""
    customer: bool
    restless: int


class Row(NamedTuple):
    """Logarithms of the probability of a view."""

    nothing: float
    """Nothing happened to the line."""
    displaced: float
    """A break elsewhere or an earth fault in a net with isolated neutral: its point is displaced,
    so that medium voltages to earth say nothing."""
    risen: float
    """A break elsewhere in the same low-voltage net that lifts its neutral: what returns through
    earth raises the transformer's neutral point (4 ohm) and with it every neutral of the net."""
    sag: float
    medium: tuple[float, ...]
    """A medium-voltage span above is broken, by column."""
    isolated: tuple[float, ...]
    """The same in a net with isolated neutral."""
    low: tuple[float, ...]
    """A low-voltage span above is broken, by column."""
    above: tuple[float, ...]
    """What a break below changes against nothing having happened: its currents, by column."""


@functools.lru_cache(maxsize=20_000)
def row(view: View) -> Row:
    """The probabilities of a view under everything that may have happened."""
    known = tuple(k for k in range(3) if view.phases[k] >= 0)
    wild = _alone(view, known)

    def mixed(p: float) -> float:
        if view.restless > 1:
            p *= 0.1 ** min(4, view.restless - 1)
        return math.log((1 - view.own) * p + view.own * wild)

    there = _steady(view, known)
    wide = _wide(view, known)
    low = tuple(mixed(_low(view, known, c)) for c in range(COLUMNS))
    if view.medium:
        medium = tuple(mixed(_low(view, known, c)) for c in range(COLUMNS - 1))
        isolated = tuple(mixed(_adrift(view, known, c)) for c in range(COLUMNS - 1))
        displaced = mixed(wide * _amps(view, ()))
    else:
        medium = tuple(mixed(_behind(view, known, c)) for c in range(COLUMNS - 1))
        isolated, displaced = medium, mixed(there)
    never = (mixed(1e-9),)
    return Row(
        mixed(there), displaced, mixed(_steady(view, known, 0.7)), mixed(_sagged(view, known)),
        (*medium, *never), (*isolated, *never), low, _above(view),
    )  # fmt: skip


def _amps(view: View, gone: tuple[int, ...], rest: tuple[float, ...] = AS_BEFORE) -> float:
    p = 1.0
    for k, amps in enumerate(view.amps):
        if amps >= 0:
            p *= (NONE_LEFT if k in gone else rest)[amps]
    return p


def _above(view: View) -> tuple[float, ...]:
    """Currents that are gone speak for a break below; currents that flow speak neither way, since
    a feeder has many other loads."""
    if max(view.amps) < 0:
        return (0.0,) * COLUMNS
    gains = []
    for column, gone in enumerate(PHASE_SETS):
        phases = range(3) if column == NEUTRAL_OPEN else gone
        ratios = _ratios(view, phases)
        if column == NEUTRAL_OPEN:  # only customers of some phases may be left without
            ratios = [max(1.0, 0.5 * ratio) for ratio in ratios]
        gain = sum(math.log(ratio) for ratio in ratios)
        if view.medium and len(gone) == 2:  # one phase alone has nowhere to return to
            gain = max(gain, sum(math.log(ratio) for ratio in _ratios(view, range(3))))
        gains.append(max(0.0, gain))
    return tuple(gains)


def _ratios(view: View, phases: Iterable[int]) -> list[float]:
    return [ABOVE[view.amps[k]] / AS_BEFORE[view.amps[k]] for k in phases if view.amps[k] >= 0]


def _gasp(view: View, p: float) -> float:
    """A last gasp tells of darkness on all phases; one that is missing tells nothing. Whoever else
    tells its voltages seldom only gasps; a customer's meter does."""
    if not view.gasp:
        return 1.0
    return p if view.customer or max(view.phases) >= 0 else 0.25 * p


def _neutral(view: View, rises: float) -> float:
    return 1.0 if view.neutral < 0 else rises if view.neutral else 1.0 - rises


def _product(view: View, known: tuple[int, ...], tables: Mapping[int, tuple[float, ...]]) -> float:
    p = 1.0
    for k in known:
        p *= tables[k][view.phases[k]]
    return p


def _steady(view: View, known: tuple[int, ...], rises: float = 1e-6) -> float:
    p, usual = 1.0, THERE_MV if view.medium else THERE
    for k in known:
        p *= usual[view.phases[k]]
    if view.moved == 1:
        p *= SELDOM_MOVED
    return p * _amps(view, ()) * _neutral(view, rises) * _gasp(view, 1e-9)


def _wide(view: View, known: tuple[int, ...]) -> float:
    p = 1.0
    for k in known:
        p *= WIDE[view.phases[k]]
    return p * _gasp(view, 0.02)


def _low(view: View, known: tuple[int, ...], column: int) -> float:
    """Conductors open on the side where it measures, the neutral point earthed."""
    gone = PHASE_SETS[column]
    if column == NEUTRAL_OPEN:
        p = 1.0
        for k in known:
            p *= SHIFT[view.phases[k]]
        if view.moved >= 0:
            p *= MOVED if view.moved else 0.02
        for k, amps in enumerate(view.amps):
            if amps >= 0:
                p *= (NONE_LEFT if view.phases[k] == 0 else LESS)[amps]
        return p * _neutral(view, 0.7) * _gasp(view, 0.1 if view.singles == 1 else 0.01)
    if column == 0:
        tables = dict.fromkeys(known, DEAD)
        return (
            _product(view, known, tables)
            * _amps(view, gone)
            * _neutral(view, 0.03)
            * _gasp(view, 0.9)
        )
    tables = {k: OPEN if k in gone else MATE for k in known}
    dark = _dark(view, known, gone)
    p = _product(view, known, tables) * _neutral(view, 0.1) * _gasp(view, dark)
    for k, amps in enumerate(view.amps):
        if amps >= 0:
            left = NONE_LEFT if view.phases[k] <= 0 else BACKFED
            p *= (left if k in gone else MATES)[amps]
    return p


def _dark(view: View, known: tuple[int, ...], gone: tuple[int, ...]) -> float:
    """How probable a last gasp is with some phases gone."""
    if known:
        return 0.7 if all(k in gone for k in known) else 0.01
    return 0.6 * len(gone) / 3 if view.singles == 1 else 0.02


def _behind(view: View, known: tuple[int, ...], column: int) -> float:
    """A medium-voltage span above a low-voltage monitor: mostly behind Dyn transformers."""
    gone = PHASE_SETS[column]
    if column == 0:
        return _low(view, known, 0)
    if len(gone) == 2:
        return 0.8 * _low(view, known, 0) + 0.2 * _low(view, known, column)
    x = int(gone[0]) if gone else 0
    star = _low(view, known, column)
    delta = sum(
        share * _halved(view, known, full)
        for share, full in ((0.46, (x + 1) % 3), (0.46, (x + 2) % 3), (0.08, x))
    )
    return 0.8 * delta + 0.2 * star


def _halved(view: View, known: tuple[int, ...], full: int) -> float:
    p = 1.0
    for k in known:
        p *= (MATE if k == full else HALF)[view.phases[k]]
    if sum(k != full for k in known) == 2:
        p *= LIKE_VOLTAGE if view.halves[full] else 0.1
    dark = 0.3 if not known and view.singles == 1 else 0.05
    return p * _amps(view, (), LESS) * _neutral(view, 0.03) * _gasp(view, dark)


def _adrift(view: View, known: tuple[int, ...], column: int) -> float:
    """Medium voltage to earth below a break in an isolated net: what is cut off floats, what still
    hangs on a phase goes wherever the neutral point goes; its currents tell."""
    gone = PHASE_SETS[column]
    if column == 0:
        return _low(view, known, 0)
    if len(gone) == 2:
        return _wide(view, known) * _amps(view, (0, 1, 2))
    return _wide(view, known) * _amps(view, gone)


def _sagged(view: View, known: tuple[int, ...]) -> float:
    p = 1.0
    for k in known:
        p *= SAG[view.phases[k]]
    if len(known) == 3:
        p *= 4.0 if view.even else 0.15
    return p * _amps(view, (), (0.3, 0.3, 0.4)) * _neutral(view, 0.01) * _gasp(view, 0.05)


def _alone(view: View, known: tuple[int, ...]) -> float:
    """What a monitor that is wrong of itself, or a customer that is off, shows."""
    if not known:
        return (0.8 if view.customer else 0.15) if view.gasp else 1.0
    dead = sum(view.phases[k] == 0 for k in known)
    right = sum(view.phases[k] == 5 for k in known)
    noise = (1 / 9) ** len(known)
    if view.customer:
        return (0.95 if dead == len(known) else 0.02 * noise) * (0.5 if view.gasp else 1.0)
    p = 0.35 * noise * (1 / 3) ** sum(a >= 0 for a in view.amps)
    if dead == len(known):
        p += 0.35 * (0.7 if all(a <= 0 for a in view.amps) else 0.3)
    elif dead == 1 and right == len(known) - 1:
        p += 0.1 / len(known) * _amps(view, ())
    if view.neutral == 1:
        p = 0.1 * p + 0.05 * _product(view, known, dict.fromkeys(known, THERE))
    return p * (0.05 if view.gasp else 1.0)
