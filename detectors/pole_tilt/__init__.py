"""Leaning pole: struck, pushed over by wind or water, or sinking for months."""

from detectors.pole_tilt.spec import SPEC

__all__ = ["SPEC"]
