"""What an OTDR measures of a fibre: the pulse's light that comes back, through its receiver.

In units of power, not decibels: backscatter is the pulse's length laid over the fibre's local
scattering times the two-way transmission; a reflection is a box of the pulse's length, as high as
its reflectance stands over the backscatter of that pulse. Then the receiver: its bandwidth, its
full scale, a slow part that lingers after strong light, and white noise. Sources: ITU-T G.650.3
(OTDR method), IEC 61746-1 (dead zones, dynamic range as the SNR = 1 level), Derickson, Fiber Optic
Test and Measurement (1998), ch. 11. Typical values: data sheets of G.652.D fibre and of field
OTDRs.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Samples = NDArray[np.float64]

LIGHT_M_PER_NS = 0.299792458
INDEX = {1310: 1.4677, 1550: 1.4682, 1625: 1.4685}
"""Group index of G.652 fibre."""
ATTENUATION_DB_PER_KM = {1310: (0.325, 0.36), 1550: (0.185, 0.215), 1625: (0.20, 0.245)}
BACKSCATTER_DB = {1310: -79.5, 1550: -82.0, 1625: -82.5}
"""Light scattered back of a pulse of 1 ns."""
BEND_FACTOR = {1310: 1.0, 1550: 4.5, 1625: 7.0}
"""A macro-bend loses more of longer waves (ITU-T G.652, G.657: factors of several)."""
GHOST_OF_DB = -40.0
"""Reflectances weaker than this leave no ghost above the noise."""


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Something on the fibre."""

    at_m: float
    loss_db: float = 0.0
    reflectance_db: float | None = None
    bend: bool = False
    """Its loss (as of 1310 nm) depends on the wavelength."""


class Glass(msgspec.Struct, frozen=True, kw_only=True):
    """A fibre as light sees it, up to where it ends."""

    end_m: float
    end_reflectance_db: float | None
    """Of its end: about -14 dB cleaved, -50 dB angled; None: nothing comes back."""
    spots: tuple[Spot, ...]
    unevenness: tuple[float, ...]
    """Scattering of each stretch between spots in dB: two fibres never scatter alike."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """An OTDR and how it is set."""

    wavelength_nm: int
    pulse_ns: float
    spacing_m: float
    window_m: float
    dynamic_db: float
    """Backscatter at the socket over the noise (SNR = 1), one-way."""
    headroom_db: float
    """Full scale over the backscatter at the socket."""
    linger: float
    """Share of the light that the receiver remembers ..."""
    linger_m: float
    """... for about this long."""
    socket_db: float
    """Reflectance of the socket."""
    level_db: float
    """Where the backscatter at the socket stands on the file's scale."""
    rectifies: bool
    """Noise below zero is turned up (else it lies at the bottom of the scale)."""
    before_m: float = 0.0
    """Sampling begins so long before the socket."""


def pulse_m(instrument: Instrument) -> float:
    """Length of the pulse on the fibre: half of what it travels, for light goes and returns."""
    index = INDEX[instrument.wavelength_nm]
    return instrument.pulse_ns * LIGHT_M_PER_NS / (2 * index)


def measure(
    glass: Glass, instrument: Instrument, db_per_km: float, rng: np.random.Generator
) -> Samples:
    """One trace in dB, shape (samples,); sample i lies `i * spacing_m - before_m` behind the
    socket."""
    pulse, step = pulse_m(instrument), instrument.spacing_m
    count = int((instrument.window_m + instrument.before_m) / step)
    x: Samples = np.arange(count, dtype=np.float64) * step - instrument.before_m
    x = x + float(rng.uniform(-0.5, 0.5)) * step  # the clock of pulse and samples is not one
    back = 10 ** ((BACKSCATTER_DB[instrument.wavelength_nm]) / 10) * instrument.pulse_ns
    light = _scattered(glass, instrument, db_per_km, x, pulse, rng)
    for at, power in _reflections(glass, instrument, db_per_km):
        light += power / back * _box(x, at, pulse, step)
    light = _received(light, instrument, pulse, step)
    noise = 10 ** (-instrument.dynamic_db / 5)
    light += rng.normal(0.0, noise, count)
    bottom = noise * 10 ** (-15.0 / 5)
    light = np.maximum(np.abs(light) if instrument.rectifies else light, bottom)
    level = instrument.level_db + 5 * np.log10(light)
    return np.clip(level, -65.535, 0.0)


def transmission(glass: Glass, wavelength_nm: int, db_per_km: float, at_m: Any) -> Samples:
    """One-way loss in dB from the socket to just behind each place of `at_m`."""
    at = np.asarray(at_m, dtype=np.float64)
    lost = db_per_km * np.maximum(at, 0.0) / 1000
    for spot in glass.spots:
        factor = BEND_FACTOR[wavelength_nm] if spot.bend else 1.0
        lost = lost + spot.loss_db * factor * (at >= spot.at_m)
    return lost


def _scattered(
    glass: Glass,
    instrument: Instrument,
    db_per_km: float,
    x: Samples,
    pulse: float,
    rng: np.random.Generator,
) -> Samples:
    """Backscatter of the pulse that entered the fibre at its front edge, 1 at the socket."""
    fine = max(min(instrument.spacing_m, pulse / 8), 0.02, glass.end_m / 200_000)
    z = np.arange(0.0, glass.end_m, fine)
    if z.size < 2:
        return np.zeros(x.size)
    power = transmission(glass, instrument.wavelength_nm, db_per_km, z)
    edges = [0.0, *(s.at_m for s in glass.spots)]
    stretch = np.searchsorted(edges, z, side="right") - 1
    power = 10 ** ((-2 * power + np.take(glass.unevenness, stretch)) / 10)
    grain = lfilter([1.0], [1.0, -0.95], rng.normal(0.0, 0.004, z.size))
    power *= 1 + grain  # coherent light scatters unevenly (fading noise)
    total = np.concatenate([[0.0], np.cumsum(power) * fine])
    at = np.concatenate([z, [z[-1] + fine]])
    ahead = np.interp(x, at, total, left=0.0)
    behind = np.interp(x - pulse, at, total, left=0.0)
    return np.asarray((ahead - behind) / pulse, dtype=np.float64)


def _reflections(
    glass: Glass, instrument: Instrument, db_per_km: float
) -> list[tuple[float, float]]:
    """(place, power of the pulse's reflection) of socket, spots, end, and of their echoes."""
    seen = [(0.0, instrument.socket_db)]
    seen += [(s.at_m, s.reflectance_db) for s in glass.spots if s.reflectance_db is not None]
    if glass.end_reflectance_db is not None:
        seen.append((glass.end_m, glass.end_reflectance_db))

    def lost(at: float) -> float:
        return float(transmission(glass, instrument.wavelength_nm, db_per_km, max(at - 1e-6, 0)))

    found = [(at, 10 ** ((back - 2 * lost(at)) / 10)) for at, back in seen]
    strong = [(at, back) for at, back in seen if back > GHOST_OF_DB]
    for i, (near, echo) in enumerate(strong):
        for far, back in strong[i:]:
            if far > 0.0:  # out to `far`, back to `near`, out to `far` again and home
                ghost = back + echo + back - 4 * lost(far) + 2 * lost(near)
                found.append((2 * far - near, 10 ** (ghost / 10)))
    return found


def _box(x: Samples, at: float, pulse: float, step: float) -> Samples:
    """How much of each sample's own width the reflected pulse fills, 0 to 1."""
    fill = np.minimum(x + step / 2, at + pulse) - np.maximum(x - step / 2, at)
    return np.clip(fill / step, 0.0, 1.0)


def _received(light: Samples, instrument: Instrument, pulse: float, step: float) -> Samples:
    """Through full scale, the receiver's bandwidth, and what it remembers of strong light."""
    full = 10 ** (instrument.headroom_db / 5)
    light = np.minimum(light, full)
    light = _slow(light, max(0.12 * pulse, 0.4), step)
    lingering = _slow(light, instrument.linger_m, step)
    return light * (1 - instrument.linger) + instrument.linger * lingering


def _slow(light: Samples, metres: float, step: float) -> Samples:
    keep = float(np.exp(-step / metres))
    return np.asarray(lfilter([1 - keep], [1.0, -keep], light), dtype=np.float64)
