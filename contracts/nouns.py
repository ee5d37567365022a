"""What sensors and people send, once decoded. Times are aware datetimes in UTC, units SI.

Every noun carries `device`, `at` (the time that takes effect for detection) and `received_at`.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntFlag
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.geo import Point


class Quality(IntFlag):
    """What the screen noticed about a reading; 0 is good."""

    GOOD = 0
    CLOCK_OFF = 1  # the device's clock is wrong: arrival time takes effect
    STUCK = 2
    SPIKE = 4
    OUT_OF_RANGE = 8
    LATE = 16  # older than what the detectors already saw: stored, not folded
    UNKEYED = 32  # neither ts nor seq: stored at least once, outside the promise


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A message as it came off the wire, before anyone looked inside."""

    topic: str
    payload: bytes
    received_at: datetime
    retained: bool = False
    token: Any = None
    """What its source needs to acknowledge it; never stored."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One value of one metric of one device.

    Identity is what the device said: (device, metric, sent_at), else (device, metric, boot, seq);
    with neither the reading is `UNKEYED`.
    """

    device: str
    metric: str
    value: float
    at: datetime
    received_at: datetime
    sent_at: datetime | None = None
    boot: int = 0
    seq: int | None = None
    quality: int = 0


class Segment(msgspec.Struct, frozen=True):
    """A self-contained piece of video; `at` is the time of its first picture."""

    device: str
    at: datetime
    received_at: datetime
    data: bytes


class Still(msgspec.Struct, frozen=True):
    """One JPEG as a camera published it (`frame/{epoch_ms}`), its header already checked."""

    device: str
    at: datetime
    received_at: datetime
    data: bytes
    width: int
    height: int


class Frame(msgspec.Struct, frozen=True):
    """One decoded picture of a camera: what video detectors fold over."""

    device: str
    at: datetime
    received_at: datetime
    luma: NDArray[np.uint8]
    """Y plane, shape (height, width), read-only."""


class TraceEvent(msgspec.Struct, frozen=True):
    """One event of an OTDR's own event table."""

    distance_m: float
    loss_db: float
    reflectance_db: float | None
    kind: str
    """`reflective`, `non_reflective`, `end`, or `out_of_range`: the instrument lost the fibre."""


class Trace(msgspec.Struct, frozen=True):
    """One OTDR trace, distances already corrected for front panel and user offset."""

    device: str
    at: datetime
    received_at: datetime
    spacing_m: float
    first_m: float
    """Distance of the first sample from the fibre's start (may be negative)."""
    power_db: NDArray[np.float64]
    """Backscatter power in dB, higher is stronger, shape (samples,)."""
    events: tuple[TraceEvent, ...]
    wavelength_nm: float
    pulse_ns: float
    data: bytes = b""
    """The file as received, kept as evidence and for resume."""
    scale_error: float = 1e-4
    """Relative error of its distances: how well the index of refraction is known."""


class Record(msgspec.Struct, frozen=True):
    """One disturbance record (COMTRADE): kept as evidence, decoded by who needs it
    (`contracts.comtrade`); one that cannot be read was refused where it came in."""

    device: str
    at: datetime
    received_at: datetime
    data: bytes


class Clip(msgspec.Struct, frozen=True):
    """A piece of sound, WAV or FLAC; `at` is the time of its first sample."""

    device: str
    at: datetime
    received_at: datetime
    data: bytes


class Sound(msgspec.Struct, frozen=True):
    """A decoded piece of sound: what sound detectors fold over."""

    device: str
    at: datetime
    """Time of the first sample."""
    received_at: datetime
    rate_hz: float
    samples: NDArray[np.float32]
    """One channel, -1 to 1, shape (samples,), read-only."""


class Pulse(msgspec.Struct, frozen=True):
    """A sign of life: video, a picture or sound came from this device, whatever it shows. Made
    where such a message is taken in; never stored."""

    device: str
    at: datetime
    received_at: datetime


class Status(msgspec.Struct, frozen=True):
    """A gateway or device went on or off line; retained, also the last will."""

    device: str
    at: datetime
    received_at: datetime
    online: bool


class Report(msgspec.Struct, frozen=True):
    """What a person reported through an app; `device` is the app's id on the wire."""

    device: str
    at: datetime
    received_at: datetime
    id: str
    text: str
    point: Point
    kind: str | None = None
    reporter: str | None = None
    photo: bytes | None = None


class Position(msgspec.Struct, frozen=True):
    """Where a worker is."""

    worker: str
    at: datetime
    received_at: datetime
    point: Point
    accuracy_m: float | None = None


class Notice(msgspec.Struct, frozen=True):
    """Planned work, weather, a changed calibration: what detectors must know beside readings."""

    device: str
    at: datetime
    received_at: datetime
    topic: str
    body: dict[str, Any]


class Poison(msgspec.Struct, frozen=True):
    """A message nobody can read, with a reason a person understands. Set aside, never raised."""

    topic: str
    received_at: datetime
    code: str
    reason: str
    payload: bytes
    device: str | None = None
    adapter: str = "native"


Item = (
    Reading
    | Segment
    | Still
    | Frame
    | Trace
    | Record
    | Clip
    | Sound
    | Pulse
    | Status
    | Report
    | Notice
)
"""What a detector may consume."""
