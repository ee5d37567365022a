"""`resources.csv`: pumps, barriers and crews that can be sent."""

from __future__ import annotations

from pathlib import Path

from contracts.city import Resource
from contracts.geo import to_wgs84
from gridsentry.city.files import read_table
from gridsentry.city.notes import Notes
from gridsentry.city.raw import ResourceRow

NAME = "resources.csv"
ALIASES = {"type": "what", "kind": "what", "quantity": "count"}


def read_resources(folder: Path, crs: str, notes: Notes) -> dict[str, Resource]:
    """The resources by id."""
    resources: dict[str, Resource] = {}
    for place, row in read_table(folder / NAME, ResourceRow, notes, ALIASES):
        if row.id in resources:
            notes.wrong(f"{place}, column id", f"{row.id} again", "each id once")
            continue
        resources[row.id] = Resource(
            id=row.id,
            what=row.what,
            name=row.name or row.id,
            point=to_wgs84(row.lon, row.lat, row.crs or crs),
            owner=row.owner,
            count=row.count,
        )
    return resources
