"""A resident's report: checked, its picture written anew, handed to the intake once."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
from datetime import datetime, timedelta

from center.context import Context
from center.pages.resident.follow import Follow
from center.pages.resident.shapes import PlaceReport
from center.pictures import FOLDER, keep, ref_of, renewed
from center.problems import Problem
from center.query import one_of
from center.said import kind_names
from center.shapes import ReportBody
from center.writes import take_report, text
from contracts.clock import from_epoch_ms, iso
from contracts.geo import Point, distance_m
from contracts.spots import Spot

KINDS = (
    *("flooding", "drain_blocked", "manhole_cover_displaced", "severed_cable"),
    *("street_light_out", "pole_tilt", "high_altitude_throw", "hydrant_no_pressure"),
)
"""What people are offered, beside "something else": what eyes can tell. That a fibre is broken or a
sensor silent they cannot see."""
TEXT_MOST = 500
CONTACT_MOST = 40
PHOTO_MOST = 8 * 2**20
AHEAD, BACK = timedelta(minutes=2), timedelta(hours=24)
"""A report kept by a telephone without a network is believed so long; an older one sends somebody
for nothing."""
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_CALLABLE = re.compile(r"\+?[0-9][0-9 ()-]{4,24}")


async def take(context: Context, code: str, spot: Spot, body: PlaceReport) -> Follow:
    """File it, unless it is there already. Raises Problem 400 with what is wrong, in both
    languages."""
    if body.homepage:
        raise _bad("homepage", "please leave the hidden field empty", "请勿填写隐藏字段")
    if not _KEY.fullmatch(body.key):
        raise _bad("key", "16 to 64 of A-Z a-z 0-9 - _", "key 格式错误")
    if body.kind is not None:
        one_of(body.kind, KINDS, "$.kind")
    said = body.text.strip()
    if not (said or body.kind or body.photo):
        raise _bad(
            "text", "say what it is: a kind, words or a photograph", "请选择类别、填写说明或拍照"
        )
    if said:
        text(said, "$.text", TEXT_MOST)
    contact = body.contact.strip()
    if contact and not _CALLABLE.fullmatch(contact):
        raise _bad("contact", "a telephone number, or nothing", "请填写电话号码，或留空")
    name = hashlib.sha256(f"{code}\n{body.key}".encode()).hexdigest()
    # Two people press in the same millisecond: the report's own name says the microseconds, so that
    # each becomes an event that is told apart by its onset.
    at = _moment(body.ts, context.clock.now()) + timedelta(microseconds=int(name[:6], 16) % 1000)
    jpeg = await _picture(context, spot, body.photo)
    where = _where(spot, body)
    told = await take_report(
        context,
        ReportBody(
            id=f"q-{name[:24]}",
            ts=iso(at),
            text=f"【{spot.zh}】{said or _kind_words(context, body.kind)}",
            lon=where.lon,
            lat=where.lat,
            crs="wgs84",
            kind=body.kind,
            reporter=contact or None,
            photo=None if jpeg is None else base64.b64encode(jpeg).decode(),
        ),
    )
    photo = "" if jpeg is None else hashlib.sha256(jpeg).hexdigest()
    return Follow(code=code, event=told.event, at=at, photo=photo)


async def _picture(context: Context, spot: Spot, photo: str | None) -> bytes | None:
    """The picture as it is kept, and kept: what a telephone hides in it is gone."""
    if not photo:
        return None
    if len(photo) > PHOTO_MOST * 4 // 3 + 4:
        raise _bad("photo", "the photograph is too large", "照片过大")
    jpeg = await asyncio.to_thread(_renew, photo)
    ref = ref_of(jpeg)
    # Noted before it is kept: what cannot be noted is not taken.
    await context.desk.log_access("resident", f"{ref} added at {spot.id}", context.clock.now())
    await asyncio.to_thread(keep, context.evidence_dir / ref, jpeg)
    return jpeg


def photo_ref(digest: str) -> str:
    """The reference of a kept photograph by its SHA-256."""
    return f"{FOLDER}/{digest[:2]}/{digest}.jpg"


def _renew(photo: str) -> bytes:
    try:
        data = base64.b64decode(photo, validate=True)
    except (binascii.Error, ValueError):
        raise _bad("photo", "not base64", "照片编码错误") from None
    return renewed(data)[0]


def _moment(ts: int | None, now: datetime) -> datetime:
    if ts is None:
        at = now
    else:
        try:
            at = from_epoch_ms(ts)
        except OverflowError:
            raise _bad("ts", "no time", "时间错误") from None
        if at > now + AHEAD or at < now - BACK:
            raise Problem(
                400, "bad_time", "the time is not of the last 24 hours; please report it anew"
                " / 时间不在最近24小时内，请重新上报", path="$.ts",
            )  # fmt: skip
    return at - timedelta(microseconds=at.microsecond % 1000)


def _where(spot: Spot, body: PlaceReport) -> Point:
    if body.lon is None or body.lat is None:
        return spot.point
    if not (abs(body.lon) <= 180 and abs(body.lat) <= 90):
        raise _bad("lon", "lon and lat are degrees", "经纬度错误")
    where = Point(body.lon, body.lat)
    # Somebody who reports from home what they saw at the gate means the gate.
    return where if distance_m(where, spot.point) <= spot.reach_m else spot.point


def _kind_words(context: Context, kind: str | None) -> str:
    return kind_names(context.city, kind)[0] if kind else "（见照片）"


def _bad(path: str, en: str, zh: str) -> Problem:
    return Problem(400, "bad_value", f"{en} / {zh}", path=f"$.{path}")
