"""Writes OTDR traces as Telcordia SR-4731 issue 2 (`.sor`, version 2.00) files, or as version 1.00
(Bellcore GR-196) ones: no `Map` header, no names in the blocks, fewer fields.

Field layout after the format descriptions of pyOTDR and otdrparser; the checksum is CRC-16/CCITT
(polynomial 0x1021, start 0xFFFF) over everything before it, as instruments of the field write it.
"""

from __future__ import annotations

import binascii
import struct
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.clock import epoch_ms

LIGHT_M_PER_NS = 0.299792458
SCALE = 1000  # data points are stored in 0.001 dB below the instrument's full scale
VERSION = {1: 100, 2: 200}


class KeyEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the instrument's own event table."""

    distance_m: float
    loss_db: float
    reflectance_db: float = 0.0
    """0 where nothing is reflected."""
    slope_db_per_km: float = 0.35
    code: str = "0F9999LS"
    """SR-4731 event code: reflective?, found or End, landmark, loss method."""


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement, ready to be written."""

    at: datetime
    power_db: NDArray[np.float64]
    """Relative power from the first sample on, dB, 0 the strongest, falling; shape (samples,)."""
    spacing_m: float
    events: tuple[KeyEvent, ...]
    cable: str = ""
    fibre: str = ""
    wavelength_nm: int = 1550
    pulse_ns: int = 30
    index: float = 1.4682
    """Group index of refraction of G.652 at 1550 nm."""
    serial: str = "0000"
    version: int = 2
    """1 or 2."""
    front_panel_m: float = 0.0
    """The first sample lies this far before the instrument's socket."""
    user_offset_m: float = 0.0
    """The fibre of interest begins this far behind the socket (a launch fibre)."""
    stored_index: float | None = None
    """The index as written, where a maker leaves it out (0); distances use `index`."""
    stored_wavelength: float = 1.0
    """Factor on the wavelength as written: some makers store a tenth of it."""


def _text(*parts: str) -> bytes:
    return b"".join(p.encode("latin-1", "replace") + b"\0" for p in parts)


def _ticks(distance_m: float, index: float) -> int:
    """One-way travel time in 0.1 ns."""
    return round(distance_m * index / LIGHT_M_PER_NS * 10)


def spacing_on_file(spacing_m: float, index: float) -> float:
    """The sample spacing in metres as the file can express it (10^-14 s steps)."""
    return _spacing_ticks(spacing_m, index) * 1e-5 * LIGHT_M_PER_NS / index


def _spacing_ticks(spacing_m: float, index: float) -> int:
    return round(spacing_m * index / LIGHT_M_PER_NS * 1e5)


def _general(shot: Shot) -> bytes:
    user = _ticks(shot.user_offset_m, shot.index)
    second = shot.version == 2
    return (
        b"EN"
        + _text(shot.cable, shot.fibre)
        + (struct.pack("<H", 652) if second else b"")
        + struct.pack("<H", shot.wavelength_nm)
        + _text("", "", "")
        + b"CC"
        + struct.pack("<i", user)
        + (struct.pack("<i", round(shot.user_offset_m)) if second else b"")
        + _text("", "")
    )


def _fixed(shot: Shot) -> bytes:
    count = len(shot.power_db)
    reach = _ticks(count * shot.spacing_m, shot.index)
    second = shot.version == 2
    index = shot.index if shot.stored_index is None else shot.stored_index
    stored_nm = round(shot.wavelength_nm * 10 * shot.stored_wavelength)
    far = struct.pack("<i", round(count * shot.spacing_m * 10)) if second else b""
    return (
        struct.pack("<I", epoch_ms(shot.at) // 1000)
        + b"mt"
        + struct.pack("<Hi", stored_nm, 0)
        + (struct.pack("<i", 0) if second else b"")
        + struct.pack("<H", 1)
        + struct.pack("<HII", shot.pulse_ns, _spacing_ticks(shot.spacing_m, shot.index), count)
        + struct.pack("<IHI", round(index * 1e5), 815, 4096)
        + (struct.pack("<H", 150) if second else b"")
        + struct.pack("<I", reach)
        + far
        + struct.pack("<i", _ticks(shot.front_panel_m, shot.index))
        + struct.pack("<HhH", 45000, SCALE, 0)
        + struct.pack("<HHH", 50, 65000, 5000)  # thresholds: loss 0.05 dB, -65 dB, end 5 dB
        + (b"ST" + struct.pack("<iiii", 0, 0, 0, 0) if second else b"")
    )


def _key_events(shot: Shot) -> bytes:
    rows = [struct.pack("<H", len(shot.events))]
    ticks = [_ticks(e.distance_m, shot.index) for e in shot.events]
    for n, event in enumerate(shot.events):
        before = ticks[n - 1] if n else 0
        after = ticks[n + 1] if n + 1 < len(ticks) else ticks[n] + 1000
        rows.append(
            struct.pack(
                "<HIhhi",
                n + 1,
                ticks[n],
                round(event.slope_db_per_km * 1000),
                max(-32768, min(32767, round(event.loss_db * 1000))),
                round(event.reflectance_db * 1000),
            )
            + event.code.encode("ascii")
            + (
                struct.pack("<iiiii", before, ticks[n], ticks[n] + 300, after, ticks[n])
                if shot.version == 2
                else b""
            )
            + _text("")
        )
    end = ticks[-1] if ticks else 0
    total = round(sum(e.loss_db for e in shot.events[:-1]) * 1000)
    rows.append(struct.pack("<iiiHii", total, 0, end, 32000, 0, end))
    return b"".join(rows)


def _points(shot: Shot) -> bytes:
    below = np.clip(np.rint(-shot.power_db * 1e6 / SCALE), 0, 65535).astype("<u2")
    count = len(below)
    return struct.pack("<IHIH", count, 1, count, SCALE) + below.tobytes()


def encode(shot: Shot) -> bytes:
    """The bytes of a `.sor` file.

    Raises ValueError for an event code that is not eight characters or an empty trace.
    """
    if not len(shot.power_db):
        raise ValueError("a trace needs at least one sample")
    for event in shot.events:
        if len(event.code) != 8:
            raise ValueError(f"event code {event.code!r} must have eight characters")
    second = shot.version == 2
    bodies = {
        "GenParams": _general(shot),
        "SupParams": _text("Minjiang Optics", "MO-6400 RTU", shot.serial, "MO-1550", "", "2.4", ""),
        "FxdParams": _fixed(shot),
        **({"KeyEvents": _key_events(shot)} if shot.events else {}),
        "DataPts": _points(shot),
        "Cksum": b"\0\0",
    }
    version = VERSION[shot.version]
    blocks = {n: (_text(n) if second else b"") + body for n, body in bodies.items()}
    head = b"".join(
        _text(name) + struct.pack("<HI", version, len(body)) for name, body in blocks.items()
    )
    magic = _text("Map") if second else b""
    size = len(magic) + 8 + len(head)
    whole = magic + struct.pack("<HIH", version, size, len(blocks) + 1) + head
    whole += b"".join(blocks.values())
    body = whole[:-2]
    return body + struct.pack("<H", binascii.crc_hqx(body, 0xFFFF))
