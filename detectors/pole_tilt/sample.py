"""A pole that a lorry leaves leaning, and poles that the same storm sways and the sun bends."""

from __future__ import annotations

import math

import numpy as np

from contracts.nouns import Item
from detectors._common.sample import Sample, city, device, reading
from detectors.pole_tilt.config import PoleConfig
from detectors.pole_tilt.sites import sites


def sample(seed: int) -> Sample:
    """Two poles, one of two axes, every two hours for a week; hit on the fourth day."""
    rng = np.random.default_rng(seed)
    town = city(
        devices={
            "p1": device(
                "p1", type="pole_tilt", site="s", metrics=("tilt_x", "tilt_y", "vibration")
            ),
            "p2": device("p2", type="pole_tilt", site="s", metrics=("tilt", "vibration")),
        }
    )
    rest = rng.uniform(-1.5, 1.5, 3)
    hit = 3.4 * 86400 + float(rng.uniform(0, 7200))
    lean, way = float(rng.uniform(3.5, 9.0)), float(rng.uniform(0, 2 * math.pi))
    items: list[Item] = []
    quiet: list[Item] = []
    seq = 0

    def put(stream: list[Item], t: float, by: float, sway: float, shake: float) -> None:
        nonlocal seq
        seq += 1
        warm = 0.2 * math.sin(2 * math.pi * t / 86400)
        x, y, z = rest + warm + rng.normal(0, 0.08 + sway, 3)
        stream.append(reading("p1", "vibration", round(shake, 2), t, seq))
        stream.append(reading("p1", "tilt_x", round(float(x) + by * math.cos(way), 2), t, seq))
        stream.append(reading("p1", "tilt_y", round(float(y) + by * math.sin(way), 2), t, seq))
        stream.append(reading("p2", "tilt", round(abs(float(z)), 2), t + 31, seq))

    for k in range(7 * 12):
        t = 7200.0 * k + float(rng.uniform(0, 40))
        if t - 7200 <= hit < t:
            put(items, hit, 1.3 * lean, 0.5, 23.0)
        put(items, t, lean if t > hit else 0.0, 0.0, 0.1)
        storm = 60 <= k < 66
        put(quiet, t, 0.0, 3.0 if storm else 0.0, 1.2 if storm else 0.1)
    items.sort(key=lambda item: item.received_at)
    quiet.sort(key=lambda item: item.received_at)
    (site,) = sites(town, PoleConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet), tail_s=3600.0)
