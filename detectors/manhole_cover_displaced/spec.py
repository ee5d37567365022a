"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Spec
from contracts.nouns import Reading
from detectors.manhole_cover_displaced.config import CoverConfig
from detectors.manhole_cover_displaced.detect import KIND, Cover
from detectors.manhole_cover_displaced.sites import sites

SPEC = Spec(
    kind=KIND,
    consumes=(Reading,),
    metrics=frozenset({"tilt", "vibration", "level", "depth"}),
    config=CoverConfig,
    sites=sites,
    build=Cover,
)
