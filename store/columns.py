"""Arrays of PostgreSQL as numpy columns: a thousand sensors' hour is parsed in some milliseconds.

The binary format (PostgreSQL's array_send): dimensions, a flag for nulls, the element type, length
and lower bound, 4 bytes each, then for each element its size in 4 bytes and the element.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import psycopg
from psycopg.adapt import Loader
from psycopg.pq import Format

_HEAD: Final = 20
_EPOCH_US: Final = 946_684_800_000_000
"""2000-01-01, from where PostgreSQL counts, in microseconds since 1970."""


class _Numbers(Loader):
    format = Format.BINARY
    element = ">f8"

    def load(self, data: Any) -> Any:
        """A column; an array with nulls or of another shape is a fault of the query."""
        raw = bytes(data)
        dimensions, nulls = np.frombuffer(raw, ">i4", 2) if len(raw) >= 8 else (0, 0)
        if dimensions == 0:
            return np.empty(0, self.element)
        if dimensions != 1 or nulls:
            raise ValueError("a column has one dimension and no nulls")
        pairs = np.frombuffer(raw, [("size", ">i4"), ("value", self.element)], offset=_HEAD)
        return pairs["value"].astype(self.element[1:])


class _Counts(_Numbers):
    element = ">i8"


class _Times(_Counts):
    def load(self, data: Any) -> Any:
        """Microseconds since 1970."""
        return super().load(data) + _EPOCH_US


def as_columns(cursor: psycopg.AsyncCursor[Any]) -> None:
    """Let this cursor give float8[], int8[] and timestamptz[] as numpy columns (times: µs)."""
    for name, loader in (("float8", _Numbers), ("int8", _Counts), ("timestamptz", _Times)):
        found = psycopg.adapters.types[name]
        cursor.adapters.register_loader(found.array_oid, loader)
