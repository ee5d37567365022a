"""Cuts the proof of an event out of its camera's segments and seals it into the camera's chain."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from contracts.clock import iso
from contracts.errors import Temporary
from gridsentry.commands import version
from gridsentry.engine.chain import Chains, File, canonical, digest, facts
from gridsentry.engine.sight import view_of, wall_of
from ingest.evidence import Cut, cut, durable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.batch import EvidenceLink
    from contracts.city import Camera
    from contracts.event import Event, Footage
    from contracts.nouns import Segment

SHOWN_FILES = {"clip": "mp4", "still": "jpg", "track": "json"}
ORIGINAL_FILES = {"clip": "mp4", "still": "jpg"}


class Sealed(msgspec.Struct, frozen=True):
    """Proof of an event: what it says about it, and the link to store."""

    facts: dict[str, Any]
    link: EvidenceLink


class ProofMaker:
    """Cuts for one camera. `originals` is a folder apart: what lies there is opened by few."""

    def __init__(
        self, camera: Camera | None, timezone: str, shown: Path, originals: Path, chains: Chains
    ) -> None:
        self._camera = camera
        self._timezone = timezone
        self._shown = shown
        self._originals = originals
        self._chains = chains
        self._calibration = digest(canonical(camera)) if camera is not None else None

    def known(self, event: Event, footage: Footage) -> Sealed | None:
        """The proof made earlier for just this: a detector that is resumed says it again."""
        link = self._chains.known(event.id, self._basis(event, footage))
        return None if link is None else Sealed(facts(link), link)

    def make(
        self,
        segments: Callable[[], list[Segment]],
        event: Event,
        footage: Footage,
        now: datetime,
    ) -> Sealed:
        """Cut, write the track, hash and seal. Raises Permanent `no_footage` when nothing is left
        of it, Temporary when the disk fails."""
        before = self.known(event, footage)
        if before is not None:
            return before
        basis = self._basis(event, footage)
        # Another basis is another name: what a link vouches for is never written over.
        stem = f"{event.id}-{basis[:8]}"
        view = view_of(event, self._camera, self._timezone)
        made = cut(segments(), footage, view, stem, shown=self._shown, originals=self._originals)
        try:
            self._write(f"{stem}.json", canonical(self._track(event, footage, made)))
            files = {
                "shown": _files(self._shown, stem, SHOWN_FILES),
                "original": _files(self._originals, stem, ORIGINAL_FILES),
            }
        except OSError as error:
            raise Temporary(f"cannot write evidence to {self._shown}: {error}") from error
        link = self._chains.seal(
            device=footage.device,
            event=event.id,
            kind=event.kind,
            onset=event.at,
            sealed_at=now,
            basis=basis,
            calibration=self._calibration,
            software=f"gridsentry {version()}",
            files=files,
        )
        return Sealed(facts(link), link)

    def _basis(self, event: Event, footage: Footage) -> str:
        told = {name: event.evidence.get(name) for name in ("track", "origin", "boxes")}
        return digest(canonical([event.id, event.at, told, footage, self._calibration]))

    def _track(self, event: Event, footage: Footage, made: Cut) -> dict[str, Any]:
        """The track in pixels and, on a calibrated wall, in metres; what it was measured with."""
        evidence = event.evidence
        view = view_of(event, self._camera, self._timezone)
        wall = wall_of(self._camera, view.size)
        rows: list[dict[str, Any]] = [
            {"at": iso(at), "x_px": x, "y_px": y} for at, x, y in view.track
        ]
        boxes = {iso(datetime.fromisoformat(at)): box for at, *box in evidence.get("boxes") or ()}
        for row in rows:
            if row["at"] in boxes:
                row["box_px"] = boxes[row["at"]]
        if wall is not None and rows:
            places = wall.facade.to_metres(np.array([(x, y) for _, x, y in view.track]))
            for row, (u, v) in zip(rows, places, strict=True):
                row |= {"u_m": round(float(u), 2), "v_m": round(float(v), 2)}
        return {
            "event": event.id,
            "kind": event.kind,
            "device": footage.device,
            "onset": iso(event.at),
            "picture": list(view.size),
            "track": rows,
            "origin": evidence.get("origin"),
            "speed_m_s": evidence.get("speed"),
            "footage": {
                "first": iso(made.first),
                "last": iso(made.last),
                "still": iso(made.best),
                "pictures": made.pictures,
                "size": list(made.size),
            },
            "calibration": self._calibration,
            "software": f"gridsentry {version()}",
        }

    def _write(self, name: str, text: str) -> None:
        part = self._shown / f".{name}.part"
        part.write_text(text, "utf-8")
        durable(part)
        part.replace(self._shown / name)
        durable(self._shown)


def _files(folder: Path, stem: str, suffixes: dict[str, str]) -> dict[str, File]:
    """What lies on the disk now, hashed."""
    found = {}
    for what, suffix in suffixes.items():
        path = folder / f"{stem}.{suffix}"
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        found[what] = File(path.name, path.stat().st_size, sha256)
    return found
