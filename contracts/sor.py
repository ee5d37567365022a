"""OTDR files (Bellcore GR-196 version 1, Telcordia SR-4731 version 2) as traces whose distances are
those of the fibre.

Pure: bytes in, a `Trace` or `Permanent` out. Two corrections are made, each worth up to a
kilometre in files of the field: sample 0 lies `front_panel_offset` before the instrument's socket
(or at `acquisition_offset`, a negative time, where a maker says it that way), and the fibre of
interest begins `user_offset` behind it (a launch fibre). An instrument's own event table is already
counted from there. Times in the file are one-way, in 0.1 ns; a distance is time x c / index of
refraction.

Layout: SR-4731 issue 2 as open readers of it (pyOTDR, otdrparser, otdrs) describe it, checked
against files of six makers. Version 1 has no `Map` header, no block names inside the blocks, and
fewer fields. Tables that a trace can do without (general parameters, key events) may be broken.
"""

from __future__ import annotations

import struct
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import Permanent
from contracts.nouns import Trace, TraceEvent

M_PER_TICK = 299_792_458.0 * 1e-10
"""Metres that light travels in vacuum in a tick of 0.1 ns."""
USUAL_INDEX = ((1450.0, 1.4677), (3000.0, 1.4682))
"""Group index of G.652 fibre (makers' data sheets) up to a wavelength in nm, where a file has
none."""
INDEX_ERROR = 1e-4
"""Relative error of distances by an index that somebody set: fibres vary in the fourth digit ..."""
ASSUMED_INDEX_ERROR = 1.5e-3
"""... and by one that had to be assumed: single-mode fibres have 1.4660 to 1.4700."""
MAX_SAMPLES = 2_000_000
"""Far above any instrument's (256 k); a bound against made-up counts."""
UNREAD_SAMPLES = 64
"""As many zeros at the end of a file are samples that were never read out: 0 is the strongest
signal there can be, and no fibre ends in it."""
_NO_REFLECTANCE_DB = -1000.0  # instruments write -2147483.647 for "no reflection"
_FIBRE_TYPES = range(651, 661)  # ITU-T G.651 to G.657, and makers' own
_TENTHS = ("OFL250",)
"""Instruments that store a tenth of their sample spacing ... tenfold (known from pyOTDR)."""


class Head(msgspec.Struct, frozen=True):
    """What FxdParams says of a measurement."""

    seconds: int
    """When it was taken, Unix time; 0: not said."""
    wavelength_nm: float
    """As stored; makers differ in its decimal."""
    offset: int
    """Ticks from the instrument's socket to the first sample, usually negative."""
    pulse_ns: float
    spacing: float
    """Ticks between samples."""
    index: float
    """Group index of refraction; 0: not said."""


def parse_sor(data: bytes, device: str, at: datetime, received_at: datetime) -> Trace:
    """The trace in one file of version 1 or 2.

    `power_db` has shape (samples,), higher is stronger; sample i lies at
    `first_m + i * spacing_m` metres from the fibre's start, and `events` count from there too.

    Raises Permanent: `bad_trace` when it is no such file or has no samples, `trace_all_zero` when
    every sample is the same (a failed read-out, not a cut fibre).
    """
    blocks, second = _blocks(data)
    head = _head(blocks, second)
    nominal, user = _general(blocks.get("GenParams", b""), second)
    wavelength = _wavelength(head.wavelength_nm, nominal)
    index, index_error = _index(head.index, wavelength)
    metres = M_PER_TICK / index
    spacing_m = head.spacing * metres
    if any(name.encode() in blocks.get("SupParams", b"") for name in _TENTHS):
        spacing_m /= 10
    if not 1e-4 <= spacing_m <= 1_000.0:
        raise Permanent("bad_trace", f"a sample every {spacing_m:g} m is no OTDR's")
    power_db = _samples(blocks.get("DataPts", b""))
    first = head.offset - user
    if abs(first) * metres > max(power_db.size * spacing_m, 1e4):
        first = 0  # nonsense: further off than the whole trace is long
    return Trace(
        device=device,
        at=at,
        received_at=received_at,
        spacing_m=spacing_m,
        first_m=0.0 + first * metres,
        power_db=power_db,
        events=_events(blocks.get("KeyEvents", b""), second, metres),
        wavelength_nm=wavelength,
        pulse_ns=head.pulse_ns,
        data=data,
        scale_error=index_error,
    )


def taken(data: bytes) -> int:
    """When a file's trace was taken, Unix seconds; 0 where it does not say.

    Raises Permanent `bad_trace` when it is no such file.
    """
    return _head(*_blocks(data)).seconds


def _blocks(data: bytes) -> tuple[dict[str, bytes], bool]:
    """(name → bytes of each block without its name, whether it is version 2)."""
    second = data.startswith(b"Map\0")
    at = 4 if second else 0
    blocks: dict[str, bytes] = {}
    try:
        version, size, count = struct.unpack_from("<HIH", data, at)
        if not (100 <= version < 1000 and 8 <= size < 65536 and 2 <= count < 256):
            raise ValueError("no map of blocks at its start")
        at, body = at + 8, size
        for _ in range(count - 1):
            end = data.index(b"\0", at, at + 64)
            name = data[at:end].decode("latin-1")
            (length,) = struct.unpack_from("<I", data, end + 3)
            piece = data[body : body + length]
            if len(piece) < length and name in ("FxdParams", "DataPts"):
                raise Permanent(
                    "bad_trace",
                    f"the OTDR file was cut off in block {name}: {len(piece)} of {length} bytes "
                    "are there",
                )
            blocks[name] = piece.removeprefix(name.encode("latin-1") + b"\0")
            at, body = end + 7, body + length
    except (ValueError, struct.error) as error:
        raise Permanent(
            "bad_trace", f"not an OTDR file (SR-4731 version 1 or 2): {error}"
        ) from None
    return blocks, second


def _head(blocks: dict[str, bytes], second: bool) -> Head:
    body = blocks.get("FxdParams")
    if body is None:
        raise Permanent("bad_trace", "the OTDR file has no FxdParams block: no scale, no trace")
    try:
        seconds, _, wavelength, acquisition = struct.unpack_from("<I2sHi", body)
        at = 16 if second else 12
        (pulses,) = struct.unpack_from("<H", body, at)
        if pulses != 1:
            raise ValueError(f"it has {pulses} pulse widths; exactly one trace is supported")
        pulse, spacing, _, index = struct.unpack_from("<HIII", body, at + 2)
        (panel,) = struct.unpack_from("<i", body, 48 if second else 38)
    except (struct.error, ValueError) as error:
        raise Permanent(
            "bad_trace", f"block FxdParams of the OTDR file is broken: {error}"
        ) from None
    return Head(
        seconds=seconds,
        wavelength_nm=wavelength / 10,
        offset=acquisition if acquisition and not panel else -panel,
        pulse_ns=float(pulse),
        spacing=spacing * 1e-4,  # stored in 10^-14 s
        index=index * 1e-5,
    )


def _general(body: bytes, second: bool) -> tuple[float, float]:
    """(nominal wavelength in nm, user offset in ticks); 0 for what cannot be read."""
    try:
        at = 1 if body[:1] == b"\0" else 0  # some makers end the block's name twice
        if body[at : at + 2].isalpha() and body[at : at + 2].isupper():
            at += 2  # language; some leave it out
        for _ in range(2):
            at = body.index(b"\0", at) + 1  # cable, fibre
        if second:
            # A fibre type is the one landmark where makers slip in bytes of their own.
            at = next(
                i + 2
                for i in range(at, at + 16)
                if struct.unpack_from("<H", body, i)[0] in _FIBRE_TYPES
            )
        (nominal,) = struct.unpack_from("<H", body, at)
        at += 2
        for _ in range(3):
            at = body.index(b"\0", at) + 1  # its ends, cable code
        (user,) = struct.unpack_from("<i", body, at + 2)  # behind the build condition
    except (struct.error, ValueError, IndexError, StopIteration):
        return 0.0, 0.0
    return float(nominal), float(user)


def _wavelength(stored: float, nominal: float) -> float:
    """Nanometres; some makers store a tenth of it, or ten times. 0 where nothing makes sense."""
    return next((nm for nm in (stored, nominal, stored * 10) if 600 <= nm <= 2000), 0.0)


def _index(stored: float, wavelength: float) -> tuple[float, float]:
    """(group index of refraction, relative error of distances by it)."""
    for index in (stored, stored * 10, stored / 10):
        if 1.3 <= index <= 1.7:
            return index, INDEX_ERROR
    if stored:
        raise Permanent("bad_trace", f"a refractive index of {stored:g} is no glass fibre's")
    return next(n for limit, n in USUAL_INDEX if wavelength < limit), ASSUMED_INDEX_ERROR


def _samples(body: bytes) -> NDArray[np.float64]:
    """The samples in dB, shape (samples,), read-only: the file counts downwards from 0."""
    try:
        count, traces, again, scale = struct.unpack_from("<IHIH", body)
    except struct.error:
        raise Permanent("bad_trace", "the OTDR file has no whole DataPts block: no trace") from None
    if traces != 1 or again != count:
        raise Permanent(
            "bad_trace",
            f"the OTDR file holds {traces} traces of {count} and {again} samples; exactly one "
            "trace is supported",
        )
    if not 2 <= count <= MAX_SAMPLES or len(body) < 12 + 2 * count:
        raise Permanent(
            "bad_trace",
            f"the OTDR file says {count} samples but has room for {(len(body) - 12) // 2}",
        )
    raw = np.frombuffer(body, dtype="<u2", count=count, offset=12)
    if bool((raw == raw[0]).all()) or not scale:
        raise Permanent(
            "trace_all_zero",
            "every sample of the OTDR trace is zero or the same: its read-out failed, which says "
            "nothing about the fibre",
        )
    read = int(np.flatnonzero(raw)[-1]) + 1
    if count - read >= UNREAD_SAMPLES:
        raw = raw[:read]
    power: NDArray[np.float64] = raw * (-scale / 1e6)
    power.setflags(write=False)
    return power


def _events(body: bytes, second: bool, metres: float) -> tuple[TraceEvent, ...]:
    """The instrument's own table, as far as it can be read."""
    found: list[TraceEvent] = []
    try:
        (count,) = struct.unpack_from("<H", body)
        at = 2
        for _ in range(min(count, 10_000)):
            _, ticks, _, loss, back, code = struct.unpack_from("<HIhhi8s", body, at)
            at = body.index(b"\0", at + (42 if second else 22)) + 1
            found.append(_event(code.decode("latin-1"), ticks * metres, loss / 1000, back / 1000))
    except (struct.error, ValueError):
        return ()  # half a table is worse than none: its end is what is missing
    return tuple(found)


def _event(code: str, distance: float, loss: float, back: float) -> TraceEvent:
    reflective = code[0] in "12"
    kind = "reflective" if reflective else "non_reflective"
    if code[1] in "ED":  # end of fibre, as found or as moved by a person
        kind = "end"
    elif code[1] == "O":  # the instrument lost the fibre in its noise: no end was found
        kind = "out_of_range"
    # Reflectance is negative by definition; some makers store its size. 0 and the sentinel: none.
    reflectance = -abs(back) if reflective and back and back > _NO_REFLECTANCE_DB else None
    return TraceEvent(distance, loss, reflectance, kind)
