"""Settings of what counts as a fault; the defaults are the shipped ones."""

from __future__ import annotations

from detectors._common.faults import Limits

KIND = "sensor_faulty"


class SensorFaultyConfig(Limits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts as a fault of a camera or of a measuring device, and how long it must last."""

    severity: int = 2
    """Severity of a faulty camera (1 to 5)."""
    reading_severity: int = 1
    """Severity of a faulty measuring device (1 to 5): somebody has to go there, not today."""
