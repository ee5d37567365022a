"""Window lights: switched on and off, starting to glow or to flicker, and television."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._place import Box, panes
from simulators.falls.layers import Luma, View


class Lamp:
    """The light in one window: a list of (time, level) that is held between.

    Lamps rise in 20 ms (LED) to 0.2 s (incandescent); a fluorescent tube blinks two to six times
    within a second before it stays (glow starter); a television jumps with each shot, each 0.3 to
    4 s, and wavers in between.
    """

    def __init__(self, box: Box, view: View, rng: np.random.Generator) -> None:
        self.box = box
        x0, y0, x1, y1 = box
        self.television = bool(rng.random() < 0.3)
        self._rise_s = float(rng.choice([0.02, 0.08, 0.2]))
        marks: list[tuple[float, float]] = [(-1e9, float(rng.random() < 0.4))]
        t = float(rng.uniform(0, min(view.seconds, 4.0)))
        while t < view.seconds + 1:
            if self.television:
                marks.append((t, float(rng.uniform(0.15, 0.7))))
                t += float(rng.exponential(1.2)) + 0.3
                continue
            on = 1.0 - round(marks[-1][1])
            if on and rng.random() < 0.3:
                for _ in range(int(rng.integers(2, 7))):
                    marks += [(t, 0.5), (t + float(rng.uniform(0.04, 0.1)), 0.0)]
                    t += float(rng.uniform(0.12, 0.35))
            marks.append((t, on))
            t += float(rng.exponential(8.0)) + 0.5
        self._times = np.array([m[0] for m in marks])
        self._levels = np.array([m[1] for m in marks])
        self._waver = rng.uniform(0.02, 0.08) if self.television else 0.0
        # bright near the lamp, a curtain on one side
        wide, high = max(x1 - x0, 1), max(y1 - y0, 1)
        rows, columns = np.mgrid[0:high, 0:wide] / np.array([high, wide]).reshape(2, 1, 1)
        lamp = rng.uniform(0.2, 0.8)
        glow = np.exp(-((columns - lamp) ** 2) * 2 - (rows - 0.2) ** 2)
        drawn = rng.uniform(0, 0.6) if rng.random() < 0.6 else 0.0
        glow = glow * np.where(columns < drawn, 0.55, 1.0)
        self._glow: NDArray[np.float32] = (glow * rng.uniform(50, 190)).astype(np.float32)

    def level(self, t: float) -> float:
        """How bright, 0 to 1."""
        i = int(np.searchsorted(self._times, t, side="right")) - 1
        now, before = float(self._levels[i]), float(self._levels[max(i - 1, 0)])
        risen = min(max((t - float(self._times[i])) / self._rise_s, 0.0), 1.0)
        level = before + (now - before) * risen
        return max(level * (1 + self._waver * float(np.sin(23 * t) + np.sin(37 * t))), 0.0)

    def draw(self, y: Luma, t: float, strength: float) -> None:
        """Add its light to the pane."""
        level = self.level(t) * strength
        if level < 0.004:
            return
        x0, y0, x1, y1 = self.box
        x0, y0, left, up = max(x0, 0), max(y0, 0), max(-x0, 0), max(-y0, 0)
        under = y[y0 : max(y1, y0), x0 : max(x1, x0)]
        light = self._glow[up : up + under.shape[0], left : left + under.shape[1]]
        if under.size:
            under[:] = cv2.add(under, np.rint(light * np.float32(level)).astype(np.uint8))


class WindowLights:
    """Some windows of the facade, two to a dozen."""

    behind = True

    def __init__(self, strength: float, view: View, rng: np.random.Generator) -> None:
        self.lamps = [Lamp(box, view, rng) for box in panes(view, rng, 2 + round(10 * strength))]
        self._strength = 0.35 + 0.65 * strength

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        for lamp in self.lamps:
            lamp.draw(y, t, self._strength)
