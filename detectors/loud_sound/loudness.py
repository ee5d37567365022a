"""From samples to loudness, and from loudness to bangs. Pure numpy.

Loudness is the root mean square of every 10 ms, A-weighted (IEC 61672-1: what wind and engines
rumble below 100 Hz counts as little as it does to the ear), in dB below full scale. A bang stands
10 dB above the median of the last five seconds. Of one bang and its echoes one onset is told, to
about a millisecond: where its energy, in steps of 1 ms, first passes half way to the threshold.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Levels = NDArray[np.float32]

STEP_S = 0.01
FINE_S = 0.001

SILENCE_DB = -90.0
"""16 bit sound has no less; so a microphone that is gated to zero does not make whispers loud."""

MEDIAN_EVERY = 10
"""Steps: the median moves slowly, so it is worked out every 100 ms."""

IMPULSE_FALL_DB = 5.0
"""A bang is over when it was less than this above the median ..."""


class Sounding(msgspec.Struct):
    """A bang that is going on; times in µs since 1970, levels in dB below full scale."""

    onset: int
    median: float
    last: int
    """End of the newest step that belongs to it."""
    peak_at: int
    level: float
    """Of the loudest step."""
    peak: float
    """Largest sample, dB below full scale."""
    energy: float
    """Sum of the squares of its steps."""
    steps: int


def weights(rate_hz: float, count: int) -> NDArray[np.float64]:
    """A-weighting as a factor of power for each bin of `count` samples (IEC 61672-1, E.2)."""
    f2 = np.fft.rfftfreq(count, 1 / rate_hz) ** 2
    top = (12194.0**2) * f2**2
    ends = (f2 + 20.6**2) * (f2 + 12194.0**2)
    middle = np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2))
    ra = top / (ends * middle)
    return np.asarray((ra * 10 ** (2.0 / 20)) ** 2)


def levels(samples: Samples, rate_hz: float) -> Levels:
    """A-weighted level of every whole 10 ms in dB below full scale (a full sine has -3)."""
    count = round(rate_hz * STEP_S)
    whole = len(samples) // count
    if not whole:
        return np.zeros(0, np.float32)
    steps = samples[: whole * count].reshape(whole, count)
    spectrum = np.fft.rfft(steps * np.hanning(count).astype(np.float32), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) @ weights(rate_hz, count)
    # Parseval over the one-sided spectrum; the window leaves 3/8 of the power
    square = 2 * power / count**2 / 0.375
    floor = 10 ** (SILENCE_DB / 10)
    return np.asarray(10 * np.log10(np.maximum(square, floor)), np.float32)


def onset_in(samples: Samples, rate_hz: float, step: int, median: float, level: float) -> float:
    """Seconds from the first sample to the onset of what begins in `step`: the first millisecond
    there (or in the step before) whose energy is half way, in dB, from the median to the step's."""
    count, fine = round(rate_hz * STEP_S), max(1, round(rate_hz * FINE_S))
    begin = max(0, (step - 1) * count)
    piece = samples[begin : (step + 1) * count].astype(np.float64)
    # unweighted: the difference takes away rumble as well as the weighting, and keeps its time
    slopes = np.diff(piece, prepend=piece[:1]) ** 2
    whole = len(slopes) // fine
    if whole < 2:
        return begin / rate_hz
    energy = slopes[: whole * fine].reshape(whole, fine).mean(axis=1)
    quiet, loud = float(energy[: max(1, whole // 4)].min()), float(energy.max())
    limit = max(loud * 10 ** (-(level - median) / 20), 2 * quiet)
    first = int(np.argmax(energy >= min(limit, loud)))
    return (begin + first * fine) / rate_hz


def prominence(rise_db: float, rise_s: float, over_db: float) -> float:
    """How impulsive it is: 3 lg(onset rate in dB/s) + 2 lg(level difference in dB); above 5 it is
    heard as an impulse (Nordtest NT ACOU 112, 2002)."""
    rate = max(1.0, rise_db / max(rise_s, STEP_S))
    return float(3 * np.log10(rate) + 2 * np.log10(max(1.0, over_db)))
