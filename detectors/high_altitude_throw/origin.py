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
"""A window is named when it is at least so probable: it dominates."""

NEAR = 0.5
"""Or when it is likelier than not that the fall began on its floor or one beside it: whoever goes
there comes to the right stairs, and the window's own probability says what more is known."""

FLOORS = 0.9
"""The floors that are told hold at least so much together."""

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
        """Whether one zone is probable enough to be named by itself."""
        return bool(self.zones) and self.zones[0][3] >= NAMED

    @property
    def named(self) -> bool:
        """Whether the most probable zone is named: it dominates, or its floor is about right."""
        return self.dominates or self.near >= NEAR

    @property
    def near(self) -> float:
        """Probability of the most probable zone's floor and the two beside it."""
        floor = self.zones[0][1] if self.zones else None
        if floor is None:
            return 0.0
        return sum(
            p for _, other, _, p in self.zones if other is not None and abs(other - floor) < 2
        )

    @property
    def floors(self) -> tuple[int, int, float] | None:
        """(lowest, highest, probability) of the fewest neighbouring floors that hold FLOORS; of as
        many the most probable. None where too much is outside all floors."""
        chance: dict[int, float] = {}
        for _, floor, _, p in self.zones:
            if floor is not None:
                chance[floor] = chance.get(floor, 0.0) + p
        runs = [
            (high - low, -sum(p for floor, p in chance.items() if low <= floor <= high), low)
            for low in chance
            for high in chance
            if high >= low
        ]
        enough = [run for run in runs if -run[1] >= FLOORS]
        if not enough:
            return None
        more, held, low = min(enough)
        return low, low + more, -held


def origin_of(hits: Sequence[Hit], wall: Wall, height: int) -> Origin | None:
    """Where the fall of these hits (6 at least) began.

    None when they are not before the wall.
    """
    release = fit_release(hits, wall.facade, height, between=True)
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
    if not origin.named:
        return None
    floors = origin.floors
    (zone, floor, bay, p), *others = origin.zones
    return {
        "zone": zone,
        "floor": floor,
        "bay": bay,
        "p": round(p, 3),
        "floors": [*floors[:2], round(floors[2], 3)] if floors is not None else None,
        "others": [[other, round(chance, 3)] for other, _, _, chance in others[:OTHERS]],
    }
