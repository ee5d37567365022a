"""`/api/v1/map…`: what the map module of all pages asks beside grids and assets."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import numpy as np
from aiohttp import web
from numpy.typing import NDArray

from center.context import Context
from center.guard import Caller
from center.mapdata import KEPT, Box, lattice, packed, packed_json, read_box
from center.problems import json_response
from center.route import Route
from contracts.city import City
from contracts.kinds import APP_TYPES

STATES_S = 30.0
"""Whether devices are heard is at most this old on a map, seconds."""
HEARD, SILENT, UNKNOWN = 1, 2, 0
MARGIN = 0.03
"""A city without grids: this share of its devices' extent is left free around them."""


def map_routes(city: City) -> tuple[Route, ...]:
    """The map's part of the API."""
    devices = Devices(city)
    names = {grid.id: grid.name for grid in city.grids}
    extent = bounds(city)

    async def about(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
        """How large the city is, and whose picture lies under it."""
        settings = context.settings
        tiles = {
            "url": settings.tiles_url,
            "attribution": settings.tiles_attribution,
            "max_zoom": settings.tiles_max_zoom,
        }
        return json_response(
            {
                "bounds": extent,
                "grids": len(city.grids),
                "devices": len(city.devices),
                "tiles": tiles if settings.tiles_url else None,
            }
        )

    async def named(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
        """Names of grids by id; ids that are none are left out."""
        ids = request.query.get("ids", "").split(",")
        return json_response({id_: names[id_] for id_ in ids if id_ in names})

    return (
        Route(
            method="GET", path="/api/v1/map", name="map",
            summary="Extent of the city, and the tiles below its map where some are configured.",
            handler=about, answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/map/devices", name="map-devices",
            summary="Devices as columns `ids types type lon lat state` (0 never heard, 1 online,"
            " 2 silent): all, or those in a box.",
            handler=devices, access="read", query=("bbox",), answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/map/names", name="map-names",
            summary="Names of grids by their ids.", handler=named, query=("ids",),
            answers={200: dict},
        ),
    )  # fmt: skip


def bounds(city: City) -> list[float] | None:
    """west, south, east, north of the grids, else of the devices (degrees); None without either."""
    points = [point for grid in city.grids if grid.parent is None
              for polygon in grid.rings for point in polygon[0]]  # fmt: skip
    if not points:
        points = [p for grid in city.grids for polygon in grid.rings for p in polygon[0]]
    room = 0.0 if points else MARGIN
    if not points:
        points = [(d.point.lon, d.point.lat) for d in city.devices.values()]
    if not points:
        return None
    at = np.array(points, dtype=float)
    (west, south), (east, north) = at.min(axis=0).tolist(), at.max(axis=0).tolist()
    wide, high = room * (east - west) + room * 0.01, room * (north - south) + room * 0.01
    return [west - wide, south - high, east + wide, north + high]


class Devices:
    """All devices as columns. Twenty thousand take some tens of milliseconds to write, so an answer
    is kept as long as what was heard is."""

    def __init__(self, city: City) -> None:
        # An app is nowhere: its reports say where they are.
        devices = [d for _, d in sorted(city.devices.items()) if d.type not in APP_TYPES]
        self._ids: NDArray[np.object_] = np.array([d.id for d in devices], dtype=object)
        types = sorted({d.type for d in devices})
        number = {name: i for i, name in enumerate(types)}
        self._types = types
        self._type = np.array([number[d.type] for d in devices], dtype=int)
        self._at = np.array([(d.point.lon, d.point.lat) for d in devices], float).reshape(-1, 2)
        self._heard: dict[str, dict[str, Any]] = {}
        self._kept: dict[Box | None, tuple[str, bytes]] = {}

    async def __call__(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """Those in the box, widened to the lattice. Raises Problem 400 on a bad box."""
        box = None
        if "bbox" in request.query:
            asked = read_box(request.query["bbox"])
            box, _ = lattice(asked, fitting(asked[2] - asked[0]))
        heard = await context.roster.heard("devices", STATES_S)
        if not context.scope.everything:  # a part of the city is looked at by few: nothing is kept
            mine = context.roster.known("devices")
            shown = np.array([i for i in self._inside(box) if self._ids[i] in mine], dtype=np.intp)
            part = self._columns(shown, heard)
            return packed_json(request, *await asyncio.to_thread(packed, msgspec.json.encode(part)))
        if heard is not self._heard or len(self._kept) > KEPT:
            self._heard, self._kept = heard, {}
        if box not in self._kept:
            self._kept[box] = await asyncio.to_thread(
                lambda: packed(msgspec.json.encode(self._columns(self._inside(box), heard)))
            )
        return packed_json(request, *self._kept[box])

    def _inside(self, box: Box | None) -> NDArray[np.intp]:
        if box is None:
            return np.arange(len(self._ids))
        west, south, east, north = box
        lon, lat = self._at[:, 0], self._at[:, 1]
        return np.flatnonzero((west <= lon) & (lon <= east) & (south <= lat) & (lat <= north))

    def _columns(
        self, kept: NDArray[np.intp], heard: dict[str, dict[str, Any]]
    ) -> dict[str, object]:
        ids = self._ids[kept].tolist()
        at = np.round(self._at[kept], 6)
        return {
            "ids": ids,
            "types": self._types,
            "type": self._type[kept].tolist(),
            "lon": at[:, 0].tolist(),
            "lat": at[:, 1].tolist(),
            "state": [_state(heard.get(id_)) for id_ in ids],
        }


def fitting(width: float) -> float:
    """The zoom at which a box of this width (degrees) fills about a thousand pixels."""
    return float(np.clip(np.log2(1000 * 360 / (256 * max(width, 1e-6))), 0, 24))


def _state(heard: dict[str, Any] | None) -> int:
    online = None if heard is None else heard.get("online")
    return UNKNOWN if online is None else (HEARD if online else SILENT)
