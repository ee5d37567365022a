"""The city folder as typed structs. Loaded and checked by `gridsentry.city`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from contracts.geo import Point


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """A polygon of the grid hierarchy; the smallest one that covers a place is its grid."""

    id: str
    name: str
    level: str
    """`district`, `street`, `community`, `grid` or `microgrid` in shipped cities; free text."""
    parent: str | None = None
    rings: tuple[tuple[tuple[tuple[float, float], ...], ...], ...]
    """Polygons, each an exterior ring and holes, as (lon, lat)."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor, camera, line monitor or OTDR as registered."""

    id: str
    district: str
    type: str
    point: Point
    owner: str | None = None
    site: str | None = None
    reports_every_s: float | None = None
    metrics: tuple[str, ...] = ()
    reorder_s: float = 0.0
    """How long items of this device may wait for earlier ones (known reorderers: 5)."""
    timezone: str | None = None
    """Zone of its naive times; without one a naive time is a dead letter."""
    crs: str = "wgs84"


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A grid worker or helper."""

    id: str
    name: str
    role: str
    grid: str | None
    skills: tuple[str, ...]
    shift: str
    """`HH:MM-HH:MM` in the city's zone, several joined by `;`; empty: always on."""
    point: Point
    phone: str = ""
    """Personal: shown to those alone who may see evidence."""


class Utility(msgspec.Struct, frozen=True, kw_only=True):
    """Who owns and restores things: power, water, telecom, city management."""

    id: str
    name: str
    owners: tuple[str, ...]
    """Values of `owner` on devices and assets that mean this utility."""
    phone: str = ""
    restricted: bool = False
    """May receive window, reporter and photographs."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Kind (and grid) → department, lane, helpers; the first that matches applies."""

    id: str
    kind: str
    """A kind, or `*`."""
    grid: str | None = None
    """A grid this rule is for, with everything inside it; None: everywhere."""
    utility: str | None = None
    lane: str = "direct"
    helpers: int = 0
    skills: tuple[str, ...] = ()


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A manhole, outfall or the place of a water sensor; or closing lines of a device."""

    id: str
    point: Point
    invert_m: float | None = None
    rim_m: float | None = None
    warn_m: float | None = None
    close_m: float | None = None


class Pipe(msgspec.Struct, frozen=True, kw_only=True):
    """A pipe from one node to another, in the direction of flow."""

    id: str
    from_: str
    to: str
    path: tuple[Point, ...]
    diameter_m: float | None = None
    """Inside height of the pipe; None: not registered."""
    length_m: float | None = None
    """As registered; None: as drawn."""


class DrainNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """The drainage network."""

    nodes: dict[str, Node]
    pipes: dict[str, Pipe]


class LineNode(msgspec.Struct, frozen=True, kw_only=True):
    """A pole, splice, transformer or customer of a line."""

    id: str
    what: str
    """`pole`, `splice`, `transformer` or `customer`."""
    point: Point
    owner: str | None = None
    chainage_m: float | None = None
    device: str | None = None
    """The monitor that sits here."""
    carries: tuple[str, ...] = ()
    """Owners whose cables hang on this pole beside its own (`owner`): telecom, TV."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The conductors between two nodes, directed away from the source."""

    id: str
    owner: str | None
    from_: str
    to: str
    path: tuple[Point, ...]
    chainage_m: float | None = None
    carries: tuple[str, ...] = ()
    """Owners whose cables hang along it beside its own (`owner`): telecom, TV."""
    kv: float | None = None
    """Rated voltage between phases (kilovolts): 0.4 or 10; None: not said."""
    phases: str = "abc"
    """Phases it has, of `abc`; a fourth `n` where it has a neutral conductor."""
    switch: bool = False
    """It can be opened by hand or by itself: a recloser, a load switch, a fuse."""


class LineNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """Overhead lines of one connected network."""

    id: str
    nodes: dict[str, LineNode]
    spans: dict[str, Span]
    root: str
    """The node where it is fed."""


class Fibre(msgspec.Struct, frozen=True, kw_only=True):
    """A fibre cable along its route, watched by an OTDR."""

    id: str
    owner: str | None
    path: tuple[Point, ...]
    device: str | None
    """The OTDR at its start."""
    start_m: float = 0.0
    """Chainage on `path` where the OTDR's zero is."""
    forward: bool = True
    """Whether distance grows in the direction of `path`."""
    baseline: bytes | None = None
    """A healthy trace of this fibre (SR-4731), when the city has one."""
    marks: tuple[tuple[float | None, float], ...] = ()
    """Known places along it: (metres of light from the OTDR, or None where only the place is
    known: a splice; metres along `path`), in order from the OTDR."""


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A place on a facade something can be thrown from."""

    id: str
    what: str = "window"
    floor: int | None = None
    bay: int | None = None
    polygon: tuple[tuple[float, float], ...]
    """Facade coordinates (u along, v up), metres."""


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """A fixed camera's calibration. Pixels are of the picture at `size`."""

    device: str
    size: tuple[int, int]
    """(width, height) of the picture that was calibrated."""
    distortion: tuple[float, ...] = ()
    """OpenCV's k1, k2, p1, p2[, k3] with the focal length `focal_px`; empty: none."""
    focal_px: float | None = None
    focal_assumed: bool = False
    """`focal_px` is only the unit of `distortion`; nobody measured it."""
    points: tuple[tuple[float, float, float, float], ...] = ()
    """(px, py, u_m, v_m): picture ↔ facade correspondences, at least four to name windows."""
    zones: tuple[Zone, ...] = ()
    detect_mask: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Polygons in pixels where falls are looked for; empty: everywhere."""
    privacy_mask: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Polygons in pixels that are blacked out in every picture we keep or show."""
    picture: bytes | None = None
    """The picture that was calibrated (JPEG or PNG, at `size`), to notice when the camera moved."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Planned works: what happens then and there is not an incident."""

    id: str
    kind: str
    start: datetime
    end: datetime
    point: Point | None = None
    radius_m: float = 100.0
    assets: tuple[str, ...] = ()
    note: str = ""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A pump, barrier or crew that can be sent."""

    id: str
    what: str
    name: str
    point: Point
    owner: str | None = None
    count: int = 1


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How long each step may take, in hours, on the named calendar."""

    accept_h: float | None = None
    arrive_h: float | None = None
    dispose_h: float | None = None
    verify_h: float | None = None
    close_h: float | None = None
    calendar: str = "continuous"


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Hours that count. `continuous` counts all of them."""

    continuous: bool = True
    hours: tuple[str, ...] = ()
    """`HH:MM-HH:MM` in the city's zone."""
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    """ISO weekdays that count, Monday 1."""
    holidays: tuple[str, ...] = ()
    """Dates that do not count, YYYY-MM-DD."""
    workdays: tuple[str, ...] = ()
    """Dates that count although a weekend (调休), YYYY-MM-DD."""


class KindProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What a city calls a kind, and its limits."""

    code: str | None = None
    name_zh: str | None = None
    name_en: str | None = None
    lane: str | None = None
    limit: Limit | None = None
    source: str = ""
    """Where code and limit come from."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Codes, limits, calendars and ladders of a city: data, because published ones disagree."""

    name: str
    kinds: dict[str, KindProfile]
    default_limit: Limit
    calendars: dict[str, Calendar]
    remind_before: float = 0.25
    """A reminder goes out when this fraction of a clock is left."""
    escalate_to: tuple[str, ...] = ("grid_head", "street_center", "district_center")


class City(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about a city."""

    id: str
    timezone: str
    profile: Profile
    grids: tuple[Grid, ...]
    devices: dict[str, Device]
    workers: dict[str, Worker] = {}
    utilities: dict[str, Utility] = {}
    rules: tuple[Rule, ...] = ()
    drains: DrainNetwork | None = None
    lines: tuple[LineNetwork, ...] = ()
    fibres: dict[str, Fibre] = {}
    cameras: dict[str, Camera] = {}
    works: tuple[Work, ...] = ()
    resources: dict[str, Resource] = {}
    extra: dict[str, Any] = {}
