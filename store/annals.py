"""The annals on PostgreSQL: labels, hot spots, dead letters tried again, handovers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import DictRow

from contracts.annals import Handover, Judged, Label, Retried, Spot
from contracts.geo import Point
from store.connect import CHANNEL_WORK
from store.queries import sql
from store.text import key, storable

Row = dict[str, Any]
Use = Callable[[], AbstractAsyncContextManager[psycopg.AsyncConnection[DictRow]]]


class PgAnnals:
    """`contracts.annals.Annals` over a desk's connections."""

    def __init__(self, use: Use, rows: Callable[..., Awaitable[list[Row]]]) -> None:
        self._use = use
        self._all = rows

    # --- labels --------------------------------------------------------------------------------

    async def put_label(self, label: Label) -> None:
        """Keep it; an earlier standing one on the same event is taken back by it."""
        given = {
            **msgspec.structs.asdict(label),
            "id": key(label.id),
            "event": None if label.event is None else key(label.event),
            "note": storable(label.note),
            "by": storable(label.by),
            "lon": label.point and label.point.lon,
            "lat": label.point and label.point.lat,
        }
        del given["point"]
        async with self._use() as connection, connection.transaction():
            await connection.execute(sql("replace_label"), given)
            await connection.execute(sql("insert_label"), given)

    async def labels(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        kind: str | None = None,
        events: tuple[str, ...] | None = None,
        standing: bool = True,
        limit: int = 1000,
    ) -> list[Label]:
        """Labels by when they were given, the newest first."""
        rows = await self._all(
            "labels",
            id=None,
            since=since,
            until=until,
            kind=kind,
            events=None if events is None else [key(event) for event in events],
            standing=standing,
            limit=limit,
        )
        return [_label(row) for row in rows]

    async def label(self, id: str) -> Label | None:
        """One, or None."""
        nothing = dict.fromkeys(("since", "until", "kind", "events"))
        rows = await self._all("labels", id=key(id), standing=False, limit=1, **nothing)
        return _label(rows[0]) if rows else None

    async def withdraw_label(self, id: str, by: str, at: datetime) -> bool:
        """Take it back; False when it does not stand (any more)."""
        return bool(await self._all("withdraw_label", id=key(id), by=storable(by), at=at))

    # --- what follows from events --------------------------------------------------------------

    async def judged(self, since: datetime, until: datetime) -> list[Judged]:
        """Events of [since, until) by kind and device with what was said of them."""
        rows = await self._all("judged_events", since=since, until=until)
        missed = {
            (row["kind"], row["device"]): int(row["missed"])
            for row in await self._all("missed_events", since=since, until=until)
        }
        return with_missed([Judged(**row) for row in rows], missed)

    async def spots(
        self,
        since: datetime,
        until: datetime,
        *,
        kind: str | None = None,
        grids: Iterable[str] | None = None,
        least: int = 2,
        limit: int = 100,
    ) -> list[Spot]:
        """Places with at least so many incidents, the worst first."""
        rows = await self._all(
            "hot_spots",
            since=since,
            until=until,
            kind=kind,
            grids=None if grids is None else sorted(grids),
            least=least,
            limit=limit,
        )
        return [Spot(**{**row, "newest": tuple(row["newest"])}) for row in rows]

    async def tickets_of(self, incidents: Iterable[str]) -> dict[str, str]:
        """The newest whole ticket of each of these incidents that has one."""
        rows = await self._all("tickets_of_incidents", incidents=[key(one) for one in incidents])
        return {row["incident"]: row["id"] for row in rows}

    async def troubles(self) -> list[Row]:
        """Events of silent and faulty sensors that go on."""
        return await self._all("troubles")

    async def segments_seen(self, cameras: Iterable[str]) -> dict[str, datetime]:
        """When the newest piece of video of each of these cameras was received."""
        rows = await self._all("segments_seen", cameras=[key(camera) for camera in cameras])
        return {row["device"]: row["received_at"] for row in rows}

    async def first_heard(self) -> dict[str, datetime]:
        """When each device was first heard, of those that are known to be new."""
        return {row["device"]: row["first_at"] for row in await self._all("first_heard")}

    # --- dead letters --------------------------------------------------------------------------

    async def retry(self, id: str, tries: int, by: str, at: datetime) -> Retried | None:
        """Give a dead letter to the intake again; how it stands."""
        given = {"id": key(id), "tries": tries, "by": storable(by), "at": at}
        async with self._use() as connection, connection.transaction():
            row = await (await connection.execute(sql("retry_dead_letter"), given)).fetchone()
            if row is not None:
                marked = {"id": key(id), "intake": row["id"]}
                await connection.execute(sql("mark_retried"), marked)
                await connection.execute(sql("notify"), {"channel": CHANNEL_WORK})
        found = await self.retried((id,))
        return found[0] if found else None

    async def retried(self, ids: Iterable[str]) -> list[Retried]:
        """How these stand."""
        rows = await self._all("retried", ids=[key(id) for id in ids])
        return [Retried(at=row.pop("retried_at"), by=row.pop("retried_by"), **row) for row in rows]

    # --- handovers -----------------------------------------------------------------------------

    async def put_handover(self, handover: Handover) -> None:
        """Keep it; the same id again changes nothing."""
        await self._all_done(
            "put_handover",
            id=key(handover.id),
            made_at=handover.made_at,
            leaving=storable(handover.leaving),
            notes=storable(handover.notes),
            body=storable(msgspec.json.encode(handover.body).decode()),
        )

    async def take_handover(self, id: str, coming: str, remarks: str, at: datetime) -> bool:
        """Sign it as the coming one; False when it was signed already or is not there."""
        given = {"coming": storable(coming), "remarks": storable(remarks), "at": at}
        return bool(await self._all("take_handover", id=key(id), **given))

    async def handovers(self, limit: int) -> list[Handover]:
        """The newest first."""
        return [_handover(row) for row in await self._all("handovers", id=None, limit=limit)]

    async def handover(self, id: str) -> Handover | None:
        """One, or None."""
        rows = await self._all("handovers", id=key(id), limit=1)
        return _handover(rows[0]) if rows else None

    async def _all_done(self, name: str, /, **given: Any) -> None:
        async with self._use() as connection, connection.transaction():
            await connection.execute(sql(name), given)


def with_missed(judged: list[Judged], missed: dict[tuple[str, str], int]) -> list[Judged]:
    """The same with what was missed there; a device with nothing but that has a line, too."""
    left = dict(missed)
    lines = [
        msgspec.structs.replace(line, missed=left.pop((line.kind, line.device), 0))
        for line in judged
    ]
    lines += [
        Judged(
            kind=kind, device=device, alarms=0, said_true=0, said_false=0, worked=0, missed=count
        )
        for (kind, device), count in left.items()
    ]
    return sorted(lines, key=lambda line: (line.kind, line.device))


def _label(row: Row) -> Label:
    lon, lat = row.pop("lon"), row.pop("lat")
    point = None if lon is None or lat is None else Point(lon, lat)
    return Label(by=row.pop("by_whom"), point=point, **row)


def _handover(row: Row) -> Handover:
    return Handover(body=msgspec.json.decode(row.pop("body")), **row)
