"""A volume of air full of small falling things: the part rain and snow have in common."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._eye import APERTURE_M, Eye
from simulators.falls.distractors._strokes import strokes, unit
from simulators.falls.layers import Luma, View

Floats = NDArray[np.float64]

_NEAR_M = 0.5  # the hood keeps nearer ones off
_INK = 25_000  # px of strokes in a picture 1280 wide; most of the nearest, wide and faint, go
_CLOSE = 12  # how many of the nearest stay in a picture 1280 wide
_LEVEL = 0.01  # a change of one to two grey levels: less is lost in rounding and coding
_TALL, _WIDE = 1.5, 1.3  # how much more than the picture a way covers, and the field


class Field:
    """Falling things of all sizes, spread evenly over the air between the lens and the facade.

    Only those are drawn whose width (px) times change (share of the difference in brightness) is
    `faintest` or more: the nearer a thing the wider it is, so every size has a depth beyond which
    it cannot be seen.
    Each falls through the picture at its own constant speed, and comes again elsewhere.
    """

    behind = False

    def __init__(
        self,
        view: View,
        rng: np.random.Generator,
        *,
        size_m: Floats,
        per_m3: Floats,
        speed_m_s: Floats,
        solid: float,
        tone: float,
        wind_m_s: float,
        flutter: float = 0.0,
        faintest: float = 0.012,
        most: int = 700,
    ) -> None:
        """A field of things in size classes.

        Args:
            view: the scene.
            rng: dice.
            size_m: diameters of the classes (k,).
            per_m3: how many of each class a cubic metre holds (k,).
            speed_m_s: their speeds (k,).
            solid: how much of what is behind a still one it hides.
            tone: its grey.
            wind_m_s: mean speed of the wind across, whose direction is drawn.
            flutter: sideways speed as a share of the falling speed.
            faintest: width times change below which nothing is drawn.
            most: how many may be in a picture 1280 wide; the faintest beyond are left out.
        """
        self._eye = Eye(view)
        self._exposure, self._tone = view.exposure_s, tone
        wide, high = view.size
        focal = self._eye.focal
        blurred = size_m + APERTURE_M
        dense = solid * (size_m / blurred) ** 2
        peak = dense * blurred / (speed_m_s * view.exposure_s + blurred)
        peak[peak < _LEVEL] = 0.0
        cone = wide * high / focal**2 / 3
        way = speed_m_s * view.exposure_s + blurred

        def counted(near: float, limit: float) -> tuple[Floats, Floats, float]:
            far = np.clip(blurred * focal * peak / limit, near, deepest)
            count = per_m3 * cone * np.maximum(far**3 - near**3, 0.0)
            # a stroke covers (width)(way + width) of 1/z² px: its mean over the cone
            area = blurred * way * focal**2 * 3 / (far**2 + far * near + near**2)
            return far, count, float((count * area).sum())

        deepest = max(self._eye.distance_m, 10.0 * _NEAR_M)
        near, scale = _NEAR_M, wide / 1280
        far, count, ink = counted(near, faintest)
        while count.sum() > most * scale or ink > _INK * scale:
            if count.sum() > most * scale:
                faintest *= 1.02
            else:
                near = min(near * 1.03, deepest)
            far, count, ink = counted(near, faintest)
        self.visible = float(count.sum())
        """How many are in the picture, on average, without the nearest."""
        kind = _drawn(rng, count, self.visible)
        depth = np.cbrt(near**3 + rng.random(len(kind)) * (far[kind] ** 3 - near**3))
        # of those nearer still, wide and fast, a few
        close = np.where(peak > 0, per_m3 * cone * (near**3 - _NEAR_M**3), 0.0)
        some = _drawn(rng, close, min(float(close.sum()), _CLOSE * scale))
        beside = np.cbrt(_NEAR_M**3 + rng.random(len(some)) * (near**3 - _NEAR_M**3))
        kind, self._depth = np.concatenate([kind, some]), np.concatenate([depth, beside])
        made = len(kind)
        self.speed = speed_m_s[kind] * rng.uniform(0.95, 1.05, made)
        self._width_m, self._dense = blurred[kind], dense[kind]
        tall = _TALL * high * self._depth / focal
        self._turn_s = tall / self.speed
        self._phase = rng.random(made)
        blow = rng.normal(0, 1) * wind_m_s
        self._wind = np.array([blow, 0.0, rng.normal(0, 0.4) * wind_m_s])
        self._which = np.arange(made)
        self._salt = int(rng.integers(1 << 31))
        # flutter: two sideways swings of each flake's own periods (0.3 to 1.2 s)
        self._swing = rng.uniform(2 * math.pi / 1.2, 2 * math.pi / 0.3, (made, 2))
        self._swing_at = rng.uniform(0, 2 * math.pi, (made, 2))
        self._swing_m = flutter * self.speed[:, None] / self._swing

    def draw(self, y: Luma, t: float) -> None:
        """See `Layer.draw`."""
        if not len(self._which):
            return
        turn = t / self._turn_s + self._phase
        since = (np.mod(turn, 1.0) - 0.5) * self._turn_s
        again = np.floor(turn).astype(np.int64)
        wide, high = self._eye.size
        across = (unit(self._which, again, self._salt) - 0.5) * _WIDE * wide + wide / 2
        anchor = self._eye.world(
            np.column_stack([across, np.full(len(across), high / 2)]), self._depth
        )
        half = self._exposure / 2
        begin, _ = self._eye.project(self._at(anchor, since - half, t - half))
        end, depth = self._eye.project(self._at(anchor, since + half, t + half))
        good = depth > _NEAR_M / 2
        width = self._width_m * self._eye.focal / np.maximum(depth, 0.01)
        strokes(y, begin[good], end[good], width[good], self._dense[good], self._tone)

    def _at(self, anchor: Floats, since: Floats, t: float) -> Floats:
        place = anchor + since[:, None] * self._wind
        place[:, 1] -= self.speed * since
        if self._swing_m.any():
            place[:, [0, 2]] += self._swing_m * np.sin(self._swing * t + self._swing_at)
        return np.asarray(place)


def _drawn(rng: np.random.Generator, weights: Floats, count: float) -> NDArray[np.int64]:
    """Classes of about `count` things in the picture, and of those above, below and beside it."""
    made = int(rng.poisson(count * _TALL * _WIDE)) if count > 0 else 0
    if not made:
        return np.zeros(0, np.int64)
    return np.asarray(rng.choice(len(weights), made, p=weights / weights.sum()), np.int64)
