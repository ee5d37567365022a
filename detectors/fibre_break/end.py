"""Where a fibre ends, read from the samples of its trace; no event table is needed.

Backscatter falls by a few tenths of a decibel per kilometre. At the end, after a reflection or
without one, it falls by many decibels within some pulse lengths and does not come back to anything
that looks like fibre: what follows is noise, or the receiver's recovery, far steeper than fibre.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.nouns import Trace

PULSE_M_PER_NS = 0.102
"""Spatial length of a pulse, c / (2 n), n = 1.468."""
DROP_DB = 3.0
"""More than any splice or connector of a working link loses at once."""
LOST_DB = 5.0
"""A link that loses this at one place is broken whatever follows: receivers show a smooth shelf
behind the end that looks like fibre for many kilometres."""
FIBRE_SLOPE_DB_PER_KM = 1.5
"""Single-mode fibre loses 0.2 to 0.5 dB/km; anything steeper is no fibre."""
STEP_DB = 0.3
"""A block further than this from the one before it is an event to look at."""
MAX_GAIN_DB = 1.0
"""Fibres of unlike backscatter look like a gain at their splice, but not by more than this."""
RUN_BLOCKS = 10
"""A stretch of fibre is at least this many blocks."""
ROUGH_DB = 0.6
"""Median step between samples of backscatter well above the noise is below this."""


ALIKE_DB = 0.12
"""Neighbouring blocks of backscatter differ by less, well above the noise."""
SHORT_DB = 1.2
"""A connector right before the end loses less than this."""
STEP_BLOCKS = 6
"""Blocks on each side of a step."""


class End(msgspec.Struct, frozen=True):
    """The end of a fibre: how far, how sure, and the level that was lost there."""

    distance_m: float
    error_m: float
    loss_db: float
    source: str
    """`table`, `samples`, or `both` where instrument and samples agree."""


def pulse_m(trace: Trace) -> float:
    """Length of the trace's pulse on the fibre."""
    return trace.pulse_ns * PULSE_M_PER_NS


def block_m(trace: Trace) -> float:
    """Length of a block: about a pulse, at least eight samples."""
    return _block(trace) * trace.spacing_m


def _block(trace: Trace) -> int:
    return max(8, round(pulse_m(trace) / trace.spacing_m), trace.power_db.size // 4000)


def blocks(trace: Trace) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """(distances of block centres, block medians in dB, block length in m) from the fibre's start.

    A block is about a pulse long: shorter ones only show noise.
    """
    size = _block(trace)
    first = max(0, round(-trace.first_m / trace.spacing_m))
    usable = trace.power_db[first:]
    count = usable.size // size
    if count == 0:
        none = np.empty(0)
        return none, none, size * trace.spacing_m
    medians = np.median(usable[: count * size].reshape(count, size), axis=1)
    centres = trace.first_m + (first + (np.arange(count) + 0.5) * size) * trace.spacing_m
    return centres.astype(np.float64), medians, size * trace.spacing_m


def sample_end(trace: Trace) -> End | None:
    """The end as the samples show it; None where the fibre goes on to the end of the window.

    Walks along the blocks. Where they leave the level so far, fibre must go on again soon behind
    it; where it does not, that is the end.
    """
    at, level, length = blocks(trace)
    if level.size < 16:
        return None
    start = min(round(max(30.0, 2 * pulse_m(trace)) / length) + 1, level.size // 4)
    if _dark(level[start:]):
        return End(0.0, error_m(trace, 0.0, length), 0.0, "samples")
    search = 2 + round(max(300.0, 10 * pulse_m(trace)) / length)
    floor = float(np.median(level[-max(8, level.size // 20) :]))
    good = _first(at, level, start, search, FIBRE_SLOPE_DB_PER_KM * length / 1000)
    i = good + 1
    while i < level.size:
        recent = level[max(start, i - 20) : i]
        noise = float(np.median(np.abs(np.diff(recent)))) if recent.size > 4 else 0.0
        if abs(level[i] - level[good]) <= max(STEP_DB, 6 * noise):
            good = i
            i += 1
            continue
        resumed = _resumes(at, level, i, search, float(level[good]), floor=floor)
        if resumed is None:
            alike = max(ALIKE_DB, 6 * noise, FIBRE_SLOPE_DB_PER_KM * length / 1000)
            short = _plateau(level, i, float(level[good]), alike)
            if short is not None:
                good, i = short, short + 1
                continue
            if i > level.size - search and not _gone(level[i:], float(level[good])):
                return None  # the window closes before anybody can tell
            place = edge(trace, float(at[good]), float(at[i]), length)
            rest = level[i + search // 2 : i + 2 * search]
            after = float(np.median(rest if rest.size else level[i:]))
            return End(place, error_m(trace, place, length), float(level[good]) - after, "samples")
        good, i = resumed, resumed + 1
    return None


def _dark(level: NDArray[np.float64]) -> bool:
    """Whether there is no light at all: near blocks as rough as noise, or at the floor itself."""
    near = level[:24]
    rough = float(np.median(np.abs(np.diff(near)))) > ROUGH_DB
    floor = float(np.median(near)) <= float(level.min()) + 0.5
    return rough or (floor and float(np.ptp(near)) > 0.0 and _flat(level)) or _constant(near)


def _flat(level: NDArray[np.float64]) -> bool:
    return float(np.median(level[:24])) <= float(np.median(level[-24:])) + 0.05


def _constant(near: NDArray[np.float64]) -> bool:
    return float(np.ptp(near)) == 0.0


def _resumes(
    at: NDArray[np.float64],
    level: NDArray[np.float64],
    i: int,
    search: int,
    before: float,
    *,
    floor: float,
) -> int | None:
    """The first block from i on where fibre goes on, or None where none does within `search`.

    Behind an ordinary loss a short stretch of fibre is believed; behind a great one (a macro-bend)
    it must be long and well above the noise, for the receiver's recovery looks alike at first.
    """
    short, far = RUN_BLOCKS, 3 * search
    for j in range(i, min(i + search, level.size - short)):
        loss = before - float(level[j])
        if loss < -MAX_GAIN_DB:
            continue
        if loss <= DROP_DB:
            if _fibre(at[j : j + short], level[j : j + short]):
                return j
        elif (
            loss <= LOST_DB
            and j + far <= level.size
            and min(float(level[j]), float(level[j + far - 1])) > floor + DROP_DB
            and _fibre(at[j : j + far], level[j : j + far])
        ):
            return j
    return None


def _first(
    at: NDArray[np.float64], level: NDArray[np.float64], start: int, search: int, slope_db: float
) -> int:
    """The first block that is fibre: the socket's own reflection is past. Three blocks alike, or a
    stretch that falls gently; a cable may be cut before there is a whole stretch of it."""
    alike = max(ALIKE_DB, slope_db)
    places = range(start, min(start + search, level.size - RUN_BLOCKS))
    for j in places:
        three = np.abs(np.diff(level[j : j + 3]))
        if bool((three <= alike).all()) or _fibre(
            at[j : j + RUN_BLOCKS], level[j : j + RUN_BLOCKS]
        ):
            return j
    pairs = (j for j in places if abs(float(level[j + 1] - level[j])) <= alike)
    return next(pairs, start)


def _plateau(level: NDArray[np.float64], i: int, before: float, alike: float) -> int | None:
    """The end of a stretch too short to fit a line to, behind a connector shortly before the end:
    two blocks alike, hardly below those before. The receiver's recovery falls from block to block.
    """
    for j in range(i, min(i + 8, level.size - 2)):
        a, b = before - float(level[j]), before - float(level[j + 1])
        if abs(a - b) <= alike and min(a, b) >= -STEP_DB and max(a, b) <= SHORT_DB:
            return j + 1
    return None


def _gone(rest: NDArray[np.float64], before: float) -> bool:
    """Whether a short rest of the window is so dark that nothing can follow: it is noise, or far
    under the fibre to the last."""
    behind = rest[4:]
    return behind.size >= 6 and float(np.quantile(behind, 0.9)) < before - LOST_DB


def _fibre(at: NDArray[np.float64], level: NDArray[np.float64]) -> bool:
    """Whether a stretch of blocks falls as gently and runs as smoothly as backscatter does."""
    x = (at - at[0]) / 1000.0
    slope, offset = np.polyfit(x, level, 1)
    spread = float(np.sqrt(np.mean((level - (slope * x + offset)) ** 2)))
    error = 3.5 * spread / (float(x[-1]) * np.sqrt(at.size))  # sd of a slope is sqrt(12) s/(X n^.5)
    return bool(
        spread < ROUGH_DB and -FIBRE_SLOPE_DB_PER_KM - 2 * error <= slope <= 1.0 + 2 * error
    )


def edge(trace: Trace, good_m: float, bad_m: float, length: float) -> float:
    """Where, between a good and a bad block, the samples leave the fibre's straight line."""
    x = trace.first_m + np.arange(trace.power_db.size) * trace.spacing_m
    fit = (x >= good_m - 12 * length) & (x <= good_m - length / 2) & (x >= 0)
    if int(fit.sum()) < 8:
        return (good_m + bad_m) / 2
    slope, offset = np.polyfit(x[fit], trace.power_db[fit], 1)
    noise = float(np.median(np.abs(trace.power_db[fit] - (slope * x[fit] + offset))))
    look = np.flatnonzero((x >= good_m - length) & (x <= bad_m))
    off = np.abs(trace.power_db[look] - (slope * x[look] + offset)) > max(0.15, 6 * noise)
    for k in range(off.size):
        if off[k : k + 3].all():
            return float(x[look[k]])
    return (good_m + bad_m) / 2


def error_m(trace: Trace, distance: float, length: float) -> float:
    """One standard error: sampling, the pulse's edge, index of refraction, and block (metres)."""
    parts = (trace.spacing_m, pulse_m(trace) / 4, trace.scale_error * distance, length / 8, 1.0)
    return float(np.sqrt(sum(p * p for p in parts)))


def table_end(trace: Trace) -> End | None:
    """The end by the instrument's own table, if it found one."""
    found = [e for e in trace.events if e.kind == "end" and e.distance_m > 0]
    if not found:
        return None
    end = found[0]
    error = error_m(trace, end.distance_m, 4 * trace.spacing_m)
    return End(end.distance_m, error, end.loss_db, "table")


def end_of(trace: Trace) -> End | None:
    """The end by samples and table together: the table's where they agree, else the samples'.

    A table alone, with samples that show the fibre going on, is not believed.
    """
    seen, told = sample_end(trace), table_end(trace)
    if told is None:
        return seen
    if seen is None:
        return told if _drops_at(trace, told.distance_m) else None
    slack = max(30.0, 4 * pulse_m(trace), 0.002 * seen.distance_m)
    if abs(seen.distance_m - told.distance_m) <= slack:
        loss = told.loss_db if told.loss_db > DROP_DB else seen.loss_db
        return End(told.distance_m, told.error_m, loss, "both")
    return seen


def _drops_at(trace: Trace, distance: float) -> bool:
    """Whether the light behind a place is weaker than before it by what a break loses."""
    at, level, length = blocks(trace)
    dead = max(100.0, 6 * pulse_m(trace))
    before = level[(at > distance - 8 * length) & (at < distance - length / 2) & (at > 0)]
    after = level[(at > distance + dead) & (at < distance + dead + 12 * length)]
    if before.size == 0 or after.size == 0:
        return False
    return float(np.median(before) - np.median(after)) >= LOST_DB


def steps(trace: Trace, until_m: float) -> list[float]:
    """Splices and connectors before `until_m`, metres: steps of the line or peaks on it.

    A matched filter: the mean of some blocks behind a place against that of as many before it, the
    fibre's own slope taken off; believed from five times its usual size on.
    """
    at, level, length = blocks(trace)
    keep = (at > 3 * length) & (at < until_m - 2 * length)
    at, level = at[keep], level[keep]
    m = STEP_BLOCKS
    if level.size < 6 * m:
        return []
    sums = np.concatenate([[0.0], np.cumsum(level)])
    mean = (sums[m:] - sums[:-m]) / m
    fell = mean[: -m - 1] - mean[m + 1 :]  # around block m + i
    fell = fell - float(np.median(fell))
    usual = 1.48 * float(np.median(np.abs(fell)))
    size = np.abs(fell)
    found = []
    for i in np.flatnonzero(size > max(5 * usual, 0.03)):
        near = size[max(0, i - m) : i + m + 1]
        if size[i] == near.max():
            found.append(float(at[i + m] - length / 2))
    return found
