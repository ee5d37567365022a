"""Street light out, burning by day, or going out and on; a whole circuit that is dark."""

from detectors.street_light_out.spec import SPEC

__all__ = ["SPEC"]
