"""Where things can be: panes of the view, or likely ones where a photograph has none marked."""

from __future__ import annotations

import numpy as np

from simulators.falls.layers import View

Box = tuple[int, int, int, int]


def panes(view: View, rng: np.random.Generator, count: int) -> list[Box]:
    """`count` panes (fewer if the view has fewer), chosen by `rng`.

    A view without panes gets boxes of 1.1 to 2.2 m by 1.2 to 1.6 m anywhere in the picture.
    """
    if view.panes:
        chosen = rng.permutation(len(view.panes))[:count]
        return [view.panes[int(i)] for i in chosen]
    wide, high = view.size
    out: list[Box] = []
    for _ in range(count):
        w = max(4, round(rng.uniform(1.1, 2.2) * view.pixels_per_m))
        h = max(4, round(rng.uniform(1.2, 1.6) * view.pixels_per_m))
        x, y = int(rng.integers(0, max(1, wide - w))), int(rng.integers(0, max(1, high - h)))
        out.append((x, y, x + w, y + h))
    return out


def episodes(rng: np.random.Generator, seconds: float, per_s: float, least: int = 1) -> list[float]:
    """Begins of episodes in a scene, at the rate given, in order; at least `least` of them."""
    count = max(least, int(rng.poisson(seconds * per_s)))
    return sorted(float(b) for b in rng.uniform(-0.5, max(seconds - 0.5, 0.1), count))
