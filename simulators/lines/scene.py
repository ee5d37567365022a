"""What happens to a feeder: which spans part, what is switched, and when, as a row of topologies;
beside it what shakes, pulls and leans."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import msgspec
import numpy as np

from contracts.city import LineNetwork, Work
from contracts.errors import Wrong
from contracts.geo import along
from simulators.dice import between
from simulators.lines.engine import USUAL, Topology
from simulators.lines.model import Model
from simulators.lines.take import Break, Confounder, Order


class Strike(msgspec.Struct, frozen=True):
    """Something hits a span."""

    span: str
    at_s: float
    peak: float
    """Vibration there (m/s2, rms)."""


class Sick(msgspec.Struct, frozen=True):
    """A monitor that says what is not so."""

    monitor: int
    """Which of the installed ones."""
    what: str
    """`stuck`, `zero`, `noise`, `phase_dead` or `gasp`."""
    phase: int
    at_s: float
    end_s: float


class Silence(msgspec.Struct, frozen=True):
    """A gateway that is away."""

    gateway: int
    at_s: float
    told_s: float | None
    """When the broker tells that it is (its last will); None: nobody does."""
    each: bool
    """Its monitors are told offline too; a gateway itself belongs to no line."""


class Pull(msgspec.Struct, frozen=True):
    """A node's conductor or pole after a break."""

    node: str
    at_s: float
    tension: float
    """Share of the tension that is left."""
    tilt: float
    """How far it leans more (degrees)."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """All that happens, seconds from the take's begin."""

    states: tuple[tuple[float, Topology], ...] = ((0.0, USUAL),)
    """From when on which topology holds; the first from 0 on."""
    breaks: tuple[Break, ...] = ()
    confounders: tuple[Confounder, ...] = ()
    works: tuple[Work, ...] = ()
    strikes: tuple[Strike, ...] = ()
    pulls: tuple[Pull, ...] = ()
    sick: tuple[Sick, ...] = ()
    silences: tuple[Silence, ...] = ()
    wind: float = 0.0
    """How much stronger than usual poles sway, 0: as on any day."""
    off: tuple[tuple[str, float], ...] = ()
    """Customers whose main switch is opened, and when: their meter is dark, nothing else."""


def whole(model: Model, span: str) -> tuple[int, ...]:
    """All conductors of a span."""
    return tuple(sorted(model.wires[span].conductors))


def breakable(model: Model, what: str) -> list[str]:
    """Spans that can break so: no switches and no service drops (a customer whose drop is cut and
    one who is switched off are the same to every monitor); a neutral where somebody needs it."""
    loaded = set(model.loads)
    for span in reversed(model.network.spans.values()):  # listed away from the source
        if span.to in loaded:
            loaded.add(span.from_)
    found = []
    for span in model.network.spans.values():
        wire = model.wires[span.id]
        live = sum(c <= 3 for c in wire.conductors)
        if span.switch or model.network.nodes[span.to].what == "customer":
            continue
        if what == "phase_open" and live < 2:
            continue
        if what == "neutral_open" and (4 not in wire.conductors or span.to not in loaded):
            continue
        found.append(span.id)
    return found


def broken(
    order: Order,
    model: Model,
    network: LineNetwork,
    begin: datetime,
    rng: np.random.Generator,
) -> Scene:
    """One break; `network` says whose cables hang where.

    Raises Wrong for a neutral where the feeder has none.
    """
    what = str(order.happening)
    spans = breakable(model, what)
    if not spans:
        raise Wrong(
            f"lines: {what}", f"no span of {order.feeder} has such a conductor", "town, village"
        )
    long = np.array([model.lengths[s] for s in spans])
    span = spans[int(rng.choice(len(spans), p=long / long.sum()))]
    wires = model.wires[span].conductors
    phases = sorted(c for c in wires if c <= 3)
    if what == "severed":
        gone: tuple[int, ...] = whole(model, span)
    elif what == "neutral_open":
        gone = (4,)
    else:
        count = 1 if len(phases) == 2 or rng.random() < 0.75 else 2
        gone = tuple(sorted(rng.choice(phases, count, replace=False).tolist()))
    at = order.before_s + between(rng, (0.0, 5.0))
    metres = model.lengths[span]
    where = between(rng, (0.05, 0.95)) * metres
    earth, ohm = None, None
    if what != "neutral_open" and rng.random() < 0.6:
        # dry ground, asphalt, wet grass: tens of ohms to some thousands; no protection trips
        low = (60.0, 2000.0) if model.spots[model.network.root].nominal_v > 1000 else (40.0, 800.0)
        ohm = round(math.exp(between(rng, (math.log(low[0]), math.log(low[1])))), 1)
        earth = (span, next(p for p in gone if p <= 3), ohm)
    strike = at - between(rng, (0.5, 6.0)) if rng.random() < 0.35 else None
    known = network.spans[span]
    owners = (known.owner,) if known.owner else ()
    if what == "severed":
        owners = (*owners, *known.carries)
    return Scene(
        states=((0.0, USUAL), (at, Topology(open=((span, gone),), earth=earth))),
        breaks=(
            Break(
                what=what,
                line=model.network.id,
                span=span,
                phases=tuple(p for p in gone if p <= 3),
                at=begin + timedelta(seconds=at),
                point=along(known.path, where),
                owners=owners,
                downed_ohm=ohm,
                struck=begin + timedelta(seconds=strike) if strike is not None else None,
            ),
        ),
        strikes=(Strike(span, strike, blow(rng)),) if strike is not None else (),
        pulls=_pulls(model, span, what, at, rng),
    )


def blow(rng: np.random.Generator) -> float:
    """Vibration where something hits a span (m/s2, rms): a branch, a crane's boom."""
    return float(np.clip(math.exp(rng.normal(math.log(25.0), 0.6)), 6.0, 120.0))


def _pulls(
    model: Model, span: str, what: str, at: float, rng: np.random.Generator
) -> tuple[Pull, ...]:
    """What the poles at both ends of a broken span feel: a cell holds one conductor of it."""
    found = []
    for node in (model.network.spans[span].from_, model.network.spans[span].to):
        down = what == "severed" or (what == "phase_open" and rng.random() < 0.35)
        left = between(rng, (0.03, 0.25)) if down else between(rng, (0.85, 1.0))
        lean = between(rng, (3.0, 20.0)) if what == "severed" and rng.random() < 0.25 else 0.0
        found.append(Pull(node, at, left, lean))
    return tuple(found)


def confounder(
    what: str, begin: datetime, at: float, end: float, assets: tuple[str, ...], how: str = ""
) -> tuple[Confounder, ...]:
    """The truth about one confounder."""
    return (
        Confounder(
            what=what,
            begin=begin + timedelta(seconds=at),
            end=begin + timedelta(seconds=end),
            assets=assets,
            how=how,
        ),
    )
