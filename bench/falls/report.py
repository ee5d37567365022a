"""The scorecard for people (a table, plain when piped) and for programs (JSON)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench._common.figure import shown
from bench._common.stats import garwood, wilson
from bench.falls.episodes import Episodes
from bench.falls.figures import found, named
from bench.falls.plan import CLASSES
from bench.falls.rates import of_part, rates
from bench.falls.recordings import Clip
from bench.falls.scene import Fell, Result


def show_sizes(results: Sequence[Result], console: Console) -> None:
    """Recall by size class and picture, and by what else was hard."""
    table = Table(title="recall, by size and by circumstance")
    for head in ("what", "found", "of", "recall", "95 %", "plain difference"):
        table.add_column(head, justify="left" if head == "what" else "right", no_wrap=True)
    recall = of_part(results, "recall")
    groups: dict[str, list[Result]] = {name: of_part(recall, "recall", name) for name in CLASSES}
    clear = [r for r in recall if r.job.group != "2-4 px"]
    for high in (720, 1080):
        groups[f"{high}p, >= 4 px"] = [r for r in clear if r.job.order.size[1] == high]
    for low, top in ((10, 13), (15, 20), (25, 30)):
        those = [r for r in clear if low <= r.job.order.fps <= top]
        groups[f"{low} to {top} pictures/s, >= 4 px"] = those
    groups["generated facades, >= 4 px"] = [r for r in clear if r.job.order.place == "generated"]
    groups["photographs, >= 4 px"] = [r for r in clear if r.job.order.place != "generated"]
    groups["path visible .35 to .6, >= 4 px"] = [r for r in clear if r.job.order.visible[1] <= 0.6]
    groups["with mirror image, >= 4 px"] = [r for r in clear if r.job.order.reflection]
    groups["pictures lost or doubled, >= 4 px"] = [
        r for r in clear if r.job.order.dropped or r.job.order.doubled
    ]
    for name, those in groups.items():
        ours, theirs, n = found(those)
        if n:
            table.add_row(name, *_share(ours, n), f"{theirs / n:.3f}")
    for low, top in ((0, 12), (12, 24), (24, 48), (48, 256)):
        those_ = [fell for r in clear for fell in r.falls if low <= fell.contrast < top]
        _row(table, f"contrast {low} to {top} grey levels, >= 4 px", those_)
    bodies: dict[str, list[Fell]] = defaultdict(list)
    for result in clear:
        for fell in result.falls:
            bodies[fell.body].append(fell)
    for body, those_ in sorted(bodies.items()):
        _row(table, body, those_)
    console.print(table)


def _row(table: Table, name: str, falls: Sequence[Fell]) -> None:
    if falls:
        theirs = sum(fell.reference for fell in falls) / len(falls)
        ours = sum(fell.said is not None for fell in falls)
        table.add_row(name, *_share(ours, len(falls)), f"{theirs:.3f}")


def _share(hits: int, n: int) -> tuple[str, str, str, str]:
    low, high = wilson(hits, n) or (0.0, 1.0)
    return str(hits), str(n), f"{hits / n:.3f}", f"{low:.3f} … {high:.3f}"


def show_distractors(results: Sequence[Result], episodes: Episodes, console: Console) -> None:
    """Alarms of each distractor alone, and what they weigh a day."""
    table = Table(title="false alarms, by distractor alone (Garwood intervals, per 1,000 episodes)")
    heads = ("distractor", "episodes", "hours", "alarms", "per 1,000", "95 %")
    for head in (*heads, "a calm day", "a wet day", "plain difference"):
        table.add_column(head, justify="left" if head == "distractor" else "right", no_wrap=True)
    for rate in rates(results, episodes):
        if not rate.episodes:
            table.add_row(rate.kind, "0", "0", "–", "–", "–", "–", "–", "–")
            continue
        episode = episodes.kinds[rate.kind]
        low, high = (1000 * bound / rate.episodes for bound in garwood(rate.alarms))
        each = rate.alarms / rate.episodes
        table.add_row(
            rate.kind,
            str(rate.episodes),
            f"{rate.hours:.2f}",
            str(rate.alarms),
            f"{1000 * each:.1f}",
            f"{low:.1f} … {high:.1f}",
            f"{episode.calm:,.0f} x = {shown(episode.calm * each)}",
            f"{episode.wet:,.0f} x = {shown(episode.wet * each)}",
            str(rate.reference_alarms),
        )
    console.print(table)


def show_windows(results: Sequence[Result], console: Console) -> None:
    """Reliability: of the windows named with such a probability, how many are right."""
    table = Table(title="windows: is the probability true? (path >= 60 % visible, >= 4 px)")
    for head in ("it says", "how often", "mean p", "right", "95 %", "within 1 floor"):
        table.add_column(head, justify="left" if head == "it says" else "right", no_wrap=True)
    those = named(results)
    abstains = [one for one in those if one.said.zone is None]
    table.add_row("abstains", str(len(abstains)), "", "", "", "")
    for low in (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        high = {0.0: 0.5, 0.9: 0.95, 0.95: 1.01}.get(low, low + 0.1)
        binned = [o for o in those if o.said.p is not None and low <= o.said.p < high]
        if not binned:
            continue
        hits = sum(one.exact for one in binned)
        mean = sum(one.said.p or 0.0 for one in binned) / len(binned)
        _, _, value, spread = _share(hits, len(binned))
        near = sum(one.near for one in binned) / len(binned)
        table.add_row(
            f"p {low:.2f} to {min(high, 1.0):.2f}",
            str(len(binned)),
            f"{mean:.2f}",
            value,
            spread,
            f"{near:.3f}",
        )
    console.print(table)


def show_clips(clips: Sequence[Clip], console: Console) -> None:
    """Each real recording."""
    if not clips:
        console.print("real recordings: the folder is not there, nothing to report")
        return
    table = Table(title="real recordings (never tuned on)")
    for head in ("file", "mask", "seconds", "events", "verdict"):
        table.add_column(head, justify="right" if head in ("seconds", "events") else "left")
    for clip in clips:
        if clip.positive:
            good = clip.found and clip.events == 1
            verdict = "found once" if good else "NOT found exactly once"
        else:
            good = clip.events == 0 if clip.masked else clip.events <= 1
            verdict = "good" if good else "TOO MANY"
        mask = "" if clip.positive else ("as given" if clip.masked else "none")
        table.add_row(clip.file, mask, f"{clip.seconds:.1f}", str(clip.events), verdict)
    console.print(table)
