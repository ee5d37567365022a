"""What the runs gave."""

from __future__ import annotations

import msgspec

from bench.ingest.burst import Burst
from bench.ingest.drain import Drained, Stored
from bench.ingest.latency import Latency
from bench.ingest.references import Taken
from bench.ingest.soak import Soak


class Round(msgspec.Struct):
    """One round of single readings: everybody on a backlog of the same size, one after the other.

    The service runs before and after those that store, so that a machine that is slower for a while
    is so for both.
    """

    ours: list[Drained] = []
    stored: dict[str, Stored] = {}
    """By `insert`, `batched` (Node-RED) and the frameworks' keys."""
    taken: dict[str, Taken] = {}
    """By the references' keys."""


class Results(msgspec.Struct):
    """All parts."""

    rounds: list[Round] = []
    batched: list[Drained] = []
    latency: list[Latency] = []
    bursts: list[Burst] = []
    shards: dict[str, list[Stored]] = {}
    """By the number of processes, as text."""
    backlog: Drained | None = None
    backlog_broker_mb: float = 0.0
    soak: Soak | None = None
    failed: list[str] = []
    """What did not come to its end."""
    missing: list[str] = []
    """What could not be installed, and why."""
    load_most: float = 0.0
