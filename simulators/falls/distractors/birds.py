"""Birds: they cross flapping or gliding, swoop down, land on a ledge and drop off it."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.falls.distractors._eye import Eye
from simulators.falls.distractors._movers import Movers
from simulators.falls.distractors._paint import Outline
from simulators.falls.distractors._place import episodes, white
from simulators.falls.layers import View

Floats = NDArray[np.float64]


class Species(msgspec.Struct, frozen=True):
    """Size and manners; Alerstam et al. 2007 (speeds), Pennycuick 1996 (wing beats)."""

    name: str
    span_m: float
    length_m: float
    speed_m_s: float
    beat_hz: float
    glides: float
    """Share of the time its wings rest."""


SPECIES = (
    Species("tree sparrow", 0.21, 0.14, 10.0, 14.0, 0.35),
    Species("barn swallow", 0.33, 0.18, 10.5, 7.5, 0.4),
    Species("spotted dove", 0.45, 0.30, 13.0, 8.0, 0.1),
    Species("feral pigeon", 0.66, 0.33, 15.0, 6.0, 0.15),
    Species("magpie", 0.55, 0.46, 9.5, 5.0, 0.2),
    Species("kestrel", 0.72, 0.34, 10.0, 5.5, 0.6),
)

MANNERS = ("cross", "glide", "swoop", "land", "drop_off", "circle")

# planform in half spans: (along, across, lift with the beat)
_WING = np.array(
    [[0.30, 0.10], [0.34, 0.45], [0.12, 1.0], [-0.02, 0.97], [0.0, 0.5], [-0.08, 0.10]]
)
_BODY = np.array([[1, 0], [0.6, 0.16], [0, 0.2], [-0.6, 0.12], [-1, 0.16], [-1, -0.16]])
_BODY = np.concatenate([_BODY, _BODY[3:0:-1] * [1, -1]])


class Bird:
    """One bird on one way through the air."""

    opacity = 1.0

    def __init__(self, eye: Eye, view: View, rng: np.random.Generator, start: float) -> None:
        self._eye = eye
        self.species = SPECIES[int(rng.integers(len(SPECIES)))]
        self.manner = MANNERS[int(rng.choice(len(MANNERS), p=(0.34, 0.12, 0.2, 0.1, 0.14, 0.1)))]
        self.start = start
        wide, high = view.size
        far = max(eye.distance_m - 1.0, 4.0)
        depth = rng.uniform(min(6.0, far), far)
        at = np.array([rng.uniform(0.15, 0.85) * wide, rng.uniform(0.1, 0.6) * high])
        self._middle = eye.world(at[None], depth)[0]
        side = rng.choice([-1.0, 1.0])
        heading = rng.normal(0, 0.35)
        self._ahead = np.array([side * math.cos(heading), rng.normal(0, 0.08), math.sin(heading)])
        self._speed = self.species.speed_m_s * rng.uniform(0.75, 1.15)
        self._beat_at, self._burst_at = rng.uniform(0, 2 * math.pi, 2)
        self._bow_m = rng.uniform(0.1, 0.5)
        self._deep_m = rng.uniform(4.0, 12.0)
        self._drop_s = self._deep_m * 1.5 / rng.uniform(8.0, 16.0)
        self._radius = rng.uniform(2.0, 6.0)
        self._tuck_s = rng.uniform(0.2, 0.45)
        half = (wide * depth / eye.focal / 2 + 1.0) / self._speed
        self._half_s = {"land": 2.5, "drop_off": 2.0, "circle": 4.0}.get(self.manner, half * 1.3)
        if self.manner == "swoop":
            self._half_s += self._drop_s / 2
        self.end = start + 2 * self._half_s
        dark = rng.random() < 0.75
        self._tone = white(view) * (rng.uniform(0.08, 0.35) if dark else rng.uniform(0.6, 1.0))

    def place(self, t: float) -> Floats:
        """See `Mover.place`."""
        s = t - self.start - self._half_s
        way, place = self._ahead * self._speed, self._middle.copy()
        if self.manner == "swoop":
            # down with a smooth start and end: at most 8 to 16 m/s in the middle (a stoop that
            # pulls out), which looks like a fall until it does
            f = min(max(s / self._drop_s + 0.5, 0.0), 1.0)
            place += way * 0.6 * s
            place[1] += self._deep_m * (0.5 - f * f * (3 - 2 * f))
        elif self.manner == "land":
            # flares out and stops on the ledge: the speed decays within half a second
            f = s if s < 0 else 0.5 * (1 - math.exp(-2 * s))
            place += way * f * 0.7
            place[1] += 0.25 * max(-s, 0.0) ** 1.5
        elif self.manner == "drop_off":
            # sits; lets itself fall with tucked wings for under half a second (at most 1 m), then
            # opens them and glides out, the sink turning into speed along
            if s > 0:
                free = min(s, self._tuck_s)
                place[1] -= 0.5 * 8.0 * free * free
                after = s - free
                if after > 0:
                    sink = 8.0 * self._tuck_s
                    place[1] -= sink * 0.35 * (1 - math.exp(-after / 0.35))
                    place += way * (after - 0.5 * (1 - math.exp(-2 * after)))
        elif self.manner == "circle":
            a = self._speed / self._radius * s
            side = np.array([-self._ahead[2], 0.0, self._ahead[0]])
            place += self._radius * (self._ahead * math.sin(a) + side * (1 - math.cos(a)))
        else:
            place += way * s
            # bounding flight: rises while it flaps, sinks while it does not
            place[1] += self._bow_m * math.sin(2 * math.pi * 0.9 * s + self._burst_at)
        return np.asarray(place)

    def _beat(self, t: float) -> tuple[float, float]:
        """(lift of the wings from -1 to 1, how far they are opened from 0 to 1)."""
        s = t - self.start - self._half_s
        wave = math.sin(2 * math.pi * self.species.beat_hz * t + self._beat_at)
        if self.manner == "glide":
            return 0.15, 1.0
        if self.manner == "land" and s > 0.6:
            return 0.0, 0.12
        if self.manner == "drop_off" and s < self._tuck_s:
            return 0.0, 0.12 if s < 0 else 0.3
        if self.manner == "swoop" and abs(s) < self._drop_s / 2:
            return 0.1, 0.45
        burst = math.sin(2 * math.pi * 0.9 * t + self._burst_at) * 0.5 + 0.5
        if burst < self.species.glides:
            return 0.1, 0.35 if self.species.beat_hz > 10 else 1.0
        return wave, 1.0 - 0.25 * (wave < 0)

    def outlines(self, t: float) -> list[Outline]:
        """See `Mover.outlines`."""
        here = self.place(t)
        ahead = self.place(t + 0.04) - self.place(t - 0.04)
        norm = float(np.linalg.norm(ahead))
        ahead = ahead / norm if norm > 0.02 else self._ahead / np.linalg.norm(self._ahead)
        across = np.array([-ahead[2], 0.0, ahead[0]])
        across /= max(float(np.linalg.norm(across)), 0.1)
        lift = np.cross(ahead, across)
        lift = lift if lift[1] > 0 else -lift
        beat, opened = self._beat(t)
        half = self.species.span_m / 2
        angle = 0.9 * beat
        out: list[Outline] = []
        body = _BODY * [self.species.length_m / 2, self.species.length_m / 2]
        both = (body[:, :1] * ahead, body[:, 1:] * across, body[:, 1:] * lift)
        seen, depth = self._eye.project(here + both[0] + both[1] + 0.6 * both[2])
        if depth.min() < 0.5:
            return out
        for side in (-1.0, 1.0):
            reach = _WING[:, 1:] * half * opened * side
            wing = (
                _WING[:, :1] * half * 1.2 * ahead
                + reach * math.cos(angle) * across
                + np.abs(reach) * math.sin(angle) * lift
            )
            # wings are thinner than the body and let some light through: a shade lighter
            out.append((self._eye.project(here + wing)[0], min(self._tone * 1.25, 250)))
        out.append((seen, self._tone))
        return out


def birds(strength: float, view: View, rng: np.random.Generator) -> Movers:
    """Single birds and, from half strength on, small flocks: one about each 8 to 2 seconds."""
    eye = Eye(view)
    flock: list[Bird] = []
    for start in episodes(rng, view.seconds, 0.12 + 0.4 * strength):
        many = 1 if rng.random() > 0.4 * strength else int(rng.integers(2, 5))
        flock += [Bird(eye, view, rng, start + rng.uniform(0, 0.8)) for _ in range(many)]
    return Movers(eye, view.exposure_s, flock)
