"""The frameworks of `frameworks.py`, started and timed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from bench.ingest.drain import Stored
from bench.ingest.peers import process
from bench.ingest.stage import Stage

SCRIPT: Final = Path(__file__).resolve().parent / "frameworks.py"
READY: Final = "asks the broker"


class Framework(msgspec.Struct, frozen=True):
    """One who stores."""

    key: str
    name: str
    client_id: str
    table: str
    create: str
    queues: bool = True
    """Whether it can take up a session with a backlog."""


FASTSTREAM: Final = Framework(
    "faststream",
    "faststream 0.7, INSERT per message",
    "peer-faststream",
    "peer_faststream",
    "CREATE TABLE peer_faststream (device text NOT NULL, metric text NOT NULL,"
    " at timestamptz NOT NULL, value double precision NOT NULL, PRIMARY KEY (device, metric, at))",
    queues=False,
)
MQ_BRIDGE: Final = Framework(
    "mq-bridge",
    "mq-bridge 1.2 (Rust), COPY",
    "peer-mq-bridge",
    "peer_mq_bridge",
    "CREATE TABLE peer_mq_bridge (at text, seq bigint)",
)
FRAMEWORKS: Final = (FASTSTREAM, MQ_BRIDGE)


def drain(
    which: Framework,
    stage: Stage,
    python: Path,
    count: int,
    told: Callable[[int], None],
    fill: Callable[[], None],
) -> Stored | None:
    """Time it on `count` messages; None when not all came through.

    They wait in its session; `fill` publishes them for one that cannot take up a session.
    """
    folder = stage.folder / which.client_id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command = [str(python), str(SCRIPT), which.key]
    running = process.Process(stage, command, folder, READY)
    return process.drain(
        running, stage, which.table, which.create, count, told, None if which.queues else fill
    )
