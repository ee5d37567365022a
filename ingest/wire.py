"""paho's client with a fast way in for PUBLISH packets.

paho asks the socket for one packet at a time, a byte or two per system call: 28 µs for each
message. Here the socket is read in large pieces, the PUBLISH packets (QoS 0 and 1) that lie whole
in a piece are cut out of it, and everything else (and the one packet at the edge of each piece)
goes to paho as before. Three internals of paho 2.x are touched, each marked `paho:`; without the
fast way everything still works, which the tests check.
"""

from __future__ import annotations

import ssl
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from contracts.clock import monotonic

CHUNK: Final = 262_144
_PUBACK: Final = 0x40


class Raw(NamedTuple):
    """A message as cut from the wire. `mid` is 0 for QoS 0."""

    topic: bytes
    payload: bytes
    mid: int
    retained: bool


class BufferedSocket:
    """A socket that reads ahead, and hands out what it has before it asks again."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self.data = b""
        self.pos = 0

    def fill(self) -> int:
        """Read one large piece (the last one must be used up); its length, 0 at the end.

        Raises BlockingIOError where there is nothing to read, else OSError.
        """
        try:
            self.data = self._sock.recv(CHUNK)
        except ssl.SSLWantReadError as error:
            raise BlockingIOError from error
        self.pos = 0
        return len(self.data)

    def recv(self, size: int) -> bytes:
        """Like a socket's, from the piece at hand first."""
        left = len(self.data) - self.pos
        if not left:
            piece: bytes = self._sock.recv(size)
            return piece
        piece = self.data[self.pos : self.pos + size]
        self.pos += len(piece)
        return piece

    def pending(self) -> int:
        """Bytes that can be read although the system's socket is not readable."""
        below = self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) else 0
        return len(self.data) - self.pos + below

    def __getattr__(self, name: str) -> Any:
        """Everything else is the socket's own."""
        return getattr(self._sock, name)


class WireClient(mqtt.Client):
    """A paho client for an external loop; collects messages in `confirmed` and `loose`."""

    def __init__(
        self,
        client_id: str,
        protocol: MQTTProtocolVersion,
        *,
        persistent: bool = True,
        fast: bool = True,
    ) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=protocol,
            manual_ack=True,
            reconnect_on_failure=False,
            clean_session=None if protocol == MQTTProtocolVersion.MQTTv5 else not persistent,
        )
        self.confirmed: list[Raw] = []
        """QoS 1 messages in order of arrival: each must be acknowledged."""
        self.loose: list[Raw] = []
        """QoS 0 messages."""
        self._fast = fast
        self._five = protocol == MQTTProtocolVersion.MQTTv5
        self.on_message = self._one

    def _create_socket(self) -> Any:  # paho: where a connection's socket is made
        sock = super()._create_socket()
        return BufferedSocket(sock) if self._fast else sock

    def _one(self, _client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        raw = Raw(message._topic, bytes(message.payload), message.mid, message.retain)
        (self.confirmed if message.qos else self.loose).append(raw)

    def pending(self) -> bool:
        """Whether bytes wait that poll() does not know of."""
        sock: Any = self.socket()
        if isinstance(sock, BufferedSocket | ssl.SSLSocket):
            return sock.pending() > 0
        return False

    def drain(self) -> MQTTErrorCode:
        """Read one piece from the connection into `confirmed` and `loose`."""
        sock: Any = self.socket()
        if not isinstance(sock, BufferedSocket) or self._begun():
            return self.loop_read()
        try:
            if not sock.pending() and not sock.fill():
                return self.loop_read()
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            return self.loop_read()  # meets the same error and closes the connection
        with self._msgtime_mutex:
            self._last_bytes_received = monotonic()  # paho: or it pings, having seen nothing
        while True:
            self._cut(sock)
            if sock.pos >= len(sock.data):
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            done = self.loop_read()
            if done or self.socket() is not sock:
                return done
            if self._begun():
                return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _begun(self) -> bool:
        """Whether paho has begun to read a packet, so that its rest is paho's."""
        return self._in_packet["command"] != 0  # paho: its state between two reads

    def _cut(self, sock: BufferedSocket) -> None:
        """Take whole PUBLISH packets from the piece at hand; stop at anything else (MQTT 3.3)."""
        data, pos, five = sock.data, sock.pos, self._five
        end = len(data)
        try:
            while pos < end:
                head = data[pos]
                qos = head & 0x06
                if head & 0xF0 != 0x30 or qos > 2:
                    break
                size, at = data[pos + 1], pos + 2
                if size & 0x80:
                    size, at = _varint(data, pos + 1)
                stop = at + size
                if stop > end or size < 3:
                    break
                start = at + 2
                at = start + (data[at] << 8 | data[at + 1])
                topic = data[start:at]
                mid = 0
                if qos:
                    mid = data[at] << 8 | data[at + 1]
                    at += 2
                if five:
                    properties, at = data[at], at + 1
                    if properties & 0x80:
                        properties, at = _varint(data, at - 1)
                    at += properties
                if at > stop:
                    break  # malformed: paho closes the connection over it
                raw = Raw(topic, data[at:stop], mid, head & 1 == 1)
                (self.confirmed if qos else self.loose).append(raw)
                pos = stop
        except IndexError:
            pass  # the packet's head is cut off by the end of the piece: paho waits for the rest
        sock.pos = pos

    def acknowledge(self, mids: list[int]) -> None:
        """Queue a PUBACK for each id, in order, as one write."""
        packets = b"".join([b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids])
        # paho: `ack()` queues a dictionary and wakes the loop for each; this is its own next step.
        self._packet_queue(_PUBACK, packets, mids[-1], 1)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer (MQTT 1.5.5) and where it ends. Raises IndexError when cut off."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 21:
            raise IndexError
