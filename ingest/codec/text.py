"""What is wrong with a JSON payload, in words a person understands.

msgspec finds faults fast but speaks of `$.m[...]`; this is the slow second look, taken only at
messages that already failed.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import msgspec

from contracts.errors import Permanent
from ingest.topics import shown

DECODE_ERRORS = (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError)
"""Everything a msgspec decoder raises on input."""


class _NotFinite(Exception):
    def __init__(self, word: str) -> None:
        self.word = word


def _constant(word: str) -> NoReturn:
    raise _NotFinite(word)


def _float(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise _NotFinite(word[:40])
    return value


def _int(word: str) -> int | float:
    # Python refuses integers of more than 4,300 digits with a ValueError of its own.
    return int(word) if len(word) <= 40 else _float(word)


def complain(payload: bytes, error: Exception) -> Permanent:
    """The reason why `payload` could not be decoded; `error` is what msgspec said."""
    if not payload.strip():
        return Permanent("empty", "the payload is empty; a JSON object was expected")
    try:
        text = payload.decode()
    except UnicodeDecodeError as bad:
        return Permanent(
            "not_utf8",
            f"byte {bad.start} (0x{payload[bad.start]:02x}) is not UTF-8 text; JSON must be UTF-8",
        )
    try:
        json.loads(text, parse_constant=_constant, parse_float=_float, parse_int=_int)
    except _NotFinite as bad:
        return Permanent(
            "not_finite",
            f"the number {shown(bad.word)} is not finite; leave a value out that is not known",
        )
    except RecursionError:
        return Permanent("not_json", "the JSON is nested too deeply")
    except json.JSONDecodeError as bad:
        found = shown(text[bad.pos : bad.pos + 20]) if bad.pos < len(text) else "the end"
        return Permanent(
            "not_json",
            f"not JSON: {bad.msg} at line {bad.lineno}, column {bad.colno}; found {found}",
        )
    said = str(error)
    if "RFC3339" in said or "datetime" in said:
        return Permanent(
            "bad_time",
            f"{said}; allowed: ISO 8601 such as '2026-07-01T08:00:00Z', or integer epoch "
            "milliseconds",
        )
    return Permanent("wrong_type", said)


def where_not_a_number(values: Any, path: str) -> str | None:
    """The path and text of the first member of object `values` that is no number, or None."""
    if not isinstance(values, dict):
        return None
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{path}.{shown(str(name))[1:-1]}: expected a number, found {_found(value)}"
    return None


def _found(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {shown(value, 40)}"
        case list():
            return "an array"
        case dict():
            return "an object"
    return shown(str(value), 40)
