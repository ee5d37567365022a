"""Publishes MQTT for alerts and simulators, on the same kind of link as the sessions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from paho.mqtt.reasoncodes import ReasonCode

from contracts.clock import monotonic
from contracts.errors import Refused, Temporary
from ingest.link import Link
from ingest.settings import MqttSettings
from ingest.wire import WireClient

_NO_SUBSCRIBERS: Final = 16
"""MQTT 5 PUBACK reason: the broker has it, nobody listens now. That is success."""

Said = tuple[str, bytes, bool]
"""(topic, payload, retain)."""


class _Outbox(Link):
    """The network side: notes the broker's answers."""

    def __init__(
        self,
        settings: MqttSettings,
        will: Said | None,
        most_waiting: int,
        greeting: Callable[[], Said | None] | None,
    ) -> None:
        super().__init__(settings, persistent=False, will=will)
        self.most_waiting = most_waiting
        self.greeting = greeting
        self.publishing = threading.Lock()
        """Held around paho's publish; never taken in `_on_publish`, which paho calls under a lock
        of its own that publish needs."""
        self.changed = threading.Condition()
        self.loose: set[int] = set()
        """Ids of QoS 0 messages not yet sent."""
        self.early: set[int] = set()
        """Message ids that were acknowledged before `publish` came back."""
        self.waiting: set[int] = set()
        """Message ids published and not yet acknowledged."""
        self.refused: dict[int, str] = {}
        self.published = self.refusals = 0

    def on_up(self, client: WireClient, session_present: bool) -> None:
        said = self.greeting() if self.greeting is not None else None
        if said is not None:
            topic, payload, retain = said
            info = client.publish(topic, payload, qos=1, retain=retain)
            with self.changed:  # the answer comes on this thread, so not before
                self.waiting.add(info.mid)

    def on_down(self) -> None:
        with self.changed:
            self.loose.clear()
            self.changed.notify_all()

    def prepare(self, client: WireClient) -> None:
        client.max_queued_messages_set(0)
        # Not more unacknowledged at a time than Mosquitto's default allows: MQTT 5 brokers
        # disconnect a client that exceeds their Receive Maximum, and paho does not heed it.
        client.max_inflight_messages_set(20)
        client.on_publish = self._on_publish

    def _on_publish(
        self, _client: Any, _userdata: Any, mid: int, reason: ReasonCode, _props: Any
    ) -> None:
        with self.changed:
            if mid in self.waiting:
                self.waiting.discard(mid)
            elif mid in self.loose:
                self.loose.discard(mid)
            else:
                self.early.add(mid)
            if reason.is_failure and reason.value != _NO_SUBSCRIBERS:
                self.refusals += 1
                self.last_error = f"the broker refused a message: {reason}"
                if len(self.refused) < 1000:
                    self.refused[mid] = str(reason)
            else:
                self.published += 1
            self.changed.notify_all()

    def publish(
        self, topic: str, payload: bytes, qos: int, retain: bool, connection: int | None = None
    ) -> int:
        with self.publishing:
            client = self._client
            if client is None or not self.connected:
                raise Temporary(self.last_error or f"not connected to {self._where()}")
            if connection is not None and connection != self.connections:
                raise Temporary(f"connected to {self._where()} anew meanwhile")
            if len(self.waiting) >= self.most_waiting:
                raise Refused(
                    f"{len(self.waiting)} messages wait for the broker at {self._where()} already"
                )
            info = client.publish(topic, payload, qos=qos, retain=retain)
            with self.changed:
                if info.mid in self.early:
                    self.early.discard(info.mid)
                else:
                    (self.waiting if qos else self.loose).add(info.mid)
        self.wake()
        return info.mid


class MqttPublisher:
    """Implements `contracts.ports.Publisher`. Thread-safe."""

    def __init__(
        self,
        settings: MqttSettings,
        *,
        will: Said | None = None,
        most_waiting: int = 10_000,
        greeting: Callable[[], Said | None] | None = None,
    ) -> None:
        """`will` is (topic, payload, retain): what the broker says for us when we vanish;
        `greeting` gives what we say at the beginning of every connection."""
        self._outbox = _Outbox(settings, will, most_waiting, greeting)

    def start(self) -> None:
        """Connect (and keep reconnecting) in the background."""
        self._outbox.start()

    def wait_ready(self, seconds: float) -> bool:
        """Wait until connected; whether it is."""
        return self._outbox.wait_up(seconds)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        wait_s: float | None = None,
    ) -> None:
        """Publish; with `wait_s` return only once the broker acknowledged.

        Raises Temporary when it could not (not connected, refused, no acknowledgement in time)
        and Refused when too much is waiting already. After a Temporary for time the message may
        still arrive: receivers know it by its key.
        """
        outbox = self._outbox
        mid = outbox.publish(topic, payload, qos, retain)
        if wait_s is None or qos == 0:
            return
        with outbox.changed:
            done = outbox.changed.wait_for(lambda: mid not in outbox.waiting, wait_s)
            refused = outbox.refused.pop(mid, None)
        if refused is not None:
            raise Temporary(f"the broker refused a message on {topic!r}: {refused}")
        if not done:
            raise Temporary(f"no acknowledgement for a message on {topic!r} within {wait_s:g} s")

    def hand_over(self, topic: str, payload: bytes, *, connection: int) -> int:
        """Publish with QoS 1 on this very connection (`connections`); a number for `settled`.

        What was not acknowledged when a connection ends is sent again on the next one, before
        anything else that is handed over then only if the caller waits for it: hence the number
        of the connection. Raises Temporary where it is another one or none, Refused.
        """
        return self._outbox.publish(topic, payload, 1, False, connection)

    @property
    def connections(self) -> int:
        """How many connections there have been: the number of the current one."""
        return self._outbox.connections

    def settled(self, number: int) -> bool:
        """Whether the broker has acknowledged it. Raises Temporary when it refused."""
        outbox = self._outbox
        with outbox.changed:
            refused = outbox.refused.pop(number, None)
            if refused is not None:
                raise Temporary(f"the broker refused a message: {refused}")
            return number not in outbox.waiting

    def wait_change(self, wait_s: float) -> None:
        """Wait until something was acknowledged or the connection ended, at most `wait_s`."""
        with self._outbox.changed:
            self._outbox.changed.wait(wait_s)

    def flush(self, wait_s: float) -> bool:
        """Wait until everything published is acknowledged; whether it is."""
        outbox = self._outbox
        with outbox.changed:
            return outbox.changed.wait_for(lambda: not outbox.waiting, wait_s)

    def stop(self) -> None:
        """Send what is waiting (at most 2 s), then disconnect."""
        if self._outbox.connected:
            until = monotonic() + 2.0
            while not self.flush(0.1) and monotonic() < until and self._outbox.connected:
                pass
        self._outbox.stop()

    def health(self) -> dict[str, Any]:
        """How the publisher does, for /readyz and metrics."""
        outbox = self._outbox
        return {
            "connected": outbox.connected,
            "waiting": len(outbox.waiting),
            "published": outbox.published,
            "refused": outbox.refusals,
            "faults": outbox.faults,
            "evicted": outbox.evicted,
            "version": outbox.version,
            "last_error": outbox.last_error,
        }
