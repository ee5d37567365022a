"""Sensor faulty: a camera that no longer sees what it was set up to see."""

from detectors.sensor_faulty.spec import SPEC

__all__ = ["SPEC"]
