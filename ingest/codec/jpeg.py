"""`frame`: one JPEG. Its header is read before anybody decodes it.

`cv2.imdecode` allocates what the header promises: 691 bytes that claim 65,500 x 65,500 pixels
took 6.5 GB. The size is therefore read here, from the start-of-frame marker (ITU-T T.81, B.2.2).
"""

from __future__ import annotations

from typing import Final

from contracts.errors import Permanent

MAX_SIDE: Final = 8192
MAX_PIXELS: Final = 40_000_000

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


def size(data: bytes, max_side: int = MAX_SIDE, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """(width, height) in pixels as the header says, nothing decoded.

    Raises Permanent `empty`, `bad_jpeg`, `jpeg_too_big`.
    """
    if not data:
        raise Permanent("empty", "the payload is empty; a JPEG was expected")
    if data[:2] != b"\xff\xd8":
        raise Permanent(
            "bad_jpeg", f"not a JPEG: it begins with 0x{data[:4].hex()}, a JPEG with 0xffd8"
        )
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise Permanent("bad_jpeg", f"not a JPEG: no marker at byte {at} of its header")
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker in (0xD9, 0xDA):
            raise Permanent("bad_jpeg", "the JPEG's picture begins before its size is said")
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _START_OF_FRAME:
            return _checked(data[at + 4 : at + 9], max_side, max_pixels)
        at += 2 + max(length, 2)
    raise Permanent("bad_jpeg", "the JPEG ends inside its header; it was cut off")


def _checked(frame: bytes, max_side: int, max_pixels: int) -> tuple[int, int]:
    if len(frame) < 5:
        raise Permanent("bad_jpeg", "the JPEG ends inside its header; it was cut off")
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    if not width or not height:
        raise Permanent("bad_jpeg", f"the JPEG says it is {width} x {height} pixels")
    if width > max_side or height > max_side or width * height > max_pixels:
        raise Permanent(
            "jpeg_too_big",
            f"the JPEG says it is {width} x {height} pixels; allowed are {max_side} a side and "
            f"{max_pixels:,} in all",
        )
    return width, height
