"""Every packet gets a time: some cameras' first picture has none, some streams have none at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from av.video.stream import VideoStream

from contracts.clock import monotonic
from gridsentry.camera.cutter import nominal

PATIENCE = 3
"""Packets without a time at the beginning, after which we take it that none will have one."""


def timed(packets: Iterable[Any], stream: VideoStream) -> Iterator[Any]:
    """The packets, each with `pts` and `dts`.

    One without gets that of its neighbour and the usual distance (FFmpeg leaves out the first
    one's of most RTSP streams); where there are none, the moment of arrival on the steady clock.
    """
    base = stream.time_base or Fraction(1, 90_000)
    step = max(1, round(nominal(stream) / base))
    held: list[Any] = []
    last: int | None = None
    ours = False
    for packet in packets:
        known = packet.dts if packet.dts is not None else packet.pts
        if known is None and last is None and not ours:
            held.append(packet)
            if len(held) < PATIENCE:
                continue
            ours = True
        if known is None:
            known = round(monotonic() / base) if ours else (last or 0) + step
            if last is not None:
                known = max(known, last + 1)
            packet.pts = packet.dts = known
        for back, early in enumerate(reversed(held), start=0 if ours else 1):
            early.pts = early.dts = known - back * step
        arrived = held if ours else [*held, packet]
        yield from arrived or [packet]
        held = []
        last = known
    yield from _untimed(held, base)


def _untimed(held: list[Any], base: Fraction) -> Iterator[Any]:
    """A stream that ended before any packet had a time."""
    for n, packet in enumerate(held):
        packet.pts = packet.dts = round(monotonic() / base) + n
        yield packet
