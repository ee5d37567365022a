"""Snow: flakes that sink and flutter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._field import Field
from simulators.falls.layers import Luma, View


def terminal_m_s(diameter_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Speed of aggregates, m/s: 0.8 D^0.16 with D in mm (Locatelli & Hobbs 1974); at the wet end
    half as fast again, which gives the 1 to 2 m/s of city snow."""
    return np.asarray(1.1 * (diameter_m * 1e3) ** 0.16)


class Snow:
    """Snow that melts to 0.3 (few flakes) to 3 mm/h (heavy), log-spaced over strength.

    Numbers by melted diameter from Gunn & Marshall (1958): N0 = 3800 R^-0.87 /m³/mm, slope
    2.55 R^-0.48 /mm. A flake is three times as wide as the drop it melts to (density about
    0.05 g/cm³), hides about half of what is behind it, and swings sideways by half its fall.
    """

    behind = False

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        melted = np.arange(0.3, 4.0, 0.1)
        rate = 0.3 * 10.0**strength
        number = 3800.0 * rate**-0.87 * np.exp(-2.55 * rate**-0.48 * melted) * 0.1
        size = 3.0 * melted * 1e-3
        bright = float(np.percentile(view.plate[::8, ::8], 97))
        self.field = Field(
            view,
            rng,
            size_m=size,
            per_m3=number,
            speed_m_s=terminal_m_s(size),
            solid=0.55,
            tone=max(bright, 170.0),
            wind_m_s=0.3 + 1.5 * strength,
            flutter=0.5,
            faintest=0.04,
        )

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        self.field.draw(y, t)
