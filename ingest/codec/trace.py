"""`trace`: one OTDR file (Telcordia SR-4731 version 2) becomes a Trace.

Blocks are parsed one by one by `otdrparser`, so that a broken table of key events does not cost
us the trace; the samples are read as an array. Distances count from the fibre's start: the
first sample lies `front_panel_offset` + `user_offset` before it (checked on files of four makers:
the end event then stands on the end's reflection), and the event table already counts from there.
"""

from __future__ import annotations

import io
import math
import struct
from datetime import datetime
from typing import Any, Final

import numpy as np
import otdrparser
from numpy.typing import NDArray

from contracts.errors import Permanent
from contracts.nouns import Trace, TraceEvent

M_PER_100PS: Final = 299_792_458.0 * 1e-10
"""Metres that light travels in vacuum in 100 ps, the unit of SR-4731."""
MAX_SAMPLES: Final = 2_000_000
_NO_REFLECTANCE: Final = -1000.0
"""Makers write -2147483.647 for 'none'."""

# What otdrparser's readers raise on broken input, beside its own OTDRParserError (a ValueError).
_BROKEN = (ValueError, IndexError, KeyError, struct.error, ArithmeticError, TypeError)


def decode(data: bytes, device: str, at: datetime, received_at: datetime) -> Trace:
    """The trace in `data`, distances corrected. `at` is when it was taken.

    Raises Permanent `empty`, `bad_trace`, `trace_all_zero`.
    """
    if not data:
        raise Permanent("empty", "the payload is empty; an OTDR file was expected")
    blocks = _blocks(data)
    fixed = _parsed("FxdParams", blocks, otdrparser.parse_fxdparams_block)
    if fixed is None:
        raise Permanent("bad_trace", "the OTDR file has no FxdParams block: no scale, no trace")
    general = _lenient("GenParams", blocks, otdrparser.parse_genparams_block) or {}
    index = float(fixed["index_of_refraction"])
    if not 1.0 <= index <= 3.0:
        raise Permanent("bad_trace", f"a refractive index of {index:g} is no glass fibre's")
    metres = M_PER_100PS / index
    spacing_m = float(fixed["sample_spacing"]) * 1e-4 * metres  # unit: 10^-14 s
    if not 1e-4 <= spacing_m <= 1_000.0:
        raise Permanent("bad_trace", f"a sample every {spacing_m:g} m is no OTDR's")
    power_db = _samples(blocks)
    table = _lenient(
        "KeyEvents", blocks, lambda fp, n: otdrparser.parse_keyevents_block(fp, n, index)
    )
    events = tuple(_event(raw) for raw in table["events"]) if table else ()
    return Trace(
        device=device,
        at=at,
        received_at=received_at,
        spacing_m=spacing_m,
        first_m=0.0 - _offset_m(fixed, general, metres),
        power_db=power_db,
        events=events,
        wavelength_nm=_wavelength_nm(fixed, general),
        pulse_ns=float(fixed["pulse_width"]),
        data=data,
    )


def _blocks(data: bytes) -> dict[str, bytes]:
    """Name → bytes of each block, as the map block lays them out."""
    stream = io.BytesIO(data)
    try:
        table = otdrparser.parse_map_block(stream)
    except _BROKEN as error:
        raise Permanent("bad_trace", f"not an OTDR file (SR-4731, version 2): {error}") from None
    blocks: dict[str, bytes] = {}
    for entry in table["maps"]:
        piece = stream.read(entry["numbytes"])
        if len(piece) < entry["numbytes"] and entry["name"] in ("FxdParams", "DataPts"):
            raise Permanent(
                "bad_trace",
                f"the OTDR file was cut off in block {entry['name']}: {len(piece)} of "
                f"{entry['numbytes']} bytes are there",
            )
        blocks[entry["name"]] = piece
    return blocks


def _parsed(name: str, blocks: dict[str, bytes], parse: Any) -> dict[str, Any] | None:
    piece = blocks.get(name)
    if piece is None:
        return None
    try:
        block: dict[str, Any] = parse(io.BytesIO(piece), len(piece))
    except _BROKEN as error:
        raise Permanent("bad_trace", f"block {name} of the OTDR file is broken: {error}") from None
    return block


def _lenient(name: str, blocks: dict[str, bytes], parse: Any) -> dict[str, Any] | None:
    """A block that we can do without: None when it is missing or broken."""
    try:
        return _parsed(name, blocks, parse)
    except Permanent:
        return None


def _samples(blocks: dict[str, bytes]) -> NDArray[np.float64]:
    """Power in dB, higher is stronger; the file counts thousandths of a dB downwards."""
    piece = blocks.get("DataPts")
    head = len(b"DataPts\0") + 12
    if piece is None or len(piece) < head or not piece.startswith(b"DataPts\0"):
        raise Permanent("bad_trace", "the OTDR file has no whole DataPts block: no trace")
    points, traces, again, scale = struct.unpack_from("<IHIH", piece, 8)
    if traces != 1 or again != points:
        raise Permanent(
            "bad_trace",
            f"the OTDR file holds {traces} traces of {points} and {again} samples; exactly one "
            "trace is supported",
        )
    if not 2 <= points <= MAX_SAMPLES or len(piece) < head + 2 * points:
        raise Permanent(
            "bad_trace",
            f"the OTDR file says {points} samples but has room for {(len(piece) - head) // 2}",
        )
    raw = np.frombuffer(piece, dtype="<u2", count=points, offset=head)
    if not raw.any() or not scale:
        raise Permanent(
            "trace_all_zero", "instrument read-out failure: every sample of the trace is zero"
        )
    power: NDArray[np.float64] = raw.astype(np.float64)
    power *= -scale / 1_000_000
    power.setflags(write=False)
    return power


def _offset_m(fixed: dict[str, Any], general: dict[str, Any], metres: float) -> float:
    """How far before the fibre's start the first sample lies."""
    user = float(general.get("user_offset", 0)) * metres
    if not user:
        # Makers that fill in only the distance give it in decimetres.
        user = float(general.get("user_offset_distance", 0)) / 10
    panel = float(fixed["front_panel_offset"]) * metres
    offset = panel + user
    return offset if math.isfinite(offset) and abs(offset) < 1e6 else 0.0


def _wavelength_nm(fixed: dict[str, Any], general: dict[str, Any]) -> float:
    """Nanometres; some makers store the actual wavelength without its decimal."""
    actual = float(fixed["wavelength"])
    if 600 <= actual <= 2000:
        return actual
    nominal = float(general.get("wavelength", 0))
    return nominal if 600 <= nominal <= 2000 else actual * 10


def _event(raw: dict[str, Any]) -> TraceEvent:
    kind, note = (raw["event_type"] + "  ")[:2]
    shape = "reflective" if kind in "12" else "non_reflective"
    name = "end" if note in "ED" else shape
    back = float(raw["reflection_loss"])
    # Reflectance is negative by definition; some makers store its size. 0 and the sentinel: none.
    reflectance = -abs(back) if back and back > _NO_REFLECTANCE else None
    return TraceEvent(
        float(raw["distance_of_travel"]), float(raw["splice_loss"]), reflectance, name
    )
