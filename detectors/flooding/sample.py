"""A road that floods in a shower, and a dry day with ripples."""

from __future__ import annotations

import math

import numpy as np

from contracts.nouns import Item
from detectors._common.sample import Sample, city, device, reading
from detectors.flooding.config import FloodingConfig
from detectors.flooding.lines import sites


def sample(seed: int) -> Sample:
    """Depth over a road every minute: an hour dry, a flood of 20 to 50 cm, an hour to drain."""
    rng = np.random.default_rng(seed)
    town = city(devices={"d1": device("d1", type="drain", metrics=("depth", "rain_rate"))})
    peak, rise = rng.uniform(0.2, 0.5), rng.uniform(600, 1800)
    items: list[Item] = []
    quiet: list[Item] = []
    for minute in range(180):
        t = 60.0 * minute
        since = t - 3600
        wet = 0.0
        if since > 0:
            wet = peak * (since / rise if since < rise else math.exp(-(since - rise) / 900))
        ripple = abs(float(rng.normal(0, 0.003)))
        rain = 30.0 if 0 < since < rise else 0.0
        items.append(reading("d1", "rain_rate", rain, t, minute))
        items.append(reading("d1", "depth", wet + ripple, t, minute))
        quiet.append(reading("d1", "depth", ripple + 0.03 * (minute % 50 == 0), t, minute))
    (site,) = sites(town, FloodingConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet))
