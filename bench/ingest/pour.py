"""Fills a broker as fast as it takes: MQTT 3.1.1 by hand, so that the pouring is not measured."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable
from types import TracebackType

WINDOW = 2000
"""Messages on their way without an acknowledgement (less than Mosquitto's window)."""


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, low = divmod(size, 128)
        out.append(low | (0x80 if size else 0))
        if not size:
            return bytes(out)


def connect_packet(client_id: str) -> bytes:
    """CONNECT (MQTT 3.1.1, 3.1), clean session, no keep-alive."""
    body = _text("MQTT") + bytes([4, 2]) + struct.pack(">H", 0) + _text(client_id)
    return b"\x10" + _length(len(body)) + body


def publish_packet(topic: str, payload: bytes, mid: int) -> bytes:
    """PUBLISH with QoS 1 (3.3)."""
    body = _text(topic) + struct.pack(">H", mid) + payload
    return b"\x32" + _length(len(body)) + body


class Pourer:
    """One connection that publishes with QoS 1 and counts what the broker acknowledged."""

    def __init__(self, host: str, port: int, client_id: str) -> None:
        self._socket = socket.create_connection((host, port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(connect_packet(client_id))
        answer = self._exactly(4)
        if answer[0] != 0x20 or answer[3] != 0:
            raise ConnectionError(f"the broker refused us: {answer.hex()}")
        self._mid = 0
        self._rest = b""
        self.sent = 0
        self.acknowledged = 0

    def __enter__(self) -> Pourer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def pour(
        self, messages: Iterable[tuple[str, bytes]], told: Callable[[int], None] = lambda _: None
    ) -> None:
        """Publish all of them; returns when the broker has acknowledged each.

        `told` hears how many have been acknowledged so far.
        """
        piece: list[bytes] = []
        for topic, payload in messages:
            piece.append(self._packet(topic, payload))
            if len(piece) == WINDOW // 4:
                self._socket.sendall(b"".join(piece))
                piece.clear()
                while self.sent - self.acknowledged > WINDOW - WINDOW // 4:
                    self._hear()
                told(self.acknowledged)
        self._socket.sendall(b"".join(piece))
        while self.acknowledged < self.sent:
            self._hear()
        told(self.acknowledged)

    def send(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Publish a few at once, without waiting for what was said before to be acknowledged."""
        self._socket.sendall(b"".join([self._packet(t, p) for t, p in messages]))
        while self.sent - self.acknowledged > WINDOW:
            self._hear()

    def settle(self) -> None:
        """Wait until everything is acknowledged."""
        while self.acknowledged < self.sent:
            self._hear()

    def _packet(self, topic: str, payload: bytes) -> bytes:
        self._mid = self._mid % 65_535 + 1
        self.sent += 1
        return publish_packet(topic, payload, self._mid)

    def _hear(self) -> None:
        """Read acknowledgements: each is four bytes (PUBACK, 3.4)."""
        heard = self._socket.recv(65_536)
        if not heard:
            raise ConnectionError("the broker closed the connection")
        data = self._rest + heard
        whole = len(data) // 4
        self.acknowledged += data[: whole * 4 : 4].count(b"\x40")
        self._rest = data[whole * 4 :]

    def _exactly(self, size: int) -> bytes:
        out = b""
        while len(out) < size:
            piece = self._socket.recv(size - len(out))
            if not piece:
                raise ConnectionError("the broker closed the connection")
            out += piece
        return out
