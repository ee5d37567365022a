"""Sensor silent: a device that should have reported has not."""

from detectors.sensor_silent.spec import SPEC

__all__ = ["SPEC"]
