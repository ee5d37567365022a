"""Leaning poles: false onsets on a real tower node, and leans put upon its sway.

The recording is one LoRaWAN node on a tower (Grenoble, ELSYS EMS, steps of 0.9°), half of it, with
gaps of weeks: the days that have readings count. Longer noise is resampled from it in blocks of
three days (the longest storm in it lasts two), each against how the node hung; how many blocks do
not overlap is how many independent ones there are, and is said beside the figure. Leans are added
to that sway; a sensor of one angle was zeroed when it was mounted.

`python -m bench.lines.poles [RECORDINGS]` prints these figures alone.
"""

from __future__ import annotations

import gzip
import itertools
import json
import math
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from bench._common.figure import Figure, figure, share, show
from bench._common.stats import garwood, quantile
from contracts.event import Event
from contracts.nouns import Reading
from detectors._common.drive import Drive, Known
from detectors._common.sample import city, device
from detectors.pole_tilt import SPEC
from detectors.pole_tilt.config import PoleConfig
from detectors.pole_tilt.sites import sites

FOLDER: Final = "lines/lorawan_field"
START: Final = datetime(2026, 1, 5, tzinfo=UTC)
DAY_S: Final = 86400.0
BLOCK_DAYS: Final = 3
GAP_S: Final = 6 * 3600.0
OVER_DEG: Final = 5.0
LEANS: Final = (1.5, 3.0, 10.0, 45.0)
AXES: Final = ("tilt_x", "tilt_y")


class Sway(NamedTuple):
    """What a node said: epoch seconds, shape (n,), and two angles about its rest, shape (n, 2)."""

    at: NDArray[np.float64]
    xy: NDArray[np.float64]
    turned: NDArray[np.float64]
    """Angle from how it hung when mounted (degrees), shape (n,)."""


def tower(recordings: Path) -> Sway:
    """The node's readings in order. Raises FileNotFoundError where the folder has none."""
    rows = []
    for path in sorted((recordings / FOLDER).glob("*.ndjson.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                one = json.loads(line)
                body = (one.get("decoded") or {}).get("payload") or {}
                xyz = [body.get(k) for k in "xyz"]
                if None not in xyz:
                    rows.append((one["reported_at"] / 1000.0, *xyz))
    if not rows:
        raise FileNotFoundError(f"no readings of a tower in {recordings / FOLDER}")
    table = np.array(sorted(rows), dtype=np.float64)
    at, g = table[:, 0], table[:, 1:]
    g = g / np.linalg.norm(g, axis=1)[:, None]
    first = _unit(np.median(g[:100], axis=0))
    turned = np.degrees(np.arccos(np.clip(g @ first, -1.0, 1.0)))
    xy = np.zeros((len(at), 2))
    for part in _mounts(at, turned):
        rest = _unit(np.median(g[part], axis=0))
        e1 = _unit(np.cross(rest, [0.0, 0.0, 1.0]))
        e2 = np.cross(rest, e1)
        xy[part, 0] = np.degrees(np.arctan2(g[part] @ e1, g[part] @ rest))
        xy[part, 1] = np.degrees(np.arctan2(g[part] @ e2, g[part] @ rest))
    return Sway(at, xy, turned)


def _unit(v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(v / np.linalg.norm(v))


def _mounts(at: NDArray[np.float64], turned: NDArray[np.float64]) -> list[slice]:
    cuts = [0, *(np.flatnonzero(np.abs(np.diff(turned)) > 90.0) + 1).tolist(), len(at)]
    return [slice(a, b) for a, b in itertools.pairwise(cuts)]


def days_heard(at: NDArray[np.float64]) -> float:
    """Days between readings that are no further apart than six hours."""
    steps = np.diff(at)
    return float(steps[steps < GAP_S].sum() / DAY_S)


def onsets(turned: NDArray[np.float64], row: int) -> int:
    """How often a rule `tilt > 5°` on that many readings in a row begins to hold."""
    run = found = 0
    for v in turned:
        run = run + 1 if v > OVER_DEG else 0
        found += run == row
    return found


def blocks(sway: Sway) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Every stretch of three days with readings all along, a new one each half day: seconds since
    its beginning, and angles about rest."""
    found = []
    length = BLOCK_DAYS * DAY_S
    steps = np.flatnonzero(np.diff(sway.at) >= GAP_S) + 1
    for part in np.split(np.arange(len(sway.at)), steps):
        at, xy = sway.at[part], sway.xy[part]
        begin = at[0]
        while begin + length <= at[-1]:
            inside = (at >= begin) & (at < begin + length)
            found.append((at[inside] - begin, xy[inside]))
            begin += 0.5 * DAY_S
    return found


def resampled(
    rng: np.random.Generator, pieces: Sequence[Any], days: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sway of that many days, block after block: seconds, shape (n,), angles, shape (n, 2)."""
    at, xy = [], []
    for k in range(math.ceil(days / BLOCK_DAYS)):
        when, angles = pieces[int(rng.integers(len(pieces)))]
        at.append(when + k * BLOCK_DAYS * DAY_S)
        xy.append(angles)
    return np.concatenate(at), np.concatenate(xy)


def readings(at: NDArray[np.float64], xy: NDArray[np.float64], single: bool) -> Iterator[Reading]:
    """The same as a device says it: two axes, or the angle from how it was mounted."""
    tilt = np.hypot(xy[:, 0], xy[:, 1])
    for k, t in enumerate(at.tolist()):
        when = START + timedelta(seconds=t)
        if single:
            yield Reading("p", "tilt", float(tilt[k]), when, when, sent_at=when)
        else:
            for axis, name in enumerate(AXES):
                yield Reading("p", name, float(xy[k, axis]), when, when, sent_at=when)


def watch(items: Iterator[Reading]) -> list[Known]:
    """Every revision that comes of one pole's readings."""
    cfg = PoleConfig()
    town = city(devices={"p": device("p", type="pole_tilt", metrics=("tilt", *AXES))})
    drive = Drive(SPEC, cfg, next(iter(sites(town, cfg))))
    return [known for item in items for known in drive.put(item)]


def counted(known: Sequence[Known]) -> tuple[int, int]:
    """(events, events that were ever confirmed)."""
    confirmed = {e.id for _, e in known if e.evidence["state"] == "confirmed"}
    return len({e.id for _, e in known}), len(confirmed)


class Found(NamedTuple):
    """What came of one lean; hours after it, None where it was not told."""

    suspected_h: float | None
    confirmed_h: float | None


def leaned(
    rng: np.random.Generator, pieces: Sequence[Any], degrees: float, single: bool, days: float
) -> Found:
    """A pole that is pushed over after three weeks and stays so for `days`."""
    at, xy = resampled(rng, pieces, 21 + days + BLOCK_DAYS)
    hit = (21.0 + rng.uniform(0, BLOCK_DAYS)) * DAY_S
    way = rng.uniform(0, 2 * np.pi)
    upon = at >= hit
    xy[upon] += degrees * np.array([np.cos(way), np.sin(way)])
    when = START + timedelta(seconds=hit)
    since = at < hit + days * DAY_S
    known = watch(readings(at[since], xy[since], single))
    return Found(*(_after(known, when, least) for least in ("", "confirmed")))


def _after(known: Sequence[Known], when: datetime, state: str) -> float | None:
    def told(event: Event) -> bool:
        return event.phase != "closed" and (not state or event.evidence["state"] == state)

    times = [(at - when).total_seconds() / 3600.0 for at, e in known if at >= when and told(e)]
    return min(times, default=None)


def figures(recordings: Path, seed: int, years: float, each: int) -> list[Figure]:
    """All figures of this part, the baselines of the same recording among them."""
    sway = tower(recordings)
    heard = days_heard(sway.at)
    pieces = blocks(sway)
    said = f"{heard:.1f} days heard"
    found = []
    for row, name in ((1, "tilt > 5° once"), (3, "tilt > 5° three in a row")):
        tilt = np.hypot(sway.xy[:, 0], sway.xy[:, 1])
        n = sum(onsets(tilt[m], row) for m in _mounts(sway.at, sway.turned))
        found.append(_rate(f"baseline {name}: false onsets", n, heard / 365.0, None, said))
    rng = np.random.default_rng([seed, 5])
    for single, kind in ((False, "two axes"), (True, "one angle")):
        real = counted(watch(as_heard(sway, single)))
        long = counted(watch(readings(*resampled(rng, pieces, 365.0 * years), single)))
        apart = f"resampled; {int(heard // BLOCK_DAYS)} independent blocks"
        for k, (name, aim) in enumerate((("suspected", "<= 0.2"), ("confirmed", "<= 0.01"))):
            found.append(_rate(f"{kind}: false {name}, as heard", real[k], heard / 365, aim, said))
            found.append(_rate(f"{kind}: false {name}, long", long[k], years, aim, apart))
        for degrees in LEANS:
            told = [leaned(rng, pieces, degrees, single, 7.0) for _ in range(each)]
            for k, name in enumerate(("suspected", "confirmed")):
                delays = [h for one in told if (h := one[k]) is not None]
                lean = f"poles, {kind}: lean of {degrees}°, {name}"
                found.append(share(f"{lean} in a week", len(delays), each, aim=">= 0.98"))
                found.append(
                    figure(f"{lean}, median delay (h)", quantile(delays, 0.5), len(delays))
                )
    return found


def _rate(name: str, n: int, years: float, aim: str | None, reference: str) -> Figure:
    low, high = garwood(n)
    told = (n / years, (low / years, high / years))
    return figure(f"poles, {name} per device-year", told, n, aim, reference)


def as_heard(sway: Sway, single: bool) -> Iterator[Reading]:
    """The recording itself, its gaps and its remounting in it."""
    at = sway.at - sway.at[0]
    if single:
        flat = np.stack([sway.turned, np.zeros_like(sway.turned)], axis=1)
        return readings(at, flat, True)
    xy = sway.xy.copy()
    for part in _mounts(sway.at, sway.turned)[1:]:
        xy[part, 0] += 160.0
    return readings(at, xy, False)


def main() -> None:
    """The figures of this part alone."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data")
    show(figures(folder, 1, years=20.0, each=150), Console(width=170), "poles")


if __name__ == "__main__":
    main()
