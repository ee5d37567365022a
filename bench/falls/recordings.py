"""Real recordings, reported apart and never tuned on."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench.falls.match import NEAR
from bench.falls.run import calm
from bench.falls.watch import DEVICE, last_revisions, track_of, watch
from contracts.city import Camera
from gridsentry.record.video import pieces

MASKS = Path(__file__).with_name("masks.toml")
SEGMENT_S = 1.0


class Mask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where falls are looked for."""

    size: tuple[int, int]
    detect_mask: tuple[tuple[tuple[float, float], ...], ...]


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of one recording."""

    file: str
    positive: bool
    masked: bool
    """Whether a ground-plane mask was given."""
    seconds: float
    events: int
    found: bool
    """A positive: an event follows the thing's own track. A negative: False."""
    why: tuple[str, ...]


def look(folder: Path, workers: int = 1) -> list[Clip]:
    """Every clip of the folder's manifest; those with a mask once with it and once without.

    None of a folder that is not there.
    """
    manifest = folder / "manifest.json"
    if not manifest.exists():
        return []
    entries: list[dict[str, Any]] = json.loads(manifest.read_text())
    masks = msgspec.toml.decode(MASKS.read_bytes(), type=dict[str, Mask])
    asked: list[tuple[dict[str, Any], Mask | None]] = []
    for entry in entries:
        if entry.get("is_positive") is None or not (folder / entry["file"]).exists():
            continue
        asked.append((entry, None))
        if not entry["is_positive"] and entry["file"] in masks:
            asked.append((entry, masks[entry["file"]]))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=calm) as pool:
        looked = list(pool.map(partial(_clip, folder), *zip(*asked, strict=True)))
    out = []
    for clip in looked:
        out.append(clip)
        if not clip.positive and clip.file not in masks:
            # what needs no mask stands for itself in the masked figure
            out.append(msgspec.structs.replace(clip, masked=True))
    return out


def _clip(folder: Path, entry: dict[str, Any], mask: Mask | None) -> Clip:
    parts = [
        (piece.start_s, piece.data)
        for piece in pieces(folder / entry["file"], SEGMENT_S, lambda _done, _all: None)
    ]
    camera = None
    if mask is not None:
        camera = Camera(device=DEVICE, size=mask.size, detect_mask=mask.detect_mask)
    watched = watch(parts, camera)
    events = last_revisions(watched)
    truths = [
        [(frame / entry["fps"], x, y) for frame, x, y in event["track_frames_xy"]]
        for event in entry.get("events", ())
        if event.get("track_frames_xy")
    ]
    tracks = [track_of(event) for event in events]
    found = any(_follows(track, truth, entry["height"]) for truth in truths for track in tracks)
    return Clip(
        file=entry["file"],
        positive=bool(entry["is_positive"]),
        masked=mask is not None,
        seconds=float(watched.times[-1]) if watched.times else 0.0,
        events=len(events),
        found=found,
        why=tuple("; ".join(map(str, event.evidence.get("why") or ())) for event in events),
    )


def _follows(
    track: list[tuple[float, float, float]], truth: list[tuple[float, float, float]], height: float
) -> bool:
    """Whether the track stays with the thing's own, by its median distance."""
    times = [t for t, _, _ in truth]
    shared = [hit for hit in track if times[0] <= hit[0] <= times[-1]]
    if len(shared) < 3 or len(shared) < len(track) / 2:
        return False
    x = np.interp([hit[0] for hit in shared], times, [p[1] for p in truth])
    y = np.interp([hit[0] for hit in shared], times, [p[2] for p in truth])
    apart = np.hypot(np.array([h[1] for h in shared]) - x, np.array([h[2] for h in shared]) - y)
    return bool(np.median(apart) <= 2 * NEAR * height)
