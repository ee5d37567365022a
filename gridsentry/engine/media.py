"""Decodes whatever a camera published: a segment of video, or a single JPEG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from contracts.nouns import Frame, Segment, Still
from ingest import video
from ingest.codec import jpeg

if TYPE_CHECKING:
    from collections.abc import Iterable

# Cameras are spread over threads already; OpenCV's own would only fight over the cores.
cv2.setNumThreads(1)

JPEG_MAGIC = b"\xff\xd8\xff"


def decode_media(media: Segment | Still) -> Iterable[Frame]:
    """The pictures in order. Raises Permanent where there is none."""
    if isinstance(media, Still):
        return (video.still(media),)
    if is_still(media):
        return (video.still(_as_still(media)),)
    return video.decode(media)


def as_segment(media: Segment | Still) -> Segment:
    """A form that the spool keeps: a JPEG is a segment of one picture."""
    if isinstance(media, Segment):
        return media
    return Segment(media.device, media.at, media.received_at, media.data)


def is_still(segment: Segment) -> bool:
    """Whether this spooled segment is a single JPEG."""
    return segment.data.startswith(JPEG_MAGIC)


def _as_still(segment: Segment) -> Still:
    width, height = jpeg.size(segment.data)
    return Still(segment.device, segment.at, segment.received_at, segment.data, width, height)
