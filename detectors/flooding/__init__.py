"""Flooding: water over a road or in a manhole that reaches its line, or soon will."""

from detectors.flooding.spec import SPEC

__all__ = ["SPEC"]
