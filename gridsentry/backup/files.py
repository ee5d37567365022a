"""Copies of folders whose files are written once and never changed: evidence, a city folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from gridsentry.backup.manifest import Part

PARTIAL = ".gs-part"


def walk(folder: Path) -> Iterator[Path]:
    """Every regular file below, by its path relative to the folder, in order."""
    if not folder.is_dir():
        return
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            if path.is_file() and not path.is_symlink() and not name.endswith(PARTIAL):
                yield path.relative_to(folder)


def size(folder: Path) -> Part:
    """How much is there."""
    sizes = [(folder / path).stat().st_size for path in walk(folder)]
    return Part(len(sizes), sum(sizes))


def copy(
    source: Path, target: Path, tell: Callable[[int, int, str], None] = lambda *_: None
) -> list[str]:
    """Copy what the target lacks; files that are there with another size, left as they are.

    A file appears whole or not at all. What vanishes meanwhile (retention) is left out.
    """
    differing: list[str] = []
    paths = list(walk(source))
    for done, path in enumerate(paths):
        tell(done, len(paths), f"{target.name}/{path}")
        there = target / path
        try:
            if there.exists():
                if there.stat().st_size != (source / path).stat().st_size:
                    differing.append(str(path))
                continue
            _folders(source, target, path.parent)
            part = there.with_name(there.name + PARTIAL)
            shutil.copy2(source / path, part)
            part.replace(there)
        except FileNotFoundError:
            if (source / path).exists():
                raise
    return differing


def _folders(source: Path, target: Path, below: Path) -> None:
    """Make them with the modes they have: originals are closed to others."""
    for part in [Path(), *reversed(below.parents), below]:
        there = target / part
        if not there.is_dir():
            there.mkdir(parents=True)
            shutil.copymode(source / part, there)
