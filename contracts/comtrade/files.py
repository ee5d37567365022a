"""The two files of a record, out of a `.cff` or a zip, never more than there is room for."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Final

from contracts.errors import Permanent

MAX_UNPACKED: Final = 64 * 2**20
"""Bytes of a record's files together."""
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_SECTION: Final = re.compile(
    rb"^[ \t]*-{3}[ \t]*file type[ \t]*:[ \t]*([a-z]{3})[^\r\n]{0,60}?-{3}[ \t]*\r?\n",
    re.IGNORECASE | re.MULTILINE,
)


def files(data: bytes) -> tuple[bytes, bytes]:
    """(configuration, samples) of a record. Raises Permanent `empty`, `bad_record`, `too_large`."""
    if not data:
        raise Permanent("empty", "the payload is empty; a COMTRADE record was expected")
    if data[:4] == b"PK\x03\x04":
        return _unzipped(data)
    plain = data.removeprefix(_UTF8_MARK)
    first = _SECTION.match(plain.lstrip()[:200])
    if first is None or first[1].lower() != b"cfg":
        raise Permanent(
            "bad_record",
            "neither a COMTRADE .cff file (its first line is '--- file type: CFG ---') nor a zip "
            f"of .cfg and .dat: it begins with 0x{data[:8].hex()}",
        )
    return _sections(plain)


def _sections(data: bytes) -> tuple[bytes, bytes]:
    """The parts of a single-file record; what stands behind the line `DAT` is samples to the
    end, whatever bytes they are."""
    config: bytes | None = None
    name, begin = "", 0
    for found in _SECTION.finditer(data):
        if name == "cfg":
            config = data[begin : found.start()]
        name, begin = found[1].decode().lower(), found.end()
        if name == "dat":
            break
    if config is None or name != "dat":
        raise Permanent("bad_record", "the .cff file has no '--- file type: DAT' section")
    return config, data[begin:]


def _unzipped(data: bytes) -> tuple[bytes, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = {info.filename.lower(): info for info in archive.infolist()}
            configs = sorted(name for name in found if name.endswith(".cfg"))
            samples = sorted(name for name in found if name.endswith(".dat"))
            for ending, names in ((".cfg", configs), (".dat", samples)):
                if not names:
                    raise Permanent("bad_record", f"the zip has no {ending} file in it")
            if sum(info.file_size for info in found.values()) > MAX_UNPACKED:
                raise Permanent("too_large", f"the zip unpacks to more than {MAX_UNPACKED:,} bytes")
            both = [name for name in configs if f"{name[:-4]}.dat" in found]
            config = both[0] if both else configs[0]
            sample = f"{config[:-4]}.dat" if both else samples[0]
            return archive.read(found[config]).removeprefix(_UTF8_MARK), archive.read(found[sample])
    # RuntimeError: encrypted; NotImplementedError is its subclass: an unknown compression.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Permanent("bad_record", f"the zip cannot be opened: {error}") from None
