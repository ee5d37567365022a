"""A device that falls silent for half an hour beside one that goes on, and a quiet district.

In the quiet one each misses a report now and then, and for a while nothing at all is heard.
"""

from __future__ import annotations

import numpy as np

from contracts.nouns import Item
from detectors._common.sample import Sample, city, device, reading
from detectors.sensor_silent.detect import SensorSilentConfig, sites

DEAF = range(50, 75)
"""Minutes in which the quiet stream has nothing of anybody: we are deaf, nobody is silent."""


def sample(seed: int) -> Sample:
    """Two devices that report once a minute."""
    rng = np.random.default_rng(seed)
    fields = {"reports_every_s": 60.0, "metrics": ("level",)}
    town = city(devices={name: device(name, **fields) for name in ("d1", "d2")})
    gone = int(rng.integers(20, 40))
    items: list[Item] = []
    quiet: list[Item] = []
    for minute in range(90):
        for offset, name in ((0.0, "d1"), (30.0, "d2")):
            t = 60.0 * minute + offset + float(rng.uniform(0, 5))
            if name == "d2" or not gone <= minute < gone + 30:
                items.append(reading(name, "level", 0.2, t, minute))
            if minute not in DEAF and minute % 17 != 5 + int(offset) % 7:
                quiet.append(reading(name, "level", 0.2, t, minute))
    (site,) = sites(town, SensorSilentConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet), tail_s=60.0)
