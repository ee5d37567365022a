"""`/api/v1/admin/devices`: how every registered device is, page by page."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from center.query import COMMON, one_of
from contracts.clock import iso, monotonic
from contracts.kinds import APP_TYPES
from contracts.plant import Learning

QUERY = (*COMMON, "state", "type", "q")
STATES = ("silent", "faulty", "offline", "degraded", "unheard", "learning", "ok")
"""The gravest first: each device is in one of them."""
TROUBLES = {"sensor_silent": "silent", "sensor_faulty": "faulty"}
FRESH_S = 5.0
"""The whole list is put together this often at most."""
LIMIT, LIMIT_MOST = 100, 500


class Devices:
    """The listing, put together for all callers at once."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._at = float("-inf")
        self._all: list[dict[str, Any]] = []

    async def __call__(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """One page, by id; `counts` are of all that pass the other filters."""
        given = request.query
        state, after = given.get("state"), given.get("after", "")
        if state is not None:
            one_of(state, (*STATES, "trouble"), "state")
        limit = _limit(given.get("limit", str(LIMIT)))
        words = given.get("q", "").lower().split()
        type_ = given.get("type")
        found = [
            one
            for one in await self._fresh(context.whole)
            if (type_ is None or one["type"] == type_)
            and all(word in one["text"] for word in words)
            and (context.scope.everything or _inside(context, one["id"]))
        ]
        counts = Counter(one["state"] for one in found)
        wanted = {"trouble": STATES[:4]}.get(state or "", (state,) if state else STATES)
        shown = [one for one in found if one["state"] in wanted]
        page = [one for one in shown if one["id"] > after][: limit + 1]
        more = len(page) > limit
        items = [{k: v for k, v in one.items() if k != "text"} for one in page[:limit]]
        return json_response(
            {
                "items": items,
                "next": items[-1]["id"] if more else None,
                "total": len(shown),
                "counts": {name: counts[name] for name in STATES},
                "types": sorted({device.type for device in context.city.devices.values()}),
            }
        )

    async def _fresh(self, context: Context) -> list[dict[str, Any]]:
        async with self._lock:
            if monotonic() - self._at >= FRESH_S:
                self._all = await _everything(context)
                self._at = monotonic()
            return self._all


async def _everything(context: Context) -> list[dict[str, Any]]:
    """Every registered device with what is known of it, by id."""
    annals, plant, now = context.desk.annals, context.plant, context.clock.now()
    heard = await context.roster.heard("devices")
    troubles: dict[str, list[dict[str, str]]] = {}
    for told in await annals.troubles():
        name = TROUBLES[told["kind"]]
        troubles.setdefault(told["device"], []).append({"what": name, "since": iso(told["at"])})
    first = await annals.first_heard()
    cameras = [device.id for device in context.city.devices.values() if "cam" in device.type]
    segments = await annals.segments_seen(cameras)
    learns = {} if plant is None else await asyncio.to_thread(plant.learns)
    conditions: dict[str, list[dict[str, str]]] = {}
    for condition in () if plant is None else plant.conditions():
        told_here = {"kind": condition.kind, "text": condition.text}
        conditions.setdefault(condition.site, []).append(told_here)

    def joined() -> list[dict[str, Any]]:
        found = []
        for id_ in sorted(context.city.devices):
            device, state = context.city.devices[id_], heard.get(id_, {})
            seen = [_moment(state.get(name)) for name in ("last_reading_at", "status_at")]
            last = max([at for at in (*seen, segments.get(id_)) if at is not None], default=None)
            one = {
                "id": id_,
                "type": device.type,
                "district": device.district,
                "owner": device.owner,
                "site": device.site,
                "lon": device.point.lon,
                "lat": device.point.lat,
                "reports_every_s": device.reports_every_s,
                "metrics": list(device.metrics),
                "online": state.get("online"),
                "last_at": None if last is None else iso(last),
                "troubles": troubles.get(id_, []),
                "conditions": conditions.get(id_, []),
                "learning": _learning(learns.get(id_, ()), first.get(id_), now),
            }
            one["state"] = _state(one)
            one["text"] = (
                f"{id_} {device.type} {device.district} {device.owner} {device.site}".lower()
            )
            found.append(one)
        return found

    # Twenty thousand of them take a third of a second: live readers must not wait for it.
    return await asyncio.to_thread(joined)


def _learning(
    learns: tuple[Learning, ...] | Any, first: datetime | None, now: datetime
) -> list[dict[str, str]]:
    """What still learns a device that was first heard then, and until when. A device that was
    there before that was kept is known by now."""
    if first is None:
        return []
    ends = [(one.kind, first + timedelta(seconds=one.seconds)) for one in learns]
    return [{"kind": kind, "until": iso(end)} for kind, end in ends if end > now]


def _state(one: dict[str, Any]) -> str:
    troubles = {trouble["what"] for trouble in one["troubles"]}
    for name in ("silent", "faulty"):
        if name in troubles:
            return name
    if one["online"] is False:
        return "offline"
    if one["conditions"]:
        return "degraded"
    if one["last_at"] is None and one["type"].lower() not in APP_TYPES:
        return "unheard"
    return "learning" if one["learning"] else "ok"


def _inside(context: Context, device: str) -> bool:
    return context.scope.in_grids(context.lands.devices.get(device))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _limit(text: str) -> int:
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= limit <= LIMIT_MOST:
        raise Problem(400, "bad_value", f"{text[:40]!r}; allowed: 1 to {LIMIT_MOST}", path="limit")
    return limit
