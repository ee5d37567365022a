"""Retention of evidence: originals first, the blurred version later, nothing of an open case."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from gridsentry.engine.chain import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from gridsentry.config import EvidenceSettings
    from store.evidence import EvidenceStore

log = logging.getLogger(__name__)


def let_go_evidence(
    store: EvidenceStore,
    folders: dict[str, Path],
    settings: EvidenceSettings,
    now: datetime,
    owns: Callable[[str], bool],
) -> dict[str, int]:
    """Delete what is old enough; how many files of each part (`shown`, `original`).

    folders  the folder of each part
    now      the service's time, which links carry
    owns     whether a camera's files lie on this process's disk

    That it goes is written down first: verification tells expired from tampered with. Age counts
    from the sealing, or from the end of the last ticket the evidence belongs to. Raises Temporary.
    """
    ages = {"shown": settings.keep_days, "original": settings.originals_days}
    before = {part: now - timedelta(days=days) for part, days in ages.items()}
    gone = dict.fromkeys(folders, 0)
    for due in store.due(before["shown"], before["original"]):
        if not owns(due.device):
            continue
        store.let_go(due, now)
        for name in _names(due.manifest, due.part):
            path = folders[due.part] / name
            gone[due.part] += path.is_file()
            path.unlink(missing_ok=True)
    return gone


def sweep(
    store: EvidenceStore, folders: dict[str, Path], settings: EvidenceSettings, today: datetime
) -> int:
    """Delete old files that no kept link vouches for; how many.

    They are what a crash left: half-written ones, or cut and never committed, or let go and not
    yet deleted. `today` is the machine's time, as the files' own. Raises Temporary.
    """
    ages = {"shown": settings.keep_days, "original": settings.originals_days}
    kept: dict[str, set[str]] = {part: set() for part in folders}
    for manifest, *parts in store.kept():
        for part, is_kept in zip(("shown", "original"), parts, strict=True):
            if is_kept:
                kept[part].update(_names(manifest, part))
    swept = 0
    for part, folder in folders.items():
        before = (today - timedelta(days=ages[part])).timestamp()
        for path in folder.rglob("*"):
            if path.is_file() and path.name not in kept[part] and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                swept += 1
    return swept


def _names(manifest: str, part: str) -> list[str]:
    """The files of that part; none where a manifest was tampered with: verification says so."""
    try:
        told = msgspec.json.decode(manifest, type=Manifest)
    except msgspec.MsgspecError:
        log.error("a manifest of the chain of evidence cannot be read: verify the evidence")
        return []
    names = [file.file for file in told.files.get(part, {}).values()]
    return [name for name in names if "/" not in name and name not in ("", ".", "..")]
