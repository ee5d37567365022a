"""Pictures that people send: read with care, written anew, kept by their content.

Nothing of the sent file stays but what can be seen: neither where it was taken nor by which
telephone (EXIF), nor anything hidden behind it. Sending one again is harmless.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from center.links import Signer
from center.problems import Problem

MOST_PIXELS = 64_000_000
"""What a telephone makes at most; a small file can claim much more."""
LONG_SIDE = 1600
"""Pixels of the picture that is kept."""
QUALITY = 85
FOLDER = "photos"
REF = re.compile(rf"{FOLDER}/[0-9a-f]{{2}}/[0-9a-f]{{64}}\.jpg")
"""A reference of ours; nothing else gets a link."""
PNG = b"\x89PNG\r\n\x1a\n"
_NO_SIZE = frozenset({0x01, *range(0xD0, 0xDA)})
"""JPEG markers that stand alone (T.81 table B.1)."""
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def photographs(ticket: dict[str, Any], signer: Signer) -> list[dict[str, Any]]:
    """A ticket's photographs as they were sent, each with a signed link (`photo`)."""
    told: dict[str, list[dict[str, Any]]] = (ticket.get("reason") or {}).get("photos") or {}
    return [
        {
            "name": name,
            "by": entry.get("by"),
            "at": entry.get("at"),
            "photo": signer.sign(entry["ref"]),
        }
        for name, entries in told.items()
        for entry in entries
        if REF.fullmatch(str(entry.get("ref")))
    ]


def ref_of(jpeg: bytes) -> str:
    """Where a picture is kept, relative to the evidence folder."""
    digest = hashlib.sha256(jpeg).hexdigest()
    return f"{FOLDER}/{digest[:2]}/{digest}.jpg"


def renewed(data: bytes) -> tuple[bytes, tuple[int, int]]:
    """(the picture as a JPEG without anything beside it, (width, height)), upright as its EXIF
    says. Raises Problem 400 on what is no whole JPEG or PNG, or too large a picture."""
    size = size_of(data)
    if size is None or (not data.startswith(PNG) and b"\xff\xd9" not in data[-65_536:]):
        raise _bad("this is no whole JPEG or PNG", "不是完整的 JPEG 或 PNG 图片")
    if size[0] * size[1] > MOST_PIXELS:
        raise _bad(f"at most {MOST_PIXELS // 10**6} megapixels", "图片像素过大")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None:
        raise _bad("the picture cannot be read", "图片无法读取")
    height, width = picture.shape[:2]
    scale = LONG_SIDE / max(height, width)
    if scale < 1:
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    ok, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not ok:
        raise _bad("the picture cannot be written", "图片无法保存")
    return jpeg.tobytes(), (picture.shape[1], picture.shape[0])


def size_of(data: bytes) -> tuple[int, int] | None:
    """(width, height) that a JPEG or PNG claims, before anything is decoded; None: neither."""
    if data.startswith(PNG):
        return struct.unpack(">II", data[16:24]) if len(data) >= 24 else None
    if not data.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker in _NO_SIZE:  # fill bytes, and markers without a length
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return (width, height) if width and height else None
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def keep(path: Path, data: bytes) -> None:
    """Write the file whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        os.utime(path)  # its age counts from the last time it was sent
        return
    handle, unfinished = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _bad(en: str, zh: str) -> Problem:
    return Problem(400, "bad_photo", f"{en} / {zh}")
