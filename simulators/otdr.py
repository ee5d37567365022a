"""What an OTDR sees of a fibre: backscatter that falls with distance, splices, an end, noise."""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np

from contracts.city import Fibre
from contracts.geo import length_m
from simulators import sor
from simulators.dice import dice

SPACING_M = 0.5
ATTENUATION_DB_PER_KM = 0.19  # G.652.D at 1550 nm, typical of a cable in the ground
LAUNCH_DB = -8.0  # backscatter level at the front panel below the instrument's full scale
NOISE_FLOOR_DB = -38.0
REACH_M = 6000.0


class Plant(msgspec.Struct, frozen=True):
    """The fibre as it was laid: where its splices are and what they lose."""

    length_m: float
    splices: tuple[tuple[float, float], ...]
    """(distance in metres, loss in dB)."""


class Break(msgspec.Struct, frozen=True):
    """Where the fibre is parted, and how the new end looks."""

    distance_m: float
    reflective: bool


def plant(seed: int, cable: Fibre) -> Plant:
    """Splices every few hundred metres along the cable."""
    rng = dice(seed, "plant", cable.id)
    length = length_m(cable.path) + 4.0  # pigtail in the far cabinet
    spots: list[tuple[float, float]] = []
    at = 0.0
    while True:
        at += float(rng.uniform(380, 640))
        if at > length - 150:
            return Plant(length, tuple(spots))
        spots.append((round(at, 1), round(float(rng.uniform(0.04, 0.18)), 3)))


def shoot(
    fibre: Plant, at: datetime, rng: np.random.Generator, serial: str, broken: Break | None = None
) -> bytes:
    """One measurement as a `.sor` file; `broken` shortens the fibre to the break."""
    index = 1.4682
    spacing = sor.spacing_on_file(SPACING_M, index)
    x = np.arange(int(REACH_M / spacing)) * spacing
    end = broken.distance_m if broken else fibre.length_m
    level = LAUNCH_DB - ATTENUATION_DB_PER_KM * x / 1000
    pulse_m = 30e-9 * sor.LIGHT_M_PER_NS * 1e9 / index / 2
    events = []
    for distance, loss in fibre.splices:
        if distance < end:
            step = np.clip((x - distance) / pulse_m, 0, 1)
            level -= loss * step
            events.append(sor.KeyEvent(distance_m=distance, loss_db=loss))
    # the front panel's connector blinds the receiver for some metres (dead zone)
    level = np.maximum(level, -2.0 - 0.9 * np.maximum(x - pulse_m, 0))
    light = np.where(x < end, 10 ** (level / 5), 0.0)  # one-way dB: 5 log10 of the returned power
    reflects = broken is None or broken.reflective
    if reflects:
        peak = 10 ** ((level[min(int(end / spacing), len(x) - 1)] + 6.0) / 5)
        light += peak * ((x >= end) & (x < end + pulse_m))
        beyond = np.maximum(x - end - pulse_m, 0.0)
        light += np.where(x >= end + pulse_m, peak * np.exp(-beyond / 3.0), 0.0)
    floor = 10 ** (NOISE_FLOOR_DB / 5)
    seen = np.abs(light + rng.normal(0, floor, len(x)))
    power = 5 * np.log10(np.maximum(seen, 10 ** (-60.0 / 5)))
    found = end + float(rng.normal(0, 0.4))  # an instrument's own end finding, about a sample off
    events.append(
        sor.KeyEvent(
            distance_m=found,
            loss_db=20.0,
            reflectance_db=-16.0 if reflects else 0.0,
            code="1E99992P" if reflects else "0E9999LS",
        )
    )
    return sor.encode(
        sor.Shot(
            at=at,
            power_db=power,
            spacing_m=SPACING_M,
            events=tuple(events),
            cable="QX-GYTA-01",
            fibre="01",
            index=index,
            serial=serial,
        )
    )
