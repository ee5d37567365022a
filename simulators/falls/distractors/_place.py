"""Where things can be: panes of the view, or likely ones where a photograph has none marked."""

from __future__ import annotations

import numpy as np

from simulators.falls.layers import View

Box = tuple[int, int, int, int]


def panes(view: View, rng: np.random.Generator, count: int) -> list[Box]:
    """`count` panes (fewer if the view has fewer), chosen by `rng`.

    A view without panes gets boxes of 1.1 to 2.2 m by 1.2 to 1.6 m where the picture is
    rather a wall than sky.
    """
    if view.panes:
        chosen = rng.permutation(len(view.panes))[:count]
        return [view.panes[int(i)] for i in chosen]
    wide, high = view.size
    out: list[Box] = []
    for _ in range(count):
        w = max(4, round(rng.uniform(1.1, 2.2) * view.pixels_per_m))
        h = max(4, round(rng.uniform(1.2, 1.6) * view.pixels_per_m))
        spots = [
            (int(rng.integers(0, max(1, wide - w))), int(rng.integers(0, max(1, high - h))))
            for _ in range(6)
        ]
        # a wall with windows has more contrast than the sky
        x, y = max(spots, key=lambda s: float(view.plate[s[1] : s[1] + h, s[0] : s[0] + w].std()))
        out.append((x, y, x + w, y + h))
    return out


def episodes(rng: np.random.Generator, seconds: float, per_s: float, least: int = 1) -> list[float]:
    """Begins of episodes in a scene, at the rate given, in order; at least `least` of them."""
    count = max(least, int(rng.poisson(seconds * per_s)))
    return sorted(float(b) for b in rng.uniform(-0.5, max(seconds - 0.5, 0.1), count))


def drop_tone(view: View) -> float:
    """The grey of a water drop, which may be beyond white.

    A drop gathers light from 165 degrees (Garg & Nayar 2007): half scene, half sky. Under an
    overcast sky a wall of albedo 0.3 has a sixth of the sky's radiance, so a drop has about 3.5
    times the wall's; through the picture's gamma of 2.2, small mixtures with that look like ones
    with 1 + 2.5 / 2.2 times the wall's grey.
    """
    return float(np.clip(2.15 * view.plate[::8, ::8].mean(), 110.0, 400.0))


def white(view: View) -> float:
    """The grey of a white thing in this light: albedo 0.8 beside walls of 0.35, gamma 2.2."""
    return float(np.clip(1.5 * np.median(view.plate[::8, ::8]), 50.0, 250.0))
