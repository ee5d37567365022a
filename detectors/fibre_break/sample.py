"""A fibre that is cut and spliced again, and one that only drifts."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from contracts.city import Fibre
from contracts.geo import Point
from contracts.nouns import Item, Trace
from detectors._common.sample import START, Sample, city, device
from detectors.fibre_break.config import FibreBreakConfig
from detectors.fibre_break.detect import sites

SPACING_M = 2.0
PULSE_NS = 100.0


def trace(rng: np.random.Generator, end_m: float, after_s: float, window_m: float) -> Trace:
    """A synthetic trace: backscatter at 0.35 dB/km, an end (reflective or not), noise beyond."""
    x = np.arange(0.0, window_m, SPACING_M)
    power = -20.0 - 0.35 * x / 1000 + rng.normal(0, 0.02, x.size)
    beyond = x >= end_m
    noise = -52.0 + rng.normal(0, 2.0, x.size)
    recovery = -25.0 - 0.08 * (x - end_m)
    power = np.where(beyond, np.maximum(noise, recovery), power)
    if rng.random() < 0.5:
        power[(x >= end_m) & (x < end_m + 12)] += 15.0
    power[x < 20] += 12.0
    power = np.maximum(power, -65.5)
    power.flags.writeable = False
    at = START + timedelta(seconds=after_s)
    return Trace(
        device="otdr",
        at=at,
        received_at=at + timedelta(seconds=1),
        spacing_m=SPACING_M,
        first_m=0.0,
        power_db=power,
        events=(),
        wavelength_nm=1310.0,
        pulse_ns=PULSE_NS,
    )


def sample(seed: int) -> Sample:
    """A trace every minute; the cut somewhere along the cable, mended ten minutes later."""
    rng = np.random.default_rng(seed)
    end = float(rng.uniform(3000, 12000))
    cut = float(rng.uniform(0.05, 0.9)) * end
    path = (Point(118.70, 31.26), Point(118.85, 31.26))
    town = city(
        devices={"otdr": device("otdr", type="otdr", owner="telecom")},
        fibres={"f1": Fibre(id="f1", owner="telecom", path=path, device="otdr")},
    )
    items: list[Item] = []
    quiet: list[Item] = []
    for i in range(16):
        drift = float(rng.normal(0, 3.0))
        broken = 4 <= i < 12
        items.append(trace(rng, cut if broken else end + drift, 60.0 * i, 1.5 * end))
        quiet.append(trace(rng, end + drift, 60.0 * i, 1.5 * end))
    (site,) = sites(town, FibreBreakConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet))
