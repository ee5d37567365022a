"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Spec
from contracts.nouns import Reading
from detectors.street_light_out.config import LightConfig
from detectors.street_light_out.detect import KIND, Lights
from detectors.street_light_out.sites import LIGHT, VOLTS, sites

SPEC = Spec(
    kind=KIND,
    consumes=(Reading,),
    metrics=frozenset({*LIGHT, *VOLTS}),
    config=LightConfig,
    sites=sites,
    build=Lights,
)
