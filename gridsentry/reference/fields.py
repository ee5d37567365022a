"""Fields of settings structs for the reference: type in words, default, and their docstrings."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect as shapes

if TYPE_CHECKING:
    from collections.abc import Iterator


class FieldNote(msgspec.Struct, frozen=True):
    """One field as the reference shows it."""

    name: str
    type: str
    default: str
    note: str
    """The docstring under the field; empty where there is none."""


def field_notes(struct: type[msgspec.Struct]) -> list[FieldNote]:
    """Every field of `struct`: what may stand there in words, its default and its docstring."""
    notes: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if base.__module__.startswith("msgspec") or not hasattr(base, "__struct_fields__"):
            continue
        notes.update(_written(base))
    told = shapes.type_info(struct)
    assert isinstance(told, shapes.StructType)
    types = {field.name: words(field.type) for field in told.fields}
    return [
        FieldNote(f.name, types[f.name], _default(f), notes.get(f.name, ""))
        for f in msgspec.structs.fields(struct)
    ]


def inner_structs(struct: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """Fields whose items are structs of their own, such as `center.tokens`: field → struct."""
    told = shapes.type_info(struct)
    assert isinstance(told, shapes.StructType)
    return {
        field.name: field.type.item_type.cls
        for field in told.fields
        if isinstance(field.type, shapes.VarTupleType | shapes.ListType)
        and isinstance(field.type.item_type, shapes.StructType)
    }


def inner_tables(struct: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """Fields that are tables with fields of their own, such as `center.oidc`: field → struct."""
    told = shapes.type_info(struct)
    assert isinstance(told, shapes.StructType)
    found = {}
    for field in told.fields:
        kinds = field.type.types if isinstance(field.type, shapes.UnionType) else (field.type,)
        for kind in kinds:
            if isinstance(kind, shapes.StructType):
                found[field.name] = kind.cls
    return found


def words(shape: Any) -> str:
    """What a value of this type looks like in TOML, in words."""
    match shape:
        case shapes.BoolType():
            return "true or false"
        case shapes.IntType():
            return "integer" + _range(shape)
        case shapes.FloatType():
            return "number" + _range(shape)
        case shapes.StrType():
            return "text"
        case shapes.NoneType():
            return "nothing"
        case shapes.LiteralType():
            return " or ".join(f'"{value}"' for value in shape.values)
        case shapes.UnionType():
            return " or ".join(words(t) for t in shape.types if not isinstance(t, shapes.NoneType))
        case shapes.VarTupleType() | shapes.ListType():
            return f"list of {words(shape.item_type)}"
        case shapes.TupleType():
            return f"[{', '.join(words(item) for item in shape.item_types)}]"
        case shapes.DictType():
            return f"table of {words(shape.value_type)}"
        case shapes.StructType():
            return "table"
    return "anything"


def _range(shape: Any) -> str:
    limits = ((shape.gt, "above"), (shape.ge, "at least"), (shape.lt, "below"), (shape.le, "up to"))
    told = [f"{word} {limit}" for limit, word in limits if limit is not None]
    return f" {', '.join(told)}" if told else ""


def _written(base: type) -> Iterator[tuple[str, str]]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
    body = tree.body[0]
    assert isinstance(body, ast.ClassDef)
    for i, node in enumerate(body.body):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        after = body.body[i + 1] if i + 1 < len(body.body) else None
        if (
            isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            yield node.target.id, " ".join(after.value.value.split())


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
