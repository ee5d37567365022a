"""A blocked drain: water stands above a pipe where it should not, and runs low below it."""

from detectors.drain_blocked.spec import SPEC

__all__ = ["SPEC"]
