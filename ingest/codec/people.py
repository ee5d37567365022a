"""`status`, `report` and worker `position`: small JSON from gateways, apps and phones."""

from __future__ import annotations

import base64
import binascii
import math
from datetime import datetime
from typing import Annotated, Any

import msgspec

from contracts.city import Device
from contracts.errors import Permanent
from contracts.geo import Point, to_wgs84
from contracts.kinds import PUBLIC_KINDS
from contracts.nouns import Arrival, Position, Report, Status
from ingest.codec import jpeg
from ingest.codec.text import DECODE_ERRORS, complain
from ingest.codec.times import ClockRule, check_retained, effective, to_utc
from ingest.topics import ID, shown

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
_Name = Annotated[str, msgspec.Meta(max_length=200)]


class StatusMessage(msgspec.Struct):
    """`{"state": "online" | "offline", "ts"?}`."""

    state: str
    ts: datetime | int | None = None


class ReportMessage(msgspec.Struct):
    """What an app sends. Unknown members are allowed: apps add their own."""

    id: str
    ts: datetime | int
    text: _Text
    lon: float
    lat: float
    kind: str | None = None
    reporter: _Name | None = None
    photo: str | None = None
    crs: str | None = None


class PositionMessage(msgspec.Struct):
    """Where a worker's phone is."""

    ts: datetime | int
    lon: float
    lat: float
    accuracy_m: float | None = None
    crs: str | None = None


_status = msgspec.json.Decoder(StatusMessage)
_report = msgspec.json.Decoder(ReportMessage)
_position = msgspec.json.Decoder(PositionMessage)


def status(arrival: Arrival, device: Device, rule: ClockRule) -> Status:
    """On or off line. Retained is the rule here: the newest state is what counts.

    Raises Permanent `bad_status` and what bad JSON raises.
    """
    word = arrival.payload.strip()
    ts: datetime | int | None = None
    if word[:1] == b"{":
        message = _decoded(_status, arrival.payload)
        state, ts = message.state, message.ts
    else:
        state = word[:40].decode("utf-8", "replace")
    if state not in ("online", "offline"):
        raise Permanent(
            "bad_status",
            f"the state {shown(state)} is unknown; allowed: online, offline, or JSON with 'state' "
            "and 'ts'",
        )
    at = arrival.received_at
    if ts is not None:
        at, _ = effective(to_utc(ts, device.timezone), at, rule)
    return Status(device.id, at, arrival.received_at, state == "online")


def report(arrival: Arrival, device: Device, rule: ClockRule) -> Report:
    """A person's report, placed in WGS 84, its photo's header checked.

    Raises Permanent `bad_report`, `bad_jpeg`, `jpeg_too_big` and what bad JSON and times raise.
    """
    message = _decoded(_report, arrival.payload)
    if not ID.fullmatch(message.id):
        raise Permanent(
            "bad_report",
            f"$.id: {shown(message.id)} is not allowed; 1 to 64 letters, digits, '.', '_', '-'",
        )
    if message.kind is not None and message.kind not in PUBLIC_KINDS:
        raise Permanent(
            "bad_report",
            f"$.kind: {shown(message.kind)} is unknown; allowed: {', '.join(PUBLIC_KINDS)}",
        )
    sent_at = to_utc(message.ts, device.timezone)
    if arrival.retained:
        check_retained("report", sent_at, arrival.received_at, rule)
    point = _place(message.lon, message.lat, message.crs or device.crs, "bad_report")
    return Report(
        device=device.id,
        at=effective(sent_at, arrival.received_at, rule)[0],
        received_at=arrival.received_at,
        id=message.id,
        text=message.text,
        point=point,
        kind=message.kind,
        reporter=message.reporter,
        photo=_photo(message.photo),
    )


def position(arrival: Arrival, worker: str, rule: ClockRule) -> Position:
    """Where a worker is. Raises Permanent `bad_position` and what bad JSON and times raise."""
    message = _decoded(_position, arrival.payload)
    sent_at = to_utc(message.ts, None)
    if arrival.retained:
        check_retained("position", sent_at, arrival.received_at, rule)
    accuracy = message.accuracy_m
    if accuracy is not None and not 0 <= accuracy <= 1e6:
        raise Permanent("bad_position", f"$.accuracy_m: {accuracy!r} is no accuracy in metres")
    return Position(
        worker=worker,
        at=effective(sent_at, arrival.received_at, rule)[0],
        received_at=arrival.received_at,
        point=_place(message.lon, message.lat, message.crs or "wgs84", "bad_position"),
        accuracy_m=accuracy,
    )


def _decoded(decoder: msgspec.json.Decoder[Any], payload: bytes) -> Any:
    try:
        return decoder.decode(payload)
    except DECODE_ERRORS as error:
        raise complain(payload, error) from None


def _place(lon: float, lat: float, crs: str, code: str) -> Point:
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise Permanent("not_finite", f"$.lon, $.lat: {lon}, {lat} is not finite")
    try:
        return to_wgs84(lon, lat, crs)
    except ValueError as error:
        raise Permanent(code, f"$.lon, $.lat, $.crs: {error}") from None


def _photo(text: str | None) -> bytes | None:
    if not text:
        return None
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Permanent("bad_report", f"$.photo: not base64: {error}") from None
    try:
        jpeg.size(data)
    except Permanent as bad:
        raise Permanent(bad.code, f"$.photo: {bad.reason}") from None
    return data
