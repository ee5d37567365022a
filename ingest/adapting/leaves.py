"""What stands in a message of any shape: numbers by their names, texts that hold JSON."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from contracts.errors import Permanent
from ingest.topics import shown

_DEEPEST: Final = 8
_NAMES: Final = (
    "metric", "key", "k", "code", "tag", "type", "sensor_type", "sensorType", "param",
    "parameter", "measurement", "quantity",
)  # fmt: skip
_ALSO: Final = ("name", "n", "id")
"""In a list; by themselves these name a device as well."""
_BESIDE: Final = frozenset(
    {"ts", "time", "timestamp", "t", "seq", "fcnt", "counter", "quality", "lat", "lon", "rssi"}
)
"""Numbers that may stand beside a value and its name."""
"""What the name of a value goes by where both stand beside each other."""


class Leaf(NamedTuple):
    """A number as it stands in the message."""

    value: float
    """An int where it was written so."""
    flag: bool
    """It was told as true or false."""
    unit: str | None = None
    """Where it says so itself (`{name, value, unit}`)."""


def left_out(name: str, left: set[str]) -> bool:
    """Whether it, or an object it stands in, is named."""
    while name not in left:
        name, dot, _ = name.rpartition(".")
        if not dot:
            return False
    return True


def unpacked(message: Any, keys: Sequence[str]) -> Any:
    """The message with the JSON in the text at `keys` unpacked; as it is when there is none."""
    if not keys:
        if not isinstance(message, str):
            return message
        try:
            text = (
                message
                if message.lstrip()[:1] in ("{", "[")
                else base64.b64decode(message, validate=True)
            )
            return msgspec.json.decode(text)
        except (binascii.Error, ValueError):
            raise Permanent(
                "not_json", f"{shown(message, 40)} is neither JSON nor base64 of JSON"
            ) from None
    if not isinstance(message, dict) or keys[0] not in message:
        return message
    try:
        return {**message, keys[0]: unpacked(message[keys[0]], keys[1:])}
    except Permanent as bad:
        raise Permanent(bad.code, f"{keys[0]}: {bad.reason}") from None


def holds(found: Any) -> bool:
    """Whether it is an object or an array."""
    return isinstance(found, (dict, list))


def time_of(beside: Any, name: str) -> Any:
    """The `timestamp` at that name; None where there is none."""
    found = beside
    for part in name.split("."):
        if isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            found = found.get(part) if isinstance(found, dict) else None
    time = found.get("timestamp") if isinstance(found, dict) else None
    return time if isinstance(time, (int, float, str)) and not isinstance(time, bool) else None


def leaves(value: Any, name: str, deep: int) -> Iterator[tuple[str, Leaf]]:
    """Every number below, by its names joined with dots. A list of `{name, value}` is an object,
    and so is one `{name, value}` by itself."""
    alone = alone_pair(value) if not name else None
    if alone is not None:
        for below, leaf in leaves(alone[1], alone[0], deep + 1):
            yield below, leaf._replace(unit=leaf.unit or unit_of(value))
    elif name and isinstance(value, dict) and is_quantity(value):
        unit = unit_of(value)
        for below, leaf in leaves(value["value"], name, deep + 1):
            yield below, leaf._replace(unit=unit)
    elif isinstance(value, dict) and deep <= _DEEPEST:
        for key, inner in value.items():
            if str(key).startswith("$"):
                continue
            yield from leaves(inner, f"{name}.{key}" if name else str(key), deep + 1)
    elif isinstance(value, list) and deep <= _DEEPEST:
        for number, inner in enumerate(value):
            found = pair(inner)
            if found is not None:
                key = f"{name}.{found[0]}" if name else found[0]
                unit = unit_of(inner)
                for below, leaf in leaves(found[1], key, deep + 1):
                    yield below, leaf._replace(unit=leaf.unit or unit)
            elif name:
                yield from leaves(inner, f"{name}.{number}", deep + 1)
    elif name and not isinstance(value, str):  # a text of digits may be a version
        told = as_number(value, {})
        if told is not None:
            flag = isinstance(value, bool)
            whole = isinstance(value, int) and not flag
            yield name, Leaf(int(value) if whole else told, flag)


def pair(value: Any) -> tuple[str, Any, str, str] | None:
    """(name, value, which members these are) of `{"name": …, "value": …}` and its like."""
    if isinstance(value, dict):
        for key in (*_ALSO, *_NAMES):
            for inside in ("value", "v", "val"):
                if isinstance(value.get(key), str) and inside in value:
                    return value[key], value[inside], key, inside
    return None


def alone_pair(value: Any) -> tuple[str, Any, str, str] | None:
    """Like `pair`, of a record that tells nothing else: `{"type": …, "value": …, "ts": …}`."""
    if not isinstance(value, dict):
        return None
    if not ("value" in value or "v" in value or "val" in value):
        return None
    names = {k: v for k, v in value.items() if k not in _ALSO}
    found = pair(names)
    others = (
        part
        for key, part in names.items()
        if found is not None and key not in found[2:] and key.lower() not in _BESIDE
    )
    return None if any(isinstance(part, (int, float, dict, list)) for part in others) else found


def is_quantity(value: dict[str, Any]) -> bool:
    """`{"value": 3.1, "unit": "bar"}`."""
    return isinstance(value.get("value"), (int, float)) and unit_of(value) is not None


def unit_of(value: dict[str, Any]) -> str | None:
    """What `{name, value, unit}` says of its unit."""
    return next((value[u] for u in ("unit", "u", "uom") if isinstance(value.get(u), str)), None)


def as_number(value: Any, texts: dict[str, float]) -> float | None:
    """A number, a boolean as 0 or 1, or a text that is one; None: it is none."""
    if isinstance(value, str):
        if value in texts:
            return texts[value]
        text = value.strip()
        try:
            number = float(text)
        except ValueError:
            return None
    elif isinstance(value, (bool, int, float)):
        if str(value) in texts or str(value).lower() in texts:
            return texts.get(str(value), texts.get(str(value).lower()))
        try:
            number = float(value)
        except OverflowError:
            return None
    else:
        return None
    return number if abs(number) < float("inf") else None
