"""`barriers.geojson`: rivers, railways, walls, and where they can be crossed."""

from __future__ import annotations

from pathlib import Path

import shapely

from contracts.geo import Point, distance_m
from contracts.governance import Barrier
from gridsentry.city.fields import build
from gridsentry.city.files import Feature, read_features
from gridsentry.city.grids import rings_of
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw_governance import BarrierProperties

NAME = "barriers.geojson"
NEAR_M = 50.0
"""A crossing further from its barrier than this is most likely misplaced."""


def read_barriers(folder: Path, crs: str, notes: Notes) -> tuple[Barrier, ...]:
    """The barriers in file order. A MultiPolygon becomes one barrier for each part, all with its
    crossings; a crossing that names no barrier belongs to every one within 50 m of it."""
    areas: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {}
    parts: dict[str, list[str]] = {}
    crossings: list[tuple[Feature, BarrierProperties]] = []
    for feature in read_features(folder / NAME, notes, crs):
        raw = build(BarrierProperties, feature.properties, f"{feature.where}, ", notes)
        if raw is None:
            continue
        if feature.shape == "Point":
            crossings.append((feature, raw))
            continue
        if raw.barrier is not None:
            notes.wrong(f"{feature.where}, barrier", "on a polygon", "only on a Point (a crossing)")
            continue
        if raw.id in parts:
            notes.wrong(f"{feature.where}, id", f"{raw.id} again", "each id once")
            continue
        polygons = rings_of(feature, notes)
        if polygons is None:
            continue
        several = len(polygons) > 1
        parts[raw.id] = [f"{raw.id}.{n}" if several else raw.id for n in range(len(polygons))]
        areas.update(zip(parts[raw.id], polygons, strict=True))
    found: dict[str, list[Point]] = {name: [] for name in areas}
    for feature, raw in crossings:
        for name in _whose(feature, raw, areas, parts, notes):
            found[name].append(feature.coordinates)
    for name, points in parts.items():
        if not any(found[part] for part in points):
            notes.warn(NAME, f"{name} has no crossing: nobody gets to the other side")
    return tuple(
        Barrier(id=name, rings=rings, crossings=tuple(found[name])) for name, rings in areas.items()
    )


def _whose(
    feature: Feature,
    raw: BarrierProperties,
    areas: dict[str, tuple[tuple[tuple[float, float], ...], ...]],
    parts: dict[str, list[str]],
    notes: Notes,
) -> list[str]:
    if raw.barrier is not None and raw.barrier not in parts:
        where = f"{feature.where}, barrier"
        notes.wrong(where, f"there is no barrier {raw.barrier}", choices(parts, raw.barrier))
        return []
    at: Point = feature.coordinates
    near = [name for name, rings in areas.items() if _from(at, rings) <= NEAR_M]
    if raw.barrier is None:
        if not near:
            notes.wrong(
                f"{feature.where}, geometry",
                f"no barrier within {NEAR_M:.0f} m",
                "a Point at its barrier, or its name in `barrier`",
            )
        return near
    if not set(near) & set(parts[raw.barrier]):
        notes.warn(feature.where, f"lies further than {NEAR_M:.0f} m from {raw.barrier}")
    return parts[raw.barrier]


def _from(point: Point, rings: tuple[tuple[tuple[float, float], ...], ...]) -> float:
    """Metres from the area; 0 inside."""
    area = shapely.Polygon(rings[0], rings[1:])
    where = shapely.Point(point.lon, point.lat)
    if area.covers(where):
        return 0.0
    nearest = area.exterior.interpolate(area.exterior.project(where))
    return distance_m(point, Point(nearest.x, nearest.y))
