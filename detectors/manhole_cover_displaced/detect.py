"""One cover: at rest, suspected to have moved, known to have moved, back again.

A change of angle against the sensor's own rest. One far reading is suspected at once (after a
minute where a wheel might explain it), the next one confirms it; a small one must stay. Nothing is
concluded from silence: a cover that was reported open stays open until it is heard to be back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.clock import iso
from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Quality, Reading
from detectors._common.episode import Episode, Ledger, revise
from detectors._common.moment import stamp
from detectors._common.water.graph import rim_of
from detectors._common.works import planned
from detectors.manhole_cover_displaced.config import CoverConfig
from detectors.manhole_cover_displaced.rest import Rest, apart
from detectors.manhole_cover_displaced.told import Facts, ruled_out, words

KIND = "manhole_cover_displaced"
OUT_OF_RANGE = int(Quality.OUT_OF_RANGE)
UNITS = {"tilt": "degree", "value": "degree", "vibration": "m/s2", "level": "m", "depth": "m"}


class Away(msgspec.Struct):
    """Readings in a row that are not at rest."""

    at: datetime
    received_at: datetime
    step: float
    """By how much it changed from the reading before, degrees."""
    count: int = 1
    low: float = 0.0
    high: float = 0.0
    far: float | None = None
    """First reading of them beyond `open_deg`, epoch seconds."""

    @property
    def since(self) -> float:
        """The time of the first, epoch seconds."""
        return self.at.timestamp()


class Open(msgspec.Struct):
    """An open episode."""

    episode: Episode
    state: str
    severity: int
    cause: str
    told: float
    """Angle last published."""
    limit: float
    back: list[float] = []
    peak: float = 0.0


class State(msgspec.Struct):
    """All state of one cover."""

    ledger: Ledger
    rest: Rest
    away: Away | None = None
    now: Open | None = None
    blow: tuple[float, float] | None = None
    """(epoch seconds, m/s²) of the last strong vibration."""
    wet: tuple[float, str, float] | None = None
    """(epoch seconds, metric, metres) of the last water at the rim."""
    water_heard: float = -math.inf


class Cover:
    """Folds the readings of one cover (and of the water in its manhole)."""

    def __init__(self, cfg: CoverConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg = cfg
        self._site = site
        self._id = site.devices[0].id
        node = next(iter(site.drains.nodes.values())) if site.drains is not None else None
        self._rim = rim_of(node)
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger(), Rest())
        )

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Fold one reading."""
        if item.quality & OUT_OF_RANGE:
            return ()
        if item.metric != "tilt":
            return self._beside(item)
        if item.device != self._id:
            return ()
        state, cfg, v = self._state, self._cfg, item.value
        rest = state.rest
        t = item.at.timestamp()
        before = rest.curve[-1][1] if rest.curve else v
        since = rest.hear(t, v)
        if not rest.early or (len(rest.early) < 3 and rest.angle > cfg.level_deg):
            rest.learn(v, since, cfg.rest_s, cfg.learn_readings)
            return ()
        change = apart(v, rest.angle)
        limit = self._limit(cfg.shift_deg)
        if change >= limit and v < rest.angle - 0.5 * cfg.open_deg and self._put_down(t, v):
            rest.again([v])  # first heard askew: how it lies now is its rest
            return (self._close("back", [v]),) if state.now is not None else ()
        if state.now is not None:
            return self._follow(item, t, change)
        if change < limit:
            state.away = None
            rest.learn(v, since, cfg.rest_s, cfg.learn_readings)
            return ()
        return self._leave(item, t, change, apart(v, before), since)

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Nothing more was heard after a far reading: suspected."""
        state = self._state
        if state.away is None or state.now is not None:
            return ()
        return (self._open("suspected", state.away),)

    def wake_at(self) -> datetime | None:
        """When a single far reading is told although nothing followed."""
        state, away = self._state, self._state.away
        if away is None or state.now is not None or not self._far(away):
            return None
        return away.received_at + timedelta(seconds=self._cfg.wait_s)

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    def _put_down(self, t: float, v: float) -> bool:
        """A new sensor that was askew lies level now: it was put right, not opened."""
        rest, cfg = self._state.rest, self._cfg
        return (
            t - rest.first < cfg.young_s and v < cfg.level_deg and rest.angle > 0.7 * cfg.level_deg
        )

    # --- how it lies ------------------------------------------------------------------------

    def _limit(self, degrees: float) -> float:
        return max(degrees, self._cfg.noise_times * self._state.rest.noise)

    def _far(self, away: Away) -> bool:
        change = apart(self._state.rest.curve[-1][1], self._state.rest.angle)
        return change >= self._limit(self._cfg.open_deg) and self._sudden(away, change)

    def _sudden(self, away: Away, change: float) -> bool:
        return away.step >= self._cfg.sudden_share * change

    def _leave(
        self, item: Reading, t: float, change: float, step: float, since: float
    ) -> Iterable[Event]:
        """Away from rest, and nothing is open yet."""
        state, cfg, v = self._state, self._cfg, item.value
        away = state.away
        if away is None:
            away = state.away = Away(item.at, item.received_at, step, 1, v, v)
        else:
            away.count += 1
            away.low, away.high = min(away.low, v), max(away.high, v)
            away.step = max(away.step, step)
            away.received_at = item.received_at
        if not self._sudden(away, change):
            # It crept here: the road settles, the sun warms. The rest follows.
            state.away = None
            state.rest.learn(v, since, cfg.rest_s, cfg.learn_readings)
            return ()
        limit = self._limit(cfg.open_deg)
        if change >= limit:
            if away.far is None:
                away.far = t
            elif t - away.far >= cfg.confirm_s:
                return (self._open("confirmed", away),)
            if change >= max(cfg.lifted_deg, limit):
                return (self._open("suspected", away),)
            return ()
        still = away.high - away.low <= max(0.5 * change, 4 * state.rest.noise)
        if away.count >= cfg.shift_readings and t - away.since >= cfg.shift_s and still:
            return (self._open("confirmed", away),)
        return ()

    def _open(self, known: str, away: Away) -> Event:
        state = self._state
        v = state.rest.curve[-1][1]
        change = apart(v, state.rest.angle)
        far = change >= self._limit(self._cfg.open_deg)
        limit = self._limit(self._cfg.open_deg if far else self._cfg.shift_deg)
        episode = state.ledger.open(KIND, self._site.id, away.at)
        state.now = Open(episode, known, 0, "", v, limit, [], change)
        return self._revise()

    def _follow(self, item: Reading, t: float, change: float) -> Iterable[Event]:
        """An episode is open: worse, confirmed, or back?"""
        state, cfg, now, away = self._state, self._cfg, self._state.now, self._state.away
        assert now is not None and away is not None
        v = item.value
        if change < cfg.close_share * now.limit:
            now.back.append(v)
            if len(now.back) >= cfg.close_readings or now.state == "suspected":
                return (self._close("back", now.back),)
            return ()
        now.back = []
        away.count += 1
        settled = abs(v - away.low) + abs(v - away.high) <= 4 * max(state.rest.noise, 0.5)
        if not settled:
            away.low = away.high = v
            away.received_at = item.received_at
        elif item.received_at - away.received_at >= timedelta(seconds=cfg.adopt_s):
            return (self._close("adopted", [p[1] for p in state.rest.curve[-3:]]),)
        now.peak = max(now.peak, change)
        before = (now.state, now.severity, now.cause)
        first = away.far if away.far is not None else away.since
        if t - first >= cfg.confirm_s and change >= cfg.again_share * now.limit:
            now.state = "confirmed"
        self._rank()
        if (now.state, now.severity, now.cause) != before or apart(v, now.told) > cfg.update_deg:
            return (self._revise(),)
        return ()

    def _close(self, ended: str, angles: list[float]) -> Event:
        event = self._revise(ended)
        state = self._state
        state.now, state.away = None, None
        state.rest.again(angles)
        return event

    # --- what else is known -----------------------------------------------------------------

    def _beside(self, item: Reading) -> Iterable[Event]:
        """Vibration of the cover, water in its manhole."""
        state, cfg = self._state, self._cfg
        metric, v = item.metric, item.value
        if metric == "vibration":
            if v >= cfg.shock_mps2 and item.device == self._id:
                state.blow = (item.at.timestamp(), v)
                return self._explain("struck")
            return ()
        state.water_heard = item.at.timestamp()
        if metric == "level":
            if self._rim is None or v < self._rim - cfg.surcharge_m:
                return ()
        elif v < cfg.surcharge_m:
            return ()
        state.wet = (state.water_heard, metric, v)
        return self._explain("surcharge")

    def _explain(self, cause: str) -> Iterable[Event]:
        """Something beside the angle may explain what is open."""
        now = self._state.now
        if now is None or now.cause in ("works", cause):
            return ()
        self._rank()
        return (self._revise(),) if now.cause == cause else ()

    def _work(self) -> str:
        away = self._state.away
        assert away is not None
        return planned(self._site.works, away.at)

    def _rank(self) -> None:
        """Cause and severity as far as known."""
        state, cfg, now, away = self._state, self._cfg, self._state.now, self._state.away
        assert now is not None and away is not None
        change = max(now.peak, apart(state.rest.curve[-1][1], state.rest.angle))
        now.peak = change
        wet = state.wet is not None and abs(state.wet[0] - away.since) <= cfg.surcharge_s
        blow = state.blow is not None and 0 <= away.since - state.blow[0] <= cfg.shock_s
        far = change >= self._limit(cfg.open_deg)
        if self._work():
            now.cause = "works"
        elif wet:
            now.cause = "surcharge"
        elif change >= cfg.lifted_deg:
            now.cause = "lifted"
        elif blow:
            now.cause = "struck"
        else:
            now.cause = "shifted"
        if now.cause == "works":
            severity = 2
        elif not far:
            severity = 3
        else:
            severity = 5 if now.state == "confirmed" and change >= cfg.lifted_deg else 4
        now.severity = max(severity, now.severity) if now.cause != "works" else severity

    # --- what is published ------------------------------------------------------------------

    def _revise(self, ended: str | None = None) -> Event:
        state, now, away = self._state, self._state.now, self._state.away
        assert now is not None and away is not None
        rest, cfg = state.rest, self._cfg
        t, v = rest.curve[-1]
        if not now.cause:
            self._rank()
        now.told = v
        wet, blow = state.wet, state.blow
        facts = Facts(
            value=v,
            rest=rest.angle,
            change=apart(v, rest.angle),
            limit=now.limit,
            readings=away.count,
            lasted_s=t - away.since,
            cause=now.cause,
            state=now.state,
            learning=rest.count < 2 * cfg.learn_readings or t - rest.first < cfg.learn_s,
            work=self._work(),
            water=f"{wet[1]} {wet[2]:.2f} m" if wet is not None else "",
            vibration=blow[1] if now.cause == "struck" and blow is not None else None,
            sudden=away.step,
            noise=rest.noise,
        )
        why, why_zh = words(facts)
        if ended == "back":
            why, why_zh = ["the cover lies again as it did"], ["井盖已恢复原位"]
        elif ended == "adopted":
            days = cfg.adopt_s / 86400
            why = [f"it has lain still at this angle for {days:.0f} days: its new rest"]
            why_zh = [f"已在此角度静置{days:.0f}天，作为新的静置角度"]
        evidence: dict[str, Any] = {
            "value": round(v, 2),
            "metric": "tilt",
            "rest": round(rest.angle, 2),
            "change": round(facts.change, 2),
            "peak": round(now.peak, 2),
            "limit": round(now.limit, 2),
            "noise": round(rest.noise, 3),
            "state": now.state,
            "cause": now.cause,
            "learning": facts.learning,
            "readings": away.count,
            "since": iso(away.at),
            "why": why,
            "why_zh": why_zh,
            "ruled_out": ruled_out(facts, t - state.water_heard <= cfg.surcharge_s),
            "lines": {"rest": round(rest.angle, 2), "limit": round(rest.angle + now.limit, 2)},
            "curve": [[stamp(at), round(x, 2)] for at, x in rest.curve],
            "vibration": blow[1] if blow is not None else None,
            "water": {"metric": wet[1], "value": round(wet[2], 3)} if wet is not None else None,
            "units": UNITS,
        }
        if ended is not None:
            evidence["ended"] = ended
        return revise(
            now.episode,
            kind=KIND,
            site=self._site.id,
            device=self._id,
            point=self._site.point,
            severity=now.severity,
            evidence=evidence,
            closed=ended is not None,
        )
