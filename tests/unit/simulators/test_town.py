"""The town on paper: a city folder that the strict loader takes, geometry that makes sense."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from shapely.geometry import Point as Spot
from shapely.geometry import Polygon
from shapely.ops import unary_union

from contracts.city import Grid
from contracts.errors import Wrong
from contracts.geo import distance_m, length_m
from gridsentry.city import read_city
from simulators.frame import to_point, to_xy
from simulators.settings import SimSettings
from simulators.town import Town, build, write_city


def polygon(grid: Grid) -> Polygon:
    from contracts.geo import Point

    return Polygon([to_xy(Point(lon, lat)) for lon, lat in grid.rings[0][0]])


def level(town: Town, name: str) -> list[Grid]:
    return [g for g in town.grids if g.level == name]


def test_the_strict_loader_takes_the_written_folder_without_a_warning(
    town: Town, tmp_path: Path
) -> None:
    write_city(town, tmp_path)
    loaded = read_city(tmp_path)
    assert loaded.warnings == ()
    city = loaded.city
    assert city.timezone == "Asia/Shanghai"
    assert city.profile.name == "cn-default"
    assert city.devices.keys() == town.devices.keys()
    assert city.workers == town.workers
    for id, utility in town.utilities.items():  # the loader adds its own id and name as owners
        read = city.utilities[id]
        assert set(utility.owners) <= set(read.owners)
        assert (read.name, read.restricted) == (utility.name, utility.restricted)
    assert city.rules == town.rules
    assert city.drains is not None
    assert city.drains.nodes == town.sewers.network.nodes
    assert city.drains.pipes == town.sewers.network.pipes
    assert [line.spans for line in city.lines] == [town.feeder.network.spans]
    assert city.lines[0].nodes == town.feeder.network.nodes
    assert city.lines[0].root == town.feeder.network.root
    assert city.fibres[town.fibre.id].path == town.fibre.path
    assert city.fibres[town.fibre.id].baseline
    for tower in town.towers:
        zones = {z.id: z for z in city.cameras[tower.camera].zones}
        assert len(zones) == tower.floors * tower.bays
        u0, v0, u1, v1 = tower.window(5, 2)
        corners = {(round(u, 2), round(v, 2)) for u, v in zones["F5-2"].polygon}
        assert corners == {(round(u, 2), round(v, 2)) for u in (u0, u1) for v in (v0, v1)}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    def files(name: str, seed: int) -> dict[str, bytes]:
        write_city(build(seed), tmp_path / name)
        folder = tmp_path / name
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.*"))}

    first, again, other = files("a", 3), files("b", 3), files("c", 4)
    assert first == again
    assert first.keys() == other.keys()
    assert first["grids.geojson"] != other["grids.geojson"]
    assert first["workers.csv"] != other["workers.csv"]


@pytest.mark.parametrize("seed", [0, 1, 7, 123456, -5])
def test_every_seed_builds_a_town_of_the_agreed_size(seed: int) -> None:
    town = build(seed)
    assert [len(level(town, n)) for n in ("street", "community", "grid", "microgrid")] == [
        1,
        3,
        12,
        60,
    ]
    assert 75 <= len(town.workers) <= 85
    assert len({w.name for w in town.workers.values()}) == len(town.workers)
    assert len(town.sewers.catches) == 40
    assert sum(n.what == "pole" for n in town.feeder.network.nodes.values()) == 25
    assert len(town.towers) == 3


@pytest.mark.parametrize("seed", [1, 7])
def test_grids_nest_and_children_cover_their_parent_without_overlap(seed: int) -> None:
    town = build(seed)
    shapes = {g.id: polygon(g) for g in town.grids}
    assert all(shape.is_valid for shape in shapes.values())
    for parent in town.grids:
        children = [shapes[g.id] for g in town.grids if g.parent == parent.id]
        if not children:
            continue
        whole = shapes[parent.id]
        assert math.isclose(sum(c.area for c in children), whole.area, rel_tol=2e-3)
        assert unary_union(children).symmetric_difference(whole).area < 0.003 * whole.area


def test_everything_stands_inside_the_street(town: Town) -> None:
    street = polygon(level(town, "street")[0]).buffer(1.0)
    places = [d.point for d in town.devices.values()]
    places += [w.point for w in town.workers.values()]
    places += [n.point for n in town.feeder.network.nodes.values()]
    places += list(town.fibre.path)
    assert [p for p in places if not street.contains(Spot(to_xy(p)))] == []


def test_workers_start_inside_their_grid(town: Town) -> None:
    shapes = {g.id: polygon(g).buffer(1.0) for g in town.grids}
    outside = [
        w.id
        for w in town.workers.values()
        if not shapes[w.grid or ""].contains(Spot(to_xy(w.point)))
    ]
    assert outside == []


def test_water_can_run_downhill_from_every_manhole_to_the_outfall(town: Town) -> None:
    nodes, pipes = town.sewers.network.nodes, town.sewers.network.pipes
    down = {p.from_: p.to for p in pipes.values()}
    for start in town.sewers.catches:
        at, steps = start, 0
        while at in down:
            assert (nodes[down[at]].invert_m or 0) < (nodes[at].invert_m or 0)
            at, steps = down[at], steps + 1
            assert steps < 50
        assert at == "outfall"
        assert (nodes[start].rim_m or 0) - (nodes[start].invert_m or 0) > 1.0


def test_every_pole_and_customer_is_fed_from_the_transformer(town: Town) -> None:
    network = town.feeder.network
    fed = {network.root}
    for span in network.spans.values():
        assert span.from_ in fed, "spans are listed from the source outwards"
        fed.add(span.to)
        assert 5 < length_m(span.path) < 60
    assert fed == set(network.nodes)


def test_the_fibre_is_about_three_kilometres(town: Town) -> None:
    assert 2500 < length_m(town.fibre.path) < 4000
    assert math.isclose(length_m(town.fibre.path), town.plant.length_m, abs_tol=10)


def test_the_frame_keeps_distances(town: Town) -> None:
    a, b = (500.0, 500.0), (1500.0, 1700.0)
    assert math.isclose(distance_m(to_point(a), to_point(b)), math.dist(a, b), rel_tol=1e-3)


def test_a_seed_that_is_no_integer_is_refused() -> None:
    with pytest.raises(Wrong, match="an integer"):
        build("7")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("knob", "value"),
    [("warm_h", -1), ("speed", 0), ("cameras", 4), ("fps", 60), ("ambient_s", 1)],
)
def test_settings_that_cannot_be_are_refused_by_name(knob: str, value: float) -> None:
    with pytest.raises(Wrong, match=knob):
        SimSettings(**{knob: value})  # type: ignore[arg-type]
