"""The city as the page needs it: grids and networks as GeoJSON, names and limits."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.mapdata import Layer, Places, asset_features, grid_features
from contracts.city import City, Node
from contracts.geo import Point
from contracts.kinds import KINDS, NAMES, STAGES


def grids(city: City) -> dict[str, Any]:
    """The grid polygons, largest levels first as the city lists them; `id parent level name`."""
    return _collection(
        _feature(
            {"type": "MultiPolygon", "coordinates": grid.rings},
            {"id": grid.id, "parent": grid.parent, "level": grid.level, "name": grid.name},
        )
        for grid in city.grids
    )


def assets(city: City) -> dict[str, Any]:
    """Pipes, drain nodes, spans, poles and fibres; `what` says which, `id` as in events."""
    features = []
    if city.drains is not None:
        features += [
            _feature(_line(pipe.path), {"what": "pipe", "id": pipe.id})
            for pipe in city.drains.pipes.values()
        ]
        features += [_feature(_point(n.point), _node(n)) for n in city.drains.nodes.values()]
    for line in city.lines:
        features += [
            _feature(
                _line(span.path),
                {"what": "span", "id": span.id, "owner": span.owner, "line": line.id},
            )
            for span in line.spans.values()
        ]
        features += [
            _feature(_point(node.point), {"what": node.what, "id": node.id, "line": line.id})
            for node in line.nodes.values()
        ]
    features += [
        _feature(_line(f.path), {"what": "fibre", "id": f.id, "owner": f.owner, "device": f.device})
        for f in city.fibres.values()
    ]
    return _collection(features)


def about(city: City) -> dict[str, Any]:
    """Names of kinds (the city's own first), utilities and what they own, workers' roles, time
    zone."""
    kinds = {}
    for kind in KINDS:
        own = city.profile.kinds.get(kind)
        zh, en = NAMES[kind]
        kinds[kind] = {
            "zh": (own and own.name_zh) or zh,
            "en": (own and own.name_en) or en,
            "code": own and own.code,
        }
    return {
        "id": city.id,
        "timezone": city.timezone,
        "kinds": kinds,
        "stages": STAGES,
        "utilities": {u.id: {"name": u.name, "phone": u.phone} for u in city.utilities.values()},
        "owners": {
            owner: u.name for u in reversed(city.utilities.values()) for owner in (*u.owners, u.id)
        },
        "workers": {w.id: {"name": w.name, "role": w.role} for w in city.workers.values()},
    }


def grid_places(city: City) -> Places:
    """The grids as `/api/v1/grids` serves them."""
    return Places(lambda: grids(city), lambda: Layer(grid_features(city)))


def asset_places(city: City) -> Places:
    """Drains, lines and fibres as `/api/v1/assets` serves them."""
    return Places(lambda: assets(city), lambda: Layer(asset_features(assets(city))))


class About:
    """`about`, with the workers' names for those who see the case work only."""

    def __init__(self, city: City) -> None:
        told = about(city)
        self._whole, self._bare = Static(told), Static({**told, "workers": {}})

    async def __call__(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """Serve what they may know, or 304."""
        reads = caller.may("read") or await context.guard.reads_open()
        return await (self._whole if reads else self._bare)(context, caller, request)


class Static:
    """An answer that never changes while we run, encoded once, with an ETag."""

    def __init__(self, body: object) -> None:
        self._body = msgspec.json.encode(body)
        self._tag = hashlib.sha256(self._body).hexdigest()[:24]

    async def __call__(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """Serve it, or 304."""
        headers = {"ETag": f'"{self._tag}"', "Cache-Control": "no-cache"}
        if any(tag.value == self._tag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        response = web.Response(
            body=self._body, content_type="application/json", charset="utf-8", headers=headers
        )
        response.enable_compression()
        return response


def _node(node: Node) -> dict[str, Any]:
    return {
        "what": "drain",
        "id": node.id,
        "invert_m": node.invert_m,
        "rim_m": node.rim_m,
        "warn_m": node.warn_m,
        "close_m": node.close_m,
    }


def _collection(features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _point(point: Point) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [point.lon, point.lat]}


def _line(path: tuple[Point, ...]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [[p.lon, p.lat] for p in path]}
