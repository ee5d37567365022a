"""What a studio writes for others: a city folder, a recording and, apart from both, the truth."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from contracts.city import Device
from contracts.clock import iso
from contracts.errors import Wrong
from simulators.world import feed


def write_run(
    out: Path, city: Mapping[str, bytes], recording: Iterable[bytes], truth: bytes
) -> None:
    """Write `out`/city/ (by file name), `out`/readings.jsonl.gz (line by line) and `out`/truth.json
    (replaced when there).

    Raises Wrong when `out` cannot be written.
    """
    folder = out / "city"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in city.items():
            (folder / name).write_bytes(data)
        with (
            (out / "readings.jsonl.gz").open("wb") as plain,
            gzip.GzipFile("", "wb", fileobj=plain, mtime=0) as file,
        ):
            file.writelines(recording)
        (out / "truth.json").write_bytes(truth)
    except OSError as error:
        raise Wrong(
            str(out), f"cannot be written ({error.strerror})", "a folder you may write"
        ) from error


def message(device: Device, what: str, received_at: datetime, payload: Mapping[str, Any]) -> bytes:
    """One line of a recording: when the message arrived, its topic, its payload."""
    topic = feed(device.district, device.id, what)
    said = {"at": iso(received_at), "topic": topic, "payload": payload}
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def told(take: object, fields: Sequence[str]) -> bytes:
    """These fields of a take, what really happened, as JSON."""
    return msgspec.json.format(msgspec.json.encode({f: getattr(take, f) for f in fields})) + b"\n"
