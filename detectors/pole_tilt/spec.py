"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Spec
from contracts.nouns import Reading
from detectors.pole_tilt.config import PoleConfig
from detectors.pole_tilt.detect import KIND, Poles
from detectors.pole_tilt.sites import sites

SPEC = Spec(
    kind=KIND,
    consumes=(Reading,),
    metrics=frozenset({"tilt", "tilt_x", "tilt_y", "vibration"}),
    config=PoleConfig,
    sites=sites,
    build=Poles,
)
