"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Spec
from contracts.nouns import Pulse, Reading, Record, Status, Trace
from detectors.sensor_silent.detect import KIND, SensorSilent, SensorSilentConfig, sites
from detectors.sensor_silent.many import ManyDistricts

SPEC = Spec(
    kind=KIND,
    consumes=(Reading, Status, Trace, Record, Pulse),
    config=SensorSilentConfig,
    sites=sites,
    build=SensorSilent,
    many=ManyDistricts,
)
