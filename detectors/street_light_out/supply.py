"""Whether a circuit has supply, as far as anybody measures it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from detectors.street_light_out.config import LightConfig

LOST, THERE, UNKNOWN = "lost", "there", "unknown"
FRESH_S = 7200.0
"""A voltage measured longer ago says nothing of now."""
LEAST_V = 20.0


class Phase(msgspec.Struct):
    """One voltage of one device."""

    value: float = 0.0
    usual: float = 0.0
    at: float = -math.inf

    def hear(self, t: float, v: float) -> None:
        """Take a reading; what is usual follows what is not lost."""
        self.value, self.at = v, t
        if self.usual == 0.0:
            self.usual = v if v > LEAST_V else 0.0
        elif v > 0.7 * self.usual:
            self.usual += 0.05 * (v - self.usual)


def lost(
    phases: Mapping[str, Mapping[str, Phase]], t: float, cfg: LightConfig
) -> tuple[str, tuple[str, ...]]:
    """(state of the supply, devices that lost a voltage)."""
    heard, gone = 0, []
    for name, some in phases.items():
        fresh = [p for p in some.values() if t - p.at <= FRESH_S and p.usual > 0.0]
        heard += bool(fresh)
        if any(p.value < cfg.volts_share * p.usual for p in fresh):
            gone.append(name)
    if not heard:
        return UNKNOWN, ()
    return (LOST, tuple(gone)) if gone else (THERE, ())
