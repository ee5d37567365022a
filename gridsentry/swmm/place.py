"""Model coordinates onto the globe: about an origin, or out of a projected system by EPSG code.

Transverse Mercator is inverted by Krüger's series to the third power of n (L. Krüger 1912; good to
a millimetre within 4 degrees of the meridian).
"""

from __future__ import annotations

import math
import re

from contracts.errors import Wrong
from contracts.geo import EARTH_RADIUS_M, Point

SUPPORTED = (
    "EPSG:4326 or 4490 (degrees), 3857 (web), 32601-32660 and 32701-32760 (UTM), "
    "4491-4554 (CGCS2000 Gauss-Kruger)"
)
_A, _F = 6_378_137.0, 1 / 298.257223563
"""WGS 84; CGCS2000's ellipsoid differs by 0.1 mm."""


class Projection:
    """x, y in the units of a file → WGS 84."""

    def to_point(self, x: float, y: float) -> Point:
        """The position; raises ValueError when it is none on the globe."""
        raise NotImplementedError


class About(Projection):
    """A flat drawing whose middle `(x0, y0)` lies at `origin`; `to_m` metres a unit."""

    def __init__(self, origin: Point, x0: float, y0: float, to_m: float) -> None:
        self._origin, self._x0, self._y0, self._to_m = origin, x0, y0, to_m

    def to_point(self, x: float, y: float) -> Point:
        """The position."""
        degree = math.radians(1) * EARTH_RADIUS_M
        east, north = (x - self._x0) * self._to_m, (y - self._y0) * self._to_m
        lat = self._origin.lat + north / degree
        lon = self._origin.lon + east / (degree * math.cos(math.radians(self._origin.lat)))
        return _checked(lon, lat)


class Degrees(Projection):
    """Already lon, lat."""

    def to_point(self, x: float, y: float) -> Point:
        """The position."""
        return _checked(x, y)


class WebMercator(Projection):
    """EPSG:3857, metres."""

    def to_point(self, x: float, y: float) -> Point:
        """The position."""
        lat = math.degrees(2 * math.atan(math.exp(y / _A)) - math.pi / 2)
        return _checked(math.degrees(x / _A), lat)


class TransverseMercator(Projection):
    """UTM and Gauss-Kruger; metres."""

    def __init__(self, meridian: float, scale: float, east: float, north: float = 0.0) -> None:
        self._meridian, self._east, self._north = meridian, east, north
        n = _F / (2 - _F)
        self._radius = scale * _A / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
        self._beta = (
            n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96,
            n**2 / 48 + n**3 / 15,
            17 * n**3 / 480,
        )
        self._delta = (2 * n - 2 * n**2 / 3 - 2 * n**3, 7 * n**2 / 3 - 8 * n**3 / 5, 56 * n**3 / 15)

    def to_point(self, x: float, y: float) -> Point:
        """The position."""
        xi0, eta0 = (y - self._north) / self._radius, (x - self._east) / self._radius
        if abs(eta0) > 0.2 or abs(xi0) > math.pi / 2:  # 11 degrees off: another zone's
            raise ValueError("too far from this zone's meridian")
        xi, eta = xi0, eta0
        for j, b in enumerate(self._beta, start=1):
            xi -= b * math.sin(2 * j * xi0) * math.cosh(2 * j * eta0)
            eta -= b * math.cos(2 * j * xi0) * math.sinh(2 * j * eta0)
        chi = math.asin(math.sin(xi) / math.cosh(eta))
        lat = chi + sum(d * math.sin(2 * j * chi) for j, d in enumerate(self._delta, start=1))
        lon = math.atan2(math.sinh(eta), math.cos(xi))
        return _checked(self._meridian + math.degrees(lon), math.degrees(lat))


def projection(crs: str) -> Projection:
    """Of an EPSG code. Raises Wrong on one that is not known here."""
    found = re.fullmatch(r"(?:EPSG:{1,2})?(\d{4,5})", crs.strip(), re.IGNORECASE)
    code = int(found[1]) if found else 0
    if code in (4326, 4490):
        return Degrees()
    if code == 3857:
        return WebMercator()
    zone = code % 100
    if code // 100 in (326, 327) and 1 <= zone <= 60:
        north = 10_000_000.0 if code // 100 == 327 else 0.0
        return TransverseMercator(6.0 * zone - 183, 0.9996, 500_000.0, north)
    # Six-degree zones 13-23 and three-degree zones 25-45, with and without the zone's number
    # before the easting.
    for first, last, number, width in ((4491, 4501, 13, 6), (4513, 4533, 25, 3)):
        if first <= code <= last:
            zone = number + code - first
            meridian = 6.0 * zone - 3 if width == 6 else 3.0 * zone
            return TransverseMercator(meridian, 1.0, zone * 1e6 + 500_000.0)
    for first, last, width in ((4502, 4512, 6), (4534, 4554, 3)):
        if first <= code <= last:
            return TransverseMercator(75.0 + width * (code - first), 1.0, 500_000.0)
    raise Wrong("--crs", crs, f"{SUPPORTED}; or --origin LON,LAT to put the drawing's middle there")


def _checked(lon: float, lat: float) -> Point:
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(f"lon {lon:.6g}, lat {lat:.6g} is not a position in degrees")
    return Point(lon, lat)
