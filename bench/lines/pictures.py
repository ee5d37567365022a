"""The line around what went wrong: looking at it is how the next one improves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import msgspec

from bench._common.worst import worst
from bench.lines.rules import Rules
from bench.lines.tree import Tree
from bench.lines.watch import CABLE, Episode, begin_of
from contracts.geo import Point
from simulators.lines.take import Take

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

XY = tuple[float, float]
COLOURS: Final = {"lost": "C3", "well": "C2", "silent": "0.6"}


class Drawn(msgspec.Struct, frozen=True):
    """A span as drawn (metres), its probability, and whether it is the broken one."""

    path: tuple[XY, ...]
    p: float
    true: bool


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A line at the end of a take; metres from its root."""

    sort: str
    worth: float
    """The higher, the sooner it is shown."""
    title: str
    spans: tuple[Drawn, ...]
    monitors: tuple[tuple[float, float, str], ...]
    """Where, and `lost`, `well` (said so since) or `silent`."""
    said: XY | None = None
    true: XY | None = None
    words: str = ""
    """What came of it, revision by revision."""


def picture(
    take: Take,
    episodes: Sequence[Episode],
    rules: Rules,
    tree: Tree,
    sort: str,
    worth: float,
    title: str,
) -> Picture:
    """Of one take; what the monitors last said is the rules' own reading of it."""
    zero, line = begin_of(take), tree.line
    root = line.nodes[line.root].point
    scale = 111_320.0 * math.cos(math.radians(root.lat))

    def xy(p: Point) -> XY:
        return round((p.lon - root.lon) * scale, 1), round((p.lat - root.lat) * 110_540.0, 1)

    since = take.order.before_s
    cables = [e for e in episodes if e.kind == CABLE]
    evidence = cables[-1].last_open.evidence if cables else {}
    p_of = {str(span): float(p) for span, p in evidence.get("spans", ())}
    broken = {b.span for b in take.breaks}
    low, well = rules.low, rules.well_since(since)
    monitors = []
    for device, node in tree.node_of.items():
        state = "lost" if device in low else "well" if device in well else "silent"
        monitors.append((*xy(line.nodes[node].point), state))
    point = evidence.get("point")
    happened = take.breaks[0].at if take.breaks else None
    first = (happened - zero).total_seconds() if happened is not None else since
    words = [
        f"{known.at - first:+.1f} s {known.event.phase} {known.event.evidence.get('state', '')} "
        f"{known.event.evidence.get('what', '')}"
        for e in cables
        for known in e.revisions
    ]
    return Picture(
        sort=sort,
        worth=worth,
        title=title,
        spans=tuple(
            Drawn(tuple(xy(p) for p in tree.path(s)), p_of.get(s.id, 0.0), s.id in broken)
            for s in line.spans.values()
        ),
        monitors=tuple(monitors),
        said=xy(Point(float(point["lon"]), float(point["lat"]))) if point is not None else None,
        true=xy(take.breaks[0].point) if take.breaks else None,
        words="\n".join(words[:4] + (["…"] if len(words) > 6 else []) + words[4:][-2:]),
    )


def draw(pictures: Sequence[Picture], folder: Path) -> list[Path]:
    """Contact sheets `missed.png`, `wrong.png` and `false.png` of the worst of each."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for word in ("missed", "wrong", "false"):
        path = folder / f"{word}.png"
        path.unlink(missing_ok=True)
        those = worst(pictures, word)
        if not those:
            continue
        rows = (len(those) + 1) // 2
        fig, axes = plt.subplots(
            rows, 2, squeeze=False, layout="constrained", figsize=(14, 5 * rows)
        )  # fmt: skip
        for ax in axes.flat:
            ax.axis("off")
        for ax, one in zip(axes.flat, those, strict=False):
            _draw(ax, one)
        fig.savefig(path, dpi=70)
        plt.close(fig)
        made.append(path)
    return made


def _draw(ax: Axes, one: Picture) -> None:
    for span in one.spans:
        x, y = zip(*span.path, strict=True)
        ax.plot(x, y, color="0.75", lw=0.8, zorder=1)
        if span.true:
            ax.plot(x, y, color="C2", lw=7, alpha=0.45, zorder=0, solid_capstyle="round")
        if span.p > 0:
            ax.plot(x, y, color="C1", lw=1 + 4 * span.p, zorder=2)
            middle = len(x) // 2
            place = ((x[middle - 1] + x[middle]) / 2, (y[middle - 1] + y[middle]) / 2)
            ax.annotate(f"{span.p:.2f}", place, fontsize=6, color="C1", zorder=5)
    for state, colour in COLOURS.items():
        spots = [(x, y) for x, y, s in one.monitors if s == state]
        if spots:
            xs, ys = zip(*spots, strict=True)
            ax.scatter(xs, ys, s=9, color=colour, zorder=3, label=state)
    ax.scatter(0, 0, marker="s", s=40, color="k", zorder=4, label="root")
    if one.true is not None:
        ax.scatter(*one.true, marker="x", s=60, color="C2", zorder=6, label="broken here")
    if one.said is not None:
        ax.scatter(*one.said, marker="+", s=80, color="C1", zorder=6, label="said to be here")
    ax.legend(fontsize=6, loc="best")
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_title(f"{one.sort}: {one.title}", fontsize=8)
    ax.text(0.0, 0.0, one.words, fontsize=6, transform=ax.transAxes, va="bottom")
