"""The recording format: JSON Lines, one message a line, in order of receipt.

    {"at": "<receipt time>", "topic": "…",
     "payload": <JSON> | "text": "…" | "base64": "…" | "file": "path beside the recording"}

Reading gives the bytes that were written: a JSON payload is kept as it was spelled where it fits
on one line, else as text.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import logging
import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self

import msgspec

from contracts.clock import iso
from contracts.errors import Wrong
from contracts.nouns import Arrival
from gridsentry.record.times import read_at

log = logging.getLogger(__name__)

INLINE_BYTES = 4096
"""Binary payloads above this stand in files of their own beside the recording."""
_KINDS = ("payload", "text", "base64", "file")
_NOTHING = msgspec.Raw(b"")
_OURS = re.compile(r"\d{6,}\.[a-z0-9]{2,4}")
_GZIP_MAGIC = b"\x1f\x8b"


class Line(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One line of a recording."""

    at: str | int | float
    topic: str
    payload: msgspec.Raw = msgspec.field(default_factory=lambda: _NOTHING)
    text: str | None = None
    base64: str | None = None
    file: str | None = None


_decoder = msgspec.json.Decoder(Line)


# --- reading ---------------------------------------------------------------------------------


def read(path: Path) -> Iterator[Arrival]:
    """The recording's messages in the order of its lines; gzip is recognised by its content.

    Receipt times never go back: a line earlier than the one before takes that one's time, said
    in the log. Raises Wrong naming the line on everything that is no recording.
    """
    path = Path(path)
    latest: datetime | None = None
    went_back = 0
    for number, text in _lines(path):
        where = f"{path.name}, line {number}"
        arrival = _arrival(text, where, path.parent)
        if latest is not None and arrival.received_at < latest:
            went_back += 1
            if went_back == 1:
                log.warning("%s: receipt time goes back; the line before's is taken", where)
            arrival = msgspec.structs.replace(arrival, received_at=latest)
        latest = arrival.received_at
        yield arrival
    if went_back > 1:
        log.warning("%s: receipt time goes back on %d lines", path.name, went_back)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, content) of every line that is not empty."""
    try:
        raw = path.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Wrong(str(path), f"cannot be read ({reason})", "a recording") from error
    number = 0
    with raw:
        stream: IO[bytes] | gzip.GzipFile = raw
        if raw.read(2) == _GZIP_MAGIC:
            stream = gzip.GzipFile(fileobj=raw, mode="rb")
        raw.seek(0)
        try:
            for number, line in enumerate(stream, start=1):
                content = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if content.strip():
                    yield number, content
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            where = f"{path.name}, after line {number}"
            raise Wrong(where, f"broken gzip ({error})", "a whole .jsonl.gz") from error


def _arrival(text: bytes, where: str, folder: Path) -> Arrival:
    try:
        line = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        allowed = '{"at": …, "topic": …} with one of payload, text, base64, file'
        raise Wrong(where, str(error), allowed) from error
    given = [
        kind
        for kind, there in zip(
            _KINDS,
            (
                bytes(line.payload) != b"",
                line.text is not None,
                line.base64 is not None,
                line.file is not None,
            ),
            strict=True,
        )
        if there
    ]
    if len(given) != 1:
        raise Wrong(where, " and ".join(given) or "no payload", "just one of " + ", ".join(_KINDS))
    if not line.topic:
        raise Wrong(f"{where}, topic", "empty", "an MQTT topic")
    return Arrival(
        topic=line.topic,
        payload=_payload(line, where, folder),
        received_at=read_at(line.at, f"{where}, at"),
    )


def _payload(line: Line, where: str, folder: Path) -> bytes:
    if line.text is not None:
        return line.text.encode()
    if line.base64 is not None:
        try:
            return base64.b64decode(line.base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Wrong(f"{where}, base64", str(error), "standard base64") from error
    if line.file is not None:
        return beside(folder, line.file, f"{where}, file").read_bytes()
    return bytes(line.payload)


def beside(folder: Path, name: str, where: str) -> Path:
    """The file `name` below `folder`. Raises Wrong when it is elsewhere or not there."""
    home = folder.resolve()
    path = (home / name).resolve()
    if PurePosixPath(name).is_absolute() or not path.is_relative_to(home):
        raise Wrong(where, repr(name), "a relative path that stays beside the recording")
    if not path.is_file():
        raise Wrong(where, f"there is no file {name}", "a file beside the recording")
    return path


# --- writing ---------------------------------------------------------------------------------


def files_folder(path: Path) -> Path:
    """Where a recording's media stand: `OUT.files` beside `OUT.jsonl[.gz]`."""
    name = path.name.removesuffix(".gz").removesuffix(".jsonl")
    return path.with_name(f"{name}.files")


def extension(payload: bytes) -> str:
    """A fitting file extension, by content."""
    head = payload[:16]
    for at, magic, name in (
        (0, b"\xff\xd8\xff", "jpg"),
        (4, b"ftyp", "mp4"),
        (0, b"Map\0", "sor"),
        (0, b"PK\x03\x04", "zip"),
        (8, b"WAVE", "wav"),
        (0, b"fLaC", "flac"),
    ):
        if head[at : at + len(magic)] == magic:
            return name
    return "ts" if head[:1] == b"G" and payload[188:189] == b"G" else "bin"


class Writer:
    """Writes a recording; the same messages give the same bytes.

    The recording appears under its name when it is closed without an error; until then it is
    `OUT.jsonl.part`. Media that an earlier recording of this name left behind are removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not self.path.name.endswith((".jsonl", ".jsonl.gz")):
            raise Wrong("-o", str(path), "a name that ends with .jsonl or .jsonl.gz")
        self.count = 0
        self._files = files_folder(self.path)
        self._staged = self._files.with_name(self._files.name + ".part")
        self._written: set[str] = set()
        other = self.path.with_name(
            self.path.name.removesuffix(".gz")
            if self.path.suffix == ".gz"
            else self.path.name + ".gz"
        )
        if other.exists() and self._files.exists():
            raise Wrong("-o", f"{self._files.name} belongs to {other.name}", "another name")
        self._part = self.path.with_name(self.path.name + ".part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._raw = self._part.open("wb")
        except OSError as error:
            raise Wrong("-o", f"{path} cannot be written ({error.strerror})") from error
        self._out: IO[bytes] | gzip.GzipFile = self._raw
        if self.path.suffix == ".gz":  # no name and no time inside: same messages, same bytes
            self._out = gzip.GzipFile("", "wb", compresslevel=6, fileobj=self._raw, mtime=0)

    def write(self, arrival: Arrival) -> None:
        """Append one message."""
        self.count += 1
        head = {"at": iso(arrival.received_at), "topic": arrival.topic}
        self._out.write(self._line(head, arrival.payload) + b"\n")

    def _line(self, head: dict[str, str], payload: bytes) -> bytes:
        start = _dump(head)[:-1]
        as_json = start + b',"payload":' + payload + b"}"
        if _same_json(as_json, payload):
            return as_json
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            pass
        else:
            return start + b',"text":' + _dump(text) + b"}"
        if len(payload) <= INLINE_BYTES:
            return start + b',"base64":"' + base64.b64encode(payload) + b'"}'
        name = f"{self.count:06d}.{extension(payload)}"
        self._staged.mkdir(exist_ok=True)
        (self._staged / name).write_bytes(payload)
        self._written.add(name)
        return start + b',"file":' + _dump(f"{self._files.name}/{name}") + b"}"

    def close(self) -> None:
        """Finish: the recording appears under its name."""
        self._out.close()
        self._raw.close()
        if self._files.is_dir():
            for old in self._files.iterdir():
                if old.name not in self._written and _OURS.fullmatch(old.name):
                    old.unlink()
        if self._written:
            self._files.mkdir(exist_ok=True)
            for name in sorted(self._written):
                (self._staged / name).replace(self._files / name)
            self._staged.rmdir()
        elif self._files.is_dir() and not any(self._files.iterdir()):
            self._files.rmdir()
        self._part.replace(self.path)

    def abandon(self) -> None:
        """Leave nothing of this recording behind; an earlier one of this name stays whole."""
        self._out.close()
        self._raw.close()
        self._part.unlink(missing_ok=True)
        for name in self._written:
            (self._staged / name).unlink(missing_ok=True)
        if self._written:
            self._staged.rmdir()

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it, or abandon it after an error."""
        if kind is None:
            self.close()
        else:
            self.abandon()


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _same_json(line: bytes, payload: bytes) -> bool:
    """Whether `line`, read back, gives just these bytes as its JSON payload."""
    if not payload or b"\n" in payload or b"\r" in payload:
        return False
    try:
        # A payload such as `1,"text":"x"` would break out of its place: read it alone first.
        msgspec.json.decode(payload)
        return bytes(_decoder.decode(line).payload) == payload
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
