"""Text that PostgreSQL can hold: nothing a device sends may make a whole batch fail.

PostgreSQL refuses U+0000 in text and jsonb, UTF-8 has no lone surrogates, and an index entry must
stay below 2,704 bytes. What cannot be stored is escaped so that a person sees it (`\\x00`,
`\\ud800`); a key that is too long is cut and ends in the hash of the whole.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

KEY_BYTES = 400
"""Longest key stored whole; ids are at most 64 characters, so only junk is ever cut."""


def storable(text: str) -> str:
    """`text` with what PostgreSQL cannot hold escaped visibly; the same object when clean."""
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def key(text: str) -> str:
    """`text` as part of an index: storable and short, still distinct from every other."""
    clean = storable(text)
    raw = clean.encode()
    if len(raw) <= KEY_BYTES:
        return clean
    digest = hashlib.sha256(raw).hexdigest()[:16]
    return raw[:KEY_BYTES].decode("utf-8", "ignore") + "…" + digest


def storable_value(value: Any) -> Any:
    """JSON-ready builtins with every text in them storable (keys too)."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable_value(name): storable_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable_value(inner) for inner in value]
    return value


def json_bytes(value: object) -> bytes:
    """`value` (struct or builtins) as JSON that PostgreSQL's jsonb takes."""
    try:
        raw = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raw = b"\\u0000"
    if b"\\u0000" in raw:
        raw = msgspec.json.encode(storable_value(msgspec.to_builtins(value)))
    return raw


def json_text(value: object) -> str:
    """`json_bytes` as text, for jsonb parameters."""
    return json_bytes(value).decode()
