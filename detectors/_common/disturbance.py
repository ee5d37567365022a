"""What a disturbance record says of a line: which phases were lost, when, for how long.

Root mean square over one cycle as in IEC 61000-4-30, sliding; a dip ends 2 % above where it began
(the standard's hysteresis). What is usual is what stood before the trigger.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.clock import iso
from contracts.comtrade import Disturbance, Wave, read_record
from contracts.errors import Permanent
from contracts.nouns import Record

HYSTERESIS: Final = 0.02
COARSE: Final = 4.0
"""With fewer samples a cycle than these, values are taken as root mean squares themselves."""
LEAST_V: Final = 1.0
"""A channel below this before the trigger was dead, or is a residual voltage: it loses nothing."""
WHOLE: Final = 0.3
"""All voltages between phases below this share: all three phases; above, one that floats."""
ZONE: Final = timedelta(minutes=15)
"""Zones differ from UTC by multiples of this."""
FARTHEST: Final = timedelta(hours=14)
MOST_DIPS: Final = 32


class Dip(msgspec.Struct, frozen=True):
    """A stretch of one channel below a share of its usual value."""

    at_s: float
    """Since the first sample."""
    lasted_s: float | None
    """None: to the record's end."""
    least: float
    """Smallest share of the usual value."""


class Channel(msgspec.Struct, frozen=True):
    """One voltage or current, judged."""

    name: str
    phase: str
    kind: str
    group: str
    usual: float
    """Root mean square before the trigger (volts, amperes)."""
    dips: tuple[Dip, ...]


class Lost(msgspec.Struct, frozen=True):
    """Phases that a record shows as lost."""

    phases: str
    """Of `abc`."""
    of: str
    """Phases that were measured there."""
    at: datetime
    """When the first of them fell, to about a cycle (UTC)."""
    lasted_s: float | None
    """Until the last of them was back; None: not within the record."""
    least: float
    """Smallest share of the usual voltage."""
    usual_v: float
    group: str
    """The channels' name, the phase's letter as `*`."""
    record_s: float
    """How long the record goes on after `at`."""

    def told(self) -> dict[str, Any]:
        """For an event's evidence."""
        return {
            "phases": self.phases,
            "of": self.of,
            "at": iso(self.at),
            "lasted_s": None if self.lasted_s is None else round(self.lasted_s, 3),
            "record_s": round(self.record_s, 3),
            "least": round(self.least, 3),
            "usual_v": round(self.usual_v, 1),
            "channels": self.group,
        }


def lost_in(record: Record, share: float = 0.6) -> Lost | None:
    """Which phases fell below that share of their usual voltage; None: none did, or nobody can
    read it (such a record is refused where it is taken in)."""
    try:
        found = read_record(record.data)
    except Permanent:
        return None
    return what_it_says(found, began_at(found, record.at), share)


def began_at(found: Disturbance, at: datetime) -> datetime:
    """The time of the first sample (UTC), `at` being the time the record came with.

    Recorders write local time and, before 2013, not which: of the zones the one is taken that
    brings the trigger nearest to `at`. A recorder whose clock is further off than any zone is not
    believed: then its trigger was at `at`.
    """
    trigger, told = at, found.triggered
    if told is not None and abs(told - at) <= FARTHEST:
        trigger = told if found.zoned else told - round((told - at) / ZONE) * ZONE
    return trigger - timedelta(seconds=found.trigger_s or 0.0)


def what_it_says(found: Disturbance, began: datetime, share: float = 0.6) -> Lost | None:
    """Of all groups of voltages the one that lost most, `began` being its first sample's time."""
    groups: dict[str, list[Channel]] = {}
    for channel in judged(found, share, kinds=("voltage",)):
        if channel.phase != "n" and channel.usual >= LEAST_V:
            groups.setdefault(channel.group, []).append(channel)
    best: Lost | None = None
    for group, channels in groups.items():
        lost = _of_group(group, channels, began, float(found.times[-1]))
        if lost is not None and (best is None or _weight(lost) > _weight(best)):
            best = lost
    return best


def judged(
    found: Disturbance, share: float, kinds: Sequence[str] = ("voltage", "current")
) -> list[Channel]:
    """Every channel of those kinds with its usual value and its dips below that share."""
    out = []
    for wave in found.waves:
        if wave.kind in kinds:
            size = rms(found, wave)
            usual = _usual(found, size)
            dips = _dips(found.times, size / usual, share) if usual > 0 else ()
            out.append(Channel(wave.name, wave.phase, wave.kind, wave.group, usual, dips))
    return out


def rms(found: Disturbance, wave: Wave) -> NDArray[np.float64]:
    """Root mean square over the cycle before each sample (volts, amperes), shape (samples,); NaN
    where less than half a cycle is known."""
    times, values = found.times, wave.values
    cycle = 1.0 / found.frequency_hz
    steps = np.diff(times, prepend=times[0] - (times[1] - times[0]))
    if float(np.median(steps)) * COARSE > cycle:
        return np.abs(values)
    known = np.isfinite(values)
    weights = np.where(known, steps, 0.0)
    squares = np.concatenate(([0.0], np.cumsum(weights * np.where(known, values, 0.0) ** 2)))
    sums = np.concatenate(([0.0], np.cumsum(weights)))
    # half a step of slack: a cycle's first sample is not lost to rounding
    begin = np.searchsorted(times, times - cycle + 0.5 * steps)
    end = np.arange(1, len(times) + 1)
    spread = sums[end] - sums[begin]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (squares[end] - squares[begin]) / spread
        size: NDArray[np.float64] = np.sqrt(np.maximum(mean, 0.0))
    size[spread < 0.5 * cycle] = np.nan
    return size


def _usual(found: Disturbance, size: NDArray[np.float64]) -> float:
    """What stood before the trigger, at least two cycles of it; else the median of the record."""
    before = size[found.times < (found.trigger_s or 0.0) - 1.0 / found.frequency_hz]
    before = before[np.isfinite(before)]
    known = before if before.size else size[np.isfinite(size)]
    if before.size and found.trigger_s is not None and found.trigger_s < 2 / found.frequency_hz:
        known = size[np.isfinite(size)]
    return float(np.median(known)) if known.size else 0.0


def _dips(times: NDArray[np.float64], shares: NDArray[np.float64], share: float) -> tuple[Dip, ...]:
    dips: list[Dip] = []
    low = np.flatnonzero(shares < share)
    back = np.flatnonzero(shares >= share + HYSTERESIS)
    place = 0
    while place < low.size and len(dips) < MOST_DIPS:
        first = int(low[place])
        k = int(np.searchsorted(back, first))
        last = int(back[k]) if k < back.size else len(times)
        least = float(np.nanmin(shares[first:last]))
        lasted = float(times[last] - times[first]) if last < len(times) else None
        dips.append(Dip(float(times[first]), lasted, least))
        place = int(np.searchsorted(low, last))
    return tuple(dips)


def _of_group(group: str, channels: list[Channel], began: datetime, end_s: float) -> Lost | None:
    dips = {one.phase: one.dips for one in channels if one.dips}
    if not dips:
        return None
    least = min(dip.least for some in dips.values() for dip in some)
    first = min(some[0].at_s for some in dips.values())
    lasting = any(some[-1].lasted_s is None for some in dips.values())
    last = max(some[-1].at_s + (some[-1].lasted_s or 0.0) for some in dips.values())
    between = any(len(one.phase) == 2 for one in channels)
    worst = {phase: min(dip.least for dip in some) for phase, some in dips.items()}
    measured = {one.phase for one in channels}
    return Lost(
        phases=_of_pairs(worst, measured) if between else "".join(sorted(dips)),
        of="".join(sorted(set("".join(measured)))),
        at=began + timedelta(seconds=first),
        lasted_s=None if lasting else last - first,
        least=least,
        usual_v=max(one.usual for one in channels),
        group=group,
        record_s=end_s - first,
    )


def _of_pairs(worst: dict[str, float], measured: set[str]) -> str:
    """Phases out of voltages between them: one that is open drags down the two it is part of."""
    if len(worst) == len(measured) and max(worst.values()) < WHOLE:
        return "abc"
    shared = set.intersection(*(set(pair) for pair in worst))
    return "".join(sorted(shared or set("abc")))


def _weight(lost: Lost) -> tuple[int, bool, float]:
    return len(lost.phases), lost.lasted_s is None, -lost.least
