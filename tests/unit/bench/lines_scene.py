"""A transformer, six poles in a row and a branch, and what is said of them by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bench.lines.tree import Tree
from bench.lines.watch import CABLE, Episode, Known
from contracts.city import City, LineNetwork, LineNode, Span
from contracts.event import Event, Place
from contracts.geo import Point
from contracts.nouns import Reading
from detectors._common.sample import START, city, device
from simulators.lines.take import Break, Confounder, Order, Take

STEP = 0.0005
"""Degrees of longitude between poles: some 48 m."""
MIDDLE = Point(118.78 + 2.5 * STEP, 31.26)
"""Of s3, from p2 to p3."""
VOLTS = ("voltage_a", "voltage_b", "voltage_c")


def line() -> LineNetwork:
    """t – p1 – … – p6, and q1 beyond p3; a monitor `m-…` at each."""
    chain = ["t", *(f"p{k}" for k in range(1, 7))]
    points = {name: Point(118.78 + STEP * k, 31.26) for k, name in enumerate(chain)}
    points["q1"] = Point(118.78 + 3 * STEP, 31.2605)
    spans = {f"s{k}": (chain[k - 1], chain[k]) for k in range(1, 7)} | {"sq": ("p3", "q1")}
    return LineNetwork(
        id="line",
        root="t",
        nodes={
            n: LineNode(id=n, what="transformer" if n == "t" else "pole", point=p, device=f"m-{n}")
            for n, p in points.items()
        },
        spans={
            id: Span(id=id, owner="power", from_=a, to=b, path=(points[a], points[b]), kv=0.4)
            for id, (a, b) in spans.items()
        },
    )


def town() -> City:
    return city(
        devices={
            n.device: device(n.device, type="line_monitor", point=n.point, metrics=VOLTS)
            for n in line().nodes.values()
            if n.device is not None
        },
        lines=(line(),),
    )


def tree() -> Tree:
    return Tree(line())


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def reading(who: str, metric: str, value: float, seconds: float) -> Reading:
    """Received as measured."""
    return Reading(who, metric, value, at(seconds), at(seconds), at(seconds))


def volts(dark: Sequence[str], since: float, until: float = 1e9) -> tuple[Reading, ...]:
    """Every monitor every 10 s for two minutes; some dark for a while."""
    items = []
    for t in range(0, 120, 10):
        for k, name in enumerate(line().nodes):
            moment = t + 0.1 * k
            lost = name in dark and since <= moment < until
            items += [reading(f"m-{name}", m, 5.0 if lost else 230.0, moment) for m in VOLTS]
    return tuple(items)


def take(
    *,
    broken: str | None = None,
    confounder: str | None = None,
    items: tuple[Reading, ...] = (),
    what: str = "severed",
    word: float | None = 61.0,
    showing: Sequence[str] = ("m-p3", "m-p4"),
) -> Take:
    """Something at 60 s."""
    breaks = (
        Break(what=what, line="line", span=broken, phases=(1, 2, 3), at=at(60), point=MIDDLE,
              owners=("power", "telecom")),
    ) if broken else ()  # fmt: skip
    seen = confounder and Confounder(what=confounder, begin=at(60), end=at(120), how="all")
    return Take(
        order=Order(seed=1, feeder="village", happening=what if broken else confounder,
                    before_s=60.0, after_s=60.0),
        city=town(),
        items=items or volts((), 0),
        breaks=breaks,
        confounders=(seen,) if seen else (),
        first_word=at(word) if broken and word is not None else None,
        showing=tuple(showing) if broken else (),
    )  # fmt: skip


def episode(opened: float, *said: tuple[float, str, dict[str, Any]], kind: str = CABLE) -> Episode:
    """Revisions as (seconds, phase, evidence); the first opens it."""
    return Episode(
        kind=kind,
        revisions=[
            Known(
                moment,
                Event(
                    id=f"e-{opened}", rev=rev, kind=kind, site="line", device=None, at=START,
                    severity=4, place=Place(118.78, 31.26), phase=phase,  # type: ignore[arg-type]
                    evidence=evidence,
                ),
            )
            for rev, (moment, phase, evidence) in enumerate(said, start=1)
        ],
    )  # fmt: skip


def saying(*spans: str, state: str = "suspected", what: str = "severed", **more: Any) -> Any:
    """Evidence of the kind: spans of equal probability, the point in the middle of s3."""
    return {
        "state": state,
        "what": what,
        "spans": [[span, round(1 / len(spans), 2)] for span in spans],
        "point": {"lon": MIDDLE.lon, "lat": MIDDLE.lat},
        "error_m": 25.0,
        "owners": ["telecom", "power"],
        **more,
    }
