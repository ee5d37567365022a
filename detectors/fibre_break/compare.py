"""A trace against the healthy one of its fibre: whole, broken, only dimmed, or nothing to be said.

Where a trace alone shows an end, the healthy trace tells whether light should have gone on; where
it alone shows none (a short fibre, a receiver's long recovery), the place where it leaves the
healthy one for good is the end. Light that passes on, weaker by a constant, is a macro-bend or a
bad splice and no break: what follows still has the healthy trace's shape.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.nouns import Trace
from detectors.fibre_break.config import FibreBreakConfig
from detectors.fibre_break.end import (
    End,
    block_m,
    blocks,
    edge,
    end_of,
    error_m,
    pulse_m,
    sample_end,
    steps,
)

Samples = NDArray[np.float64]

NO_FLOOR_DB = -1000.0
"""A trace that shows no noise: its window closes while there is still light."""
CLEAR_DB = 3.0
"""Backscatter so far over the noise is seen in every block (5 log10: SNR 4 in power)."""
SHINE_DB = 4.0
"""A reflection so much over what lies before it is an end's or a connector's, not noise."""
ROUGH_DB = 0.3
"""Median step between neighbouring samples in noise is above this, in usable backscatter below."""
ATTENUATION_NM = (1240.0, 1310.0, 1383.0, 1490.0, 1550.0, 1625.0, 1650.0)
ATTENUATION_DB_PER_KM = (0.40, 0.34, 0.30, 0.23, 0.20, 0.22, 0.24)
"""Of G.652.D fibre in cables, typical."""


class Healthy(msgspec.Struct):
    """What is known of the fibre when it was whole."""

    end_m: float
    """Where it ends, or where the trace's window ended when the fibre is longer."""
    wavelength_nm: float
    pulse_m: float
    at_m: list[float]
    level_db: list[float]
    events_m: list[float]
    """Splices and connectors on it."""
    bare_end_m: float
    """Where its samples alone show the end: a connector right before it may hide it from them."""
    ended: bool
    """Whether its end was seen at all."""
    floor_db: float = NO_FLOOR_DB
    shine_db: float = 0.0
    """How high its end's reflection stands over what lies before it."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace says."""

    what: str
    """`whole`, `break`, `bend` (light passes on, weaker) or `unknown`."""
    why: str = ""
    """Of `unknown`: `noise`, `window`, `short`, `flat`."""
    end: End | None = None
    """The break, or where the light is dimmed."""
    reflective: bool = False
    shift_db: float = 0.0
    """How much stronger the trace is than the healthy one before anything happens."""
    above_db: float = 0.0
    """How far the light stands over the noise just before the break."""
    beyond: int = 0
    """Places behind it where the healthy trace has light ..."""
    lost: float = 0.0
    """... and the share of them where it is gone."""


def healthy_of(trace: Trace, end: End | None) -> Healthy:
    """What to remember of a whole fibre."""
    at, level, _ = blocks(trace)
    until = end.distance_m if end is not None else last_m(trace)
    told = [e.distance_m for e in trace.events if e.kind in ("reflective", "non_reflective")]
    found = told or steps(trace, until)
    return Healthy(
        end_m=until,
        wavelength_nm=trace.wavelength_nm,
        pulse_m=pulse_m(trace),
        at_m=[round(float(x), 3) for x in at],
        level_db=[round(float(y), 3) for y in level],
        events_m=[round(x, 2) for x in found if 0 < x < until],
        floor_db=round(_floor(trace, level, end), 3),
        bare_end_m=_bare(trace, until),
        ended=end is not None,
        shine_db=round(_shine(trace, until, 0.0, 0.0)[0], 3) if end is not None else 0.0,
    )


def _bare(trace: Trace, until: float) -> float:
    seen = sample_end(trace)
    return min(until, seen.distance_m) if seen is not None else until


def last_m(trace: Trace) -> float:
    """Where the trace's window ends."""
    return trace.first_m + trace.power_db.size * trace.spacing_m


def tolerance_m(cfg: FibreBreakConfig, trace: Trace, healthy: Healthy) -> float:
    """How much the end may wander between traces of a whole fibre."""
    pulse = max(block_m(trace), pulse_m(trace), healthy.pulse_m)
    scale = cfg.tolerance_share + max(0.0, trace.scale_error - 1e-4)
    return cfg.tolerance_m + scale * healthy.end_m + cfg.tolerance_pulses * pulse


def compare(trace: Trace, healthy: Healthy, cfg: FibreBreakConfig) -> Seen:
    """What the trace says of the fibre."""
    at, level, length = blocks(trace)
    if at.size < 16 or float(np.ptp(trace.power_db)) == 0.0:
        return Seen(what="unknown", why="flat")
    end = end_of(trace)
    usual_end = healthy.end_m
    if end is not None and end.source == "samples":
        usual_end = min(usual_end, healthy.bare_end_m)
    limit = usual_end - tolerance_m(cfg, trace, healthy)
    floor = _floor(trace, level, end)
    usual = _usual(trace, healthy, at)
    inside = (at > 2 * length) & (at < limit) & (usual > healthy.floor_db + CLEAR_DB)
    inside &= at < healthy.at_m[-1]
    gain = 5 * float(np.log10(max(pulse_m(trace), 0.1) / max(healthy.pulse_m, 0.1)))
    shift = _shift(level - usual, inside, at, end, most=12.0 + 1.5 * abs(gain))
    d = level - usual - shift
    seen = inside & (usual + shift > floor + CLEAR_DB)
    lost = d < -np.minimum(cfg.drop_db, 0.7 * (usual + shift - floor))
    if end is not None and end.distance_m < 2 * length and _same_setting(trace, healthy, cfg):
        end = _near_end(trace, end, at, d, seen, length)
    deep = seen & (usual + shift > floor + cfg.drop_db + CLEAR_DB)
    deep &= at > (end.distance_m if end is not None else limit) + 4 * length
    gone_all = int(deep.sum()) >= 6 and float(np.mean(d[deep] < -cfg.drop_db)) >= 0.85
    may_pass = not gone_all  # a reflection alone, with no light before it, is an echo
    if (
        end is not None
        and end.distance_m < limit
        and may_pass
        and _shines(trace, end, healthy, cfg)
    ):
        told = Seen(what="whole")  # the old end still throws light back
    elif end is not None and end.distance_m < limit:
        told = _ended(trace, end, at, level, length, floor, d=d, seen=seen, lost=lost, cfg=cfg)
        told = msgspec.structs.replace(told, shift_db=shift)
    elif floor > NO_FLOOR_DB and (gone := _departure(at, seen, lost, cfg)) is not None:
        place = edge(trace, float(at[max(gone - 1, 0)]), float(at[gone]), length)
        end = End(place, error_m(trace, place, length), float(-np.median(d[gone:][lost[gone:]])),
                  "baseline")  # fmt: skip
        told = _told(trace, end, at, level, length, floor, seen=seen, lost=lost, shift=shift)
    elif end is None and last_m(trace) < limit:
        return Seen(what="unknown", why="window", shift_db=shift)
    else:
        told = Seen(what="whole", shift_db=shift)
    if told.what == "break" and not healthy.ended and (told.beyond < 3 or told.lost < 0.8):
        told = Seen(what="whole", shift_db=shift)  # the healthy end was not seen: this may be it
    if told.what == "whole" and _same_wave(trace, healthy, cfg):
        return _dimmed(trace, at, d, seen & ~lost, length, cfg) or told
    return told


def _ended(
    trace: Trace,
    end: End,
    at: Samples,
    level: Samples,
    length: float,
    floor: float,
    *,
    d: Samples,
    seen: NDArray[np.bool_],
    lost: NDArray[np.bool_],
    cfg: FibreBreakConfig,
) -> Seen:
    """What an end before the healthy one is: a break, unless light passes on behind it."""
    told = _told(trace, end, at, level, length, floor, seen=seen, lost=lost, shift=0.0)
    if end.distance_m > 2 * length and told.above_db < CLEAR_DB and not told.reflective:
        return Seen(what="unknown", why="noise")
    behind = np.flatnonzero(seen & (at > end.distance_m + 4 * length))
    if behind.size < 6:
        return told  # too near the healthy end, or all noise: its place alone decides
    third = max(2, behind.size // 3)
    first, last = d[behind[:third]], d[behind[-third:]]
    noise = float(np.median(np.abs(np.diff(d[behind]))))
    steady = abs(float(np.median(first) - np.median(last))) <= 0.5 + noise
    reaches = float(np.median(last)) > -cfg.drop_db and float(np.mean(lost[behind])) < 0.5
    if reaches and steady:
        return Seen(what="whole")
    return told


def _shines(trace: Trace, end: End, healthy: Healthy, cfg: FibreBreakConfig) -> bool:
    """Whether the reflection of the healthy end still stands where it stood: light passes on."""
    if healthy.shine_db < SHINE_DB or not _same_wave(trace, healthy, cfg):
        return False
    wander = cfg.tolerance_m / 2 + cfg.tolerance_share / 2 * healthy.end_m
    if abs(2 * end.distance_m - healthy.end_m) <= wander + 2 * pulse_m(trace):
        return False  # the echo between the socket and a break half-way stands just there
    behind = end.distance_m + 1.2 * pulse_m(trace)  # what is thrown back there is over by then
    height, top = _shine(trace, healthy.end_m, wander, behind)
    return height >= max(SHINE_DB, 0.5 * healthy.shine_db) and top > _noise_top(trace)


def _shine(trace: Trace, at_m: float, wander_m: float, least_m: float) -> tuple[float, float]:
    """(how far the strongest light around a place, as wide as a pulse, stands over that before it
    and behind `least_m`, its level), dB."""
    x, pulse = _x(trace), pulse_m(trace)
    width = max(1, min(64, round(0.6 * pulse / trace.spacing_m)))
    peak = trace.power_db[(x >= at_m - wander_m) & (x <= at_m + wander_m + 2 * pulse)]
    low = max(least_m, at_m - wander_m - 8 * pulse - 10.0)
    before = trace.power_db[(x >= low) & (x < at_m - wander_m - 0.5 * pulse)]
    if peak.size < width or before.size < 3:
        return 0.0, NO_FLOOR_DB
    sums = np.concatenate([[0.0], np.cumsum(peak)])
    top = float((sums[width:] - sums[:-width]).max()) / width
    return top - float(np.median(before)), top


def _x(trace: Trace) -> Samples:
    """Where each sample lies, metres of light."""
    count = np.arange(trace.power_db.size, dtype=np.float64)
    return np.asarray(trace.first_m + count * trace.spacing_m, dtype=np.float64)


def _told(
    trace: Trace,
    end: End,
    at: Samples,
    level: Samples,
    length: float,
    floor: float,
    *,
    seen: NDArray[np.bool_],
    lost: NDArray[np.bool_],
    shift: float,
) -> Seen:
    before = level[(at > end.distance_m - 7 * length) & (at < end.distance_m - 0.5 * length)]
    near = float(np.median(before if before.size else level[:1]))
    behind = seen & (at > end.distance_m + 4 * length)
    above = near - floor if floor > NO_FLOOR_DB else 99.0
    return Seen(
        what="break",
        end=end,
        reflective=_reflective(trace, end, near if above >= CLEAR_DB else _noise_top(trace)),
        shift_db=shift,
        above_db=above,
        beyond=int(behind.sum()),
        lost=float(lost[behind].mean()) if behind.any() else 1.0,
    )


def _noise_top(trace: Trace) -> float:
    """What a peak in the noise must reach to be one: SHINE_DB over all but a few of its samples."""
    tail = trace.power_db[-max(64, trace.power_db.size // 20) :]
    return float(np.quantile(tail, 0.95)) + SHINE_DB


def _reflective(trace: Trace, end: End, level: float) -> bool:
    """Whether a peak stands on the end: half a decibel over the backscatter before it."""
    x = _x(trace)
    width = max(2 * pulse_m(trace), 6 * trace.spacing_m)
    there = trace.power_db[(x >= end.distance_m - width / 2) & (x <= end.distance_m + width)]
    return there.size > 0 and float(there.max()) > level + 0.5


def _usual(trace: Trace, healthy: Healthy, at: Samples) -> Samples:
    """What the healthy trace leads one to expect at each block."""
    usual = np.interp(at, healthy.at_m, healthy.level_db)
    then, now = (
        float(np.interp(nm or 1550.0, ATTENUATION_NM, ATTENUATION_DB_PER_KM))
        for nm in (healthy.wavelength_nm, trace.wavelength_nm)
    )
    return np.asarray(usual - (now - then) * at / 1000, dtype=np.float64)


def _same_wave(trace: Trace, healthy: Healthy, cfg: FibreBreakConfig) -> bool:
    return abs(trace.wavelength_nm - healthy.wavelength_nm) <= cfg.same_wavelength_nm


def _same_setting(trace: Trace, healthy: Healthy, cfg: FibreBreakConfig) -> bool:
    same = abs(pulse_m(trace) - healthy.pulse_m) < 0.1 * healthy.pulse_m
    return same and _same_wave(trace, healthy, cfg)


def _near_end(
    trace: Trace, end: End, at: Samples, d: Samples, seen: NDArray[np.bool_], length: float
) -> End:
    """A break within the socket's own dead zone, where a trace alone only tells that it is dark:
    the first block from which on it stays under the healthy one."""
    places = np.flatnonzero(seen | (at <= 2 * length))
    down = d[places] < -1.0
    if places.size < 4 or not down[-1]:
        return end
    whole = np.flatnonzero(~down)
    k = int(whole[-1]) + 1 if whole.size else 0
    place = max(0.0, float(at[places[k]]) - length / 2)
    return End(
        place, float(np.hypot(error_m(trace, place, length), length)), end.loss_db, "baseline"
    )


def _shift(
    d: Samples, inside: NDArray[np.bool_], at: Samples, end: End | None, *, most: float
) -> float:
    """How much stronger this trace is before anything happened: another pulse, another socket."""
    near = inside & (at < end.distance_m) if end is not None else inside
    places = np.flatnonzero(near)
    if places.size < 3:
        return 0.0
    first = d[places[: max(6, places.size // 8)]]
    shift = float(np.median(first))
    return shift if abs(shift) < most else 0.0


def _floor(trace: Trace, level: Samples, end: End | None) -> float:
    """The level of the noise in dB; NO_FLOOR_DB where the window closes while there is light."""
    tail = level[-max(8, level.size // 20) :]
    samples = trace.power_db[-max(64, trace.power_db.size // 20) :]
    rough = float(np.median(np.abs(np.diff(samples)))) > ROUGH_DB
    if end is not None or rough or float(np.ptp(samples)) == 0.0:
        return float(np.median(tail))
    return NO_FLOOR_DB


def _departure(
    at: Samples, seen: NDArray[np.bool_], lost: NDArray[np.bool_], cfg: FibreBreakConfig
) -> int | None:
    """The first block from which on nearly all light is gone, None where it comes back."""
    places = np.flatnonzero(seen)
    if places.size < 4:
        return None
    gone = lost[places]
    share = np.cumsum(gone[::-1])[::-1] / np.arange(places.size, 0, -1)
    starts = np.flatnonzero(gone[:-2] & gone[1:-1] & gone[2:] & (share[:-2] >= cfg.drop_share))
    return int(places[starts[0]]) if starts.size else None


def _dimmed(
    trace: Trace,
    at: Samples,
    d: Samples,
    seen: NDArray[np.bool_],
    length: float,
    cfg: FibreBreakConfig,
) -> Seen | None:
    """A step down in the difference to the healthy trace, at its likeliest place."""
    places = np.flatnonzero(seen)
    if places.size < 16:
        return None
    y = d[places]
    noise = max(1.48 * float(np.median(np.abs(np.diff(y)))) / np.sqrt(2), 0.01)
    y = np.clip(y, *np.quantile(y, (0.02, 0.98)))
    n = np.arange(1, y.size)
    total = np.cumsum(y)
    fell = total[:-1] / n - (total[-1] - total[:-1]) / (y.size - n)
    strength = fell * np.sqrt(n * (y.size - n) / y.size)
    k = int(np.argmax(strength[4:-4])) + 4
    near = float(np.median(y[max(0, k - 40) : k + 1]) - np.median(y[k + 1 : k + 41]))
    if near < cfg.bend_db or fell[k] < cfg.bend_db or strength[k] < 8 * noise:
        return None
    place = float(at[places[k]] + at[places[k + 1]]) / 2
    error = float(np.hypot(error_m(trace, place, length), length))
    return Seen(what="bend", end=End(place, error, near, "baseline"))
