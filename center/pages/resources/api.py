"""`/api/v1/resources`: pumps, barriers and crews: where they stand, what is out, and with whom."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from center.reads import open_tickets
from contracts.city import Resource
from contracts.clock import monotonic
from contracts.geo import Point, distance_m

QUERY = ("near", "what")
FRESH_S = 2.0
"""The open tickets are read at most this often."""
NEAREST = 30
"""Open tickets that are offered for a resource."""
SORTS: Final[dict[str, tuple[str, str]]] = {
    "pump": ("水泵", "Pump"),
    "pump_truck": ("排水抢险车", "Pump truck"),
    "barrier": ("围挡、挡水板", "Barrier"),
    "crew": ("抢险队伍", "Crew"),
    "generator": ("发电机", "Generator"),
    "sandbag": ("沙袋", "Sandbags"),
    "boat": ("冲锋舟", "Boat"),
    "light": ("照明设备", "Lighting"),
    "sign": ("警示标志", "Warning signs"),
    "cone": ("锥桶", "Cones"),
    "extinguisher": ("灭火器", "Extinguisher"),
    "aed": ("自动体外除颤器", "Defibrillator"),
    "shelter": ("避难场所", "Shelter"),
    "vehicle": ("车辆", "Vehicle"),
    "cover": ("井盖", "Manhole covers"),
}
"""What usual sorts are called, (zh, en); others go by the city's own word."""


class Resources:
    """Both listings, over the same reading of the open tickets."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._at = float("-inf")
        self._open: list[dict[str, Any]] = []

    async def listing(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`GET /api/v1/resources`: every resource with what is out; the nearest first."""
        near, what = _near(request.query.get("near")), request.query.get("what")
        out: dict[str, list[dict[str, Any]]] = {}
        for ticket in await self._tickets(context):
            seen = context.scope.in_grids(ticket["grid"])
            for taken in ticket["taken"]:
                told = _taken(context, ticket, taken) if seen else {"count": taken["count"]}
                out.setdefault(str(taken["resource"]), []).append(told)
        items = [
            _shown(resource, out.get(resource.id, []), near)
            for resource in context.city.resources.values()
            if what in (None, resource.what)
        ]
        items.sort(key=lambda one: (one["distance_m"] or 0.0, one["what"], one["id"]))
        sorts = sorted({resource.what for resource in context.city.resources.values()})
        return json_response(
            {
                "items": items,
                "sorts": [
                    {"id": sort, "zh": SORTS.get(sort, (sort, sort))[0],
                     "en": SORTS.get(sort, (sort, sort))[1]}
                    for sort in sorts
                ],
            }
        )  # fmt: skip

    async def nearest(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`GET /api/v1/resources/{id}/tickets`: open tickets it could go to, the nearest first."""
        resource = context.city.resources.get(request.match_info["id"])
        if resource is None:
            raise Problem(404, "not_found", "there is no such resource / 没有该资源")
        found = [
            {
                **{key: ticket[key] for key in ("id", "rev", "kind", "stage", "severity", "grid")},
                "place": ticket["place"],
                "grid_name": context.grid_name(str(ticket["grid"])) or ticket["grid"],
                "distance_m": round(distance_m(resource.point, _at(ticket)), 1),
            }
            for ticket in await self._tickets(context)
            if ticket["parent"] is None and context.scope.in_grids(ticket["grid"])
        ]
        found.sort(key=lambda one: (one["distance_m"], one["id"]))
        return json_response({"items": found[:NEAREST]})

    async def _tickets(self, context: Context) -> list[dict[str, Any]]:
        async with self._lock:
            if monotonic() - self._at >= FRESH_S:
                self._open = [_kept(ticket) async for ticket in open_tickets(context.whole)]
                self._at = monotonic()
            return self._open


def _kept(ticket: dict[str, Any]) -> dict[str, Any]:
    """Of a ticket what is asked here."""
    names = ("id", "rev", "kind", "stage", "severity", "grid", "parent", "place")
    taken = ((ticket.get("reason") or {}).get("resources") or {}).get("taken") or []
    return {**{name: ticket.get(name) for name in names}, "taken": taken}


def _at(ticket: dict[str, Any]) -> Point:
    return Point(float(ticket["place"]["lon"]), float(ticket["place"]["lat"]))


def _taken(context: Context, ticket: dict[str, Any], taken: dict[str, Any]) -> dict[str, Any]:
    by = str(taken.get("by", ""))
    known = context.city.workers.get(by) or context.city.utilities.get(by)
    return {
        "ticket": ticket["id"],
        "rev": ticket["rev"],
        "kind": ticket["kind"],
        "count": taken["count"],
        "by": by if known is None else known.name,
        "at": taken.get("at"),
        "lon": ticket["place"]["lon"],
        "lat": ticket["place"]["lat"],
        "address": ticket["place"].get("address"),
        "grid_name": context.grid_name(str(ticket["grid"])) or ticket["grid"],
    }


def _shown(resource: Resource, out: list[dict[str, Any]], near: Point | None) -> dict[str, Any]:
    gone = sum(int(one["count"]) for one in out)
    left = max(0, resource.count - gone)
    return {
        "id": resource.id,
        "what": resource.what,
        "name": resource.name,
        "owner": resource.owner,
        "lon": resource.point.lon,
        "lat": resource.point.lat,
        "count": resource.count,
        "left": left,
        "state": "free" if gone == 0 else "some" if left else "out",
        "out": out,
        "distance_m": None if near is None else round(distance_m(near, resource.point), 1),
    }


def _near(text: str | None) -> Point | None:
    if text is None:
        return None
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        lon = lat = 999.0
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Problem(400, "bad_value", "lon,lat in degrees, such as 120.15,30.27", path="near")
    return Point(lon, lat)
