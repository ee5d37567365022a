"""A track in metres on a calibrated wall: how it speeds up, how far it comes, where."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import Camera
from detectors._common.facade import Facade
from detectors._common.zones import Prior
from detectors.high_altitude_throw.fall import log_odds
from detectors.high_altitude_throw.hypotheses import Hit, spread

Array = NDArray[np.float64]


class Wall(msgspec.Struct, frozen=True):
    """What a calibrated camera knows about its facade."""

    facade: Facade
    prior: Prior


class Metric(msgspec.Struct, frozen=True):
    """A track in metres, as if it moved along the wall."""

    acceleration: float
    """m/s² downwards."""
    acceleration_sd: float
    evidence: float
    """Log likelihood ratio of speeding up over steady motion."""
    sinking: float
    """m/s downwards, mean over the track."""
    drop: float
    """m, first hit to last."""
    top: float
    """v of the first hit."""
    foot: float
    """v of the last hit."""
    aside: float
    """m across, first hit to last, absolute."""
    u: float
    """Mean u."""
    size: float
    """Its shorter side, m (median): the longer one is drawn out by the shutter."""


@lru_cache(maxsize=64)
def wall_of(camera: Camera, shape: tuple[int, int]) -> Wall:
    """The wall of a calibrated camera for pictures of `shape` (height, width).

    Raises ValueError when the correspondences do not determine it.
    """
    return Wall(Facade(camera, shape), Prior(camera.zones))


def measure(hits: Sequence[Hit], wall: Wall, height: int) -> Metric | None:
    """The track in metres (4 hits at least).

    None when it is not before the wall (beyond its vanishing line).
    """
    facade = wall.facade
    t = np.array([(hit.t - hits[0].t) / 1e6 for hit in hits])
    pixels = np.array([(hit.x, hit.y) for hit in hits])
    place = facade.to_metres(pixels)
    depth = facade.pose.depth(np.column_stack([place, np.zeros(len(place))]))
    if not np.all(np.isfinite(place)) or np.any(depth <= 0):
        return None
    per_pixel = facade.metres_per_pixel(pixels)
    noise = np.maximum(per_pixel[:, 1] * np.array([spread(hit, height) for hit in hits]), 0.01)
    free = np.stack([np.ones_like(t), t, t * t], axis=1) / noise[:, None]
    seen = place[:, 1] / noise
    inverse = np.linalg.inv(free.T @ free)
    alone = inverse @ free.T @ seen
    line = np.linalg.lstsq(free[:, :2], seen, rcond=None)[0]
    residual = seen - free @ alone
    steady = seen - free[:, :2] @ line
    freedom = max(1, len(t) - 3)
    chi = float(residual @ residual)
    sizes = sorted(min(h.w, h.h) * float(m) for h, m in zip(hits, per_pixel[:, 1], strict=True))
    return Metric(
        acceleration=-2 * float(alone[2]),
        acceleration_sd=2 * float(np.sqrt(inverse[2, 2] * max(1.0, chi / freedom))),
        evidence=log_odds(float(steady @ steady), chi, residual, freedom),
        sinking=-float(line[1]),
        drop=float(place[0, 1] - place[-1, 1]),
        top=float(place[0, 1]),
        foot=float(place[-1, 1]),
        aside=abs(float(place[-1, 0] - place[0, 0])),
        u=float(place[:, 0].mean()),
        size=sizes[len(sizes) // 2],
    )
