"""A cover that somebody lifts and puts back, and one that lorries shake all day."""

from __future__ import annotations

import numpy as np

from contracts.nouns import Item
from detectors._common.sample import Sample, city, device, reading
from detectors.manhole_cover_displaced.config import CoverConfig
from detectors.manhole_cover_displaced.sites import sites


def sample(seed: int) -> Sample:
    """A report each quarter of an hour and when shaken; 25° to 80° for an hour and a half."""
    rng = np.random.default_rng(seed)
    town = city(devices={"c1": device("c1", type="manhole_cover", metrics=("tilt", "vibration"))})
    rest, open_deg = rng.uniform(0.5, 4.0), rng.uniform(25, 80)
    items: list[Item] = []
    quiet: list[Item] = []
    opened, seq = 12 * 3600.0 + 137.0, 0

    def put(stream: list[Item], t: float, tilt: float, vibration: float) -> None:
        nonlocal seq
        seq += 1
        stream.append(reading("c1", "vibration", round(vibration, 2), t, seq))
        stream.append(reading("c1", "tilt", round(tilt, 1), t, seq))

    for k in range(80):
        t = 900.0 * k + float(rng.uniform(0, 30))
        usual = rest + 0.6 * float(np.sin(2 * np.pi * t / 86400)) + float(rng.normal(0, 0.15))
        away = opened <= t < opened + 5400
        if t - 900 <= opened < t:
            put(items, opened, rest + 0.6 * open_deg, 8.0)
            put(items, opened + 25, rest + open_deg, 1.0)
        put(items, t, usual + (open_deg if away else 0.0), 0.2)
        if k % 9 == 4:  # a lorry: the terminal wakes, and says soon that it lies still
            put(quiet, t - 40, usual + float(rng.uniform(5, 14)), 12.0)
            put(quiet, t - 33, usual, 0.4)
        put(quiet, t, usual, 0.2)
    items.sort(key=lambda item: item.received_at)
    quiet.sort(key=lambda item: item.received_at)
    (site,) = sites(town, CoverConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet), tail_s=3600.0)
