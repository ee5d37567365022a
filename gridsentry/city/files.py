"""Reading the three formats of a city folder: CSV, TOML and GeoJSON, with their places."""

from __future__ import annotations

import csv
import io
import tomllib
import typing
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from contracts.errors import Wrong
from contracts.geo import Point, to_wgs84
from gridsentry.city.fields import build, field_names
from gridsentry.city.notes import Notes, choices

Row = TypeVar("Row", bound=msgspec.Struct)

# What map editors add to every feature (the "simplestyle" convention and QGIS): never ours.
STYLE = frozenset(
    [
        *("stroke", "stroke-width", "stroke-opacity", "fill", "fill-opacity", "fid"),
        *("marker-color", "marker-size", "marker-symbol"),
    ]
)


def read_text(path: Path) -> str:
    """The file as text, UTF-8 with or without a byte order mark.

    Raises Wrong naming the likely encoding when it is not UTF-8, or when it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Wrong(path.name, f"cannot be read ({error.strerror})", "a readable file") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            likely = "UTF-16"
        else:
            try:
                data.decode("gb18030")
                likely = "GBK"
            except UnicodeDecodeError:
                likely = "another encoding"
        raise Wrong(
            f"{path.name}, line {line}",
            f"not UTF-8; it looks like {likely}",
            "UTF-8: save the file as UTF-8 (in Excel or WPS: Save as → CSV UTF-8; 另存为 UTF-8)",
        ) from error


def _is_list(hint: Any) -> bool:
    if typing.get_origin(hint) is tuple:
        return True
    return any(_is_list(argument) for argument in typing.get_args(hint))


def read_table(
    path: Path,
    cls: type[Row],
    notes: Notes,
    aliases: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, Row]]:
    """The good lines of a CSV file with their places; problems go to `notes`.

    `aliases` (other name → column) marks a table whose columns the wire contract leaves open:
    there, a column that resembles none of ours is left aside and said, not refused. Empty cells
    count as not given, lines that begin with `#` as comments. Cells of list fields are split
    at `;`.
    """
    try:
        text = read_text(path)
    except Wrong as error:
        notes.take(error)
        return
    names = field_names(cls)
    hints = typing.get_type_hints(cls, include_extras=True)
    lists = {f.encode_name for f in msgspec.structs.fields(cls) if _is_list(hints[f.name])}
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        for cells in reader:
            place = f"{path.name}, line {reader.line_num}"
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if header is None:
                header = _header(cells, names, aliases, place, notes)
                if header is None:
                    return
                continue
            if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                notes.wrong(
                    place, f"{len(cells)} cells", f"{len(header)} cells, one for each column"
                )
                continue
            values: dict[str, Any] = {}
            for name, cell in zip(header, cells, strict=False):
                if name not in names or not (stripped := cell.strip()):
                    continue
                parts = stripped.replace("；", ";").split(";") if name in lists else None
                values[name] = (
                    stripped if parts is None else [p.strip() for p in parts if p.strip()]
                )
            row = build(cls, values, f"{place}, column ", notes, strict=False)
            if row is not None:
                yield place, row
    except csv.Error as error:
        notes.wrong(f"{path.name}, line {reader.line_num}", str(error), "CSV with matching quotes")
        return
    if header is None:
        notes.wrong(f"{path.name}, line 1", "no header line", ", ".join(names))


def _header(
    cells: list[str],
    names: list[str],
    aliases: Mapping[str, str] | None,
    place: str,
    notes: Notes,
) -> list[str] | None:
    """The columns under their own names, or None when the file cannot be read by them."""
    if len(cells) == 1 and any(mark in cells[0] for mark in ";\t"):
        notes.wrong(place, "columns separated by semicolon or tab", "columns separated by comma")
        return None
    columns = [(aliases or {}).get(cell.strip(), cell.strip()) for cell in cells]
    good = True
    for column in columns:
        if column not in names:
            if column and aliases is not None and not get_close_matches(column, names):
                notes.warn(f"{place}, column {column}", "not a known column: left aside")
                continue
            shown = column or "a column without a name"
            notes.wrong(f"{place}, column {shown}", "not a known column", choices(names, column))
            good = False
    for column in sorted({c for c in columns if columns.count(c) > 1}):
        notes.wrong(f"{place}, column {column}", "given more than once", "each column once")
        good = False
    return columns if good else None


def read_toml(path: Path, notes: Notes, name: str = "") -> dict[str, Any] | None:
    """The file's tables, or None after noting why not; messages call it `name`."""
    try:
        return tomllib.loads(read_text(path))
    except Wrong as error:
        notes.take(error)
    except tomllib.TOMLDecodeError as error:
        notes.wrong(name or path.name, str(error), "TOML")
    return None


class Feature(msgspec.Struct, frozen=True):
    """One feature of a GeoJSON file, its positions already in WGS 84."""

    where: str
    properties: dict[str, Any]
    shape: str | None
    """GeoJSON geometry type; None where the feature has no geometry."""
    coordinates: Any
    """As in GeoJSON, every position a Point."""


def read_features(path: Path, notes: Notes, crs: str) -> Iterator[Feature]:
    """The features of a GeoJSON file; `crs` is the datum of a file that names none.

    A feature's own top-level `id` stands in for a property `id`; whole numbers become text;
    style properties of map editors are left aside.
    """
    try:
        root = msgspec.json.decode(read_text(path))
    except Wrong as error:
        notes.take(error)
        return
    except msgspec.DecodeError as error:
        notes.wrong(path.name, f"not JSON ({error})", "a GeoJSON FeatureCollection")
        return
    features = root.get("features") if isinstance(root, dict) else None
    if not isinstance(features, list) or root.get("type") != "FeatureCollection":
        notes.wrong(path.name, "not a FeatureCollection", "a GeoJSON FeatureCollection")
        return
    datum = _datum(root.get("crs"), crs, path.name, notes)
    if datum is None:
        return
    for number, feature in enumerate(features, start=1):
        where = f"{path.name}, feature {number}"
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            notes.wrong(where, "not a GeoJSON Feature", '{"type": "Feature", …}')
            continue
        properties = {
            key: value
            for key, value in (feature.get("properties") or {}).items()
            if key not in STYLE and value is not None and value != ""
        }
        if "id" not in properties and feature.get("id") is not None:
            properties["id"] = feature["id"]
        for key in ("id", "from", "to", "parent", "device", "level"):
            if isinstance(properties.get(key), int):
                properties[key] = str(properties[key])
        if isinstance(properties.get("id"), str):
            where = f"{where} ({properties['id']})"
        geometry = feature.get("geometry")
        if geometry is None:
            yield Feature(where, properties, None, None)
            continue
        try:
            yield Feature(
                where, properties, str(geometry["type"]), _points(geometry["coordinates"], datum)
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, ValueError) else "not a geometry"
            notes.wrong(f"{where}, geometry", reason, "positions [lon, lat] in degrees")


def _datum(declared: Any, default: str, name: str, notes: Notes) -> str | None:
    if declared is None:
        return default
    if isinstance(declared, dict):  # the old GeoJSON form; WGS 84 is its common case
        declared = (declared.get("properties") or {}).get("name", "")
    text = str(declared)
    if text.lower() in ("wgs84", "gcj02", "bd09"):
        return text.lower()
    if text.upper().endswith(("CRS84", "EPSG::4326", "EPSG:4326")):
        return "wgs84"
    notes.wrong(f"{name}, crs", repr(text), "wgs84, gcj02, bd09 (export the layer as EPSG:4326)")
    return None


def _points(value: Any, crs: str) -> Any:
    if isinstance(value, list) and value and not isinstance(value[0], list):
        lon, lat = float(value[0]), float(value[1])  # a height behind them is left aside
        return to_wgs84(lon, lat, crs)
    if not isinstance(value, list) or not value:
        raise ValueError("no positions")
    return [_points(part, crs) for part in value]


def line_of(feature: Feature) -> tuple[Point, ...] | None:
    """The feature's path when it is one line (also a MultiLineString of one part)."""
    if feature.shape == "LineString" and len(feature.coordinates) >= 2:
        return tuple(feature.coordinates)
    if feature.shape == "MultiLineString" and len(feature.coordinates) == 1:
        return tuple(feature.coordinates[0])
    return None
