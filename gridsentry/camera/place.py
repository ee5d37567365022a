"""Where in a file a run stood when it was cut off, so that the next one goes on there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from contracts.clock import iso


class _Mark(msgspec.Struct):
    file: str
    size: int
    at: str
    ms: int


class Place:
    """A small file beside the ring. Only files with a given time have one: their messages have
    the same names again, and so would be doubled."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "place.json"

    def of(self, file: str, at: datetime | None) -> int | None:
        """The time (epoch ms) of the last message taken from that file, when it was cut off."""
        if at is None or not self._path.is_file():
            return None
        try:
            mark = msgspec.json.decode(self._path.read_bytes(), type=_Mark)
        except msgspec.DecodeError:
            return None  # torn by a power cut: the service knows doubles by their time
        same = (mark.file, mark.size, mark.at) == (*_identity(file), iso(at))
        return mark.ms if same else None

    def note(self, file: str, at: datetime | None, ms: int) -> None:
        """That message is in the ring."""
        if at is None:
            return
        name, size = _identity(file)
        temporary = self._path.with_suffix(".part")
        temporary.write_bytes(msgspec.json.encode(_Mark(name, size, iso(at), ms)))
        temporary.replace(self._path)

    def clear(self) -> None:
        """The file was taken to its end."""
        self._path.unlink(missing_ok=True)


def _identity(file: str) -> tuple[str, int]:
    path = Path(file).absolute()
    return str(path), path.stat().st_size
