"""Files that are one message each: an OTDR trace, a disturbance record, a piece of sound."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from contracts.errors import Permanent, Wrong
from contracts.sor import taken

KINDS = ("telemetry", "segment", "trace", "record", "clip")
_BY_EXTENSION = {
    **dict.fromkeys(["csv", "tsv", "parquet", "pq"], "telemetry"),
    **dict.fromkeys(["mp4", "mov", "avi", "mkv", "webm", "ts", "m4v", "h264", "mpg"], "segment"),
    "sor": "trace",
    **dict.fromkeys(["cff", "cfg", "dat", "zip"], "record"),
    **dict.fromkeys(["wav", "flac"], "clip"),
}
_MAGIC = (
    (0, b"PAR1", "telemetry"),
    (4, b"ftyp", "segment"),
    (0, b"\x1a\x45\xdf\xa3", "segment"),
    (8, b"AVI ", "segment"),
    (0, b"Map\0", "trace"),
    (0, b"PK\x03\x04", "record"),
    (8, b"WAVE", "clip"),
    (0, b"fLaC", "clip"),
)


def infer_kind(path: Path) -> str:
    """The kind of message a file becomes, by its content, else by its extension. Raises Wrong."""
    with path.open("rb") as file:
        head = file.read(16)
    for at, magic, kind in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return kind
    kind_or_none = _BY_EXTENSION.get(path.suffix.lower().removeprefix("."))
    if kind_or_none is None:
        raise Wrong(path.name, "cannot tell what it is", "--kind " + "|".join(KINDS))
    return kind_or_none


def read_record(path: Path) -> bytes:
    """A disturbance record as the wire carries it: `.cff` or `.zip` as it is, else a zip of the
    `.cfg` and `.dat` of that name (with a fixed date inside: same files, same bytes)."""
    if path.suffix.lower() not in (".cfg", ".dat"):
        return path.read_bytes()
    parts = {
        other.suffix.lower(): other for other in path.parent.iterdir() if other.stem == path.stem
    }
    for needed in (".cfg", ".dat"):
        if needed not in parts:
            raise Wrong(path.name, f"no {path.stem}{needed} beside it", ".cfg and .dat together")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in (".cfg", ".dat", ".hdr", ".inf"):
            if suffix in parts:
                entry = zipfile.ZipInfo(parts[suffix].name, (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, parts[suffix].read_bytes())
    return buffer.getvalue()


def own_time(kind: str, data: bytes, zone: ZoneInfo | None) -> datetime | None:
    """The time that stands in the file itself, UTC, or None where it has none.

    Traces: when they were taken (SR-4731 FxdParams). Records: the first sample (COMTRADE .cfg),
    a naive time that needs `zone`. Sound has none.
    """
    if kind == "trace":
        return _trace_time(data)
    if kind == "record":
        return _record_time(data, zone)
    return None


def _trace_time(data: bytes) -> datetime | None:
    try:
        seconds = taken(data)
    except Permanent as error:
        raise Wrong(
            "--from", f"not an OTDR trace that can be read ({error.reason})", ".sor"
        ) from error
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None


def _record_time(data: bytes, zone: ZoneInfo | None) -> datetime | None:
    text = _configuration(data)
    if text is None or zone is None:
        return None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    revision = lines[0].split(",")[2].strip() if lines and lines[0].count(",") >= 2 else "1991"
    # 1991 wrote month first, later revisions day first (IEEE C37.111).
    order = ("%m/%d/%y", "%m/%d/%Y") if revision == "1991" else ("%d/%m/%Y", "%d/%m/%y")
    for line in lines[1:]:
        date, comma, clock = line.partition(",")
        if not comma or date.count("/") != 2 or clock.count(":") != 2:
            continue
        for form in order:
            try:
                day = datetime.strptime(date.strip(), form).replace(tzinfo=UTC)
                hms = datetime.fromisoformat(f"{day:%Y-%m-%d}T{clock.strip()[:15]}")
            except ValueError:
                continue
            return hms.replace(tzinfo=zone).astimezone(UTC)
    return None


def _configuration(data: bytes) -> str | None:
    """The text of the .cfg part of a zip or .cff."""
    if data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = [name for name in archive.namelist() if name.lower().endswith(".cfg")]
                return archive.read(names[0]).decode("latin-1") if names else None
        except zipfile.BadZipFile as error:
            raise Wrong("--from", f"broken zip ({error})", "a zip of .cfg and .dat") from error
    head, _, rest = data[: 1 << 20].decode("latin-1").partition("\n")
    return rest if "file type" in head.lower() else None
