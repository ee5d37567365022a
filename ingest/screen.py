"""The screen: what is noticed about a reading before a detector sees it. It only annotates.

Pure: the same readings give the same marks, and `snapshot` at any point resumes exactly.

- OUT_OF_RANGE: no sensor of this metric can truly say so (limits below).
- STUCK: the very same value for long although such a metric always flickers or drifts.
- SPIKE: a jump that comes back at once. The rule needs to see the return, so the mark is on the
  reading that returns; a flood's true, fast rise stays up and is never marked.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from contracts.errors import Permanent
from contracts.nouns import Quality, Reading

LIMITS: Final[dict[str, tuple[float, float]]] = {
    # Ranges that instruments of the kind can mean, wide on purpose.
    "level": (-5.0, 100.0),
    "depth": (-1.0, 50.0),
    "flow": (-1_000.0, 10_000.0),
    "velocity": (-30.0, 30.0),
    "rain_rate": (0.0, 2_000.0),  # the record minute, Unionville 1956: 31.2 mm, 1,872 mm/h
    "pressure": (-110.0, 100_000.0),
    "tilt": (-180.0, 180.0),
    "tilt_x": (-180.0, 180.0),
    "tilt_y": (-180.0, 180.0),
    "tension": (-1e6, 1e6),
    "vibration": (0.0, 2_000.0),
    "optical_power": (-120.0, 60.0),
    "lamp_current": (-1.0, 100.0),
    "lux": (0.0, 250_000.0),  # direct sun is about 130,000
    "sound_level": (-20.0, 200.0),
    "temperature": (-90.0, 200.0),
    "battery": (-1.0, 1_000.0),
    "last_gasp": (0.0, 1.0),
    **{f"voltage_{phase}": (-1.0, 500_000.0) for phase in "abcn"},
    **{f"current_{phase}": (-100_000.0, 100_000.0) for phase in "abcn"},
}

RESTLESS: Final = frozenset(
    {"vibration", "sound_level", "temperature", "optical_power"}
    | {f"voltage_{phase}" for phase in "abc"}
    | {f"current_{phase}" for phase in "abc"}
)
"""Metrics that never stand still on a working sensor; a dry drain's level truly does."""
STUCK_COUNT: Final = 30
STUCK_FOR: Final = timedelta(hours=1)
SPIKE_TIMES: Final = 12.0
"""A jump is a spike when it is this many times the usual step, and comes back within a quarter."""
_FORGET: Final = 0.05
_WARM: Final = 8


class _State(msgspec.Struct, array_like=True):
    """Of one metric of one device."""

    last: float
    before: float
    step: float
    """Usual size of a step: a slow mean of sizes, each counted at most three times the mean."""
    count: int
    same: int
    since: datetime


class Screen:
    """Annotates readings; one instance per writer."""

    def __init__(self, snapshot: bytes | None = None) -> None:
        """From a snapshot when there is one. Raises Permanent `bad_snapshot`."""
        self._states: dict[str, dict[str, _State]] = {}
        if snapshot:
            try:
                self._states = msgspec.msgpack.decode(snapshot, type=dict[str, dict[str, _State]])
            except msgspec.DecodeError as error:
                raise Permanent("bad_snapshot", f"the screen's snapshot: {error}") from None

    def snapshot(self) -> bytes:
        """All state."""
        return msgspec.msgpack.encode(self._states)

    def annotate(self, reading: Reading, /) -> Reading:
        """The reading with what the screen noticed; the same object when that is nothing."""
        marks = 0
        value, metric = reading.value, reading.metric
        limits = LIMITS.get(metric)
        if limits is not None and not limits[0] <= value <= limits[1]:
            # Not remembered: what cannot be true says nothing about what is usual.
            return _marked(reading, Quality.OUT_OF_RANGE.value)
        states = self._states.get(reading.device)
        if states is None:
            states = self._states[reading.device] = {}
        state = states.get(metric)
        if state is None:
            states[metric] = _State(value, value, 0.0, 1, 1, reading.at)
            return reading
        size = abs(value - state.last)
        if size == 0.0:
            state.same += 1
            if (
                metric in RESTLESS
                and state.same >= STUCK_COUNT
                and reading.at - state.since >= STUCK_FOR
            ):
                marks = Quality.STUCK.value
        else:
            state.same = 1
            state.since = reading.at
            jump = abs(state.last - state.before)
            if (
                state.count >= _WARM
                and state.step > 0.0
                and jump > SPIKE_TIMES * state.step
                and abs(value - state.before) < 0.25 * jump
            ):
                marks = Quality.SPIKE.value
        step = state.step
        bounded = size if step == 0.0 or size < 3.0 * step else 3.0 * step
        state.step = step + _FORGET * (bounded - step) if step else bounded
        state.before = state.last
        state.last = value
        state.count += 1
        return _marked(reading, marks) if marks else reading


def _marked(reading: Reading, marks: int) -> Reading:
    return msgspec.structs.replace(reading, quality=reading.quality | marks)
