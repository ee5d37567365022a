"""`segment`, `record` and `clip`: a look at the container (a record is read whole)."""

from __future__ import annotations

from typing import Final

from contracts.comtrade import read_record
from contracts.errors import Permanent

_MP4_BOXES: Final = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"free", b"skip", b"sidx"})
_TS_PACKET: Final = 188


def check_video(data: bytes) -> None:
    """That `data` looks like MP4 (ISO 14496-12) or MPEG-TS (ISO 13818-1).

    Raises Permanent `empty`, `bad_video`.
    """
    if not data:
        raise Permanent("empty", "the payload is empty; a piece of video was expected")
    if data[4:8] in _MP4_BOXES:
        return
    syncs = data[: 3 * _TS_PACKET : _TS_PACKET]
    if len(data) >= _TS_PACKET and syncs == b"\x47" * len(syncs):
        return
    raise Permanent("bad_video", f"neither MP4 nor MPEG-TS: it begins with 0x{data[:8].hex()}")


def check_record(data: bytes) -> None:
    """That `data` can be read as COMTRADE (IEC 60255-24): a `.cff`, or a zip of `.cfg` and `.dat`.

    It is read whole, so that nobody behind has to expect one that cannot be.
    Raises Permanent `empty`, `bad_record`, `too_large`.
    """
    read_record(data)


def check_sound(data: bytes) -> None:
    """That `data` is WAV (RIFF with a `fmt ` chunk) or FLAC (RFC 9639) with a believable header.

    Raises Permanent `empty`, `bad_sound`.
    """
    if not data:
        raise Permanent("empty", "the payload is empty; a piece of sound was expected")
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        rate, channels = _wav(data)
    elif data[:4] == b"fLaC":
        if len(data) < 42 or data[4] & 0x7F:
            raise Permanent("bad_sound", "the FLAC does not begin with its STREAMINFO block")
        packed = int.from_bytes(data[18:22], "big")
        rate, channels = packed >> 12, (packed >> 9 & 0x7) + 1
    else:
        raise Permanent("bad_sound", f"neither WAV nor FLAC: it begins with 0x{data[:8].hex()}")
    if not 1 <= channels <= 64 or not 1_000 <= rate <= 768_000:
        raise Permanent(
            "bad_sound", f"{channels} channels at {rate} samples a second is no sound we know"
        )


def _wav(data: bytes) -> tuple[int, int]:
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"fmt ":
            if length < 16 or at + 24 > len(data):
                break
            channels = int.from_bytes(data[at + 10 : at + 12], "little")
            return int.from_bytes(data[at + 12 : at + 16], "little"), channels
        at += 8 + length + (length & 1)
    raise Permanent("bad_sound", "the WAV has no whole 'fmt ' chunk; it was cut off")
