"""What voltages and currents look like when a conductor parts, on a hand-drawn 10 kV line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from contracts.city import LineNetwork, LineNode, Span, Work
from contracts.event import Event
from contracts.geo import Point, along, distance_m
from contracts.nouns import Item, Reading
from detectors._common.drive import Known, run
from detectors._common.sample import START, city, device, reading
from detectors.severed_cable import SPEC
from detectors.severed_cable.belief import speaking
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.place import place_of
from detectors.severed_cable.tree import Tree
from detectors.severed_cable.view import shift

MV, LV = 5774.0, 231.0
AT = 200.0
"""When it happens."""


def network() -> LineNetwork:
    """Substation m0, a switch, 10 kV poles m1..m5; at m3 and m5 a transformer t3, t5 with four
    low-voltage poles each; telecom hangs along m4-m5 and along t5's net."""
    nodes: dict[str, LineNode] = {}
    spans: dict[str, Span] = {}

    def node(id: str, what: str, x: float, y: float) -> None:
        point = Point(118.78 + x / 95_000, 31.26 + y / 111_000)
        nodes[id] = LineNode(id=id, what=what, point=point, device=f"d-{id}")

    def span(start: str, end: str, kv: float, **more: Any) -> None:
        path = (nodes[start].point, nodes[end].point)
        phases = "abc" if kv > 1 else "abcn"
        spans[f"s-{end}"] = Span(
            id=f"s-{end}", owner="power", from_=start, to=end, path=path, kv=kv, phases=phases,
            **more,
        )  # fmt: skip

    node("m0", "pole", 0, 0)
    for k in range(1, 6):
        node(f"m{k}", "pole", 60 * k if k > 1 else 3, 0)
        shared = ("telecom",) if k == 5 else ()
        span(f"m{k - 1}", f"m{k}", 10, switch=k == 1, carries=shared)
    for k in (3, 5):
        node(f"t{k}", "transformer", 60 * k, 8)
        span(f"m{k}", f"t{k}", 10, switch=True)
        before = f"t{k}"
        for j in range(1, 5):
            node(f"l{k}{j}", "pole", 60 * k, 8 + 40 * j)
            span(before, f"l{k}{j}", 0.4, carries=("telecom",) if k == 5 else ())
            before = f"l{k}{j}"
    return LineNetwork(id="line", nodes=nodes, spans=spans, root="m0")


LINE = network()
NODES = tuple(LINE.nodes)
Said = Mapping[str, Mapping[str, float]]


def behind(span: str) -> set[str]:
    tree = Tree(LINE)
    return set(tree.subtree(LINE.spans[span].to))


def usual(node: str, t: float) -> dict[str, float]:
    volts = MV if node.startswith("m") else LV
    amps = 10.0 if node.startswith("m") else 20.0
    said = {f"voltage_{x}": volts * (1 + 0.002 * math.sin(t + k)) for k, x in enumerate("abc")}
    return {**said, **{f"current_{x}": amps for x in "abc"}}


def shares(a: float, b: float, c: float, amps: tuple[float, float, float] | None = None) -> Any:
    """What a node says: its phases' and currents' shares of what is usual there."""

    def said(node: str) -> dict[str, float]:
        base = usual(node, 0.0)
        found = {
            f"voltage_{x}": base[f"voltage_{x}"] * s for x, s in zip("abc", (a, b, c), strict=True)
        }
        if amps is not None:
            found |= {
                f"current_{x}": base[f"current_{x}"] * s for x, s in zip("abc", amps, strict=True)
            }
        return found

    return said


DEAD = shares(0.01, 0.0, 0.02, (0, 0, 0))


def story(
    changed: Mapping[str, Any], *, nodes: tuple[str, ...] = NODES, mute: tuple[str, ...] = ()
) -> list[Item]:
    """Each node reports each minute; those in `changed` say so at once and from then on. `mute`
    say nothing from then on."""
    items: list[Item] = []
    for n, node in enumerate(nodes):
        times = [60.0 * k + 3.1 * n % 55 for k in range(6)]
        if node in changed:
            times.append(AT + 0.1 + 0.02 * n)
        for seq, t in enumerate(sorted(times)):
            if node in mute and t >= AT:
                continue
            said = usual(node, t)
            if node in changed and t >= AT:
                said |= changed[node](node) if callable(changed[node]) else changed[node]
            items += [reading(f"d-{node}", metric, v, t, seq) for metric, v in said.items()]
    return sorted(items, key=lambda i: (i.received_at, i.device))


def watch(items: list[Item], works: tuple[Work, ...] = ()) -> list[Known]:
    devices = {f"d-{n}": device(f"d-{n}", type="line_monitor", reports_every_s=60.0) for n in NODES}
    town = city(devices=devices, lines=(LINE,), works=works)
    (site,) = SPEC.sites(town, SeveredCableConfig())
    return run(SPEC, SeveredCableConfig(), site, items, tail_s=30)


def told(items: list[Item]) -> Event:
    known = watch(items)
    assert known, "nothing was told"
    assert len({event.id for _, event in known}) == 1
    return known[-1][1]


def test_a_severed_span_of_the_isolated_net_is_found_though_its_earth_lifts_all_phases() -> None:
    lifted = {m: shares(0.1, 1.7, 1.75) for m in ("m0", "m1", "m2", "m3")}
    event = told(story({**lifted, **dict.fromkeys(behind("s-m4"), DEAD)}))
    assert event.evidence["spans"][0][0] == "s-m4"
    assert (event.evidence["what"], event.evidence["state"]) == ("severed", "confirmed")
    assert not {"m0", "m1", "m2"} & set(event.evidence["lost"])


def test_one_open_phase_shows_as_halves_behind_the_transformer_and_by_its_current() -> None:
    low = dict.fromkeys(behind("s-t5"), shares(0.5, 1.0, 0.52))
    drift = {m: shares(1.3, 1.8, 1.3, (0, 0.9, 0.9)) for m in ("m4", "m5")}
    above = {m: shares(1.3, 1.8, 1.3) for m in ("m0", "m1", "m2", "m3")}
    event = told(story({**low, **drift, **above}))
    assert event.evidence["what"] == "phase_open"
    assert event.evidence["phases"] == "a"
    assert event.evidence["spans"][0][0] == "s-m4"


def test_a_phase_that_opens_where_nothing_is_loaded_differs_from_the_nets_displacement() -> None:
    lifted = {m: shares(0.3, 1.55, 1.8) for m in ("m0", "m1", "m2", "m3")}
    beyond = {m: shares(0.45, 1.55, 1.8) for m in ("m4", "m5")}
    nodes = tuple(n for n in NODES if not n.startswith(("t5", "l5")))
    unloaded = {"d-m4", "d-m5"}
    event = told(
        [
            i
            for i in story({**lifted, **beyond}, nodes=nodes)
            if not (isinstance(i, Reading) and i.device in unloaded and "current" in i.metric)
        ]
    )
    assert event.evidence["what"] == "phase_open"
    assert event.evidence["spans"][0][0] == "s-m4"
    assert set(event.evidence["lost"]) >= {"m4", "m5"}


def test_an_earth_fault_that_breaks_nothing_is_no_cable() -> None:
    assert watch(story({f"m{k}": shares(0.1, 1.7, 1.75) for k in range(6)})) == []


def test_a_neutral_that_opens_is_told_by_voltages_that_one_displacement_explains() -> None:
    moved = {n: shares(127 / LV, 272 / LV, 316 / LV) for n in ("l52", "l53", "l54")}
    event = told(story(moved))
    assert event.evidence["what"] == "neutral_open"
    assert event.evidence["spans"][0][0] == "s-l52"
    assert event.evidence["owners"] == ["power"], "telecom's cable is whole"


def test_a_neutral_lifted_beside_the_break_is_not_lost() -> None:
    """What returns through earth lifts the transformer's neutral, and every neutral of its net."""
    moved = {n: shares(1.29, 0.60, 1.22) for n in ("l53", "l54")}
    items = story(moved)
    for n, node in enumerate(("t5", "l51", "l52")):
        items += [reading(f"d-{node}", "voltage_n", 2.0, t, 50) for t in (20.0, 80.0, 140.0)]
        items.append(reading(f"d-{node}", "voltage_n", 27.0, AT + 0.2 + 0.01 * n, 51))
    event = told(sorted(items, key=lambda i: (i.received_at, i.device)))
    assert event.evidence["spans"][0][0] == "s-l53"
    assert event.evidence["lost"] == ["l53", "l54"]


@pytest.mark.parametrize(
    ("volts", "moved"),
    [
        ((127 / 231, 272 / 231, 316 / 231), 1),
        ((0.0, 3**0.5, 3**0.5), 1),
        ((0.0, 1.0, 1.0), 0),
        ((0.5, 1.0, 0.5), 0),
        ((0.7, 0.7, 0.7), 0),
        ((1.0, 0.99, 1.01), -1),
    ],
)
def test_a_moved_neutral_is_told_from_other_voltages(
    volts: tuple[float, float, float], moved: int
) -> None:
    assert shift(list(volts)) == moved


def test_whose_cables_hang_on_a_severed_span_are_all_called() -> None:
    event = told(story(dict.fromkeys(behind("s-m5"), DEAD)))
    assert event.evidence["spans"][0][0] == "s-m5"
    assert event.evidence["owners"] == ["power", "telecom"]
    alone = told(story(dict.fromkeys(behind("s-m4"), DEAD)))
    assert alone.evidence["owners"] == ["power"]


def test_a_loss_that_begins_at_a_switch_is_a_switch() -> None:
    assert watch(story(dict.fromkeys(behind("s-m1"), DEAD))) == []


def test_an_outage_or_a_sag_upstream_is_no_cable() -> None:
    assert watch(story(dict.fromkeys(NODES, DEAD))) == []
    assert watch(story(dict.fromkeys(NODES, shares(0.6, 0.61, 0.6)))) == []


def test_current_alone_says_nothing() -> None:
    gone = {n: shares(1.0, 1.0, 1.0, (0, 0, 0)) for n in ("l52", "l53", "l54")}
    assert watch(story(gone)) == []


def test_a_monitor_that_says_something_else_each_time_is_wrong_of_itself() -> None:
    items = [i for i in story({}) if i.device != "d-l54" or i.at < START + timedelta(seconds=AT)]
    for k in range(12):
        said = shares(*((0.05, 1.2, 0.5) if k % 2 else (0.9, 0.02, 1.25)))("l54")
        items += [reading("d-l54", m, v, AT + 10 * k, 90 + k) for m, v in said.items()]
    known = watch(sorted(items, key=lambda i: (i.received_at, i.device)))
    assert all(event.evidence["state"] == "suspected" for _, event in known)
    assert not known or known[-1][1].evidence["ended"] == "ruled_out"


def test_a_planned_outage_is_named_with_its_work_order_when_something_else_breaks() -> None:
    begin = START + timedelta(seconds=AT - 60)
    work = Work(
        id="w-7", kind="power", start=begin, end=begin + timedelta(hours=2), assets=("s-l33",)
    )
    planned = dict.fromkeys(behind("s-l33"), DEAD)
    assert watch(story(planned), works=(work,)) == []
    known = watch(story({**planned, **dict.fromkeys(behind("s-l52"), DEAD)}), works=(work,))
    event = known[-1][1]
    assert event.evidence["spans"][0][0] == "s-l52"
    named = [o for o in event.evidence["ruled_out"] if o["what"] == "planned_outage"]
    assert [o["work"] for o in named] == ["w-7"]


def test_two_breaks_within_seconds_are_two() -> None:
    both = behind("s-l33") | behind("s-l52")
    final = {event.id: event for _, event in watch(story(dict.fromkeys(both, DEAD)))}
    assert {e.evidence["spans"][0][0] for e in final.values()} == {"s-l33", "s-l52"}
    assert all(e.evidence["state"] == "confirmed" for e in final.values())


def test_a_strike_before_is_named_as_the_cause() -> None:
    items = story(dict.fromkeys(behind("s-l53"), DEAD))
    items.append(reading("d-l52", "vibration", 40.0, AT - 3.0, 70))
    items += [reading("d-l52", "vibration", 9.0, AT + t, 71) for t in (-1.0, 2.0, 4.0)]
    event = told(sorted(items, key=lambda i: (i.received_at, i.device)))
    cause = event.evidence["cause"]
    assert (cause["what"], cause["device"], cause["vibration"]) == ("strike", "d-l52", 40.0)
    assert 2.5 < cause["before_s"] < 3.5
    assert any("致因" in line for line in event.evidence["why_zh"])


def test_every_alternative_says_what_spoke_against_it() -> None:
    event = told(story(dict.fromkeys(behind("s-m4"), DEAD)))
    told_of = {o["what"]: o for o in event.evidence["ruled_out"]}
    wanted = {
        "planned_outage", "upstream_outage", "switching", "sensor_fault", "recloser",
        "load_switching", "gateway_dead",
    }  # fmt: skip
    assert wanted <= set(told_of)
    assert all(o["why"] and o["why_zh"] and o["p"] < 0.05 for o in told_of.values())
    assert len(event.evidence["why"]) == len(event.evidence["why_zh"]) >= 3


def test_the_point_keeps_what_is_likely_within_a_search_and_has_an_honest_error() -> None:
    tree = Tree(LINE)
    chance = np.zeros(len(tree.spans))
    for span, p in (("s-m2", 0.2), ("s-m3", 0.5), ("s-m4", 0.3)):
        chance[tree.index[span]] = p
    place = place_of(tree, chance)
    east, north = tree.metres(place.point)
    # the median of it all is at 150; from 125 either end is within a search
    assert east == pytest.approx(125, abs=12) and abs(north) < 5
    assert 50 < place.error_m < 120
    for span in ("s-m2", "s-m3", "s-m4"):
        chance[tree.index[span]] = float(span == "s-m3")
    one = place_of(tree, chance)
    middle = along(tree.paths[tree.index["s-m3"]], tree.lengths[tree.index["s-m3"]] / 2)
    assert distance_m(one.point, middle) < 12, "one span alone: its middle"


def test_many_that_speak_at_once_tell_where_though_silence_is_unknown() -> None:
    expected, spoke = np.array([[10.0], [126.0]]), np.array([[10.0], [10.0]])
    here, everywhere = speaking(expected, spoke)[:, 0]
    assert here > everywhere + 3
    assert everywhere >= -7.0, "gateways die together: silence never speaks for sure"


def test_silent_neighbours_leave_their_spans_open() -> None:
    dark = behind("s-l51")
    quiet = ("t5", "l51", "l52", "m5", "m4")
    known = watch(story(dict.fromkeys(dark - {"l51", "l52"}, DEAD), mute=quiet))
    assert known
    listed = dict(known[-1][1].evidence["spans"])
    assert {"s-l51", "s-l52", "s-l53"} <= set(listed)
