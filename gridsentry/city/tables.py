"""TOML files that are one list of tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gridsentry.city.files import read_toml
from gridsentry.city.notes import Notes


def read_list(path: Path, name: str, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, values) of every `[[name]]` of the file; problems go to `notes`."""
    root = read_toml(path, notes)
    if root is None:
        return
    tables = root.pop(name, None) or root.pop(f"{name}s", None) or []
    for unknown in root:
        notes.wrong(f"{path.name}, {unknown}", "not a known table", f"[[{name}]]")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        notes.wrong(f"{path.name}, {name}", "not a list of tables", f"[[{name}]]")
        return
    for number, table in enumerate(tables, start=1):
        yield f"{path.name}, {name} {number}", table
