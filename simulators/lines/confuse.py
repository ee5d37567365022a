"""Everything that looks like a break and is none, each as it comes in the field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import numpy as np

from contracts.city import Work
from contracts.geo import along
from simulators.dice import between
from simulators.lines.engine import USUAL, Topology
from simulators.lines.install import Installed
from simulators.lines.model import Model
from simulators.lines.scene import Scene, Sick, Silence, Strike, blow, breakable, confounder, whole
from simulators.lines.take import Order

KEEPALIVE_S = (20.0, 90.0)
"""A broker tells a client's last will one and a half keep-alives after its last word."""


class _Stage(msgspec.Struct, frozen=True):
    order: Order
    model: Model
    installed: Installed
    begin: datetime
    rng: np.random.Generator
    at: float
    end: float


def confused(
    order: Order,
    model: Model,
    installed: Installed,
    begin: datetime,
    rng: np.random.Generator,
) -> Scene:
    """The confounder of an order."""
    at = order.before_s + between(rng, (0.0, 5.0))
    stage = _Stage(order, model, installed, begin, rng, at, order.before_s + order.after_s)
    return _KINDS[str(order.happening)](stage)


def other_work(
    order: Order, model: Model, begin: datetime, rng: np.random.Generator
) -> tuple[Work, ...]:
    """Now and then a planned work of another day: it explains nothing of today."""
    if rng.random() > 0.3:
        return ()
    spans = list(model.network.spans)
    span = spans[int(rng.integers(len(spans)))]
    day = begin + timedelta(days=1 + int(rng.integers(5)))
    return (
        Work(
            id="work-later",
            kind="power",
            start=day,
            end=day + timedelta(hours=4),
            assets=(span,),
            note="计划检修",
        ),
    )


def _planned(s: _Stage) -> Scene:
    """A crew switches a section off, by a switch or a jumper; its work order is known: it names the
    span that is opened, or all that goes dark, or only the place."""
    spans = [x.id for x in s.model.network.spans.values() if x.switch]
    if not spans or s.rng.random() < 0.4:
        spans = breakable(s.model, "severed")
    span = spans[int(s.rng.integers(len(spans)))]
    known = s.model.network.spans[span]
    dark = sorted(s.model.behind(span))
    early = timedelta(seconds=between(s.rng, (60.0, 1800.0)))
    how = str(s.rng.choice(["span", "nodes", "place"], p=[0.6, 0.25, 0.15]))
    work = Work(
        id="work-1",
        kind="power",
        start=s.begin + timedelta(seconds=s.at) - early,
        end=s.begin + timedelta(seconds=s.at) + timedelta(hours=between(s.rng, (1.0, 6.0))),
        assets={"span": (span,), "nodes": tuple(dark)}.get(how, ()),
        note="计划停电",
        point=along(known.path, s.model.lengths[span] / 2),
        radius_m=round(s.model.lengths[span] + between(s.rng, (10.0, 100.0))),
    )
    return Scene(
        states=((0.0, USUAL), (s.at, Topology(open=((span, whole(s.model, span)),)))),
        works=(work,),
        confounders=confounder("planned_outage", s.begin, s.at, s.end, (span, *dark), how),
    )


def _unregistered(s: _Stage) -> Scene:
    """A section is switched off at its switch; nobody wrote it down."""
    spans = [x.id for x in s.model.network.spans.values() if x.switch]
    spans = spans or breakable(s.model, "severed")
    span = spans[int(s.rng.integers(len(spans)))]
    return Scene(
        states=((0.0, USUAL), (s.at, Topology(open=((span, whole(s.model, span)),)))),
        confounders=confounder(
            "planned_unregistered", s.begin, s.at, s.end, (span, *sorted(s.model.behind(span)))
        ),
    )


def _customer_off(s: _Stage) -> Scene:
    """One customer switches off: behind the meter (only current falls), or, where the feeder has
    customers of its own, before it in half of the cases (its meter is dark)."""
    nodes = sorted(s.model.loads)
    customers = [n for n in nodes if s.model.network.nodes[n].what == "customer"]
    node = (customers or nodes)[int(s.rng.integers(len(customers or nodes)))]
    off = ((node, s.at),) if customers and s.rng.random() < 0.5 else ()
    return Scene(
        states=((0.0, USUAL), (s.at, Topology(demand=((node, 0.0),)))),
        off=off,
        confounders=confounder(
            "customer_off", s.begin, s.at, s.end, (node,), "dark" if off else "lit"
        ),
    )


def _upstream(s: _Stage) -> Scene:
    """Supply fails above the root: all of it, one or two phases of it, or a sag of seconds or for
    good."""
    draw, rng = s.rng.random(), s.rng
    end, how = s.end, "all"
    states: tuple[tuple[float, Topology], ...]
    if draw < 0.4:
        states = ((0.0, USUAL), (s.at, Topology(feed_open=(1, 2, 3))))
    elif draw < 0.65:
        count = 1 + int(rng.random() < 0.3)
        phases = tuple(sorted((1 + rng.choice(3, count, replace=False)).tolist()))
        states = ((0.0, USUAL), (s.at, Topology(feed_open=phases)))
        how = "phases"
    else:
        sag = Topology(source=between(rng, (0.1, 0.85)))
        states, how = ((0.0, USUAL), (s.at, sag)), "sag"
        if rng.random() < 0.7:
            end = s.at + between(rng, (0.1, 3.0))
            states = (*states, (end, USUAL))
    return Scene(
        states=states,
        confounders=confounder("upstream_outage", s.begin, s.at, end, ("upstream",), how),
    )


def _recloser(s: _Stage) -> Scene:
    """A recloser (a switch of the line, or the one above its root) opens and closes again, one to
    three times with dead times of 0.3 to 5 s; then all is well."""
    rng = s.rng
    spans = [x.id for x in s.model.network.spans.values() if x.switch]
    pick = int(rng.integers(len(spans) + 1))
    span = spans[pick] if pick < len(spans) else None
    dark = (
        Topology(open=((span, whole(s.model, span)),))
        if span is not None
        else Topology(feed_open=(1, 2, 3))
    )
    states: list[tuple[float, Topology]] = [(0.0, USUAL)]
    t = s.at
    for _ in range(1 + int(rng.choice(3, p=[0.6, 0.25, 0.15]))):
        states.append((t, dark))
        t += between(rng, (0.3, 5.0))
        states.append((t, USUAL))
        last, t = t, t + between(rng, (0.2, 10.0))
    assets = (span, *sorted(s.model.behind(span))) if span is not None else ("upstream",)
    return Scene(
        states=tuple(states), confounders=confounder("recloser", s.begin, s.at, last, assets)
    )


def _switching(s: _Stage) -> Scene:
    """Loads are switched off together (a factory's shift, a heating control): currents fall."""
    nodes = sorted(s.model.loads)
    count = max(1, round(len(nodes) * between(s.rng, (0.05, 0.5))))
    picked = [nodes[int(k)] for k in s.rng.choice(len(nodes), count, replace=False)]
    demand = tuple((n, between(s.rng, (0.0, 0.3))) for n in sorted(picked))
    return Scene(
        states=((0.0, USUAL), (s.at, Topology(demand=demand))),
        confounders=confounder("load_switching", s.begin, s.at, s.end, tuple(sorted(picked))),
    )


def _gateway(s: _Stage) -> Scene:
    """A gateway dies with all its monitors: its last will tells, or nobody does."""
    which = int(s.rng.integers(len(s.installed.gateways)))
    told = s.at + 1.5 * between(s.rng, KEEPALIVE_S) if s.rng.random() < 0.5 else None
    gateway = s.installed.gateways[which]
    mine = tuple(m.device for m in s.installed.monitors if m.gateway == gateway)
    return Scene(
        silences=(Silence(which, s.at, told, s.rng.random() < 0.5),),
        confounders=confounder(
            "gateway_dead",
            s.begin,
            s.at,
            s.end,
            (gateway, *mine),
            "silent" if told is None else "told",
        ),
    )


def _sensor(s: _Stage) -> Scene:
    """One monitor is wrong: stuck, zero, noise, one phase's transformer dead, a random gasp."""
    monitors = s.installed.monitors
    what = str(s.rng.choice(["stuck", "zero", "noise", "phase_dead", "gasp"]))
    able = [k for k, m in enumerate(monitors) if what != "gasp" or m.gasp_s is not None]
    which = able[int(s.rng.integers(len(able)))]
    phases = monitors[which].phases
    phase = phases[int(s.rng.integers(len(phases)))]
    return Scene(
        sick=(Sick(which, what, phase, s.at, s.end),),
        confounders=confounder(
            "sensor_fault", s.begin, s.at, s.end, (monitors[which].device,), what
        ),
    )


def _wind(s: _Stage) -> Scene:
    return Scene(
        wind=between(s.rng, (0.5, 1.0)),
        confounders=confounder("wind", s.begin, 0.0, s.end, ()),
    )


def _strike(s: _Stage) -> Scene:
    """Something hits a span, and it holds."""
    spans = breakable(s.model, "severed")
    span = spans[int(s.rng.integers(len(spans)))]
    return Scene(
        strikes=(Strike(span, s.at, blow(s.rng)),),
        confounders=confounder("strike_only", s.begin, s.at, s.at + 10.0, (span,)),
    )


_KINDS: dict[str, Callable[[_Stage], Scene]] = {
    "planned_outage": _planned,
    "planned_unregistered": _unregistered,
    "customer_off": _customer_off,
    "upstream_outage": _upstream,
    "recloser": _recloser,
    "load_switching": _switching,
    "gateway_dead": _gateway,
    "sensor_fault": _sensor,
    "wind": _wind,
    "strike_only": _strike,
}
