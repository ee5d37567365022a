"""SenML (RFC 8428): packs in JSON or CBOR become resolved records."""

from __future__ import annotations

import math
import re
from io import BytesIO
from typing import Any, Final

import cbor2
import msgspec

from contracts.errors import Permanent
from ingest.codec.text import complain
from ingest.topics import shown

LABELS: Final[dict[int, str]] = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
"""CBOR labels (RFC 8428, table 4)."""
VERSIONS: Final = frozenset({*range(11), 26})
"""RFC 8428 is version 10; 26 says that secondary units may be used (RFC 9100, RFC 8798)."""
_SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"
"""What may stand before any CBOR (RFC 8949, 3.4.6)."""
RELATIVE: Final = float(2**28)
"""Smaller times are relative to now, larger ones seconds since 1970 (RFC 8428, 4.5.3)."""
MOST: Final = 100_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")
_anything = msgspec.json.Decoder()


class Record(msgspec.Struct, frozen=True):
    """One resolved record (RFC 8428, 4.6): no base fields are left."""

    name: str
    unit: str | None
    time_s: float
    """Seconds since 1970, or relative to the arrival when `relative`."""
    relative: bool
    value: float | None
    """A boolean is 0 or 1; None: a text or data value, or only a sum."""
    sum: float | None
    number: int
    """Of the record in its pack, from 0."""
    flag: bool = False
    """It was told as true or false."""


class Bad(Permanent):
    """A record that cannot be read; `number` is its place in the pack, from 0."""

    def __init__(self, code: str, reason: str, number: int) -> None:
        super().__init__(code, reason)
        self.number = number


def packed(payload: bytes) -> list[Any]:
    """The records of a pack as sent. JSON begins with `[` (or `{`, one record by itself), CBOR with
    the head of an array. Raises Permanent."""
    start = payload.lstrip()[:1]
    payload = payload.removeprefix(_SELF_DESCRIBED)
    if start in (b"[", b"{"):
        try:
            told = _anything.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise complain(payload, error) from None
    elif payload[:1] and payload[0] >> 5 in (4, 5):
        stream = BytesIO(payload)
        try:
            told = cbor2.load(stream)
        except Exception as error:  # tags inside make it meet faults of every kind
            raise Permanent("not_cbor", f"this is no CBOR: {error}") from None
        if stream.read(1):
            raise Permanent("not_cbor", "something follows after the CBOR array")
        told = [_named(r) for r in told] if isinstance(told, list) else _named(told)
    else:
        raise Permanent(
            "not_senml", "a SenML pack was expected: a JSON array of records, or the same in CBOR"
        )
    if isinstance(told, dict):
        told = [told]
    if not isinstance(told, list) or not told:
        raise Permanent("not_senml", "a SenML pack is an array of at least one record")
    if len(told) > MOST:
        raise Permanent("too_many", f"{len(told):,} records are more than {MOST:,}")
    return told


def resolve(pack: list[Any]) -> list[Record | Bad]:
    """Every record resolved, in its order; one that cannot be is the reason why not.

    A wrong base field makes all records wrong that it holds for, so it refuses the pack: raises
    Permanent.
    """
    name, time, unit, value, total = "", 0.0, None, None, None
    out: list[Record | Bad] = []
    for number, one in enumerate(pack):
        where = f"record {number}"
        if not isinstance(one, dict):
            out.append(Bad("not_senml", f"{where}: {shown(str(one))} is no record", number))
            continue
        strange = [k for k in one if isinstance(k, str) and k.endswith("_")]
        if strange:  # RFC 8428, 4.4: fields that must be understood
            raise Permanent("not_understood", f"{where}: we do not understand {shown(strange[0])}")
        version = _number(one, "bver", where)
        if version is not None and version not in VERSIONS:
            raise Permanent(
                "bad_version",
                f"{where}: SenML version {version:g} is newer than ours (10, or 26: RFC 9100)",
            )
        if "bn" in one:
            name = _text(one, "bn", where) or ""
        if "bu" in one:
            unit = _text(one, "bu", where)
        time = _or(_number(one, "bt", where), time)
        value = _or(_number(one, "bv", where), value)
        total = _or(_number(one, "bs", where), total)
        try:
            record = _record(one, where, number, name, time, unit, value, total)
        except Permanent as bad:
            out.append(Bad(bad.code, bad.reason, number))
            continue
        if record is not None:
            out.append(record)
    return out


def _record(
    one: dict[str, Any],
    where: str,
    number: int,
    base: str,
    time: float,
    unit: str | None,
    value: float | None,
    total: float | None,
) -> Record | None:
    kinds = [k for k in ("v", "vs", "vb", "vd") if k in one]
    own_sum = _number(one, "s", where)
    if not kinds and own_sum is None and (total is None or "n" not in one):
        if "n" not in one or value is None:
            if any(k in one for k in ("n", "t", "u")):
                raise Permanent("no_value", f"{where}: there is neither a value nor a sum in it")
            return None  # only base fields
        kinds = ["v"]  # the base value alone
    if len(kinds) > 1:
        raise Permanent("not_senml", f"{where}: more than one value ({', '.join(kinds)})")
    full = base + (_text(one, "n", where) or "")
    if not _NAME.fullmatch(full):
        raise Permanent(
            "bad_name",
            f"{where}: the name {shown(full)} is not allowed (RFC 8428, 4.5.1): letters, digits "
            "and '-:./_', beginning with a letter or digit",
        )
    told: float | None = None
    if kinds == ["v"]:
        told = (_number(one, "v", where) or 0.0) + (value or 0.0)
    elif kinds == ["vb"]:
        flag = one["vb"]
        if not isinstance(flag, bool):
            raise Permanent("not_a_boolean", f"{where}: vb: {shown(str(flag))}")
        told = float(flag)
    if own_sum is not None or total is not None:
        own_sum = (own_sum or 0.0) + (total or 0.0)
    moment = time + (_number(one, "t", where) or 0.0)
    return Record(
        name=full,
        unit=_text(one, "u", where) if "u" in one else unit,
        time_s=moment,
        relative=moment < RELATIVE,
        value=told,
        sum=own_sum,
        number=number,
        flag=kinds == ["vb"],
    )


def _named(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    return {LABELS.get(k, str(k)) if isinstance(k, int) else str(k): v for k, v in record.items()}


def _number(record: dict[str, Any], field: str, where: str) -> float | None:
    found = record.get(field)
    if found is None:
        return None
    try:
        if isinstance(found, (bool, str, bytes)):
            raise TypeError
        number = float(found)  # CBOR has decimal fractions too
    except (TypeError, ValueError, OverflowError):
        raise Permanent(
            "not_a_number", f"{where}: {field}: {shown(str(found))} is no number"
        ) from None
    if not math.isfinite(number):
        raise Permanent("not_a_number", f"{where}: {field}: {number} is no number")
    return number


def _text(record: dict[str, Any], field: str, where: str) -> str | None:
    found = record.get(field)
    if found is not None and not isinstance(found, str):
        raise Permanent("not_a_text", f"{where}: {field}: {shown(str(found))} is no text")
    return found


def _or(one: float | None, other: Any) -> Any:
    return other if one is None else one
