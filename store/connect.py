"""Connections as this project wants them, and waiting for notifications."""

from __future__ import annotations

from typing import Any

import psycopg

from contracts.clock import monotonic
from store.failures import translated
from store.settings import StoreSettings

CHANNEL_WORK = "gridsentry_work"
"""Commands, intake, events a separate router must take."""
CHANNEL_OUTBOX = "gridsentry_outbox"
"""Committed changes wait for the relay."""
CHANNEL_STREAM = "gridsentry_stream"
"""The stream has grown."""


IDLE_IN_TRANSACTION_MS = 10_000
"""A process that stands still in the middle of a transaction (suspended, frozen) holds its lease's
row: without an end to that, its stand-by could never take over."""


def session_options(settings: StoreSettings) -> str:
    """libpq `options`: every session speaks UTC and gives up in time."""
    return (
        "-c timezone=UTC"
        f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS}"
        f" -c statement_timeout={int(settings.statement_timeout_s * 1000)}"
        f" -c lock_timeout={int(settings.lock_timeout_s * 1000)}"
    )


# A peer that vanishes without a word (a pulled cable) is noticed within half a minute; Unix sockets
# ignore these.
PEER_LOSS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}


def connect(dsn: str, settings: StoreSettings) -> psycopg.Connection[Any]:
    """A connection in autocommit mode. Raises psycopg's errors."""
    return psycopg.connect(
        dsn,
        autocommit=True,
        connect_timeout=settings.connect_timeout_s,
        options=session_options(settings),
        application_name="gridsentry",
        keepalives_idle=PEER_LOSS["keepalives_idle"],
        keepalives_interval=PEER_LOSS["keepalives_interval"],
        keepalives_count=PEER_LOSS["keepalives_count"],
        tcp_user_timeout=PEER_LOSS["tcp_user_timeout"],
    )


class Listener:
    """Waits for notifications on a connection of its own."""

    def __init__(self, dsn: str, channel: str, settings: StoreSettings) -> None:
        self._dsn = dsn
        self._channel = channel
        self._settings = settings
        self._connection: psycopg.Connection[Any] | None = None

    def wait(self, seconds: float) -> bool:
        """True when one came within that time, or may have come while nobody listened.

        Raises Temporary when the database does not answer.
        """
        with translated():
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._dsn, self._settings)
                self._connection.execute(
                    psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(self._channel))
                )
                return True
            try:
                return self._wait(self._connection, seconds)
            except psycopg.Error:
                self.close()
                raise

    @staticmethod
    def _wait(connection: psycopg.Connection[Any], seconds: float) -> bool:
        until = monotonic() + seconds
        for _ in connection.notifies(timeout=max(0.0, until - monotonic()), stop_after=1):
            return True
        return False

    def close(self) -> None:
        """Close the connection; the next wait makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
