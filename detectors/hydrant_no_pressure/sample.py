"""A town's hydrants on the day when a main breaks, and on a day when none does."""

from __future__ import annotations

import math

import numpy as np

from contracts.nouns import Item
from detectors._common.sample import Sample, city, device, reading
from detectors.hydrant_no_pressure.config import HydrantConfig
from detectors.hydrant_no_pressure.sites import sites


def sample(seed: int) -> Sample:
    """Three hydrants, a report every five minutes: 14 hours, then 80 minutes without water."""
    rng = np.random.default_rng(seed)
    names = ("h1", "h2", "h3")
    town = city(
        devices={
            n: device(n, type="hydrant", site="zone-1", metrics=("pressure", "battery"))
            for n in names
        }
    )
    usual = rng.uniform(220, 420, 3)
    broken = 14 * 3600.0 + float(rng.uniform(0, 600))
    left = rng.uniform(0.1, 0.35, 3)
    items: list[Item] = []
    quiet: list[Item] = []
    for k in range(16 * 12 + 12):
        for n, name in enumerate(names):
            t = 300.0 * k + 40.0 * n + float(rng.uniform(0, 20))
            # high at night, low in the morning and in the evening (the sample begins at 14:00)
            day = 1 - 0.12 * math.cos(4 * math.pi * (t / 3600 + 7) / 24)
            calm = float(usual[n]) * day + float(rng.normal(0, 3))
            wet = broken <= t < broken + 4800
            share = float(left[n]) if wet else 1.0
            items.append(reading(name, "pressure", round(calm * share, 1), t, k))
            if rng.random() < 0.02:  # water hammer caught by a report
                calm *= float(rng.uniform(0.2, 0.6))
            quiet.append(reading(name, "pressure", round(calm, 1), t, k))
    items.sort(key=lambda item: item.received_at)
    quiet.sort(key=lambda item: item.received_at)
    (site,) = sites(town, HydrantConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet))
