"""Records the town instead of playing it: a recording as `gridsentry replay` reads them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from contracts.clock import epoch_ms, from_epoch_ms, iso
from contracts.errors import Wrong
from simulators.director import Director
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.world import Outgoing


def record(
    town: Town,
    settings: SimSettings,
    out: Path,
    start: datetime,
    minutes: float,
    *,
    truth: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> int:
    """Write `minutes` of the town from `start` on as JSON Lines; returns the number of messages.

    Media go beside it into `OUT.files/`. Time is virtual and runs as fast as it can: the same
    town, settings and start give the same bytes. `progress` is told the share done, 0..1.
    Raises Wrong when `out` is not a `.jsonl` or `.jsonl.gz` path or cannot be written.
    """
    if not out.name.endswith((".jsonl", ".jsonl.gz")):
        raise Wrong(str(out), "not a recording's name", "a path ending in .jsonl or .jsonl.gz")
    media = out.with_name(out.name.split(".jsonl")[0] + ".files")
    first = epoch_ms(start)
    last = first + round(minutes * 60_000)
    director = Director(town, settings, first, truth)
    world, count = director.world, 0
    with _lines(out) as file:
        while (due := world.next_at()) is not None and due <= last:
            message = world.step()
            if message is not None:
                file.write(_line(message, media))
                count += 1
                if progress and count % 50 == 0:
                    progress((due - first) / max(last - first, 1))
    return count


def _line(message: Outgoing, media: Path) -> bytes:
    line: dict[str, object] = {"at": iso(from_epoch_ms(message.at)), "topic": message.topic}
    if message.file:
        device, moment = message.topic.split("/")[-3], message.topic.split("/")[-1]
        name = f"{device}-{moment}.{message.file}"
        media.mkdir(parents=True, exist_ok=True)
        (media / name).write_bytes(message.payload)
        line["file"] = f"{media.name}/{name}"
    else:
        line["payload"] = msgspec.json.decode(message.payload)
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@contextmanager
def _lines(out: Path) -> Iterator[BinaryIO]:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        plain = out.open("wb")
    except OSError as error:
        raise Wrong(
            str(out), f"cannot be written ({error.strerror})", "a path you may write"
        ) from error
    with plain:
        if out.name.endswith(".gz"):
            # no name and no time inside, so that the same recording is the same file
            with gzip.GzipFile(filename="", mode="wb", fileobj=plain, mtime=0) as packed:
                yield cast(BinaryIO, packed)
        else:
            yield plain
