"""The facade that a camera watches: its windows, and from which of them something fell before."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from contracts.city import Camera, Zone
from contracts.ports import Query

KIND = "high_altitude_throw"
LOOKED_AT = 500
"""Earlier falls before this camera that are looked at, the newest."""
SURE = 0.5
"""A fall counts for a window that had at least this chance; else for none."""


async def building(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/buildings/{camera}`: windows in facade metres, floors and bays, hot windows."""
    name = request.match_info["camera"]
    camera = context.city.cameras.get(name)
    if camera is None or await context.roster.get("devices", name) is None:  # not theirs to see
        raise Problem(
            404, "not_found", "this camera has no calibration in the city folder / 此摄像头未标定"
        )
    await context.desk.log_access(caller.name, f"buildings/{camera.device}", context.clock.now())
    events = await _falls(context, camera.device)
    return json_response(
        {
            "camera": camera.device,
            "size": camera.size,
            "zones": [_zone(zone) for zone in camera.zones],
            "calibrated": len(camera.points) >= 4,
            "homography": homography(camera),
            "hot": hot(events),
            "falls": len(events),
        }
    )


async def _falls(context: Context, device: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = Query(kind=KIND, device=device, limit=context.settings.page_limit_max)
    while len(found) < LOOKED_AT:
        page = await context.desk.page("events", query)
        found += page.items
        if page.next is None:
            break
        query.after = page.next
    return found[:LOOKED_AT]


def hot(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Windows that falls are put down to: how many, the newest, and the events' ids."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:  # newest first
        origin = event.get("origin") or (event.get("evidence") or {}).get("origin")
        if not isinstance(origin, dict) or float(origin.get("p") or 0) < SURE:
            continue
        known = found.setdefault(
            str(origin.get("zone")),
            {"count": 0, "last": event.get("at"), "before": None, "events": []},
        )
        if known["count"] == 1:
            known["before"] = event.get("at")
        known["count"] += 1
        known["events"].append(event.get("id"))
    return found


def homography(camera: Camera) -> list[list[float]] | None:
    """The plane's map from facade metres (u, v) to the picture's pixels, where it is plain.

    Least squares over the calibration's points (direct linear transform; Hartley & Zisserman,
    Multiple View Geometry, ch. 4.1, points moved to their mean and scaled). None without four
    points, for a lens whose distortion was corrected (a window's sides would be curves), or where
    the points do not fix it.
    """
    if len(camera.points) < 4 or any(camera.distortion):
        return None
    points = np.asarray(camera.points, float)
    pixels, walls = points[:, :2], points[:, 2:]
    to, back = _moved(pixels), _moved(walls)
    rows = []
    for (x, y), (u, v) in zip(_apply(to, pixels), _apply(back, walls), strict=True):
        rows.append([u, v, 1, 0, 0, 0, -x * u, -x * v, -x])
        rows.append([0, 0, 0, u, v, 1, -y * u, -y * v, -y])
    _, sizes, vectors = np.linalg.svd(np.asarray(rows, float))
    if sizes[7] < 1e-9 * sizes[0]:
        return None
    plane = np.linalg.inv(to) @ vectors[-1].reshape(3, 3) @ back
    if abs(plane[2, 2]) < 1e-12:
        return None
    shown: list[list[float]] = (plane / plane[2, 2]).tolist()
    return shown


def _moved(points: Any) -> Any:
    middle = points.mean(axis=0)
    scale = 2**0.5 / max(float(np.linalg.norm(points - middle, axis=1).mean()), 1e-9)
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1.0]])


def _apply(move: Any, points: Any) -> Any:
    return (np.column_stack([points, np.ones(len(points))]) @ move.T)[:, :2]


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "id": zone.id,
        "what": zone.what,
        "floor": zone.floor,
        "bay": zone.bay,
        "polygon": zone.polygon,
    }
