"""One segment as MP4: of packets as they are, or of pictures coded with fixed settings."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.video.stream import VideoStream

SETTINGS = {
    # Small falling things must survive: visually lossless. No B frames, so that pictures leave
    # in the order of their times; one thread and no scene cuts, so that bytes are the same.
    "preset": "veryfast",
    "crf": "17",
    "bf": "0",
    "sc_threshold": "0",
    # No macroblock tree: with it 12 of 144 runs over evenly brightening pictures came out with
    # other bytes (of the same pictures), without it none.
    "x264-params": "keyint=infinite:min-keyint=1:scenecut=0:mbtree=0:threads=1:lookahead-threads=1",
}
BASE = Fraction(1, 90_000)
"""H.264 of every segment coded by us, so that the same pictures give the same bytes."""
_COPYABLE = ("yuv420p", "yuvj420p")

Timed = tuple[float, av.VideoFrame]
"""A picture and its time in seconds."""


def copyable(stream: VideoStream) -> bool:
    """Whether its packets may be copied: H.264 or H.265, 8-bit 4:2:0."""
    context = stream.codec_context
    return context.name in ("h264", "hevc") and str(context.pix_fmt) in _COPYABLE


def copied(packets: list[Any], stream: VideoStream) -> bytes:
    """One MP4 of these packets, in order of decoding, the first a keyframe. Their times become
    those from the first picture."""
    buffer = io.BytesIO()
    first = min(packet.pts for packet in packets)
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        copy = out.add_stream_from_template(stream)
        for packet in packets:
            dts = packet.pts if packet.dts is None else packet.dts
            packet.pts -= first
            packet.dts = dts - first  # below 0 where pictures are reordered: an edit list
            packet.stream = copy
            out.mux(packet)
    return buffer.getvalue()


class Turn:
    """Turns pictures upright and makes their sides even, which 4:2:0 coding needs."""

    def __init__(self, frame: av.VideoFrame, rotate: bool) -> None:
        self._like = (frame.width, frame.height, frame.format.name, frame.rotation)
        steps: list[tuple[str, str]] = []
        # `rotation` is counterclockwise; the filter's `clock` turns clockwise.
        match round(frame.rotation / 90) % 4 if rotate else 0:
            case 1:
                steps.append(("transpose", "cclock"))
            case 2:
                steps += [("hflip", ""), ("vflip", "")]
            case 3:
                steps.append(("transpose", "clock"))
        if frame.width % 2 or frame.height % 2:
            steps.append(("crop", "trunc(iw/2)*2:trunc(ih/2)*2:0:0"))
        self._graph: av.filter.Graph | None = None
        if steps:
            self._graph = av.filter.Graph()
            source = self._graph.add_buffer(
                width=frame.width,
                height=frame.height,
                format=frame.format,
                time_base=BASE,
            )
            chain = [source, *(self._graph.add(name, args or None) for name, args in steps)]
            chain.append(self._graph.add("buffersink"))
            for one, other in itertools.pairwise(chain):
                one.link_to(other)
            self._graph.configure()

    def fits(self, frame: av.VideoFrame) -> bool:
        """Whether the picture is like the one this was made for."""
        return self._like == (frame.width, frame.height, frame.format.name, frame.rotation)

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The picture, upright, even-sided, 8-bit 4:2:0."""
        if self._graph is not None:
            frame.time_base = BASE
            self._graph.push(frame)
            pulled = self._graph.pull()
            assert isinstance(pulled, av.VideoFrame)
            frame = pulled
        return frame if frame.format.name == "yuv420p" else frame.reformat(format="yuv420p")


def coded(group: list[Timed], end: float, nominal_s: float) -> bytes:
    """One MP4 of these pictures (8-bit 4:2:0, even sides), rising in time; the last one is shown
    until `end`; `nominal_s` is the usual time between two."""
    start = group[0][0]
    stamps = [round((at - start) / BASE) for at, _ in group]
    ends = [*stamps[1:], max(stamps[-1] + 1, round((end - start) / BASE))]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        rate = Fraction(1 / nominal_s).limit_denominator(1001)
        stream = out.add_stream("libx264", rate=rate, options=SETTINGS)
        stream.width, stream.height = group[0][1].width, group[0][1].height
        stream.pix_fmt = "yuv420p"
        stream.time_base = BASE
        stream.codec_context.time_base = BASE
        stream.codec_context.thread_count = 1
        durations = {at: until - at for at, until in zip(stamps, ends, strict=True)}
        packets = itertools.chain(
            itertools.chain.from_iterable(
                stream.encode(_stamped(frame, at))
                for at, (_, frame) in zip(stamps, group, strict=True)
            ),
            _flushed(stream),
        )
        for packet in packets:
            packet.duration = durations.get(packet.pts or 0, 1)
            out.mux(packet)
    return buffer.getvalue()


def _flushed(stream: VideoStream) -> Iterator[Any]:
    yield from stream.encode(None)


def _stamped(frame: av.VideoFrame, at: int) -> av.VideoFrame:
    frame.pts, frame.time_base = at, BASE
    frame.pict_type = av.video.frame.PictureType.NONE
    return frame
