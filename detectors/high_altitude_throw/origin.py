"""Where a fall began, as a fact for the wire: the window, or the right to abstain."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from contracts.city import Zone
from detectors.high_altitude_throw.hypotheses import Hit
from detectors.high_altitude_throw.release import fit_release
from detectors.high_altitude_throw.wall import Wall
from detectors.high_altitude_throw.windows import windows

NAMED = 0.4
"""A window is named when it is at least so probable: below, nothing dominates."""

OTHERS = 3
"""So many runners-up are told."""


class Origin(msgspec.Struct, frozen=True):
    """Where a fall began, with its doubt."""

    place: tuple[float, float]
    """(u, v) of the release, m, mean."""
    sd: tuple[float, float]
    """Standard deviations of it."""
    speed: float
    """m/s at the last hit."""
    terminal: float
    """Terminal speed in air, m/s."""
    outward: float
    """Speed out of the wall at the release, m/s, most probable."""
    misfit: float
    """Reduced chi² of the flight."""
    height: float
    """v at the last hit, m, and its standard deviation."""
    height_sd: float
    zones: tuple[tuple[str, int | None, int | None, float], ...]
    """(zone, floor, bay, probability), most probable first."""

    @property
    def dominates(self) -> bool:
        """Whether one zone is probable enough to be named."""
        return bool(self.zones) and self.zones[0][3] >= NAMED


def origin_of(hits: Sequence[Hit], wall: Wall, height: int) -> Origin | None:
    """Where the fall of these hits (6 at least) began.

    None when they are not before the wall.
    """
    release = fit_release(hits, wall.facade, height)
    if release is None:
        return None
    across, up = release.place
    sd = np.sqrt(np.diag(release.cover))
    return Origin(
        place=(float(across), float(up)),
        sd=(float(sd[0]), float(sd[1])),
        speed=release.speed,
        terminal=release.terminal,
        outward=release.outward,
        misfit=release.misfit,
        height=release.height,
        height_sd=release.height_sd,
        zones=tuple(_named(zone, p) for zone, p in windows(release, wall.prior)),
    )


def _named(zone: Zone, p: float) -> tuple[str, int | None, int | None, float]:
    return zone.id, zone.floor, zone.bay, p


def origin_fact(origin: Origin) -> dict[str, object] | None:
    """The wire's `origin`, or None when no window can be named."""
    if not origin.dominates:
        return None
    (zone, floor, bay, p), *others = origin.zones
    return {
        "zone": zone,
        "floor": floor,
        "bay": bay,
        "p": round(p, 3),
        "others": [[other, round(chance, 3)] for other, _, _, chance in others[:OTHERS]],
    }
