"""What both detectors of floods publish alike."""

from __future__ import annotations

from typing import Any, Final

from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Quality
from detectors._common.episode import Episode, revise
from detectors._common.moment import stamp

KIND: Final = "flooding"
FAULTY: Final = int(Quality.STUCK | Quality.OUT_OF_RANGE)
"""A reading that the screen found faulty is no evidence of water."""
UNITS: Final = {"value": "m", "rate": "m/s", "curve": "m", "lines": "m", "rain_rate": "mm/h"}


def revision(
    episode: Episode, site: Site, severity: int, evidence: dict[str, Any], ended: str | None
) -> Event:
    """The episode's next revision; with `ended`, why it is over, its last."""
    evidence["units"] = UNITS
    if ended:
        evidence["ended"] = ended
    return revise(
        episode,
        kind=KIND,
        site=site.id,
        device=site.devices[0].id,
        point=site.point,
        severity=severity,
        evidence=evidence,
        closed=ended is not None,
    )


def curve(points: list[tuple[float, float]]) -> list[list[Any]]:
    """(epoch seconds, metres) as the wire writes them."""
    return [[stamp(t), round(v, 4)] for t, v in points]
