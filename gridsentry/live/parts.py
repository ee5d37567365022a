"""What the writer's loop is told and what it works with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec


class CoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the writer's loop takes and commits."""

    max_messages: int = 5000
    """Messages in one batch at the most."""
    max_readings: Annotated[int, msgspec.Meta(gt=0)] = 20_000
    """A batch that holds this many readings takes no further message: one message may carry
    thousands, and a transaction must end well within the store's time limit."""
    linger_ms: float = 10.0
    """How long to wait for a batch's first message; also the rhythm of an idle service."""
    lease_s: float = 10.0
    """A writer that is silent for this long may be replaced by its stand-by."""
    acknowledge: Literal["after_commit", "before_commit"] = "after_commit"
    """`before_commit` loses messages: it exists only for the control run of the kill proof."""


class Parts(msgspec.Struct, kw_only=True):
    """What one built generation of the core works with; rebuilt after a lost lease or a reload."""

    engine: Any
    decoder: Any
    bulk: Any = None
    workers: list[Any] = []
    last_batch: int = -1
    conditions: Any = None
    proofs: Any = None
    beside: Any = None
    """What outside recorders saw, to stand beside events (`gridsentry.engine.beside.Beside`)."""
    adapted: Any = None
    """The adapters of outside gateways (`ingest.adapting.dispatch.Adapted`)."""
