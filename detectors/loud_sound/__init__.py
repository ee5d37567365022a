"""Loud sound: a bang that stands out from what is usually heard. Evidence, never an alarm."""

from detectors.loud_sound.spec import SPEC

__all__ = ["SPEC"]
