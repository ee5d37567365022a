"""The gateway as a whole: source → cutter → ring → sender, and what it says about itself."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import av
import msgspec
from av.video.stream import VideoStream

from contracts.clock import Clock, epoch_ms, monotonic
from contracts.errors import GridsentryError, Temporary, Wrong
from gridsentry.camera import cutter
from gridsentry.camera.anchor import Anchor
from gridsentry.camera.place import Place
from gridsentry.camera.ring import Ring
from gridsentry.camera.source import Source, explained, open_stream
from gridsentry.camera.stamps import timed
from gridsentry.record import mux

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
"""Between attempts to reach the camera; doubles."""
STEADY_S = 10.0
"""A camera that sent for so long was reached: the next wait is short again."""
JUMP_BACK_S, JUMP_ON_S = 0.5, 10.0
"""Stamps that jump so far belong to a new stream: cut here and begin again."""
SLOW_OFTEN = 5
MOST_BYTES = 40 * 1024 * 1024
"""Largest segment that the service takes by default (`decoder.max_segment_bytes`)."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the person asked for."""

    segment_s: float = 1.0
    frames: float | None = None
    """JPEG pictures a second instead of segments."""
    transcode: bool = False
    rotate: bool = True
    loop: bool = False
    realtime: bool = False
    at: datetime | None = None
    """Of a file's first picture."""


class Figures:
    """What the status line shows. Written by the reader, read by anyone."""

    def __init__(self) -> None:
        self.connected = False
        self.what = ""
        self.copying: bool | None = None
        self.pictures = self.pieces = self.bytes = 0
        self.last = monotonic()
        self._recent: deque[tuple[float, int]] = deque(maxlen=600)

    def packet(self, size: int) -> None:
        """A picture came."""
        self.last = monotonic()
        self.pictures += 1
        self.bytes += size
        self._recent.append((monotonic(), size))

    def rates(self) -> tuple[float, float]:
        """(pictures, bytes) a second over the last 5 s."""
        now = monotonic()
        recent = [one for one in list(self._recent) if one[0] > now - 5.0]
        span = max(1.0, now - recent[0][0]) if recent else 1.0
        return len(recent) / span, sum(size for _, size in recent) / span


class Reader(threading.Thread):
    """Reads the source until it ends (a file) or it is halted, into the ring."""

    def __init__(
        self,
        source: Source,
        wishes: Wishes,
        ring: Ring,
        place: Place,
        clock: Clock,
        on_state: Callable[[bool], None],
    ) -> None:
        """`on_state` hears when pictures begin and cease to come."""
        super().__init__(name="camera", daemon=True)
        self._source, self._wishes, self._ring, self._place = source, wishes, ring, place
        self._clock, self._on_state = clock, on_state
        self._halt = threading.Event()
        self._anchor = Anchor()
        self._begin: datetime | None = None
        """When a file's first picture is said to have been taken."""
        self._last_ms = ring.newest_ms
        self._no_copy: str | None = "as asked for" if wishes.transcode else None
        self._slow = 0
        self._cutter: cutter.Cutter | None = None
        self._latest: float | None = None
        self.figures = Figures()
        self.failure: GridsentryError | None = None
        self.done = threading.Event()

    def run(self) -> None:
        """Until the end."""
        try:
            if self._source.live:
                self._live()
            else:
                self._file()
        except GridsentryError as error:
            self.failure = error
        except Exception as fault:
            log.exception("the gateway met a fault of its own")
            self.failure = Temporary(f"a fault of ours: {type(fault).__name__}: {fault}")
        finally:
            self._state(False)
            self.done.set()

    def halt(self) -> None:
        """End soon; what is begun is cut and kept."""
        self._halt.set()

    def look(self) -> None:
        """Say when a USB camera has fallen silent: its driver waits for ever where a network's
        read gives up."""
        silent = monotonic() - self.figures.last
        if (
            self._source.kind == "device"
            and self.figures.connected
            and silent > self._source.stall_s
        ):
            log.warning(
                "%s: no picture for %.0f s; take the camera out and plug it in again",
                self._source.shown,
                silent,
            )
            self._state(False)

    def _state(self, online: bool) -> None:
        if self.figures.connected != online:
            self.figures.connected = online
            self._on_state(online)

    # --- a camera ------------------------------------------------------------------------------

    def _live(self) -> None:
        wait, reached, said = FIRST_WAIT_S, False, ""
        while not self._halt.is_set():
            begun = monotonic()
            try:
                for _ in self._one_connection():
                    reached = True
                text = f"{self._source.shown}: the camera ended the stream"
            except Wrong as error:
                if not reached:
                    raise
                text = str(error)
            except Temporary as error:
                text = str(error)
            self._state(False)
            if self._halt.is_set():
                return
            if monotonic() - begun >= STEADY_S:
                wait, said = FIRST_WAIT_S, ""
            if text != said:
                log.warning("%s. Trying again, in %g s and then less often", text, wait)
                said = text
            self._halt.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT_S)

    def _one_connection(self) -> Iterator[None]:
        """Yields once pictures come. Raises Wrong, Temporary."""
        container, stream = open_stream(self._source)
        self._anchor = Anchor()
        try:
            self._told(stream)
            try:
                for packet in self._packets(container, stream):
                    if not self.figures.connected:
                        self._state(True)
                        yield
                    at = cutter.stamp(packet, stream.time_base)
                    self._anchor.observe(at, self._clock.now())
                    self._cut(packet, stream, at)
            finally:
                self._finish()
        except av.error.ExitError as error:
            raise Temporary(
                f"{self._source.shown}: no picture for {self._source.stall_s:g} s, the stream has "
                "stalled"
            ) from error
        except (av.error.FFmpegError, OSError) as error:
            raise explained(self._source, error) from error
        finally:
            container.close()

    # --- a file --------------------------------------------------------------------------------

    def _file(self) -> None:
        begin = self._wishes.at or self._clock.now()
        kept = self._place.of(self._source.url, self._wishes.at)
        if kept is not None:
            log.warning(
                "the run before was cut off: what it took up to %d is not taken again", kept
            )
            self._last_ms = max(self._last_ms, kept)
        elif self._wishes.at is not None:
            self._last_ms = -1  # older messages in the ring are of another file
        while not self._halt.is_set():
            self._begin = begin
            end = self._play(begin)
            if not self._wishes.loop or end <= 0:
                break
            begin += timedelta(seconds=end)
        if not self._halt.is_set():
            self._place.clear()

    def _play(self, begin: datetime) -> float:
        """Once through the file; its length in seconds."""
        container, stream = open_stream(self._source)
        started = monotonic()
        end = 0.0
        try:
            self._told(stream)
            self._state(True)
            first: float | None = None
            for packet in self._packets(container, stream):
                at = cutter.stamp(packet, stream.time_base)
                if first is None:
                    first = at
                    self._begin = begin - timedelta(seconds=first)
                end = max(end, at - first + cutter.nominal(stream))
                if self._wishes.realtime:
                    self._halt.wait(max(0.0, started + (at - first) - monotonic()))
                self._cut(packet, stream, at)
            self._finish()
        except (av.error.FFmpegError, OSError) as error:
            raise explained(self._source, error) from error
        finally:
            container.close()
        return end

    # --- both ----------------------------------------------------------------------------------

    def _told(self, stream: VideoStream) -> None:
        context = stream.codec_context
        rate = stream.average_rate or stream.guessed_rate
        names = {"h264": "H.264", "hevc": "H.265", "mjpeg": "MJPEG", "rawvideo": "raw"}
        self.figures.what = (
            f"{names.get(context.name, context.name)} {context.width}x{context.height}"
            + (f" {float(rate):.3g} fps" if rate else "")
        )
        self._cutter = None
        self._latest = None
        log.info("%s: %s", self._source.shown, self.figures.what)

    def _packets(self, container: Any, stream: VideoStream) -> Iterator[Any]:
        """The stream's packets, each with a time."""

        def there() -> Iterator[Any]:
            for packet in container.demux(stream):
                if self._halt.is_set():
                    return
                if packet.size == 0 or packet.is_discard:
                    continue
                self.figures.packet(packet.size)
                yield packet

        yield from timed(there(), stream)

    def _cut(self, packet: Any, stream: VideoStream, at: float) -> None:
        order = cutter.stamp_of_decoding(packet, stream.time_base)
        step = 0.0 if self._latest is None else order - self._latest
        if self._source.live and not -JUMP_BACK_S <= step <= JUMP_ON_S:
            log.warning("the camera's time stamps jump by %+.1f s", step)
            self._finish()
            self._anchor = Anchor()
            self._anchor.observe(at, self._clock.now())
        self._latest = order
        if self._cutter is None:
            self._cutter = self._new_cutter(stream, packet)
        try:
            for piece in self._cutter.feed(packet):
                self._keep(piece)
        except cutter.NotCopyable as reason:
            log.warning(
                "%s: %s, so its video is coded anew, which costs this computer work and the "
                "picture a little quality; better set the camera to one keyframe (I-frame) a "
                "second, without B-frames and without H.264+/H.265+/smart coding",
                self._source.shown,
                reason,
            )
            self._no_copy = str(reason)
            self._cutter = self._coder(stream)
            for waiting in reason.packets:
                for piece in self._cutter.feed(waiting):
                    self._keep(piece)

    def _new_cutter(self, stream: VideoStream, packet: Any) -> cutter.Cutter:
        wishes = self._wishes
        if wishes.frames is not None:
            return cutter.Snapper(stream, wishes.frames, rotate=wishes.rotate)
        patient = not self._source.live
        if self._no_copy is None and not mux.copyable(stream):
            self._no_copy = f"{self.figures.what} is not H.264 or H.265 with 8 bits 4:2:0"
            log.info("%s: %s: it is coded anew", self._source.shown, self._no_copy)
        if self._no_copy is None and patient and wishes.rotate and _turned(self._source):
            self._no_copy = "its pictures are to be turned"
            log.info("%s: %s: it is coded anew", self._source.shown, self._no_copy)
        if self._no_copy is not None:
            return self._coder(stream)
        self.figures.copying = True
        return cutter.Copier(stream, wishes.segment_s, patient=patient)

    def _coder(self, stream: VideoStream) -> cutter.Coder:
        self.figures.copying = False
        return cutter.Coder(
            stream,
            self._wishes.segment_s,
            rotate=self._wishes.rotate,
            patient=not self._source.live,
        )

    def _finish(self) -> None:
        """Cut what is begun: a camera that went away may have shown something just before."""
        if self._cutter is not None:
            ended, self._cutter = self._cutter, None
            for piece in ended.finish():
                self._keep(piece)

    def _keep(self, piece: cutter.Piece) -> None:
        """Into the ring under the time of its first picture."""
        if self._source.live:
            at = self._anchor.time_of(piece.start_s)
            self._watch(piece)
        else:
            assert self._begin is not None
            at = self._begin + timedelta(seconds=piece.start_s)
        # To the nearest millisecond: stamps in 90 kHz are a hair below whole ones.
        ms = epoch_ms(at + timedelta(microseconds=500))
        if ms <= self._last_ms:
            if not self._source.live:
                return  # taken by the run before
            ms = self._last_ms + 1
        if len(piece.data) > MOST_BYTES:
            log.error(
                "a segment of %d MB is left out: the service takes 40 MB; lower the camera's bit "
                "rate or --segment", len(piece.data) >> 20,
            )  # fmt: skip
            return
        if not self._source.live:
            self._ring.wait_room(len(piece.data), self._halt.is_set)
            if self._halt.is_set():
                return
        kind = "segment" if self._wishes.frames is None else "frame"
        try:
            self._ring.put(kind, ms, piece.data, durable=kind == "segment")
        except Temporary as error:
            log.error("a %s is lost: %s", kind, error)
            return
        self._last_ms = ms
        if not self._source.live:
            self._place.note(self._source.url, self._wishes.at, ms)
        self.figures.pieces += 1

    def _watch(self, piece: cutter.Piece) -> None:
        """Say when this computer is too slow for coding anew."""
        if self.figures.copying is not False:
            return
        lag = (self._clock.now() - self._anchor.time_of(piece.end_s)).total_seconds()
        self._slow = self._slow + 1 if lag > 3.0 else 0
        if self._slow == SLOW_OFTEN:
            log.warning(
                "coding anew is too slow here: %.0f s behind. Use the camera's substream, or set "
                "it to H.264 with a keyframe a second, so that nothing needs coding", lag,
            )  # fmt: skip


def _turned(source: Source) -> bool:
    """Whether the file's pictures ask to be turned."""
    container, stream = open_stream(source)
    try:
        for frame in container.decode(stream):
            return bool(round(frame.rotation / 90) % 4)
    except av.error.FFmpegError:
        return False
    finally:
        container.close()
    return False
