"""`backup.json`: what a backup is of. Written last, so that a folder without it is unfinished."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path

import msgspec

from contracts.errors import Wrong
from store.inventory import Inventory

NAME = "backup.json"
DUMP = "database.dump"
CITY = "city"
CONFIG = "gridsentry.toml"
KEY = "evidence.secret"
PARTS = {"evidence": "shown", "originals": "original"}
"""Folders of evidence in a backup, and what `gridsentry.config.folders` calls them."""
FORMAT = 1


class Part(msgspec.Struct, frozen=True):
    """A folder in the backup."""

    files: int
    bytes: int


class Manifest(msgspec.Struct, frozen=True):
    """What one backup is of."""

    format: int
    made_at: datetime
    """When the database's moment was (UTC)."""
    made_by: str
    """Version of Gridsentry."""
    city: str
    dump_bytes: int
    dump_sha256: str
    database: Inventory
    parts: dict[str, Part]
    """`city`, `evidence`, `originals`: what is there."""


def write(folder: Path, manifest: Manifest) -> None:
    """Put it into the folder, whole or not at all."""
    part = folder / (NAME + ".part")
    with part.open("wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    part.replace(folder / NAME)


def read(folder: Path) -> Manifest:
    """Raises Wrong where the folder is no finished backup, or one of a newer program."""
    path = folder / NAME
    if not path.is_file():
        raise Wrong(
            str(folder), f"has no {NAME}", "a folder that `gridsentry backup` has finished writing"
        )
    try:
        raw = path.read_bytes()
        kind = msgspec.json.decode(raw, type=dict[str, object]).get("format")
        if kind != FORMAT:
            raise Wrong(str(path), f"has format {kind!r}", f"{FORMAT}, or a newer Gridsentry")
        return msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as error:
        raise Wrong(str(path), f"cannot be read: {error}") from error


def digest(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
