"""High-altitude throws: things that fall before a facade, seen by a fixed camera."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.city import City
from contracts.detector import Site, Spec
from contracts.nouns import Frame
from detectors._common.cameras import camera_sites
from detectors.high_altitude_throw.detector import KIND, ThrowDetector
from detectors.high_altitude_throw.settings import Settings

__all__ = ["SPEC", "Settings", "ThrowDetector", "sites"]


def sites(city: City, cfg: Settings) -> Iterable[Site]:
    """Every camera."""
    return camera_sites(city)


def _build(cfg: Settings, site: Site, snapshot: bytes | None) -> ThrowDetector:
    return ThrowDetector(cfg, site, snapshot)


SPEC = Spec(kind=KIND, consumes=(Frame,), config=Settings, sites=sites, build=_build)
