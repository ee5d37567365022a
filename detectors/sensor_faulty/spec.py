"""The kind's one export: cameras are judged by their pictures."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.city import City
from contracts.detector import Site, Spec
from contracts.nouns import Frame
from detectors._common.cameras import camera_sites
from detectors.sensor_faulty.camera import CameraFaults
from detectors.sensor_faulty.config import KIND, SensorFaultyConfig


def sites(city: City, _cfg: SensorFaultyConfig) -> Iterable[Site]:
    """Every camera."""
    return camera_sites(city)


SPEC = Spec(
    kind=KIND, consumes=(Frame,), config=SensorFaultyConfig, sites=sites, build=CameraFaults
)
