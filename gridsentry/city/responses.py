"""`responses.toml`: who else is called for a kind; beside what the profile says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from contracts.city import Resource, Utility
from contracts.governance import Response
from contracts.kinds import KINDS
from gridsentry.city.fields import build
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw_governance import ResponseTable
from gridsentry.city.tables import read_list

NAME = "responses.toml"


def read_responses(
    folder: Path,
    grids: Collection[str],
    utilities: Mapping[str, Utility],
    resources: Mapping[str, Resource],
    notes: Notes,
) -> tuple[Response, ...]:
    """The responses in file order; one that lists several kinds becomes one for each."""
    sorts = sorted({resource.what for resource in resources.values()})
    found: dict[str, Response] = {}
    for number, (where, values) in enumerate(read_list(folder / NAME, "response", notes), 1):
        raw = build(ResponseTable, values, f"{where}, ", notes)
        if raw is None:
            continue
        kinds = (raw.kind,) if isinstance(raw.kind, str) else raw.kind
        for kind in kinds:
            if kind != "*" and kind not in KINDS:
                notes.wrong(f"{where}, kind", repr(kind), "* or " + choices(KINDS, kind, 99))
        if raw.grid is not None and raw.grid not in grids:
            notes.wrong(f"{where}, grid", f"there is no grid {raw.grid}", choices(grids, raw.grid))
        for name in raw.departments:
            if department(name, utilities) is None:
                notes.wrong(
                    f"{where}, departments",
                    f"there is no utility or department {name}",
                    choices(utilities, name),
                )
        for what in raw.resources:
            if what not in sorts:
                notes.warn(f"{where}, resources", f"resources.csv has no {what}")
        if not (raw.departments or raw.helpers or raw.resources):
            notes.wrong(where, "nobody is called", "departments, helpers or resources")
        name = raw.id or f"response-{number}"
        for kind in kinds:
            id = name if len(kinds) == 1 else f"{name}.{kind}"
            if id in found:
                notes.wrong(f"{where}, id", f"{id} again", "each id once")
            found[id] = Response(
                id=id,
                kind=kind,
                grid=raw.grid,
                when=raw.when,
                severity=raw.severity,
                departments=tuple(
                    known for d in raw.departments if (known := department(d, utilities))
                ),
                helpers=raw.helpers,
                skills=raw.skills,
                resources=raw.resources,
            )
    return tuple(found.values())


def department(name: str, utilities: Mapping[str, Utility]) -> str | None:
    """The utility or department of that id, or with an owner of that name."""
    if name in utilities:
        return name
    return next((u.id for u in utilities.values() if name in u.owners), None)


def with_profiles(
    own: tuple[Response, ...],
    shipped: tuple[Response, ...],
    utilities: Mapping[str, Utility],
    profile: str,
    notes: Notes,
) -> tuple[Response, ...]:
    """The city's responses and those of its profile that it does not replace (same id). Those
    departments of the profile that the city does not have are left out, and said."""
    mine = {response.id for response in own}
    found = list(own)
    for response in shipped:
        if response.id in mine:
            continue
        known = {name: department(name, utilities) for name in response.departments}
        missing = [name for name, id in known.items() if id is None]
        if missing and utilities:
            notes.tell(
                f"profile {profile}, response {response.id}",
                f"{', '.join(missing)} is not in utilities.csv: not called",
            )
        kept = msgspec.structs.replace(
            response, departments=tuple(id for id in known.values() if id is not None)
        )
        if kept.departments or kept.helpers or kept.resources:
            found.append(kept)
    return tuple(found)
