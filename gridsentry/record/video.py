"""A video file as self-contained segments: one second each, every one beginning with a keyframe.

Where the file is H.264 or H.265 and its own keyframes already stand where the cuts must be, its
packets are copied; otherwise it is transcoded with fixed settings, so that the same file gives
the same bytes. Pictures keep their own times (also at a frame rate that varies); a rotation that
the file asks for is carried out; sound is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
from av.video.stream import VideoStream

from contracts.errors import Wrong
from gridsentry.record import mux

log = logging.getLogger(__name__)

SHORTEST_S, LONGEST_S = 0.5, 10.0
"""Bounds of a segment (wire contract)."""
TOLERANCE_S = 0.2
"""How far a keyframe may stand from the wished cut (the contract's overlap or gap)."""
HOLE_S = 2.0
"""Pictures further apart than this leave a hole; nearer ones are a slow picture rate."""


class Piece(msgspec.Struct, frozen=True):
    """One segment; times are seconds from the file's first picture."""

    start_s: float
    end_s: float
    pictures: int
    data: bytes


class Plan(msgspec.Struct, frozen=True):
    """Where the cuts are: `cuts[i]` to `cuts[i + 1]` is a segment, seconds from the first
    picture; the last one is the end of the last picture."""

    first_s: float
    cuts: tuple[float, ...]
    copy: bool
    pictures: int
    nominal_s: float


Tick = Callable[[int, int], None]
"""Progress: (pictures done, pictures in all)."""


def pieces(path: Path, segment_s: float, tick: Tick, *, rotate: bool = True) -> Iterator[Piece]:
    """The file's segments in order; `rotate=False` leaves out the rotation the file asks for.

    Raises Wrong when it is no video that can be read."""
    if not SHORTEST_S <= segment_s <= LONGEST_S:
        raise Wrong("--segment", f"{segment_s:g}", f"{SHORTEST_S:g} to {LONGEST_S:g} seconds")
    try:
        plan = make_plan(path, segment_s)
        if plan.copy:
            yield from _copied(path, plan, tick)
        else:
            yield from _transcoded(path, plan, tick, rotate=rotate)
    except (av.error.FFmpegError, OSError) as error:
        raise Wrong(path.name, f"not a video that can be read ({error})", "a video file") from error


def make_plan(path: Path, segment_s: float) -> Plan:
    """Read the packets' times without decoding and decide on the cuts."""
    with av.open(str(path)) as container:
        stream = _video(container, path)
        base = stream.time_base or Fraction(1, 1000)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        marks: list[tuple[float, bool]] = []
        closed, newest, key = True, -1.0, -1.0
        for packet in container.demux(stream):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is None or packet.size == 0 or packet.is_discard:
                continue
            at = float(stamp * base)
            if not marks and not packet.is_keyframe:
                closed = False  # it begins in the middle of a group
            if packet.is_keyframe:
                key = at
                closed = closed and at >= newest  # no earlier picture is shown later
            elif at < key:
                closed = False  # a picture after the keyframe that needs the group before
            newest = max(newest, at)
            marks.append((at, packet.is_keyframe))
        fits = closed and mux.copyable(stream)
        turned = _rotation(path) if fits else 0
    if not marks:
        raise Wrong(path.name, "no picture in it", "a video file")
    marks.sort()
    first, nominal = marks[0][0], float(1 / rate)
    times = [at - first for at, _ in marks]
    end = times[-1] + nominal
    keys = [at - first for at, is_key in marks if is_key]
    own = _own_cuts(keys, end, segment_s) if fits and turned == 0 else None
    cuts = own or tuple(_even_cuts(end, segment_s))
    return Plan(
        first_s=first, cuts=cuts, copy=own is not None, pictures=len(marks), nominal_s=nominal
    )


def _even_cuts(end: float, segment_s: float) -> Iterator[float]:
    """Cuts every `segment_s`; a rest shorter than the shortest segment joins the last one."""
    count = max(1, int(end / segment_s + 1e-6))
    if end - count * segment_s >= SHORTEST_S:
        count += 1
    yield from (n * segment_s for n in range(count))
    yield end


def _own_cuts(keys: list[float], end: float, segment_s: float) -> tuple[float, ...] | None:
    """The file's own keyframes nearest to the wished cuts, or None where they do not fit."""
    cuts: list[float] = []
    for wish in list(_even_cuts(end, segment_s))[:-1]:
        nearest = min(keys, key=lambda key: abs(key - wish))
        if abs(nearest - wish) > TOLERANCE_S or (cuts and nearest - cuts[-1] < SHORTEST_S):
            return None
        cuts.append(nearest)
    return (*cuts, end)


def _video(container: Any, path: Path) -> VideoStream:
    if not container.streams.video:
        raise Wrong(path.name, "no video stream in it", "a video file")
    stream: VideoStream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


def _rotation(path: Path) -> int:
    """Degrees counterclockwise by which the first picture asks to be turned."""
    with av.open(str(path)) as container:
        for frame in container.decode(_video(container, path)):
            return frame.rotation
    raise Wrong(path.name, "no picture in it", "a video file")


# --- copying ---------------------------------------------------------------------------------


def _copied(path: Path, plan: Plan, tick: Tick) -> Iterator[Piece]:
    """Segments of the file's own packets."""
    with av.open(str(path)) as container:
        stream = _video(container, path)
        base = stream.time_base or Fraction(1, 1000)
        groups: dict[int, list[Any]] = {}
        inner, done = plan.cuts[1:-1], 0
        number = 0
        for packet in container.demux(stream):
            if packet.pts is None or packet.size == 0 or packet.is_discard:
                continue
            at = float(packet.pts * base) - plan.first_s
            if packet.is_keyframe:
                while number < len(inner) and at >= inner[number] - 1e-9:
                    number += 1
                for older in [n for n in groups if n < number]:
                    yield _muxed(groups.pop(older), stream, plan, older)
            groups.setdefault(number, []).append(packet)
            done += 1
            tick(done, plan.pictures)
        for number, packets in groups.items():
            yield _muxed(packets, stream, plan, number)


def _muxed(packets: list[Any], stream: VideoStream, plan: Plan, number: int) -> Piece:
    base = stream.time_base or Fraction(1, 1000)
    first = min(packet.pts for packet in packets)
    last = max(packet.pts for packet in packets)
    start = float(first * base) - plan.first_s
    if number + 2 < len(plan.cuts):
        end = plan.cuts[number + 1]
    else:
        end = float(last * base) - plan.first_s + plan.nominal_s
    return Piece(start, end, len(packets), mux.copied(packets, stream))


# --- transcoding -----------------------------------------------------------------------------


def _transcoded(path: Path, plan: Plan, tick: Tick, *, rotate: bool) -> Iterator[Piece]:
    """Segments coded anew."""
    inner = plan.cuts[1:-1]
    group: list[mux.Timed] = []
    number = 0
    for done, (at, frame) in enumerate(_upright(path, plan, rotate), start=1):
        while number < len(inner) and at >= inner[number] - 1e-6:
            if group:
                yield _coded(group, at, plan)
                group = []
            number += 1
        group.append((at, frame))
        tick(done, plan.pictures)
    if not group:
        raise Wrong(path.name, "no picture in it can be decoded", "a video file")
    yield _coded(group, group[-1][0] + plan.nominal_s, plan)


def _upright(path: Path, plan: Plan, rotate: bool) -> Iterator[mux.Timed]:
    """Pictures as 8-bit 4:2:0 the right way up, with rising times from the first packet's."""
    skipped = 0
    with av.open(str(path)) as container:
        stream = _video(container, path)
        turn: mux.Turn | None = None
        latest = -1.0
        for frame in container.decode(stream):
            if frame.pts is not None and frame.time_base is not None:
                at = float(frame.pts * frame.time_base) - plan.first_s
            else:
                at = latest + plan.nominal_s if latest >= 0 else 0.0
            if at <= latest:  # two pictures of one moment: the first stands
                skipped += 1
                continue
            latest = at
            if turn is None or not turn.fits(frame):
                turn = mux.Turn(frame, rotate)
            yield max(at, 0.0), turn(frame)
    if skipped:
        log.warning("%s: %d pictures without a time of their own were left out", path.name, skipped)


def _coded(group: list[mux.Timed], end: float, plan: Plan) -> Piece:
    """One MP4 of these pictures; `end` is when the next picture comes, where one does."""
    start, last = group[0][0], group[-1][0]
    if end - last > HOLE_S:  # a hole in the video: the last picture was not shown that long
        end = last + plan.nominal_s
    return Piece(start, end, len(group), mux.coded(group, end, plan.nominal_s))
