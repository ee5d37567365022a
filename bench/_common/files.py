"""Files that a scorecard keeps."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)


def forget_oldest(folder: Path, pattern: str, most_bytes: int) -> None:
    """Delete the oldest files beyond so many bytes."""
    total = 0
    for path in sorted(folder.glob(pattern), key=lambda path: -path.stat().st_mtime_ns):
        total += path.stat().st_size
        if total > most_bytes:
            path.unlink(missing_ok=True)
