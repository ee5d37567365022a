"""Floors repeat: how far apart they are, where each one is, and where its bays are.

Works on the wall seen straight on. A floor's pattern of edges repeats from floor to floor, so the
period is a peak of the autocorrelation; the mean floor is then sought again at every floor, which
also mends what the vanishing point left wrong. Slabs are the bands with few upright edges; bays are
the columns that take part in the rhythm.
"""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.optimize import least_squares
from scipy.signal import find_peaks

from gridsentry.calibrate.wall import Front

Array = NDArray[np.float64]

MOST_FLOORS, FEWEST_FLOORS = 60, 3
CLEAR = 0.2
"""Autocorrelation below which there is no rhythm."""
FIRST_SHARE = 0.72
"""The first peak this near the highest is the period: multiples of it are as high."""
SLAB_BELOW = 0.075
"""Slabs lie below the middle of the band between windows, in floor heights: sills stand 0.9 m above
the floor (GB 50096-2011, 5.8), lintels end 0.3 to 0.5 m below the next one; of 3 m, the band goes
from 0.87 to 1.3 and its middle lies at 1.075."""
ALIKE = 0.3
"""A floor is one when it correlates so with the mean floor."""
GAP = 1.5
"""Floor heights of nothing between two walls; blind parts of one wall are rarely wider than 4 m."""
BAY_PRIOR_M = 3.6
"""Usual width of a bay where the picture does not tell (modules of GB/T 50002: 3.0 to 4.2 m)."""


class Rhythm(msgspec.Struct, frozen=True):
    """What repeats on the wall, in places on it (units of `Wall`)."""

    floors: tuple[float, ...]
    """Heights of the boundaries between floors, lowest first, one more than there are floors."""
    bays: tuple[float, ...]
    """Places of the boundaries between bays, from the left, one more than there are bays."""
    clear: float
    """Autocorrelation at the period, 0 to 1."""
    bays_seen: bool
    """False: bays were laid out evenly."""
    slabs: float
    """How clearly slabs stand apart from windows, 0 to 1: share of the upright edges that takes
    part in the floors' rhythm."""


def find_rhythm(
    front: Front, floors: int | None, bays: int | None, bay_share: float | None
) -> tuple[Rhythm | None, str]:
    """The rhythm, or None and what is missing.

    `floors`, `bays`: how many are seen, where the person says so; `bay_share`: width of a bay in
    floor heights.
    """
    level = _edges(front.grey, axis=0)
    upright = np.abs(_edges(front.grey, axis=1))
    level[~front.inside], upright[~front.inside] = 0, 0
    seen = np.maximum(front.inside.sum(axis=1), 1)
    profile = np.asarray(level.sum(axis=1) / seen, np.float64)
    covered = front.inside.mean(axis=1) > 0.15
    period, clear = _period(profile, floors)
    if period is None:
        return None, "no rhythm of floors along the wall"
    mean_upright = np.asarray(upright.sum(axis=1) / seen, np.float64)
    phase, slabs = _slab(mean_upright, period)
    rows, like = _aligned(profile, period, phase)
    rows, like = _run(rows, like, covered, floors)
    if len(rows) < FEWEST_FLOORS:
        return None, f"only {len(rows)} floors that look alike"
    height = float(np.median(np.diff(rows))) if len(rows) > 1 else period
    edges = _smooth_rows(rows, like)
    top, bottom = edges[0], edges[-1]
    band = slice(max(0, int(top)), min(len(profile), int(bottom) + 1))
    columns, told = _bays(
        level[band], upright[band], front.inside[band], height, top, bays, bay_share
    )
    return (
        Rhythm(
            floors=tuple(sorted(front.y(row) for row in edges)),
            bays=tuple(front.x(column) for column in columns),
            clear=clear,
            bays_seen=told,
            slabs=slabs,
        ),
        "",
    )


def _edges(grey: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Brightness steps, strong ones held back so that no single sign or shadow rules."""
    step = np.gradient(grey, axis=axis).astype(np.float32)
    limit = 3 * float(np.mean(np.abs(step))) + 1e-6
    return np.clip(step, -limit, limit)


def _period(profile: Array, floors: int | None) -> tuple[float | None, float]:
    """Rows from floor to floor and how clear it is."""
    n = len(profile)
    calm = profile - gaussian_filter1d(profile, n / 8)
    power = np.fft.irfft(np.abs(np.fft.rfft(calm, 2 * n)) ** 2)[:n]
    if power[0] <= 0:
        return None, 0.0
    overlap = np.maximum(n - np.arange(n), 1) / n
    auto = gaussian_filter1d(power / power[0] / overlap, 1.0)
    least, most = max(6, n // MOST_FLOORS), int(n / (FEWEST_FLOORS - 0.5))
    if floors is not None:
        least, most = int(0.75 * n / (floors + 1)), int(1.35 * n / max(1, floors - 1))
    peaks = [p for p in find_peaks(auto)[0] if least <= p <= most and auto[p] > CLEAR]
    if not peaks:
        return None, 0.0
    best = max(auto[p] for p in peaks)
    first = next(p for p in peaks if auto[p] >= FIRST_SHARE * best)
    a, b, c = auto[first - 1 : first + 2] if first + 1 < n else (0.0, auto[first], 0.0)
    bend = a - 2 * b + c
    fine = 0.5 * (a - c) / bend if bend < 0 else 0.0
    return float(first + fine), float(auto[first])


def _slab(upright: Array, period: float) -> tuple[float, float]:
    """Row (0 to period) of a slab, below the middle of the band with fewest upright edges; and
    how clear that band is."""
    rows = np.arange(len(upright))
    turn = np.sum(upright * np.exp(2j * np.pi * rows / period))
    fullest = np.angle(turn) / (2 * np.pi) * period
    clear = float(np.abs(turn) / max(1e-12, float(upright.sum())))
    return float((fullest + period / 2 + SLAB_BELOW * period) % period), clear


def _aligned(profile: Array, period: float, phase: float) -> tuple[Array, Array]:
    """Rows of the slabs, each sought where its floor resembles the mean floor, and how much."""
    n = len(profile)
    count = int((n - phase) / period) + 1
    guess = phase + period * np.arange(-1, count + 1)
    shape = np.arange(-0.5, 0.5, 1 / max(8.0, period)) * period
    cut = [_sampled(profile, row + shape) for row in guess]
    whole = [one for one, row in zip(cut, guess, strict=True) if 0 <= row < n]
    mean = np.median(whole, axis=0) if whole else np.zeros(len(shape))
    rows, like = [], []
    shifts = np.linspace(-0.22, 0.22, 45) * period
    carried = 0.0
    # Outwards from the middle, each floor near where the one before was found.
    order = np.argsort(np.abs(guess - n / 2), kind="stable")
    found: dict[int, tuple[float, float]] = {}
    for index in order:
        row = guess[index]
        near = [k for k in (index - 1, index + 1) if k in found]
        carried = found[near[0]][0] - guess[near[0]] if near else 0.0
        fits = [_alike(mean, _sampled(profile, row + carried + s + shape)) for s in shifts]
        # Ties go to where it was expected.
        scores = np.array(fits) - 0.15 * (shifts / period / 0.22) ** 2
        best = int(np.argmax(scores))
        moved = carried + shifts[best] if fits[best] > ALIKE else carried
        found[int(index)] = (row + moved, fits[best])
    for index in range(len(guess)):
        rows.append(found[index][0])
        like.append(found[index][1])
    return np.array(rows), np.array(like)


def _sampled(profile: Array, rows: Array) -> Array:
    return np.asarray(map_coordinates(profile, [rows], order=1, mode="constant"), np.float64)


def _alike(one: Array, other: Array) -> float:
    a, b = one - one.mean(), other - other.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else 0.0


def _run(
    rows: Array, like: Array, covered: NDArray[np.bool_], floors: int | None
) -> tuple[Array, Array]:
    """The longest run of slabs that look alike, single odd ones allowed within it."""
    n = len(covered)
    good = [
        0 <= row < n and bool(covered[int(row)]) and value > ALIKE
        for row, value in zip(rows, like, strict=True)
    ]
    best, begin = (0, 0), 0
    index = 0
    while index < len(good):
        if not good[index]:
            index += 1
            begin = index
            continue
        end = index
        while end + 1 < len(good) and (good[end + 1] or (end + 2 < len(good) and good[end + 2])):
            end += 1
        if end + 1 - begin > best[1] - best[0]:
            best = (begin, end + 1)
        index = end + 1
        begin = index
    low, high = best
    if floors is not None and high - low > floors + 1:
        low = high - floors - 1
    return rows[low:high], like[low:high]


def _smooth_rows(rows: Array, like: Array) -> Array:
    """Evenly spaced floors as a slightly wrong vanishing point shows them: a fraction of lines."""
    number = np.arange(len(rows), dtype=np.float64)
    if len(rows) < 5:
        slope, begin = np.polyfit(number, rows, 1)
        return np.asarray(begin + slope * number, np.float64)
    slope, begin = np.polyfit(number, rows, 1)
    weight = np.clip(like, 0.05, 1)
    middle = len(rows) / 2

    def model(x: Array) -> Array:
        return np.asarray((x[0] + x[1] * number) / (1 + x[2] * (number - middle)))

    def misses(x: Array) -> Array:
        return np.asarray((model(x) - rows) * weight / slope, np.float64)

    fit = least_squares(
        misses,
        np.array([begin, slope, 0.0]),
        loss="soft_l1",
        f_scale=0.05,
        x_scale=np.array([abs(slope), abs(slope) / 10, 0.01]),
    )
    return model(np.asarray(fit.x, np.float64))


def _bays(
    level: NDArray[np.float32],
    upright: NDArray[np.float32],
    inside: NDArray[np.bool_],
    height: float,
    top: float,
    bays: int | None,
    bay_share: float | None,
) -> tuple[list[float], bool]:
    """Columns of the boundaries, and whether the picture told them."""
    rows = np.arange(level.shape[0]) + (max(0, int(top)) - top)
    wave = np.exp(2j * np.pi * rows / height)[:, None]
    seen = np.maximum(inside.sum(axis=0), 1)
    # How much a column takes part in the floors' rhythm: windows do, piers do not.
    part = sum(np.abs((level * wave**k).sum(axis=0)) / seen for k in (1, 2, 3))
    part = np.asarray(part, np.float64)
    used = inside.mean(axis=0) > 0.3
    part[~used] = 0
    calm = gaussian_filter1d(part, 0.06 * height)
    inner = calm[used]
    if not len(inner):
        return [0.0, float(level.shape[1])], False
    strong = calm > 0.3 * np.percentile(inner, 75)
    columns = np.flatnonzero(strong)
    if not len(columns):
        return [0.0, float(level.shape[1])], False
    # One wall: what lies more than GAP floor heights apart is another house.
    runs = np.split(columns, np.flatnonzero(np.diff(columns) > GAP * height) + 1)
    run = max(runs, key=lambda one: float(calm[one].sum()))
    left, right = float(run[0]), float(run[-1] + 1)
    if bays is not None or bay_share is not None:
        count = bays or max(1, round((right - left) / height / (bay_share or 1.0)))
        return list(np.linspace(left, right, count + 1)), False
    spread = float(np.percentile(inner, 90) - np.percentile(inner, 10))
    dips = find_peaks(-calm, prominence=0.3 * spread, distance=max(2.0, 0.55 * height))[0]
    gaps = sorted(
        _middle_of_gap(calm, int(dip), 0.12 * spread)
        for dip in dips
        if left + 0.35 * height < dip < right - 0.35 * height
    )
    edges = [left, *gaps, right]
    widths = [b - a for a, b in itertools.pairwise(edges)]
    if len(gaps) < 2 or max(widths) > 3.5 * float(np.median(widths)):
        count = max(1, round((right - left) / height / (BAY_PRIOR_M / 3.0)))
        return list(np.linspace(left, right, count + 1)), False
    return edges, True


def _middle_of_gap(calm: Array, dip: int, rise: float) -> float:
    """Middle of the columns around a dip that are hardly higher."""
    limit = calm[dip] + rise
    low = high = dip
    while low > 0 and calm[low - 1] <= limit:
        low -= 1
    while high + 1 < len(calm) and calm[high + 1] <= limit:
        high += 1
    return (low + high) / 2
