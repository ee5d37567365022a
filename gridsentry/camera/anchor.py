"""When a picture was taken: the camera's own time stamps on our clock.

A camera stamps its pictures steadily but from an origin of its own and with a clock that drifts;
our clock is right but sees pictures only after a delay that varies. So the stamps are taken, and
where they lie on our clock is the smallest delay seen lately (the method of NTP's clock filter,
RFC 5905 section 10: the sample of least delay is the best one).
"""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime, timedelta

from contracts.clock import EPOCH

log = logging.getLogger(__name__)

BLOCK_S, BLOCKS = 10.0, 6
"""The smallest delay of the last minute counts: a keyframe, and so the least loaded moment of the
network, comes many times in it, and a clock that is off by 100 ppm drifts 6 ms."""
SLEW = 0.005
"""Correct by at most 5 ms a second, so that neighbouring segments of 10 s gap or overlap by at
most 50 ms (allowed: 200 ms); the worst crystal (100 ppm) needs 0.1 ms a second."""
JUMP_S = 2.0
"""Off by more, somebody set a clock: follow at once."""


class Anchor:
    """Maps a live source's time stamps to our clock, without drift."""

    def __init__(self) -> None:
        self._minima: deque[float] = deque(maxlen=BLOCKS)
        self._block_ends: float | None = None
        self._offset: float | None = None
        self._corrected_at = 0.0
        self.jumps = 0

    def observe(self, stamp_s: float, arrived: datetime) -> None:
        """A picture stamped `stamp_s` (seconds, any origin) arrived at `arrived`."""
        wall = (arrived - EPOCH).total_seconds()
        delay = wall - stamp_s
        if self._block_ends is None or wall >= self._block_ends or not self._minima:
            self._block_ends = wall + BLOCK_S
            self._minima.append(delay)
        else:
            self._minima[-1] = min(self._minima[-1], delay)
        if self._offset is None:
            return
        error = min(self._minima) - self._offset
        if abs(error) > JUMP_S:
            log.warning("a clock was set: pictures' times move by %+.1f s", error)
            self.jumps += 1
            self._offset += error
        else:
            most = SLEW * max(0.0, stamp_s - self._corrected_at)
            self._offset += min(max(error, -most), most)
        self._corrected_at = stamp_s

    def time_of(self, stamp_s: float) -> datetime:
        """When the picture with that stamp was taken, on our clock."""
        if self._offset is None:
            # Late enough: a camera sends the pictures it kept for us at once, and only the newest
            # of them says how old the first is.
            self._offset = min(self._minima)
            self._corrected_at = stamp_s
        return EPOCH + timedelta(seconds=stamp_s + self._offset)
