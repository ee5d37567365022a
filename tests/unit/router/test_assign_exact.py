"""The fast choice is the plain one: same people, same order, same costs."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts.city import City, Worker
from contracts.event import Place
from contracts.governance import Governance, Roads, Role
from contracts.nouns import Position
from router.assign import Load, Roster
from router.assign.near import Near
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from tests.scenarios.town import at, town
from tests.unit.router.plain_choice import by_road, plain

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
ROLES = {
    "scooter": Role(id="scooter", speed_mps=5.0, most_open=2),
    "auntie": Role(id="auntie", duty="help"),
    "liaison": Role(id="liaison", duty="liaise", speed_mps=15.0),
}
SHIFTS = ("", "08:00-20:00", "20:00-08:00")
quick = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow], database=None
)


class Loaded(Load):
    """A load said outright."""

    def __init__(self, tasks: dict[str, int], offers: dict[str, int]) -> None:
        super().__init__()
        self._tasks.update(tasks)
        self._offers.update(offers)


def crowd(seed: int, many: int, spread_m: float) -> tuple[City, list[Position], Loaded, Place]:
    """A town of people from a seed, with positions of every age, and somewhere to go."""
    r = np.random.default_rng(seed)
    workers, positions = {}, []
    tasks: dict[str, int] = {}
    offers: dict[str, int] = {}
    for i in range(many):
        ident = f"w-{i:04}"
        here = at(*r.uniform(-spread_m / 2, spread_m, 2))
        workers[ident] = Worker(
            id=ident,
            name=ident,
            role=str(r.choice(["worker", "worker", "scooter", "auntie", "liaison", "grid_head"])),
            grid=r.choice(np.array(["g1", "g2", "g3", "g4", "c1", None], dtype=object)),
            skills=("water",) if r.random() < 0.3 else (),
            shift=str(r.choice(SHIFTS)),
            point=here,
        )
        if r.random() < 0.7:
            seen = NOW - timedelta(seconds=float(r.choice([0, 30, 600, 1800, 1801, 9999])))
            positions.append(
                Position(
                    worker=ident,
                    at=seen,
                    received_at=seen,
                    point=at(*r.uniform(-spread_m / 2, spread_m, 2)),
                    accuracy_m=None if r.random() < 0.5 else 25.0,
                )
            )
        if r.random() < 0.4:
            tasks[ident] = int(r.integers(1, 4))
            if r.random() < 0.5:
                offers[ident] = int(r.integers(1, tasks[ident] + 1))
    city = msgspec.structs.replace(
        town(), workers=workers, extra={"governance": Governance(roles=ROLES)}
    )
    where = at(*r.uniform(-200, 2200, 2))
    place = Gazetteer(city.grids).place(where)
    return city, positions, Loaded(tasks, offers), place


def chosen(
    city: City, positions: list[Position], load: Load, place: Place, **asked: Any
) -> list[tuple[str, float]]:
    roster = Roster(city, Gazetteer(city.grids), RouterSettings())
    for position in positions:
        roster.move(position)
    choice = roster.choose(place, NOW, load=load, **asked)
    first = (str(choice.worker), float(choice.reason["cost_s"]))
    return [first, *((c.worker, c.cost_s or 0.0) for c in choice.runners_up)]


def expected(
    city: City, positions: list[Position], load: Loaded, place: Place, **asked: Any
) -> Any:
    want = plain(
        city, place, NOW, RouterSettings(), positions=positions,
        load=dict(load), offers=dict(load._offers), **asked,
    )  # fmt: skip
    first = next((p for p in want if p.leads), None)
    if first is None:
        return None
    others = [p for p in want if p is not first]
    return [(p.worker, round(p.cost, 1)) for p in [first, *others][:6]]


def same(found: list[tuple[str, float]], want: list[tuple[str, float]]) -> None:
    assert [w for w, _ in found] == [w for w, _ in want]
    assert [c for _, c in found] == pytest.approx([c for _, c in want], abs=0.11)


@quick
@given(
    seed=st.integers(0, 10**6),
    many=st.integers(1, 120),
    spread=st.sampled_from([300.0, 3000.0, 40_000.0]),
    severity=st.integers(1, 5),
    skills=st.sampled_from([(), ("water",)]),
)
@example(seed=1, many=120, spread=40_000.0, severity=1, skills=("water",))
def test_the_best_are_the_best_of_all_crow_fly(
    seed: int, many: int, spread: float, severity: int, skills: tuple[str, ...]
) -> None:
    city, positions, load, place = crowd(seed, many, spread)
    want = expected(city, positions, load, place, severity=severity, skills=skills)
    if want is not None:
        same(chosen(city, positions, load, place, severity=severity, skills=skills), want)


def streets(seed: int) -> Roads:
    """A patchy grid of streets over the town, some of them slow."""
    r = np.random.default_rng(seed)
    side, step = 12, 200.0
    points = [at(i % side * step + r.uniform(-40, 40), i // side * step) for i in range(side**2)]
    edges = [(i, i + 1) for i in range(side**2) if (i + 1) % side]
    edges += [(i, i + side) for i in range(side * (side - 1))]
    edges = [e for e in edges if r.random() < 0.75]
    both = [*edges, *((b, a) for a, b in edges)]
    lon, lat = np.array([p.lon for p in points]), np.array([p.lat for p in points])
    # Only what is joined, so that nobody starts on an island.
    joined: set[int] = set()
    todo = [side**2 // 2]
    while todo:
        node = todo.pop()
        if node not in joined:
            joined.add(node)
            todo += [b for a, b in both if a == node]
    both = [(a, b) for a, b in both if a in joined]
    keep = {old: new for new, old in enumerate(sorted(joined))}
    a = np.array([keep[a] for a, _ in both], dtype=np.int32)
    b = np.array([keep[b] for _, b in both], dtype=np.int32)
    lon, lat = lon[sorted(joined)], lat[sorted(joined)]
    factor = r.choice([1.0, 1.0, 0.5], len(both)).astype(np.float32)
    metres = np.full(len(both), 1.0, dtype=np.float32)  # never less than crow-fly all the same
    return Roads(lon=lon, lat=lat, from_=a, to=b, metres=metres, factor=factor, source="test")


@quick
@given(seed=st.integers(0, 10**6), many=st.integers(1, 80))
def test_the_best_are_the_best_of_all_by_road(seed: int, many: int) -> None:
    city, positions, load, place = crowd(seed, many, 2000.0)
    roads = streets(seed)
    city.extra["governance"] = Governance(roles=ROLES, roads=roads)
    way = by_road(roads, place, RouterSettings())
    want = expected(city, positions, load, place, way=way)
    if want is not None:
        same(chosen(city, positions, load, place), want)


@quick
@given(st.data())
def test_near_names_everybody_once_and_nobody_unnamed_is_nearer_than_it_says(
    data: st.DataObject,
) -> None:
    r = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    many = data.draw(st.integers(1, 200))
    spread = data.draw(st.sampled_from([0.001, 0.05, 3.0, 60.0]))
    lat = np.clip(
        data.draw(st.sampled_from([0.0, 32.0, -55.0])) + r.normal(0, spread, many), -85, 85
    )
    near = Near(118 + r.normal(0, spread, many), lat)
    for i in r.integers(0, many, 50).tolist():
        near.move(i, float(118 + r.normal(0, spread)), float(r.uniform(lat.min(), lat.max())))
    lon, lat_ = float(118 + r.normal(0, spread)), float(lat.mean())
    left = set(range(many))
    from router.assign.travel import crow_m

    for ring, beyond in near.rings(lon, lat_):
        assert left.issuperset(ring.tolist())
        assert (np.diff(ring) > 0).all()
        left -= set(ring.tolist())
        if left:
            rest = np.array(sorted(left))
            assert crow_m(near.lon[rest], near.lat[rest], lon, lat_).min() >= beyond - 1e-6
    assert not left
    assert math.isinf(beyond)
