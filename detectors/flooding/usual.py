"""What is usual at a sensor that has no line: its dry-weather level, learned; and when water is
above it beyond doubt.

Nobody said at which height this sensor's water is a flood. What can be said:

* `level`: the usual height, the median of the last 48 hours. Each hour counts by the lower quarter
  of its readings: what hangs, grows or freezes under an ultrasonic head shortens the echo, so
  nearly all false readings are too high, and the lowest ones are the water.
* `shape`: what the hour of the day adds to it (sewage at breakfast), used only where it explains
  at least `SHAPED` of what the hours differ by.
* `habit`: how far it goes up by itself on an ordinary dry day. A sensor that rises 30 cm every
  other day says nothing by rising 30 cm: what was told as a flood on five days of fourteen without
  rain is a weir, a pump or a branch.
* `spiky`: the share of hours in which it leapt up and back. Such a sensor must stay up longer.

The shape is learned only while no alarm is open, habit and spikes only while it has not rained (as
far as a gauge tells). The level follows everything: what has been up for more than a day is what is
usual now (a sensor that was moved, a river in spring).

Water is HIGH when it has stayed `gate` above its usual height for several reports, came up mostly
within `QUICK_H` hours (a slow rise must reach `SLOW_TIMES` as high), did not fall back in between
as water cannot, and did not come in one leap that no water makes (then it must move like water for
two hours first).

Where the town's other sensors tell a storm (`detectors/flooding/together.py`), the least gate and
one report suffice: a rise that comes with all others needs no proof of its own. Where they tell
that there is none, water must stand twice as high.

Chosen on half of 88 river and stream sensors (10 min apart, two years, kLabUM), reported on the
other half.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Final

import msgspec

from detectors.flooding.together import ALONE, CALM, STORM

HOUR_S: Final = 3600.0
SPACING_S: Final = 280.0
"""Readings closer than this count as one, the newest: what is asked of several readings shall mean
the same whether a sensor reports every minute or every five."""
HOURS: Final = 48
"""Hours that the usual level is the median of."""
HOUR_MOST: Final = 13
"""Readings of an hour, at most (one in `SPACING_S`)."""
TAIL: Final = 19
"""Spaced readings kept."""
DAYS: Final = 14
"""Days that the habit is learned from ..."""
HABIT: Final = 0.7
"""... as this quantile of their highest rises: three ordinary days in ten go higher."""
HABIT_H: Final = 12
"""Hours that such a rise is looked for in."""
HABIT_TIMES: Final = 1.5
"""A rise must be this many times the habitual one."""
QUICK_H: Final = 6
"""A storm's rise is looked for in this many hours ..."""
QUICK_SHARE: Final = 0.9
"""... that must hold this share of the gate, else the rise is slow ..."""
SLOW_TIMES: Final = 4 / 3
"""... and must come this many times as high (20 cm instead of 15): seasons, and a river that
swells for days, give people time."""
RISES: Final = 0.3
"""Water that has not risen by this share of the gate in those hours is on its way down, or was
there before (a gap in the readings): nothing new."""
STAY: Final = 3
"""Reports in a row above the gate."""
STAY_SPIKY: Final = 6
"""The same where it leaps up and back lately."""
SPIKY: Final = 0.05
"""Share of hours with a leap up and back from which on a sensor is spiky ..."""
SPIKY_HOURS: Final = 72.0
"""... averaged over so many hours."""
SPIKE_M: Final = 0.075
"""A leap up and back of less is a ripple (metres)."""
BACK: Final = 0.5
"""Water that lost this share of its height within one report, on its way up, is none: it recedes
slower than it rises."""
LEAP_SHARE: Final = 0.7
"""A rise that owes this share to one report's step came in a leap ..."""
MOVED: Final = 0.1
"""... and must move by this share of its height before it is believed: debris lies still, a wave
goes on rising or recedes."""
LEAP_M: Final = 0.5
"""A step of more (metres) hardly any water makes from one report to the next (of 91 rises in storms
on the tuning half, none did; of the false ones on obstructed sensors, a third) ..."""
LEAP_STAY: Final = 12
"""... so what has one in it must stay for this many reports and move."""
WARM_HOURS: Final = 24
"""Until so many hours are known it is learning, and a rise must be ..."""
COLD_TIMES: Final = 2.0
"""... this many times as high: what the day does by itself is not yet known. In the first hour it
is measured from the sensor's own lowest reading."""
FORGET_H: Final = 7 * 24
"""After a silence this long what was usual is forgotten (hours): somebody may have moved it."""
SHAPED: Final = 0.5
"""The shape of the day is used when it explains this share of what the hours differ by ..."""
SHAPE_DAYS: Final = 3
"""... after this many days ..."""
SHAPE_LEAST_M: Final = 0.03
"""... that differ by this much (mean, metres): three times an ultrasonic head's error."""
SHAPE_MOST_DAYS: Final = 7.0
"""A day's weight in the shape is at least one in this many."""
CALM_TIMES: Final = 2.0
"""Where the town's other sensors are at rest, a rise must be this many times as high (30 cm): what
rises alone is a dam's release, plants, ice or the instrument."""
RISEN_M: Final = 0.1
"""For others a sensor speaks of a storm while it stands this far above its usual height (metres):
two thirds of what is told, and three times an ultrasonic head's error ..."""
RISEN_STAY: Final = 3
"""... for so many reports in a row."""
RAIN_MM_H: Final = 0.2
"""It rains from this rate on (0.1 mm in half an hour: one tip of a usual gauge)."""
RAIN_LASTS_S: Final = 6 * HOUR_S
"""A rise this long after rain is the rain's: longer than small catchments and sewers answer."""

USUAL: Final = 0
"""Nothing above the gate."""
UNSURE: Final = 1
"""Above the gate, not yet beyond doubt."""
HIGH: Final = 2
"""Above the gate beyond doubt."""


class Usual(msgspec.Struct):
    """State of one metric of one sensor. Times are epoch seconds, heights metres, any datum."""

    rise_m: float = 0.15
    """The least gate."""
    expected: float = math.nan
    """The usual height at this hour; NaN before the first reading."""
    gate: float = math.inf
    """Height above `expected` from which on it is not usual."""
    stay: int = STAY
    above: int = 0
    """Spaced readings in a row above the gate."""
    leap: float = 0.0
    """The largest step up among those readings ..."""
    leap_before: float = 0.0
    low: float = 0.0
    high: float = 0.0
    """... and how low and high it has been since."""
    tail: list[tuple[float, float]] = []
    """The last spaced readings."""
    hour: int = -1
    """Hours since 1970 of the readings in `now`."""
    now: list[float] = []
    hours: list[tuple[int, float]] = []
    """(hour, the lower quarter of its readings), the last `HOURS` with readings."""
    flat: list[float] = []
    """The same heights without the shape of the day, sorted."""
    shape: list[float] = []
    """What each of 24 hours of the day (UTC) adds; empty before the first full day."""
    shape_days: int = 0
    unshaped: float = 0.0
    """Mean of what hours differed from their day's middle, lately ..."""
    shapeless: float = 0.0
    """... and what was left of it after the shape known before."""
    shaped: bool = False
    tops: list[float] = []
    """Highest rise of each of the last `DAYS` dry days."""
    top: float = 0.0
    habit: float = 0.0
    spiky: float = 0.0
    rained_at: float = -math.inf
    up: int = 0
    """Spaced readings in a row `RISEN_M` above the usual height."""

    def fold(self, t: float, v: float, alarmed: bool, around: int = ALONE) -> int:
        """Take one reading; USUAL, UNSURE or HIGH. `alarmed`: a flood is open, nothing is learned
        but where the level now is. `around`: what the town's other sensors tell."""
        tail = self.tail
        if len(tail) > 1 and t - tail[-2][0] < SPACING_S:
            tail[-1] = (t, v)
            spaced = False
        else:
            tail.append((t, v))
            spaced = True
            hour = int(t // HOUR_S)
            if hour != self.hour:
                self._turn(hour, alarmed)
            if len(self.now) < HOUR_MOST:
                self.now.append(v)
            if not self.hours:  # the first hour
                self.expected = min(self.now)
            if len(tail) > TAIL:
                del tail[0]
        height = v - self.expected
        self.up = 0 if height < RISEN_M else self.up + spaced
        if height < self.gate and (around != STORM or height < self.rise_m):
            self.above = 0
            self.leap = self.leap_before = 0.0
            return USUAL
        self.above += spaced
        self._move(v, spaced)
        if alarmed:
            return HIGH
        if self.learning:
            around = ALONE
        if around == STORM and self.above:
            return HIGH
        gate = CALM_TIMES * self.gate if around == CALM else self.gate
        return HIGH if self._sure(t, v, gate) else UNSURE

    def rain(self, t: float, rate: float) -> None:
        """What the rain gauge said (mm/h)."""
        if rate >= RAIN_MM_H:
            self.rained_at = t

    def rained(self, t: float) -> bool:
        """It has rained lately, as far as a gauge told."""
        return t - self.rained_at < RAIN_LASTS_S

    @property
    def learning(self) -> bool:
        """Less than a day is known."""
        return len(self.hours) < WARM_HOURS

    @property
    def risen(self) -> bool:
        """It speaks of a storm."""
        return self.up >= RISEN_STAY and not self.learning

    def blame(self, height: float) -> None:
        """What came this high was no water: it is a habit of the sensor's."""
        self.top = max(self.top, height)

    def came(self, t: float, v: float) -> float:
        """Metres it has risen in the last `QUICK_H` hours. The hour just begun counts."""
        since = t / HOUR_S - QUICK_H - 1
        lows = [low for hour, low in self.hours[-QUICK_H:] if hour >= since]
        return v - min(lows, default=self.expected)

    def _move(self, v: float, spaced: bool) -> None:
        """Follow the water above the gate: its largest step up, and how far it moved since."""
        tail = self.tail
        step = v - tail[-2][1] if len(tail) > 1 else 0.0
        fell = spaced and len(tail) > 2 and -step > BACK * self.leap
        if fell and tail[-2][1] - tail[-3][1] >= self.leap:  # that leap was one false echo
            self.leap = self.leap_before
            self.low = self.high = v
        if spaced:
            self.leap_before = self.leap
        if step > self.leap:
            self.leap = step
            self.low = self.high = v
        self.low = min(self.low, v)
        self.high = max(self.high, v)

    def _sure(self, t: float, v: float, gate: float) -> bool:
        need, rained = self.stay, self.rained(t)
        if rained and need == STAY:
            need -= 1
        if self.above < need:
            return False
        held = [height for _, height in self.tail[-need:]]
        low = min(held)
        above = low - self.expected
        came = self.came(t, low)
        quick = rained or came >= QUICK_SHARE * gate
        if came < RISES * gate or above < (gate if quick else SLOW_TIMES * gate):
            return False
        height = v - self.expected
        if _fall([one[1] for one in self.tail[-self.above - 7 :]]) > BACK * height:
            return False
        if self.leap > LEAP_M and self.above < LEAP_STAY:
            return False
        if self.leap > min(LEAP_M, LEAP_SHARE * height):
            return self.high - self.low >= MOVED * height
        return True

    def _turn(self, hour: int, alarmed: bool) -> None:
        """An hour is over: learn from it, and say what is usual in the next."""
        before, readings = self.hour, self.now
        self.hour, self.now = hour, []
        if hour - before > FORGET_H and before >= 0:
            self._forget()
        elif readings:
            wet = self.rained(hour * HOUR_S)
            low = sorted(readings)[len(readings) // 4]
            if not wet and self.hours:
                self._watch(before, low, readings)
            insort(self.flat, low - self._extra(before))
            self.hours.append((before, low))
            if len(self.hours) > HOURS:
                gone, height = self.hours.pop(0)
                at = bisect_left(self.flat, height - self._extra(gone))
                del self.flat[min(at, len(self.flat) - 1)]
            if hour // 24 != before // 24:
                self._end_day(before // 24, not alarmed and not wet)
        if self.flat:
            self.expected = self.flat[len(self.flat) // 2] + self._extra(hour)
        self.stay = STAY_SPIKY if self.spiky > SPIKY else STAY
        self.gate = max(self.rise_m, HABIT_TIMES * self.habit)
        if self.learning:
            self.gate *= COLD_TIMES

    def _watch(self, hour: int, low: float, readings: list[float]) -> None:
        """How far it went up by itself in this dry hour, and whether it leapt up and back."""
        extra = self._extra(hour)
        lately = [height - self._extra(at) for at, height in self.hours[-HABIT_H + 1 :]]
        self.top = max(self.top, low - extra - min(lately))
        high = max(readings)
        span = high - min(readings)
        leapt = span > SPIKE_M and high - min(readings[readings.index(high) :]) > BACK * span
        self.spiky += (leapt - self.spiky) / SPIKY_HOURS

    def _extra(self, hour: int) -> float:
        return self.shape[hour % 24] if self.shaped else 0.0

    def _end_day(self, day: int, dry: bool) -> None:
        self.tops.append(self.top)
        del self.tops[:-DAYS]
        self.top = 0.0
        self.habit = sorted(self.tops)[min(len(self.tops) - 1, int(HABIT * len(self.tops)))]
        heights = {at % 24: height for at, height in self.hours[-24:] if at // 24 == day}
        if not dry or len(heights) < 20:
            return
        middle = sorted(heights.values())[len(heights) // 2]
        apart = {at: height - middle for at, height in heights.items()}
        share = max(1.0 / (self.shape_days + 1), 1.0 / SHAPE_MOST_DAYS)
        old = self.shape or [0.0] * 24
        self.unshaped += share * (_mean(apart.values()) - self.unshaped)
        left = _mean([value - old[at] for at, value in apart.items()])
        self.shapeless += share * (left - self.shapeless)
        self.shape = [
            base + share * (apart[at] - base) if at in apart else base
            for at, base in enumerate(old)
        ]
        self.shape_days += 1
        shaped = (
            self.shape_days > SHAPE_DAYS
            and self.unshaped >= SHAPE_LEAST_M
            and self.shapeless <= (1.0 - SHAPED) * self.unshaped
        )
        if shaped != self.shaped:  # what it rose by was measured from another height
            self.shaped, self.tops, self.habit = shaped, [], 0.0
        self.flat = sorted(height - self._extra(at) for at, height in self.hours)

    def _forget(self) -> None:
        self.hours, self.flat, self.tops, self.top, self.habit = [], [], [], 0.0, 0.0
        self.shape, self.shape_days, self.unshaped, self.shapeless = [], 0, 0.0, 0.0
        self.shaped, self.spiky, self.expected, self.above, self.up = False, 0.0, math.nan, 0, 0


def _fall(heights: list[float]) -> float:
    """The largest fall from one report to the next, single false echoes left out."""
    calm = heights[:1]
    for before, here, after in zip(heights, heights[1:], heights[2:], strict=False):
        calm.append(min(here, max(before, after)))
    calm.append(heights[-1])
    return max(a - b for a, b in itertools.pairwise(calm))


def _mean(values: Iterable[float]) -> float:
    sizes = [abs(v) for v in values]
    return sum(sizes) / len(sizes)
