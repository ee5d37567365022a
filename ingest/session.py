"""A persistent MQTT session: hands over arrivals, acknowledges them once they are durable."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from contracts.clock import Clock, SystemClock, monotonic
from contracts.nouns import Arrival
from ingest.link import Link
from ingest.settings import MqttSettings
from ingest.wire import Raw, WireClient

log = logging.getLogger(__name__)

_TOPICS_KNOWN: Final = 65_536
_SEND_RETAINED_IF_NEW: Final = 1  # MQTT 5, 3.8.3.1: retain handling


def filters(districts: Sequence[str] = (), *, bulk: bool = False) -> list[str]:
    """The subscriptions of a session: `telemetry` (small, urgent) or `bulk` (video and files).

    With `districts` only theirs; worker positions belong to no district and go to the telemetry
    session without a choice of districts, or the one that holds the first. Wrong topics
    below `feed` are wanted too: they become dead letters with a reason.
    """
    where = list(districts) or ["+"]
    if bulk:
        return [f"gridsentry/v1/feed/{d}/+/+/+/#" for d in where]
    feed = [f"gridsentry/v1/feed/{d}{deep}" for d in where for deep in ("", "/+", "/+/+")]
    return [*feed, "gridsentry/v1/worker/+/position"]


TELEMETRY_FILTERS: Final = tuple(filters())
BULK_FILTERS: Final = tuple(filters(bulk=True))


class _Chunk(msgspec.Struct):
    """What one read brought: consecutive QoS 1 messages, or QoS 0 ones (`first` is -1)."""

    generation: int
    first: int
    received_at: datetime
    messages: list[Raw]
    taken: int = 0


class _Inbox(Link):
    """The network side: collects chunks, sends acknowledgements in the order of arrival."""

    def __init__(
        self, settings: MqttSettings, wanted: Sequence[str], clock: Clock, fast: bool
    ) -> None:
        super().__init__(settings, persistent=True, fast=fast)
        self.wanted = list(wanted)
        self.clock = clock
        self.chunks: deque[_Chunk] = deque()
        self.loose: deque[_Chunk] = deque()
        self.loose_waiting = 0
        self.ready = threading.Event()
        self.lock = threading.Lock()
        """Guards `chunks`, `loose` and `loose_waiting`."""
        self.acks: deque[list[tuple[int, int, int, int]]] = deque()
        self.generation = 0
        self.received = self.acknowledged = self.dropped = self.sessions_lost = 0
        self.unacknowledged_bytes = 0
        self.subscribed = False
        self.refused: list[str] = []
        self._arrived = 0  # ordinal of the next QoS 1 message of this generation
        self._due = 0  # ordinal of the next one to acknowledge
        self._held: dict[int, tuple[int, int]] = {}
        self._subscribed_here = False

    # --- hooks of Link, on its thread ---------------------------------------------------------

    def prepare(self, client: WireClient) -> None:
        client.on_subscribe = self._on_subscribe

    def on_up(self, client: WireClient, session_present: bool) -> None:
        self.generation += 1
        self._arrived = self._due = 0
        self._held.clear()
        self.unacknowledged_bytes = 0
        client.confirmed.clear()
        if session_present:
            # The broker sends again whatever we did not acknowledge.
            with self.lock:
                self.chunks.clear()
        elif self.connections > 1:
            self.sessions_lost += 1
            log.warning(
                "the broker at %s has not kept our session: what was published meanwhile is lost",
                f"{self.settings.host}:{self.settings.port}",
            )
        if session_present and self._subscribed_here and self.version != "5":
            return  # 3.1.1 sends every retained message again at every subscription
        self.subscribed = False
        if self.version == "5":
            options = SubscribeOptions(qos=1, retainHandling=_SEND_RETAINED_IF_NEW)
            client.subscribe([(topic, options) for topic in self.wanted])
        else:
            client.subscribe([(topic, 1) for topic in self.wanted])

    def _on_subscribe(
        self, _client: Any, _userdata: Any, _mid: int, reasons: list[ReasonCode], _props: Any
    ) -> None:
        self.refused = [
            f"{topic}: {reason}"
            for topic, reason in zip(self.wanted, reasons, strict=False)
            if reason.is_failure
        ]
        self.subscribed = self._subscribed_here = not self.refused
        for topic, reason in zip(self.wanted, reasons, strict=False):
            if not reason.is_failure and reason.value == 0:
                log.warning("the broker grants only QoS 0 for %s: messages can be lost", topic)
        if self.subscribed:
            log.info("%s is subscribed", self.settings.client_id)
        if self.refused:
            self.last_error = f"the broker refused subscriptions: {'; '.join(self.refused)}"
            log.error("%s", self.last_error)

    def on_input(self, client: WireClient) -> None:
        if client.confirmed:
            messages, client.confirmed = client.confirmed, []
            chunk = _Chunk(self.generation, self._arrived, self.clock.now(), messages)
            self._arrived += len(messages)
            self.received += len(messages)
            self.unacknowledged_bytes += sum([len(raw.payload) for raw in messages])
            with self.lock:
                self.chunks.append(chunk)
            self.ready.set()
        if client.loose:
            messages, client.loose = client.loose, []
            self.received += len(messages)
            with self.lock:
                self.loose.append(_Chunk(self.generation, -1, self.clock.now(), messages))
                self.loose_waiting += len(messages)
                self._shed()
            self.ready.set()

    def _shed(self) -> None:
        """QoS 0 knows no backpressure: beyond the bound the oldest go, counted."""
        over = self.loose_waiting - self.settings.max_unconfirmed
        while over > 0:
            chunk = self.loose[0]
            some = min(over, len(chunk.messages) - chunk.taken)
            chunk.taken += some
            over -= some
            self.loose_waiting -= some
            if not self.dropped:
                log.warning(
                    "QoS 0 messages arrive faster than they are handled: the oldest are dropped; "
                    "publish with QoS 1"
                )
            self.dropped += some
            if chunk.taken == len(chunk.messages):
                self.loose.popleft()

    def before_poll(self, client: WireClient) -> None:
        mids: list[int] = []
        while self.acks:
            for generation, ordinal, mid, size in self.acks.popleft():
                if generation != self.generation or ordinal < self._due:
                    continue
                if ordinal > self._due:
                    self._held[ordinal] = (mid, size)
                    continue
                self._release(mid, size, mids)
                while self._held and self._due in self._held:
                    self._release(*self._held.pop(self._due), mids)
        if mids:
            client.acknowledge(mids)
            self.acknowledged += len(mids)

    def _release(self, mid: int, size: int, mids: list[int]) -> None:
        self._due += 1
        self.unacknowledged_bytes -= size
        mids.append(mid)

    def wants_input(self) -> bool:
        # Not all brokers keep to the window: Mosquitto 2.0.11 sends all that is queued with the
        # first acknowledgement after it was full (measured: a million messages with us, 600 MB).
        return (
            self.unacknowledged <= self.settings.receive_maximum
            and self.unacknowledged_bytes <= self.settings.max_unacknowledged_bytes
        )

    @property
    def unacknowledged(self) -> int:
        """QoS 1 messages of this connection that are with us."""
        return self._arrived - self._due


class MqttSession:
    """Implements `contracts.ports.Session` on one broker connection.

    Acknowledgements go out in the order of arrival: one that is early waits for those before it.
    A token is (connection generation, ordinal in it, message id, payload bytes): message ids are
    used again after a reconnect, so acknowledgements of an older connection are ignored.
    """

    def __init__(
        self,
        settings: MqttSettings,
        wanted: Sequence[str] = TELEMETRY_FILTERS,
        *,
        clock: Clock | None = None,
        fast: bool = True,
        ready: threading.Event | None = None,
    ) -> None:
        """`ready` is set whenever something came; several sessions may share one."""
        self._inbox = _Inbox(settings, wanted, clock or SystemClock(), fast)
        if ready is not None:
            self._inbox.ready = ready
        self._topics: dict[bytes, str] = {}

    def start(self) -> None:
        """Connect (and keep reconnecting) in the background."""
        self._inbox.start()

    def take(self, limit: int, wait_s: float) -> list[Arrival]:
        """Up to `limit` arrivals in order; waits up to `wait_s` for the first one."""
        inbox = self._inbox
        out = self.taken(limit)
        if out or wait_s <= 0:
            return out
        until = monotonic() + wait_s
        while not out:
            left = until - monotonic()
            if left <= 0:
                break
            inbox.ready.clear()
            out = self.taken(limit)
            if out:
                break
            self.revive()
            inbox.ready.wait(left)
            out = self.taken(limit)
        return out

    def revive(self) -> None:
        """Start the network side again if it has died."""
        inbox = self._inbox
        if not inbox.alive and inbox._thread is not None and not inbox._stopping.is_set():
            inbox.faults += 1
            inbox.last_error = "the MQTT thread had died and was started again"
            log.error("%s", inbox.last_error)
            inbox.start()

    def taken(self, limit: int) -> list[Arrival]:
        """Up to `limit` arrivals that are there, in order."""
        inbox, out = self._inbox, list[Arrival]()
        for queue in (inbox.chunks, inbox.loose):
            while len(out) < limit:
                with inbox.lock:
                    if not queue:
                        break
                    chunk = queue[0]
                    start = chunk.taken
                    stop = min(start + limit - len(out), len(chunk.messages))
                    chunk.taken = stop
                    if stop == len(chunk.messages):
                        queue.popleft()
                    if chunk.first < 0:
                        inbox.loose_waiting -= stop - start
                self._build(chunk, start, stop, out)
        return out

    def _build(self, chunk: _Chunk, start: int, stop: int, out: list[Arrival]) -> None:
        known, at, generation, first = (
            self._topics,
            chunk.received_at,
            chunk.generation,
            chunk.first,
        )
        for index in range(start, stop):
            name, payload, mid, retained = chunk.messages[index]
            topic = known.get(name)
            if topic is None:
                topic = self._named(name)
            token = None if first < 0 else (generation, first + index, mid, len(payload))
            out.append(Arrival(topic, payload, at, retained, token))

    def _named(self, name: bytes) -> str:
        topic = name.decode("utf-8", "backslashreplace")
        if len(self._topics) >= _TOPICS_KNOWN:
            self._topics.clear()
        self._topics[name] = topic
        return topic

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """These are committed. Of an older connection: ignored."""
        self.acknowledge_tokens([a.token for a in arrivals if a.token is not None])

    def acknowledge_tokens(self, tokens: list[Any]) -> None:
        """Like `acknowledge`, by what the arrivals carried."""
        if tokens:
            self._inbox.acks.append(tokens)
            self._inbox.wake()

    def stop(self) -> None:
        """Disconnect; what was not acknowledged comes again."""
        self._inbox.stop()

    def wait_ready(self, seconds: float) -> bool:
        """Wait until connected and subscribed; whether it is."""
        until = monotonic() + seconds
        pause = threading.Event()
        while not (self._inbox.connected and self._inbox.subscribed):
            if monotonic() >= until:
                return False
            pause.wait(0.01)
        return True

    def health(self) -> dict[str, Any]:
        """How the session does, for /readyz and metrics."""
        inbox = self._inbox
        with inbox.lock:
            queued = sum(len(chunk.messages) - chunk.taken for chunk in inbox.chunks)
            queued += inbox.loose_waiting
        return {
            "connected": inbox.connected,
            "subscribed": inbox.subscribed,
            "refused": list(inbox.refused),
            "queued": queued,
            "unacknowledged": inbox.unacknowledged,
            "unacknowledged_bytes": inbox.unacknowledged_bytes,
            "reading": inbox.wants_input(),
            "received": inbox.received,
            "acknowledged": inbox.acknowledged,
            "dropped_qos0": inbox.dropped,
            "generation": inbox.generation,
            "sessions_lost": inbox.sessions_lost,
            "evicted": inbox.evicted,
            "faults": inbox.faults,
            "version": inbox.version,
            "last_error": inbox.last_error,
        }
