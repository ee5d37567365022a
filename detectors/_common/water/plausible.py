"""Could water have done that? The screen that everybody asks before a rise is believed.

What is told of a rise by its shape alone, with no rain gauge and no neighbour:

* Water that rises faster than any water of its metric was seen to (`FASTEST`) is doubted until the
  next report says so too.
* A leap that comes back as it came was no water: water recedes slower than it rises. It was
  something under the head: a leaf, a branch, a car, a spider, a wave of foam. A sensor at which
  that happened lately (`blips`) is doubted at every leap, until what follows moves as water moves:
  in small steps, and not on the spot.

A doubted reading is HELD: it is no reason to warn by itself. Rain at the time, or a neighbour that
rises too, is a better judge than shape; the caller who has one may believe a HELD reading.

Measured (158 ultrasonic sensors over rivers and streams, 10 min apart, 40 sensor-years): outside of
storms obstructed sensors leap by more than 20 cm 560 times a year, clean ones 18 times; in storms
99.9 % of the steps of clean ones are below 15 cm. On 983 street floods, 1 min apart, the fastest
water rose 22 cm in a minute once it was there, 99.9 % of first wet readings were below 23 cm.
"""

from __future__ import annotations

from typing import Final

import msgspec

FASTEST: Final = {"depth": 0.25 / 60, "level": 1.5 / 60}
"""m/s. `depth`: above the fastest of 983 street floods (0.22 m in a minute). `level`: a surcharged
manhole fills faster, for its shaft is narrow: a 1 m shaft that takes in 20 l/s rises 1.5 m/min."""
LEAST_LEAP: Final = 0.05
"""Metres: below it no step is a leap (waves, ripples, three times the error of an ultrasonic
head)."""
NOISE_TIMES: Final = 12.0
"""A leap is this many times the usual step (as the screen at the edge counts it)."""
SHORTEST_S, LONGEST_S = 60.0, 900.0
"""The time between two reports as far as it counts: within a minute water may come in one wave; of
what was before a longer gap nothing is known."""
BACK: Final = 0.6
"""It came back when this share of the leap is gone in one report."""
BLIP_HALF_S: Final = 3 * 86400.0
"""A blip counts half after three days: somebody cleaned the head, or the branch was washed away."""
DOUBTED: Final = 1.5
"""Blips lately (faded) from which on a sensor is doubted: two in a day and a half."""
SMOOTH: Final = 6
"""Reports in a row in small steps that a doubted sensor's leap needs to be believed ..."""
MOVED_TIMES: Final = 4.0
"""... and how many usual steps it must have moved meanwhile: debris lies still."""
ADOPT_S: Final = 86400.0
"""Seconds after which a level is what it is, whatever brought it."""

_FADE: Final = 0.05
_STILLEST: Final = 0.001

WATER: Final = 0
"""Water can do that."""
HELD: Final = 1
"""Doubtful: no reason to warn on its own."""


def calmed(noise: float, size: float) -> tuple[float, float]:
    """(usual step, what is no leap) after one more step of that size, which is no leap."""
    most = 3.0 * noise
    noise += _FADE * ((size if size < most else most + _STILLEST) - noise)
    small = NOISE_TIMES * noise
    return noise, small if small > LEAST_LEAP else LEAST_LEAP


class Surface(msgspec.Struct):
    """What is believed of one water surface, from one metric of one sensor. Times are epoch
    seconds, heights metres. Part of a detector's state; bounded."""

    t: float = 0.0
    v: float | None = None
    """The newest reading that was believed."""
    noise: float = 0.0
    """The usual step from one report to the next, each counted at most three times the mean."""
    small: float = LEAST_LEAP
    """What is no leap."""
    blips: float = 0.0
    """Leaps that came back as they came, faded."""
    blip_at: float = 0.0
    leap: float = 0.0
    """Size of the last leap (up: positive), 0 when it was forgotten ..."""
    leap_at: float = 0.0
    """... and when it was."""
    reports: int = 0
    """Readings held so far; 0: none is."""
    held: float = 0.0
    """The newest one held."""
    smooth: int = 0
    """Small steps in a row among them ..."""
    from_: float = 0.0
    """... since this height."""

    def fold(self, t: float, v: float, fastest: float) -> int:
        """Take one reading: WATER or HELD. `fastest` in m/s, `FASTEST[metric]`.

        Costs 0.3 µs when nothing leaps. Readings that the screen marked out of range or stuck
        should not be given; gaps and irregular reports are normal.
        """
        last = self.v
        if last is None:
            self.t, self.v = t, v
            return WATER
        size = v - last if v >= last else last - v
        if size <= self.small and not self.reports:
            self.noise, self.small = calmed(self.noise, size)
            self.t, self.v = t, v
            return WATER
        return self._follow(t, v, last) if self.reports else self._leaps(t, v, last, fastest)

    def calm(self, t: float, v: float, step: float, count: int) -> None:
        """Take `count` readings at once, none of them a leap or held: the newest is (t, v), their
        mean step is `step`."""
        most = 3.0 * self.noise
        step = step if step < most else most + _STILLEST
        self.noise += (step - self.noise) * (1.0 - (1.0 - _FADE) ** count)
        small = NOISE_TIMES * self.noise
        self.small = small if small > LEAST_LEAP else LEAST_LEAP
        self.t, self.v = t, v

    def doubted(self, t: float) -> bool:
        """Whether this sensor leapt to and fro lately: something lies or hangs under its head."""
        return self.blips_now(t) >= DOUBTED

    def blips_now(self, t: float) -> float:
        """Leaps that came back as they came, each counting half after `BLIP_HALF_S`."""
        if not self.blips:
            return 0.0
        return float(self.blips * 0.5 ** (max(t - self.blip_at, 0.0) / BLIP_HALF_S))

    def _leaps(self, t: float, v: float, last: float, fastest: float) -> int:
        step = v - last
        undone = self.leap * step < 0 and t - self.leap_at < ADOPT_S
        if undone and abs(step) >= BACK * abs(self.leap):
            self._blip(t)
            self.leap = 0.0
            self.t, self.v = t, v
            return WATER  # it is back where it was
        if step > 0:
            # a sensor that was doubted before must show that this is water
            waited = min(max(t - self.t, SHORTEST_S), LONGEST_S)
            if step > fastest * waited or self.doubted(t):
                self.reports, self.held, self.smooth, self.from_ = 1, v, 0, v
                self.leap, self.leap_at = step, t
                return HELD
        self.leap, self.leap_at = step, t
        self.t, self.v = t, v
        return WATER

    def _follow(self, t: float, v: float, last: float) -> int:
        if v - last <= max((1.0 - BACK) * self.leap, self.small):
            self._blip(t)
            return self._believe(t, v)
        step = v - self.held
        self.reports += 1
        self.held = v
        if abs(step) <= self.small:
            self.smooth += 1
        else:
            self.smooth, self.from_ = 0, v
        if not self.doubted(t):
            return self._believe(t, v)
        moved = abs(v - self.from_) > MOVED_TIMES * max(self.noise, _STILLEST)
        if (self.smooth >= SMOOTH and moved) or t - self.leap_at >= ADOPT_S:
            return self._believe(t, v)
        return HELD

    def _believe(self, t: float, v: float) -> int:
        if self.v is not None and v - self.v <= self.small:
            self.leap = 0.0
        self.reports = 0
        self.t, self.v = t, v
        return WATER

    def _blip(self, t: float) -> None:
        self.blips = self.blips_now(t) + 1.0
        self.blip_at = t
