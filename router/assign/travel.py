"""How far is the way? Crow-fly with the usual detour, or what a map knows better.

A trip is to one place. It says for people how many metres their way is, and before that, how many
metres it must be at least, so that only those who may matter are looked up.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.geo import EARTH_RADIUS_M
from router.assign.near import Indexes

Metres = NDArray[np.float64]


class Trip(Protocol):
    """The ways of everybody to one place."""

    by: str
    """As in `Candidate.by`."""
    least: float
    """A way is at least this many times the crow-fly distance."""

    @property
    def reach_m(self) -> float:
        """What `way` called infinite is at least this long; infinite: there is no way at all."""
        ...

    def way(self, who: Indexes, crow: Metres, rides: NDArray[np.bool_], /) -> Metres:
        """(k,) metres of the way of each; infinite where it is not known (yet)."""
        ...

    def farther(self) -> None:
        """Look farther than `reach_m`."""
        ...


class CrowFly:
    """Crow-fly times the usual detour of a street network."""

    by = "crow-fly"
    reach_m = math.inf

    def __init__(self, detour: float) -> None:
        self.least = detour

    def way(self, who: Indexes, crow: Metres, rides: NDArray[np.bool_], /) -> Metres:
        """`crow` times the detour."""
        return crow * self.least

    def farther(self) -> None:
        """Everything is known."""


def crow_m(lon: Metres, lat: Metres, to_lon: Metres | float, to_lat: Metres | float) -> Metres:
    """(k,) great-circle metres from each point to the other, or to one (degrees; haversine)."""
    phi, to_phi = np.radians(lat), np.radians(to_lat)
    h = (
        np.sin((phi - to_phi) / 2) ** 2
        + np.cos(phi) * np.cos(to_phi) * np.sin(np.radians(lon - to_lon) / 2) ** 2
    )
    metres: Metres = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
    return metres


def expected_m(way: Metres, radius: Metres) -> Metres:
    """(k,) metres of the way of somebody who is anywhere within `radius` of where it begins.

    The root mean square distance to a disc spread evenly: E[D²] = way² + radius²/2. Never less
    than the mean (Jensen), at most 6 % more (in the disc's middle), and it grows with `way`.
    """
    metres: Metres = np.sqrt(way * way + radius * radius / 2)
    return metres
