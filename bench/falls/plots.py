"""The scorecard's pictures: looking at them is how the next person improves the detector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from bench._common.stats import wilson
from bench.falls.episodes import Episodes
from bench.falls.figures import found, named
from bench.falls.rates import of_part
from bench.falls.scene import Result
from bench.falls.sheet import HIGH, WIDE

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

SIZES = (2.0, 2.8, 4.0, 5.0, 6.3, 8.0, 10.0, 13.0, 20.0, 40.0)
COLUMNS, MOST_TILES = 8, 48


def draw(results: Sequence[Result], episodes: Episodes, folder: Path) -> list[Path]:
    """All pictures; those without anything to draw are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, painter in (("recall_by_size", _recall), ("window_calibration", _windows)):
        fig, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
        if painter(results, ax):
            fig.savefig(folder / f"{name}.png", dpi=110)
            made.append(folder / f"{name}.png")
        plt.close(fig)
    fig, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    if _roc(results, episodes, ax):
        fig.savefig(folder / "roc.png", dpi=110)
        made.append(folder / "roc.png")
    plt.close(fig)
    for name, tiles in (("missed", _missed(results)), ("false_alarms", _false(results))):
        if tiles:
            cv2.imwrite(str(folder / f"{name}.png"), _sheet(tiles))
            made.append(folder / f"{name}.png")
    return made


def _recall(results: Sequence[Result], ax: Axes) -> bool:
    falls = [fell for r in of_part(results, "recall") for fell in r.falls]
    if not falls:
        return False
    for ours, label, colour in ((True, "detector", "C0"), (False, "plain difference", "C7")):
        x, y, low, high = [], [], [], []
        for a, b in pairwise(SIZES):
            those = [fell for fell in falls if a <= fell.size_px < b]
            hits = sum((fell.said is not None) if ours else fell.reference for fell in those)
            interval = wilson(hits, len(those))
            if interval is None:
                continue
            x.append(math.sqrt(a * b))
            y.append(hits / len(those))
            low.append(y[-1] - interval[0])
            high.append(interval[1] - y[-1])
            if ours:
                ax.annotate(f"n={len(those)}", (x[-1], 0.02), fontsize=7, ha="center", color="0.4")
        low, high = [max(v, 0.0) for v in low], [max(v, 0.0) for v in high]
        ax.errorbar(x, y, yerr=[low, high], marker="o", capsize=3, color=colour, label=label)
    ax.axhline(0.97, ls=":", color="C2", lw=1)
    ax.axhline(0.90, ls=":", color="C1", lw=1)
    ax.set(
        xscale="log",
        xlabel="apparent size, px (square root of area)",
        ylabel="recall (Wilson 95 %)",
        ylim=(0, 1.02),
        title="Falls found, by size",
    )
    ax.set_xticks([2, 4, 8, 16, 32], ["2", "4", "8", "16", "32"])
    ax.minorticks_off()
    ax.legend(loc="center right")
    return True


def _windows(results: Sequence[Result], ax: Axes) -> bool:
    those = [one for one in named(results) if one.said.p is not None]
    if not those:
        return False
    edges = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.001)
    for a, b in pairwise(edges):
        binned = [one for one in those if a <= (one.said.p or 0.0) < b]
        interval = wilson(sum(one.exact for one in binned), len(binned))
        if interval is None:
            continue
        mean = sum(one.said.p or 0.0 for one in binned) / len(binned)
        right = sum(one.exact for one in binned) / len(binned)
        spread = [[max(right - interval[0], 0.0)], [max(interval[1] - right, 0.0)]]
        ax.errorbar([mean], [right], yerr=spread, marker="o", capsize=3, color="C0")
        ax.annotate(f"{len(binned)}", (mean, right), xytext=(6, -10), textcoords="offset points")
    ax.plot([0, 1], [0, 1], color="0.6", lw=1)
    abstains = sum(one.said.zone is None for one in named(results))
    ax.set(
        xlabel="probability it gives to the window",
        ylabel="share that is right",
        xlim=(0, 1.02),
        ylim=(0, 1.02),
        title=f"Is the window's probability true? (abstains {abstains} times more)",
    )
    return True


def _roc(results: Sequence[Result], episodes: Episodes, ax: Axes) -> bool:
    """What would be left of recall and false alarms if only events above a score counted."""
    recall = [r for r in of_part(results, "recall") if r.job.group != "2-4 px"]
    _, theirs, n = found(recall)
    quiet = [r for r in of_part(results, "distractors") if r.error is None]
    if not n or not quiet:
        return False
    scores = [said.score for r in [*recall, *quiet] for said in r.events if said.score is not None]
    if not scores:
        return False
    count = {kind: sum(r.job.episodes for r in quiet if r.job.group == kind) for kind in
             episodes.kinds}  # fmt: skip
    for group, colour, words in (("calm", "C0", "calm"), ("wet", "C3", "rain or wind")):
        x, y = [], []
        for least in sorted({0.0, *np.quantile(scores, np.linspace(0, 1, 60)).tolist()}):
            hits = sum(
                r.events[fell.said].score is not None and (r.events[fell.said].score or 0) >= least
                for r in recall
                for fell in r.falls
                if fell.said is not None
            )
            a_day = 0.0
            for r in quiet:
                episode = episodes.kinds[r.job.group]
                weight = episode.calm if group == "calm" else episode.wet
                alarms = sum((said.score or 0.0) >= least for said in r.false)
                a_day += weight * alarms / max(count[r.job.group], 1)
            x.append(a_day)
            y.append(hits / n)
        ax.plot(x, y, marker=".", color=colour, label=words)
        ax.plot(x[:1], y[:1], marker="o", color=colour)
    ax.axvline(1, ls=":", color="C0", lw=1)
    ax.axvline(5, ls=":", color="C3", lw=1)
    ax.set_xscale("symlog", linthresh=0.5)
    ax.set(
        xlabel="false alarms per camera-day",
        ylabel="recall, objects >= 4 px",
        ylim=(0, 1.02),
        title=f"Raising the score an event must have (plain difference: {theirs / n:.2f})",
    )
    ax.legend(loc="lower right")
    return True


Tile = tuple[bytes, str]


def _missed(results: Sequence[Result]) -> list[Tile]:
    out = []
    for r in results:
        for fell in r.falls:
            if fell.said is None and fell.picture and fell.size_px >= 4:
                told = (
                    f"{fell.size_px:.0f}px {fell.contrast:.0f}gl vis{fell.visible:.1f} {fell.body}"
                )
                out.append((fell.picture, f"{r.job.order.size[1]}p{r.job.order.fps:.0f} {told}"))
    return _spread(out)


def _false(results: Sequence[Result]) -> list[Tile]:
    out = []
    for r in results:
        for said in r.false:
            if said.picture:
                with_ = "+".join(d.kind for d in r.job.order.distractions) or "double"
                out.append((said.picture, f"{r.job.part} {with_} score {said.score or 0:.0f}"))
    return _spread(out)


def _spread(tiles: list[Tile]) -> list[Tile]:
    """Evenly from all, when there are too many."""
    if len(tiles) <= MOST_TILES:
        return tiles
    picks = np.linspace(0, len(tiles) - 1, MOST_TILES).round().astype(int)
    return [tiles[int(k)] for k in picks]


def _sheet(tiles: Sequence[Tile]) -> NDArray[np.uint8]:
    """A contact sheet."""
    wide, high = WIDE + 10, HIGH + 34
    rows, columns = math.ceil(len(tiles) / COLUMNS), min(COLUMNS, len(tiles))
    sheet = np.full((rows * high, columns * wide, 3), 255, np.uint8)
    for k, (jpeg, told) in enumerate(tiles):
        x, y = k % COLUMNS * wide, k // COLUMNS * high
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is not None:
            h, w = min(picture.shape[0], HIGH), min(picture.shape[1], WIDE)
            sheet[y + 30 : y + 30 + h, x : x + w] = picture[:h, :w]
        for line, words in enumerate((told[:32], told[32:64])):
            place = (x + 2, y + 12 + 13 * line)
            cv2.putText(sheet, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0))
    return sheet
