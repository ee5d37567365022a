"""How the city is governed, from its profile and the optional files of its folder."""

from __future__ import annotations

from pathlib import Path

from contracts.city import City
from contracts.governance import Governance, asset_places
from gridsentry.city import barriers, citytoml, patrols, responses, roads
from gridsentry.city.grids import NAME as GRIDS
from gridsentry.city.grids import Grids
from gridsentry.city.notes import Notes
from gridsentry.city.raw import CityToml

OFFICES = frozenset({"center", "router", "sensor"})
"""Who acts without being registered: nobody of the city may be called so."""


def read_governance(
    folder: Path, crs: str, city: City, grids: Grids, own: CityToml, notes: Notes
) -> Governance:
    """Roles, grid versions, special grids, barriers, roads, responses and patrols of a city whose
    other files are read."""
    charter = citytoml.read_charter(folder, own.profile, notes)
    known = grids.every()
    staff = {worker.role for worker in city.workers.values()}
    own_responses = (
        responses.read_responses(folder, known, city.utilities, city.resources, notes)
        if (folder / responses.NAME).is_file()
        else ()
    )
    shipped = charter.responses if charter else ()
    map_ = roads.there(folder, notes)
    governance = Governance(
        roles=charter.roles if charter else {},
        versions=grids.versions,
        special=grids.special,
        barriers=(
            barriers.read_barriers(folder, crs, notes) if (folder / barriers.NAME).is_file() else ()
        ),
        roads=roads.read_roads(map_, city.grids, notes) if map_ else None,
        responses=responses.with_profiles(
            own_responses, shipped, city.utilities, city.profile.name, notes
        ),
        patrols=(
            patrols.read_patrols(
                folder,
                crs,
                known,
                asset_places(city),
                charter.roles if charter else {},
                staff,
                notes,
            )
            if (folder / patrols.NAME).is_file()
            else ()
        ),
    )
    _check_staff(city, governance, grids, notes)
    return governance


def _check_staff(city: City, governance: Governance, grids: Grids, notes: Notes) -> None:
    """Say whose role nobody describes, and who works for a grid that does not hold now."""
    roles = governance.roles
    strange = sorted({w.role for w in city.workers.values() if roles and w.role not in roles})
    for role in strange:
        notes.tell(
            "workers.csv", f"role {role} is not described in the profile: sent like a grid worker"
        )
    for name in sorted({*city.workers, *city.utilities} & OFFICES):
        notes.wrong("workers.csv, utilities.csv", f"{name} is called like an office", "another id")
    for both in sorted({*city.workers} & {*city.utilities}):
        notes.wrong(
            "workers.csv",
            f"{both} is a utility, too: each would act for the other",
            "ids that differ from those of utilities.csv",
        )
    now = {grid.id for grid in grids.now}
    for worker in city.workers.values():
        if worker.grid is not None and worker.grid not in now:
            notes.warn(
                "workers.csv", f"{worker.id} works for {worker.grid}, which does not hold now"
            )
    for rule in city.rules:
        if rule.grid is not None and rule.grid not in now:
            notes.warn("rules.toml", f"{rule.id} is for {rule.grid}, which does not hold now")
    if grids.versions:
        ended = len(grids.every()) - len(now)
        changing = len({version.grid.id for version in grids.versions})
        notes.tell(GRIDS, f"{changing} grids hold for a time; {ended} of them not now")
