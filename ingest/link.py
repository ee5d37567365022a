"""One connection to a broker, kept up by one thread of ours.

paho's own thread dies silently of an exception in a callback while `is_connected()` stays true,
so the loop is ours (paho's external-loop interface): whatever goes wrong is logged and counted,
the connection is closed and made again. All of paho runs on this one thread; others only leave
something to do and wake it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import ssl
import threading
import weakref
from typing import Any, Final

from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from contracts.clock import monotonic
from ingest.settings import MqttSettings
from ingest.wire import WireClient

log = logging.getLogger(__name__)

_FIVE, _THREE = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
NAMES: Final = {_FIVE: "5", _THREE: "3.1.1"}
_TAKEN_OVER: Final = 142  # MQTT 5 reason code 0x8E, session taken over
_WRONG_VERSION: Final = 132  # 0x84, unsupported protocol version
_SOON_S: Final = 10.0
_SOON_OFTEN: Final = 3
"""MQTT 3.1.1 (and Mosquitto 2.0.11 in any version) does not say why it closes: closed this often,
each time within `_SOON_S` of being connected, we take it that another client has our id."""
_TICK_S: Final = 1.0


class Link:
    """Connects, reconnects, steps back when evicted. Subclasses fill in the hooks.

    Hooks run on the link's thread: `on_up`, `on_down`, `on_input` (something was read),
    `before_poll` (send what is due), `wants_input` (False: read nothing for now).
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        persistent: bool,
        will: tuple[str, bytes, bool] | None = None,
        fast: bool = True,
    ) -> None:
        self.settings = settings
        self._persistent = persistent
        self._will = will
        self._fast = fast
        self._protocol = _THREE if settings.protocol == "3.1.1" else _FIVE
        self._works = settings.protocol != "auto"
        self._client: WireClient | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._up = threading.Event()
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        os.set_blocking(self._wake_w, False)
        weakref.finalize(self, _close, self._wake_r, self._wake_w)
        self._woken = False
        self._up_at: float | None = None
        self._early_closes = 0
        self._silent_closes = 0
        self.evicted = False
        self.faults = 0
        self.connections = 0
        self.last_error: str | None = None

    # --- for everyone -------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and keep reconnecting, in the background."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._thread = threading.Thread(
                target=self._run, name=f"mqtt-{self.settings.client_id}", daemon=True
            )
            self._thread.start()

    def stop(self, wait_s: float = 5.0) -> None:
        """Send what is due, disconnect, end the thread."""
        self._stopping.set()
        self.wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(wait_s)

    def wake(self) -> None:
        """Make the thread look at what there is to do."""
        if not self._woken:
            self._woken = True
            with contextlib.suppress(BlockingIOError):  # the pipe is full of wake-ups already
                os.write(self._wake_w, b"!")

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and the thread lives."""
        return self._up.is_set() and self.alive

    @property
    def alive(self) -> bool:
        """Whether the network thread lives."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def version(self) -> str:
        """The MQTT version in use or tried next."""
        return NAMES[self._protocol]

    def wait_up(self, seconds: float) -> bool:
        """Wait until connected; whether it is."""
        return self._up.wait(seconds)

    # --- hooks --------------------------------------------------------------------------------

    def on_up(self, client: WireClient, session_present: bool) -> None:
        """The broker accepted us."""

    def on_down(self) -> None:
        """The connection ended."""

    def on_input(self, client: WireClient) -> None:
        """Something was read."""

    def before_poll(self, client: WireClient) -> None:
        """Before the thread goes to sleep."""

    def wants_input(self) -> bool:
        """Whether to read from the connection at all."""
        return True

    def prepare(self, client: WireClient) -> None:
        """A client was made: set callbacks on it."""

    # --- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        delay = self.settings.reconnect_min_s
        evicted_delay = self.settings.evicted_wait_s
        while not self._stopping.is_set():
            try:
                self._serve()
            except (OSError, ValueError) as error:  # ValueError: a host name that cannot be one
                self._failed(f"cannot reach the broker at {self._where()}: {error}")
            except Exception as fault:
                self.faults += 1
                log.exception("the MQTT thread met a fault of ours and starts again")
                self._failed(f"fault in the MQTT thread: {type(fault).__name__}: {fault}")
            self._down()
            if self._stopping.is_set():
                break
            if self._up_at is not None and monotonic() - self._up_at >= _SOON_S:
                delay = self.settings.reconnect_min_s
                evicted_delay = self.settings.evicted_wait_s
            if self.evicted:
                wait = evicted_delay
                evicted_delay = min(evicted_delay * 2, 10 * self.settings.evicted_wait_s)
            else:
                wait = delay
                delay = min(delay * 2, self.settings.reconnect_max_s)
            self._stopping.wait(wait)

    def _where(self) -> str:
        return f"{self.settings.host}:{self.settings.port}"

    def _failed(self, text: str) -> None:
        if text != self.last_error:
            log.warning("%s", text)
        self.last_error = text

    def _down(self) -> None:
        was_up = self._up.is_set()
        self._up.clear()
        client = self._client
        if client is not None and client.socket() is not None:
            try:
                client.disconnect()
                client.loop_write()
            except OSError as error:
                log.debug("while disconnecting: %s", error)
        if was_up:
            self.on_down()

    def _serve(self) -> None:
        """One connection from beginning to end."""
        self._up_at = None
        client = self._client
        if client is None or client.protocol != self._protocol:
            client = self._client = self._make()
        client.reconnect()
        deadline = monotonic() + self.settings.connect_timeout_s
        next_misc = 0.0
        poll = select.poll()
        poll.register(self._wake_r, select.POLLIN)
        sock: Any = client.socket()
        fd = sock.fileno()
        poll.register(fd, select.POLLIN)
        watched = select.POLLIN
        while True:
            if self._stopping.is_set():
                self._leave(client)
                return
            if self._up.is_set():
                self.before_poll(client)
            reading = self.wants_input()
            if client.want_write():
                client.loop_write()
            if client.socket() is None:
                break
            wanted = (select.POLLIN if reading else 0) | (
                select.POLLOUT if client.want_write() else 0
            )
            if wanted != watched:
                poll.modify(fd, wanted)
                watched = wanted
            ready = dict(poll.poll(0 if reading and client.pending() else _TICK_S * 1000))
            if self._wake_r in ready:
                os.read(self._wake_r, 4096)
                self._woken = False  # after the read: a wake-up in between needs no byte
            if reading and (fd in ready or client.pending()):
                client.drain()
                self.on_input(client)
            if client.socket() is None:
                break
            now = monotonic()
            if now >= next_misc:
                next_misc = now + _TICK_S
                if reading:
                    client.loop_misc()
                else:
                    self._keep_alive(client, now)
            if not self._up.is_set() and now > deadline:
                raise OSError("it accepts connections but does not answer")
        self._closed()

    def _keep_alive(self, client: WireClient, now: float) -> None:
        """While nothing is read, say that we live; paho would wait for the unread answer."""
        if now - client._last_msg_out >= self.settings.keepalive_s / 2:
            client._packet_queue(0xC0, b"\xc0\x00", 0, 0)
            client._last_msg_out = now

    def _leave(self, client: WireClient) -> None:
        """Say goodbye so that the broker has heard everything before.

        A broker may drop what it has not read yet once the connection is closed (measured with
        Mosquitto: 758 of 1,000 acknowledgements). It answers in order, so its answer to a ping
        says that it has read what went before.
        """
        until = monotonic() + 2.0
        if self._up.is_set():
            self.before_poll(client)
            client._send_pingreq()
            while client.socket() is not None and client._ping_t and monotonic() < until:
                if client.want_write():
                    client.loop_write()
                self._wait_for(client, reading=True)
                client.drain()
        client.disconnect()
        while client.socket() is not None and client.want_write() and monotonic() < until:
            client.loop_write()
            self._wait_for(client, reading=False)

    @staticmethod
    def _wait_for(client: WireClient, *, reading: bool) -> None:
        sock: Any = client.socket()
        if sock is not None and not client.pending():
            writing = [sock] if client.want_write() else []
            select.select([sock] if reading else [], writing, [], 0.1)

    def _closed(self) -> None:
        """The connection was closed by the other side, or for good reason by paho."""
        if self._up_at is None:
            self._silent_closes += 1
            if not self._works and self._silent_closes >= 2:
                # Some brokers hang up on a version they do not speak: try the other one.
                self._protocol = _THREE if self._protocol == _FIVE else _FIVE
                self._silent_closes = 0
            if self.last_error is None:
                self._failed(f"the broker at {self._where()} closed the connection at once")
            return
        if monotonic() - self._up_at < _SOON_S:
            self._early_closes += 1
        else:
            self._early_closes = 0
        if self._early_closes >= _SOON_OFTEN and not self.evicted:
            self._early_closes = 0
            self._evict("closed again and again right after it was made; most likely")
        if not self.evicted:
            self._failed(f"the connection to {self._where()} was lost")

    def _evict(self, what: str) -> None:
        self.evicted = True
        self._failed(
            f"the connection was {what} another client uses our id "
            f"{self.settings.client_id!r} at {self._where()}. We step back for "
            f"{self.settings.evicted_wait_s:g} s; stop the other one or give one of the two "
            "another client id"
        )

    def _make(self) -> WireClient:
        s = self.settings
        client = WireClient(
            s.client_id, self._protocol, persistent=self._persistent, fast=self._fast
        )
        client.connect_timeout = s.connect_timeout_s
        if s.username is not None:
            client.username_pw_set(s.username, s.password)
        if s.tls:
            client.tls_set(s.tls_ca, s.tls_cert, s.tls_key, tls_version=ssl.PROTOCOL_TLS_CLIENT)
            client.tls_insecure_set(s.tls_insecure)
        if self._will is not None:
            topic, payload, retain = self._will
            client.will_set(topic, payload, qos=1, retain=retain)
        properties = None
        if self._protocol == _FIVE:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = s.max_packet_bytes
            properties.ReceiveMaximum = s.receive_maximum
            if self._persistent:
                properties.SessionExpiryInterval = s.session_expiry_s
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        # paho then queues and wakes us instead of writing from the caller's thread.
        client.on_socket_register_write = lambda *_: self.wake()
        client.on_socket_unregister_write = lambda *_: None
        self.prepare(client)
        if self._protocol == _FIVE:
            client.connect_async(
                s.host,
                s.port,
                s.keepalive_s,
                clean_start=not self._persistent,
                properties=properties,
            )
        else:
            client.connect_async(s.host, s.port, s.keepalive_s)
        return client

    def _on_connect(
        self, client: Any, _userdata: Any, flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._up_at = None
            if reason.value == _WRONG_VERSION and not self._works:
                self._protocol = _THREE if self._protocol == _FIVE else _FIVE
            self._failed(f"the broker at {self._where()} refused us: {reason}")
            return
        self._works = True
        self._up_at = monotonic()
        self.connections += 1
        self._silent_closes = 0
        self.evicted = False
        self.last_error = None
        log.info("connected to %s with MQTT %s", self._where(), self.version)
        self.on_up(client, bool(flags.session_present))
        self._up.set()

    def _on_disconnect(
        self, _client: Any, _userdata: Any, flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        self._up.clear()
        if flags.is_disconnect_packet_from_server:
            if reason.value == _TAKEN_OVER:
                self._evict("taken over:")
            else:
                self._failed(f"the broker at {self._where()} sent us away: {reason}")


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)
