"""Footage of a fall as a camera would send it, for tests on the whole service."""

from __future__ import annotations

import io
import json
from pathlib import Path

import av
import numpy as np

from detectors.high_altitude_throw.sample import HEIGHT, RATE, WIDTH, camera, frames

FALL_S = 2.6
"""When the thing lets go, seconds from the beginning: it is in the air over the third second."""
SECONDS = 9


def segments() -> list[bytes]:
    """One-second pieces of H.264 in MP4: a wall before which one thing falls, from 19.5 m."""
    pictures = frames(np.random.default_rng(4), SECONDS, (6.0, 19.5), begins_s=FALL_S)
    lumas = [picture.luma for picture in pictures]
    return [_encoded(lumas[i * RATE : (i + 1) * RATE]) for i in range(SECONDS)]


def _encoded(lumas: list[np.ndarray[tuple[int, int], np.dtype[np.uint8]]]) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "18", "preset": "ultrafast", "tune": "zerolatency"}
        for luma in lumas:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(luma), format="gray")
            container.mux(stream.encode(picture.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return file.getvalue()


def silent_video() -> bytes:
    """An MP4 with sound only: a video without a picture."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16_000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.rate = 16_000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    return file.getvalue()


def camera_row(device: str) -> str:
    """The camera's row in devices.csv."""
    return f"{device},d1,camera,118.05,26.05,,,,"


def write_camera(city: Path, device: str) -> None:
    """The camera's calibration in a city folder."""
    seen = camera()
    zones = [
        {"id": z.id, "floor": z.floor, "bay": z.bay, "polygon": [list(p) for p in z.polygon]}
        for z in seen.zones
    ]
    (city / "cameras").mkdir(exist_ok=True)
    lines = [f"size = {json.dumps(list(seen.size))}"]
    lines.append(f"points = {json.dumps([list(point) for point in seen.points])}")
    for zone in zones:
        lines.append("[[zones]]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in zone.items()]
    (city / "cameras" / f"{device}.toml").write_text("\n".join(lines) + "\n")
