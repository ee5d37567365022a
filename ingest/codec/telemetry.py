"""`telemetry`: JSON `{"ts", "seq", "boot"?, "m": {metric: number}}`, or an array of such."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final

import msgspec

from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Poison, Quality, Reading
from ingest.codec.text import DECODE_ERRORS, complain, where_not_a_number
from ingest.codec.times import ClockRule, check_retained, effective, to_utc
from ingest.topics import shown

LARGEST: Final = 1e12
"""No metric of the field comes near; 1e308 is a fault, and would spoil every sum it enters."""

_Counter = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_NAME = re.compile(r"[^\W_][\w.\-/ ]{0,63}")
_KNOWN_NAMES = 10_000


class Message(msgspec.Struct):
    """One message as sent. Unknown members are allowed: gateways add their own."""

    m: dict[str, float]
    ts: datetime | int | None = None
    seq: _Counter | None = None
    boot: _Counter = 0


_message = msgspec.json.Decoder(Message)
_either = msgspec.json.Decoder(Message | list[Message])
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_anything = msgspec.json.Decoder()
_names: set[str] = set()


def decode(arrival: Arrival, device: Device, rule: ClockRule) -> list[Reading | Poison]:
    """One Reading per metric and message, in order of sending.

    A bad element of an array is set aside alone as Poison (its payload is that element); the
    good ones are kept. Raises Permanent when nothing of the payload can be read.
    """
    try:
        told = _either.decode(arrival.payload)
        if type(told) is Message:
            return _readings(told, arrival, device, rule)
        if not told:
            raise Permanent("empty", "the array is empty; a message was expected in it")
        out: list[Reading | Poison] = []
        for message in told:
            out += _readings(message, arrival, device, rule)
        return out
    except Permanent:
        if not _is_array(arrival.payload):
            raise
    except DECODE_ERRORS as error:
        if not _is_array(arrival.payload):
            raise _explained(arrival.payload, error) from None
    return _one_by_one(arrival, device, rule)


def _is_array(payload: bytes) -> bool:
    return payload.lstrip()[:1] == b"["


def _one_by_one(arrival: Arrival, device: Device, rule: ClockRule) -> list[Reading | Poison]:
    """The slow way through an array of which something is bad."""
    try:
        elements = _elements.decode(arrival.payload)
    except DECODE_ERRORS as error:
        raise complain(arrival.payload, error) from None
    if not elements:
        raise Permanent("empty", "the array is empty; a message was expected in it")
    out: list[Reading | Poison] = []
    for index, raw in enumerate(elements):
        element = bytes(raw)
        try:
            try:
                message = _message.decode(element)
            except DECODE_ERRORS as error:
                raise _explained(element, error) from None
            out += _readings(message, arrival, device, rule)
        except Permanent as bad:
            out.append(
                Poison(
                    arrival.topic,
                    arrival.received_at,
                    bad.code,
                    f"element {index} of the array: {bad.reason}",
                    element,
                    device.id,
                )
            )
    return out


def _readings(
    message: Message, arrival: Arrival, device: Device, rule: ClockRule
) -> list[Reading | Poison]:
    received_at = arrival.received_at
    ts = message.ts
    sent_at = None if ts is None else to_utc(ts, device.timezone)
    if arrival.retained:
        check_retained("telemetry", sent_at, received_at, rule)
    at = received_at
    quality = 0
    if sent_at is not None:
        at, mark = effective(sent_at, received_at, rule)
        quality = mark.value
    elif message.seq is None:
        quality = Quality.UNKEYED.value
    out: list[Reading | Poison] = []
    for metric, value in message.m.items():
        if metric not in _names or not -LARGEST <= value <= LARGEST:
            check_metric(metric, value)
        out.append(
            Reading(
                device.id,
                metric,
                value,
                at,
                received_at,
                sent_at,
                message.boot,
                message.seq,
                quality,
            )
        )
    if not out:
        raise Permanent("empty", "$.m: there is no value in it; at least one was expected")
    return out


def check_metric(metric: str, value: float) -> None:
    """Raises Permanent `bad_metric` or `out_of_range`."""
    if metric not in _names:
        _check_name(metric)
    if not -LARGEST <= value <= LARGEST:
        raise Permanent(
            "out_of_range",
            f"$.m.{metric}: {value!r} is larger than any quantity of the field "
            f"(at most {LARGEST:g} either way)",
        )


def _check_name(metric: str) -> None:
    if not _NAME.fullmatch(metric):
        raise Permanent(
            "bad_metric",
            f"$.m: the metric name {shown(metric)} is not allowed; 1 to 64 letters, digits, "
            "spaces or '._-/', beginning with a letter or digit",
        )
    if len(_names) >= _KNOWN_NAMES:
        _names.clear()
    _names.add(metric)


def _explained(payload: bytes, error: Exception) -> Permanent:
    """Like `complain`, but names the metric that is no number."""
    reason = complain(payload, error)
    if reason.code != "wrong_type":
        return reason
    told = _anything.decode(payload)
    if isinstance(told, dict):
        where = where_not_a_number(told.get("m"), "$.m")
        if where:
            return Permanent("wrong_type", where)
    return reason
