"""What a sensor saw around a miss or a false alarm: looking at it is how the next one improves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import msgspec
import numpy as np

from bench._common.worst import worst
from bench.water.watch import Episode, Floats, Series, begin_of, rims
from simulators.water.take import Take

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

AROUND_H: Final = (6.0, 4.0)
"""Hours before and after."""
MOST_POINTS: Final = 240
COLOURS: Final = {
    "flooding": "C3",
    "drain_blocked": "C1",
    "sensor_faulty": "C4",
    "sensor_silent": "C7",
    "manhole_cover_displaced": "C5",
    "hydrant_no_pressure": "C6",
}


class Mark(msgspec.Struct, frozen=True):
    """Something that lasted, hours around the moment of the picture."""

    what: str
    begin: float
    end: float


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn: hours around the moment, metres."""

    sort: str
    worth: float
    """The higher, the sooner it is shown."""
    title: str
    t: tuple[float, ...]
    v: tuple[float, ...]
    rim: float | None = None
    rain: tuple[tuple[float, float], ...] = ()
    """(hours, mm/h)."""
    alarms: tuple[Mark, ...] = ()
    truths: tuple[Mark, ...] = ()


def picture(
    run: Take,
    episodes: Sequence[Episode],
    series: Mapping[str, Series],
    sort: str,
    worth: float,
    title: str,
    device: str,
    at: float,
) -> Picture:
    """Of one sensor at one moment (seconds since the run's begin)."""
    zero = begin_of(run)
    first, last = at - 3600 * AROUND_H[0], at + 3600 * AROUND_H[1]

    def mark(what: str, begin: float, end: float) -> Mark:
        return Mark(what, (max(begin, first) - at) / 3600, (min(end, last) - at) / 3600)

    node = run.sensed.get(device)
    truths = [
        ("overflow", o.begin, o.end) for o in run.overflows if o.node == node
    ] + [(f.what, f.begin, f.end) for f in run.faults if f.device == device]  # fmt: skip
    truths += [(f"{b.pipe} blocks", b.begin, b.full) for b in run.blockages]
    spans = [(w, (b - zero).total_seconds(), (e - zero).total_seconds()) for w, b, e in truths]
    t, v = _thinned(series[device], first, last)
    rain = [
        ((r.at - zero).total_seconds(), r.value) for r in run.readings if r.metric == "rain_rate"
    ]
    shown = [(s, mm) for s, mm in rain if first <= s <= last]
    return Picture(
        sort=sort,
        worth=worth,
        title=f"{title}\n{device}",
        t=tuple(((t - at) / 3600).round(4).tolist()),
        v=tuple(v.round(4).tolist()),
        rim=rims(run).get(device),
        rain=tuple(((s - at) / 3600, mm) for s, mm in shown[:: 1 + len(shown) // MOST_POINTS]),
        alarms=tuple(
            mark(e.kind, e.opened, e.closed)
            for e in episodes
            if (e.device or e.site) == device or e.kind == "drain_blocked"
            if e.opened <= last and e.closed >= first
        ),
        truths=tuple(mark(*span) for span in spans if span[1] <= last and span[2] >= first),
    )


def _thinned(series: Series, first: float, last: float) -> tuple[Floats, Floats]:
    """The readings of the time, at most so many: of each stretch its lowest and its highest."""
    inside = (series.t >= first) & (series.t <= last)
    t, v = series.t[inside], series.v[inside]
    if len(t) <= MOST_POINTS:
        return t, v
    picks: set[int] = set()
    for part in np.array_split(np.arange(len(t)), MOST_POINTS // 2):
        picks |= {int(part[v[part].argmin()]), int(part[v[part].argmax()])}
    rows = sorted(picks)
    return t[rows], v[rows]


def draw(pictures: Sequence[Picture], folder: Path) -> list[Path]:
    """`missed.png`, `false_alarms.png` (contact sheets) and each picture on its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("missed*.png"), *folder.glob("false_alarms*.png")):
        old.unlink()
    made = []
    for word, name in (("missed", "missed"), ("false", "false_alarms")):
        those = worst(pictures, word)
        if not those:
            continue
        fig, axes = plt.subplots(
            (len(those) + 1) // 2, 2, squeeze=False, layout="constrained",
            figsize=(13, 3.2 * ((len(those) + 1) // 2)),
        )  # fmt: skip
        for ax in axes.flat[len(those) :]:
            ax.axis("off")
        for ax, one in zip(axes.flat, those, strict=False):
            _draw(ax, one)
        fig.savefig(folder / f"{name}.png", dpi=80)
        plt.close(fig)
        made.append(folder / f"{name}.png")
        for number, one in enumerate(those, start=1):
            fig, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
            _draw(ax, one)
            fig.savefig(folder / f"{name}_{number:02}.png", dpi=100)
            plt.close(fig)
    return made


def _draw(ax: Axes, one: Picture) -> None:
    ax.plot(one.t, one.v, lw=1.2, marker=".", ms=2, color="C0")
    if one.rim is not None:
        ax.axhline(one.rim, color="C3", ls="--", lw=1)
        ax.annotate("rim", (one.t[0] if one.t else 0, one.rim), fontsize=7, color="C3")
    for number, mark in enumerate(one.truths):
        ax.axvspan(mark.begin, max(mark.end, mark.begin + 0.02), color="C2", alpha=0.18)
        place = (max(mark.begin, one.t[0] if one.t else 0.0), 0.96 - 0.07 * (number % 4))
        ax.annotate(mark.what, place, xycoords=("data", "axes fraction"), fontsize=7, color="C2")
    for number, mark in enumerate(one.alarms):
        colour = COLOURS.get(mark.what, "k")
        height = 0.03 + 0.05 * (number % 4)
        ax.plot(
            (mark.begin, max(mark.end, mark.begin + 0.02)), (height, height), color=colour, lw=3,
            transform=ax.get_xaxis_transform(),
        )  # fmt: skip
        where = (mark.begin, height + 0.01)
        ax.annotate(mark.what, where, xycoords=("data", "axes fraction"), fontsize=7, color=colour)
    if one.rain:
        other = ax.twinx()
        other.fill_between(*np.array(one.rain).T, color="C0", alpha=0.15)
        other.set_ylim(max(10.0, 3 * max(mm for _, mm in one.rain)), 0)
        other.set_ylabel("mm/h", fontsize=7)
    ax.axvline(0, color="0.6", lw=0.8)
    first, last = (one.t[0], one.t[-1]) if one.t else (0.0, 1.0)
    ax.set_xlim(first - 0.1, last + 0.1)
    ax.set_title(f"{one.sort}: {one.title}", fontsize=7.5)
    ax.set_xlabel("hours", fontsize=7)
    ax.set_ylabel("m", fontsize=7)
