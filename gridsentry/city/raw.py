"""The rows and tables of a city folder as people write them: one struct for each file.

They are what `gridsentry check --schema` prints. Times, units and ids are those of the wire
contract. Field descriptions are shown to people as "allowed: …" when a value does not fit.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

ID_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
Id = Annotated[
    str, Meta(pattern=ID_PATTERN, description="1 to 64 letters, digits, dots, dashes, underscores")
]
Text = Annotated[str, Meta(min_length=1, description="text")]
Lon = Annotated[float, Meta(ge=-180, le=180, description="degrees east, -180 to 180")]
Lat = Annotated[float, Meta(ge=-90, le=90, description="degrees north, -90 to 90")]
Number = Annotated[float, Meta(description="a number")]
Metres = Annotated[float, Meta(description="metres, a number")]
Positive = Annotated[float, Meta(gt=0, description="a number above 0")]
NotNegative = Annotated[float, Meta(ge=0, description="a number, 0 or more")]
Count = Annotated[int, Meta(ge=0, description="a whole number, 0 or more")]
Crs = Literal["wgs84", "gcj02", "bd09"]
Lane = Literal["self", "direct", "joint"]
Phases = Annotated[
    str, Meta(pattern=r"^a?b?c?n?$", min_length=1, description="some of a, b, c, n: abc, abcn, an")
]
Words = Annotated[tuple[str, ...], Meta(description="words, separated by ;")]
Pair = Annotated[tuple[float, ...], Meta(min_length=2, description="[x, y]")]
Polygon = Annotated[
    tuple[tuple[float, float], ...],
    Meta(min_length=3, description="at least 3 corners [[x, y], …]"),
]

PixelLine = Annotated[
    tuple[tuple[float, float], ...],
    Meta(min_length=2, description="two or more places [[x, y], [x, y]] in pixels"),
]


class Raw(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of every row: unknown fields are forbidden."""


class CityToml(Raw, frozen=True, kw_only=True):
    """`city.toml`."""

    id: Id
    timezone: Text
    """IANA zone of calendars, shifts and day buckets, such as `Asia/Shanghai`."""
    profile: Text = "cn-default"
    """A shipped profile by name, or the path of a TOML file in this folder."""
    name: Text | None = None
    crs: Crs = "wgs84"
    """Datum of every position in this folder that names none of its own."""
    apps: dict[str, dict[str, Any]] = {}
    """By app id: `crs` and `timezone` of what it sends."""
    detectors: dict[str, dict[str, Any]] = {}
    """By kind: settings that differ in this city."""
    extra: dict[str, Any] = {}
    """Anything else, kept as it is."""


class GridProperties(Raw, frozen=True, kw_only=True):
    """Properties of a polygon in `grids.geojson`."""

    id: Id
    name: Text | None = None
    level: Text | None = None
    parent: Text | None = None
    valid_from: Text | None = None
    """ISO 8601 date or moment (a date: midnight in the city's zone); left out: always was."""
    valid_to: Text | None = None
    """From then on it holds no more; left out: until further notice."""
    special: Text | None = None
    """What makes it a special grid: a scenic area, a market, a station, a `main_road`."""
    kinds: tuple[str, ...] = ()
    """A special grid's: only for incidents of these kinds."""


class DeviceRow(Raw, frozen=True, kw_only=True):
    """A line of `devices.csv`."""

    id: Id
    district: Id
    type: Text
    lon: Lon
    lat: Lat
    owner: Text | None = None
    site: Text | None = None
    reports_every_s: Positive | None = None
    metrics: Words = ()
    reorder_s: NotNegative = 0.0
    timezone: Text | None = None
    crs: Crs | None = None


class WorkerRow(Raw, frozen=True, kw_only=True):
    """A line of `workers.csv`."""

    id: Id
    name: Text
    role: Text = "grid_worker"
    grid: Text | None = None
    skills: Words = ()
    shift: str = ""
    """`HH:MM-HH:MM` in the city's zone, several joined by `;`; empty: always on."""
    phone: str = ""
    lon: Lon | None = None
    lat: Lat | None = None
    crs: Crs | None = None


class UtilityRow(Raw, frozen=True, kw_only=True):
    """A line of `utilities.csv`: who owns and restores what."""

    id: Id
    name: Text
    owners: Words = ()
    """Values of `owner` that mean this utility; its own id and name always do."""
    phone: str = ""
    restricted: bool = False


class RuleTable(Raw, frozen=True, kw_only=True):
    """A `[[rule]]` of `rules.toml`: kind and grid → department, lane, helpers."""

    id: Id | None = None
    kind: str | tuple[str, ...] = "*"
    grid: Text | None = None
    utility: Text | None = None
    lane: Lane = "direct"
    helpers: Count = 0
    skills: tuple[str, ...] = ()


class DrainProperties(Raw, frozen=True, kw_only=True):
    """Properties of a feature in `drains.geojson`: a node (Point) or a pipe (LineString)."""

    id: Id
    kind: Text | None = None
    name: str | None = None
    note: str | None = None
    from_: Text | None = msgspec.field(name="from", default=None)
    to: Text | None = None
    invert_m: Metres | None = None
    rim_m: Metres | None = None
    warn_m: Metres | None = None
    close_m: Metres | None = None
    device: Text | None = None
    """The device these closing lines are for."""
    owner: Text | None = None
    site: Text | None = None
    diameter_m: Metres | None = None
    length_m: Metres | None = None


class LineProperties(Raw, frozen=True, kw_only=True):
    """Properties of a feature in `lines.geojson`: pole, span, splice, transformer, customer
    or fibre."""

    id: Id
    kind: Text | None = None
    name: str | None = None
    note: str | None = None
    owner: Text | tuple[Text, ...] | None = None
    """Whose it is; of several (a list, or separated by `;`) the first, the others as in
    `carries`."""
    carries: Text | tuple[Text, ...] | None = None
    """Owners whose cables hang on this pole or along this span beside its own."""
    kv: NotNegative | None = None
    """A span's rated voltage between phases (kilovolts): 0.4, 10."""
    phases: Phases | None = None
    """A span's conductors, of `abcn`."""
    switch: bool | None = None
    """A span that can be opened: a recloser, a load switch, a fuse."""
    from_: Text | None = msgspec.field(name="from", default=None)
    to: Text | None = None
    chainage_m: Metres | None = None
    line: Text | None = None
    """The line (network) it belongs to."""
    site: Text | None = None
    device: Text | None = None
    """The monitor that sits here; for a fibre its OTDR."""
    start: float | str | tuple[float, ...] | None = None
    """Where the OTDR's zero is: metres along the path, the id of a node or device, or a
    position [lon, lat]."""
    direction: float | str | None = None
    """`forward`, `backward`, 1, -1, or the id of a node or device it looks towards."""
    baseline: Any = None
    """A healthy trace: path of a .sor file from this folder. Left out: learned."""
    marks: tuple[tuple[float | None, float], ...] | None = None
    """A fibre's known places: [metres of light from the OTDR or null, metres along the path]."""


class BandTable(Raw, frozen=True, kw_only=True):
    """One floor (along v) or bay (along u) of a facade, metres."""

    id: int | str
    low: Metres
    high: Metres


class ZoneTable(Raw, frozen=True, kw_only=True):
    """A place on the facade that something can be thrown from."""

    id: Id
    what: Annotated[
        Literal["window", "balcony", "corridor", "roof_edge", "roof"],
        Meta(description="window, balcony, corridor, roof_edge"),
    ] = "window"
    floor: int | None = None
    bay: int | None = None
    polygon: Polygon


class FloorLine(Raw, frozen=True, kw_only=True):
    """A horizontal line of the facade, such as the lower edge of one floor's windows."""

    v: Metres
    line: PixelLine


class BayLine(Raw, frozen=True, kw_only=True):
    """A vertical line of the facade, such as its corner or an edge of windows above each other."""

    u: Metres
    line: PixelLine


class CameraToml(Raw, frozen=True, kw_only=True):
    """`cameras/{device}.toml`; pixels are of the picture at `size`."""

    size: Annotated[
        tuple[int, int], Meta(description="[width, height] in pixels, whole numbers above 0")
    ]
    distortion: Annotated[
        tuple[float, ...], Meta(description="[k1, k2, p1, p2] or [k1, k2, p1, p2, k3]")
    ] = ()
    focal_px: Positive | None = None
    points: Annotated[
        tuple[tuple[float, float, float, float], ...],
        Meta(description="[[px, py, u_m, v_m], …]"),
    ] = ()
    floor_lines: Annotated[
        tuple[FloorLine, ...],
        Meta(description="[{v = 3.0, line = [[x, y], [x, y]]}, …], v metres up"),
    ] = ()
    bay_lines: Annotated[
        tuple[BayLine, ...],
        Meta(description="[{u = 4.0, line = [[x, y], [x, y]]}, …], u metres along the wall"),
    ] = ()
    """At least two of each: where they meet are correspondences, as `points` are."""
    picture: Text | None = None
    """The picture these pixels were read from: a JPEG or PNG file beside this one."""
    floors: Annotated[
        Any,
        Meta(
            description="a number of floors, ascending boundaries in metres [0, 3, 6], "
            "or tables {id, low, high}"
        ),
    ] = None
    bays: Annotated[
        Any,
        Meta(
            description="a number of bays, ascending boundaries in metres [0, 4, 8], "
            "or tables {id, low, high}"
        ),
    ] = None
    zones: tuple[ZoneTable, ...] = ()
    detect_mask: Annotated[Any, Meta(description="polygons [[[x, y], …], …] in pixels")] = None
    privacy_mask: Annotated[Any, Meta(description="polygons [[[x, y], …], …] in pixels")] = None


class WorkRow(Raw, frozen=True, kw_only=True):
    """A line of `works.csv`: planned works."""

    id: Id
    kind: Text = "works"
    start: Text
    end: Text
    lon: Lon | None = None
    lat: Lat | None = None
    radius_m: Positive = 100.0
    assets: Words = ()
    note: str = ""
    crs: Crs | None = None


class AliasRow(Raw, frozen=True, kw_only=True):
    """A line of `aliases.csv`: what an outside gateway calls one of our devices."""

    alias: Text
    """DevEUI, device name or topic part, as the gateway says it."""
    device: Id
    """Our id of it."""
    profile: Text | None = None
    """The device profile that reads its payloads; left out: found by what the message says."""
    height_m: Metres | None = None
    """Of a sensor that looks down: metres from where `level` is measured from up to it."""
    metrics: Words = ()
    """`current_1=current_b`: metrics that are called otherwise here; `battery=`: left out."""


class ResourceRow(Raw, frozen=True, kw_only=True):
    """A line of `resources.csv`: a pump, barrier or crew."""

    id: Id
    what: Text
    name: Text | None = None
    lon: Lon
    lat: Lat
    owner: Text | None = None
    count: Count = 1
    crs: Crs | None = None


class PlaceRow(Raw, frozen=True, kw_only=True):
    """A line of `places.csv`: a door, gate or stop with a code for residents."""

    id: Id
    name: Text
    name_en: Text | None = None
    what: Text | None = None
    """`building`, `gate`, `stop` …; free text."""
    lon: Lon
    lat: Lat
    crs: Crs | None = None
