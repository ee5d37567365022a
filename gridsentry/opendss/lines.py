"""An OpenDSS circuit as the city's `lines.geojson`."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict, deque
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from contracts.errors import Wrong
from contracts.geo import Point, distance_m
from gridsentry.city.geojson import collection, feature, position, unique_ids
from gridsentry.city.notes import Notes
from gridsentry.opendss.circuit import XY, Circuit, DssLine, read_circuit
from gridsentry.swmm.place import About, Projection, projection

STEP: Final = 0.9
"""Buses of a transformer with less than this share of the other's voltage are its low side."""
ASIDE_M: Final = 12.0
"""A customer is drawn so far from its pole."""
Customers = Literal["all", "ends", "none"]


class Imported(msgspec.Struct):
    """What came of it."""

    geojson: bytes
    counts: dict[str, int]
    unit_m: float | None
    """Metres a unit of the drawing, where it was placed about an origin."""
    west_south: Point
    east_north: Point
    warnings: list[str]


class _Spot(msgspec.Struct):
    """Buses at one place."""

    name: str
    buses: list[str]
    xy: XY | None = None
    kv: float = 0.0
    """Of its loads."""
    step_down: bool = False
    chainage_m: float = 0.0
    kw: float = 0.0
    phases: str = ""
    """Of its loads."""
    degree: int = 0


class _Run(msgspec.Struct):
    """A line as the current flows."""

    line: DssLine
    start: str
    end: str
    kv: float


def lines_of(
    master: Path,
    *,
    coordinates: Path | None = None,
    origin: Point | None = None,
    crs: str | None = None,
    unit_m: float | None = None,
    owner: str = "power",
    line: str | None = None,
    customers: Customers = "all",
) -> Imported:
    """The feeder of the OpenDSS script `master`, in WGS 84 and metres.

    `origin` puts the middle of the drawing there; `crs` is the EPSG code its coordinates are in;
    `unit_m` is a unit of the drawing in metres (left out: what makes its lines as long as they
    say). Raises Wrong on what cannot be used.
    """
    circuit, notes = read_circuit(master, coordinates), Notes()
    spots, place_of = _spots(circuit)
    root = place_of[circuit.source]
    kv_of = _kvs(circuit)
    runs = _outward(circuit, spots, place_of, kv_of, notes)
    _locate(master, circuit, spots, runs, root, notes)
    to_point, unit = _projection(master, spots, runs, origin, crs, unit_m)
    points = {name: _point(to_point, spot, master) for name, spot in spots.items()}
    _chain(runs, spots, points)
    for load in circuit.loads:
        spot = spots.get(place_of[load.bus])
        if spot is not None:
            spot.kw, spot.kv = spot.kw + load.kw, kv_of.get(load.bus, 0.0)
            spot.phases = "".join(sorted(set(spot.phases + load.phases)))
    ids = unique_ids(
        [("bus", name) for name in spots] + [("line", run.line.name) for run in runs],
        {"line": "s-"},
        notes,
    )
    called = line or next(iter(unique_ids([("line", circuit.name)], {}, Notes()).values()))
    features, counts = _features(
        spots, runs, points, ids, root=root, owner=owner, line=called, customers=customers
    )
    lons, lats = [p.lon for p in points.values()], [p.lat for p in points.values()]
    return Imported(
        geojson=collection(features),
        counts=counts,
        unit_m=unit,
        west_south=Point(min(lons), min(lats)),
        east_north=Point(max(lons), max(lats)),
        warnings=notes.warnings,
    )


# --- topology ----------------------------------------------------------------------------------


def _spots(circuit: Circuit) -> tuple[dict[str, _Spot], dict[str, str]]:
    """Places by the name of their first bus, and bus → place. Buses that a transformer, regulator
    or series reactor joins are at one place."""
    stands = {bus: bus for bus in circuit.buses}

    def top(bus: str) -> str:
        while stands[bus] != bus:
            bus = stands[bus]
        return bus

    for joint in circuit.joints:
        first = top(joint.buses[0])
        for bus in joint.buses[1:]:
            stands[top(bus)] = first
    place_of = {bus: top(bus) for bus in circuit.buses}
    spots: dict[str, _Spot] = {}
    for bus, place in place_of.items():
        spots.setdefault(place, _Spot(place, [])).buses.append(bus)
    for spot in spots.values():
        spot.buses.sort(key=lambda bus: bus != spot.name)
        spot.xy = next((xy for bus in spot.buses if (xy := circuit.buses[bus]) is not None), None)
    for joint in circuit.joints:
        if joint.kvs and min(joint.kvs) < STEP * max(joint.kvs):
            spots[place_of[joint.buses[0]]].step_down = True
    return spots, place_of


def _outward(
    circuit: Circuit,
    spots: dict[str, _Spot],
    place_of: dict[str, str],
    kv_of: dict[str, float],
    notes: Notes,
) -> list[_Run]:
    """Lines directed away from the source, nearest first; places that nothing feeds are left out
    of `spots`, and said."""
    beside: dict[str, list[tuple[DssLine, str, str]]] = defaultdict(list)
    idle = [one.name for one in circuit.lines if one.open]
    for one in circuit.lines:
        if one.open:  # a bus of it may be nowhere
            continue
        a, b = place_of[one.start], place_of[one.end]
        if a != b:
            beside[a].append((one, one.start, b))
            beside[b].append((one, one.end, a))
    root = place_of[circuit.source]
    seen, used, queue = {root}, set[str](), deque([root])
    runs: list[_Run] = []
    loops: list[str] = []
    nowhere: list[str] = []
    loaded = {place_of[load.bus] for load in circuit.loads}
    while queue:
        here = queue.popleft()
        for one, bus, there in beside[here]:
            if one.name in used:
                continue
            used.add(one.name)
            if there in seen:
                loops.append(one.name)
            elif len(beside[there]) == 1 and spots[there].xy is None and there not in loaded:
                nowhere.append(one.name)  # the other half of a normally open tie
                continue
            else:
                seen.add(there)
                queue.append(there)
            runs.append(_Run(one, here, there, kv_of.get(bus, 0.0)))
    for name in [name for name in spots if name not in seen]:
        del spots[name]
    for run in runs:
        spots[run.start].degree += 1
        spots[run.end].degree += 1
    _say(notes, "lines", idle, "are open or disabled: left out")
    _say(notes, "lines", nowhere, "end nowhere (no place, no load; open ties): left out")
    _say(notes, "lines", loops, "close a loop: kept, away from the source on the shorter way")
    lost = [bus for bus, place in place_of.items() if place not in seen]
    _say(notes, "buses", lost, "are not fed from the source: left out")
    if not runs:
        raise Wrong("circuit", f"no line leads away from the source bus {circuit.source}",
                    "lines that connect the source with the rest")  # fmt: skip
    return runs


def _kvs(circuit: Circuit) -> dict[str, float]:
    """Rated voltage between phases by bus: the source's, then through lines and transformers."""
    lines: dict[str, list[str]] = defaultdict(list)
    for one in circuit.lines:
        lines[one.start].append(one.end)
        lines[one.end].append(one.start)
    joints: dict[str, list[tuple[str, float | None]]] = defaultdict(list)
    for joint in circuit.joints:
        for k, bus in enumerate(joint.buses):
            for j, other in enumerate(joint.buses):
                if other != bus:
                    joints[bus].append((other, joint.kvs[j] if joint.kvs else None))
                    if joint.kvs and abs(joint.kvs[j] - joint.kvs[k]) < (1 - STEP) * joint.kvs[k]:
                        joints[bus][-1] = (other, None)  # a regulator: the same on both sides
    kv_of, queue = {circuit.source: circuit.source_kv}, deque([circuit.source])
    while queue:
        bus = queue.popleft()
        onward = [(other, None) for other in lines[bus]] + joints[bus]
        for other, kv in onward:
            if other not in kv_of:
                kv_of[other] = kv_of[bus] if kv is None else kv
                queue.append(other)
    return kv_of


def _say(notes: Notes, what: str, names: list[str], told: str) -> None:
    if names:
        more = " …" if len(names) > 5 else ""
        notes.warn(what, f"{len(names)} {told} ({', '.join(names[:5])}{more})")


# --- place -------------------------------------------------------------------------------------


def _locate(
    master: Path,
    circuit: Circuit,
    spots: dict[str, _Spot],
    runs: list[_Run],
    root: str,
    notes: Notes,
) -> None:
    """Coordinates for all: who has none is put where its neighbour is, and said."""
    if not any(spot.xy for spot in spots.values()):
        near = sorted(
            path.name
            for path in master.parent.iterdir()
            if path.suffix.lower() in (".csv", ".dat", ".txt")
            and any(word in path.stem.lower() for word in ("coord", "xy"))
        )
        hint = f"; {near[0]} beside it looks like them" if near else ""
        raise Wrong(
            str(master), f"none of {len(circuit.buses)} buses has coordinates{hint}",
            "--coords FILE.csv with lines `bus, x, y` (or `buscoords` in the script)",
        )  # fmt: skip
    bare = [name for name, spot in spots.items() if spot.xy is None]
    for run in runs:  # from the source outwards
        if spots[run.end].xy is None:
            spots[run.end].xy = spots[run.start].xy
    for run in reversed(runs):  # what stands before the first that has some
        if spots[run.start].xy is None:
            spots[run.start].xy = spots[run.end].xy
    for run in runs:
        if spots[run.end].xy is None:
            spots[run.end].xy = spots[run.start].xy
    _say(notes, "buses", bare, "have no coordinates: drawn where the next one is")
    assert spots[root].xy is not None


def _projection(
    master: Path,
    spots: dict[str, _Spot],
    runs: list[_Run],
    origin: Point | None,
    crs: str | None,
    unit_m: float | None,
) -> tuple[Projection, float | None]:
    if crs is not None:
        return projection(crs), None
    drawn = [spot.xy for spot in spots.values() if spot.xy is not None]
    (left, right), (low, high) = ((min(v), max(v)) for v in zip(*drawn, strict=True))
    if origin is None:
        degrees = -180 <= left <= right <= 180 and -90 <= low <= high <= 90 and right - left < 5
        raise Wrong(
            str(master),
            f"x {left:.6g} to {right:.6g}, y {low:.6g} to {high:.6g}: the circuit does not say "
            "where on earth that is",
            ("--crs EPSG:4326 if these are degrees, " if degrees else "")
            + "--crs EPSG:… of the drawing, or --origin LON,LAT where its middle lies",
        )
    unit = unit_m or _unit(spots, runs)
    return About(origin, (left + right) / 2, (low + high) / 2, unit), unit


def _unit(spots: dict[str, _Spot], runs: list[_Run]) -> float:
    """Metres a unit of the drawing, by which most lines are as long as they say."""
    shares = []
    for run in runs:
        a, b = spots[run.start].xy, spots[run.end].xy
        if run.line.length_m and a is not None and b is not None and math.dist(a, b) > 0:
            shares.append(run.line.length_m / math.dist(a, b))
    return statistics.median(shares) if shares else 1.0


def _point(to_point: Projection, spot: _Spot, master: Path) -> Point:
    assert spot.xy is not None
    where = f"{master.name}, bus {spot.name}"
    try:
        return to_point.to_point(*spot.xy)
    except (ValueError, OverflowError) as error:
        allowed = "coordinates in the system that --crs names"
        raise Wrong(where, str(error), allowed) from error


def _chain(runs: list[_Run], spots: dict[str, _Spot], points: dict[str, Point]) -> None:
    """Metres from the source along the line, as registered where it says, else as drawn."""
    known = {runs[0].start}
    for run in runs:
        if run.end not in known:
            known.add(run.end)
            drawn = distance_m(points[run.start], points[run.end])
            length = drawn if run.line.length_m is None else run.line.length_m
            spots[run.end].chainage_m = spots[run.start].chainage_m + length


# --- features ----------------------------------------------------------------------------------


def _features(
    spots: dict[str, _Spot],
    runs: list[_Run],
    points: dict[str, Point],
    ids: dict[tuple[str, str], str],
    *,
    root: str,
    owner: str,
    line: str,
    customers: Customers,
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    features: list[dict[str, Any]] = []
    counts = {"poles": 0, "transformers": 0, "customers": 0, "spans": 0}
    taken = set(ids.values())
    for name, spot in spots.items():
        end = spot.degree <= 1 and name != root
        kind = "pole"
        if name == root:
            kind = "substation"
        elif spot.step_down:
            kind = "transformer"
        elif spot.kw and end and customers != "none":
            kind = "customer"
        counts["transformers" if kind == "substation" else f"{kind}s"] += 1
        id = ids["bus", name]
        common = {"owner": owner, "line": line, "chainage_m": round(spot.chainage_m, 1)}
        note = f"{spot.kw:g} kW" if spot.kw else None
        properties = {"id": id, "kind": kind, **common, "note": note}
        features.append(feature("Point", position(points[name]), properties))
        if spot.kw and kind != "customer" and customers == "all":
            counts["customers"] += 1
            counts["spans"] += 1
            own = f"c-{id}"
            while own in taken:
                own += "-2"
            taken.add(own)
            at = position(_aside(name, runs, points))
            drop = {
                "id": own,
                "kind": "customer",
                "from": id,
                "kv": round(spot.kv, 3) or None,
                "phases": spot.phases or None,
                **common,
                "note": note,
            }
            features.append(feature("Point", at, drop))
    for run in runs:
        counts["spans"] += 1
        ends = [position(points[run.start]), position(points[run.end])]
        properties = {
            "id": ids["line", run.line.name],
            "kind": "span",
            "owner": owner,
            "line": line,
            "from": ids["bus", run.start],
            "to": ids["bus", run.end],
            "kv": round(run.kv, 3) or None,
            "phases": run.line.phases or None,
            "switch": run.line.switch or None,
            "chainage_m": round(spots[run.start].chainage_m, 1),
        }
        features.append(feature("LineString", ends, properties))
    return features, counts


def _aside(name: str, runs: list[_Run], points: dict[str, Point]) -> Point:
    """Some metres from a pole, on the side where the fewest lines leave."""
    here = points[name]
    squeeze = math.cos(math.radians(here.lat)) or 1.0
    east = north = 0.0
    for run in runs:
        if name in (run.start, run.end):
            other = points[run.end if run.start == name else run.start]
            x, y = (other.lon - here.lon) * squeeze, other.lat - here.lat
            size = math.hypot(x, y)
            if size > 0:
                east, north = east + x / size, north + y / size
    size = math.hypot(east, north)
    if size < 0.3:  # a straight line through: to its right
        east, north, size = north + 1.0, -east - 1.0, math.hypot(north + 1.0, east + 1.0)
    metres = About(here, 0.0, 0.0, 1.0)
    return metres.to_point(-east / size * ASIDE_M, -north / size * ASIDE_M)
