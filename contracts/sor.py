"""OTDR files (Telcordia SR-4731, `.sor`) as traces whose distances are those of the fibre.

Pure: bytes in, a `Trace` or `Permanent` out. Two corrections are made, each worth up to a
kilometre in files of the field: sample 0 lies `front_panel_offset` before the instrument's socket,
and the fibre of interest begins `user_offset` behind it (a launch fibre). An instrument's own event
table is already counted from there. Times in the file are one-way, in 0.1 ns; a distance is
time x c / index of refraction.
"""

from __future__ import annotations

import io
import struct
from datetime import datetime
from typing import Any

import numpy as np

from contracts.errors import Permanent
from contracts.nouns import Trace, TraceEvent

LIGHT_M_PER_NS = 0.299792458  # speed of light in vacuum
_NO_REFLECTANCE_DB = -1000.0  # instruments write -2147483.647 for "no reflection"
_MAX_SAMPLES = 4_000_000  # far above any instrument's (256 k); a bound against made-up counts


def parse_sor(data: bytes, device: str, at: datetime, received_at: datetime) -> Trace:
    """The trace in one SR-4731 version 2 file.

    `power_db` has shape (samples,), higher is stronger; sample i lies at
    `first_m + i * spacing_m` metres from the fibre's start, and `events` count from there too.

    Raises Permanent: `trace_unreadable` when it is no such file, `trace_empty` when it has no
    samples, `trace_all_zero` when every sample is the same (a failed read-out, not a cut fibre).
    """
    try:
        blocks = _blocks(data)
        fixed, samples = blocks["FxdParams"], _samples(blocks["DataPts"])
        ior = float(fixed["index_of_refraction"])
        metres_per_ns = LIGHT_M_PER_NS / ior
        spacing_m = float(fixed["sample_spacing"]) * 1e-4 * metres_per_ns * 0.1
        general = blocks.get("GenParams", {})
        before_ns = 0.1 * (fixed["front_panel_offset"] + general.get("user_offset", 0))
        events = tuple(_event(e, metres_per_ns) for e in blocks.get("KeyEvents", _NONE)["events"])
    except KeyError as missing:
        raise Permanent(
            "trace_unreadable", f"the OTDR file has no {missing.args[0]} block"
        ) from missing
    except (ValueError, IndexError, TypeError, ZeroDivisionError, struct.error) as error:
        raise Permanent(
            "trace_unreadable", f"this is not a Telcordia SR-4731 version 2 file: {error}"
        ) from error
    if not 1.0 <= ior <= 2.0:
        raise Permanent("trace_unreadable", f"the index of refraction {ior} is none of a fibre")
    if len(samples) == 0:
        raise Permanent("trace_empty", "the OTDR file has no samples")
    if bool((samples == samples[0]).all()):
        raise Permanent(
            "trace_all_zero",
            "every sample of the OTDR trace is the same: its read-out failed, which says nothing "
            "about the fibre",
        )
    wavelength = float(fixed["wavelength"])
    if wavelength < 500:  # some instruments store a tenth of it
        wavelength = float(general.get("wavelength", wavelength * 10))
    return Trace(
        device=device,
        at=at,
        received_at=received_at,
        spacing_m=spacing_m,
        first_m=-before_ns * metres_per_ns,
        power_db=samples,
        events=events,
        wavelength_nm=wavelength,
        pulse_ns=float(fixed["pulse_width"]),
        data=data,
    )


_NONE: dict[str, Any] = {"events": ()}


def _blocks(data: bytes) -> dict[str, Any]:
    """The blocks a trace needs, parsed; `DataPts` as its raw bytes."""
    import otdrparser  # heavy to import, and only OTDR sites need it

    stream = io.BytesIO(data)
    table = otdrparser.parse_map_block(stream)
    found: dict[str, Any] = {}
    raw = {entry["name"]: stream.read(entry["numbytes"]) for entry in table["maps"]}
    if "FxdParams" in raw:
        found["FxdParams"] = otdrparser.parse_fxdparams_block(
            io.BytesIO(raw["FxdParams"]), len(raw["FxdParams"])
        )
    if "GenParams" in raw:
        found["GenParams"] = otdrparser.parse_genparams_block(
            io.BytesIO(raw["GenParams"]), len(raw["GenParams"])
        )
    if "KeyEvents" in raw:
        ior = found["FxdParams"]["index_of_refraction"]
        found["KeyEvents"] = otdrparser.parse_keyevents_block(
            io.BytesIO(raw["KeyEvents"]), len(raw["KeyEvents"]), ior
        )
    if "DataPts" in raw:
        found["DataPts"] = raw["DataPts"]
    return found


def _samples(block: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The samples in dB, shape (samples,), read-only."""
    start = block.index(b"\0") + 1
    count, traces, again, scale = struct.unpack_from("<IHIH", block, start)
    if traces != 1 or again != count:
        raise ValueError(f"it holds {traces} traces of {count} and {again} samples, not one")
    if count > _MAX_SAMPLES or scale == 0:
        raise ValueError(f"{count} samples at scale {scale} cannot be")
    raw = np.frombuffer(block, dtype="<u2", count=count, offset=start + 12)
    power: np.ndarray[tuple[int], np.dtype[np.float64]] = raw * (-scale / 1e6)
    power.flags.writeable = False
    return power


def _event(row: dict[str, Any], metres_per_ns: float) -> TraceEvent:
    code = str(row["event_type"])
    reflective = code[0] in "12"
    kind = "reflective" if reflective else "non_reflective"
    if code[1] in "ED":  # end of fibre, as found or as moved by a person
        kind = "end"
    elif code[1] == "O":  # the instrument lost the fibre in its noise: no end was found
        kind = "out_of_range"
    reflectance = float(row["reflection_loss"])
    known = reflective and reflectance > _NO_REFLECTANCE_DB and reflectance != 0
    return TraceEvent(
        distance_m=float(row["time_of_travel"]) * metres_per_ns,
        loss_db=float(row["splice_loss"]),
        reflectance_db=-abs(reflectance) if known else None,
        kind=kind,
    )
