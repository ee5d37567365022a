"""Rain: streaks at terminal speed through the whole depth before the lens, and dripping eaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._field import Field
from simulators.falls.distractors._place import drop_tone
from simulators.falls.distractors.drips import Drips
from simulators.falls.layers import Luma, View

_SHARPENED = 1.6
"""What cameras' edge enhancement adds to lines of one to three pixels. Chosen after looking at one
real film of heavy rain, whose streaks still have two to three times the contrast of ours at a
shutter of 1/250 s (43 grey levels against 13 to 20)."""


def terminal_m_s(diameter_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Terminal speed of raindrops, m/s: Atlas, Srivastava & Sekhon (1973) through the measurements
    of Gunn & Kinzer (1949), good to 2 % from 0.6 to 5.8 mm; 4.0 m/s at 1 mm, 9.1 at 5 mm."""
    return np.asarray(np.maximum(9.65 - 10.3 * np.exp(-600.0 * diameter_m), 0.5))


def drops_per_m3(diameter_m: NDArray[np.float64], mm_per_h: float) -> NDArray[np.float64]:
    """Drops per cubic metre and metre of diameter: Marshall & Palmer (1948), N0 = 8000 /m³/mm."""
    slope = 4.1 * mm_per_h**-0.21
    return np.asarray(8000.0 * 1e3 * np.exp(-slope * diameter_m * 1e3))


class Rain:
    """Rain of 100^strength mm/h: drizzle (1), a downpour (10 at 0.5), a cloudburst (100 at 1).

    Streaks are brighter than a wall and vanish before the sky (see `drop_tone`). From
    0.3 on a few eaves near the camera drip, as in every yard.
    """

    behind = False

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        size = np.arange(0.6e-3, 6.0e-3, 0.1e-3)
        rate = 100.0**strength
        self.field = Field(
            view,
            rng,
            size_m=size,
            per_m3=drops_per_m3(size, rate) * 0.1e-3,
            speed_m_s=terminal_m_s(size),
            solid=0.9 * _SHARPENED,
            # drops show the sky behind the camera, and how bright that is is not in the picture
            tone=drop_tone(view) * rng.uniform(0.9, 1.6),
            wind_m_s=0.4 + 1.2 * strength,
        )
        self._drips = Drips(strength * 0.6, view, rng) if strength > 0.3 else None

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        self.field.draw(y, t)
        if self._drips is not None:
            self._drips.draw(y, t)
