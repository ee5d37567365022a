"""The way to a place, for the maps that people have on their telephones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.geo import Point, wgs84_to_gcj02


def way(place: Mapping[str, Any]) -> dict[str, float] | None:
    """The position in GCJ-02, which Chinese maps draw in (contracts.geo); WGS 84 stands beside."""
    lon, lat = place.get("lon"), place.get("lat")
    if not isinstance(lon, int | float) or not isinstance(lat, int | float):
        return None
    drawn = wgs84_to_gcj02(Point(float(lon), float(lat)))
    return {"gcj02_lon": round(drawn.lon, 6), "gcj02_lat": round(drawn.lat, 6)}
