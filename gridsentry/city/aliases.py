"""`aliases.csv`: what outside gateways call our devices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from contracts.aliases import Alias
from contracts.city import Device
from gridsentry.city.files import read_table
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw import AliasRow

NAME = "aliases.csv"
FOLDERS = ("mappings", "device_profiles")
"""Folders that adapters may name files of."""
COLUMNS = {"name": "alias", "dev_eui": "alias", "devEui": "alias", "id": "device"}


def read_aliases(folder: Path, devices: Mapping[str, Device], notes: Notes) -> dict[str, Alias]:
    """The aliases by name. A name stands for one device only; a device may have several."""
    found: dict[str, Alias] = {}
    for place, row in read_table(folder / NAME, AliasRow, notes, COLUMNS):
        if row.device not in devices:
            notes.wrong(f"{place}, column device", row.device, choices(devices, row.device))
            continue
        if row.alias in found:
            notes.wrong(f"{place}, column alias", f"{row.alias} again", "each name once")
            continue
        if row.alias in devices and row.alias != row.device:
            notes.wrong(
                f"{place}, column alias",
                f"{row.alias} is a device of its own",
                "a name that no device of devices.csv has as its id",
            )
            continue
        renamed = {}
        for word in row.metrics:
            name, equals, here = (part.strip() for part in word.partition("="))
            if not name or not equals:
                notes.wrong(
                    f"{place}, column metrics", word, "name=metric pairs: current_1=current_b"
                )
                continue
            renamed[name] = here
        found[row.alias] = Alias(
            alias=row.alias,
            device=row.device,
            profile=row.profile,
            height_m=row.height_m,
            metrics=renamed,
        )
    return found
