"""A bang with its echo over the noise of a street; a street that swells and a short buzz."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from contracts.nouns import Sound
from detectors._common.sample import START, Sample, city, device
from detectors.loud_sound.spec import LoudSoundConfig, sites

RATE = 8000
CLIP_S = 2.0


def street(rng: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    """Noise that falls by 3 dB an octave, about 40 dB below full scale."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20.0)
    noise = np.fft.irfft(spectrum / np.sqrt(frequency), count)
    return np.asarray(0.01 * noise / noise.std())


def add_bang(
    to: NDArray[np.float64], rng: np.random.Generator, at_s: float, size: float, fall_s: float
) -> None:
    """Noise that begins at once and dies away, into `to`, in place."""
    first = round(at_s * RATE)
    rest = np.arange(len(to) - first) / RATE
    to[first:] += size * rng.standard_normal(len(rest)) * np.exp(-rest / fall_s)


def clips(sound: NDArray[np.float64], device: str, after_s: float = 0.0) -> list[Sound]:
    """The sound as a device sends it, piece after piece, each received when it is over."""
    long = round(CLIP_S * RATE)
    out = []
    for first in range(0, len(sound), long):
        at = START + timedelta(seconds=after_s + first / RATE)
        samples = np.clip(sound[first : first + long], -1, 1).astype(np.float32)
        samples.setflags(write=False)
        received = at + timedelta(seconds=CLIP_S, milliseconds=300)
        out.append(Sound(device, at, received, float(RATE), samples))
    return out


def sample(seed: int) -> Sample:
    """A bang somewhere in the second half, at times across two clips."""
    rng = np.random.default_rng(seed)
    loud, quiet = street(rng, 40), street(rng, 40)
    at_s = float(rng.uniform(20, 35))
    add_bang(loud, rng, at_s, 0.3, 0.08)
    add_bang(loud, rng, at_s + 0.25, 0.06, 0.1)
    quiet *= 1 + 0.6 * np.sin(2 * np.pi * np.arange(len(quiet)) / RATE / 17)
    town = city(devices={"mic": device("mic", type="microphone")})
    return Sample(
        city=town,
        site=next(iter(sites(town, LoudSoundConfig()))),
        items=tuple(clips(loud, "mic")),
        quiet_items=tuple(clips(quiet, "mic")),
        tail_s=60.0,
        reorderable=False,
    )
