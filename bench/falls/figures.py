"""From results to figures: what is counted, over what, with which interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from bench._common.figure import Figure, figure, share
from bench._common.stats import quantile, summed
from bench.falls.cpu import Costs
from bench.falls.episodes import Episodes
from bench.falls.fade import f_measure
from bench.falls.plan import CLASSES
from bench.falls.rates import of_part, per_day, rates
from bench.falls.recordings import Clip
from bench.falls.scene import Fell, Result, Said

FADE_NET_F: Final = "FADE-Net .7208 on FADE (IEEE TIFS 2025)"
FADE_NET_TRO: Final = "FADE-Net .5177 on FADE (IEEE TIFS 2025)"
VISIBLE: Final = 0.6
"""Windows are judged where at least so much of the path can be seen."""
SURE: Final = 0.8


class Named(msgspec.Struct, frozen=True):
    """A found fall in view of a calibrated camera, and the event that says where from."""

    fell: Fell
    said: Said

    @property
    def exact(self) -> bool:
        """The window itself. Abstaining is not right."""
        return self.said.zone is not None and self.said.zone == self.fell.zone

    @property
    def near(self) -> bool:
        """The floor or one beside it, any bay. Abstaining is not right."""
        return self.said.floor is not None and abs(self.said.floor - self.fell.floor) <= 1


def found(results: Iterable[Result]) -> tuple[int, int, int]:
    """(found, by the reference, of): a film that could not be made or judged missed all it was
    ordered with."""
    ours = theirs = n = 0
    for result in results:
        n += len(result.falls) or (result.job.order.falls if result.error else 0)
        ours += sum(fell.said is not None for fell in result.falls)
        theirs += sum(fell.reference for fell in result.falls)
    return ours, theirs, n


def named(results: Iterable[Result]) -> list[Named]:
    """Found falls of at least 4 px, at least 60 % visible, before a calibrated camera."""
    out = []
    for result in results:
        for fell in result.falls:
            if fell.said is None or not result.calibrated or fell.visible < VISIBLE:
                continue
            if fell.size_px >= 4 and fell.zone:
                out.append(Named(fell, result.events[fell.said]))
    return out


def all_figures(
    results: Sequence[Result], episodes: Episodes, clips: Sequence[Clip], costs: Costs
) -> list[Figure]:
    """The table, in the order of the aims."""
    out = _recall(results)
    out += _false_alarms(results, episodes)
    out += _mixed(results)
    out += _windows(results)
    out += _fade(results)
    out += _late(results)
    out += _cpu(results, costs)
    out += _clips(clips)
    failed = sum(r.error is not None for r in results)
    out.append(share("films that failed", failed, len(results), aim="<= 0"))
    return out


def _recall(results: Sequence[Result]) -> list[Figure]:
    out = []
    labels = {
        "8-20 px": ("event recall, objects >= 8 px", ">= 0.97"),
        "4-8 px": ("event recall, objects 4-8 px", ">= 0.90"),
        "2-4 px": ("event recall, objects 2-4 px", None),
    }
    for group in CLASSES:
        ours, theirs, n = found(of_part(results, "recall", group))
        name, aim = labels[group]
        out.append(share(name, ours, n, aim=aim, reference=_plain(theirs, n)))
    recall = of_part(results, "recall")
    matched = [said for r in recall for said in r.events if said.of is not None]
    images = sum(said.mirror for said in matched)
    out.append(share("found falls that were followed by their mirror image", images, len(matched)))
    extra = sum(len(r.false) for r in recall)
    _, _, n = found(recall)
    theirs = sum(r.reference_false for r in recall)
    out.append(
        figure(
            "false or double events per fall (recall films)",
            summed([(1 / n, extra)]) if n else None,
            n,
            None,
            f"plain difference {theirs / n:.2f}" if n else None,
        )
    )
    return out


def _plain(hits: float, n: float) -> str | None:
    return f"plain difference {hits / n:.3f}" if n else None


def _false_alarms(results: Sequence[Result], episodes: Episodes) -> list[Figure]:
    out = []
    all_rates = rates(results, episodes)
    hours = sum(rate.hours for rate in all_rates)
    n = sum(rate.episodes for rate in all_rates)
    for group, aim, words in (("calm", "<= 1", "calm"), ("wet", "<= 5", "rain or wind")):

        def weight(kind: str, group: str = group) -> float:
            episode = episodes.kinds[kind]
            return episode.calm if group == "calm" else episode.wet

        ours = per_day(all_rates, weight, lambda rate: rate.alarms)
        theirs = per_day(all_rates, weight, lambda rate: rate.reference_alarms)
        plain = f"in {hours:.2f} camera-hours of episodes"
        plain += f"; plain difference {theirs[0]:,.0f}" if theirs else ""
        out.append(figure(f"false alarms per camera-day, {words}", ours, n, aim, plain))
    for group, words in (("calm", "calm"), ("wet", "rain or wind")):
        those = [r for r in of_part(results, "continuous", group) if r.error is None]
        days = sum(r.seconds for r in those) / 86_400
        alarms = sum(len(r.false) for r in those)
        theirs_n = sum(r.reference_false for r in those)
        name = f"false alarms per camera-day, continuous scenes, {words}"
        told = summed([(1 / days, alarms)]) if days else None
        plain = f"in {24 * days:.2f} camera-hours"
        plain += f"; plain difference {theirs_n / days:,.0f}" if days else ""
        out.append(figure(name, told, len(those), None, plain))
    return out


def _mixed(results: Sequence[Result]) -> list[Figure]:
    mixed = of_part(results, "mixed")
    events = sum(len(r.events) for r in mixed)
    right = events - sum(len(r.false) for r in mixed)
    ours, theirs, n = found(mixed)
    false = sum(r.reference_false for r in mixed)
    return [
        share(
            "event precision in mixed scenes",
            right,
            events,
            aim=">= 0.95",
            reference=_plain(theirs, theirs + false),
        ),
        share("event recall in mixed scenes", ours, n, reference=_plain(theirs, n)),
    ]


def _windows(results: Sequence[Result]) -> list[Figure]:
    those = named(results)
    n = len(those)
    sure = [one for one in those if one.said.p is not None and one.said.p >= SURE]
    naming = [one for one in those if one.said.zone is not None]
    where = "where >= 60 % of the path is visible"
    none = "no one publishes one"
    return [
        share(
            f"window exact, {where} (abstaining counts as wrong)",
            sum(one.exact for one in those),
            n,
            aim=">= 0.85",
            reference=none,
        ),
        share(
            f"window within 1 floor, {where} (abstaining counts as wrong)",
            sum(one.near for one in those),
            n,
            aim=">= 0.97",
            reference=none,
        ),
        share(
            "right when it says p >= .8",
            sum(one.exact for one in sure),
            len(sure),
            aim=">= 0.95",
            reference=none,
        ),
        share("how often it says p >= .8", len(sure), n, aim=">= 0.7", reference=none),
        share("how often it abstains", n - len(naming), n),
        share("window exact, where it names one", sum(one.exact for one in naming), len(naming)),
        share(
            "window within 1 floor, where it names one",
            sum(one.near for one in naming),
            len(naming),
        ),
    ]


def _fade(results: Sequence[Result]) -> list[Figure]:
    """On all films in which something falls; the interval is over films (normal)."""
    films = [r for r in results if r.job.part in ("recall", "mixed") and r.boxes is not None]
    ours = [r.boxes for r in films if r.boxes is not None]
    theirs = [r.reference_boxes for r in films if r.reference_boxes is not None]
    out = []
    f = f_measure(
        sum(b.right for b in ours), sum(b.false for b in ours), sum(b.missed for b in ours)
    )
    plain = f_measure(
        sum(b.right for b in theirs), sum(b.false for b in theirs), sum(b.missed for b in theirs)
    )
    told = FADE_NET_F + (f"; plain difference {plain:.3f}" if plain is not None else "")
    spread = _jackknife([(b.right, b.false, b.missed) for b in ours])
    interval = None if f is None or spread is None else (f - spread, min(1.0, f + spread))
    value = (f, interval) if f is not None else None
    out.append(figure("box F at IoU .3", value, len(films), "> 0.72", told))
    overlaps = [b.overlap for b in ours if b.overlap is not None]
    plain_tro = _mean([b.overlap for b in theirs if b.overlap is not None])
    tro = _mean(overlaps)
    told = FADE_NET_TRO + (f"; plain difference {plain_tro:.3f}" if plain_tro is not None else "")
    interval = None
    if tro is not None and len(overlaps) > 1:
        half = 1.96 * (sum((v - tro) ** 2 for v in overlaps) / (len(overlaps) - 1)) ** 0.5
        half /= len(overlaps) ** 0.5
        interval = (tro - half, tro + half)
    value = (tro, interval) if tro is not None else None
    out.append(figure("time range overlap (TRO)", value, len(overlaps), "> 0.52", told))
    out.append(
        share(
            "films with at least one false box",
            sum(b.any_false for b in ours),
            len(ours),
            reference="FADE-Net .925 of FADE's test videos",
        )
    )
    return out


def _jackknife(counts: Sequence[tuple[int, int, int]]) -> float | None:
    """Half width of the 95 % interval of F, leaving out one film at a time."""
    n = len(counts)
    if n < 3:
        return None
    total = [sum(c[k] for c in counts) for k in range(3)]
    values = []
    for one in counts:
        f = f_measure(total[0] - one[0], total[1] - one[1], total[2] - one[2])
        if f is None:
            return None
        values.append(f)
    mean = sum(values) / n
    return float(1.96 * ((n - 1) / n * sum((v - mean) ** 2 for v in values)) ** 0.5)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _late(results: Sequence[Result]) -> list[Figure]:
    values = [
        said.late_s
        for r in results
        if r.job.part in ("recall", "mixed")
        for said in r.events
        if said.late_s is not None
    ]
    out = []
    for words, share_, aim in (("95 of 100", 0.95, "<= 2"), ("half", 0.5, None)):
        told = quantile(values, share_)
        name = f"alarm after receipt of the segment that ends the track, {words} within, s"
        out.append(figure(name, told, len(values), aim))
    return out


def _cpu(results: Sequence[Result], costs: Costs) -> list[Figure]:
    """The interval is the cheapest and the dearest film."""
    plain = [r.reference_s / r.pictures for r in results if r.pictures]
    extra = f"; plain difference +{1000 * sum(plain) / len(plain):.1f} (all sizes)" if plain else ""
    out = []
    named_ = (("", costs.clear, "<= 12"), (", in shake, rain and snow", costs.wet, None))
    for words, cost, aim in named_:
        name = f"CPU per 1080p picture, whole path{words}, ms"
        if cost is None:
            out.append(figure(name, None, 0, aim))
            continue
        told = f"decode floor {cost.decode_ms:.1f} of the same films{extra}"
        value = (cost.whole_ms, (cost.low_ms, cost.high_ms))
        out.append(figure(name, value, cost.pictures, aim, told))
    return out


def _clips(clips: Sequence[Clip]) -> list[Figure]:
    """Reported apart: no share of anything simulated."""
    positive = [clip for clip in clips if clip.positive]
    masked = [clip for clip in clips if not clip.positive and clip.masked]
    bare = [clip for clip in clips if not clip.positive and not clip.masked]
    return [
        share(
            "real recordings: positives found with exactly one event",
            sum(clip.found and clip.events == 1 for clip in positive),
            len(positive),
            aim=">= 1",
        ),
        share(
            "real recordings: negatives without an event (ground-plane mask where given)",
            sum(clip.events == 0 for clip in masked),
            len(masked),
            aim=">= 1",
        ),
        share(
            "real recordings: negatives with at most one event, no mask",
            sum(clip.events <= 1 for clip in bare),
            len(bare),
            aim=">= 1",
        ),
    ]
