"""The chain of evidence: each link names the hash of the camera's link before it.

A manifest is canonical JSON (keys in order, no spaces); its SHA-256 is the link's hash and stands
in the next manifest. Who changes a file, a manifest or an order changes every later hash, and those
have left the house with their events: in tickets, alerts and whatever receivers keep of them.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.batch import EvidenceLink

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 1


class File(msgspec.Struct, frozen=True):
    """One file of an event's evidence."""

    file: str
    """Path below the folder of its part."""
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a link vouches for."""

    v: int = VERSION
    device: str
    number: int
    prev: str
    event: str
    kind: str
    onset: datetime
    sealed_at: datetime
    basis: str
    calibration: str | None
    """SHA-256 of the camera's calibration, None without one."""
    software: str
    files: dict[str, dict[str, File]]
    """Part (`shown`, `original`) → what (`clip`, `still`, `track`) → file."""


def canonical(value: Any) -> str:
    """JSON of structs and builtins, the same text for the same content."""
    plain = msgspec.to_builtins(value)
    return msgspec.json.encode(plain, order="sorted").decode()


def digest(text: str) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def read(link: EvidenceLink) -> Manifest:
    """The manifest of a link. Raises msgspec.ValidationError or DecodeError when it is none."""
    return msgspec.json.decode(link.manifest, type=Manifest)


def facts(link: EvidenceLink) -> dict[str, Any]:
    """What an event tells of its evidence."""
    files = read(link).files
    shown, original = files.get("shown", {}), files.get("original", {})
    return {
        "clip": shown["clip"].file,
        "still": shown["still"].file,
        "track_file": shown["track"].file,
        "sha256": {
            **{what: one.sha256 for what, one in shown.items()},
            **{f"original_{what}": one.sha256 for what, one in original.items()},
        },
        "chain": {"number": link.number, "prev": link.prev or None, "hash": link.hash},
    }


class Chains:
    """The newest link of every camera, and which events have theirs. One thread uses it."""

    def __init__(self, known: Iterable[EvidenceLink] = ()) -> None:
        self._heads: dict[str, EvidenceLink] = {}
        self._of: dict[tuple[str, str], EvidenceLink] = {}
        for link in known:
            self._take(link)

    def known(self, event: str, basis: str) -> EvidenceLink | None:
        """The link that this event has for this basis."""
        return self._of.get((event, basis))

    def seal(
        self,
        *,
        device: str,
        event: str,
        kind: str,
        onset: datetime,
        sealed_at: datetime,
        basis: str,
        calibration: str | None,
        software: str,
        files: dict[str, dict[str, File]],
    ) -> EvidenceLink:
        """The camera's next link."""
        before = self._heads.get(device)
        manifest = Manifest(
            device=device,
            number=before.number + 1 if before else 1,
            prev=before.hash if before else "",
            event=event,
            kind=kind,
            onset=onset,
            sealed_at=sealed_at,
            basis=basis,
            calibration=calibration,
            software=software,
            files=files,
        )
        text = canonical(manifest)
        link = EvidenceLink(
            device=device,
            number=manifest.number,
            event=event,
            basis=basis,
            prev=manifest.prev,
            hash=digest(text),
            at=sealed_at,
            manifest=text,
        )
        self._take(link)
        return link

    def _take(self, link: EvidenceLink) -> None:
        head = self._heads.get(link.device)
        if head is None or head.number < link.number:
            self._heads[link.device] = link
        self._of[link.event, link.basis] = link
