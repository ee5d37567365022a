"""The flooding detector: one sensor's water, folded into one episode at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Quality, Reading
from detectors._common.episode import Episode, Ledger
from detectors._common.moment import stamp
from detectors.flooding.around import RAINING_MM_H, STALE_S, TAUS, WATER, Above, Rain
from detectors.flooding.channel import DRY, FORECAST, OBSERVED, Around, Channel
from detectors.flooding.config import FloodingConfig
from detectors.flooding.forecast import Forecast
from detectors.flooding.lines import views_of
from detectors.flooding.told import FAULTY, KIND, curve, revision
from detectors.flooding.words import could, why

SPIKE = int(Quality.SPIKE)
"""Stands on the reading that came back: the one before it was the spike."""
STOPPED = 0.1
"""Rain of five minutes below this share of that of forty has stopped."""


class Open(msgspec.Struct):
    """What an open episode remembers."""

    episode: Episode
    stage: str
    severity: int
    metric: str
    published_at: float
    staged_at: float
    readings: int = 0
    """Readings since the one that opened it."""
    overflow: float | None = None
    """Published forecast, epoch seconds."""


class State(msgspec.Struct):
    """All state of one site."""

    ledger: Ledger
    channels: dict[str, Channel]
    says: dict[str, int] = {}
    now: Open | None = None
    rain: Rain = msgspec.field(default_factory=Rain)
    above: dict[str, Above] = {}
    """Water upstream, by device."""
    flow: float | None = None
    heard: datetime | None = None
    """Receipt of the newest reading."""


class Flooding:
    """Folds one device's readings, and rain and water upstream that tell what is to come.

    Stages: forecast → observed → receding → closed.
    """

    def __init__(self, cfg: FloodingConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg = cfg
        self._site = site
        self._own = site.devices[0].id
        self._views = views_of(site, cfg)
        self._gauges = {d.id for d in site.devices if "rain_rate" in d.metrics}
        self._nearest = next((d.id for d in site.devices if d.id in self._gauges), "")
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger(), {metric: Channel() for metric in self._views})
        )
        self._channels = self._state.channels

    # --- what `ManyFloods` asks about it ------------------------------------------------------

    @property
    def own(self) -> str:
        """The device whose water it watches."""
        return self._own

    @property
    def devices(self) -> Iterable[str]:
        """All that it listens to."""
        return dict.fromkeys(d.id for d in self._site.devices)

    @property
    def gauges(self) -> Iterable[str]:
        """Rain gauges among them."""
        return self._gauges

    @property
    def forget_s(self) -> float:
        """A flood wakes it so long after a reading (seconds)."""
        return self._cfg.forget_s

    @property
    def nearest(self) -> str:
        """The gauge that speaks first; empty: none is registered."""
        return self._nearest

    @property
    def channels(self) -> Mapping[str, Channel]:
        """Its water by metric."""
        return self._channels

    @property
    def above(self) -> Mapping[str, Above]:
        """Water upstream, by device."""
        return self._state.above

    @property
    def open(self) -> bool:
        """Whether a flood is open."""
        return self._state.now is not None

    @property
    def rain(self) -> Rain:
        """What it knows of rain."""
        return self._state.rain

    @rain.setter
    def rain(self, rain: Rain) -> None:
        self._state.rain = rain

    # ------------------------------------------------------------------------------------------

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Fold one reading."""
        state = self._state
        metric, v = item.metric, item.value
        if item.quality & FAULTY:
            return ()
        t = item.at.timestamp()
        if item.device != self._own:
            if metric == "rain_rate":
                state.rain.fold(item.device, t, v, item.device == self._nearest)
            elif metric in WATER and not item.quality & SPIKE:
                self.upstream(item.device).fold(t, v)
            return ()
        channel = self._channels.get(metric)
        if channel is None:
            if metric == "flow":
                state.flow = v
            elif metric == "rain_rate":
                state.rain.fold(item.device, t, v, item.device == self._nearest)
            return ()
        view = self._views[metric]
        if v > view.most:
            return ()
        if item.quality & SPIKE:
            channel.absorb(view, self._cfg)
            channel.forget_newest()
        says = state.says[metric] = channel.take(t, v, view, self._cfg, self._ahead)
        if state.now is None:
            if says == DRY or (view.sewer and says == FORECAST and channel.came_before(t)):
                return ()
            return (self._open(metric, item.at, item.received_at),)
        state.heard = item.received_at
        state.now.readings += 1
        if item.quality & SPIKE and state.now.readings == 1 and says == DRY:
            return (self._close("spike"),)
        return self._follow(t)

    def upstream(self, device: str) -> Above:
        """What it knows of the water there."""
        above = self._state.above.get(device)
        if above is None:
            above = self._state.above[device] = Above()
        return above

    def _ahead(self, t: float) -> Around:
        """Rain, where a gauge speaks, and how far ahead the pace may be trusted."""
        return self._state.rain.means if self._state.rain.known(t) else None, self._reach(t)

    def _reach(self, t: float) -> float:
        """How far ahead the pace may be trusted, by what is on its way: 1 when nobody knows."""
        rain, cfg = self._state.rain, self._cfg
        fed = False
        if rain.known(t):
            means = rain.means
            if means[0] >= RAINING_MM_H:
                fed = True
            elif means[3] >= RAINING_MM_H and means[0] < STOPPED * means[3]:
                return cfg.ebbing
        if fed or any(above.comes(t) for above in self._state.above.values()):
            return cfg.fed
        return 1.0

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Nothing was heard for too long: the episode ends as unknown."""
        if self._state.now is None:
            return ()
        return (self._close("no_reading"),)

    def wake_at(self) -> datetime | None:
        """When an open flood without readings is given up."""
        state = self._state
        if state.now is None or state.heard is None:
            return None
        return state.heard + timedelta(seconds=self._cfg.forget_s)

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    def _open(self, metric: str, at: datetime, received_at: datetime) -> Event:
        state = self._state
        stage, severity = self._rank(metric)
        for name, channel in state.channels.items():
            channel.absorb(self._views[name], self._cfg)
            channel.peak = channel.value if channel.points else channel.peak
        episode = state.ledger.open(KIND, self._site.id, at)
        t = at.timestamp()
        state.now = Open(episode, stage, severity, metric, t, t)
        state.heard = received_at
        return self._revise()

    def _follow(self, t: float) -> Iterable[Event]:
        state, now = self._state, self._state.now
        assert now is not None
        for metric, channel in state.channels.items():
            if channel.points:
                channel.peak = max(channel.peak, channel.value)
                if state.says.get(metric, DRY) > state.says.get(now.metric, DRY):
                    now.metric = metric
        if all(self._clear(m, t) for m in state.channels):
            for metric, channel in state.channels.items():
                if self._views[metric].sewer and channel.points:
                    channel.ends(t, self._views[metric])
            return (self._close("below"),)
        stage, severity = self._rank(now.metric)
        severity = max(severity, now.severity)  # what it came to is what it was
        turned = {stage, now.stage} != {"forecast", "observed"} and severity == now.severity
        if turned and t - now.staged_at < self._cfg.stage_s:
            stage = now.stage  # water near a turning point must not turn the stage to and fro
        urgent = stage != now.stage or severity != now.severity
        due = t - now.published_at >= self._cfg.update_s
        if urgent or (due and self._moved()):
            if stage != now.stage:
                now.staged_at = t
            now.stage, now.severity, now.published_at = stage, severity, t
            return (self._revise(),)
        return ()

    def _rank(self, metric: str) -> tuple[str, int]:
        """(stage, severity) as the metric stands."""
        state = self._state
        channel, view = state.channels[metric], self._views[metric]
        lines = view.lines
        base = channel.base or 0.0
        says = state.says.get(metric, DRY)
        reached = max(channel.peak, channel.value)
        severity = 3
        if channel.value >= view.top:
            severity = 5 if channel.value >= base + 1.5 * (lines.close - base) else 4
        before = state.now.stage if state.now else ""
        fallen = reached - channel.value > self._cfg.recede_share * (reached - base)
        faded = before == "forecast" and view.sewer and says == DRY
        if (faded or before in ("observed", "receding")) and fallen and channel.rate < 0:
            return "receding", severity
        if before == "receding" and fallen and says != FORECAST and channel.rate <= 0:
            return "receding", severity
        if says == OBSERVED or (before == "observed" and channel.value >= lines.warn):
            return "observed", severity
        if says == FORECAST and before in ("", "forecast", "receding"):
            return "forecast", severity
        return before or "forecast", severity

    def _clear(self, metric: str, t: float) -> bool:
        channel = self._state.channels[metric]
        view = self._views[metric]
        lines = view.lines
        if not channel.points:
            return True
        base = channel.base or 0.0
        if channel.value >= base + self._cfg.clear_share * (lines.warn - base):
            return False
        return t - channel.hit_at >= (self._cfg.hold_s if view.sewer else self._cfg.clear_s)

    def _moved(self) -> bool:
        now = self._state.now
        assert now is not None
        channel = self._state.channels[now.metric]
        forecast = channel.forecast
        if forecast is None or now.overflow is None:
            return (forecast is None) != (now.overflow is None)
        newly = channel.points[-1][0] + forecast.best_s
        return abs(newly - now.overflow) > self._cfg.moved_s

    def _close(self, why: str) -> Event:
        event = self._revise(closed=why)
        state = self._state
        state.now, state.heard = None, None
        return event

    def _revise(self, closed: str | None = None) -> Event:
        state, now = self._state, self._state.now
        assert now is not None
        channel, view = state.channels[now.metric], self._views[now.metric]
        lines = view.lines
        t = channel.points[-1][0]
        forecast = None if closed else channel.forecast
        now.overflow = t + forecast.best_s if forecast else None
        rain = state.rain if state.rain.known(t) else None
        learning = t - channel.since < self._cfg.learning_s
        reasons = why(channel, view, forecast, rain, state.above, t, learning)
        points = channel.points
        every = (t - points[0][0]) / max(len(points) - 1, 1)
        wishes = could(
            view,
            rain is not None,
            len(self._site.devices) > 1 + len(self._gauges - {self._own}),
            every,
        )
        evidence: dict[str, Any] = {
            "value": round(channel.value, 4),
            "metric": now.metric,
            "rate": round(channel.rate, 7),
            "overflow_at": _overflow(t, forecast),
            "stage": "receding" if closed else now.stage,
            "peak": round(channel.peak, 4),
            "usual": round(channel.base or 0.0, 4),
            "lines": {"warn": lines.warn, "close": lines.close, "source": lines.source},
            "curve": curve(channel.points),
            "rain_rate": round(rain.now, 2) if rain else None,
            "rain": _rain(rain),
            "upstream": [
                [name, round(above.value, 4), round(above.rate, 7)]
                for name, above in sorted(state.above.items())
                if t - above.at < STALE_S
            ],
            "flow": state.flow,
            "chance": None if channel.chance is None else round(channel.chance, 3),
            "learning": learning,
            "why": [en for en, _ in reasons],
            "why_zh": [zh for _, zh in reasons],
            "could": [en for en, _ in wishes],
            "could_zh": [zh for _, zh in wishes],
        }
        return revision(now.episode, self._site, now.severity, evidence, closed)


def _rain(rain: Rain | None) -> dict[str, Any] | None:
    if rain is None:
        return None
    means = {
        f"mean_{tau / 60:.0f}_min": round(m, 2) for tau, m in zip(TAUS, rain.means, strict=True)
    }
    return {"device": rain.device, "at": stamp(rain.at), **means}


def _overflow(t: float, forecast: Forecast | None) -> dict[str, str] | None:
    if forecast is None:
        return None
    return {
        "at": stamp(t + forecast.best_s),
        "low": stamp(t + forecast.low_s),
        "high": stamp(t + forecast.high_s),
    }
