"""A bang stands out from what is usually heard at a place: told as evidence for other things.

From clips (10 ms, onset to a millisecond) and from the metric `sound_level` of sound level meters
(as fine as they report). On beds of city sound a 10 dB rise comes some 800 times an hour without
anything having happened: nobody is sent for it, the router weighs it (see its `ears`). Only
loudness is worked out; what was said is neither kept nor looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import City
from contracts.clock import EPOCH, iso
from contracts.detector import Site, Spec
from contracts.event import Event
from contracts.nouns import Quality, Reading, Sound
from detectors._common.episode import Ledger, revise
from detectors.loud_sound.loudness import (
    MEDIAN_EVERY,
    STEP_S,
    Sounding,
    levels,
    onset_in,
    prominence,
)

KIND = "loud_sound"
METRIC = "sound_level"
HEARING = ("camera", "microphone", "sound", "acoustic", "noise")
"""Types of device that may send sound."""

STEP = round(STEP_S * 1e6)
AGAIN = 20
"""Steps: above the median of this last fifth of a second, a bang stands out of a sound that was
going on already ..."""
ECHO_DB = 6.0
"""... and is no echo of the bang before, which never comes louder; so much louder, at any time."""
WRONG = Quality.STUCK | Quality.OUT_OF_RANGE


class LoudSoundConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands out. Levels in dB, times in seconds."""

    over_db: float = 10.0
    """Above the median of the last `median_s`. Measured on city beds: finds all events at 20 dB
    above the bed, 84 % at 10 dB, with 818 onsets an hour in which nothing happened."""
    fall_db: float = 5.0
    """It is over when it was less than this above the median ..."""
    merge_s: float = 0.5
    """... for this long: echoes between walls 80 m apart come within it."""
    median_s: float = 5.0
    """Over which the median is taken ..."""
    least_s: float = 1.5
    """... and what must have been heard before anything stands out."""
    longest_s: float = 5.0
    """A sound that lasts longer is no bang any more; it is told then, and once."""
    gap_s: float = 300.0
    """After a longer pause between clips, what was heard before says nothing."""
    reading_over_db: float = 12.0
    """Rise of the metric `sound_level` above the median of the last readings: they are averages,
    so a bang that raises one by this is louder than one in a clip."""
    readings: int = 15
    """How many readings that median is taken of; a third of them must be there."""
    wait_s: float = 15.0
    """A bang that a clip breaks off is told this long after its receipt, if no clip follows."""
    full_scale_dba: dict[str, float] = {}
    """Sound level (dB(A)) of a full-scale sine at a calibrated device, by id: with it `level` is
    told in dB(A)."""
    severity: int = 1
    """Severity of a loud sound (1 to 5)."""


class State(msgspec.Struct):
    """All state of one device."""

    ledger: Ledger = msgspec.field(default_factory=Ledger)
    heard: bytes = b""
    """Levels of the last seconds, float32, oldest first."""
    until: int = -1
    """End of the newest clip, µs."""
    received: datetime | None = None
    sounding: Sounding | None = None
    meter: list[tuple[datetime, float]] = []
    """Last readings of `sound_level`."""
    raised: bool = False
    """The last reading was loud already."""


def sites(city: City, _cfg: LoudSoundConfig) -> Iterable[Site]:
    """One site per device that may send sound, or that reports `sound_level`."""
    for id, device in sorted(city.devices.items()):
        kind = device.type.lower()
        if METRIC in device.metrics or any(word in kind for word in HEARING):
            yield Site(id=id, district=device.district, point=device.point, devices=(device,))


class LoudSound:
    """Listens to one device."""

    def __init__(self, cfg: LoudSoundConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg, self._site = cfg, site
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State) if snapshot is not None else State()
        )
        self._most = round(cfg.median_s / STEP_S)

    def on_item(self, item: Sound | Reading, /) -> Iterable[Event]:
        """Fold one clip or one reading of the sound level."""
        return self._reading(item) if isinstance(item, Reading) else self._sound(item)

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """No clip follows: what was broken off is told."""
        wanted = self.wake_at()
        if wanted is None or now < wanted:
            return []
        return [self._told()]

    def wake_at(self) -> datetime | None:
        """When a bang that a clip broke off is told."""
        state = self._state
        if state.sounding is None or state.received is None:
            return None
        return state.received + timedelta(seconds=self._cfg.wait_s)

    def snapshot(self) -> bytes:
        """All state as msgpack: five seconds of loudness, no sound."""
        return msgspec.msgpack.encode(self._state)

    # --- clips --------------------------------------------------------------------------------

    def _sound(self, item: Sound) -> list[Event]:
        state, cfg = self._state, self._cfg
        begin = (item.at - EPOCH) // timedelta(microseconds=1)
        samples = item.samples
        if begin < state.until:  # what was heard already is not heard again
            skip = round((state.until - begin) * item.rate_hz / 1e6)
            begin += round(skip * 1e6 / item.rate_hz)
            samples = samples[skip:]
        loud = levels(samples, item.rate_hz)
        if not len(loud):
            return []
        out: list[Event] = []
        gap = begin - state.until if state.until >= 0 else 0
        if state.sounding is not None and gap > cfg.merge_s * 1e6:
            out.append(self._told())
        if gap > cfg.gap_s * 1e6:
            state.heard = b""
        before = np.frombuffer(state.heard, np.float32)
        out.extend(self._steps(before, loud, samples, item.rate_hz, begin))
        state.heard = np.concatenate([before, loud])[-self._most :].tobytes()
        state.until = begin + round(len(samples) * 1e6 / item.rate_hz)
        state.received = item.received_at
        return out

    def _steps(
        self,
        before: NDArray[np.float32],
        loud: NDArray[np.float32],
        samples: NDArray[np.float32],
        rate_hz: float,
        begin: int,
    ) -> Iterable[Event]:
        state, cfg = self._state, self._cfg
        every = np.concatenate([before, loud])
        least = round(cfg.least_s / STEP_S)
        count = round(rate_hz * STEP_S)
        median = 0.0
        for step in range(len(loud)):
            place = len(before) + step
            if step % MEDIAN_EVERY == 0:
                known = every[max(0, place - self._most) : place]
                median = float(np.median(known)) if len(known) >= least else 0.0
            level = float(loud[step])
            one = state.sounding
            end = begin + (step + 1) * STEP
            below = median
            if one is not None:
                below = max(one.median, float(np.median(every[max(0, place - AGAIN) : place])))
                echo = end - one.onset < cfg.merge_s * 1e6 and level < one.level + ECHO_DB
                if not echo and level >= below + cfg.over_db:
                    yield self._told()
                    one = None
            if one is None:
                if median >= 0 or level < below + cfg.over_db:
                    continue
                onset = onset_in(samples, rate_hz, step, below, level)
                state.sounding = one = Sounding(
                    begin + round(onset * 1e6), below, end, end - STEP, level, -99.0, 0.0, 0
                )
            if level >= one.median + cfg.fall_db:
                one.last = end
                if level > one.level:
                    one.level, one.peak_at = level, end - STEP
                piece = samples[step * count : (step + 1) * count]
                top = float(np.max(np.abs(piece))) if len(piece) else 0.0
                one.peak = max(one.peak, 20 * float(np.log10(max(top, 1e-5))))
                one.energy += 10 ** (level / 10)
                one.steps += 1
            quiet = end - one.last >= cfg.merge_s * 1e6
            if quiet or end - one.onset >= cfg.longest_s * 1e6:
                yield self._told()

    def _told(self) -> Event:
        state, cfg = self._state, self._cfg
        one, state.sounding = state.sounding, None
        assert one is not None
        over = one.level - one.median
        rise = max(one.peak_at - one.onset, 0) / 1e6 + STEP_S
        full = cfg.full_scale_dba.get(self._site.id)
        shift = full + 3.0 if full is not None else 0.0  # a full sine has -3 dB
        mean = 10 * float(np.log10(one.energy / one.steps)) if one.steps else one.level
        evidence: dict[str, Any] = {
            "onset": iso(_moment(one.onset)),
            "onset_sd_s": 0.01,
            "level": round(one.level + shift, 1),
            "median": round(one.median + shift, 1),
            "unit": "dB(A)" if full is not None else "dB below full scale, A-weighted",
            "over_db": round(over, 1),
            "peak_dbfs": round(one.peak, 1),
            "duration_s": round((one.last - one.onset) / 1e6, 2),
            "rise_s": round(rise, 3),
            "mean_under_peak_db": round(one.level - mean, 1),
            "prominence": round(prominence(over, rise, over), 1),
            "source": "clip",
        }
        return self._event(_moment(one.onset), evidence)

    # --- readings -----------------------------------------------------------------------------

    def _reading(self, item: Reading) -> list[Event]:
        state, cfg = self._state, self._cfg
        if item.metric != METRIC or item.quality & WRONG or not np.isfinite(item.value):
            return []
        if state.meter and item.at <= state.meter[-1][0]:
            return []
        before = state.meter
        state.meter = [*before[1 - cfg.readings :], (item.at, item.value)]
        if 3 * len(before) < cfg.readings:
            return []
        if (item.at - before[-1][0]).total_seconds() > cfg.gap_s:
            state.meter, state.raised = state.meter[-1:], False
            return []
        median = float(np.median([value for _, value in before]))
        over = item.value - median
        was, state.raised = state.raised, over >= cfg.reading_over_db
        if was or not state.raised:
            return []
        times = itertools.pairwise(at for at, _ in state.meter)
        period = float(np.median([(b - a).total_seconds() for a, b in times]))
        evidence: dict[str, Any] = {
            "onset": iso(item.at),
            "onset_sd_s": round(max(0.01, period / 2), 2),
            "level": round(item.value, 1),
            "median": round(median, 1),
            "unit": "dB(A)",
            "over_db": round(over, 1),
            "peak_dbfs": None,
            "duration_s": None,
            "rise_s": None,
            "mean_under_peak_db": None,
            "prominence": None,
            "source": METRIC,
        }
        return [self._event(item.at, evidence)]

    def _event(self, onset: datetime, evidence: dict[str, Any]) -> Event:
        return revise(
            self._state.ledger.open(KIND, self._site.id, onset),
            kind=KIND,
            site=self._site.id,
            device=self._site.devices[0].id,
            point=self._site.point,
            severity=self._cfg.severity,
            evidence=evidence,
            closed=True,
        )


def _moment(t: int) -> datetime:
    return EPOCH + timedelta(microseconds=t)


SPEC = Spec(
    kind=KIND,
    consumes=(Sound, Reading),
    metrics=frozenset({METRIC}),
    config=LoudSoundConfig,
    sites=sites,
    build=LoudSound,
)
