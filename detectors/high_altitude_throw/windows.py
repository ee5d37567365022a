"""Which window: what the flight says about the release, times where releases are likely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contracts.city import Zone
from detectors._common.zones import ELSEWHERE, Prior
from detectors.high_altitude_throw.release import Release

Array = NDArray[np.float64]

MOST = 80
"""Gaussians of a release that are looked at, the weightiest."""

REACH = 4.5
"""Standard deviations."""

LEAST = 0.005
"""Zones less probable than this are left out."""


def windows(release: Release, prior: Prior) -> list[tuple[Zone, float]]:
    """Zones by falling probability; what is missing to 1 is the chance that it was none of them."""
    inside: Array = np.zeros(len(prior.zones))
    outside = 0.0
    # no place is known better than the raster is fine
    fine = np.eye(2) * (prior.step / 2) ** 2
    for weight, place, known in zip(
        release.weights[:MOST], release.places[:MOST], release.covers[:MOST], strict=True
    ):
        cover = known + fine
        reach = REACH * np.sqrt(np.diag(cover))
        rows, columns = prior.window(
            (place[0] - reach[0], place[0] + reach[0]), (place[1] - reach[1], place[1] + reach[1])
        )
        zone, density = prior.zone[rows, columns], prior.density[rows, columns]
        across, up = prior.u[columns] - place[0], prior.v[rows] - place[1]
        inverse = np.linalg.inv(cover)
        far = (
            inverse[0, 0] * across[None, :] ** 2
            + 2 * inverse[0, 1] * across[None, :] * up[:, None]
            + inverse[1, 1] * up[:, None] ** 2
        )
        mass = np.exp(-0.5 * far) * (prior.step**2 / (2 * np.pi * np.sqrt(np.linalg.det(cover))))
        covered = float(mass.sum())
        held = (mass * density * weight).ravel()
        named = zone.ravel() >= 0
        inside += np.bincount(zone.ravel()[named], weights=held[named], minlength=len(prior.zones))
        outside += float(held[~named].sum()) + weight * ELSEWHERE * max(0.0, 1 - covered)
    total = float(inside.sum()) + outside
    if total <= 0:
        return []
    ranked = sorted(
        zip(prior.zones, (inside / total).tolist(), strict=True),
        key=lambda one: (-one[1], one[0].id),
    )
    return [(zone, p) for zone, p in ranked if p >= LEAST]
