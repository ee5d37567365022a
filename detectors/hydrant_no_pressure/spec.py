"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Spec
from contracts.nouns import Reading
from detectors.hydrant_no_pressure.config import HydrantConfig
from detectors.hydrant_no_pressure.detect import KIND, Hydrants
from detectors.hydrant_no_pressure.sites import sites

SPEC = Spec(
    kind=KIND,
    consumes=(Reading,),
    metrics=frozenset({"pressure", "battery", "temperature"}),
    config=HydrantConfig,
    sites=sites,
    build=Hydrants,
)
