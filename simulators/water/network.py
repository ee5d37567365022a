"""A drainage network for the engine: read from a SWMM input file or made of the town's sewers.

The structure (manholes, storages, conduits, pumps, ground) stays as the file has it; its rain, its
inflows and what has no part in a street's water (quality, snow, groundwater) are left out.
"""

from __future__ import annotations

import gzip
import math
import statistics
from pathlib import Path

import msgspec

from contracts.errors import Wrong
from contracts.geo import EARTH_RADIUS_M, Point
from simulators import hydraulics
from simulators.layout import Lattice
from simulators.sewers import build
from simulators.water import pumping

TOWN = "town"
TOWN_SEED = 7
"""The town whose sewers `town` means: the demo's."""
GROUND = {"town": 1.3, "user3": 0.2, "user4": 0.6, "Greenville_EPA": 0.08}
"""Connected share of the registered ground. Each network was designed for the rain of another
climate and ours is coastal Fujian's: with these shares each is too small once in a few years
(measured: a two-hour storm of 2 years drowns a manhole or none, one of 20 years some)."""
_STREET_M = 5.0
"""A trapezoidal channel with a wider bottom is a street."""
_KEPT = (
    "SUBCATCHMENTS",
    "SUBAREAS",
    "INFILTRATION",
    "JUNCTIONS",
    "OUTFALLS",
    "STORAGE",
    "DIVIDERS",
    "CONDUITS",
    "PUMPS",
    "ORIFICES",
    "WEIRS",
    "OUTLETS",
    "XSECTIONS",
    "TRANSECTS",
    "CURVES",
    "CONTROLS",
)
_LINKS = ("CONDUITS", "PUMPS", "ORIFICES", "WEIRS", "OUTLETS")
_CLOSED = frozenset(
    {
        "CIRCULAR",
        "FORCE_MAIN",
        "FILLED_CIRCULAR",
        "RECT_CLOSED",
        "EGG",
        "HORIZ_ELLIPSE",
        "VERT_ELLIPSE",
        "ARCH",
        "HORSESHOE",
        "GOTHIC",
        "CATENARY",
        "SEMIELLIPTICAL",
        "BASKETHANDLE",
        "SEMICIRCULAR",
        "MODBASKETHANDLE",
        "RECT_ROUND",
        "RECT_TRIANGULAR",
    }
)
_FOOT = 0.3048
_ORIGIN = Point(118.32, 26.08)
"""South-west corner of an imported network: beside the demo town, where nothing real is."""
_M_PER_DEGREE = math.pi * EARTH_RADIUS_M / 180.0


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the network, SI."""

    id: str
    x_m: float
    y_m: float
    invert_m: float
    depth_m: float
    """From invert to rim; 0 at an outfall."""
    manhole: bool
    """Somewhere a level sensor may hang: no outfall, no storage tank, no bend of a force main."""
    sealed: bool = False
    """Under pressure behind a pump: nothing comes out."""
    standing_m: float = 0.0
    """Water that no way out drains: a sag's, a full main's."""
    area_ha: float = 0.0
    """Ground that drains into it."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A connection in the direction of fall, SI."""

    id: str
    from_: str
    to: str
    what: str
    """Section it comes from: `CONDUITS`, `PUMPS`, …"""
    closed: bool
    """A pipe, not a channel, pump or weir."""
    height_m: float = 0.0
    width_m: float = 0.0
    length_m: float = 0.0
    turned: bool = False
    """The file has it the other way round: its flow counts negative."""


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A network with what the engine needs to build its input again."""

    name: str
    metric: bool
    options: dict[str, str]
    sections: dict[str, tuple[str, ...]]
    """Kept sections, comments and blank lines removed."""
    holes: dict[str, Hole]
    links: dict[str, Link]
    losses: dict[str, tuple[str, ...]]
    """Link → its row of [LOSSES] without the name."""

    def point(self, id: str) -> Point:
        """Where a node lies on the map (WGS 84, rounded to 0.1 m)."""
        hole = self.holes[id]
        lat = _ORIGIN.lat + hole.y_m / _M_PER_DEGREE
        lon = _ORIGIN.lon + hole.x_m / (_M_PER_DEGREE * math.cos(math.radians(_ORIGIN.lat)))
        return Point(round(lon, 6), round(lat, 6))

    @property
    def metre(self) -> float:
        """Metres in the file's unit of length."""
        return 1.0 if self.metric else _FOOT

    @property
    def flow_unit(self) -> float:
        """Cubic metres per second in the file's unit of flow."""
        return _FLOWS[self.options.get("FLOW_UNITS", "CFS").upper()]


_FLOWS = {
    "CFS": _FOOT**3,
    "GPM": 6.30902e-5,
    "MGD": 0.0438126,
    "CMS": 1.0,
    "LPS": 1e-3,
    "MLD": 1e3 / 86_400,
}


def town_network(seed: int = TOWN_SEED) -> Network:
    """The sewers of the town of `seed`, in the same form as an imported file."""
    sewers = build(seed, Lattice(seed))
    dry = hydraulics.Storm(dry_s=0.0, duration_s=60.0, return_years=1.0)
    text = hydraulics.model_text(sewers, dry, 1.0, {})
    nodes = {n.id: n for n in sewers.network.nodes.values() if n.invert_m is not None}
    lines = ["[COORDINATES]"]
    south = min(n.point.lat for n in nodes.values())
    west = min(n.point.lon for n in nodes.values())
    for node in nodes.values():
        x = (node.point.lon - west) * _M_PER_DEGREE * math.cos(math.radians(south))
        y = (node.point.lat - south) * _M_PER_DEGREE
        lines.append(f"{node.id} {x:.2f} {y:.2f}")
    return parse(TOWN, text + "\n".join(lines))


def load(name: str, folder: Path | None) -> Network:
    """`town`, or the network of `folder`/`name`.inp[.gz].

    Raises Wrong when there is no such file or it is no SWMM input.
    """
    if name == TOWN:
        return town_network()
    if folder is None:
        raise Wrong("water: network", name, f"`{TOWN}`, or a SWMM file with the folder it lies in")
    for path in (folder / f"{name}.inp.gz", folder / f"{name}.inp"):
        if path.is_file():
            data = path.read_bytes()
            raw = gzip.decompress(data) if path.suffix == ".gz" else data
            return parse(name, raw.decode("latin-1"))
    found = sorted(p.name.split(".inp")[0] for p in folder.glob("*.inp*"))
    raise Wrong("water: network", name, ", ".join((TOWN, *found)))


def parse(name: str, text: str) -> Network:
    """A network from the text of a SWMM input file.

    Raises Wrong when it has no nodes, no links or an unknown flow unit.
    """
    raw: dict[str, list[str]] = {}
    section = ""
    for full in text.splitlines():
        line = full.split(";", 1)[0].rstrip()
        if line.startswith("["):
            section = line.strip("[] ").upper()
            raw.setdefault(section, [])
        elif line.strip():
            raw.setdefault(section, []).append(line)
    options = {
        w[0].upper(): w[1] for w in (row.split() for row in raw.get("OPTIONS", [])) if len(w) > 1
    }
    unit = options.get("FLOW_UNITS", "CFS").upper()
    if unit not in _FLOWS:
        raise Wrong(f"{name}: FLOW_UNITS", unit, ", ".join(_FLOWS))
    metric = unit in ("CMS", "LPS", "MLD")
    metre = 1.0 if metric else _FOOT
    _leave_streets(raw, metre)
    _connect_ground(raw, GROUND.get(name, 1.0))
    pumping.roomy_wells(raw, unit)
    pumping.one_switch(raw)
    sections = {key: tuple(raw[key]) for key in _KEPT if raw.get(key)}
    losses = {w[0]: tuple(w[1:]) for w in _words(raw, "LOSSES")}
    holes = _holes(raw, metric)
    links = _links(raw, metre, holes)
    sealed, mains, level = pumping.force_mains(raw, links, holes, metre)
    for hole in list(holes.values()):
        standing = min(level.get(hole.id, 0.0) - hole.invert_m, hole.depth_m)
        holes[hole.id] = msgspec.structs.replace(hole, standing_m=max(standing, 0.0))
    for id in sealed:
        holes[id] = msgspec.structs.replace(holes[id], manhole=False, sealed=True)
    for id, (start, end) in mains.items():
        link = links[id]
        turned = link.turned != (link.from_ != start)
        links[id] = msgspec.structs.replace(link, from_=start, to=end, turned=turned, closed=False)
    if not holes or not links:
        raise Wrong(f"{name}", "no nodes or no links", "a SWMM input file of a drainage network")
    return Network(
        name=name,
        metric=metric,
        options=options,
        sections=sections,
        holes=holes,
        links=links,
        losses=losses,
    )


def _leave_streets(raw: dict[str, list[str]], metre: float) -> None:
    """Leave out streets drawn as channels between manholes.

    Models that were converted from other programs have them at the depth of the pipes, where they
    would carry what the pipes should. Water over a rim ponds instead. A node's only way out stays.
    """
    shapes = {w[0]: w[1:] for w in _words(raw, "XSECTIONS")}
    ways: dict[str, list[str]] = {}
    piped: set[str] = set()
    for section in _LINKS:
        for w in _words(raw, section):
            ways.setdefault(w[1], []).append(w[0])
            if shapes.get(w[0], ["DUMMY"])[0].upper() in _CLOSED:
                piped.update(w[1:3])
    streets = set()
    for w in _words(raw, "CONDUITS"):
        shape = shapes.get(w[0], ["DUMMY"])
        wide = len(shape) > 2 and _number(shape[2]) and float(shape[2]) * metre >= _STREET_M
        if shape[0].upper() == "TRAPEZOIDAL" and wide and piped.issuperset(w[1:3]):
            others = [id for id in ways[w[1]] if id != w[0] and id not in streets]
            if others:
                streets.add(w[0])
    for section in ("CONDUITS", "XSECTIONS", "LOSSES"):
        raw[section] = [row for row in raw.get(section, []) if row.split()[0] not in streets]


def _connect_ground(raw: dict[str, list[str]], ground: float) -> None:
    """Scale area and width of every catchment by `ground`."""
    rows = []
    for w in _words(raw, "SUBCATCHMENTS"):
        w[3], w[5] = f"{float(w[3]) * ground:.5f}", f"{float(w[5]) * ground:.4f}"
        rows.append(" ".join(w))
    raw["SUBCATCHMENTS"] = rows


def _words(raw: dict[str, list[str]], section: str) -> list[list[str]]:
    return [row.split() for row in raw.get(section, [])]


def _holes(raw: dict[str, list[str]], metric: bool) -> dict[str, Hole]:
    metre = 1.0 if metric else _FOOT
    hectare = 1.0 if metric else 0.40468564
    area: dict[str, float] = {}
    for w in _words(raw, "SUBCATCHMENTS"):
        area[w[2]] = area.get(w[2], 0.0) + float(w[3]) * hectare
    spots = {w[0]: (float(w[1]), float(w[2])) for w in _words(raw, "COORDINATES")}
    scale = _scale(raw, spots, metre)
    west = min((x for x, _ in spots.values()), default=0.0)
    south = min((y for _, y in spots.values()), default=0.0)
    small = {w[0] for w in _words(raw, "STORAGE") if _is_manhole(w, raw, metre)}
    crowns = _crowns(raw)
    holes: dict[str, Hole] = {}
    for section in ("JUNCTIONS", "DIVIDERS", "STORAGE", "OUTFALLS"):
        for number, w in enumerate(_words(raw, section)):
            column = 2 if section in ("JUNCTIONS", "STORAGE") else 99
            depth = float(w[column]) if len(w) > column else 0.0
            if section == "JUNCTIONS" and depth <= 0.0:  # the engine takes the highest crown
                depth = crowns.get(w[0], 0.0)
            # a file without a map is laid out in rows, so that every node has a place of its own
            x, y = spots.get(w[0], (west + 100.0 * (number % 20), south + 100.0 * (number // 20)))
            holes[w[0]] = Hole(
                id=w[0],
                x_m=(x - west) * scale,
                y_m=(y - south) * scale,
                invert_m=float(w[1]) * metre,
                depth_m=0.0 if section == "OUTFALLS" else depth * metre,
                manhole=section == "JUNCTIONS" or w[0] in small,
                area_ha=area.get(w[0], 0.0),
            )
    return holes


def _is_manhole(words: list[str], raw: dict[str, list[str]], metre: float) -> bool:
    """A storage no wider at its bottom than 4 m² is a manhole with something around it."""
    if len(words) < 6 or words[4].upper() != "TABULAR" or float(words[2]) * metre > 15.0:
        return False
    bottom = next((w for w in _words(raw, "CURVES") if w[0] == words[5]), None)
    return bottom is not None and float(bottom[-1]) * metre**2 <= 4.0


def _crowns(raw: dict[str, list[str]]) -> dict[str, float]:
    height = {w[0]: float(w[2]) for w in _words(raw, "XSECTIONS") if _number(w[2])}
    crowns: dict[str, float] = {}
    for w in _words(raw, "CONDUITS"):
        for node, offset in ((w[1], w[5]), (w[2], w[6])):
            crown = (float(offset) if _number(offset) else 0.0) + height.get(w[0], 0.0)
            crowns[node] = max(crowns.get(node, 0.0), crown)
    return crowns


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _scale(raw: dict[str, list[str]], spots: dict[str, tuple[float, float]], metre: float) -> float:
    """Metres per unit of the map: the median of length over distance, for maps are unitless."""
    ratios = []
    for w in _words(raw, "CONDUITS"):
        if w[1] in spots and w[2] in spots:
            apart = math.dist(spots[w[1]], spots[w[2]])
            if apart > 0 and float(w[3]) > 0:
                ratios.append(float(w[3]) * metre / apart)
    return statistics.median(ratios) if ratios else 1.0


def _links(raw: dict[str, list[str]], metre: float, holes: dict[str, Hole]) -> dict[str, Link]:
    shapes = {w[0]: w[1:] for w in _words(raw, "XSECTIONS")}
    links: dict[str, Link] = {}
    for section in _LINKS:
        for w in _words(raw, section):
            if w[1] not in holes or w[2] not in holes or w[1] == w[2]:
                continue
            shape = shapes.get(w[0], ["DUMMY"])
            pipe = section == "CONDUITS"
            ends = [w[1], w[2]]
            turned = False
            if pipe:
                rise = [float(v) * metre if _number(v) else 0.0 for v in w[5:7]]
                start = holes[w[1]].invert_m + rise[0]
                turned = start < holes[w[2]].invert_m + rise[1] - 1e-6
            geometry = [float(v) * metre if _number(v) else 0.0 for v in shape[1:3]]
            height = geometry[0] if pipe and geometry else 0.0
            links[w[0]] = Link(
                id=w[0],
                from_=ends[turned],
                to=ends[not turned],
                what=section,
                closed=pipe and shape[0].upper() in _CLOSED,
                height_m=height,
                width_m=(geometry[1] if len(geometry) > 1 and geometry[1] > 0 else height),
                length_m=float(w[3]) * metre if pipe else 0.0,
                turned=turned,
            )
    return links
