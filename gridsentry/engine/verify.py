"""Walks the chains of evidence and the files they vouch for, and says what is not as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from contracts.clock import iso
from gridsentry.engine.chain import digest, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from contracts.batch import EvidenceLink
    from gridsentry.engine.chain import File

State = Literal["intact", "expired", "missing", "changed", "broken"]
"""Of a file: as it was sealed; deleted by retention; gone otherwise; other bytes. `broken`: a link
of a chain."""

SOUND: frozenset[State] = frozenset({"intact", "expired"})


Gone = Mapping[tuple[str, int, str], datetime]
"""(camera, number of the link, part) → when retention deleted it."""


class Finding(msgspec.Struct, frozen=True):
    """One file or link and how it stands."""

    device: str
    number: int
    event: str
    what: str
    """`shown/clip`, …, or `link`."""
    state: State
    reason: str = ""


class Verifier:
    """Walks links in order of camera and number."""

    def __init__(self, folders: Mapping[str, Path], gone: Callable[[], Gone]) -> None:
        """`folders` has the folder of each part, `gone` tells what retention deleted and when."""
        self._folders = folders
        self._ask = gone
        self._gone = gone()
        self.heads: dict[str, EvidenceLink] = {}
        """The newest link of every camera walked so far."""
        self._hashes: set[str] = set()

    def walk(self, links: Iterable[EvidenceLink]) -> Iterator[Finding]:
        """Every finding: each link's own, and one for each of its files."""
        for link in links:
            reason = self._link(link)
            self.heads[link.device] = link
            self._hashes.add(link.hash)
            state: State = "broken" if reason else "intact"
            yield Finding(link.device, link.number, link.event, "link", state, reason)
            try:
                parts = read(link).files
            except msgspec.MsgspecError:
                continue  # told above: its text no longer matches its hash
            for part, files in parts.items():
                for what, file in files.items():
                    told = self._file(link, part, file)
                    yield Finding(link.device, link.number, link.event, f"{part}/{what}", *told)

    def claims(self, claimed: Iterable[tuple[str, str, str]]) -> Iterator[Finding]:
        """Events (id, device, hash) that tell of a link which is not there any more."""
        for event, device, hash_ in claimed:
            if hash_ not in self._hashes:
                reason = f"the event tells of link {hash_[:16]}…, which the chain does not have"
                yield Finding(device, 0, event, "link", "broken", reason)

    def _link(self, link: EvidenceLink) -> str:
        """What is wrong with a link; empty: nothing."""
        before = self.heads.get(link.device)
        number, prev = (before.number, before.hash) if before else (0, "")
        if link.number != number + 1:
            return f"links {number + 1} to {link.number - 1} are missing"
        if digest(link.manifest) != link.hash:
            return "its manifest is not the one that was sealed"
        try:
            told = read(link)
        except msgspec.MsgspecError as error:
            return f"its manifest cannot be read: {error}"
        inside = (told.device, told.number, told.event, told.basis, told.prev, told.sealed_at)
        if inside != (link.device, link.number, link.event, link.basis, link.prev, link.at):
            return "its row says something else than its manifest"
        if link.prev != prev:
            return "it does not follow the link before it"
        return ""

    def _file(self, link: EvidenceLink, part: str, file: File) -> tuple[State, str]:
        folder = self._folders.get(part)
        path = folder / file.file if folder is not None else None
        if path is None or not path.is_file():
            key = (link.device, link.number, part)
            if key not in self._gone:
                self._gone = self._ask()  # retention may be at work just now
            at = self._gone.get(key)
            if at is not None:
                return "expired", f"let go by retention on {iso(at)}"
            return "missing", f"{file.file} is not there, and retention did not delete it"
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != file.sha256:
            return "changed", f"{file.file} has SHA-256 {found}, sealed was {file.sha256}"
        return "intact", ""
