"""The configuration (`.cfg`): channels, rates, when. Structure is read in bytes, names after."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NoReturn

import msgspec

from contracts.comtrade.names import kind_of, phase_of, scale_of, text
from contracts.errors import Permanent

MAX_CHANNELS: Final = 1_024
"""Analogue and digital channels; recorders of whole substations have some 300."""
MAX_RATES: Final = 256
Kind = Literal["voltage", "current", "other"]
Form = Literal["ascii", "binary", "binary32", "float32"]
_BYTES: Final[dict[str, int]] = {"ascii": 0, "binary": 2, "binary32": 4, "float32": 4}


class Analog(msgspec.Struct, frozen=True):
    """A channel of measured values."""

    name: str
    phase: str
    """`a`, `b`, `c`, `n`, between two of them `ab`, `bc`, `ca`, or empty: not said."""
    kind: Kind
    group: str
    """The same for channels that differ in their phase only."""
    factor: float
    """Volts or amperes (primary side where the ratio is given) a count."""
    offset: float
    low: float
    high: float
    """Counts that its recorder gives; others are no values."""


class Config(msgspec.Struct, frozen=True):
    """What a `.cfg` says."""

    station: str
    recorder: str
    revision: int
    analog: tuple[Analog, ...]
    digitals: int
    frequency_hz: float
    rates: tuple[tuple[float, int], ...]
    """(samples a second, number of the last sample at this rate); (0, n): see time stamps."""
    started: datetime | None
    """Of the first sample: what the recorder's clock showed, in whatever zone, called UTC."""
    triggered: datetime | None
    form: Form
    tick_s: float
    """Seconds in a unit of the samples' time stamps."""
    utc_offset: timedelta | None
    """Of the recorder's clock (2013); None: not said."""

    @property
    def samples(self) -> int:
        """How many there should be."""
        return self.rates[-1][1]

    @property
    def row_bytes(self) -> int:
        """Of one sample, in binary forms."""
        return 8 + _BYTES[self.form] * len(self.analog) + 2 * math.ceil(self.digitals / 16)


def read_config(data: bytes) -> Config:
    """The configuration in `data`. Raises Permanent `bad_record` with the line and what is wrong
    with it."""
    lines = _Lines(data)
    head = lines.cells("station, recorder and revision")
    revision = _revision(head)
    analogs, digitals = _counts(lines.cells("the number of channels"), lines)
    rows = [lines.cells(f"analogue channel {i + 1}", 9) for i in range(analogs)]
    labels = [lines.cells(f"digital channel {i + 1}") for i in range(digitals)]
    named = [head, *(row[1:4] for row in rows), *(row[1:2] for row in labels)]
    says = text(b" ".join(b" ".join(row) for row in named))
    channels = tuple(_analog(row, says, lines) for row in rows)
    frequency = _number(lines.cells("the line frequency")[0], "line frequency", lines, empty=0.0)
    rates = _rates(lines)
    started, fine = _moment(lines.cells("the time of the first sample"), revision)
    triggered, fine_too = _moment(lines.cells("the time of the trigger"), revision)
    form = lines.cells("the form of the samples")[0].decode("latin-1").strip().lower()
    if form not in _BYTES:
        lines.wrong(f"a form of samples {form[:20]!r}; known: ASCII, BINARY, BINARY32, FLOAT32")
    multiplier = _number(lines.optional(), "time stamp multiplier", lines, empty=1.0)
    if not 0 < multiplier < 1e9:
        multiplier = 1.0
    offset = _zone(lines.optional()) if revision >= 2013 else None
    return Config(
        station=says(head[0]),
        recorder=says(head[1]) if len(head) > 1 else "",
        revision=revision,
        analog=channels,
        digitals=digitals,
        # Hydro-Quebec to China, a grid's line frequency is one of three; 0: not filled in
        frequency_hz=frequency if 10 <= frequency <= 100 else 50.0,
        rates=rates,
        started=started,
        triggered=triggered,
        form=form,  # type: ignore[arg-type]  # one of the known ones, see above
        tick_s=multiplier * (1e-9 if fine and fine_too else 1e-6),
        utc_offset=offset,
    )


class _Lines:
    """Line by line; errors name the number."""

    def __init__(self, data: bytes) -> None:
        self._rest: Iterator[bytes] = iter(data.replace(b"\x1a", b"").split(b"\n"))
        self.number = 0

    def cells(self, what: str, least: int = 1) -> list[bytes]:
        """The next line's values, at least that many."""
        line = next(self._rest, None)
        self.number += 1
        if line is None:
            self.wrong(f"it ends before {what}")
        row = [cell.strip() for cell in line.rstrip(b"\r").split(b",")]
        if len(row) < least:
            self.wrong(f"{len(row)} values for {what}, which has at least {least}")
        return row

    def optional(self) -> bytes:
        """The first value of the next line; empty where there is none."""
        self.number += 1
        return next(self._rest, b"").split(b",")[0].strip()

    def wrong(self, found: str) -> NoReturn:
        """Raise it."""
        raise Permanent("bad_record", f"the .cfg, line {self.number}: {found}")


def _revision(head: Sequence[bytes]) -> int:
    """The year of the standard; the first one did not say. Some recorders write another year."""
    year = head[2] if len(head) > 2 else b""
    if not year.isdigit():
        return 1991
    return 2013 if int(year[:6]) >= 2013 else 1999


def _counts(cells: Sequence[bytes], lines: _Lines) -> tuple[int, int]:
    row = b",".join(cells).upper()
    found = re.fullmatch(rb"(\d{1,6}),\s*(\d{1,6})\s*A,\s*(\d{1,6})\s*D\W*", row)
    if found is None:
        lines.wrong(f"{row[:40].decode('latin-1')!r} is not a count of channels as '16,6A,10D'")
    analogs, digitals = int(found[2]), int(found[3])
    if analogs + digitals > MAX_CHANNELS:
        lines.wrong(f"{analogs} analogue and {digitals} digital channels; at most {MAX_CHANNELS}")
    return analogs, digitals


def _analog(row: Sequence[bytes], says: text, lines: _Lines) -> Analog:
    name, phase, unit = says(row[1]), says(row[2]), says(row[4])
    numbers = [_number(cell, f"value of channel {name!r}", lines, empty=0.0) for cell in row[5:10]]
    numbers += [0.0] * (5 - len(numbers))
    factor, offset, _, low, high = numbers
    kind = kind_of(unit, name)
    scale = scale_of(unit) * _ratio(row, lines)
    found = phase_of(phase, name) if kind != "other" else ("", name)
    component = says(row[3])
    group = found[1] if not component or component.isdigit() else f"{found[1]} ({component})"
    return Analog(name, found[0], kind, group, factor * scale, offset * scale, low, high)


def _ratio(row: Sequence[bytes], lines: _Lines) -> float:
    """Primary to secondary side, where values are of the secondary one."""
    if len(row) < 13 or row[12].upper() != b"S":
        return 1.0
    first, second = (_number(cell, "transformer ratio", lines, empty=0.0) for cell in row[10:12])
    ratio = first / second if second else 0.0
    return ratio if 1e-3 < ratio < 1e6 else 1.0


def _rates(lines: _Lines) -> tuple[tuple[float, int], ...]:
    count = _whole(lines.cells("the number of sampling rates")[0], lines)
    if count > MAX_RATES:
        lines.wrong(f"{count} sampling rates; at most {MAX_RATES}")
    rates: list[tuple[float, int]] = []
    for _ in range(max(1, count)):
        rate, last = lines.cells("a sampling rate and its last sample", 2)[:2]
        hertz, end = _number(rate, "sampling rate", lines, empty=0.0), _whole(last, lines)
        if hertz < 0 or hertz > 1e8 or end < (rates[-1][1] if rates else 1):
            lines.wrong(f"{hertz:g} samples a second up to sample {end}")
        rates.append((hertz if count else 0.0, end))
    return tuple(rates)


def _whole(cell: bytes, lines: _Lines) -> int:
    if not cell.isdigit() or len(cell) > 9:
        lines.wrong(f"{cell[:20].decode('latin-1')!r} is not a whole number")
    return int(cell)


def _number(cell: bytes, what: str, lines: _Lines, *, empty: float) -> float:
    if not cell:
        return empty
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        lines.wrong(f"{what} {cell[:20].decode('latin-1')!r}, not a number")
    return value


def _moment(cells: Sequence[bytes], revision: int) -> tuple[datetime | None, bool]:
    """(date and time, whether it has nanoseconds). A date that is none: not known.

    1991 has month/day/year, later revisions day/month/year; recorders mix them up, so that a
    month above 12 is a day.
    """
    told = b" ".join(cells[:2]).decode("latin-1")
    found = re.fullmatch(
        r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{2}|\d{4}) "
        r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{0,9}))?\W*",
        told,
    )
    if found is None:
        return None, False
    one, two, year, hour, minute, second = (int(found[i]) for i in range(1, 7))
    month, day = (one, two) if revision == 1991 else (two, one)
    if month > 12:
        month, day = day, month
    if year < 100:
        year += 2000 if year < 80 else 1900
    digits = found[7] or ""
    try:
        micro = int(f"{digits:0<6}"[:6])
        when = datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
    except ValueError:
        return None, False
    return when, len(digits) > 6


def _zone(cell: bytes) -> timedelta | None:
    """`-5h30`, `8`, `0` (IEC 60255-24:2013, time_code); `x`: not applicable."""
    found = re.fullmatch(rb"([+-]?)(\d{1,2})(?:[hH](\d{1,2}))?", cell)
    if found is None:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return -offset if found[1] == b"-" else offset
