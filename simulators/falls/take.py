"""What is ordered from the studio, and what it hands over: footage, calibration, and the truth.

A detector is given `Take.segments` and `Take.camera`, never the rest.
"""

from __future__ import annotations

import msgspec

from contracts.city import Camera


class Distraction(msgspec.Struct, frozen=True):
    """Something that moves and is no fall."""

    kind: str
    """A name of `simulators.falls.distractors.KINDS`."""
    strength: float = 0.5
    """0 hardly there, 1 as bad as it gets."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One scene. The same order gives the same bytes; every random choice follows `seed`."""

    seed: int
    place: str = "generated"
    """`generated`, or `plate:<file name>` of a photograph in the folder of plates."""
    size: tuple[int, int] = (1280, 720)
    fps: float = 25.0
    seconds: float = 6.0
    mbit_s: float = 3.0
    falls: int = 0
    """How many things are thrown; each somewhere in the scene's time, at least 2 s apart."""
    size_px: tuple[float, float] | None = None
    """Range of their median apparent size in the picture; None: as the bodies come out."""
    visible: tuple[float, float] = (0.6, 1.0)
    """Range of the share of each path that nothing hides."""
    distractions: tuple[Distraction, ...] = ()
    dropped: float = 0.0
    """Share of pictures the camera loses."""
    doubled: float = 0.0
    """Share of pictures it sends twice (the second copy re-encoded, with the next time stamp)."""
    reflection: bool = False
    """A pane mirrors the falls: a second, weaker, parallel track."""
    calibration_px: float = 3.0
    """Standard deviation of the error in each calibration point."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """Where a falling thing is in one picture: the box around it, blur included.

    `x`, `y` are its left upper corner, counted as `cv2.boundingRect` does: the first pixel reaches
    from 0 to 1; what lies outside the picture is cut off. Copies of doubled pictures are not
    listed, nor is a thing that has landed.
    """

    t: float
    """Seconds from the take's begin, middle of the exposure."""
    x: float
    y: float
    w: float
    h: float
    visible: float
    """Share of it that nothing hides, 0 to 1."""


class TrueFall(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about one fall."""

    body: str
    zone: str
    floor: int
    bay: int
    size_px: float
    """Median apparent size along the visible path: square root of the unblurred area."""
    contrast: float
    """Median difference to what is behind it, grey levels."""
    visible: float
    """Share of the path inside the picture that nothing hides."""
    floors: float
    """How many floors it falls inside the picture."""
    released_s: float
    landed_s: float
    track: tuple[Seen, ...]


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """A scene as filmed."""

    order: Order
    segments: tuple[tuple[float, bytes], ...]
    """(seconds from the begin, MP4 with H.264), about one second each, first picture a keyframe."""
    camera: Camera
    """The calibration as a city would have it: with its error. Device `cam`."""
    pictures: int
    falls: tuple[TrueFall, ...]
