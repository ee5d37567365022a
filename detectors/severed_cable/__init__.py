"""Severed cable: which span of a line lost what it carried."""

from detectors.severed_cable.spec import SPEC

__all__ = ["SPEC"]
