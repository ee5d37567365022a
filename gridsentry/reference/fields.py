"""The docstrings that stand under a struct's fields, read from its source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator


class FieldNote(msgspec.Struct, frozen=True):
    """One field as the reference shows it."""

    name: str
    type: str
    default: str
    note: str


def field_notes(struct: type[msgspec.Struct]) -> list[FieldNote]:
    """Every field of `struct` with its type as written, its default and its docstring."""
    notes: dict[str, tuple[str, str]] = {}
    for base in reversed(struct.__mro__):
        if base.__module__.startswith("msgspec") or not hasattr(base, "__struct_fields__"):
            continue
        notes.update(_written(base))
    return [
        FieldNote(
            f.name, notes.get(f.name, ("", ""))[0], _default(f), notes.get(f.name, ("", ""))[1]
        )
        for f in msgspec.structs.fields(struct)
    ]


def _written(base: type) -> Iterator[tuple[str, tuple[str, str]]]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
    body = tree.body[0]
    assert isinstance(body, ast.ClassDef)
    for i, node in enumerate(body.body):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        after = body.body[i + 1] if i + 1 < len(body.body) else None
        note = ""
        if (
            isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            note = " ".join(after.value.value.split())
        yield node.target.id, (ast.unparse(node.annotation), note)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        return _shown(field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return _shown(field.default_factory())
    return "required"


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, msgspec.Struct):
        return "see its table"
    return msgspec.json.encode(value).decode()
