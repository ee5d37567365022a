"""`patrols.toml`: rounds by the clock, and rounds before the rain."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from contracts.geo import Point, to_wgs84
from contracts.governance import Patrol, Role
from gridsentry.city.fields import build
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw_governance import PatrolTable
from gridsentry.city.tables import read_list

NAME = "patrols.toml"


def read_patrols(
    folder: Path,
    crs: str,
    grids: Collection[str],
    places: Mapping[str, Point],
    roles: Mapping[str, Role],
    staff: Collection[str],
    notes: Notes,
) -> tuple[Patrol, ...]:
    """The patrols in file order. `places`: every asset there is, with its place; `staff`: the
    roles that the city's workers have."""
    found: dict[str, Patrol] = {}
    for where, values in read_list(folder / NAME, "patrol", notes):
        raw = build(PatrolTable, values, f"{where}, ", notes)
        if raw is None:
            continue
        if raw.id in found:
            notes.wrong(f"{where}, id", f"{raw.id} again", "each id once")
            continue
        if not raw.at and raw.when is None:
            notes.wrong(where, "it is never called for", 'at = ["08:00"], or when = "rain"')
        if raw.grid is not None and raw.grid not in grids:
            notes.wrong(f"{where}, grid", f"there is no grid {raw.grid}", choices(grids, raw.grid))
        if not raw.points and not raw.assets and raw.grid is None:
            notes.wrong(where, "nowhere to go", "points, assets or grid")
        for asset in raw.assets:
            if asset not in places:
                notes.wrong(
                    f"{where}, assets", f"there is no asset {asset}", choices(places, asset)
                )
        if raw.role is not None and raw.role not in roles and raw.role not in staff:
            known = {*roles, *staff}
            notes.wrong(f"{where}, role", f"there is no role {raw.role}", choices(known, raw.role))
        points: list[Point] = []
        for pair in raw.points:
            try:
                points.append(to_wgs84(pair[0], pair[1], crs))
            except ValueError as error:
                notes.wrong(f"{where}, points", str(error), "[lon, lat] in degrees")
        name = raw.name_zh or raw.name
        if name is None and raw.name_en is None:
            notes.warn(where, f"{raw.id} has no name: its id is used")
        found[raw.id] = Patrol(
            id=raw.id,
            name_zh=name or raw.name_en or raw.id,
            name_en=raw.name_en or raw.name or raw.name_zh or raw.id,
            points=tuple(points),
            assets=raw.assets,
            grid=raw.grid,
            at=tuple(sorted(set(raw.at))),
            weekdays=tuple(sorted(set(raw.weekdays))),
            when=raw.when,
            from_mm_h=raw.from_mm_h,
            not_again_s=raw.not_again_s,
            within_s=raw.within_s,
            role=raw.role,
            checklist=raw.checklist,
        )
    return tuple(found.values())
