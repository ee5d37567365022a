"""The picture a camera was calibrated on: a file beside its TOML."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from gridsentry.city.notes import Notes, choices

SUFFIXES = (".jpg", ".jpeg", ".png")
MOST_BYTES = 32 * 1024 * 1024
ALIKE = 0.01
"""Sides may differ by so much in shape and still be a scaled copy (odd sides, crops to 8 px)."""


def read_picture(
    folder: Path, name: str, size: tuple[int, int], where: str, notes: Notes
) -> bytes | None:
    """Its bytes, at `size`, JPEG or PNG; None when it cannot be used (which is noted)."""
    if Path(name).name != name or Path(name).suffix.lower() not in SUFFIXES:
        notes.wrong(where, repr(name), "the name of a JPEG or PNG file beside this one")
        return None
    path = folder / name
    try:
        data = path.read_bytes()
    except OSError as error:
        there = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
        beside = choices(there, name) if there else "a JPEG or PNG beside this file (there is none)"
        notes.wrong(where, f"{name} cannot be read ({error.strerror})", beside)
        return None
    if len(data) > MOST_BYTES:
        notes.wrong(where, f"{name} has {len(data) >> 20} MiB", f"at most {MOST_BYTES >> 20} MiB")
        return None
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if decoded is None:
        notes.wrong(where, f"{name} is no picture that can be decoded", "a JPEG or PNG file")
        return None
    height, width = decoded.shape[:2]
    if (width, height) == size:
        return data
    if abs(width / height / (size[0] / size[1]) - 1) > ALIKE:
        notes.wrong(
            where,
            f"{name} is {width} x {height}, which is not the shape of size {list(size)}",
            "a picture of this camera, uncropped and unturned",
        )
        return None
    notes.warn(where, f"{name} is {width} x {height}: scaled to size {list(size)}")
    scaled = cv2.resize(decoded, size, interpolation=cv2.INTER_AREA)
    done, coded = cv2.imencode(".png", scaled)
    return coded.tobytes() if done else None
