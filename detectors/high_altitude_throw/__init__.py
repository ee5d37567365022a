"""High-altitude throws: things that fall before a facade, seen by a fixed camera."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.city import City
from contracts.detector import Site, Spec
from contracts.nouns import Frame
from detectors.high_altitude_throw.detector import KIND, ThrowDetector
from detectors.high_altitude_throw.settings import Settings

__all__ = ["SPEC", "Settings", "ThrowDetector", "sites"]


def sites(city: City, cfg: Settings) -> Iterable[Site]:
    """One site per camera, calibrated or not: devices whose type says so, or with a camera file."""
    for id, device in sorted(city.devices.items()):
        if "camera" in device.type.lower() or id in city.cameras:
            yield Site(
                id=id,
                district=device.district,
                point=device.point,
                devices=(device,),
                camera=city.cameras.get(id),
            )


def _build(cfg: Settings, site: Site, snapshot: bytes | None) -> ThrowDetector:
    return ThrowDetector(cfg, site, snapshot)


SPEC = Spec(kind=KIND, consumes=(Frame,), config=Settings, sites=sites, build=_build)
