"""One metric of one device: its usual step, run and rhythm, so that what is unusual stands out.

`fold` is what every reading costs; it says what is worth a closer look and nothing else.
"""

from __future__ import annotations

import math

import msgspec

from detectors.sensor_faulty.metrics import Metric

OUT, SAME, STEP, GAP, BLOCK = 1, 2, 4, 8, 16
"""What a reading shows: out of range; the same value for long; a leap (or one is being followed);
reports are missing before it; a quarter of an hour is complete."""

DRY, UNKNOWN, WET = 0, 1, 2

FADE = 0.05
NOISE_TIMES = 12.0
"""A step is a leap when it is this many times the usual one (as the screen at the edge has it)."""
STILLEST = 0.0005
WARM = 10
"""Reports before anything is unusual."""
LEAST_RUN = 8
"""A run of equal values shorter than this is never looked at ..."""
RUN_TIMES = 2.5
"""... nor one that is not so many times the longest before it ..."""
EVERY = 2
"""... and then only at every other reading."""
LATE = 1.6
"""A report is missing when the next comes after this many periods."""
BLOCK_S = 900.0
STUCK_LEARNT = 0.2
"""Share of a run told as stuck that counts as habit: one that comes every night is told once."""
WILD_HALF_S = 10800.0
LEAPT_HALF_S = 21600.0
TUNES = 64
"""Readings after which it is settled anew what is no leap, and what no gap."""
FOLLOWED = 24
"""Readings after a leap that are remembered."""
RHYTHMS = 3
"""Gaps of the same length in a row after which they are the device's rhythm."""


class Leap(msgspec.Struct):
    """A leap that is being followed: did it come back, does it stay, does it move?"""

    from_: float
    to: float
    t: float
    """Time of the first reading after it."""
    values: list[float] = []
    """Readings since, at most `FOLLOWED`."""
    step: float = 0.0
    """The usual step before it."""
    wet: int = 0
    """DRY; UNKNOWN, with neither gauge nor neighbour; WET: it rained or neighbours rose."""
    told: bool = False


class Channel(msgspec.Struct):
    """State of one metric. Times are epoch seconds."""

    t: float
    v: float
    """Newest reading."""
    before: float
    """The one before it."""
    run_at: float
    """Since when the value is the same."""
    seen: int = 1
    step: float = 0.0
    """The usual step, each counted at most three times the mean."""
    small: float = math.inf
    """What is no leap."""
    grain: float = math.inf
    """The smallest step seen: what the instrument resolves."""
    run: int = 1
    """Readings of the same value so far."""
    longest: float = 1.0
    """The longest of them, faded."""
    worth: float = LEAST_RUN
    """How long a run must be to be worth a look."""
    freed: float = 0.0
    """When it last said something else after it was stuck."""
    stuck: bool = False
    """Whether this run was told as stuck: it is no habit."""
    registered: float = 0.0
    """Seconds between reports as registered; 0: nobody said."""
    period: float = 0.0
    """Usual seconds between reports."""
    patience: float = math.inf
    """A longer gap is worth a look."""
    gap: float = 0.0
    """The newest gap ..."""
    left: float = 0.0
    """... and when it began."""
    gaps: int = 0
    """Gaps of that length in a row."""
    leap: Leap | None = None
    leapt: float = 0.0
    """All leaps lately (faded) ..."""
    leapt_at: float = 0.0
    """... and when the last was."""
    wild: float = 0.0
    """Leaps lately (faded) that neither came back as they came nor stayed: pumps, waves ..."""
    wild_at: float = 0.0
    """... and when the last was."""
    outs: int = 0
    """Readings out of range in a row ..."""
    out_at: float = 0.0
    """... and when the first was received."""
    block_end: float = 0.0
    block_sum: float = 0.0
    block_n: int = 0
    tuned: int = 0
    """`seen` when it was last settled what is no leap and what no gap."""
    low: float = math.inf
    high: float = -math.inf
    """A reading from `low` to below `high`, ..."""
    newest: float = 0.0
    """... no later than usual after `newest` and before the quarter of an hour is over, is put
    aside ..."""
    waiting: list[tuple[float, float]] = []
    """... here."""

    def absorb(self) -> int:
        """Take what was put aside: no leap, none out of range, none late. SAME, or 0."""
        waiting, step, run, grain = self.waiting, self.step, self.run, self.grain
        before, v = self.before, self.v
        for t, new in waiting:
            before = v
            v = new
            if v == before:
                run += 1
                continue
            if run > 1:
                self.run, self.step = run, step
                self._run_ends(t)
                run, step = 1, self.step
            self.run_at = t
            size = v - before if v > before else before - v
            if size < grain:  # noqa: PLR1730 - a call costs more than all the rest
                grain = size
            if size > 3.0 * step:
                size = 3.0 * step if 3.0 * step > grain else grain
            step += FADE * (size - step)
        count, t = len(waiting), waiting[-1][0]
        self.period += ((t - self.t) / count - self.period) * (1.0 - (1.0 - FADE) ** count)
        self.step, self.run, self.grain = step, run, grain
        self.before, self.v, self.t = before, v, t
        self.block_sum += sum([v for _, v in waiting])
        self.block_n += count
        self.seen += count
        self.waiting = []
        return SAME if run >= self.worth else 0

    def settle(self, metric: Metric) -> None:
        """Say which of the next readings may be put aside."""
        if self.leap is not None or self.seen <= WARM:
            self.low, self.high = math.inf, -math.inf
            return
        low, high = metric.low, metric.high
        if metric.leap is not None:  # no two of them are a leap apart
            low, high = max(low, self.v - 0.5 * self.small), min(high, self.v + 0.5 * self.small)
        self.low, self.high, self.newest = low, high, self.t

    def fold(self, t: float, v: float, metric: Metric) -> int:
        """Take one reading; the flags of what it shows, 0 when all is as usual."""
        gap = t - self.t
        self.t = t
        up = 0
        if gap > self.patience:
            up = GAP
            self.left = t - gap
        elif self.seen > WARM:
            self.period += FADE * (gap - self.period)
        if not metric.low <= v <= metric.high:
            return up | OUT
        before = self.v
        self.before, self.v = before, v
        if v == before:
            self.run += 1
            if self.run >= self.worth and not self.run % EVERY:
                up |= SAME
        else:
            if self.run > 1:
                self._run_ends(t)
            self.run_at = t
            size = v - before if v > before else before - v
            if size < self.grain:  # noqa: PLR1730 - a call costs more than all the rest
                self.grain = size
            if size > self.small:
                up |= STEP
            else:
                step = self.step
                if size > 3.0 * step:  # one wild step does not make it noisy; one grain may
                    size = max(3.0 * step, self.grain)
                self.step = step + FADE * (size - step)
        if self.leap is not None:
            up |= STEP
        if t >= self.block_end:
            up |= BLOCK
        else:
            self.block_sum += v
            self.block_n += 1
        self.seen += 1
        if self.seen <= WARM or self.seen >= self.tuned + TUNES:
            self._tune(gap, metric)
        return up

    def next_block(self) -> tuple[float, int]:
        """(mean, readings) of the quarter of an hour that is complete; begins the next."""
        n = self.block_n
        mean = self.block_sum / n if n else self.v
        self.block_end = (self.t // BLOCK_S + 1) * BLOCK_S
        self.block_sum, self.block_n = self.v, 1
        return mean, n

    def wilds(self, t: float) -> float:
        """Wild leaps, each counting half after `WILD_HALF_S`."""
        return self.wild * 0.5 ** ((t - self.wild_at) / WILD_HALF_S) if self.wild else 0.0

    def leaps(self) -> None:
        """Another leap begins."""
        self.leapt = self.leaps_now() + 1.0
        self.leapt_at = self.t

    def leaps_now(self) -> float:
        """Leaps, each counting half after `LEAPT_HALF_S`."""
        return self.leapt * 0.5 ** ((self.t - self.leapt_at) / LEAPT_HALF_S) if self.leapt else 0.0

    def goes_wild(self) -> None:
        """Another one."""
        self.wild = self.wilds(self.t) + 1.0
        self.wild_at = self.t

    def rhythm(self, gap: float) -> bool:
        """Whether gaps of this length are the device's rhythm by now, rather than missing reports.
        Where one is registered, that takes longer: every other report may be missing."""
        self.gaps = self.gaps + 1 if abs(gap - self.gap) <= 0.2 * gap else 1
        self.gap = gap
        if self.gaps < (4 * RHYTHMS if self.registered else RHYTHMS):
            return False
        self.period, self.gaps = gap, 0
        self.patience = LATE * gap
        return True

    def _run_ends(self, t: float) -> None:
        run, self.run = self.run, 1
        if self.stuck:
            self.stuck, self.freed = False, t
            self.longest = max(self.longest, STUCK_LEARNT * run)
            return
        self.step *= (1.0 - FADE) ** (run - 1)
        self.longest = max(0.995 * self.longest, float(run))

    def _tune(self, gap: float, metric: Metric) -> None:
        seen = self.tuned = self.seen
        if seen == 2:
            self.period = gap
            self.step = abs(self.v - self.before)
        elif seen <= WARM:
            # the mean of the first ones, so that the first of all does not rule
            self.period += (gap - self.period) / seen if gap < 3 * self.period else 0.0
            self.step += (abs(self.v - self.before) - self.step) / seen
        if seen < WARM:
            return
        self.step = max(self.step, STILLEST if metric.leap is not None else 0.0)
        if metric.leap is not None:
            self.small = max(metric.leap, NOISE_TIMES * self.step)
        self.patience = LATE * max(self.period, self.registered)
        if not metric.wet:  # a gauge says zero for days, and its error codes are to be seen
            self.worth = max(LEAST_RUN, RUN_TIMES * self.longest)
