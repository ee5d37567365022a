"""How a city is governed: what roles may do, what stands in the way, who is called for what.

City facts beside `contracts.city`: optional files of the city folder, everything with a default.
Read by `gridsentry.city`; `governance(city)` hands it out.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import City, Grid
from contracts.geo import Point


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """What people of a role do (一格八员 and their like): data of the profile."""

    id: str
    name_zh: str = ""
    name_en: str = ""
    duty: str = "dispose"
    """`dispose` (sent alone), `help` (sent to help others), `lead` (a rung of the ladder: sent only
    when nobody else is there), `liaise` (of a department: told, never sent), `report` (reports
    only)."""
    speed_mps: float | None = None
    """How fast they get about (m/s, on foot 1.3, by electric scooter some 5); None: on foot."""
    most_open: int | None = None
    """Open tickets at once; None: as many as come."""
    patrols: bool = False
    """Whether patrol tasks go to them."""


class GridVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A grid as it is (or was) for a time: grids are split, merged and redrawn."""

    grid: Grid
    since: datetime | None = None
    """UTC; None: from the beginning."""
    until: datetime | None = None
    """UTC, not included; None: until further notice."""


class SpecialGrid(msgspec.Struct, frozen=True, kw_only=True):
    """A grid for one purpose over the others: a scenic area, a market, a school, a station."""

    grid: Grid
    what: str
    kinds: tuple[str, ...] = ()
    """Only for these kinds; empty: for all."""


class Barrier(msgspec.Struct, frozen=True, kw_only=True):
    """What people must go round: a river, a railway, a wall."""

    id: str
    rings: tuple[tuple[tuple[float, float], ...], ...]
    """Exterior ring and holes, (lon, lat)."""
    crossings: tuple[Point, ...] = ()
    """Bridges, underpasses, ferries."""


class Roads(msgspec.Struct, frozen=True, kw_only=True):
    """A road network to travel on. Edges are directed; `n` nodes, `m` edges."""

    lon: NDArray[np.float64]
    """(n,) degrees."""
    lat: NDArray[np.float64]
    """(n,) degrees."""
    from_: NDArray[np.int32]
    """(m,) index of a node."""
    to: NDArray[np.int32]
    """(m,) index of a node."""
    metres: NDArray[np.float32]
    """(m,) length."""
    factor: NDArray[np.float32]
    """(m,) of the traveller's speed: 1 on a street, less on steps and tracks, 0 where it is
    closed."""
    source: str = ""
    """Whose data it is, to be named where it is shown (ODbL)."""
    riding: NDArray[np.float32] | None = None
    """(m,) `factor` for those who ride (a scooter is pushed up steps); None: the same."""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """Who else is called for a kind: departments beside utilities, helpers, resources."""

    id: str
    kind: str
    """A kind, or `*`."""
    grid: str | None = None
    """With everything inside it; None: everywhere."""
    when: str | None = None
    """A fact of the evidence that must be true (`road_blocked`); None: always."""
    severity: int = 1
    """From this severity on."""
    departments: tuple[str, ...] = ()
    """Utilities or departments of utilities.csv that get a sub-ticket."""
    helpers: int = 0
    skills: tuple[str, ...] = ()
    """Of the helpers."""
    resources: tuple[str, ...] = ()
    """Sorts of resources (`what`) that are offered by distance."""


class Patrol(msgspec.Struct, frozen=True, kw_only=True):
    """A round to be made: every day, or when something is forecast."""

    id: str
    name_zh: str
    name_en: str
    points: tuple[Point, ...] = ()
    assets: tuple[str, ...] = ()
    """Devices, nodes or poles to look at, in order."""
    grid: str | None = None
    at: tuple[str, ...] = ()
    """`HH:MM` in the city's zone, for rounds of every day."""
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    """ISO weekdays, Monday 1."""
    when: str | None = None
    """`rain`: when rain is forecast or begins; None: by the clock."""
    from_mm_h: float = 8.0
    """Rain intensity from which it is called for (mm/h)."""
    not_again_s: float = 21_600.0
    """After one round the next forecast calls for none this long."""
    within_s: float = 7_200.0
    """How long the round may take."""
    role: str | None = None
    checklist: tuple[str, ...] = ()


class Governance(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a city says about how it is governed."""

    roles: dict[str, Role] = {}
    versions: tuple[GridVersion, ...] = ()
    """Other times' grids; those that hold now stand in `City.grids` as well."""
    special: tuple[SpecialGrid, ...] = ()
    barriers: tuple[Barrier, ...] = ()
    roads: Roads | None = None
    responses: tuple[Response, ...] = ()
    patrols: tuple[Patrol, ...] = ()


NOTHING_SAID = Governance()


def governance(city: City) -> Governance:
    """What the city says about how it is governed; nothing where it says nothing."""
    found = city.extra.get("governance")
    return found if isinstance(found, Governance) else NOTHING_SAID


def asset_places(city: City) -> dict[str, Point]:
    """Where every asset is that a person can be sent to look at."""
    found = {device.id: device.point for device in city.devices.values()}
    for network in city.lines:
        found |= {node.id: node.point for node in network.nodes.values()}
    if city.drains is not None:
        found |= {node.id: node.point for node in city.drains.nodes.values()}
    return found | {resource.id: resource.point for resource in city.resources.values()}
