"""The samples (`.dat`): counts to volts and amperes of the channels whose phase is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.comtrade.cfg import Analog, Config, Kind, read_config
from contracts.comtrade.files import files
from contracts.errors import Permanent

MAX_SAMPLES: Final = 2_000_000
MAX_VALUES: Final = 8_000_000
"""Samples x analogue channels of a record; 4.4 million in one of a 220 kV substation."""
MAX_GAPPY: Final = 2_000_000
"""Values of a text in which some are missing: read one by one."""
_NONE: Final = {"binary": -(2**15), "binary32": -(2**31)}
"""What stands where there is no value."""
_NONE_ASCII: Final = 99_999.0


class Wave(msgspec.Struct, frozen=True):
    """One channel."""

    name: str
    phase: str
    """`a`, `b`, `c`, `n`, or between two of them `ab`, `bc`, `ca`."""
    kind: Kind
    group: str
    values: NDArray[np.float64]
    """Volts or amperes, shape (samples,); NaN where the recorder had none."""


class Disturbance(msgspec.Struct, frozen=True):
    """A decoded record."""

    station: str
    recorder: str
    revision: int
    frequency_hz: float
    times: NDArray[np.float64]
    """Seconds since the first sample, rising, shape (samples,)."""
    trigger_s: float | None
    """Seconds since the first sample; None: not known."""
    triggered: datetime | None
    """What the recorder's clock showed, of the first sample where it names no trigger: UTC if
    `zoned`, else in whatever zone, called UTC."""
    zoned: bool
    waves: tuple[Wave, ...]
    """Voltages and currents of known phase, in the file's order."""
    channels: int
    """All channels, also those left out."""


def read_record(data: bytes) -> Disturbance:
    """The record in `data`: a `.cff`, or a zip of `.cfg` and `.dat`.

    Raises Permanent `empty`, `bad_record`, `too_large`.
    """
    config_bytes, samples = files(data)
    config = read_config(config_bytes)
    count, width = config.samples, len(config.analog)
    if not 2 <= count <= MAX_SAMPLES or count * max(1, width) > MAX_VALUES:
        raise Permanent(
            "too_large" if count > 2 else "bad_record",
            f"the .cfg says {count:,} samples of {width} analogue channels; taken are 2 to "
            f"{MAX_SAMPLES:,} samples and {MAX_VALUES:,} values",
        )
    wanted = [i for i, one in enumerate(config.analog) if one.phase and one.kind != "other"]
    read = _ascii if config.form == "ascii" else _binary
    stamps, counts = read(config, samples, wanted)
    waves = []
    for k, i in enumerate(wanted):
        one = config.analog[i]
        waves.append(Wave(one.name, one.phase, one.kind, one.group, _values(one, counts[k])))
    times = _times(config, stamps)
    return Disturbance(
        station=config.station,
        recorder=config.recorder,
        revision=config.revision,
        frequency_hz=config.frequency_hz,
        times=times,
        trigger_s=_trigger_s(config, times),
        triggered=_triggered(config),
        zoned=config.utc_offset is not None,
        waves=tuple(waves),
        channels=width + config.digitals,
    )


def _binary(
    config: Config, data: bytes, wanted: list[int]
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """(time stamps, counts of the wanted channels), each of shape (samples,)."""
    count = _there(config, len(data) // config.row_bytes, "binary")
    form: Any = {"binary": "<i2", "binary32": "<i4", "float32": "<f4"}[config.form]
    row = np.dtype(
        {
            "names": ["n", "t", "v"],
            "formats": ["<u4", "<u4", (form, (len(config.analog),))],
            "offsets": [0, 4, 8],
            "itemsize": config.row_bytes,
        }
    )
    rows = np.frombuffer(data, dtype=row, count=count)
    first = rows["n"][:64].astype(np.int64)
    if np.mean(np.diff(first) == 1) < 0.5:
        raise Permanent(
            "bad_record",
            f"the .dat does not fit the .cfg, which says {config.row_bytes} bytes a sample "
            f"({config.form.upper()}): the samples' numbers do not count up",
        )
    stamps = rows["t"].astype(np.float64)
    stamps[rows["t"] == 0xFFFFFFFF] = np.nan
    counts = []
    for i in wanted:
        column = rows["v"][:, i].astype(np.float64)
        none = _NONE.get(config.form)
        if none is not None:
            column[column == none] = np.nan
        counts.append(column)
    return stamps, counts


def _ascii(
    config: Config, data: bytes, wanted: list[int]
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """As `_binary`, of lines of numbers."""
    lines = [line for line in data.replace(b"\x1a", b"").splitlines() if line.strip()]
    count = _there(config, len(lines), "text")
    columns = [1, *(2 + i for i in wanted)]
    try:
        table = np.loadtxt(lines[:count], delimiter=",", usecols=columns, comments=None, ndmin=2)
    except ValueError:
        table = _with_gaps(lines[:count], columns)
    stamps, counts = table[:, 0], [table[:, k] for k in range(1, len(columns))]
    for column, i in zip(counts, wanted, strict=True):
        one = config.analog[i]
        if not one.low <= _NONE_ASCII <= one.high:
            column[column == _NONE_ASCII] = np.nan
    return stamps, counts


def _with_gaps(lines: list[bytes], columns: list[int]) -> NDArray[np.float64]:
    """Lines in which values may be empty, slowly. Raises Permanent at what is no number."""
    if len(lines) * len(columns) > MAX_GAPPY:
        raise Permanent("too_large", f"a .dat with gaps, of more than {MAX_GAPPY:,} values")
    table = np.full((len(lines), len(columns)), np.nan)
    for number, line in enumerate(lines):
        cells = line.split(b",")
        if len(cells) <= columns[-1]:
            told = f"{len(cells)} values, not {columns[-1] + 1} or more"
            raise Permanent("bad_record", f"the .dat, line {number + 1}: {told}")
        try:
            for k, column in enumerate(columns):
                if cell := cells[column].strip():
                    table[number, k] = float(cell)
        except ValueError:
            told = f"{cell[:20].decode('latin-1')!r} is not a number"
            raise Permanent("bad_record", f"the .dat, line {number + 1}: {told}") from None
    return table


def _there(config: Config, found: int, what: str) -> int:
    """How many samples are taken."""
    if found < 0.9 * config.samples or found < 2:
        raise Permanent(
            "bad_record",
            f"the .dat ({what}) was cut off or is another's: {found:,} of {config.samples:,} "
            "samples are there",
        )
    return min(found, config.samples)


def _values(one: Analog, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    values = counts * one.factor
    values += one.offset
    values[~np.isfinite(values)] = np.nan
    values.setflags(write=False)
    return values


def _times(config: Config, stamps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds since the first sample: by the rates where there are, else by the time stamps."""
    count = len(stamps)
    if all(rate > 0 for rate, _ in config.rates):
        steps, before = np.empty(count), 0
        for rate, last in config.rates:
            steps[before:last] = 1.0 / rate
            before = last
        times = np.concatenate(([0.0], np.cumsum(steps[:-1])))
    else:
        times = (stamps - stamps[0]) * config.tick_s
    if not np.isfinite(times).all() or (np.diff(times) <= 0).any() or times[-1] > 86_400:
        raise Permanent("bad_record", "the samples' times do not rise, or span more than a day")
    times.setflags(write=False)
    return times


def _trigger_s(config: Config, times: NDArray[np.float64]) -> float | None:
    if config.started is None or config.triggered is None:
        return None
    after = (config.triggered - config.started).total_seconds()
    return after if 0 <= after <= times[-1] else None


def _triggered(config: Config) -> datetime | None:
    """The trigger's time, of the first sample where there is no trigger's."""
    when = config.triggered or config.started
    if when is None or config.utc_offset is None:
        return when
    try:
        return when - config.utc_offset
    except OverflowError:
        return None
