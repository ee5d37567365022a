"""The drainage graph: what lies above and below, which device stands where."""

from __future__ import annotations

import pytest

from contracts.city import DrainNetwork, Node, Pipe
from contracts.geo import Point
from detectors._common.sample import device
from detectors._common.water.graph import Graph, outlets, pipe_length_m, site_name, stands

STEP = 0.001
"""Degrees of latitude between manholes in a row: 111 m."""


def network(*pairs: str, **where: tuple[float, float]) -> DrainNetwork:
    """Pipes `a>b`; nodes lie in a row northwards by their order of appearance, or `where`."""
    names = list(dict.fromkeys(n for pair in pairs for n in pair.split(">")))
    at = {n: where.get(n, (118.0, 31.0 + STEP * k)) for k, n in enumerate(names)}
    points = {n: Point(*at[n]) for n in names}
    pipes = {}
    for pair in pairs:
        a, b = pair.split(">")
        pipes[f"{a}{b}"] = Pipe(
            id=f"{a}{b}", from_=a, to=b, path=(points[a], points[b]), length_m=100.0
        )
    return DrainNetwork(nodes={n: Node(id=n, point=points[n]) for n in names}, pipes=pipes)


#     a - b - d - e - out      f - g  is another network
#         c /
TREE = Graph(network("a>b", "b>d", "c>d", "d>e", "e>out", "f>g"))


def test_water_comes_from_above_and_goes_below_with_metres_of_pipe() -> None:
    assert TREE.above("d") == {"b": 100.0, "c": 100.0, "a": 200.0}
    assert TREE.below("b") == {"d": 100.0, "e": 200.0, "out": 300.0}
    assert TREE.below("b", reach_m=150) == {"d": 100.0}
    assert TREE.above("nowhere") == {}


def test_the_first_sensor_on_each_branch_hides_those_behind_it() -> None:
    assert TREE.first_above("out", ("a", "b", "c")) == {"c": 300.0, "b": 300.0}
    assert TREE.first_below("a", ("e", "out")) == {"e": 300.0}


def test_a_loop_is_walked_once() -> None:
    loop = Graph(network("a>b", "b>c", "c>a", "c>out"))
    assert set(loop.below("a")) == {"b", "c", "out"}
    assert set(loop.above("a")) == {"b", "c"}


def test_hops_count_pipes_either_way() -> None:
    assert [TREE.hops("ab", x) for x in ("ab", "bd", "cd", "eout", "fg", "no")] == [
        *(0, 1, 2, 3),
        *(None, None),
    ]


def test_a_chain_goes_the_way_of_the_water() -> None:
    chain = TREE.chain("a", "out")
    assert chain is not None
    assert [p.id for p in chain] == ["ab", "bd", "de", "eout"]
    assert TREE.chain("out", "a") is None
    assert TREE.chain("a", "a") == ()


def test_networks_that_no_pipe_connects_are_apart() -> None:
    parts = TREE.parts()
    assert [sorted(p.nodes) for p in parts] == [["a", "b", "c", "d", "e", "out"], ["f", "g"]]
    assert [site_name(p) for p in parts] == ["drains-out", "drains-g"]
    assert outlets(TREE) == ("g", "out")


def test_a_device_stands_at_the_node_it_names_else_at_the_nearest_within_reach() -> None:
    beside = Point(118.0, 31.0 + STEP * 2.2)  # 22 m north of d
    there = stands(
        TREE,
        [
            device("a", point=beside),
            device("x1", point=beside),
            device("x2", point=beside, site="e"),
            device("far", point=Point(118.01, 31.0)),
        ],
    )
    assert there == {"a": "a", "x1": "d", "x2": "e"}


def test_a_pipe_is_as_long_as_registered_else_as_drawn() -> None:
    pipe = TREE.network.pipes["ab"]
    assert pipe_length_m(pipe) == 100.0
    drawn = Pipe(id="p", from_="a", to="b", path=pipe.path)
    assert pipe_length_m(drawn) == pytest.approx(111.2, abs=0.2)
