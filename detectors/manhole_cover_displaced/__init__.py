"""Manhole cover displaced: a cover that lies otherwise than it did, and stays so."""

from detectors.manhole_cover_displaced.spec import SPEC

__all__ = ["SPEC"]
