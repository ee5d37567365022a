"""The town's own flat frame: metres east and north of a corner, on the sphere of contracts.geo."""

from __future__ import annotations

import math

from contracts.geo import EARTH_RADIUS_M, Point

ORIGIN = Point(118.1874, 26.1652)
"""South-west corner of the (invented) street, somewhere in the hills of Fujian."""

XY = tuple[float, float]
_M_PER_DEGREE = math.pi * EARTH_RADIUS_M / 180.0


def to_point(xy: XY) -> Point:
    """The WGS 84 position of metres (east, north), rounded to 0.1 m (six decimals)."""
    lat = ORIGIN.lat + xy[1] / _M_PER_DEGREE
    lon = ORIGIN.lon + xy[0] / (_M_PER_DEGREE * math.cos(math.radians(ORIGIN.lat)))
    return Point(round(lon, 6), round(lat, 6))


def to_xy(point: Point) -> XY:
    """Metres (east, north) of a WGS 84 position."""
    x = (point.lon - ORIGIN.lon) * _M_PER_DEGREE * math.cos(math.radians(ORIGIN.lat))
    return x, (point.lat - ORIGIN.lat) * _M_PER_DEGREE


def lerp(a: XY, b: XY, f: float) -> XY:
    """The point a share `f` of the way from `a` to `b`."""
    return a[0] + (b[0] - a[0]) * f, a[1] + (b[1] - a[1]) * f
