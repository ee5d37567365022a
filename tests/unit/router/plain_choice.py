"""Who goes, worked out the long way: one loop over everybody, as the words of the settings say."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.city import City, Worker
from contracts.event import Place
from contracts.geo import Point, distance_m
from contracts.governance import Roads, Role, governance
from contracts.nouns import Position
from router.calendar import Shift
from router.settings import RouterSettings

Way = Callable[[Point, float], float]
"""(from, crow-fly metres) → metres of the way, infinite where there is none."""


class Plain(NamedTuple):
    """One who may go."""

    cost: float
    worker: str
    leads: bool


def plain(
    city: City,
    place: Place,
    now: datetime,
    settings: RouterSettings,
    *,
    positions: Iterable[Position] = (),
    load: dict[str, int] | None = None,
    offers: dict[str, int] | None = None,
    skills: tuple[str, ...] = (),
    severity: int = 3,
    way: Way | None = None,
) -> list[Plain]:
    """Everybody on shift with room for one more, the best first."""
    s, load, offers = settings, load or {}, offers or {}
    seen = {p.worker: p for p in positions}
    roles = governance(city).roles
    parents = {g.id: g.parent for g in city.grids}
    levels = {g.id: g.level for g in city.grids}

    def lineage(grid: str | None) -> list[str]:
        chain: list[str] = []
        while grid is not None and grid in levels and grid not in chain:
            chain.append(grid)
            grid = parents[grid]
        return chain

    def community(grid: str | None) -> str | None:
        return next((g for g in lineage(grid) if levels[g] == s.coverage_level), None)

    local = now.astimezone(ZoneInfo(city.timezone))
    minute = local.hour * 60 + local.minute

    def duty(w: Worker) -> str:
        if w.role in roles:
            return roles[w.role].duty
        if w.role in city.profile.escalate_to:
            return "lead"
        if w.role in s.office_roles:
            return "liaise"
        return "help" if w.role in s.helper_roles else "dispose"

    def able(w: Worker) -> bool:
        most = roles.get(w.role, Role(id="")).most_open
        room = most is None or load.get(w.id, 0) < most
        room = room and offers.get(w.id, 0) < s.most_offers
        return room and duty(w) in ("dispose", "help") and Shift(w.shift).on(minute)

    workers = [city.workers[i] for i in sorted(city.workers)]
    free: dict[str | None, int] = {}
    for w in workers:
        if able(w) and duty(w) == "dispose" and not load.get(w.id, 0):
            free[community(w.grid)] = free.get(community(w.grid), 0) + 1
    found: list[Plain] = []
    here = lineage(place.grid)
    for w in workers:
        if not able(w):
            continue
        speed = roles.get(w.role, Role(id="")).speed_mps or s.walking_mps
        position = seen.get(w.id)
        at, radius = w.point, s.roam_m
        if position is not None:
            age = max(0.0, (now - min(position.at, position.received_at)).total_seconds())
            if age <= s.stale_position_s:
                at = position.point
                radius = min(s.roam_m, speed * age) + (position.accuracy_m or 0.0)
        crow = distance_m(at, Point(place.lon, place.lat))
        metres = crow * s.detour if way is None else way(at, crow)
        lost = math.isinf(metres)
        metres = crow * s.detour if lost else metres
        cost = math.sqrt(metres**2 + (radius * s.detour) ** 2 / 2) / speed
        cost += s.no_way_cost_s if lost else 0.0
        cost += load.get(w.id, 0) * s.load_cost_s + offers.get(w.id, 0) * s.offer_cost_s
        cost += 0.0 if w.grid in here else s.outside_cost_s
        cost += 0.0 if set(skills) <= set(w.skills) else s.unskilled_cost_s
        leads = duty(w) == "dispose"
        home = community(w.grid)
        if (
            leads
            and not load.get(w.id, 0)
            and home is not None
            and home != community(place.grid)
            and free[home] <= 1
        ):
            cost += s.coverage_cost_s * (5 - severity) / 4
        found.append(Plain(round(cost, 6), w.id, leads))
    return sorted(found)


def by_road(roads: Roads, place: Place, settings: RouterSettings) -> Way | None:
    """Metres by road to the place: Dijkstra over plain lists from every node's edges backwards.
    None where it is off the map."""
    detour = settings.detour
    n = len(roads.lon)
    into: list[list[tuple[int, float]]] = [[] for _ in range(n)]
    points = [
        Point(float(a), float(b)) for a, b in zip(roads.lon, roads.lat, strict=True)
    ]  # fmt: skip
    for a, b, metres, factor in zip(
        roads.from_.tolist(), roads.to.tolist(), roads.metres.tolist(), roads.factor.tolist(),
        strict=True,
    ):  # fmt: skip
        into[b].append((a, max(metres, distance_m(points[a], points[b])) / factor))

    def nearest(point: Point) -> int:
        return min(range(n), key=lambda i: distance_m(points[i], point))

    target = Point(place.lon, place.lat)
    start = nearest(target)
    if distance_m(points[start], target) > settings.off_road_m:
        return None
    metres = [math.inf] * n
    metres[start] = 0.0
    heap = [(0.0, start)]
    while heap:
        so_far, at = heapq.heappop(heap)
        if so_far > metres[at]:
            continue
        for before, more in into[at]:
            if so_far + more < metres[before]:
                metres[before] = so_far + more
                heapq.heappush(heap, (metres[before], before))

    def way(point: Point, crow: float) -> float:
        node = nearest(point)
        legs = distance_m(points[node], point) + distance_m(points[start], target)
        return float(max(crow, metres[node] + legs * detour))

    return way
