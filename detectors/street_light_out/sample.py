"""A circuit on which one lamp dies, and one that is dimmed at midnight by plan."""

from __future__ import annotations

import numpy as np

from contracts.nouns import Item
from detectors._common.sample import START, Sample, city, device, reading
from detectors.street_light_out.config import LightConfig
from detectors.street_light_out.sites import sites
from detectors.street_light_out.sun import elevation, slot


def sample(seed: int) -> Sample:
    """Four lamps that report every 50 minutes for a week; the third dies on the sixth night."""
    rng = np.random.default_rng(seed)
    names = [f"lamp-{k}" for k in range(4)]
    town = city(
        devices={
            n: device(n, type="street_light", site="ring-1", metrics=("lamp_current", "lux"))
            for n in names
        }
    )
    (site,) = sites(town, LightConfig())
    lon, lat = site.point.lon, site.point.lat
    full = rng.uniform(0.3, 1.2, 4)
    dies = (5 + float(rng.uniform(0.35, 0.6))) * 86400.0
    items: list[Item] = []
    quiet: list[Item] = []
    for k in range(int(7 * 86400 / 3000)):
        for n, name in enumerate(names):
            t = 3000.0 * k + 97.0 * n + float(rng.uniform(0, 30))
            epoch = START.timestamp() + t
            burns = elevation(epoch, lon, lat) < -3.5
            dim = 0.4 if 0 <= slot(epoch, lon) < 10 else 1.0
            share = burns * dim * float(rng.uniform(0.96, 1.04))
            dead = n == 2 and t > dies
            v = float(full[n]) * share
            quiet.append(reading(name, "lamp_current", round(v + 0.002, 3), t, k))
            items.append(
                reading(name, "lamp_current", 0.004 if dead else round(v + 0.002, 3), t, k)
            )
    items.sort(key=lambda item: item.received_at)
    quiet.sort(key=lambda item: item.received_at)
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet), tail_s=3600.0)
