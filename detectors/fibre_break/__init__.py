"""Fibre break: a cable's light ends much nearer than it used to."""

from detectors.fibre_break.spec import SPEC

__all__ = ["SPEC"]
