"""`utilities.csv`: who owns and restores things."""

from __future__ import annotations

from pathlib import Path

from contracts.city import Utility
from gridsentry.city.files import read_table
from gridsentry.city.notes import Notes
from gridsentry.city.raw import UtilityRow

NAME = "utilities.csv"
ALIASES = {"utility": "id", "owner": "owners", "tel": "phone", "contact": "phone"}


def read_utilities(folder: Path, notes: Notes) -> dict[str, Utility]:
    """The utilities by id; each one's own id and name count among its `owners`."""
    utilities: dict[str, Utility] = {}
    claimed: dict[str, str] = {}
    for place, row in read_table(folder / NAME, UtilityRow, notes, ALIASES):
        if row.id in utilities:
            notes.wrong(f"{place}, column id", f"{row.id} again", "each id once")
            continue
        owners = tuple(dict.fromkeys((*row.owners, row.id, row.name)))
        for owner in owners:
            if owner in claimed:
                notes.wrong(
                    f"{place}, column owners",
                    f"{owner} already means {claimed[owner]}",
                    "each owner under one utility",
                )
            claimed[owner] = row.id
        utilities[row.id] = Utility(
            id=row.id,
            name=row.name,
            owners=owners,
            phone=row.phone,
            restricted=row.restricted,
        )
    return utilities
