"""`aliases.csv`: what outside gateways call our devices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from contracts.aliases import Alias
from contracts.city import Device
from contracts.errors import Wrong
from gridsentry.city.files import read_table
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw import AliasRow
from ingest.adapting import profile
from ingest.adapting.profile import Profile, Profiles

NAME = "aliases.csv"
FOLDERS = ("mappings", "device_profiles")
"""Folders that adapters may name files of."""
COLUMNS = {"name": "alias", "dev_eui": "alias", "devEui": "alias", "id": "device"}


def read_aliases(folder: Path, devices: Mapping[str, Device], notes: Notes) -> dict[str, Alias]:
    """The aliases by name. A name stands for one device only; a device may have several."""
    found: dict[str, Alias] = {}
    profiles: Profiles | None = None
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
        if row.profile is not None:
            profiles = profiles or Profiles(read_profiles(folder))
            if profiles.named(row.profile) is None:
                near = profiles.near(row.profile)
                notes.wrong(f"{place}, column profile", row.profile, f"a device profile: {near}")
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


def check_profiles(folder: Path, notes: Notes) -> None:
    """Note what is wrong with the folder's own device profiles."""
    try:
        profile.read(folder)
    except Wrong as error:
        notes.take(error)


def read_profiles(folder: Path) -> list[Profile]:
    """Shipped profiles and those of the folder that can be read."""
    try:
        return [*profile.shipped(), *profile.own(folder)]
    except Wrong:
        return [*profile.shipped()]
