"""Who is on duty, until when, and who comes next: from the shifts in `workers.csv`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.city import City, Worker
from contracts.clock import iso
from contracts.governance import governance

AHEAD = timedelta(hours=24)


def spans(shift: str, now: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """The times of a shift from the day before to the day after, in order.

    shift  `HH:MM-HH:MM[;…]` in the zone; one that ends no later than it begins ends the next day
    """
    local = now.astimezone(zone)
    found = []
    for days in (-1, 0, 1):
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
        for part in filter(None, shift.split(";")):
            begins, _, ends = part.partition("-")
            start = midnight.replace(hour=int(begins[:2]), minute=int(begins[3:]))
            end = midnight.replace(hour=int(ends[:2]), minute=int(ends[3:]))
            found.append((start, end if end > start else end + timedelta(days=1)))
    return sorted(found)


def duty(city: City, now: datetime, workers: Iterable[Worker]) -> dict[str, list[dict[str, Any]]]:
    """`on` with `until` (null: always on), and `next` with `since`: those who come on within a
    day and are not on now. Each sorted by when, then by role and name."""
    zone, roles = ZoneInfo(city.timezone), governance(city).roles
    on: list[dict[str, Any]] = []
    coming: list[dict[str, Any]] = []
    for worker in workers:
        role = roles.get(worker.role)
        told = {
            "id": worker.id,
            "name": worker.name,
            "role": worker.role,
            "role_zh": (role and role.name_zh) or worker.role,
            "role_en": (role and role.name_en) or worker.role,
            "grid": worker.grid,
        }
        if not worker.shift:
            on.append({**told, "until": None})
            continue
        times = spans(worker.shift, now, zone)
        until = max((end for start, end in times if start <= now < end), default=None)
        if until is not None:
            on.append({**told, "until": iso(until)})
            continue
        begins = min((start for start, _ in times if now < start <= now + AHEAD), default=None)
        if begins is not None:
            coming.append({**told, "since": iso(begins)})
    on.sort(key=lambda one: (one["until"] or "9", one["role"], one["name"]))
    coming.sort(key=lambda one: (one["since"], one["role"], one["name"]))
    return {"on": on, "next": coming}
