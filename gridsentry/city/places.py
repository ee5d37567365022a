"""`places.csv`: places with a sign on the wall where residents report by its code."""

from __future__ import annotations

from pathlib import Path

from contracts.geo import to_wgs84
from contracts.spots import Spot
from gridsentry.city.files import read_table
from gridsentry.city.notes import Notes
from gridsentry.city.raw import PlaceRow

NAME = "places.csv"
ALIASES = {"type": "what", "kind": "what", "name_zh": "name"}


def read_places(folder: Path, crs: str, notes: Notes) -> tuple[Spot, ...]:
    """The places in file order."""
    places: dict[str, Spot] = {}
    for place, row in read_table(folder / NAME, PlaceRow, notes, ALIASES):
        if row.id in places:
            notes.wrong(f"{place}, column id", f"{row.id} again", "each id once")
            continue
        places[row.id] = Spot(
            id=f"place:{row.id}",
            what=row.what or "place",
            zh=row.name,
            en=row.name_en or row.name,
            point=to_wgs84(row.lon, row.lat, row.crs or crs),
        )
    return tuple(places.values())
