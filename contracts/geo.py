"""Positions on the ground. WGS 84 degrees; distances in metres on the mean sphere."""

from __future__ import annotations

import itertools
import math

import msgspec

EARTH_RADIUS_M = 6_371_008.8  # IUGG mean radius R1


class Point(msgspec.Struct, frozen=True):
    """A position in WGS 84 degrees."""

    lon: float
    lat: float


def distance_m(a: Point, b: Point) -> float:
    """Great-circle distance in metres (haversine)."""
    phi_a, phi_b = math.radians(a.lat), math.radians(b.lat)
    d_phi, d_lam = phi_b - phi_a, math.radians(b.lon - a.lon)
    h = math.sin(d_phi / 2) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(d_lam / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))


def along(path: tuple[Point, ...], metres: float) -> Point:
    """The point `metres` along `path` from its first point; clamped to the path's ends."""
    if not path:
        raise ValueError("a path needs at least one point")
    left = metres
    for a, b in itertools.pairwise(path):
        length = distance_m(a, b)
        if 0 <= left <= length and length > 0:
            f = left / length
            return Point(a.lon + (b.lon - a.lon) * f, a.lat + (b.lat - a.lat) * f)
        if left < 0:
            return a
        left -= length
    return path[-1]


def length_m(path: tuple[Point, ...]) -> float:
    """Length of `path` in metres."""
    return sum(distance_m(a, b) for a, b in itertools.pairwise(path))


# --- Chinese datums -------------------------------------------------------------------------
# GCJ-02 is WGS 84 with a published-by-practice offset; BD-09 adds a rotation on top of it. The
# series and its constants are the ones every open converter uses (Krasovsky 1940 ellipsoid).

_A, _EE = 6_378_245.0, 0.00669342162296594323
_X_PI = math.pi * 3000.0 / 180.0


def _offset(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 105.0, lat - 35.0
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    wave = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    d_lat += wave
    d_lon += wave
    d_lat += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    d_lat += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    d_lon += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    d_lon += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    rad = math.radians(lat)
    magic = 1 - _EE * math.sin(rad) ** 2
    d_lat = d_lat * 180 / ((_A * (1 - _EE)) / (magic * math.sqrt(magic)) * math.pi)
    d_lon = d_lon * 180 / (_A / math.sqrt(magic) * math.cos(rad) * math.pi)
    return d_lon, d_lat


def _in_china(lon: float, lat: float) -> bool:
    return 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271


def wgs84_to_gcj02(p: Point) -> Point:
    """GCJ-02 of a WGS 84 position; unchanged outside China."""
    if not _in_china(p.lon, p.lat):
        return p
    d_lon, d_lat = _offset(p.lon, p.lat)
    return Point(p.lon + d_lon, p.lat + d_lat)


def gcj02_to_wgs84(p: Point) -> Point:
    """WGS 84 of a GCJ-02 position, to better than a centimetre (fixed-point iteration)."""
    if not _in_china(p.lon, p.lat):
        return p
    guess = p
    for _ in range(6):
        seen = wgs84_to_gcj02(guess)
        guess = Point(guess.lon + p.lon - seen.lon, guess.lat + p.lat - seen.lat)
    return guess


def bd09_to_wgs84(p: Point) -> Point:
    """WGS 84 of a BD-09 (Baidu) position."""
    x, y = p.lon - 0.0065, p.lat - 0.006
    z = math.hypot(x, y) - 0.00002 * math.sin(y * _X_PI)
    theta = math.atan2(y, x) - 0.000003 * math.cos(x * _X_PI)
    return gcj02_to_wgs84(Point(z * math.cos(theta), z * math.sin(theta)))


def to_wgs84(lon: float, lat: float, crs: str = "wgs84") -> Point:
    """The WGS 84 position of lon/lat given in `crs` (wgs84, gcj02 or bd09).

    Raises ValueError on another `crs` and on degrees out of range.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(f"lon {lon}, lat {lat} is not a position in degrees")
    match crs:
        case "wgs84":
            return Point(lon, lat)
        case "gcj02":
            return gcj02_to_wgs84(Point(lon, lat))
        case "bd09":
            return bd09_to_wgs84(Point(lon, lat))
    raise ValueError(f"crs {crs!r} is unknown; allowed: wgs84, gcj02, bd09")
