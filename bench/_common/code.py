"""Hashes of code: what a kept result depends on, so that a changed file never meets a stale one."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def code_hash(places: Iterable[str], libraries: Iterable[str], root: Path = ROOT) -> str:
    """Of the bytes of these files, of all Python files in these folders, and of the libraries'
    versions."""
    told = hashlib.sha256()
    for place in places:
        path = root / place
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        for file in files:
            told.update(str(file.relative_to(root)).encode() + b"\0")
            told.update(file.read_bytes() if file.exists() else b"")
    for library in libraries:
        told.update(f"{library} {importlib.metadata.version(library)}\n".encode())
    return told.hexdigest()[:16]
