"""`trace`: one OTDR file (Telcordia SR-4731, version 1 or 2) becomes a Trace."""

from __future__ import annotations

from datetime import datetime

from contracts.errors import Permanent
from contracts.nouns import Trace
from contracts.sor import parse_sor


def decode(data: bytes, device: str, at: datetime, received_at: datetime) -> Trace:
    """The trace in `data`, distances corrected. `at` is when it was taken.

    Raises Permanent `empty`, `bad_trace`, `trace_all_zero`.
    """
    if not data:
        raise Permanent("empty", "the payload is empty; an OTDR file was expected")
    return parse_sor(data, device, at, received_at)
