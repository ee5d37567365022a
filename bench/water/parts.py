"""Real recordings judged in parts on worker processes, kept under the code that judged them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from bench._common.files import write_whole
from bench._common.pool import pooled

One = TypeVar("One")
PARTS: Final = 16


def in_parts(
    path: Path, kind: type[list[One]], do: Callable[[slice], list[One]], workers: int, what: str
) -> list[One]:
    """What `path` keeps; else `do` of every PARTS-th sensor from each of the first on, the parts
    one after the other. A damaged file is none."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.MsgspecError):
        pass
    told = dict(pooled(range(PARTS), partial(_part, do), workers, died=partial(_died, what)))
    whole = [one for number in sorted(told) for one in told[number]]
    write_whole(path, msgspec.msgpack.encode(whole))
    return whole


def _part(do: Callable[[slice], list[One]], number: int) -> tuple[int, list[One]]:
    return number, do(slice(number, None, PARTS))


def _died(what: str, number: int) -> tuple[int, list[One]]:
    raise RuntimeError(f"a worker process died twice on part {number} of the {what}")
