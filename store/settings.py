"""Settings of the store, one struct."""

from __future__ import annotations

from typing import Literal

import msgspec


class StoreSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where data is kept, for how long, and within which limits."""

    dsn: str | None = None
    """libpq connection string or URL of a PostgreSQL ≥ 15; none: an embedded PostgreSQL is run."""
    embedded_start_s: float = 60.0
    """How long the embedded PostgreSQL may take to start (recovery after a crash takes longest)."""
    embedded_archive: str | None = None
    """Folder, on another disk, into which the embedded PostgreSQL archives its log, for restores to
    any minute (`docs/operating.md`, "Point in time"). None: it does not."""
    timescale: Literal["auto", "never"] = "auto"
    """`auto` uses TimescaleDB when the server offers the extension, else native daily partitions.
    Decided when a database is first set up and kept from then on."""
    copy: Literal["auto", "never"] = "auto"
    """`never` writes readings without COPY, for servers and poolers that do not carry it."""
    copy_from: int = 400
    """Batches of at least this many readings go by COPY, smaller ones by arrays."""
    pool_min: int = 1
    """Connections the reading side keeps open."""
    pool_max: int = 8
    """Connections the reading side opens at most."""
    pool_wait_s: float = 5.0
    """How long a reader waits for a free connection before it is told to try again."""
    connect_timeout_s: int = 5
    """How long connecting may take, in whole seconds."""
    statement_timeout_s: float = 30.0
    """A statement that runs longer is ended and tried again."""
    lock_timeout_s: float = 5.0
    """A statement that waits longer for a lock is ended and tried again."""
    partitions_ahead_days: int = 2
    """Daily partitions are made this many days ahead; later times go to the default partition."""
    readings_days: int = 90
    """Readings, their keys and their conflicts are kept this many days (by identity time)."""
    compress_after_days: int = 7
    """With TimescaleDB, readings older than this are compressed."""
    rollup_minutes_days: int = 14
    """Roll-ups by the minute: one row for each metric of each device and minute. TimescaleDB keeps
    them as long as readings, since late readings are rolled up by them."""
    rollup_quarters_days: int = 400
    """Roll-ups by the quarter of an hour."""
    rollup_hours_days: int = 3660
    """Roll-ups by the hour, of which days are made (ten years)."""
    items_days: int = 30
    """Traces, records, reports and notices as received (sound is never stored)."""
    cases_days: int = 1095
    """Ended tickets with their history, closed incidents and closed events (three years)."""
    dead_letters_days: int = 30
    """Messages nobody could read."""
    unknown_days: int = 30
    """Messages of devices that nobody registered."""
    outbox_days: int = 7
    """The stream of changes once every outgoing target has them: how far `Last-Event-ID` reaches
    back."""
    outbox_undelivered_days: int = 30
    """Changes that an outgoing target has not taken yet are kept this long for it."""
    spool_index_days: int = 30
    """Index rows of video segments (the spool's ring usually lets go of them long before)."""
    batches_days: int = 30
    """Book-keeping rows of committed batches; the newest of each writer stays."""
    access_log_days: int = 365
    """Who looked at evidence and personal data."""
    dead_letters_per_device_day: int = 1000
    """More dead letters of one device on one day (UTC) are counted but not kept."""
    unknown_per_device: int = 10_000
    """More messages of one unregistered device are counted but not kept."""
    unknown_total: int = 200_000
    """More messages of unregistered devices altogether are counted but not kept."""
    seen_every_s: float = 2.0
    """How often a device's last reading time is written, at most."""
