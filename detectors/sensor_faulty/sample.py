"""A camera that is knocked askew and set right again; and one that only sways in the wind."""

from __future__ import annotations

from datetime import timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.nouns import Frame
from detectors._common.sample import START, Sample, city, device
from detectors.sensor_faulty.config import SensorFaultyConfig
from detectors.sensor_faulty.spec import sites

WIDTH, HEIGHT = 256, 200
SETTINGS = SensorFaultyConfig(moved_s=5.0, recovers_s=5.0)
"""Shorter than the shipped ones, so that the stream stays short."""


def wall(rng: np.random.Generator) -> NDArray[np.float32]:
    """A wall with windows, no two alike, grey levels."""
    picture = np.full((HEIGHT, WIDTH), 150, np.float32)
    for x in range(10, WIDTH - 20, 34):
        for y in range(10, HEIGHT - 20, 28):
            wide, high = (int(n) for n in rng.integers(10, 22, 2))
            picture[y : y + high, x : x + wide] = rng.uniform(40, 220)
    return picture


def frames(rng: np.random.Generator, seconds: int, knocked: range, sway: float) -> list[Frame]:
    """A picture a second: off by 6 px while `knocked`, swaying by `sway` px all the time."""
    plate = wall(rng)
    out = []
    for number in range(seconds):
        aside = 6.0 * (number in knocked) + sway * float(np.sin(2.4 * number))
        matrix = np.array([[1, 0, aside], [0, 1, 0]], np.float32)
        picture = cv2.warpAffine(plate, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        noisy = np.asarray(picture, np.float32) + rng.standard_normal((HEIGHT, WIDTH)) * 2
        luma = np.clip(noisy, 0, 255).astype(np.uint8)
        luma.setflags(write=False)
        at = START + timedelta(seconds=number)
        out.append(Frame("cam", at, at + timedelta(milliseconds=200), luma))
    return out


def sample(seed: int) -> Sample:
    """Knocked at 22 s, set right at 42 s."""
    rng = np.random.default_rng(seed)
    town = city(devices={"cam": device("cam", type="camera")})
    return Sample(
        city=town,
        site=next(iter(sites(town, SETTINGS))),
        items=tuple(frames(rng, 62, range(22, 42), 0.3)),
        quiet_items=tuple(frames(rng, 62, range(0), 4.0)),
        tail_s=30.0,
        reorderable=False,
        cfg=SETTINGS,
    )
