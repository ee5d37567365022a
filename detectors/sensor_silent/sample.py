"""A device that falls silent for half an hour, and one that never misses more than one report."""

from __future__ import annotations

import numpy as np

from contracts.nouns import Item
from detectors._common.sample import Sample, city, device, reading
from detectors.sensor_silent.spec import SensorSilentConfig, sites


def sample(seed: int) -> Sample:
    """A report a minute."""
    rng = np.random.default_rng(seed)
    town = city(devices={"d1": device("d1", reports_every_s=60.0, metrics=("level",))})
    gone = int(rng.integers(20, 40))
    items: list[Item] = []
    quiet: list[Item] = []
    for minute in range(90):
        t = 60.0 * minute + float(rng.uniform(0, 5))
        if not gone <= minute < gone + 30:
            items.append(reading("d1", "level", 0.2, t, minute))
        if minute % 17 != 5:
            quiet.append(reading("d1", "level", 0.2, t, minute))
    (site,) = sites(town, SensorSilentConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet), tail_s=60.0)
