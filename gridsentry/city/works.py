"""`works.csv`: planned works, what happens then and there is not an incident."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from contracts.city import Work
from contracts.geo import to_wgs84
from gridsentry.city.files import read_table
from gridsentry.city.notes import Notes
from gridsentry.city.raw import WorkRow

NAME = "works.csv"
ALIASES = {
    **dict.fromkeys(["from", "begin", "starts", "start_at"], "start"),
    **dict.fromkeys(["to", "until", "ends", "end_at"], "end"),
    **{"type": "kind", "radius": "radius_m", "asset": "assets", "description": "note"},
}


def read_moment(text: str, zone: str) -> tuple[datetime, bool]:
    """The moment in UTC and whether it named no zone (then `zone` is taken).

    Raises ValueError when it is not ISO 8601.
    """
    moment = datetime.fromisoformat(text.strip().replace("/", "-"))
    if moment.tzinfo is None:
        return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC), True
    return moment.astimezone(UTC), False


def read_works(folder: Path, crs: str, zone: str, notes: Notes) -> tuple[Work, ...]:
    """The works in file order; a time without a zone is the city's."""
    works: dict[str, Work] = {}
    naive = 0
    for place, row in read_table(folder / NAME, WorkRow, notes, ALIASES):
        if row.id in works:
            notes.wrong(f"{place}, column id", f"{row.id} again", "each id once")
            continue
        moments: list[datetime] = []
        for column, text in (("start", row.start), ("end", row.end)):
            try:
                moment, assumed = read_moment(text, zone)
            except ValueError:
                allowed = "ISO 8601 such as 2026-05-01T08:00:00+08:00"
                notes.wrong(f"{place}, column {column}", repr(text), allowed)
                continue
            naive += assumed
            moments.append(moment)
        if len(moments) < 2:
            continue
        if moments[1] <= moments[0]:
            notes.wrong(f"{place}, column end", repr(row.end), f"after start ({row.start})")
            continue
        placed = row.lon is not None and row.lat is not None
        if (row.lon is None) != (row.lat is None):
            notes.wrong(f"{place}, column lat", "only one of lon and lat", "both, or neither")
            continue
        if not placed and not row.assets:
            notes.warn(place, "no place and no assets: these works concern nothing")
        works[row.id] = Work(
            id=row.id,
            kind=row.kind,
            start=moments[0],
            end=moments[1],
            point=to_wgs84(row.lon or 0.0, row.lat or 0.0, row.crs or crs) if placed else None,
            radius_m=row.radius_m,
            assets=row.assets,
            note=row.note,
        )
    if naive:
        notes.warn(NAME, f"{naive} times name no zone: taken as {zone}")
    return tuple(works.values())
