"""What a live broker delivers, as a recording."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Protocol

import msgspec

from contracts.clock import monotonic
from contracts.errors import Temporary
from contracts.nouns import Arrival
from contracts.ports import Session

log = logging.getLogger(__name__)

CONNECT_WITHIN_S = 15.0
_TAKE, _WAIT_S = 500, 0.5


class Sink(Protocol):
    """Where messages go."""

    def write(self, arrival: Arrival) -> None:
        """Append one."""
        ...


class SessionFactory(Protocol):
    """Makes the session that subscribes to `topic` at the broker `url`."""

    def __call__(self, url: str, topic: str) -> Session:
        """A session that has not been started."""
        ...


def mqtt_session(url: str, topic: str) -> Session:
    """A session of its own on the broker `mqtt[s]://[user[:password]@]host[:port]`; the broker
    forgets it a minute after we leave. Raises Wrong."""
    from gridsentry.commands.brokers import broker_settings
    from ingest.session import MqttSession

    settings = msgspec.structs.replace(
        broker_settings(url), client_id=f"gridsentry-record-{os.getpid()}", session_expiry_s=60
    )
    return MqttSession(settings, [topic])


def record_live(
    session: Session,
    sink: Sink,
    *,
    seconds: float | None,
    tick: Callable[[int], None],
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Write what arrives until `seconds` have passed, `stopped()` says so, or Ctrl-C; how many.

    Messages are acknowledged once written. Raises Temporary when no connection comes about.
    """
    count, begun, connected = 0, monotonic(), False
    session.start()
    try:
        while not stopped():
            passed = monotonic() - begun
            if seconds is not None and passed >= seconds:
                break
            health = session.health()
            connected = connected or bool(health.get("connected"))
            if not connected and passed > CONNECT_WITHIN_S:
                raise Temporary(f"no connection to the broker: {health.get('last_error')}")
            wait = _WAIT_S if seconds is None else max(0.01, min(_WAIT_S, seconds - passed))
            arrivals = session.take(_TAKE, wait)
            for arrival in arrivals:
                sink.write(arrival)
            session.acknowledge(arrivals)
            count += len(arrivals)
            tick(count)
        if not connected and not session.health().get("connected"):
            raise Temporary(f"no connection to the broker: {session.health().get('last_error')}")
    except KeyboardInterrupt:
        log.info("stopped by Ctrl-C after %d messages", count)
    finally:
        session.stop()
    return count
