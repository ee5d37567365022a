"""`roads.osm` or `roads.osm.gz`: the streets and paths of the city, from OpenStreetMap.

Read in one go from beginning to end (numbers in arrays, nothing of the file kept), so an extract
of a large city fits. Ways are cut where they meet and at least every 80 m, so that everybody
stands near a cut.
"""

from __future__ import annotations

import gzip
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from contracts.city import Grid
from contracts.errors import Wrong
from contracts.geo import EARTH_RADIUS_M
from contracts.governance import Roads
from gridsentry.city.notes import Notes
from gridsentry.city.ways import Pace, pace

NAMES = ("roads.osm.gz", "roads.osm")
UNREAD = ("roads.osm.pbf", "roads.osm.bz2", "roads.o5m", "roads.pbf")
"""Forms of the same data that we do not read; `there` says how to convert them."""
SOURCE = "© OpenStreetMap contributors (ODbL 1.0)"
PIECE_M = 80.0


def there(folder: Path, notes: Notes) -> Path | None:
    """The folder's road file; a form that we do not read is a problem."""
    for name in UNREAD:
        if (folder / name).is_file():
            notes.wrong(
                name,
                "a form of OpenStreetMap data that is not read",
                f"{NAMES[0]}; convert it with osmium-tool: osmium cat {name} -o {NAMES[0]}",
            )
    found = [folder / name for name in NAMES if (folder / name).is_file()]
    if len(found) > 1:
        notes.warn(NAMES[1], f"{NAMES[0]} is there too and is the one that is read")
    return found[0] if found else None


def read_roads(path: Path, grids: tuple[Grid, ...], notes: Notes) -> Roads | None:
    """The road network of an OpenStreetMap file; problems go to `notes`."""
    osm = Osm()
    try:
        with _open(path) as stream:
            osm.read(stream)
    except ElementTree.ParseError as error:
        notes.wrong(path.name, f"not XML to the end ({error})", "an OpenStreetMap extract (XML)")
        return None
    except (OSError, EOFError, zlib.error) as error:
        notes.wrong(path.name, f"cannot be read ({error})", "OpenStreetMap XML, packed by gzip")
        return None
    except Wrong as error:
        notes.take(error)
        return None
    if not osm.paces:
        notes.wrong(path.name, "no street or path in it", "an extract with ways (highway=…)")
        return None
    roads = _network(osm)
    if osm.missing:
        notes.warn(path.name, f"{osm.missing} places of ways are not in the file: left aside")
    notes.tell(
        path.name,
        f"{len(roads.lon):,} places, {len(roads.from_) // 2:,} pieces, "
        f"{float(roads.metres.sum()) / 2000:,.0f} km; {roads.source}",
    )
    _check_covers(path.name, roads, grids, notes)
    return roads


def _open(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


class Osm:
    """What of a file matters here: places, and the ways people can use."""

    def __init__(self) -> None:
        self.ids = array("q")
        self.lon = array("d")
        self.lat = array("d")
        self.refs = array("q")
        self.starts = array("q", [0])
        """Way k goes over refs[starts[k]:starts[k + 1]]."""
        self.paces: list[Pace] = []
        self.source = SOURCE
        self.missing = 0

    def read(self, stream: IO[bytes]) -> None:
        """Take in a file. Raises ParseError where it is not XML, Wrong where it is another."""
        for element in _elements(stream):
            if element.get("visible") == "false" or element.get("action") == "delete":
                continue
            if element.tag == "node":
                lon, lat = element.get("lon"), element.get("lat")
                if lon is not None and lat is not None:
                    self.ids.append(int(element.get("id", "0")))
                    self.lon.append(float(lon))
                    self.lat.append(float(lat))
            elif element.tag == "way":
                tags = {t.get("k", ""): t.get("v", "") for t in element.iterfind("tag")}
                found = pace(tags)
                refs = [int(nd.get("ref", "0")) for nd in element.iterfind("nd")]
                if found is not None and len(refs) > 1:
                    self.refs.extend(refs)
                    self.starts.append(len(self.refs))
                    self.paces.append(found)


def _elements(stream: IO[bytes]) -> Iterator[Any]:
    """The top elements one after the other, each forgotten once it was looked at."""
    root: Any = None
    depth = 0
    for event, element in ElementTree.iterparse(stream, events=("start", "end")):
        if event == "start":
            depth += 1
            if root is None:
                root = element
                if root.tag != "osm":
                    raise Wrong("roads", f"an XML file of <{root.tag}>", "OpenStreetMap: <osm>")
            continue
        depth -= 1
        if depth == 1:
            yield element
            root.clear()


def _network(osm: Osm) -> Roads:
    """The ways cut where they meet, both directions of every piece."""
    ids = np.frombuffer(osm.ids, dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    sorted_ids = ids[order]
    refs = np.frombuffer(osm.refs, dtype=np.int64)
    where = np.searchsorted(sorted_ids, refs)
    where[where == len(ids)] = 0
    known = sorted_ids[where] == refs if len(ids) else np.zeros(len(refs), dtype=np.bool_)
    osm.missing = int(np.count_nonzero(~known))
    node = order[where] if len(ids) else where
    lon = np.frombuffer(osm.lon, dtype=np.float64)
    lat = np.frombuffer(osm.lat, dtype=np.float64)
    uses = np.bincount(node[known], minlength=len(ids))
    pieces = _Pieces()
    for k, speed in enumerate(osm.paces):
        a, b = osm.starts[k], osm.starts[k + 1]
        path = node[a:b][known[a:b]]
        if len(path) > 1:
            pieces.cut(path, _lengths(lon[path], lat[path]), uses, speed)
    return pieces.roads(lon, lat, osm.source)


def _lengths(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k - 1,) metres from each of k points to the next (haversine)."""
    phi, lam = np.radians(lat), np.radians(lon)
    h = np.sin(np.diff(phi) / 2) ** 2
    h += np.cos(phi[1:]) * np.cos(phi[:-1]) * np.sin(np.diff(lam) / 2) ** 2
    metres: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
    return metres


class _Pieces:
    """Pieces of ways between the places that are kept."""

    def __init__(self) -> None:
        self._from = array("q")
        self._to = array("q")
        self._metres = array("f")
        self._foot = array("f")
        self._ride = array("f")

    def cut(
        self,
        path: NDArray[np.int64],
        lengths: NDArray[np.float64],
        uses: NDArray[np.int64],
        speed: Pace,
    ) -> None:
        """One way, over places `path`."""
        nodes, steps = path.tolist(), lengths.tolist()
        meets = (uses[path] > 1).tolist()
        start, metres, last = nodes[0], 0.0, len(nodes) - 1
        for i in range(1, len(nodes)):
            metres += steps[i - 1]
            if meets[i] or i == last or metres + steps[i] > PIECE_M:
                for a, b, ride in (
                    (start, nodes[i], speed.ride),
                    (nodes[i], start, speed.ride_back),
                ):
                    self._from.append(a)
                    self._to.append(b)
                    self._metres.append(metres)
                    self._foot.append(speed.foot)
                    self._ride.append(ride)
                start, metres = nodes[i], 0.0

    def roads(self, lon: NDArray[np.float64], lat: NDArray[np.float64], source: str) -> Roads:
        """All of them, over the places they use."""
        ends = np.concatenate(
            (np.frombuffer(self._from, dtype=np.int64), np.frombuffer(self._to, dtype=np.int64))
        )
        used, index = np.unique(ends, return_inverse=True)
        m = len(self._from)
        return Roads(
            lon=lon[used].copy(),
            lat=lat[used].copy(),
            from_=index[:m].astype(np.int32),
            to=index[m:].astype(np.int32),
            metres=np.array(self._metres, dtype=np.float32),
            factor=np.array(self._foot, dtype=np.float32),
            riding=np.array(self._ride, dtype=np.float32),
            source=source,
        )


def _check_covers(name: str, roads: Roads, grids: tuple[Grid, ...], notes: Notes) -> None:
    """Say when the map is of somewhere else, or of a part of the city only."""
    corners = [c for grid in grids for polygon in grid.rings for ring in polygon for c in ring]
    if not corners:
        return
    lon, lat = np.array(corners).T
    west, east = float(roads.lon.min()), float(roads.lon.max())
    south, north = float(roads.lat.min()), float(roads.lat.max())
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    box = f"{south:.4f}, {west:.4f} to {north:.4f}, {east:.4f}"
    if lon.max() < west or lon.min() > east or lat.max() < south or lat.min() > north:
        notes.warn(name, f"it covers {box} (latitude, longitude): none of the city's grids")
    elif float(np.mean(inside)) < 0.5:
        notes.warn(name, f"it covers {box} (latitude, longitude): less than half of the grids")
