"""Cuts the proof of an event out of its camera's segments, masked and labelled."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingest.evidence import cut

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.event import Event, Footage
    from contracts.nouns import Segment

Polygons = tuple[tuple[tuple[float, float], ...], ...]


def cut_event(
    segments: list[Segment],
    event: Event,
    footage: Footage,
    folder: Path,
    privacy: Polygons,
) -> dict[str, Any]:
    """Cut, draw and label the proof of one event; the facts to attach to it."""
    origin = event.evidence.get("origin")
    label = origin["zone"] if isinstance(origin, dict) else None
    made = cut(
        segments,
        footage,
        folder,
        event.id,
        track=[
            (datetime.fromisoformat(at), x, y) for at, x, y in event.evidence.get("track") or ()
        ],
        label=label,
        privacy_mask=privacy,
    )
    return {"clip": made.clip, "still": made.still}


def proof_maker(
    folder: Path, privacy: Polygons
) -> Callable[[list[Segment], Event, Footage], dict[str, Any]]:
    """Cuts below `folder`, with the camera's privacy mask."""

    def make(segments: list[Segment], event: Event, footage: Footage) -> dict[str, Any]:
        return cut_event(segments, event, footage, folder, privacy)

    return make
