"""A picture that another recorder took, as evidence: veiled and kept like our own stills.

What the camera's privacy mask covers is black in both versions; in the shown one all of it is a
coarse mosaic but for what it was taken for being there at all: nothing says where on it homes lie.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from contracts.errors import Permanent, Temporary
from ingest.codec import jpeg
from ingest.evidence import durable
from ingest.evidence_draw import drawn
from ingest.evidence_pictures import Picture
from ingest.evidence_veil import Veil
from ingest.evidence_view import View

SAME_SHAPE: Final = 0.02
"""Width over height may differ by this share between a camera's pictures and scaled ones of it."""
CLOSE: Final = 8
"""Mosaic squares in the height of a picture that is cut close around somebody: the head is two or
three of them."""
_QUALITY: Final = [cv2.IMWRITE_JPEG_QUALITY, 90]


def check(data: bytes, size: tuple[int, int], masked: bool) -> tuple[int, int]:
    """(width, height) of a JPEG that can be veiled. `size` is the camera's, `masked` says that it
    has a privacy mask. Raises Permanent `bad_jpeg`, `jpeg_too_big`, `cropped`."""
    width, height = jpeg.size(data)
    if masked and not _whole((width, height), size):
        raise Permanent(
            "cropped",
            f"a picture of {width} x {height} pixels is cut out of those of {size[0]} x {size[1]}: "
            "this camera's privacy mask cannot be laid over it, so it is not kept; let the "
            "recorder publish whole pictures (Frigate: cameras.<name>.mqtt.crop: false)",
        )
    if _decoded(data) is None:
        raise Permanent("bad_jpeg", "the JPEG has a header but no picture that can be decoded")
    return width, height


def beside(
    data: bytes, at: datetime, view: View, name: str, *, shown: Path, originals: Path
) -> None:
    """Write `name` below both folders, durably. `view` is the camera's, without a track.

    Raises Permanent `bad_jpeg`, Temporary when the disk fails.
    """
    taken = _decoded(data)
    if taken is None:
        raise Permanent("bad_jpeg", "the picture can no longer be decoded")
    veil = Veil(view, (taken.shape[0], taken.shape[1]))
    covered = veil.cover(taken)
    whole = _whole((taken.shape[1], taken.shape[0]), view.size)
    veiled = veil.hide(covered) if whole else veil.hide(covered, CLOSE)
    try:
        for folder, picture in ((shown, veiled), (originals, covered)):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _, encoded = cv2.imencode(".jpg", drawn(picture, view, at, whole=True), _QUALITY)
            part = folder / f".{name}.part"
            part.write_bytes(encoded.tobytes())
            durable(part)
            part.replace(folder / name)
            durable(folder)
    except OSError as error:
        raise Temporary(f"cannot write evidence to {shown}: {error}") from error


def _whole(size: tuple[int, int], camera: tuple[int, int]) -> bool:
    ratio = camera[0] / camera[1]
    return abs(size[0] / size[1] - ratio) <= SAME_SHAPE * ratio


def _decoded(data: bytes) -> Picture | None:
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if found is None else np.asarray(found, np.uint8)
