"""Films on disk: the studio works longer than the detector."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from bench._common.files import forget_oldest, write_whole
from simulators.falls.take import Order, Take

MOST_BYTES = 3 << 30
"""Of films kept, unless more is allowed: some 600 of them."""


class Films:
    """Films in a folder: the studio works longer than the detector."""

    def __init__(
        self, folder: Path, code: str, plates: Path | None, most_bytes: int = MOST_BYTES
    ) -> None:
        self.folder, self._code, self._plates = folder, code, plates
        self._most_bytes = most_bytes

    def get(self, order: Order) -> Take | None:
        """The film of this order, or None."""
        try:
            return msgspec.msgpack.decode(self._path(order).read_bytes(), type=Take)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def put(self, take: Take) -> None:
        """Keep it, and forget the oldest beyond the bound."""
        write_whole(self._path(take.order), msgspec.msgpack.encode(take))
        forget_oldest(self.folder, "*.msgpack", self._most_bytes)

    def _path(self, order: Order) -> Path:
        told = hashlib.sha256(msgspec.msgpack.encode(order) + self._code.encode())
        told.update(plate_mark(order, self._plates))
        return self.folder / f"{told.hexdigest()[:24]}.msgpack"


def plate_mark(order: Order, plates: Path | None) -> bytes:
    """What tells one photograph from another of the same name."""
    if plates is None or not order.place.startswith("plate:"):
        return b""
    path = plates / order.place.removeprefix("plate:")
    return str(path.stat().st_size).encode() if path.exists() else b""
