"""Items as bytes and back: what a snapshot needs to hold items that are still waiting."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from contracts import nouns
from contracts.nouns import Item

_TYPES: dict[str, type[Any]] = {
    t.__name__: t
    for t in (
        nouns.Reading,
        nouns.Segment,
        nouns.Still,
        nouns.Frame,
        nouns.Trace,
        nouns.Record,
        nouns.Clip,
        nouns.Sound,
        nouns.Pulse,
        nouns.Status,
        nouns.Report,
        nouns.Notice,
    )
}


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [value.dtype.str, list(value.shape), value.tobytes()]
    raise TypeError(f"a {type(value).__name__} cannot be kept in a snapshot")


def _decode(kind: type, value: Any) -> Any:
    dtype, shape, data = value
    return np.frombuffer(data, dtype=np.dtype(dtype)).reshape(shape)


def pack(item: Item) -> tuple[str, bytes]:
    """The item's noun and its fields as msgpack; arrays as their dtype, shape and bytes."""
    return type(item).__name__, msgspec.msgpack.encode(item, enc_hook=_encode)


def unpack(noun: str, data: bytes) -> Item:
    """The item that `pack` packed. Raises KeyError on a noun that does not exist."""
    item: Item = msgspec.msgpack.decode(data, type=_TYPES[noun], dec_hook=_decode)
    return item
