"""The one relay: gives committed changes their place in the stream.

A number taken from a sequence inside a writer's transaction may be committed after a higher one,
and a reader that has seen the higher would skip it for ever. So places are given here, after
commit, by whoever holds the relay's lock: several may run, one works.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import psycopg

from contracts.errors import Temporary
from store.connect import CHANNEL_OUTBOX, CHANNEL_STREAM, Listener, connect
from store.failures import translated
from store.queries import sql
from store.settings import StoreSettings

log = logging.getLogger(__name__)


class PgRelay:
    """Moves committed outbox rows into the stream. One per thread.

    `run` does it until told to stop; `step` does it once (tests, one-process start).
    """

    def __init__(self, dsn: str, settings: StoreSettings | None = None) -> None:
        self._dsn = dsn
        self._settings = settings or StoreSettings()
        self._connection: psycopg.Connection[Any] | None = None
        self._listener = Listener(dsn, CHANNEL_OUTBOX, self._settings)

    def step(self, limit: int = 1000) -> int:
        """Give places to waiting rows of at least `limit` changes; how many got one.

        0 also when another relay is at it. Raises Temporary when the database does not answer.
        """
        with translated():
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._dsn, self._settings)
            connection = self._connection
            try:
                with connection.transaction():
                    row = connection.execute(sql("relay_lock")).fetchone()
                    if row is None or not row[0]:
                        return 0
                    given = connection.execute(sql("give_positions"), {"limit": limit}).rowcount
                    if given:
                        connection.execute(sql("advance_stream"), {"given": given})
                        connection.execute(sql("notify"), {"channel": CHANNEL_STREAM})
                return given
            except psycopg.OperationalError:
                self._connection = None
                connection.close()
                raise

    def run(self, stop: threading.Event, idle_s: float = 2.0) -> None:
        """Relay until `stop` is set; a database that does not answer is tried again.

        Looks by itself every `idle_s` seconds, so a lost notification delays, never loses.
        """
        pause = 0.1
        while not stop.is_set():
            try:
                while self.step() and not stop.is_set():
                    pass
                self._listener.wait(idle_s)
                pause = 0.1
            except Temporary as error:
                log.warning("the relay waits %.1f s: %s", pause, error)
                stop.wait(pause)
                pause = min(5.0, pause * 2)

    def close(self) -> None:
        """Close the connections."""
        self._listener.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
