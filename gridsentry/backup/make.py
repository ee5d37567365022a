"""Making a backup of a service, running or not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import Refused, Wrong
from gridsentry.backup import files, manifest
from gridsentry.backup.manifest import CITY, CONFIG, DUMP, KEY, PARTS, Manifest
from gridsentry.config import folders, state_dir
from store.dumping import dump

if TYPE_CHECKING:
    from contracts.clock import Clock
    from gridsentry.config import Settings

Tell = Callable[[int, int, str], None]


def make(
    settings: Settings,
    dsn: str,
    folder: Path,
    *,
    city: Path,
    config: Path | None,
    media: bool,
    version: str,
    clock: Clock,
    tell: Tell,
) -> Manifest:
    """Write a whole backup into `folder`, which is made and must be empty.

    city    the city folder as the service uses it
    config  the service's configuration file, copied along; it may hold passwords
    media   also the files of evidence and the unblurred originals
    Raises Refused where the folder is not empty, and what `store.dumping.dump` raises.
    """
    _empty(folder)
    ours = folders(settings)

    def evidence() -> None:
        for name, part in PARTS.items():
            if media:
                files.copy(ours[part], folder / name, tell)

    # Before and after the database's moment: what retention deletes meanwhile was copied before,
    # what is sealed meanwhile is copied after. So no file that the database names is lacking.
    evidence()
    at = clock.now()
    there = dump(dsn, folder / DUMP, settings.store, tell=tell)
    evidence()
    files.copy(city, folder / CITY, tell)
    key = state_dir(settings) / KEY
    if key.is_file():
        shutil.copy2(key, folder / KEY)
    if config is not None:
        shutil.copy2(config, folder / CONFIG)
        (folder / CONFIG).chmod(0o600)
    written = folder / DUMP
    with written.open("rb") as file:
        os.fsync(file.fileno())
    made = Manifest(
        format=manifest.FORMAT,
        made_at=at,
        made_by=version,
        city=str(city),
        dump_bytes=written.stat().st_size,
        dump_sha256=manifest.digest(written),
        database=there,
        parts={
            name: files.size(folder / name) for name in (CITY, *PARTS) if (folder / name).is_dir()
        },
    )
    manifest.write(folder, made)
    return made


def _empty(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        there = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise Wrong(str(folder), f"cannot be written: {error.strerror}") from error
    if there:
        raise Refused(
            f"{folder} is not empty (it has {', '.join(there[:3])}): give every backup a folder of "
            "its own, such as one named after the day"
        )
    # Unblurred originals, keys and passwords lie below.
    folder.chmod(0o700)
