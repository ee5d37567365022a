"""A drawn facade and what may happen to a camera that looks at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors._common.scene import SceneWatch

WIDTH, HEIGHT = 640, 360
RATE = 1.0
"""Pictures a second: the watch hardly looks more often."""
BEGIN = 1_780_000_000_000_000

Picture = NDArray[np.float32]
Change = Callable[[Picture, float], Any]


def facade(seed: int = 1) -> Picture:
    """A plastered wall with irregular windows, a tree and some sky, grey levels."""
    rng = np.random.default_rng(seed)
    plain = rng.normal(0, 5, (HEIGHT // 6, WIDTH // 6)).astype(np.float32)
    picture = np.asarray(150 + cv2.resize(plain, (WIDTH, HEIGHT)), np.float32)
    picture[:50] = 215
    for y in range(62, HEIGHT - 30, 42):
        for x in range(16, WIDTH - 150, 56):
            picture[y : y + 26, x : x + 30] = rng.uniform(40, 100)
            if rng.random() < 0.4:  # laundry, curtains, air conditioners
                dx, dy = int(rng.integers(0, 40)), int(rng.integers(0, 30))
                picture[y + dy : y + dy + 9, x + dx : x + dx + 12] = rng.uniform(90, 230)
    leaves = rng.uniform(30, 120, (HEIGHT // 5, 140 // 5)).astype(np.float32)
    picture[:, WIDTH - 140 :] = cv2.resize(leaves, (140, HEIGHT))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.float32)


def moved(
    picture: Picture, dx: float = 0, dy: float = 0, turn: float = 0, zoom: float = 1
) -> Picture:
    """The scene shifted (px), turned (degrees) and enlarged."""
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, zoom)
    matrix[:, 2] += np.array([dx, dy])
    out = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(out, np.float32)


GRAIN = [
    np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH), np.float32) for seed in range(7)
]


def sent(picture: Any, number: int, noise: float = 3.0) -> NDArray[np.uint8]:
    """As the camera sends it, with noise; every tenth with JPEG's losses as well."""
    grain = np.roll(GRAIN[number % 7], number, axis=1)  # noise never comes twice
    luma = np.clip(np.asarray(picture, np.float32) + grain * noise, 0, 255)
    out = luma.astype(np.uint8)
    if number % 10 == 0:
        data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return out


def watch(
    change: Change,
    *,
    seconds: float = 90,
    plate: Picture | None = None,
    over: SceneWatch | None = None,
) -> tuple[SceneWatch, list[tuple[float, str]]]:
    """The watch after `seconds` of the scene as `change` makes it, and (second, fault) whenever
    the fault that stands changed ("" for none)."""
    here = facade() if plate is None else plate
    over = over or SceneWatch()
    told: list[tuple[float, str]] = []
    for number in range(round(seconds * RATE)):
        s = number / RATE
        over.add(BEGIN + round(s * 1e6), sent(change(here, s), number))
        found = over.fault
        what = found.what if found is not None else ""
        if what != (told[-1][1] if told else ""):
            told.append((s, what))
    return over, told


def ramp(s: float, begin: float, end: float) -> float:
    """0 before `begin`, 1 after `end`, straight between."""
    return min(1.0, max(0.0, (s - begin) / (end - begin)))
