"""Finished runs of the sewer studio on disk, their readings as columns: a run of 36 h and 60
sensors is some MB, and a changed detector is judged without simulating again."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench._common.code import code_hash
from bench._common.files import forget_oldest, write_whole
from contracts.clock import EPOCH
from contracts.nouns import Reading
from simulators.water.take import Order, Take

STUDIO = (
    "simulators/water",
    "simulators/dice.py",
    "contracts/city.py",
    "contracts/geo.py",
    "contracts/nouns.py",
)
"""What a run depends on."""
LIBRARIES = ("numpy", "swmm-toolkit", "wntr")
US = timedelta(microseconds=1)
NEVER = np.iinfo(np.int64).min


def studio_code() -> str:
    """The studio's code as it stands."""
    return code_hash(STUDIO, LIBRARIES)


class Takes:
    """A folder of finished runs of one studio's code."""

    def __init__(self, folder: Path, code: str, most_bytes: int = 3 << 30) -> None:
        self.folder, self._code, self._most = folder, code, most_bytes

    def get(self, order: Order) -> Take | None:
        """The run, or None. A damaged file is none."""
        try:
            return unpacked(self._path(order).read_bytes())
        except (FileNotFoundError, msgspec.MsgspecError, zlib.error, ValueError):
            return None

    def put(self, take: Take) -> None:
        """Keep it; forget the oldest beyond the folder's size."""
        write_whole(self._path(take.order), packed(take))
        forget_oldest(self.folder, "*.run", self._most)

    def _path(self, order: Order) -> Path:
        told = hashlib.sha256(msgspec.msgpack.encode(order) + self._code.encode())
        return self.folder / f"{told.hexdigest()[:24]}.run"


def packed(take: Take) -> bytes:
    """The run as bytes."""
    readings = take.readings
    names = sorted({r.device for r in readings})
    metrics = sorted({r.metric for r in readings})
    name_of, metric_of = ({n: k for k, n in enumerate(some)} for some in (names, metrics))
    columns = {
        "device": np.array([name_of[r.device] for r in readings], "<u2"),
        "metric": np.array([metric_of[r.metric] for r in readings], "<u2"),
        "value": np.array([r.value for r in readings], "<f8"),
        "at": _times(r.at for r in readings),
        "received_at": _times(r.received_at for r in readings),
        "sent_at": _times(r.sent_at for r in readings),
        "boot": np.array([r.boot for r in readings], "<i8"),
        "seq": np.array([-1 if r.seq is None else r.seq for r in readings], "<i8"),
        "quality": np.array([r.quality for r in readings], "<u2"),
    }
    whole = {
        "take": msgspec.structs.replace(take, readings=()),
        "names": names,
        "metrics": metrics,
        "count": len(readings),
        # differences of times are small and alike: they shrink to almost nothing
        "columns": {
            k: (np.diff(c, prepend=0) if c.dtype == np.dtype("<i8") else c).tobytes()
            for k, c in columns.items()
        },
    }
    return zlib.compress(msgspec.msgpack.encode(whole), 1)


class _Whole(msgspec.Struct):
    take: Take
    names: list[str]
    metrics: list[str]
    count: int
    columns: dict[str, bytes]


def unpacked(data: bytes) -> Take:
    """The run from bytes."""
    whole = msgspec.msgpack.decode(zlib.decompress(data), type=_Whole)

    def column(name: str, kind: str) -> list[Any]:
        values = np.frombuffer(whole.columns[name], kind)
        told: list[Any] = (np.cumsum(values) if kind == "<i8" else values).tolist()
        return told

    readings = tuple(
        Reading(
            device=whole.names[device],
            metric=whole.metrics[metric],
            value=value,
            at=EPOCH + timedelta(microseconds=at),
            received_at=EPOCH + timedelta(microseconds=received),
            sent_at=None if sent == NEVER else EPOCH + timedelta(microseconds=sent),
            boot=boot,
            seq=None if seq < 0 else seq,
            quality=quality,
        )
        for device, metric, value, at, received, sent, boot, seq, quality in zip(
            column("device", "<u2"),
            column("metric", "<u2"),
            column("value", "<f8"),
            column("at", "<i8"),
            column("received_at", "<i8"),
            column("sent_at", "<i8"),
            column("boot", "<i8"),
            column("seq", "<i8"),
            column("quality", "<u2"),
            strict=True,
        )
    )
    return msgspec.structs.replace(whole.take, readings=readings)


def _times(moments: Iterable[datetime | None]) -> Any:
    return np.array([NEVER if m is None else (m - EPOCH) // US for m in moments], "<i8")
