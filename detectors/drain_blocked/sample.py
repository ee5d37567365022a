"""A main whose third pipe blocks on a dry day, and one on which only the morning and a sensor's
spike happen."""

from __future__ import annotations

import math

import numpy as np

from contracts.city import DrainNetwork, Node, Pipe
from contracts.geo import Point
from contracts.nouns import Item
from detectors._common.sample import Sample, city, device, reading
from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.sites import sites

EVERY_S = 300.0
PIPES = 7
SENSORS = {"lv-0": 0, "lv-1": 1, "lv-2": 2, "lv-4": 4, "lv-6": 6}
"""Device → the manhole it hangs in, counted from the top."""
BLOCKED = 2
"""The pipe that leaves the third manhole."""


def main_sewer() -> DrainNetwork:
    """Manholes `m0` to `m6` 100 m apart and an outfall; pipes of 40 cm that fall by 0.5 %."""
    nodes = {
        f"m{k}": Node(
            id=f"m{k}",
            point=Point(118.78, 31.26 + 0.0009 * k),
            invert_m=10.0 - 0.5 * k,
            rim_m=13.0 - 0.5 * k,
        )
        for k in range(PIPES + 1)
    }
    pipes = {
        f"p{k}": Pipe(
            id=f"p{k}",
            from_=f"m{k}",
            to=f"m{k + 1}",
            path=(nodes[f"m{k}"].point, nodes[f"m{k + 1}"].point),
            diameter_m=0.4,
            length_m=100.0,
        )
        for k in range(PIPES)
    }
    return DrainNetwork(nodes=nodes, pipes=pipes)


def sample(seed: int) -> Sample:
    """Nine hours, a reading each five minutes; the pipe blocks in the sixth."""
    rng = np.random.default_rng(seed)
    network = main_sewer()
    devices = {
        name: device(
            name, type="water_level", metrics=("level",), point=network.nodes[f"m{k}"].point
        )
        for name, k in SENSORS.items()
    }
    town = city(devices=devices, drains=network)
    grows = float(rng.uniform(1800, 5400))
    items: list[Item] = []
    quiet: list[Item] = []
    for step in range(108):
        t = EVERY_S * step
        rhythm = 1.0 + 0.15 * math.sin(2 * math.pi * (t / 86_400 + 0.1))
        shut = min(max((t - 5 * 3600) / grows, 0.0), 1.0)
        for n, (name, k) in enumerate(SENSORS.items()):
            usual = (0.08 + 0.01 * k) * rhythm
            noise = float(rng.normal(0, 0.002))
            # The pool's surface rises to a metre over the blocked manhole's invert.
            pool = 1.0 * shut - 0.5 * (BLOCKED - k)
            level = max(usual, pool) if k <= BLOCKED else usual * (1 - 0.55 * shut)
            at = t + 20 + 7 * n
            items.append(reading(name, "level", round(level + noise, 3), at, step))
            spike = 0.6 if name == "lv-2" and step == 80 else 0.0
            quiet.append(reading(name, "level", round(usual + noise + spike, 3), at, step))
    (site,) = sites(town, DrainBlockedConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet))
