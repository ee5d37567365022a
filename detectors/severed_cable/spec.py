"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Spec
from contracts.nouns import Reading, Record, Status
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.detect import KIND, SeveredCable
from detectors.severed_cable.tree import sites

SPEC = Spec(
    kind=KIND,
    consumes=(Reading, Status, Record),
    metrics=frozenset(
        {
            "voltage_a",
            "voltage_b",
            "voltage_c",
            "voltage_n",
            "current_a",
            "current_b",
            "current_c",
            "tension",
            "tilt",
            "vibration",
            "last_gasp",
        }
    ),
    config=SeveredCableConfig,
    sites=sites,
    build=SeveredCable,
)
