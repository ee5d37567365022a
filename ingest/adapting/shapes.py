"""Loose JSON of gateways: members that may be missing, nested values, times in many spellings."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from contracts.errors import Permanent
from ingest.codec.text import DECODE_ERRORS, complain

_anything = msgspec.json.Decoder()
_DEEPEST = 8
_MOST_FIELDS = 500
_EPOCH = re.compile(r"\d{9,19}(\.\d+)?")
_HEX = re.compile(r"[0-9a-f]{12,}|[0-9A-F]{12,}")
_BROKEN_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})([T ].*)")


def json_object(payload: bytes) -> dict[str, Any]:
    """The JSON object of a payload. Raises Permanent with what is wrong."""
    try:
        told = _anything.decode(payload)
    except DECODE_ERRORS as error:
        raise complain(payload, error) from None
    if not isinstance(told, dict):
        raise Permanent("wrong_type", f"a JSON object was expected, found {_kind(told)}")
    return told


def _kind(value: object) -> str:
    return {list: "an array", str: "a text", bool: "true or false", type(None): "null"}.get(
        type(value), "a number"
    )


def at(value: Any, *path: str | int) -> Any:
    """The member at `path`, or None where anything on the way is missing or of another kind."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def first(*values: Any) -> Any:
    """The first that is neither None nor an empty text."""
    return next((v for v in values if v is not None and v != ""), None)


def text(value: Any) -> str | None:
    """A text, a number as text; None otherwise."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def whole(value: Any) -> int | None:
    """A whole number that is not negative, also as text; None otherwise."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdigit() and len(value) < 19:
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 2**63 else None


def flat(value: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Leaves of nested objects and arrays by dotted path; `{"value": v, "unit": u}` is one leaf
    (`"v u"` where v is a number). Bounded in depth and number."""
    yield from islice(_leaves(value, prefix, depth), _MOST_FIELDS)


def _leaves(value: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        if "value" in value and not isinstance(value["value"], dict | list):
            inner, unit = value["value"], value.get("unit")
            if isinstance(unit, str) and isinstance(inner, int | float | str) and unit:
                inner = f"{inner} {unit}" if not isinstance(inner, bool) else inner
            yield prefix or "value", inner
            return
        if "measurementValue" in value:  # SenseCAP: a row of these, each named by its type
            name = text(first(value.get("type"), value.get("measurementId")))
            yield name or prefix, value["measurementValue"]
            return
        for name, part in value.items():
            yield from _leaves(part, f"{prefix}.{name}" if prefix else str(name), depth + 1)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _leaves(part, f"{prefix}.{place}" if prefix else str(place), depth + 1)
    elif value is not None:
        yield prefix, value


def time(*values: Any) -> datetime | None:
    """The first of these that is a time (RFC 3339 with any number of decimals, or epoch seconds,
    milli-, micro- or nanoseconds), in UTC; one without a zone is taken for UTC, as these servers
    mean it."""
    for value in values:
        found = _time(value)
        if found is not None:
            return found
    return None


def _time(value: Any) -> datetime | None:
    if isinstance(value, dict) and "seconds" in value:  # a protobuf Timestamp as JSON
        seconds, nanos = whole(value.get("seconds")), whole(value.get("nanos")) or 0
        return None if seconds is None else _epoch(seconds + nanos / 1e9)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str) and _EPOCH.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, int | float):
        for limit, factor in ((1e11, 1.0), (1e14, 1e-3), (1e17, 1e-6), (1e20, 1e-9)):
            if 0 < value < limit:
                return _epoch(value * factor)
        return None
    if not isinstance(value, str):
        return None
    found = _iso(value.strip())
    if found is None:
        return None
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return None


def _iso(said: str) -> datetime | None:
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        pass
    broken = _BROKEN_DATE.fullmatch(said)  # some write `2020-0327T12:39:05Z`
    try:
        return datetime.fromisoformat("{}-{}-{}{}".format(*broken.groups())) if broken else None
    except ValueError:
        return None


def _epoch(seconds: float) -> datetime | None:
    try:
        # whole microseconds: identity must not hang on binary fractions
        return datetime.fromtimestamp(round(seconds * 1e6) // 10**6, UTC).replace(
            microsecond=round(seconds * 1e6) % 10**6
        )
    except (OverflowError, ValueError, OSError):
        return None


def data_bytes(value: Any, *, hexadecimal: bool = False) -> bytes | None:
    """Payload bytes from base64 (also URL-safe, without padding) or hexadecimal text. What was to
    be base64 but is hexadecimal digits of one case all along is taken for what it looks like: by
    chance base64 looks so once in millions.

    Raises Permanent `bad_base64` or `bad_hex`.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Permanent("wrong_type", "the payload bytes must be a text")
    said = re.sub(r"\s", "", value)
    if hexadecimal or (len(said) % 2 == 0 and _HEX.fullmatch(said)):
        try:
            return bytes.fromhex(said)
        except ValueError:
            raise Permanent("bad_hex", "the payload is not hexadecimal text") from None
    try:
        padded = said.replace("-", "+").replace("_", "/")
        return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Permanent("bad_base64", "the payload bytes are not base64 text") from None


def eui(value: Any) -> str | None:
    """A device identifier: hexadecimal as it is; base64 of 8 bytes (protobuf's JSON) as
    hexadecimal."""
    said = text(value)
    if said is None or re.fullmatch(r"[0-9a-fA-F]{16}", said):
        return said
    if re.fullmatch(r"[A-Za-z0-9+/]{11}=", said):
        return base64.b64decode(said).hex()
    return said


def mapping(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}
