"""Bringing a backup back: into an empty database, and files where they are lacking."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from contracts.errors import Refused
from gridsentry.backup import files, manifest
from gridsentry.backup.manifest import CITY, DUMP, KEY, PARTS, Manifest
from gridsentry.config import folders, state_dir
from store.dumping import check_target, restore, set_aside
from store.inventory import Server, relations, server

if TYPE_CHECKING:
    from contracts.clock import Clock
    from gridsentry.config import Settings

Tell = Callable[[int, int, str], None]


class Brought(msgspec.Struct):
    """What became of a restore."""

    manifest: Manifest
    differences: list[str]
    """In what the database differs from what was dumped; nothing when all is well."""
    kept_as: str | None
    """What the database that was there is called now."""
    notes: list[str]
    """What was not taken from the backup, and why."""


def whole(folder: Path) -> Manifest:
    """The manifest of a backup whose every part is as it was written.

    Raises Wrong where it is no backup, Refused where something of it was lost or changed.
    """
    told = manifest.read(folder)
    file = folder / DUMP
    if not file.is_file() or manifest.digest(file) != told.dump_sha256:
        raise Refused(f"{file} is not what was written: take another backup, this one is spoilt")
    for name, part in told.parts.items():
        there = files.size(folder / name)
        if there != part:
            raise Refused(
                f"{folder / name} has {there.files} files of {there.bytes:,} bytes instead of "
                f"{part.files} of {part.bytes:,}",
            )
    return told


def look(settings: Settings, dsn: str, told: Manifest) -> tuple[Server, list[str]]:
    """The server and what its database has. Raises Wrong where the backup cannot go there."""
    from store.connect import connect
    from store.failures import translated

    with translated(), connect(dsn, settings.store) as connection:
        there, names = server(connection), relations(connection)
    check_target(there, told.database)
    return there, names


def bring(
    settings: Settings,
    dsn: str,
    folder: Path,
    *,
    city: Path,
    replace: bool,
    clock: Clock,
    tell: Tell,
) -> Brought:
    """Restore the backup in `folder`.

    replace  where the database is not empty, keep it under another name and make a fresh one
    Raises Refused where it is not empty (and not told to replace it), and what `whole`, `look` and
    `store.dumping.restore` raise.
    """
    told = whole(folder)
    _, in_the_way = look(settings, dsn, told)
    kept_as = None
    if in_the_way and not replace:
        raise Refused(
            f"the database is not empty (it has {', '.join(in_the_way[:3])} …): restore into a "
            "fresh one, or say --replace, which keeps what is there under another name"
        )
    if in_the_way:
        kept_as = f"gridsentry_before_{clock.now():%Y%m%dt%H%M%S}"
        set_aside(dsn, kept_as, settings.store)
    differences = restore(dsn, folder / DUMP, told.database, settings.store, tell=tell)
    return Brought(told, differences, kept_as, _files(settings, folder, city, tell))


def _files(settings: Settings, folder: Path, city: Path, tell: Tell) -> list[str]:
    """Only what is lacking is brought back: what is on the disk may be newer."""
    notes: list[str] = []
    ours = folders(settings)
    for name, part in PARTS.items():
        if not (folder / name).is_dir():
            notes.append(f"{name}: not in this backup, bring it back from where you keep it")
            continue
        if not ours[part].is_dir():
            ours[part].mkdir(mode=0o700 if part == "original" else 0o755)
        other = files.copy(folder / name, ours[part], tell)
        if other:
            notes.append(f"{name}: {len(other)} files were there with another size and stayed so")
    key = state_dir(settings) / KEY
    if (folder / KEY).is_file():
        if not key.exists():
            shutil.copy2(folder / KEY, key)
        elif key.read_bytes() != (folder / KEY).read_bytes():
            notes.append(f"{key} is another than the backup's: links signed before are not valid")
    if not city.is_dir() or not any(city.iterdir()):
        files.copy(folder / CITY, city, tell)
    elif _other(folder / CITY, city):
        notes.append(f"{city} was left as it is; it is another than the backup's {folder / CITY}")
    return notes


def _other(one: Path, two: Path) -> bool:
    names = set(files.walk(one))
    return names != set(files.walk(two)) or any(
        (one / name).read_bytes() != (two / name).read_bytes() for name in names
    )
