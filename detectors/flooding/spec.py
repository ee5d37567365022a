"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Spec
from contracts.nouns import Reading
from detectors.flooding.config import FloodingConfig
from detectors.flooding.detect import KIND, Flooding
from detectors.flooding.lines import sites

SPEC = Spec(
    kind=KIND,
    consumes=(Reading,),
    metrics=frozenset({"level", "depth", "rain_rate", "flow"}),
    config=FloodingConfig,
    sites=sites,
    build=Flooding,
)
