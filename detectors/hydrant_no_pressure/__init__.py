"""Hydrant without pressure: a fire hydrant, or a whole zone of them, that gives no water."""

from detectors.hydrant_no_pressure.spec import SPEC

__all__ = ["SPEC"]
