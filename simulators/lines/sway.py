"""How poles sway: a real tower node's months, resampled in blocks, else a wide model of our own."""

from __future__ import annotations

import functools
import gzip
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

GRAVITY = 9.81
_DAY = 49
"""Reports of about a day of the record."""
_BLOCK = 12
"""Reports in a row taken from one place of the record: what belongs together stays together."""


class _Payload(msgspec.Struct):
    x: float | None = None
    y: float | None = None
    z: float | None = None


class _Decoded(msgspec.Struct):
    payload: _Payload | None = None


class _Line(msgspec.Struct):
    reported_at: int = 0
    decoded: _Decoded | None = None


class Sway(msgspec.Struct, frozen=True):
    """Tilt away from how the pole usually stands (degrees) and vibration (m/s2, rms) in a row."""

    tilt: NDArray[np.float64] | None
    vibration: NDArray[np.float64] | None
    days: float = 0.0
    """From the record's first to its last word; 0: there is none."""

    def independent_days(self) -> float:
        """Days of the record that are independent of each other: its length over twice the
        integrated correlation time of its tilt (in reports), windowed as Sokal says: the first
        window five times as long as the time it gives."""
        if self.tilt is None:
            return 0.0
        x = self.tilt - self.tilt.mean()
        rho = np.correlate(x, x, "full")[len(x) - 1 :] / max(float(x @ x), 1e-12)
        tau = 2.0 * np.cumsum(rho) - 1.0
        enough = np.flatnonzero(np.arange(len(tau)) >= 5.0 * tau)
        return self.days / max(1.0, float(tau[enough[0] if len(enough) else -1]))

    @staticmethod
    def read(folder: Path | None) -> Sway:
        """The record in `folder`; where there is none, the model."""
        if folder is None or not folder.is_dir():
            return Sway(None, None)
        return _read(folder)

    def sample(
        self, rng: np.random.Generator, count: int, wind: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(tilt, vibration) of `count` reports of one monitor, each shape (count,).

        The record: consecutive reports in blocks of twelve, as they were, with wind or without.
        The model, wide on purpose: tilt wanders by a tenth of a degree on a calm day and by 0.5 to
        6 in wind, with gusts four times that; vibration is log-normal around 0.05 m/s2 and around
        0.8 in wind.
        """
        if self.tilt is not None and self.vibration is not None:
            blocks = -(-count // _BLOCK)
            first = rng.integers(0, len(self.tilt) - _BLOCK, blocks)
            at = (first[:, None] + np.arange(_BLOCK)).ravel()[:count]
            grown = 1.0 + wind
            return self.tilt[at] * grown, self.vibration[at] * grown
        calm = rng.normal(0, 0.1, count)
        if wind <= 0:
            return calm, np.abs(rng.normal(0.05, 0.02, count))
        size = wind * np.exp(rng.uniform(np.log(0.5), np.log(6.0)))
        gusts = np.where(rng.random(count) < 0.05, 4.0, 1.0)
        shake = 0.8 * wind * np.exp(rng.normal(0, 0.8, count)) * gusts
        return calm + rng.normal(0, size, count) * gusts, shake


@functools.lru_cache(maxsize=2)
def _read(folder: Path) -> Sway:
    decoder = msgspec.json.Decoder(_Line)
    rows = []
    for path in sorted(folder.glob("*.ndjson.gz")):
        with gzip.open(path, "rb") as file:
            for line in file:
                one = decoder.decode(line)
                body = one.decoded.payload if one.decoded is not None else None
                if body is not None and None not in (body.x, body.y, body.z):
                    rows.append((one.reported_at, body.x, body.y, body.z))
    if len(rows) <= 2 * _BLOCK:
        return Sway(None, None)
    rows.sort()
    days = (rows[-1][0] - rows[0][0]) / 86_400_000
    table = np.array(rows, dtype=np.float64)[:, 1:]
    size = np.linalg.norm(table, axis=1)
    # against how it hung that day: it was turned once, which is no sway
    usual = median_filter(table, size=(_DAY, 1), mode="nearest")
    one_g = float(np.median(size))
    cosine = (table * usual).sum(axis=1) / np.maximum(size * np.linalg.norm(usual, axis=1), 1e-9)
    tilt = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return Sway(tilt, np.abs(size - one_g) / one_g * GRAVITY, days)
