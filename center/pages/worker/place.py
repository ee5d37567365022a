"""Sharing one's position, with consent: the same position as on MQTT, and only the newest is kept.

The phone asks for consent in the words of the page; their version goes along with every position,
so that none is taken under words that nobody agreed to. Each yes and no is noted in the access log.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Literal

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Bucket, Caller
from center.pages.worker.who import myself
from center.problems import Problem, json_response
from center.query import parse_time, read_json
from center.writes import json_bytes
from contracts.clock import iso

CONSENT = "2026-11"
"""The words that are agreed to (`web/consent.js`); changed words are a new version, asked anew."""
PER_MINUTE = 12.0
"""Positions of one worker a minute; the page sends one in 15 s, or 25 m on, at most."""
OLDEST = timedelta(minutes=10)
"""An older position tells nobody anything."""
BODY_BYTES = 2_048


class Where(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where a worker's phone is, as the browser says: WGS 84."""

    ts: str | int
    lon: float
    lat: float
    consent: str
    """The version of the words agreed to."""
    accuracy_m: float | None = None


class Consent(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a worker agrees to."""

    share: Literal["off", "job", "shift"]
    """Not at all, while they have a ticket in hand, or through their shift."""
    version: str


class Places:
    """Takes positions and consents. One for each center: it counts how often."""

    def __init__(self) -> None:
        self._rate = Bucket(PER_MINUTE)
        self._said: dict[str, Consent] = {}
        """The last word of each worker: a phone that was cut off before our answer says it anew."""

    async def position(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`POST /api/v1/me/position`."""
        worker = myself(context, caller, request)
        body = read_json(await json_bytes(request, BODY_BYTES), Where)
        _agreed(body.consent)
        now = context.clock.now()
        at = parse_time(body.ts, "$.ts")
        for name, value, most in (("lon", body.lon, 180), ("lat", body.lat, 90)):
            if not -most <= value <= most:
                raise Problem(400, "bad_value", f"{value} is no degree", path=f"$.{name}")
        accuracy = body.accuracy_m
        if accuracy is not None and not (math.isfinite(accuracy) and 0 <= accuracy <= 1e6):
            raise Problem(400, "bad_value", "no accuracy in metres", path="$.accuracy_m")
        if now - at > OLDEST:
            raise Problem(400, "too_old", "an old position is not taken / 位置已过时", path="$.ts")
        wait = self._rate.take(worker.id)
        if wait > 0:
            raise Problem(
                429, "too_many", f"one position in 5 s is enough; again in {wait:.0f} s",
                headers={"Retry-After": str(max(1, round(wait)))},
            )  # fmt: skip
        told = {"ts": iso(at), "lon": body.lon, "lat": body.lat, "accuracy_m": accuracy}
        # As if the phone had sent it by MQTT: one way into the store, one truth.
        topic = f"gridsentry/v1/worker/{worker.id}/position"
        payload = msgspec.json.encode({k: v for k, v in told.items() if v is not None})
        await context.desk.file_report(topic, payload, now)
        return json_response({"at": iso(at)}, status=202)

    async def consent(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`POST /api/v1/me/consent`: noted, as proof for both sides."""
        worker = myself(context, caller, request)
        body = read_json(await json_bytes(request, BODY_BYTES), Consent)
        _agreed(body.version)
        now = context.clock.now()
        what = f"workers/{worker.id}/position"
        if self._said.get(worker.id) != body:
            said = f"consent {body.version}: {body.share}"
            await context.desk.log_access(f"{caller.name} ({worker.id})", what, now, said)
            self._said[worker.id] = body
        return json_response({"share": body.share, "version": body.version, "at": iso(now)})


def _agreed(version: str) -> None:
    if version != CONSENT:
        raise Problem(
            403, "consent_needed", f"agree to the words of {CONSENT} first / 请先同意位置共享说明",
            version=CONSENT,
        )  # fmt: skip
