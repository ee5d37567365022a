"""A small RTSP camera for tests: H.264 within the connection (RFC 2326, RFC 6184).

It sends a video file over and over, in step with time, and can refuse, stall and hang up.
"""

from __future__ import annotations

import base64
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from contracts.clock import monotonic

MTU = 1400
CLOCK = 90_000
ORIGIN = 0xFFFF0000
"""Cameras count from anywhere (RFC 3550, 5.1); this one's count wraps after 0.7 s."""


class RtspCamera:
    """Serves one file at `url`; every connection begins at the file's beginning."""

    def __init__(self, video: Path, *, user: str | None = None, speed: float = 1.0) -> None:
        """`user` is `name:password` that the camera asks for."""
        self._units, self._seconds, self._sdp = _read(video)
        self._user, self._speed = user, speed
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"rtsp://127.0.0.1:{self.port}/live"
        self.stalled = threading.Event()
        self.gone = threading.Event()
        self.connections = 0
        self.sent = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, suppress(OSError, ValueError):
            asked = b""
            while True:
                while b"\r\n\r\n" not in asked:
                    part = sock.recv(4096)
                    if not part:
                        return
                    asked += part
                head, _, asked = asked.partition(b"\r\n\r\n")
                text = head.decode()
                method, url = text.split()[:2]
                number = re.search(r"CSeq: *(\d+)", text, re.IGNORECASE)
                answer = self._answer(method, url, text)
                lines = [answer[0], f"CSeq: {number[1] if number else 0}", *answer[1:-1]]
                body = answer[-1]
                if body:
                    lines.append(f"Content-Length: {len(body)}")
                sock.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
                if method == "PLAY":
                    self.connections += 1
                    self._play(sock)
                    return
                if method == "TEARDOWN":
                    return

    def _answer(self, method: str, url: str, text: str) -> list[str]:
        """Status line, headers, body."""
        token = base64.b64encode((self._user or "").encode()).decode()
        if method != "OPTIONS" and self._user and f"Basic {token}" not in text:
            return ["RTSP/1.0 401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"', ""]
        if method == "OPTIONS":
            return ["RTSP/1.0 200 OK", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN", ""]
        if "/live" not in url:
            return ["RTSP/1.0 404 Not Found", ""]
        if method == "DESCRIBE":
            return [
                "RTSP/1.0 200 OK",
                "Content-Type: application/sdp",
                f"Content-Base: {self.url}/",
                self._sdp,
            ]
        if method == "SETUP":
            return [
                "RTSP/1.0 200 OK",
                "Transport: RTP/AVP/TCP;unicast;interleaved=0-1",
                "Session: 1",
                "",
            ]
        return ["RTSP/1.0 200 OK", "Session: 1", ""]

    def _play(self, sock: socket.socket) -> None:
        begun, sequence, turn = monotonic(), 0, 0
        while True:
            for at, units in self._units:
                due = begun + (turn * self._seconds + at) / self._speed
                while (wait := due - monotonic()) > 0 or self.stalled.is_set():
                    if self.gone.wait(0.05 if self.stalled.is_set() else max(wait, 0.0)):
                        return
                stamp = (ORIGIN + round((turn * self._seconds + at) * CLOCK)) & 0xFFFFFFFF
                for n, unit in enumerate(units):
                    for payload, end in _packets(unit):
                        mark = 0x80 if end and n == len(units) - 1 else 0
                        head = struct.pack(">BBHII", 0x80, 96 | mark, sequence, stamp, 7)
                        sequence = (sequence + 1) & 0xFFFF
                        rtp = head + payload
                        sock.sendall(b"$\x00" + struct.pack(">H", len(rtp)) + rtp)
                self.sent += 1
            turn += 1

    def hang_up(self) -> None:
        """Close every connection, as a camera that restarts."""
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        """End it."""
        self.gone.set()
        self._listener.close()
        self.hang_up()


@contextmanager
def rtsp_camera(
    video: Path, *, user: str | None = None, speed: float = 1.0
) -> Iterator[RtspCamera]:
    """A camera that is there while the block runs."""
    camera = RtspCamera(video, user=user, speed=speed)
    try:
        yield camera
    finally:
        camera.close()


def _read(video: Path) -> tuple[list[tuple[float, list[bytes]]], float, str]:
    """(time, NAL units) of each picture; length in seconds; the stream's description."""
    pictures: list[tuple[float, list[bytes]]] = []
    sets: list[bytes] = []
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        filtered = BitStreamFilterContext("h264_mp4toannexb", stream)
        rate = float(stream.average_rate or 25)
        for packet in container.demux(stream):
            for one in filtered.filter(packet):
                if one.pts is None or one.time_base is None:
                    continue
                units = [u for u in re.split(b"\x00\x00\x00?\x01", bytes(one)) if u]
                if not sets:
                    sets = [u for u in units if u[0] & 31 in (7, 8)]
                pictures.append((float(one.pts * one.time_base), units))
    sprop = ",".join(base64.b64encode(unit).decode() for unit in sets)
    sdp = "\r\n".join(
        [
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=camera",
            "t=0 0",
            "m=video 0 RTP/AVP 96",
            "c=IN IP4 0.0.0.0",
            "a=rtpmap:96 H264/90000",
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sprop}",
            "a=control:track1",
            "",
        ]
    )
    first = pictures[0][0]
    timed = [(at - first, units) for at, units in pictures]
    return timed, timed[-1][0] + 1 / rate, sdp


def _packets(unit: bytes) -> Iterator[tuple[bytes, bool]]:
    """RTP payloads of a NAL unit and whether each is its last: whole, or in fragments (FU-A)."""
    if len(unit) <= MTU:
        yield unit, True
        return
    indicator, kind, rest = unit[0] & 0xE0 | 28, unit[0] & 31, unit[1:]
    for begin in range(0, len(rest), MTU):
        end = begin + MTU >= len(rest)
        header = kind | (0x80 if begin == 0 else 0) | (0x40 if end else 0)
        yield bytes([indicator, header]) + rest[begin : begin + MTU], end
