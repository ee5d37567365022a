"""A series in a CSV or Parquet file as telemetry: one message a row with all mapped metrics."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from contracts.clock import iso
from contracts.errors import Wrong
from gridsentry.city.files import read_text
from gridsentry.city.notes import choices
from gridsentry.record.times import series_time

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TARGET = re.compile(
    rf"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?:\*(?P<factor>{_NUMBER})(?P<offset>[+-]{_NUMBER})?)?"
)
_NO_VALUE = frozenset(["", "nan", "null", "none", "na", "n/a", "-"])


class Mapping(msgspec.Struct, frozen=True):
    """A column that becomes a metric: value × factor + offset."""

    column: str
    metric: str
    factor: float = 1.0
    offset: float = 0.0

    def value(self, cell: float) -> float:
        """In the metric's unit, to 12 significant digits (0.93 ft is 0.283464 m, no more)."""
        return float(f"{cell * self.factor + self.offset:.12g}")


class Row(msgspec.Struct, frozen=True):
    """One row: when, and its metrics that have a value."""

    at: datetime
    values: dict[str, float]


class Series(msgspec.Struct):
    """The rows in order of time and what was left aside."""

    rows: list[Row]
    empty_cells: int
    empty_rows: int
    resorted: bool


def read_mapping(text: str) -> Mapping:
    """`COLUMN=name[*FACTOR[+OFFSET]]`; the column ends at the last `=`. Raises Wrong."""
    column, equals, target = text.rpartition("=")
    found = _TARGET.fullmatch(target.strip())
    if not equals or not column.strip() or found is None:
        raise Wrong(
            "--metric", repr(text), "COLUMN=name[*FACTOR[+OFFSET]], such as 'stage ft=level*0.3048'"
        )
    return Mapping(
        column=column.strip(),
        metric=found["name"],
        factor=float(found["factor"] or 1.0),
        offset=float(found["offset"] or 0.0),
    )


def read_series(
    path: Path,
    time: str,
    mappings: Sequence[Mapping],
    *,
    zone: ZoneInfo | None,
    at: datetime | None,
) -> Series:
    """The series of the file, in order of time.

    With `at` its first row falls on that moment; a series whose times are seconds from its
    beginning needs it. Cells without a number (empty, NaN, null, infinite) are left out and
    counted, rows without any too. Raises Wrong.
    """
    wanted = [time, *(mapping.column for mapping in mappings)]
    stamped: list[tuple[datetime | float, dict[str, float]]] = []
    empty_cells = empty_rows = 0
    for where, cells in _rows(path, wanted):
        values: dict[str, float] = {}
        for mapping, cell in zip(mappings, cells[1:], strict=True):
            number = _number(cell, f"{where}, column {mapping.column}")
            if number is None or not math.isfinite(mapping.value(number)):
                empty_cells += 1
            else:
                values[mapping.metric] = mapping.value(number)
        if not values:
            empty_rows += 1
            continue
        stamped.append((series_time(cells[0], f"{where}, column {time}", zone), values))
    if not stamped:
        raise Wrong(path.name, "no row with a value", "rows with a time and a number")
    rows = _placed(stamped, path, at)
    ordered = sorted(rows, key=lambda row: row.at)
    return Series(ordered, empty_cells, empty_rows, resorted=ordered != rows)


def message(row: Row) -> bytes:
    """The telemetry payload of a row."""
    return msgspec.json.encode({"ts": iso(row.at), "m": row.values})


def _placed(
    stamped: list[tuple[datetime | float, dict[str, float]]], path: Path, at: datetime | None
) -> list[Row]:
    moments = [moment for moment, _ in stamped if isinstance(moment, datetime)]
    if moments and len(moments) < len(stamped):
        raise Wrong(path.name, "moments and seconds mixed in the time column", "one of them")
    if not moments:
        if at is None:
            raise Wrong(
                path.name, "its times are seconds from the beginning", "--at TIME of the beginning"
            )
        return [Row(at + timedelta(seconds=float(s)), v) for s, v in stamped]  # type: ignore[arg-type]
    shift = at - min(moments) if at is not None else timedelta()
    return [
        Row((moment + shift).astimezone(UTC), values)
        for moment, values in stamped
        if isinstance(moment, datetime)
    ]


def _number(cell: Any, where: str) -> float | None:
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in _NO_VALUE):
        return None
    try:
        number = float(cell)
    except (TypeError, ValueError) as error:
        raise Wrong(where, repr(cell), "a number, or an empty cell") from error
    return number if math.isfinite(number) else None


# --- files -------------------------------------------------------------------------------------


def _rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    with path.open("rb") as file:
        parquet = file.read(4) == b"PAR1"
    return (_parquet_rows if parquet else _csv_rows)(path, wanted)


def _indexes(path: Path, names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    for name in wanted:
        if name not in names:
            raise Wrong(path.name, f"no column {name!r}", choices(names, name))
    return [list(names).index(name) for name in wanted]


def _csv_rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    text = read_text(path)
    first = next((line for line in text.splitlines() if line and line[0] != "#"), "")
    counts: Callable[[str], int] = first.count
    separator = max(",;\t", key=counts)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    places: list[int] | None = None
    try:
        for cells in reader:
            where = f"{path.name}, line {reader.line_num}"
            if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
                continue
            if places is None:
                places = _indexes(path, [cell.strip() for cell in cells], wanted)
                continue
            if len(cells) <= max(places):
                raise Wrong(where, f"{len(cells)} cells", f"at least {max(places) + 1}")
            yield where, [cells[place] for place in places]
    except csv.Error as error:
        raise Wrong(f"{path.name}, line {reader.line_num}", str(error), "CSV") from error


def _parquet_rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise Wrong(path.name, f"not Parquet that can be read ({error})", "Parquet") from error
    with file:
        _indexes(path, file.schema_arrow.names, wanted)
        number = 0
        for batch in file.iter_batches(columns=list(dict.fromkeys(wanted))):
            columns = [_column(batch, name) for name in wanted]
            for cells in zip(*columns, strict=True):
                number += 1
                yield f"{path.name}, row {number}", list(cells)


def _column(batch: Any, name: str) -> list[Any]:
    column = batch.column(name)
    if pa.types.is_timestamp(column.type):  # nanoseconds do not fit a datetime; we keep micro
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    cells: list[Any] = column.to_pylist()
    return cells
