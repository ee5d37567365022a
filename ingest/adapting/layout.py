"""Payload bytes as device profiles describe them: a small language for fields, four layouts.

A *field* is `name type [@offset] [operations] [code=word …]`, several separated by `;`:

    temperature i16 /10
    position u8 0=normal 1=tilt
    low_battery b7@2

Types: `u8 i16 u24 i32 f32 …` (little-endian unless the layout or a suffix `be`/`le` says
otherwise), `hex4` and `text4` (bytes, as text), `string` (after its length), `b3` and `b0-2` (bits
of the byte at `@offset`, or of the one that was read last), `bcd4`, `skip2`. `@n` reads at an
offset from the block's beginning and does not move on. Operations, left to right: `*k /k +k -k`;
`!k` leaves the field out when the raw number is `k`; `=[formula]` computes from `x[0]`, the number
so far, and `y[n]`, the block's bytes. A field called `time` (epoch seconds) dates what its block
says, `time_of_all` everything in the payload.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from contracts.errors import Permanent
from ingest.adapting.formula import Formula, compiled

Fields = dict[str, float | str]
_TYPE = re.compile(
    r"(?P<kind>[uif])(?P<bits>8|16|24|32|48|64)(?P<end>be|le)?|(?P<raw>hex|text|bcd|skip)(?P<size>\d+)|(?P<var>string)"
    r"|b(?P<low>\d+)(?:-(?P<high>\d+))?"
)


class Told(msgspec.Struct):
    """What one payload says: values by the vendor's names, each record with its own time."""

    now: Fields
    """What is true at the time of the message."""
    then: list[tuple[int, Fields]]
    """(epoch seconds, values) of records that carry their time."""
    left: bytes = b""
    """What could not be read: it begins with something the profile does not know."""


class Field(msgspec.Struct, frozen=True):
    """One compiled field."""

    name: str
    read: Callable[[bytes, int, bool], tuple[float | str | None, int]]
    """(data, where, big-endian) → value and how many bytes; the value before operations."""
    at: int | None
    bits: bool
    steps: tuple[Callable[[float], float], ...]
    formula: Formula | None
    words: dict[int | None, str]
    """By code; None: any other."""
    never: frozenset[float]


def fields(text: str) -> tuple[Field, ...]:
    """The fields that a line of the language says. Raises ValueError naming the part."""
    return tuple(_field(part.strip()) for part in re.split(r";(?![^\[]*\])", text) if part.strip())


def _field(text: str) -> Field:
    formula = None
    if "=[" in text:
        text, _, behind = text.partition("=[")
        formula, _, tail = behind.rpartition("]")
        text += tail
    parts = text.split()
    if parts and parts[0].startswith("skip"):
        parts.insert(0, "-")
    if len(parts) < 2:
        raise ValueError(f"{text!r}: a field is `name type …`")
    name, kind, *rest = parts
    kind, _, offset = kind.partition("@")
    matched = _TYPE.fullmatch(kind)
    if matched is None:
        raise ValueError(f"{text!r}: {kind!r} is not a type such as u8, i16, f32be, hex4 or b0-3")
    at = int(offset) if offset else None
    steps: list[Callable[[float], float]] = []
    words: dict[int | None, str] = {}
    never: set[float] = set()
    for word in rest:
        code, equals, said = word.partition("=")
        if word[0] == "@":
            at = int(word[1:])
        elif equals and code == "*":
            words[None] = said.replace("_", " ")
        elif equals and re.fullmatch(r"-?\d+|0x[0-9a-fA-F]+", code):
            words[int(code, 0)] = said.replace("_", " ")
        elif word[0] == "!":
            never.add(float(int(word[1:], 0)))
        elif word[0] in "*/+-":
            steps.append(_step(word[0], float(word[1:])))
        else:
            raise ValueError(f"{text!r}: {word!r} is no operation")
    function = None if formula is None else compiled(formula)
    bits = matched["low"] is not None
    return Field(name, _reader(matched), at, bits, tuple(steps), function, words, frozenset(never))


def _step(sign: str, number: float) -> Callable[[float], float]:
    match sign:
        case "*":
            return lambda v: v * number
        case "/":
            return lambda v: v / number
        case "+":
            return lambda v: v + number
    return lambda v: v - number


def _reader(m: re.Match[str]) -> Callable[[bytes, int, bool], tuple[float | str | None, int]]:
    if m["low"] is not None:
        low, high = int(m["low"]), int(m["high"] or m["low"])
        mask = (1 << (high - low + 1)) - 1
        return lambda data, at, _big: (float(_byte(data, at) >> low & mask), 0)
    if m["var"]:
        return _string
    if m["raw"]:
        size, raw = int(m["size"]), m["raw"]
        return lambda data, at, _big: (_text(raw, _cut(data, at, size)), size)
    size, kind, end = int(m["bits"]) // 8, m["kind"], m["end"]

    def number(data: bytes, at: int, big: bool) -> tuple[float | str | None, int]:
        piece = _cut(data, at, size)
        order = big if end is None else end == "be"
        if kind == "f":
            letter = {2: "e", 4: "f", 8: "d"}[size]
            return float(struct.unpack((">" if order else "<") + letter, piece)[0]), size
        return int.from_bytes(piece, "big" if order else "little", signed=kind == "i"), size

    return number


def _string(data: bytes, at: int, _big: bool) -> tuple[str, int]:
    """A text after its length."""
    length = _byte(data, at)
    return _cut(data, at + 1, length).decode("utf-8", "replace"), length + 1


def _text(raw: str, piece: bytes) -> str | float | None:
    match raw:
        case "hex":
            return piece.hex()
        case "bcd":
            return float(piece.hex()) if piece.hex().isdigit() else None
        case "text":
            return piece.decode("ascii", "replace").rstrip("\0")
    return None


def _byte(data: bytes, at: int) -> int:
    return _cut(data, at, 1)[0]


def _cut(data: bytes, at: int, size: int) -> bytes:
    piece = data[at : at + size]
    if len(piece) < size or at < 0:
        raise Permanent(
            "payload_too_short",
            f"the payload ends after {len(data)} bytes; at byte {at} {size} more were expected",
        )
    return piece


def read(block: tuple[Field, ...], data: bytes, start: int, big: bool) -> tuple[Fields, int]:
    """The fields of a block that begins at `start`, and how many bytes it takes.

    Raises Permanent `payload_too_short`.
    """
    out: Fields = {}
    at, last, end = start, start, start
    for field in block:
        where = at if field.at is None else start + field.at
        bits = field.bits and field.at is None
        value, size = field.read(data, last if bits else where, big)
        if size:
            last = where
        if field.at is None:
            at += size
        end = max(end, where + max(size, 0 if bits else 1))
        if value is None or field.name == "-":
            continue
        if isinstance(value, str):
            out[field.name] = value
            continue
        if value in field.never:
            continue
        word = field.words.get(int(value), field.words.get(None)) if field.words else None
        if word is not None:
            out[field.name] = word
            continue
        try:
            for step in field.steps:
                value = step(value)
            if field.formula is not None:
                value = field.formula((value,), data[start:])
        except (ArithmeticError, ValueError, IndexError):
            continue  # there is no such quantity: a logarithm of nothing
        out[field.name] = value
    return out, max(at, end) - start


class Channels:
    """Blocks that each begin with a key (`0175` battery, `0367` temperature): Milesight, Yobiiq,
    Elsys, Cayenne and their like. Ends at the first key it does not know."""

    def __init__(self, blocks: dict[str, str], big: bool, aside: Sequence[str] = ()) -> None:
        """A key may be one port's only (`11:0101`) or have `?` for any digit. From a channel that
        begins with one of `aside` on, the rest is no measurement (answers to configuration)."""
        self._blocks: dict[tuple[int | None, bytes], tuple[Field, ...]] = {}
        self._shapes: list[tuple[int | None, int, re.Pattern[str], tuple[Field, ...]]] = []
        for text, block in blocks.items():
            word, colon, key = text.rpartition(":")
            port = int(word) if colon else None
            if "?" in key:
                shape = re.compile(key.lower().replace("?", "[0-9a-f]"))
                self._shapes.append((port, len(key) // 2, shape, fields(block)))
            else:
                self._blocks[port, bytes.fromhex(key)] = fields(block)
        self._sizes = sorted({len(key) for _, key in self._blocks}, reverse=True)
        self._big = big
        self._aside = tuple(bytes.fromhex(key) for key in aside)

    def told(self, data: bytes, port: int | None) -> Told:
        """Raises Permanent when not even the first block can be read."""
        out = Told({}, [])
        at = 0
        while at < len(data):
            found = self._block(data, at, port)
            if found is None:
                if data.startswith(self._aside, at) or not any(data[at:]):
                    break
                if not at:
                    raise Permanent(
                        "unknown_payload",
                        f"the payload begins with {data[:4].hex()}: the profile does not know it",
                    )
                out.left = data[at:]
                break
            size, block = found
            try:
                said, length = read(block, data, at + size, self._big)
            except Permanent:
                if not at:
                    raise
                out.left = data[at:]
                break
            _add(out, said)
            at += size + length
        return _dated(out)

    def _block(
        self, data: bytes, at: int, port: int | None
    ) -> tuple[int, tuple[Field, ...]] | None:
        for size in self._sizes:
            key = data[at : at + size]
            block = self._blocks.get((port, key)) or self._blocks.get((None, key))
            if block is not None:
                return size, block
        for only, size, shape, block in self._shapes:
            if only in (None, port) and shape.fullmatch(data[at : at + size].hex()):
                return size, block
        return None


class Fixed:
    """Blocks chosen by where the payload begins or by its length, each with fixed places."""

    def __init__(self, blocks: dict[str, str], big: bool, each: int) -> None:
        """`each`: a payload may hold several pieces of this many bytes; 0: it is one."""
        self._blocks = [(_key(k), fields(text)) for k, text in blocks.items()]
        self._big = big
        self._each = each

    def told(self, data: bytes, _port: int | None) -> Told:
        """Raises Permanent `unknown_payload` or `payload_too_short`."""
        out = Told({}, [])
        size = self._each or max(1, len(data))
        for start in range(0, max(1, len(data)), size):
            piece = data[start : start + size]
            block = next((block for fits, block in self._blocks if fits(piece)), None)
            if block is None:
                raise Permanent(
                    "unknown_payload",
                    f"a payload of {len(data)} bytes that begins with {data[:4].hex()} is not "
                    "described in the profile",
                )
            _add(out, read(block, piece, 0, self._big)[0])
        return _dated(out)


def _key(text: str) -> Callable[[bytes], bool]:
    """`01??01` fits payloads that begin so (`?` any digit), `len=9` those of that length, `*` all;
    several joined by `&`."""
    checks: list[Callable[[bytes], bool]] = []
    for part in text.split("&"):
        word = part.strip()
        if word == "*":
            continue
        if word.startswith("len="):
            length = int(word[4:])
            checks.append(lambda data, n=length: len(data) == n)  # type: ignore[misc]
            continue
        if len(word) % 2 or not re.fullmatch(r"[0-9a-fA-F?]+", word):
            raise ValueError(f"{text!r}: hexadecimal digits or '?', `len=N` or `*`")
        shape = re.compile(word.lower().replace("?", "[0-9a-f]"))
        size = len(word) // 2
        checks.append(
            lambda data, s=shape, n=size: s.fullmatch(data[:n].hex()) is not None  # type: ignore[misc]
        )
    return lambda data: all(check(data) for check in checks)


class Words:
    """Decentlab: version, device, a flag for each sensor, then 16-bit words of those that are set.
    A formula sees its sensor's words as `x`, its parameters by name replaced beforehand."""

    def __init__(self, sensors: list[dict[str, Any]], parameters: dict[str, float]) -> None:
        self._sensors = []
        for sensor in sensors:
            values = []
            for name, text in sensor["values"].items():
                known = {word: repr(float(number)) for word, number in parameters.items()}
                said = re.sub(r"[A-Za-z]\w*", lambda m: known.get(m[0], m[0]), text)  # noqa: B023
                values.append((name, compiled(said)))
            self._sensors.append((int(sensor["words"]), values))

    def told(self, data: bytes, _port: int | None) -> Told:
        """Raises Permanent `unknown_payload` or `payload_too_short`."""
        if len(data) < 5 or data[0] != 2:
            raise Permanent(
                "unknown_payload",
                f"version {data[0] if data else 'nothing'}; 2 was expected (Decentlab protocol)",
            )
        flags, at = int.from_bytes(data[3:5], "big"), 5
        out: Fields = {}
        for place, (count, values) in enumerate(self._sensors):
            if not flags >> place & 1:
                continue
            piece = _cut(data, at, 2 * count)
            at += 2 * count
            x = [float(word) for word in struct.unpack(f">{count}H", piece)]
            for name, formula in values:
                try:
                    out[name] = formula(x, data)
                except (ArithmeticError, ValueError, IndexError):
                    continue  # there is no such quantity
        return Told(out, [])


def _add(out: Told, said: Fields) -> None:
    time = said.pop("time", None)
    if isinstance(time, float | int) and time > 0:
        out.then.append((int(time), said))
    else:
        out.now |= said


def _dated(out: Told) -> Told:
    time = out.now.pop("time_of_all", None)
    if isinstance(time, float | int) and time > 0:
        out.then.append((int(time), out.now))
        out.now = {}
    return out
