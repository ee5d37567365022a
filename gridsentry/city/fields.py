"""Field by field from loose values to a typed row, so that every wrong field is reported."""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from gridsentry.city.notes import Notes, choices

Row = TypeVar("Row", bound=msgspec.Struct)


@cache
def _hints(cls: type[msgspec.Struct]) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _described(hint: Any) -> str:
    """What is allowed, in words: the description nearest the outside of an annotation."""
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.description:
            return meta.description
    if typing.get_origin(hint) is typing.Literal:
        return ", ".join(str(value) for value in typing.get_args(hint))
    for argument in typing.get_args(hint):
        if argument is not type(None) and (text := _described(argument)):
            return text
    return {bool: "true or false", int: "a whole number", float: "a number", str: "text"}.get(
        hint, ""
    )


def _not_finite(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, tuple | list):
        return any(_not_finite(part) for part in value)
    return False


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


@cache
def _fields(cls: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """As msgspec tells them; it reads every annotation anew, a third of a millisecond a row."""
    return msgspec.structs.fields(cls)


def field_names(cls: type[msgspec.Struct]) -> list[str]:
    """The names people write, in order."""
    return [field.encode_name for field in _fields(cls)]


def build(
    cls: type[Row],
    values: Mapping[str, Any],
    where: str,
    notes: Notes,
    *,
    strict: bool = True,
) -> Row | None:
    """The row, or None after every problem has been noted. A field's place is `where` and its name.

    A value of None counts as not given. `strict=False` reads numbers and booleans from text.
    """
    before = len(notes.problems)
    names = field_names(cls)
    for name in values:
        if name not in names:
            notes.wrong(where + name, "not a known field", choices(names, name))
    hints, built = _hints(cls), {}
    for field in _fields(cls):
        value = values.get(field.encode_name)
        if value is None:
            if field.required:
                notes.wrong(where + field.encode_name, "missing", _described(hints[field.name]))
            continue
        try:
            made = msgspec.convert(value, hints[field.name], strict=strict)
        except msgspec.ValidationError as error:
            allowed = _described(hints[field.name])
            detail = "" if allowed else f" ({error})"
            notes.wrong(where + field.encode_name, _shown(value) + detail, allowed)
            continue
        if _not_finite(made):
            notes.wrong(where + field.encode_name, _shown(value), "finite numbers")
            continue
        built[field.name] = made
    return cls(**built) if len(notes.problems) == before else None
