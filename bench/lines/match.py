"""What was said of a take, beside what was true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from bench.lines.rules import RULES, Alarm
from bench.lines.tree import Tree
from bench.lines.watch import CABLE, Episode, begin_of, is_confirmed
from contracts.geo import Point, distance_m
from simulators.lines.take import Break, Take

EARLY_S: Final = 10.0
"""An episode that opened so long before the break may be of it: what hit the line came first."""
OURS: Final = "ours"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How a break was told of."""

    delay: float | None
    """Seconds from the first word that could show it; None: there was none."""
    confirmed: float | None = None
    """The same to when it was confirmed; None: it was not."""
    what: str | None = None
    span: str | None = None
    apart: int | None = None
    """Spans from the one named in the end to the broken one."""
    first_apart: int | None = None
    """The same of the one named first."""
    listed: bool | None = None
    """Whether the broken one is among those listed in the end."""
    spans: int = 1
    """How many are listed in the end."""
    metres: float | None = None
    """From the point given in the end to the broken one."""
    inside: bool | None = None
    """Whether that is within the error given with it."""
    owners: bool | None = None
    """Whether exactly those whose cables parted are named."""
    incidents: int = 1


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A break and what was said of it."""

    what: str
    span: str
    struck: bool
    showing: int
    """Monitors that would show it if all they report arrived."""
    heard: bool
    """Some report that could show it arrived."""
    answers: dict[str, Answer | None]
    """By `ours` and by each rule; None: not told of, or taken back."""
    taken_back: bool = False
    """Ours told of it, then ruled it out."""
    early: int = 0
    """Our episodes before it: of nothing."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of something that is no break, or of nothing."""

    severed: int = 0
    """Episodes confirmed as a severed span at some time."""
    confirmed: int = 0
    """Episodes confirmed as anything at some time."""
    suspected: int = 0
    """Episodes never more than suspected."""
    leaning: int = 0
    """Of poles that are said to lean."""
    rules: dict[str, int] = {}
    """Alarms of each rule."""
    words: str = ""
    """Of the first episode, for people."""


def broken(
    take: Take, episodes: Sequence[Episode], alarms: Mapping[str, Sequence[Alarm]], tree: Tree
) -> Broken:
    """Of a take with one break."""
    (one,) = take.breaks
    zero = begin_of(take)
    at = (one.at - zero).total_seconds()
    word = (take.first_word - zero).total_seconds() if take.first_word is not None else None
    mine = [
        e
        for e in episodes
        if e.kind == CABLE and e.opened >= at - EARLY_S and (e.closed is None or e.closed >= at)
    ]
    standing = [e for e in mine if e.closed is None]
    answers: dict[str, Answer | None] = {
        OURS: _ours(one, standing, len(mine), word, tree) if standing else None
    }
    for name in RULES:
        told = [a for a in alarms.get(name, ()) if a.at >= at]
        answers[name] = _rule(one, told, word, tree) if told else None
    return Broken(
        what=one.what,
        span=one.span,
        struck=one.struck is not None,
        showing=len(take.showing),
        heard=word is not None,
        answers=answers,
        taken_back=bool(mine) and not standing,
        early=sum(e.kind == CABLE for e in episodes) - len(mine),
    )


def _ours(
    one: Break, standing: Sequence[Episode], incidents: int, word: float | None, tree: Tree
) -> Answer:
    """The episode that was confirmed, else the first; later ones are doubles."""
    found = next((e for e in standing if e.confirmed is not None), standing[0])
    evidence: Mapping[str, Any] = found.last_open.evidence
    listed = [str(span) for span, _ in evidence.get("spans", ())]
    best = listed[0] if listed else None
    point = evidence.get("point")
    metres = None
    if point is not None:
        metres = distance_m(Point(float(point["lon"]), float(point["lat"])), one.point)
    error = evidence.get("error_m")
    first = [str(span) for span, _ in found.first.evidence.get("spans", ())]
    return Answer(
        delay=_since(word, standing[0].opened),
        confirmed=_since(word, found.confirmed),
        what=evidence.get("what"),
        span=best,
        apart=tree.apart(best, one.span) if best is not None else None,
        first_apart=tree.apart(first[0], one.span) if first else None,
        listed=one.span in listed,
        spans=len(listed),
        metres=metres,
        inside=metres <= float(error) if metres is not None and error is not None else None,
        owners=set(evidence.get("owners", ())) == set(one.owners),
        incidents=incidents,
    )


def _rule(one: Break, told: Sequence[Alarm], word: float | None, tree: Tree) -> Answer:
    """The first alarm names the place in the end, too, where the rule looks again."""
    alarm = told[0]
    point = tree.middle(alarm.last) if alarm.last is not None else None
    return Answer(
        delay=_since(word, alarm.at),
        span=alarm.last,
        apart=tree.apart(alarm.last, one.span) if alarm.last is not None else None,
        first_apart=tree.apart(alarm.first, one.span) if alarm.first is not None else None,
        metres=distance_m(point, one.point) if point is not None else None,
        incidents=len(told),
    )


def _since(word: float | None, at: float | None) -> float | None:
    return at - word if word is not None and at is not None else None


def said(
    take: Take, episodes: Sequence[Episode], alarms: Mapping[str, Sequence[Alarm]]
) -> Said:  # fmt: skip
    """Of a take without a break: whatever is said of a cable is wrong."""
    cables = [e for e in episodes if e.kind == CABLE]
    return Said(
        severed=sum(e.called("severed") for e in cables),
        confirmed=sum(e.confirmed is not None for e in cables),
        suspected=sum(e.confirmed is None for e in cables),
        leaning=sum(e.kind == "pole_tilt" and is_confirmed(e.last_open) for e in episodes),
        rules={name: len(alarms.get(name, ())) for name in RULES},
        words=_words(cables[0]) if cables else "",
    )


def _words(episode: Episode) -> str:
    """`confirmed phase_open l12 (.93) of 3, 12 s`."""
    evidence = episode.last_open.evidence
    spans = evidence.get("spans") or [("–", 0.0)]
    state = "confirmed" if episode.confirmed is not None else "suspected"
    over = f", taken back after {episode.closed - episode.opened:.0f} s" if episode.closed else ""
    return f"{state} {evidence.get('what')} {spans[0][0]} ({spans[0][1]:.2f}) of {len(spans)}{over}"


def why(one: Broken) -> str:
    """Why a break was not told of, or what is wrong with what was said; empty: all is right."""
    answer = one.answers[OURS]
    if answer is None:
        if one.showing == 0:
            return "not told: nothing could show it"
        if not one.heard:
            return "not told: no report that could show it arrived"
        shown = "one monitor shows it" if one.showing == 1 else "several monitors show it"
        return f"not told, {'taken back' if one.taken_back else 'never said'}: {shown}"
    if answer.apart is None:
        return "no span named"
    if answer.apart > 0:
        near = "beside it" if answer.apart == 1 else "further away"
        return f"span {near}, {'listed' if answer.listed else 'not listed'}"
    if answer.what != one.what:
        return f"called {answer.what}"
    return ""
