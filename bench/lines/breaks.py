"""Figures of breaks: told or not, how soon, where, whose; ours beside the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from bench._common.figure import Figure, figure, share
from bench._common.stats import garwood, quantile
from bench.lines.match import OURS, Answer, Broken
from bench.lines.plan import HELD_OUT
from bench.lines.rules import RULES
from bench.lines.scene import Result
from simulators.lines.take import BREAKS

One = tuple[str, str, Broken]
"""Feeder, monitors, and what became of a break."""
AIMS: Final = {
    ("severed", "everywhere"): 0.995,
    ("severed", "leaves"): 0.97,
    ("phase_open", "everywhere"): 0.99,
    ("phase_open", "leaves"): 0.99,
    ("neutral_open", "everywhere"): 0.98,
    ("neutral_open", "leaves"): 0.98,
}
WORDS: Final = {
    "severed": "severed",
    "phase_open": "phase open",
    "neutral_open": "neutral open",
    "everywhere": "monitors everywhere",
    "leaves": "leaves only",
}


def breaks(results: Iterable[Result]) -> list[One]:
    """All of them."""
    return [
        (r.job.feeder, r.job.monitors, seen.broken)
        for r in results
        for seen in r.seen
        if seen.broken is not None
    ]


def answers(some: Sequence[One], who: str = OURS) -> list[Answer]:
    """Of those that were told of."""
    return [a for _, _, one in some if (a := one.answers.get(who)) is not None]


def told(some: Sequence[One], who: str = OURS) -> float | None:
    """Share told of."""
    return len(answers(some, who)) / len(some) if some else None


def figures(results: Sequence[Result]) -> list[Figure]:
    """The rows of the table."""
    some = breaks(results)
    out: list[Figure] = []
    for (what, monitors), aim in AIMS.items():
        those = [x for x in some if x[1] == monitors and x[2].what == what]
        out += _detection(f"{WORDS[what]}, {WORDS[monitors]}", those, aim)
    out += _delays(some) + _places(some)
    found = answers(some)
    named = [a.owners for a in found if a.owners is not None]
    out.append(share("whose: exactly the right owners", sum(named), len(named), aim=">= 0.99"))
    right = sum(
        a.what == one.what for _, _, one in some if (a := one.answers[OURS]) is not None
    )  # fmt: skip
    out.append(share("what: severed, phase or neutral rightly told", right, len(found)))
    out.append(_incidents(found, some))
    early = sum(one.early for _, _, one in some)
    rate = (early / len(some), garwood_share(early, len(some))) if some else None
    out.append(figure("false: incidents before the break, per break", rate, len(some)))
    return out


def _detection(name: str, those: Sequence[One], aim: float) -> list[Figure]:
    heard = [x for x in those if x[2].heard]
    held = [x for x in heard if x[0] in HELD_OUT]
    rest = told([x for x in heard if x[0] not in HELD_OUT])
    sure = sum(a.confirmed is not None for a in answers(heard))
    return [
        share(f"{name}: told", len(answers(heard)), len(heard), aim=f">= {aim}",
              reference=beside(partial(told, heard))),
        share(f"{name}: told (held-out feeders)", len(answers(held)), len(held),
              reference=f"the others {short(rest)}"),
        share(f"{name}: told, of all", len(answers(those)), len(those),
              reference=f"no report shows {len(those) - len(heard)}"),
        share(f"{name}: confirmed", sure, len(heard)),
    ]  # fmt: skip


def _delays(some: Sequence[One]) -> list[Figure]:
    out = []
    for name, q, aim in (("p50", 0.5, "<= 2"), ("p95", 0.95, "<= 5")):
        values = _values(answers(some), lambda a: a.delay)
        out.append(
            figure(f"first word → incident, s, {name}", quantile(values, q), len(values), aim,
                   beside(partial(_seconds, some, q)))
        )  # fmt: skip
    for name, q in (("p50", 0.5), ("p95", 0.95)):
        values = _values(answers(some), lambda a: a.confirmed)
        out.append(figure(f"first word → confirmed, s, {name}", quantile(values, q), len(values)))
    return out


def _places(some: Sequence[One]) -> list[Figure]:
    out: list[Figure] = []
    for monitors, aims in (("everywhere", (">= 0.95", None, None)),
                           ("leaves", (None, "<= 40", "<= 120"))):  # fmt: skip
        those = [x for x in some if x[1] == monitors]
        words, found = WORDS[monitors], answers(those)
        held = answers([x for x in those if x[0] in HELD_OUT])
        out.append(
            share(
                f"{words}: exact span",
                within(found, 0),
                len(found),
                aim=aims[0],
                reference=beside(partial(near, those, 0)),
            )
        )
        out.append(share(f"{words}: exact span (held-out feeders)", within(held, 0), len(held)))
        out.append(
            share(
                f"{words}: within one span",
                within(found, 1),
                len(found),
                reference=beside(partial(near, those, 1)),
            )
        )
        first = sum(a.first_apart == 0 for a in found)
        out.append(share(f"{words}: exact span in the first word", first, len(found)))
        metres = _values(found, lambda a: a.metres)
        for name, q, aim in (("median", 0.5, aims[1]), ("P90", 0.9, aims[2])):
            out.append(figure(
                f"{words}: point error, m, {name}", quantile(metres, q), len(metres), aim,
                beside(partial(_metres, those, q)),
            ))  # fmt: skip
        inside = [a.inside for a in found if a.inside is not None]
        out.append(share(f"{words}: within the error given", sum(inside), len(inside)))
    found = answers(some)
    listed = sum(bool(a.listed) for a in found)
    held = answers([x for x in some if x[0] in HELD_OUT])
    out.append(share("the broken span is among those listed", listed, len(found), aim=">= 0.995",
                     reference=f"listed: {short(_mean([a.spans for a in found]))}"))  # fmt: skip
    listed = sum(bool(a.listed) for a in held)
    out.append(share("the broken span is listed (held-out feeders)", listed, len(held)))
    return out


def _incidents(found: Sequence[Answer], some: Sequence[One]) -> Figure:
    count = sum(a.incidents for a in found)
    rate = (count / len(found), garwood_share(count, len(found))) if found else None
    words = beside(lambda who: _mean([a.incidents for a in answers(some, who)]))
    return figure("incidents per break", rate, len(found), "<= 1.02", words)


def within(found: Iterable[Answer], spans: int) -> int:
    """How many name a span at most so far from the broken one."""
    return sum(a.apart is not None and a.apart <= spans for a in found)


def near(some: Sequence[One], spans: int, who: str = OURS) -> float | None:
    """The same as a share."""
    found = answers(some, who)
    return within(found, spans) / len(found) if found else None


def _metres(some: Sequence[One], q: float, who: str) -> float | None:
    found = quantile(_values(answers(some, who), lambda a: a.metres), q)
    return found[0] if found is not None else None


def _seconds(some: Sequence[One], q: float, who: str) -> float | None:
    found = quantile(_values(answers(some, who), lambda a: a.delay), q)
    return found[0] if found is not None else None


def _values(found: Iterable[Answer], of: Callable[[Answer], float | None]) -> list[float]:
    return [value for a in found if (value := of(a)) is not None]


def garwood_share(count: int, n: int) -> tuple[float, float]:
    """Interval of a count per trial."""
    low, high = garwood(count)
    return low / n, high / n


def beside(of: Callable[[str], float | None]) -> str:
    """What the rules give."""
    return "; ".join(f"{who} {short(of(who))}" for who in RULES)


def short(value: float | None) -> str:
    """Three digits."""
    return "–" if value is None else f"{value:.3g}"


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


assert {what for what, _ in AIMS} == set(BREAKS)
