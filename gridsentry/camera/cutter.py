"""A stream of packets becomes segments (or JPEG pictures) while it comes in.

Copying costs nothing and changes nothing, so it is what happens wherever the camera's own
keyframes make segments of 0.5 to 10 s; else the pictures are coded anew, once and for the rest of
the connection.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NoReturn, Protocol, TypeAlias

import av
import cv2
import msgspec
from av.video.stream import VideoStream

from gridsentry.record import mux
from gridsentry.record.video import HOLE_S, LONGEST_S, SHORTEST_S, TOLERANCE_S

log = logging.getLogger(__name__)

QUALITY = 90
"""Of JPEG pictures: blocks of small falling things stay below the noise of the sensor."""
EARLY_SHARE = 0.4
"""A picture may come early by this share of the camera's own interval and still be the one that is
due: cameras jitter."""


Packet: TypeAlias = Any
"""`av.Packet` of a video stream."""


class Piece(msgspec.Struct, frozen=True):
    """One message; times in seconds of the stream's own stamps."""

    start_s: float
    end_s: float
    pictures: int
    data: bytes


class Cutter(Protocol):
    """Packets in, pieces out."""

    def feed(self, packet: Packet) -> Iterator[Piece]:
        """The next packet in order of decoding."""
        ...

    def finish(self) -> Iterator[Piece]:
        """The stream ends here."""
        ...


class NotCopyable(Exception):
    """The camera's own keyframes do not allow it; `packets` are those not cut yet."""

    def __init__(self, why: str, packets: list[Packet]) -> None:
        super().__init__(why)
        self.packets = packets


def stamp(packet: Packet, base: Fraction | None) -> float:
    """The time of the packet's picture, in seconds of the stream."""
    ticks = packet.pts if packet.pts is not None else packet.dts
    return float(ticks * (base or Fraction(1, 90_000)))


def stamp_of_decoding(packet: Packet, base: Fraction | None) -> float:
    """When the packet is decoded, in seconds of the stream: it only rises."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return float(ticks * (base or Fraction(1, 90_000)))


class Copier:
    """Cuts at the camera's own keyframes, at the first one after about `segment_s`."""

    def __init__(self, stream: VideoStream, segment_s: float, *, patient: bool = False) -> None:
        """`patient`: hold each segment back until the next one is long enough (for files: a rest
        shorter than 0.5 s then joins it)."""
        self._stream = stream
        self._base = stream.time_base or Fraction(1, 90_000)
        self._nominal = nominal(stream)
        self._wish = max(SHORTEST_S, segment_s - TOLERANCE_S)
        self._patient = patient
        self._held: list[Packet] = []
        self._group: list[Packet] = []
        self._cut: int | None = None
        """Where in the group the keyframe stands at which it will be cut."""
        self.skipped = 0
        """Packets before the first keyframe."""

    def feed(self, packet: Packet) -> Iterator[Piece]:
        """Raises NotCopyable."""
        at = stamp(packet, self._base)
        if not self._group and not packet.is_keyframe:
            self.skipped += 1
            return
        if packet.pts is None:
            self._fail("its pictures come without times", packet)
        start = self._start(self._group) if self._group else at
        if self._cut is not None:
            key = stamp(self._group[self._cut], self._base)
            if at < key:
                self._fail("its groups of pictures lean on the ones before (open groups)", packet)
            done, self._group = self._group[: self._cut], self._group[self._cut :]
            self._cut = None
            start = self._start(self._group)
            yield from self._let_out(done, start)
        if self._group and at - start > LONGEST_S:
            self._fail(f"it sends no keyframe for {LONGEST_S:g} s", packet)
        if self._group and packet.is_keyframe and at - start >= self._wish - 1e-6:
            self._cut = len(self._group)
        self._group.append(packet)

    def _fail(self, why: str, packet: Packet) -> NoReturn:
        raise NotCopyable(why, [*self._held, *self._group, packet])

    def _start(self, packets: list[Packet]) -> float:
        return stamp(packets[0], self._base)

    def _let_out(self, done: list[Packet], end: float) -> Iterator[Piece]:
        if not self._patient:
            yield self._piece(done, end)
            return
        if self._held:
            yield self._piece(self._held, self._start(done))
        self._held = done

    def finish(self) -> Iterator[Piece]:
        """What is left; where patient, joined to the one before if too short alone."""
        rest, self._group = self._group, []
        if self._cut is not None:
            self._cut = None
        end = self._last(rest or self._held)
        if self._held and rest and end - self._start(rest) < SHORTEST_S:
            rest, self._held = [*self._held, *rest], []
        if self._held:
            yield self._piece(self._held, self._start(rest) if rest else end)
            self._held = []
        if rest:
            yield self._piece(rest, end)

    def _last(self, packets: list[Packet]) -> float:
        times = [stamp(packet, self._base) for packet in packets]
        return max(times, default=0.0) + self._nominal

    def _piece(self, packets: list[Packet], end: float) -> Piece:
        start = self._start(packets)
        return Piece(start, end, len(packets), mux.copied(packets, self._stream))


class Coder:
    """Decodes and codes anew, cutting every `segment_s`."""

    def __init__(
        self, stream: VideoStream, segment_s: float, *, rotate: bool = True, patient: bool = False
    ) -> None:
        self._pictures = Pictures(stream, rotate=rotate)
        self._segment = segment_s
        self._nominal = nominal(stream)
        self._patient = patient
        self._held: list[mux.Timed] = []
        self._group: list[mux.Timed] = []

    @property
    def broken(self) -> int:
        """Packets that could not be decoded."""
        return self._pictures.broken

    def feed(self, packet: Packet) -> Iterator[Piece]:
        """The segments that are complete with this packet."""
        yield from self._take(self._pictures.of(packet))

    def _take(self, pictures: Iterator[mux.Timed]) -> Iterator[Piece]:
        for at, frame in pictures:
            # Half a picture early: 24.99 pictures a second would give 0.96 and 1.04 s in turn.
            if self._group and at - self._group[0][0] >= self._segment - self._nominal / 2:
                yield from self._let_out(at)
            self._group.append((at, frame))

    def _let_out(self, end: float) -> Iterator[Piece]:
        done, self._group = self._group, []
        if not self._patient:
            yield self._piece(done, end)
            return
        if self._held:
            yield self._piece(self._held, done[0][0])
        self._held = done

    def finish(self) -> Iterator[Piece]:
        """What is left; where patient, joined to the one before if too short alone."""
        yield from self._take(self._pictures.rest())
        rest, self._group = self._group, []
        left = rest or self._held
        end = left[-1][0] + self._nominal if left else 0.0
        if self._held and rest and end - rest[0][0] < SHORTEST_S:
            rest, self._held = [*self._held, *rest], []
        if self._held:
            yield self._piece(self._held, rest[0][0] if rest else end)
            self._held = []
        if rest:
            yield self._piece(rest, end)

    def _piece(self, group: list[mux.Timed], end: float) -> Piece:
        last = group[-1][0]
        if end - last > HOLE_S:  # a hole in the video: the last picture was not shown that long
            end = last + self._nominal
        return Piece(group[0][0], end, len(group), mux.coded(group, end, self._nominal))


class Snapper:
    """JPEG pictures, at most `rate` a second."""

    def __init__(self, stream: VideoStream, rate: float, *, rotate: bool = True) -> None:
        self._pictures = Pictures(stream, rotate=rotate)
        self._every = 1 / rate
        self._early = EARLY_SHARE * nominal(stream)
        self._due: float | None = None

    @property
    def broken(self) -> int:
        """Packets that could not be decoded."""
        return self._pictures.broken

    def feed(self, packet: Packet) -> Iterator[Piece]:
        """The pictures of this packet that are due."""
        yield from self._take(self._pictures.of(packet))

    def finish(self) -> Iterator[Piece]:
        """What the decoder still holds."""
        yield from self._take(self._pictures.rest())

    def _take(self, pictures: Iterator[mux.Timed]) -> Iterator[Piece]:
        for at, frame in pictures:
            if self._due is not None and at < self._due - self._early:
                continue
            behind = self._due is None or at - self._due > self._every
            self._due = (at if behind or self._due is None else self._due) + self._every
            done, data = cv2.imencode(
                ".jpg", frame.to_ndarray(format="bgr24"), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
            )
            if done:
                yield Piece(at, at + self._every, 1, data.tobytes())


class Pictures:
    """Decoded pictures, upright, 8-bit 4:2:0, with rising times."""

    def __init__(self, stream: VideoStream, *, rotate: bool) -> None:
        self._stream = stream
        stream.thread_type = "AUTO"
        self._rotate = rotate
        self._nominal = nominal(stream)
        self._latest: float | None = None
        self._turn: mux.Turn | None = None
        self.broken = 0

    def of(self, packet: Packet) -> Iterator[mux.Timed]:
        """The pictures that this packet completes; one that is broken is counted."""
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            self.broken += 1
            if self.broken in (1, 100, 10_000):
                log.warning("a packet cannot be decoded (%s); %d so far", error, self.broken)
            return
        yield from self._timed(frames)

    def rest(self) -> Iterator[mux.Timed]:
        """What the decoder still holds."""
        try:
            yield from self._timed(self._stream.decode(None))
        except av.error.FFmpegError:
            self.broken += 1

    def _timed(self, frames: Iterable[Any]) -> Iterator[mux.Timed]:
        for frame in frames:
            if not isinstance(frame, av.VideoFrame):
                continue
            if frame.pts is not None and frame.time_base is not None:
                at = float(frame.pts * frame.time_base)
            else:
                at = 0.0 if self._latest is None else self._latest + self._nominal
            if self._latest is not None and at <= self._latest:
                continue  # two pictures of one moment: the first stands
            self._latest = at
            if self._turn is None or not self._turn.fits(frame):
                self._turn = mux.Turn(frame, self._rotate)
            yield at, self._turn(frame)


def nominal(stream: VideoStream) -> float:
    """The usual time between two pictures, seconds."""
    rate = stream.average_rate or stream.guessed_rate
    return float(1 / rate) if rate and 1 <= rate <= 240 else 0.04
