"""Reads the network of a SWMM 5 input file: nodes and links, in metres.

Sections and columns are those of the EPA SWMM 5.1/5.2 user's manual, appendix D. Only what says
where water goes is read: JUNCTIONS, OUTFALLS, STORAGE, DIVIDERS, the links, XSECTIONS,
COORDINATES, VERTICES; the rest of the model is left aside.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from contracts.errors import Wrong
from gridsentry.city.notes import Notes

FOOT_M = 0.3048
US_FLOWS, SI_FLOWS = ("CFS", "GPM", "MGD"), ("CMS", "LPS", "MLD")
"""Flow units of a file that is in feet, and of one in metres."""
LARGEST = 512 * 1024 * 1024
"""Bytes of an input file, unpacked; larger ones are refused."""
NODE_SECTIONS = ("JUNCTIONS", "OUTFALLS", "STORAGE", "DIVIDERS")
LINK_SECTIONS = {
    "CONDUITS": "conduit",
    "PUMPS": "pump",
    "ORIFICES": "orifice",
    "WEIRS": "weir",
    "OUTLETS": "outlet",
}
XY = tuple[float, float]


class InpNode(msgspec.Struct):
    """A junction, outfall, storage or divider."""

    name: str
    kind: str
    invert_m: float
    depth_m: float | None
    """From the invert to the rim; None: the file leaves it to the pipes, or an outfall."""
    xy: XY | None = None
    """In the file's own coordinates."""


class InpLink(msgspec.Struct):
    """A conduit, pump, orifice, weir or outlet, from where to where."""

    name: str
    kind: str
    start: str
    end: str
    length_m: float | None = None
    height_m: float | None = None
    """Inside height of its section (`Geom1`)."""
    offset_m: float = 0.0
    """Its lower lip over the invert of `start`."""
    vertices: list[XY] = []


class Inp(msgspec.Struct):
    """What was read."""

    title: str
    flow_units: str
    to_m: float
    """Metres in the file's unit of length."""
    map_units: str
    """`FEET`, `METERS`, `DEGREES` or `NONE`."""
    nodes: dict[str, InpNode]
    links: dict[str, InpLink]


class _Line(msgspec.Struct):
    number: int
    section: str
    cells: list[str]


def read_inp(path: Path, notes: Notes) -> Inp:
    """The network in `path` (`.inp`, or `.inp.gz`). What is wrong in it goes to `notes` with its
    line and section; raises Wrong when it is no such file at all."""
    sections: dict[str, list[_Line]] = {}
    for line in _lines(path):
        sections.setdefault(line.section, []).append(line)
    if not any(section in sections for section in NODE_SECTIONS):
        raise Wrong(str(path), "no node in it", "a SWMM input file with [JUNCTIONS] and [CONDUITS]")
    reader = _Reader(path.name, notes)
    options = {c[0].upper(): c[1].upper() for c in _cells(sections, "OPTIONS") if len(c) > 1}
    units = options.get("FLOW_UNITS", "CFS")  # SWMM's own default
    if units not in US_FLOWS + SI_FLOWS:
        notes.wrong(f"{path.name}, [OPTIONS] FLOW_UNITS", units, ", ".join(US_FLOWS + SI_FLOWS))
    inp = Inp(
        title=" ".join(" ".join(c) for c in _cells(sections, "TITLE"))[:120],
        flow_units=units,
        to_m=1.0 if units in SI_FLOWS else FOOT_M,
        map_units=next(
            (c[1].upper() for c in _cells(sections, "MAP") if c[0].upper() == "UNITS" and c[1:]),
            "NONE",
        ),
        nodes={},
        links={},
    )
    for section in NODE_SECTIONS:
        for line in sections.get(section, ()):
            reader.node(line, inp)
    elevations = options.get("LINK_OFFSETS") == "ELEVATION"
    for section in LINK_SECTIONS:
        for line in sections.get(section, ()):
            reader.link(line, inp, elevations)
    for line in sections.get("XSECTIONS", ()):
        reader.section(line, inp)
    for line in sections.get("COORDINATES", ()):
        reader.place(line, inp)
    for line in sections.get("VERTICES", ()):
        reader.vertex(line, inp)
    _rims_left_to_pipes(inp)
    return inp


def _lines(path: Path) -> Iterator[_Line]:
    """Data lines with their number and section; comments and blank lines left out."""
    section = ""
    for number, raw in enumerate(_text(path).splitlines(), start=1):
        text = raw.partition(";")[0].strip()
        if text.startswith("["):
            section = text.strip("[] \t").upper()
            continue
        if text:
            yield _Line(number, section, [cell.strip('"') for cell in text.split()])


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            unpack = zlib.decompressobj(wbits=31)
            data = unpack.decompress(data, LARGEST)
            if not unpack.eof and not unpack.unconsumed_tail:
                raise zlib.error("it ends too early")
            if unpack.unconsumed_tail:
                raise Wrong(str(path), "larger than 512 MiB unpacked", "a smaller file")
    except zlib.error as error:
        raise Wrong(str(path), f"damaged gzip ({error})", "a whole .inp.gz, or the .inp") from error
    except OSError as error:
        raise Wrong(str(path), error.strerror or str(error), "a file that can be read") from error
    if b"\0" in data[:4096]:
        raise Wrong(str(path), "not text", "a SWMM input file (.inp)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace")  # titles and comments only


def _cells(sections: dict[str, list[_Line]], name: str) -> list[list[str]]:
    return [line.cells for line in sections.get(name, ())]


class _Reader:
    """One line into the network, or into the notes with file, line and section."""

    def __init__(self, file: str, notes: Notes) -> None:
        self._file, self._notes = file, notes

    def node(self, line: _Line, inp: Inp) -> None:
        """Name, invert elevation, then (not outfalls) the depth to the rim."""
        if not self._enough(line, 2):
            return
        name = line.cells[0]
        if name in inp.nodes:
            self._wrong(line, f"node {name} again", "each node once")
            return
        invert = self._number(line, 1, "elevation")
        depth = None
        if line.section != "OUTFALLS":
            # A divider's depth stands behind its type and two or so parameters: left to the pipes.
            given = line.section != "DIVIDERS" and len(line.cells) > 2
            depth = self._number(line, 2, "maximum depth") if given else 0.0
        if invert is None or (depth is None and line.section != "OUTFALLS"):
            return
        kind = line.section.lower().removesuffix("s")
        depth_m = depth * inp.to_m if depth else None
        inp.nodes[name] = InpNode(name, kind, invert * inp.to_m, depth_m)

    def link(self, line: _Line, inp: Inp, elevations: bool) -> None:
        """Name, from, to, and of a conduit length, roughness, offsets."""
        conduit = line.section == "CONDUITS"
        if not self._enough(line, 4 if conduit else 3):
            return
        name, start, end = line.cells[:3]
        if name in inp.links:
            self._wrong(line, f"link {name} again", "each link once")
            return
        for node in (start, end):
            if node not in inp.nodes:
                self._wrong(line, f"there is no node {node}", "a node of this file")
                return
        link = InpLink(name, LINK_SECTIONS[line.section], start, end)
        if conduit:
            length = self._number(line, 3, "length", above=0.0)
            if length is None:
                return
            link.length_m = length * inp.to_m
            if len(line.cells) > 5 and line.cells[5] != "*":
                offset = self._number(line, 5, "inlet offset")
                if offset is None:
                    return
                base = inp.nodes[start].invert_m if elevations else 0.0
                link.offset_m = max(0.0, offset * inp.to_m - base)
        inp.links[name] = link

    def section(self, line: _Line, inp: Inp) -> None:
        """Link, shape, height; irregular ones and streets name a table instead."""
        link = inp.links.get(line.cells[0])
        if link is None or len(line.cells) < 3:
            return
        if line.cells[1].upper() in ("IRREGULAR", "STREET", "DUMMY"):
            return
        height = self._number(line, 2, "height")
        if height is not None and height > 0:
            link.height_m = height * inp.to_m

    def place(self, line: _Line, inp: Inp) -> None:
        """Node, x, y."""
        node = inp.nodes.get(line.cells[0])
        xy = self._xy(line)
        if node is not None and xy is not None:
            node.xy = xy

    def vertex(self, line: _Line, inp: Inp) -> None:
        """Link, x, y."""
        link = inp.links.get(line.cells[0])
        xy = self._xy(line)
        if link is not None and xy is not None:
            link.vertices.append(xy)

    def _xy(self, line: _Line) -> XY | None:
        if not self._enough(line, 3):
            return None
        x, y = self._number(line, 1, "x"), self._number(line, 2, "y")
        return None if x is None or y is None else (x, y)

    def _number(self, line: _Line, at: int, what: str, above: float | None = None) -> float | None:
        text = line.cells[at]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or (above is not None and value <= above):
            self._wrong(line, f"{what} {text!r}", "a number above 0" if above == 0 else "a number")
            return None
        return value

    def _enough(self, line: _Line, count: int) -> bool:
        if len(line.cells) < count:
            self._wrong(line, f"{len(line.cells)} values", f"at least {count}")
            return False
        return True

    def _wrong(self, line: _Line, found: str, allowed: str) -> None:
        self._notes.wrong(f"{self._file}, line {line.number}, [{line.section}]", found, allowed)


def _rims_left_to_pipes(inp: Inp) -> None:
    """A maximum depth of 0 means, as in SWMM, up to the crown of the highest pipe."""
    crowns: dict[str, float] = {}
    for link in inp.links.values():
        height = link.height_m or 0.0
        for name, crown in ((link.start, link.offset_m + height), (link.end, height)):
            crowns[name] = max(crowns.get(name, 0.0), crown)
    for node in inp.nodes.values():
        if node.depth_m is None and node.kind != "outfall" and crowns.get(node.name):
            node.depth_m = crowns[node.name]
