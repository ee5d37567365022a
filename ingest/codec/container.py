"""`segment`, `record` and `clip`: a cheap look at the container, the contents are decoded later."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Final

from contracts.errors import Permanent

_MP4_BOXES: Final = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"free", b"skip", b"sidx"})
_TS_PACKET: Final = 188
_MAX_UNZIPPED: Final = 64 * 2**20
_CFF_FIRST = re.compile(rb"\s*-{3}\s*file type\s*:\s*cfg", re.IGNORECASE)
_CHANNELS = re.compile(rb"\s*\d+\s*,\s*\d+\s*A\s*,\s*\d+\s*D", re.IGNORECASE)
_UTF8_MARK: Final = b"\xef\xbb\xbf"


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
    """That `data` looks like COMTRADE (IEC 60255-24): a `.cff`, or a zip of `.cfg` and `.dat`.

    The text may be in any encoding (GBK is common): only its ASCII skeleton is looked at.
    Raises Permanent `empty`, `bad_record`.
    """
    if not data:
        raise Permanent("empty", "the payload is empty; a COMTRADE record was expected")
    if data[:4] == b"PK\x03\x04":
        _check_zip(data)
    elif _CFF_FIRST.match(data.removeprefix(_UTF8_MARK)[:200]):
        head = data[:4096].splitlines()
        _check_configuration(head[1:], ".cff file")
        if b"file type: dat" not in data.lower():
            raise Permanent("bad_record", "the .cff file has no '--- file type: DAT' section")
    else:
        raise Permanent(
            "bad_record",
            "neither a COMTRADE .cff file (its first line is '--- file type: CFG ---') nor a zip "
            f"of .cfg and .dat: it begins with 0x{data[:8].hex()}",
        )


def _check_zip(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = {info.filename.lower()[-4:]: info for info in archive.infolist()}
            for ending in (".cfg", ".dat"):
                if ending not in found:
                    raise Permanent("bad_record", f"the zip has no {ending} file in it")
            if sum(info.file_size for info in archive.infolist()) > _MAX_UNZIPPED:
                raise Permanent(
                    "too_large", f"the zip unpacks to more than {_MAX_UNZIPPED:,} bytes"
                )
            with archive.open(found[".cfg"]) as file:
                head = file.read(4096).removeprefix(_UTF8_MARK).splitlines()
    # RuntimeError: encrypted; NotImplementedError is its subclass: an unknown compression.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Permanent("bad_record", f"the zip cannot be opened: {error}") from None
    _check_configuration(head, ".cfg file")


def _check_configuration(lines: list[bytes], name: str) -> None:
    if len(lines) < 2 or not _CHANNELS.match(lines[1]):
        raise Permanent(
            "bad_record",
            f"the {name}'s second line is not a count of channels such as '16,6A,10D'",
        )


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
