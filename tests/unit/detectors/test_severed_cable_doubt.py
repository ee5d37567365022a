"""Breaks that nothing measured here can tell from something likelier: suspected, and said so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from contracts.city import LineNetwork, LineNode, Span
from contracts.event import Event
from contracts.geo import Point
from contracts.nouns import Item
from detectors._common.drive import Known, run
from detectors._common.sample import city, device, reading
from detectors.severed_cable import SPEC
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.expect import View, row
from detectors.severed_cable.prior import prior_of
from detectors.severed_cable.tree import Tree
from detectors.severed_cable.whose import lone_of, owners_of, shares_of, torn

VOLTS = {f"voltage_{x}": 230.0 for x in "abc"}
DARK = {f"voltage_{x}": 1.0 for x in "abc"}
AT = 100.0


def network() -> LineNetwork:
    """A source nobody measures, ten poles in a row; at the third a lateral of two poles to a
    customer, at the seventh another."""
    nodes = {"t": LineNode(id="t", what="pole", point=Point(118.78, 31.26))}
    spans: dict[str, Span] = {}

    def hang(node: str, above: str, what: str, x: float, y: float, *more: str) -> None:
        point = Point(118.78 + x * 0.0004, 31.26 + y * 0.0004)
        nodes[node] = LineNode(id=node, what=what, point=point, device=f"d-{node}")
        path = (nodes[above].point, point)
        spans[f"s-{node}"] = Span(
            id=f"s-{node}", owner="power", from_=above, to=node, path=path, kv=0.4,
            phases="abcn", carries=more,
        )  # fmt: skip

    before = "t"
    for k in range(1, 11):
        hang(f"p{k}", before, "pole", k, 0)
        before = f"p{k}"
    for k in (3, 7):
        hang(f"l{k}", f"p{k}", "pole", k, 1)
        hang(f"e{k}", f"l{k}", "pole", k, 2)
        hang(f"c{k}", f"e{k}", "customer", k, 3)
    return LineNetwork(id="line", nodes=nodes, spans=spans, root="t")


LINE = network()
LEAVES = ("c3", "c7", "p10")


def story(
    changed: Mapping[str, Mapping[str, float]],
    who: Sequence[str] = LEAVES,
    more: Mapping[str, Mapping[str, float]] | None = None,
) -> list[Item]:
    """Who reports every 20 s, and at once what changes at AT; `more`: other channels as usual."""
    items: list[Item] = []
    for n, node in enumerate(who):
        times = sorted([20.0 * k + 1.3 * n for k in range(10)] + [AT + 0.1 * n] * (node in changed))
        for seq, t in enumerate(times):
            said = {**VOLTS, **(more or {}).get(node, {})}
            if t >= AT:
                said |= changed.get(node, {})
            items += [reading(f"d-{node}", metric, v, t, seq) for metric, v in said.items()]
    return sorted(items, key=lambda i: (i.received_at, i.device))


def watch(items: list[Item], who: Sequence[str] = LEAVES) -> list[Known]:
    town = city(
        devices={
            f"d-{n}": device(f"d-{n}", type="line_monitor", reports_every_s=20.0) for n in who
        },
        lines=(LINE,),
    )
    (site,) = SPEC.sites(town, SeveredCableConfig())
    return run(SPEC, SeveredCableConfig(), site, items, tail_s=30)


def told(items: list[Item], who: Sequence[str] = LEAVES) -> Event:
    known = watch(items, who)
    assert known, "nothing was told"
    assert len({event.id for _, event in known}) == 1
    return known[-1][1]


def test_one_dark_meter_at_the_end_of_a_lateral_is_suspected_and_the_likelier_said_first() -> None:
    event = told(story({"c3": DARK}))
    assert (event.evidence["state"], event.severity) == ("suspected", 3)
    assert {"s-l3", "s-e3"} <= {span for span, _ in event.evidence["spans"]}
    assert event.evidence["alternatives"][0]["what"] == "customer_off"
    assert event.evidence["p"] < 0.2
    assert any("a customer switched off" in why for why in event.evidence["why"])
    assert any("用户自行断电" in why for why in event.evidence["why_zh"])


def test_one_dark_meter_whose_pole_lives_is_nothing() -> None:
    """Its drop is torn or its switch is open: nobody can tell, and no pole is without supply."""
    assert watch(story({"c3": DARK}, ("c3", "e3", "p10")), ("c3", "e3", "p10")) == []


def test_all_that_is_measured_dark_is_suspected_below_the_source_and_may_be_an_outage() -> None:
    event = told(story(dict.fromkeys(LEAVES, DARK)))
    assert event.evidence["state"] == "suspected"
    assert {"s-p1", "s-p2", "s-p3"} <= {span for span, _ in event.evidence["spans"]}
    assert "upstream_outage" in [other["what"] for other in event.evidence["alternatives"]]


def test_supply_at_the_source_makes_it_no_outage() -> None:
    who = ("p1", *LEAVES)
    event = told(story(dict.fromkeys(LEAVES, DARK), who), who)
    assert event.evidence["state"] == "confirmed"
    assert "upstream_outage" not in [other["what"] for other in event.evidence["alternatives"]]


@pytest.mark.parametrize(("left", "spoken"), [(0.1, True), (0.0, False)])
def test_a_conductor_that_comes_down_is_a_word_of_its_own_a_dead_cell_is_none(
    left: float, spoken: bool
) -> None:
    who = ("p1", "p5", "c3", "c7", "p10")
    cell = {"p5": {"tension": 3000.0}}
    known = watch(story({"p5": {"tension": 3000.0 * left}}, who, cell), who)
    assert bool(known) == spoken
    if known:
        event = known[-1][1]
        assert event.evidence["state"] == "suspected"
        assert event.evidence["spans"][0][0] == "s-p6"  # the pole itself has supply
        assert event.evidence["evidence_kinds"] == ["tension"]
        assert not any(why.startswith("lost at") for why in event.evidence["why"])


def test_a_conductor_hung_up_again_closes_it() -> None:
    who = ("p1", "p5", "p10")
    items = story({"p5": {"tension": 300.0}}, who, {"p5": {"tension": 3000.0}})
    items += [reading("d-p5", "tension", 2900.0, 250.0, 99)]
    event = told(items, who)
    assert (event.phase, event.evidence["ended"]) == ("closed", "restored")


def test_darkness_told_twice_by_one_monitor_confirms_nothing() -> None:
    who = ("p1", "p9", "p10")
    items = story({"p10": DARK}, who)
    items += [reading("d-p10", "last_gasp", 1.0, AT + 0.5, 98)]
    items.sort(key=lambda i: (i.received_at, i.device))
    event = told(items, who)
    assert event.evidence["evidence_kinds"] == ["last_gasp", "voltage"]
    assert event.evidence["state"] == "suspected"


def test_what_channels_said_is_told_beside_what_is_usual() -> None:
    event = told(story({"c3": DARK}))
    said = {(one["device"], one["metric"]): one for one in event.evidence["channels"]}
    assert said["d-c3", "voltage_a"]["usual"] == 230.0
    assert said["d-c3", "voltage_a"]["value"] == 1.0
    assert said["d-p10", "voltage_a"]["value"] == 230.0


def test_of_several_sets_of_owners_the_likeliest_is_called() -> None:
    """Telecom hangs on two of three spans and TV on one of them: each is more probably torn than
    not or nearly so, but most probably only the power company's is."""
    spans = dict(LINE.spans)
    for name, carries in (("s-p2", ("telecom",)), ("s-p3", ("telecom", "tv"))):
        span = spans[name]
        spans[name] = Span(
            id=name, owner="power", from_=span.from_, to=span.to, path=span.path, carries=carries
        )
    tree = Tree(LineNetwork(id="line", nodes=LINE.nodes, spans=spans, root="t"))
    shares = np.zeros((len(tree.spans), 8))
    for name, p in (("s-p1", 0.4), ("s-p2", 0.3), ("s-p3", 0.3)):
        shares[tree.index[name], 0] = p
    assert owners_of(tree, shares) == ["power"]
    shares[tree.index["s-p1"], 0] = 0.1
    shares[tree.index["s-p3"], 0] = 0.6
    assert owners_of(tree, shares) == ["power", "telecom", "tv"]


def view(phases: tuple[int, int, int], amps: tuple[int, int, int], *, medium: bool) -> View:
    return View(
        medium=medium, phases=phases, amps=amps, neutral=-1, halves=(False, False, False),
        moved=-1, even=False, gasp=False, singles=sum(p >= 0 for p in phases), own=7e-6,
        customer=False, restless=0,
    )  # fmt: skip


def test_one_phase_that_is_low_at_one_place_alone_is_more_at_medium_voltage_than_at_low() -> None:
    """A welder pulls a low voltage down by a third, and no medium one."""
    low, there = (3, 5, 5), (-1, -1, -1)
    odds = [row(v).low[1] - row(v).nothing for v in
            (view(low, there, medium=False), view(low, there, medium=True))]  # fmt: skip
    assert odds[1] > odds[0] + 3.0


def test_a_load_between_an_open_phase_and_a_whole_one_draws_less_from_both() -> None:
    """Phase b of two is open and backfed through the load that hangs between b and c."""
    volts = (-1, 1, 5)
    both, one = view(volts, (-1, 1, 1), medium=True), view(volts, (-1, 1, 2), medium=True)
    dead = view((-1, 0, 5), (-1, 0, 2), medium=True)
    open_b = 2
    assert row(both).medium[open_b] > math.log(0.18 * 0.25 * 0.08 * 0.5)
    assert row(one).medium[open_b] > row(both).medium[open_b]
    assert row(dead).medium[open_b] > row(one).medium[open_b]


def _one_phase(drops: Mapping[str, str]) -> Tree:
    """The line with its customers on the phases given; telecom hangs on the lateral at p3."""
    spans = dict(LINE.spans)
    for name, phases in drops.items():
        span = spans[name]
        spans[name] = Span(
            id=name, owner="power", from_=span.from_, to=span.to, path=span.path, kv=0.4,
            phases=phases,
        )  # fmt: skip
    span = spans["s-l3"]
    spans["s-l3"] = Span(
        id="s-l3", owner="power", from_=span.from_, to=span.to, path=span.path, kv=0.4,
        phases="abcn", carries=("telecom",),
    )  # fmt: skip
    return Tree(LineNetwork(id="line", nodes=LINE.nodes, spans=spans, root="t"))


def test_behind_an_open_neutral_loads_of_one_phase_alone_are_as_dark_as_behind_no_line() -> None:
    tree = _one_phase({"s-c3": "an", "s-c7": "an"})
    lone = lone_of(tree, prior_of(tree))
    assert lone[tree.index["s-l3"]] and lone[tree.index["s-p1"]]
    spans = np.zeros((len(tree.spans), 8))
    spans[tree.index["s-l3"], [0, 1, 7]] = 0.02, 0.001, 0.0005
    shares = shares_of(tree, spans, lone, ["c3"], fallen=False)
    at = tree.index["s-l3"]
    assert shares.sum() == pytest.approx(1.0)
    assert shares[at, 7] == pytest.approx(shares[at, 0])
    assert owners_of(tree, shares) == ["power"], "an open phase might be it, too"
    assert 0.4 < torn(tree, shares)["telecom"] < 0.5 and torn(tree, shares)["power"] > 0.99


def test_two_phases_or_a_pole_that_measures_tell_an_open_neutral_from_a_line_that_is_gone() -> None:
    tree = _one_phase({"s-c3": "an", "s-c7": "bn"})
    lone = lone_of(tree, prior_of(tree))
    assert lone[tree.index["s-l3"]] and not lone[tree.index["s-p1"]]
    spans = np.zeros((len(tree.spans), 8))
    for name in ("s-l3", "s-p1"):
        spans[tree.index[name], [0, 7]] = 0.02, 0.0005
    shares = shares_of(tree, spans, lone, ["c3", "l3"], fallen=False)
    for name in ("s-l3", "s-p1"):
        at = tree.index[name]
        assert shares[at, 7] < 0.2 * shares[at, 0]
