"""Sparkplug B payloads (Eclipse Sparkplug 3.0, chapter 6): protobuf in, typed metrics out."""

from __future__ import annotations

import math
import zlib
from typing import Any, Final

import msgspec
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from contracts.errors import Permanent

_FIELD = descriptor_pb2.FieldDescriptorProto
_U32, _U64 = _FIELD.TYPE_UINT32, _FIELD.TYPE_UINT64
_FLOAT, _DOUBLE, _BOOL = _FIELD.TYPE_FLOAT, _FIELD.TYPE_DOUBLE, _FIELD.TYPE_BOOL
_STRING, _BYTES, _MESSAGE = _FIELD.TYPE_STRING, _FIELD.TYPE_BYTES, _FIELD.TYPE_MESSAGE

_VALUES: Final = {
    "int_value": (10, _U32),
    "long_value": (11, _U64),
    "float_value": (12, _FLOAT),
    "double_value": (13, _DOUBLE),
    "boolean_value": (14, _BOOL),
    "string_value": (15, _STRING),
    "bytes_value": (16, _BYTES),
    "dataset_value": (17, "DataSet"),
    "template_value": (18, "Template"),
}
_SHAPES: Final[dict[str, dict[str, tuple[int, Any]]]] = {
    # What of a payload is read (6.4): message → field → (number, type); `[]` marks repeated ones.
    "Payload": {
        "timestamp": (1, _U64),
        "metrics[]": (2, "Metric"),
        "seq": (3, _U64),
        "uuid": (4, _STRING),
        "body": (5, _BYTES),
    },
    "Metric": {
        "name": (1, _STRING),
        "alias": (2, _U64),
        "timestamp": (3, _U64),
        "datatype": (4, _U32),
        "is_historical": (5, _BOOL),
        "is_null": (7, _BOOL),
        "properties": (9, "PropertySet"),
        **_VALUES,
    },
    "Template": {"metrics[]": (2, "Metric"), "is_definition": (5, _BOOL)},
    "DataSet": {
        "columns[]": (2, _STRING),
        "types[]": (3, _U32),
        "rows[]": (4, "Row"),
    },
    "Row": {"elements[]": (1, "Element")},
    "Element": {
        "int_value": (1, _U32),
        "long_value": (2, _U64),
        "float_value": (3, _FLOAT),
        "double_value": (4, _DOUBLE),
        "boolean_value": (5, _BOOL),
    },
    "PropertySet": {"keys[]": (1, _STRING), "values[]": (2, "PropertyValue")},
    "PropertyValue": {
        "is_null": (2, _BOOL),
        "int_value": (3, _U32),
        "long_value": (4, _U64),
        "string_value": (8, _STRING),
    },
}
_SIGNED: Final = {1: 8, 2: 16, 3: 32, 4: 64}
"""Datatype → bits of the signed integers, which travel as unsigned ones (6.4.16)."""
NUMERIC: Final = frozenset({*range(1, 12)})
"""Datatypes that are a number or a boolean."""
INT64, UINT64, FLOAT, DOUBLE, BOOLEAN = 4, 8, 9, 10, 11
GOOD: Final = 192
"""The property `Quality` of a value that may be believed (OPC; 6.4.14)."""
_UNIT_KEYS: Final = ("engUnit", "Engineering Unit", "Engineering Units", "unit", "Unit")
COMPRESSED: Final = "SPBV1.0_COMPRESSED"
LARGEST: Final = 16 * 2**20
"""Bytes that a compressed payload may become."""
_DEEPEST: Final = 8
_MOST_CELLS: Final = 1000
"""Of a data set or an array: what is larger is a table or a waveform, no measurement."""
_ARRAYS: Final = {
    22: "<i1", 23: "<i2", 24: "<i4", 25: "<i8", 26: "<u1", 27: "<u2", 28: "<u4", 29: "<u8",
    30: "<f4", 31: "<f8",
}  # fmt: skip
"""Datatype → elements of the arrays that travel as bytes (6.4.16, little-endian)."""


def _classes() -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(
        name="gridsentry/sparkplug.proto", package="gridsentry.sparkplug", syntax="proto2"
    )
    for name, fields in _SHAPES.items():
        shape = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            repeated = field.endswith("[]")
            made = shape.field.add(
                name=field.removesuffix("[]"),
                number=number,
                label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL,
                type=_MESSAGE if isinstance(kind, str) else kind,
            )
            if isinstance(kind, str):
                made.type_name = f".{file.package}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{name}"))
        for name in _SHAPES
    }


_CLASSES: Final = _classes()
_Payload: Any = _CLASSES["Payload"]


class Metric(msgspec.Struct, frozen=True):
    """One metric as sent; a member of a template is called `template/member`."""

    name: str | None
    alias: int | None
    at_ms: int | None
    datatype: int
    """0: not said; the birth did."""
    raw: float | int | bool | None
    """The number as it travelled; None: null, a text, or what else is no number."""
    unit: str | None
    member: str = ""
    """Of a template, data set or array whose name only an alias says: which part of it this is."""
    trusted: bool = True
    """False: its property `Quality` says that it is not to be believed."""


class Payload(msgspec.Struct, frozen=True):
    """A payload with its metrics in order."""

    at_ms: int | None
    seq: int | None
    metrics: list[Metric]


def decode(data: bytes) -> Payload:
    """The payload, unpacked where it is compressed. Raises Permanent."""
    told = _parsed(data)
    if told.uuid == COMPRESSED:
        told = _parsed(_unpacked(told.body))
    metrics: list[Metric] = []
    for one in told.metrics:
        _add(one, None, metrics, 0)
    return Payload(
        told.timestamp if told.HasField("timestamp") else None,
        told.seq if told.HasField("seq") else None,
        metrics,
    )


def value_of(raw: float | int | bool | None, datatype: int) -> float | None:
    """The number that a metric of this datatype stands for; None: it is none, or not finite."""
    if raw is None or (datatype and datatype not in NUMERIC):
        return None
    bits = _SIGNED.get(datatype)
    if bits is not None and isinstance(raw, int):
        raw &= (1 << bits) - 1
        if raw >> (bits - 1):
            raw -= 1 << bits
    # 12.3 sent as 32 bits is 12.3, not 12.300000190734863.
    value = float(str(np.float32(raw))) if datatype == FLOAT else float(raw)
    return value if math.isfinite(value) else None


def rebirth(at_ms: int) -> bytes:
    """The payload of the NCMD that asks an edge node for its births (6.4.25)."""
    told = _Payload(timestamp=at_ms)
    told.metrics.add(
        name="Node Control/Rebirth", timestamp=at_ms, datatype=BOOLEAN, boolean_value=True
    )
    data: bytes = told.SerializeToString()
    return data


def _parsed(data: bytes) -> Any:
    told = _Payload()
    try:
        told.ParseFromString(data)
    except DecodeError as error:
        raise Permanent(
            "not_sparkplug", f"this is no Sparkplug B payload (protobuf): {error}"
        ) from None
    return told


def _unpacked(body: bytes) -> bytes:
    """GZIP or DEFLATE, whichever it is."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        data = unpacker.decompress(body, LARGEST)
    except zlib.error as error:
        raise Permanent(
            "not_sparkplug", f"the compressed payload cannot be unpacked: {error}"
        ) from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise Permanent("too_large", f"unpacked, the payload is larger than {LARGEST:,} bytes")
    return data


def _add(one: Any, of: Metric | None, out: list[Metric], deep: int) -> None:
    """The metric, or its parts: of a template, a data set, an array."""
    raw: float | int | bool | None = None
    if not one.is_null:
        for field in ("int_value", "long_value", "float_value", "double_value", "boolean_value"):
            if one.HasField(field):
                raw = getattr(one, field)
    unit, trusted = _properties(one)
    name = _text(one.name) if one.HasField("name") else None
    told = Metric(
        name,
        one.alias if one.HasField("alias") else None,
        one.timestamp if one.HasField("timestamp") else None,
        one.datatype,
        raw,
        unit,
        trusted=trusted,
    )
    if of is not None:
        told = _part(of, name or str(one.alias), told)
    if one.HasField("template_value"):
        if deep < _DEEPEST and not one.template_value.is_definition:
            for member in one.template_value.metrics:
                _add(member, told, out, deep + 1)
        return
    if one.HasField("dataset_value") and not one.is_null:
        out.extend(_cells(told, one.dataset_value))
    elif one.HasField("bytes_value") and one.datatype in _ARRAYS and not one.is_null:
        out.extend(_elements(told, one.bytes_value))
    else:
        out.append(told)


def _part(of: Metric, member: str, told: Metric) -> Metric:
    """What is inside `of`: its name and alias with the way to the part behind it."""
    at_ms = told.at_ms if told.at_ms is not None else of.at_ms
    if of.name is not None:
        name, way = f"{of.name}/{member}", ""
    else:
        name, way = None, f"{of.member}/{member}"
    return Metric(
        name, of.alias if name is None else None, at_ms, told.datatype, told.raw, told.unit,
        member=way, trusted=of.trusted and told.trusted,
    )  # fmt: skip


def _cells(of: Metric, data: Any) -> list[Metric]:
    """Numbers of a data set by column, and by row where there are several."""
    out: list[Metric] = []
    if len(data.rows) * len(data.columns) > _MOST_CELLS:
        return out
    for place, row in enumerate(data.rows):
        for column, kind, cell in zip(
            map(_text, data.columns), data.types, row.elements, strict=False
        ):
            for field in _SHAPES["Element"]:
                if cell.HasField(field):
                    way = column if len(data.rows) == 1 else f"{place}/{column}"
                    told = Metric(None, None, None, kind, getattr(cell, field), None)
                    out.append(_part(of, way, told))
    return out


def _elements(of: Metric, data: bytes) -> list[Metric]:
    shape = np.dtype(_ARRAYS[of.datatype])
    if len(data) % shape.itemsize or len(data) > _MOST_CELLS * shape.itemsize:
        return []
    kind = FLOAT if shape == np.dtype("<f4") else DOUBLE if shape.kind == "f" else INT64
    if of.datatype == 29:
        kind = UINT64
    return [
        _part(of, str(place), Metric(None, None, None, kind, value, None))
        for place, value in enumerate(np.frombuffer(data, shape).tolist())
    ]


def _text(found: str | bytes) -> str:
    """A text, also where it is no UTF-8 (proto2 then gives its bytes)."""
    return found if isinstance(found, str) else found.decode("utf-8", "replace")


def _properties(one: Any) -> tuple[str | None, bool]:
    unit, trusted = None, True
    if one.HasField("properties"):
        for key, value in zip(map(_text, one.properties.keys), one.properties.values, strict=False):
            if key in _UNIT_KEYS and value.string_value:
                unit = _text(value.string_value)
            elif key.lower() == "quality" and not value.is_null:
                code = value.int_value if value.HasField("int_value") else value.long_value
                trusted = not (value.HasField("int_value") or value.HasField("long_value")) or (
                    code == GOOD
                )
    return unit, trusted
