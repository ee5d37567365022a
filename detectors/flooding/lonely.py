"""Flooding at one level sensor without any line: high beyond what is usual there, beyond doubt.

Nothing says at which height its water does harm, so it is told as less severe than water over a
line, never forecast, and only when it is sure (`detectors.flooding.usual`). As soon as the city
gives the sensor a line, `Flooding` takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Reading
from detectors._common.episode import Episode, Ledger
from detectors.flooding.config import FloodingConfig
from detectors.flooding.together import ALONE, CALM, STORM, Together
from detectors.flooding.told import FAULTY, KIND, curve, revision
from detectors.flooding.usual import HIGH, HOUR_S, LEAP_SHARE, Usual

METRIC: Final = "level"
SEVERITY: Final = 2
"""One below water over a warning line: nobody knows what stands in this water."""
SEVERITY_LEARNING: Final = 1
LET_GO: Final = 0.5
"""Over once this share of the peak above the usual height is gone ..."""
HOLD_S: Final = 6 * HOUR_S
"""... for this long: showers of one storm come in waves hours apart."""
RECEDED: Final = 0.25
"""Receding once this share of the peak above the usual height is gone."""
GREW: Final = 1.5
"""A peak this many times the one told last is worth a revision."""


class Open(msgspec.Struct):
    """What an open episode remembers. Heights in metres, times in epoch seconds."""

    episode: Episode
    began: float
    level: float
    """The usual height when it opened."""
    gate: float
    came: float
    """Risen in the twelve hours before it was sure."""
    learning: bool
    peak: float
    told: float
    """The peak told last."""
    stage: str = "observed"
    around: int = ALONE
    """What the town's other sensors told when it opened."""
    quiet_since: float | None = None
    leapt: bool = False
    """It went down in one leap, as no water does."""


class State(msgspec.Struct):
    """All state of one sensor."""

    ledger: Ledger
    usual: Usual
    now: Open | None = None
    rain: float | None = None
    flow: float | None = None
    heard: datetime | None = None
    """Receipt of the newest reading while an episode is open."""


class Lonely:
    """Folds one device's levels; the site's other devices are rain gauges near it, and what the
    town's other sensors tell comes through `together`. `state` goes on from there if there is one.

    Stages: observed → receding → closed.
    """

    def __init__(
        self, cfg: FloodingConfig, site: Site, state: State | None, together: Together
    ) -> None:
        self._cfg = cfg
        self._site = site
        self._own = site.devices[0].id
        self._together = together
        self.state = self._state = state if state is not None else State(Ledger(), Usual())
        self._state.usual.rise_m = cfg.unusual_m

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Fold one reading."""
        if item.quality & FAULTY:
            return ()
        state = self._state
        if item.metric != METRIC or item.device != self._own:
            if item.metric == "rain_rate":
                state.rain = item.value
                state.usual.rain(item.at.timestamp(), item.value)
            elif item.metric == "flow" and item.device == self._own:
                state.flow = item.value
            return ()
        t = item.at.timestamp()
        usual, together = state.usual, self._together
        if state.now is not None:
            state.heard = item.received_at
            events = self._follow(t, item.value)
            together.hear(self._own, t, item.received_at.timestamp(), usual.risen)
            return events
        around = together.weather(self._own, t)
        says = usual.fold(t, item.value, alarmed=False, around=around)
        together.hear(self._own, t, item.received_at.timestamp(), usual.risen)
        if says != HIGH:
            return ()
        return (self._open(item, t, around),)

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Nothing was heard for too long: the episode ends as unknown."""
        return (self._close("no_reading"),) if self._state.now is not None else ()

    def wake_at(self) -> datetime | None:
        """When an open episode without readings is given up."""
        if self._state.now is None or self._state.heard is None:
            return None
        return self._state.heard + timedelta(seconds=self._cfg.forget_s)

    def _open(self, item: Reading, t: float, around: int) -> Event:
        state, usual = self._state, self._state.usual
        came, learning = usual.came(t, item.value), usual.learning
        state.now = Open(
            state.ledger.open(KIND, self._site.id, item.at),
            t,
            usual.expected,
            usual.rise_m if around == STORM and not learning else usual.gate,
            came,
            learning,
            item.value,
            item.value,
            around=around,
        )
        state.heard = item.received_at
        return self._revise()

    def _follow(self, t: float, v: float) -> Iterable[Event]:
        usual, now = self._state.usual, self._state.now
        assert now is not None
        before = usual.tail[-1][1]
        usual.fold(t, v, alarmed=True)
        now.peak = max(now.peak, v)
        high = now.peak - now.level
        base = min(now.level, usual.expected)
        if v - base >= LET_GO * high and v - usual.expected >= LET_GO * now.gate:
            now.quiet_since, now.leapt = None, False
        elif now.quiet_since is None:
            now.quiet_since, now.leapt = t, before - v > LEAP_SHARE * high
        elif t - now.quiet_since >= HOLD_S:
            return (self._close("leapt_back" if now.leapt else "usual"),)
        receded = now.peak - v > RECEDED * high
        if receded != (now.stage == "receding") and (receded or v >= now.peak):
            now.stage = "receding" if receded else "observed"
            return (self._revise(),)
        if now.peak - now.level > GREW * (now.told - now.level):
            return (self._revise(),)
        return ()

    def _close(self, why: str) -> Event:
        now = self._state.now
        assert now is not None
        if why == "leapt_back":
            self._state.usual.blame(now.peak - now.level)
        event = self._revise(closed=why)
        self._state.now, self._state.heard = None, None
        return event

    def _revise(self, closed: str | None = None) -> Event:
        state, usual, now = self._state, self._state.usual, self._state.now
        assert now is not None
        now.told = now.peak
        t, v = usual.tail[-1]
        t0, v0 = usual.tail[max(0, len(usual.tail) - 3)]
        why, why_zh = _words(now, closed, usual.rained(now.began))
        evidence: dict[str, Any] = {
            "value": round(v, 4),
            "metric": METRIC,
            "rate": round((v - v0) / (t - t0), 7) if t > t0 else 0.0,
            "overflow_at": None,
            "stage": "receding" if closed else now.stage,
            "peak": round(now.peak, 4),
            "usual": round(now.level, 4),
            "lines": {
                "warn": round(now.level + now.gate, 4),
                "close": None,
                "usual": round(now.level, 4),
                "source": "usual",
            },
            "learning": now.learning,
            "why": why,
            "why_zh": why_zh,
            "curve": curve(_points(usual)),
            "rain_rate": state.rain,
            "flow": state.flow,
        }
        severity = SEVERITY_LEARNING if now.learning else SEVERITY
        return revision(now.episode, self._site, severity, evidence, closed)


def _points(usual: Usual) -> list[tuple[float, float]]:
    """Two days by the hour, then reading by reading."""
    first = usual.tail[0][0]
    past = [((hour + 0.5) * HOUR_S, low) for hour, low in usual.hours]
    return [p for p in past if p[0] < first] + usual.tail


def _words(now: Open, closed: str | None, rained: bool) -> tuple[list[str], list[str]]:
    """Why, in English and Chinese."""
    high, came = round(100 * (now.peak - now.level)), round(100 * now.came)
    gate = round(100 * now.gate)
    en = [f"the water stands up to {high} cm above what is usual here; {gate} cm and more are not"]
    zh = [f"水位最高超出本处常态 {high} 厘米(超出 {gate} 厘米即为异常)"]
    if now.around == STORM:
        en.append("other level sensors of the town rise with it: rather rain than a disturbance")
        zh.append("本市其他水位传感器同时上涨,更像降雨所致,而非单点干扰")
    else:
        en.append(f"it rose {came} cm within hours, without falling back as a disturbance would")
        zh.append(f"数小时内上涨 {came} 厘米,期间没有像干扰那样突然回落")
    if now.around == CALM:
        en.append("the town's other level sensors are at rest: rather a release or a backwater")
        zh.append("本市其他水位传感器平稳,更像放水或局部壅水")
    en.append(
        "no line is known for this sensor (warn_m, close_m): whether this does harm, nobody has "
        "said, and when it will cannot be foretold"
    )
    zh.append("该传感器未设警戒线(warn_m、close_m):是否成灾尚无依据,也无法提前预报")
    if rained:
        en.append("it has rained here")
        zh.append("本处有降雨")
    if now.learning:
        en.append("this sensor is known for less than a day: still learning what is usual")
        zh.append("该传感器接入不足一天,仍在学习常态水位")
    if closed == "leapt_back":
        en.append("it went down in one leap: rather something under the sensor than water")
        zh.append("水位一次性骤降:更像传感器下方有异物,而非积水")
    if closed == "no_reading":
        en.append("nothing was heard any more")
        zh.append("此后没有收到读数")
    return en, zh
