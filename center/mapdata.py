"""What a map shows, asked for by viewport: grids, assets and devices of a city of any size.

A province's capital has 105,000 grids (24 MB of GeoJSON); a screen shows a few thousand. What is
too small to be seen at the asked zoom is left out, outlines are simplified to a pixel, what reaches
beyond the asked box is cut at it. Boxes are widened to a lattice, so that people who look at the
same part get the same, kept answer.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import shapely
from aiohttp import web
from numpy.typing import NDArray

from center.context import Context
from center.guard import Caller
from center.problems import Problem
from contracts.city import City

Box = tuple[float, float, float, float]
"""west, south, east, north in degrees."""

TILE_PX = 256
"""Pixels of the whole world at zoom 0 (web maps' convention)."""
LATTICE_PX = 256
"""Asked boxes are widened to multiples of this."""
SEEN_PX = 12.0
"""An area smaller than this both ways is not seen as one."""
SEEN_LINE_PX = 2.0
"""Nor a line shorter than this."""
MOST = 6_000
"""Features in one answer. What is more: the deepest level of the tree is left out whole (a patchy
one would look like a city with holes), of lines the shortest."""
WHOLE = 2_000
"""A city with no more than this of something: nothing is left out for its size."""
POINTS_FROM = 15.0
"""From this zoom on poles and manholes are shown (4 m a pixel in middle latitudes)."""
KEPT = 256
"""Answers kept in memory."""

Feature = tuple[Any, dict[str, Any]]
"""A shapely geometry and its properties."""


class Layer:
    """Features found by box. Built when first asked for; used from worker threads, read-only."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._shapes: NDArray[np.object_] = np.array([shape for shape, _ in features], dtype=object)
        self._properties = [msgspec.Raw(msgspec.json.encode(about)) for _, about in features]
        self._bounds = shapely.bounds(self._shapes) if len(features) else np.zeros((0, 4))
        self._size = np.maximum(
            self._bounds[:, 2] - self._bounds[:, 0], self._bounds[:, 3] - self._bounds[:, 1]
        )
        self._dot = shapely.get_dimensions(self._shapes) == 0
        self._area = shapely.get_dimensions(self._shapes) == 2
        self._depth = np.array([about.get("depth", 0) for _, about in features], dtype=int)
        self._tree = shapely.STRtree(self._shapes)

    def collection(self, box: Box, zoom: float) -> bytes:
        """GeoJSON of what is seen in `box` at `zoom`, in the order the features were given.

        `left_out` counts what lies there and is too small at this zoom.
        """
        found = np.sort(self._tree.query(shapely.box(*box)))
        degree_px = TILE_PX * 2**zoom / 360
        there = len(found)
        if len(self._shapes) > WHOLE:
            least = np.where(self._area[found], SEEN_PX, SEEN_LINE_PX) / degree_px
            big = self._size[found] >= least
            found = found[big | (self._dot[found] if zoom >= POINTS_FROM else False)]
        elif zoom < POINTS_FROM:
            found = found[~self._dot[found]]
        depths = self._depth[found]
        while len(found) > MOST and depths.max() > depths.min():
            shallower = depths < depths.max()
            found, depths = found[shallower], depths[shallower]
        if len(found) > MOST:
            largest = np.argpartition(self._size[found], len(found) - MOST)[-MOST:]
            found = np.sort(found[largest])
        shapes = self._cut(found, box)
        digits = max(4, min(7, math.ceil(math.log10(degree_px)) + 1))
        simple = shapely.simplify(shapes, 0.7 / degree_px, preserve_topology=False)
        gone = shapely.is_empty(simple)
        simple[gone] = shapes[gone]
        written = shapely.to_geojson(shapely.transform(simple, lambda at: np.round(at, digits)))
        features = [
            {"type": "Feature", "geometry": msgspec.Raw(text.encode()), "properties": about}
            for text, about in zip(
                written.tolist(), (self._properties[i] for i in found.tolist()), strict=True
            )
        ]
        return msgspec.json.encode(
            {
                "type": "FeatureCollection",
                "bbox": box,
                "left_out": there - len(features),
                "features": features,
            }
        )

    def _cut(self, found: NDArray[np.intp], box: Box) -> NDArray[np.object_]:
        """Their shapes, without what lies far outside the box (a district at street level)."""
        shapes: NDArray[np.object_] = self._shapes[found]
        width, height = box[2] - box[0], box[3] - box[1]
        room = np.array([box[0] - width, box[1] - height, box[2] + width, box[3] + height])
        at = self._bounds[found]
        wide = (at[:, :2] < room[:2]).any(axis=1) | (at[:, 2:] > room[2:]).any(axis=1)
        for i in np.flatnonzero(wide):
            try:
                cut = shapely.clip_by_rect(shapes[i], *room)
            except shapely.errors.GEOSException:
                continue  # an outline that crosses itself is shown as it was drawn
            if not cut.is_empty:
                shapes[i] = cut
        return shapes


def grid_features(city: City) -> list[Feature]:
    """The grid polygons, larger levels first: `id parent level name depth`."""
    parents = {grid.id: grid.parent for grid in city.grids}

    def depth(id_: str) -> int:
        steps, parent = 0, parents.get(id_)
        while parent is not None and steps < len(parents):
            steps, parent = steps + 1, parents.get(parent)
        return steps

    shapes = _multipolygons([grid.rings for grid in city.grids])
    features = [
        (
            shape,
            {
                "id": grid.id,
                "parent": grid.parent,
                "level": grid.level,
                "name": grid.name,
                "depth": depth(grid.id),
            },
        )
        for shape, grid in zip(shapes, city.grids, strict=True)
    ]
    return sorted(features, key=lambda feature: int(feature[1]["depth"]))


def asset_features(collection: dict[str, Any]) -> list[Feature]:
    """Drains, lines and fibres from their GeoJSON (`geodata.assets`)."""
    features = []
    for feature in collection["features"]:
        kind, at = feature["geometry"]["type"], feature["geometry"]["coordinates"]
        shape = shapely.Point(at) if kind == "Point" else shapely.LineString(_two(at))
        features.append((shape, feature["properties"]))
    return features


def _two(points: list[list[float]]) -> list[list[float]]:
    return points if len(points) > 1 else points * 2


def _multipolygons(many: Sequence[Any]) -> list[Any]:
    """Shapely's MultiPolygons of all grids at once; a hundred thousand take about a second."""
    points: list[tuple[float, float]] = []
    ring_ends, polygon_ends, shape_ends = [0], [0], [0]
    for rings in many:
        for polygon in rings:
            for ring in polygon:
                points += ring
                if ring[0] != ring[-1]:
                    points.append(ring[0])
                ring_ends.append(len(points))
            polygon_ends.append(len(ring_ends) - 1)
        shape_ends.append(len(polygon_ends) - 1)
    made = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON,
        np.array(points, dtype=float).reshape(-1, 2),
        (np.array(ring_ends), np.array(polygon_ends), np.array(shape_ends)),
    )
    return list(made)


class Places:
    """`/api/v1/grids` and `/api/v1/assets`: all of it, or what a viewport shows."""

    def __init__(self, whole: Callable[[], dict[str, Any]], layer: Callable[[], Layer]) -> None:
        """Nothing is made before somebody asks."""
        self._make_whole, self._make_layer = whole, layer
        self._whole: tuple[str, bytes] | None = None
        self._layer: Layer | None = None
        self._lock = asyncio.Lock()
        self._kept: OrderedDict[tuple[Box, float], tuple[str, bytes]] = OrderedDict()

    async def __call__(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """GeoJSON, packed; 304 when the asker has it.

        `bbox` and `zoom` come together. Raises Problem 400 on others.
        """
        given = request.query
        if "bbox" in given or "zoom" in given:
            asked = lattice(read_box(given.get("bbox", "")), read_zoom(given.get("zoom", "")))
            tag, body = await self._seen(*asked)
        else:
            async with self._lock:
                if self._whole is None:
                    self._whole = await asyncio.to_thread(lambda: packed(_json(self._make_whole)))
            tag, body = self._whole
        return packed_json(request, tag, body)

    async def warm(self, context: Context) -> None:
        """Make what is searched before the first asks; a hundred thousand grids take a second or
        two."""
        await self._made()

    async def _made(self) -> Layer:
        async with self._lock:
            if self._layer is None:
                self._layer = await asyncio.to_thread(self._make_layer)
            return self._layer

    async def _seen(self, box: Box, zoom: float) -> tuple[str, bytes]:
        layer, key = await self._made(), (box, zoom)
        kept = self._kept.pop(key, None)
        if kept is None:
            kept = await asyncio.to_thread(lambda: packed(layer.collection(box, zoom)))
        self._kept[key] = kept
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return kept


def read_box(text: str) -> Box:
    """`west,south,east,north` in degrees. Raises Problem 400 naming what is wrong."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise Problem(
            400, "bad_value", f"{text[:60]!r}; allowed: west,south,east,north in degrees",
            path="bbox",
        )  # fmt: skip
    west, south, east, north = numbers
    if not (-540 <= west < east <= 540 and -90 <= south < north <= 90):
        raise Problem(
            400, "bad_value", f"{text[:60]!r}: west < east, south < north, within the world",
            path="bbox",
        )  # fmt: skip
    return west, south, east, north


def read_zoom(text: str) -> float:
    """A web map's zoom, 0 (the world on 256 pixels) to 24. Raises Problem 400."""
    try:
        zoom = float(text)
    except ValueError:
        zoom = math.nan
    if not 0 <= zoom <= 24:
        raise Problem(400, "bad_value", f"{text[:40]!r}; allowed: 0 to 24", path="zoom")
    return zoom


def lattice(box: Box, zoom: float) -> tuple[Box, float]:
    """The box widened to the lattice, and the zoom rounded up to halves: equal for all who look
    at about the same."""
    zoom = min(24.0, math.ceil(zoom * 2) / 2)
    step = 360 * LATTICE_PX / (TILE_PX * 2**zoom)

    def down(value: float) -> float:
        return round(math.floor(value / step) * step, 9)

    def up(value: float) -> float:
        return round(math.ceil(value / step) * step, 9)

    return (down(box[0]), max(-90.0, down(box[1])), up(box[2]), min(90.0, up(box[3]))), zoom


def packed_json(request: web.Request, tag: str, body: bytes) -> web.Response:
    """JSON that was gzipped already, or 304."""
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if any(given.value == tag for given in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return web.Response(
        body=body, content_type="application/json", charset="utf-8", headers=headers
    )


def _json(make: Callable[[], dict[str, Any]]) -> bytes:
    return msgspec.json.encode(make())


def packed(body: bytes) -> tuple[str, bytes]:
    """Its ETag, and the body gzipped."""
    # Level 1: half the time of the usual one, a tenth more bytes.
    return hashlib.sha256(body).hexdigest()[:24], gzip.compress(body, 1, mtime=0)
