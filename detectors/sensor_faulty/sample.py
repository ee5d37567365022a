"""For each noun that is folded. Odd seeds: a camera that is knocked askew and set right again, and
one that only sways in the wind. Even seeds: a level sensor with a leaf under its head beside a good
one, and a shower over both."""

from __future__ import annotations

import math
from datetime import timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.nouns import Frame, Item
from detectors._common.sample import START, Sample, city, device, reading
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
    """Pictures where `seed` is odd, readings where it is even."""
    rng = np.random.default_rng(seed)
    return pictures(rng) if seed % 2 else readings(rng)


def pictures(rng: np.random.Generator) -> Sample:
    """Knocked at 22 s, set right at 42 s."""
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


def readings(rng: np.random.Generator) -> Sample:
    """Two levels and the rain once a minute for three hours: a leaf lies under a head from the 90th
    minute to the 125th; in the quiet stream it rains instead."""
    fields = {"reports_every_s": 60.0, "site": "main-street"}
    town = city(
        devices={
            "lv-1": device("lv-1", metrics=("level",), **fields),
            "lv-2": device("lv-2", metrics=("level",), **fields),
            "rain-1": device("rain-1", metrics=("rain_rate",), **fields),
        }
    )
    items: list[Item] = []
    quiet: list[Item] = []
    leaf = float(rng.uniform(0.6, 0.9))
    for minute in range(200):
        t = 60.0 * minute
        wet = 0.8 * math.exp(-(((minute - 130) / 20) ** 2))
        for place, name in enumerate(("lv-1", "lv-2")):
            after = t + 20.0 * place
            usual = 0.2 + 0.05 * place + float(rng.normal(0, 0.003))
            under = leaf + float(rng.normal(0, 0.003))
            there = name == "lv-1" and 90 <= minute < 125
            items.append(reading(name, "level", round(under if there else usual, 3), after, minute))
            quiet.append(reading(name, "level", round(usual + wet, 3), after, minute))
        rain = 36.0 if 100 <= minute < 130 else 0.0
        items.append(reading("rain-1", "rain_rate", 0.0, t + 40.0, minute))
        quiet.append(reading("rain-1", "rain_rate", rain, t + 40.0, minute))
    (site,) = sites(town, SensorFaultyConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet), tail_s=60.0)
