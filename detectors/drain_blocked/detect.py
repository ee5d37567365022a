"""The blocked-drain detector: all level sensors of one connected network, side by side."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contracts.clock import iso
from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Quality, Reading
from detectors._common.episode import Ledger, revise
from detectors.drain_blocked import rhythm
from detectors.drain_blocked.belief import Belief, Look, believe
from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.gauge import OVER_M, Gauge, Sky
from detectors.drain_blocked.pair import Pair
from detectors.drain_blocked.shape import fault_odds
from detectors.drain_blocked.sites import Layout
from detectors.drain_blocked.state import Open, State
from detectors.drain_blocked.turns import SETTLE_S, TICK_S
from detectors.drain_blocked.why import chance, evidence_of

KIND = "drain_blocked"
UNFIT = int(Quality.STUCK | Quality.OUT_OF_RANGE | Quality.SPIKE)
"""Readings that the screen found faulty say nothing of the water."""
Rows = list[tuple[float, float]]
"""(epoch seconds, value)."""
SURER = 0.5
"""New evidence moves an open blockage when it speaks so much more clearly (log-odds)."""
MOST_M = 30.0
"""The deepest manhole there is, where no rim is registered (metres)."""
CALM_S = 300.0
"""How often a network is looked at where all is as usual, and in rain, when a difference must last
for half an hour to say anything (seconds): pools form over hours."""
EVERY_S = 600.0
"""What has not changed its signs is judged again so often."""
DRY_SLACK_M, WET_SLACK_M = 0.3, 3.0
"""A pool's surface rises upstream by no more than this: with little water by what inverts and
zeros are good to, with much by its slope, too (metres)."""
LEAST_STRAY = 0.15
"""Flows stray from what is expected by this at least (logarithm)."""
MOVES = 3
"""A blockage that is named more pipes away than this is another one."""
MOST_OPEN = 12
"""More blockages at once are none: something else happens to the network."""
REVIEW_S = 1800.0
"""How often it is looked which sensors stand in backwater and how often they report."""


class DrainBlocked:
    """Folds the sensors of one network; thinks every five minutes of their time, once a minute
    while a difference waits to be believed."""

    def __init__(self, cfg: DrainBlockedConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg, self._site = cfg, site
        self._layout = Layout(site, cfg)
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger(), {d: Gauge() for d in self._layout.sensors}, Sky())
        )
        # The register may have changed since the snapshot.
        for device in self._layout.sensors:
            self._state.gauges.setdefault(device, Gauge())
        for device in self._state.gauges.keys() - self._layout.sensors.keys():
            del self._state.gauges[device]
        for device, sensor in self._layout.sensors.items():
            gauge = self._state.gauges[device]
            gauge.height = sensor.pipe_m
            gauge.top = sensor.depth_m + OVER_M if sensor.depth_m is not None else MOST_M
        layout = self._layout
        wanted = [
            (d, b) for d in layout.sensors for b in layout.next_below(d) if layout.gravity(d, b)
        ]
        known = {(p.above, p.below): p for p in self._state.pairs}
        self._state.pairs = [known.get(key) or Pair(*key) for key in wanted]
        self._bonds = [layout.bond(*key) for key in wanted]
        self._waiting = {d: g.waiting for d, g in self._state.gauges.items()}
        # Follows from a gauge's state: kept because several look at the same one.
        self._faults: dict[str, tuple[tuple[float, bool], float]] = {}

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Keep one reading; think when its minute is over."""
        if item.quality & UNFIT:
            return ()
        state = self._state
        t = item.at.timestamp()
        if item.metric == "level":
            waiting = self._waiting.get(item.device)
            if waiting is None:
                return ()
            waiting.append((t, item.value))
        elif item.metric == "rain_rate":
            state.rain.append((t, item.value))
        else:
            return ()
        turns = state.turns
        if t < turns.next:
            return ()
        waits = len(self._waiting.get(item.device, ()))
        if not turns.due(t, item.received_at.timestamp(), waits):
            return ()
        received = item.received_at
        return [event for minute in turns.minutes(t) for event in self._look(minute, received)]

    @property
    def devices(self) -> Iterable[str]:
        """All that it listens to."""
        return [device.id for device in self._site.devices]

    @property
    def forget_s(self) -> float:
        """A blockage wakes it so long after a reading (seconds)."""
        return self._cfg.forget_s

    @property
    def waiting(self) -> Mapping[str, Rows]:
        """Where levels are kept for the next look, by device."""
        return self._waiting

    @property
    def following(self) -> float:
        """A reading of this time or later may bring the next look (epoch seconds)."""
        return self._state.turns.next

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Nothing was heard of an open blockage for too long: it ends as unknown."""
        limit = timedelta(seconds=self._cfg.forget_s)
        gone = [one for one in self._state.open if one.heard + limit <= now]
        self._state.open = [one for one in self._state.open if one not in gone]
        return [self._revise(one, one.heard.timestamp(), ended="no_reading") for one in gone]

    def wake_at(self) -> datetime | None:
        """When an open blockage without readings is given up."""
        if not self._state.open:
            return None
        heard = min(one.heard for one in self._state.open)
        return heard + timedelta(seconds=self._cfg.forget_s)

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    # --- each minute ------------------------------------------------------------------------

    def _look(self, minute: float, received: datetime) -> Iterable[Event]:
        state = self._state
        self._rain(minute)
        blind = not self._sighted(minute)
        for gauge in state.gauges.values():
            if gauge.waiting:
                self._fold(gauge, minute, blind)
        if minute >= self._state.reviewed + REVIEW_S:
            self._state.reviewed = minute
            rhythm.stiffen(state, self._layout)
            often = sorted(g.every_s for g in state.gauges.values() if g.count)
            slow = often[len(often) // 4] / 3 if often else 0.0
            state.step = min(max(slow // TICK_S * TICK_S, TICK_S), CALM_S)
        rhythm.common(state, minute)
        odd = astir = False
        for gauge in state.gauges.values():
            odd = odd or gauge.sign != 0
            astir = astir or 0 != gauge.trend != gauge.sign
        for pair, bond in zip(state.pairs, self._bonds, strict=True):
            up, down = state.gauges[pair.above], state.gauges[pair.below]
            fresh = (up.at > pair.at or down.at > pair.at) and up.count and down.count
            if fresh and abs(up.at - down.at) < 4 * max(up.every_s, down.every_s):
                pair.fold(up, down, bond, state.sky, self._cfg)
            odd = odd or pair.sign != 0
            astir = astir or 0 != pair.trend != pair.sign
        state.turns.step = state.step if astir and not state.sky.wet else CALM_S
        if not state.open and not odd:
            return ()
        signs = [g.sign for g in state.gauges.values()] + [p.sign for p in state.pairs]
        if signs == state.signs and minute < state.judged + EVERY_S:
            return ()
        state.signs, state.judged = signs, minute
        return self._judge(minute, received)

    def _rain(self, minute: float) -> None:
        state, sky = self._state, self._state.sky
        later = []
        for t, rate in state.rain:
            if t >= minute + TICK_S + SETTLE_S:
                later.append((t, rate))
                continue
            state.rain_heard = max(state.rain_heard, t)
            if rate >= self._cfg.wet_mm_h:
                state.rained = max(state.rained, t)
        state.rain[:] = later
        sky.wet = minute - state.rained < self._cfg.dry_after_s
        ago = minute - state.rained
        sky.ebb = math.exp(-ago / self._cfg.ebb_s) if ago < 12 * self._cfg.ebb_s else 0.0

    def _sighted(self, minute: float) -> bool:
        """Whether rain would be noticed: by a gauge, or by enough other sensors."""
        if minute - self._state.rain_heard < 3600.0:
            return True
        return sum(g.count > 0 for g in self._state.gauges.values()) >= rhythm.FEW

    def _fold(self, gauge: Gauge, minute: float, blind: bool) -> None:
        waiting, sky, cfg = gauge.waiting, self._state.sky, self._cfg
        waiting.sort()
        done = bisect_right(waiting, (minute, math.inf))
        if done:
            gauge.fold(waiting[:done], sky, blind, cfg)
            del waiting[:done]

    def _judge(self, minute: float, received: datetime) -> Iterable[Event]:
        state, cfg = self._state, self._cfg
        out: list[Event] = []
        for one in list(state.open):
            out.extend(self._follow(one, minute, received))
        claimed = {d for one in state.open for d in one.members}
        while len(state.open) < MOST_OPEN:
            looks = self._looks(minute, claimed)
            belief = self._believe(looks)
            if belief.odds < cfg.open_odds or not belief.members:
                break
            since = self._since(belief)
            onset = datetime.fromtimestamp(round(since, 3), UTC)
            episode = state.ledger.open(KIND, self._site.id, onset)
            one = Open(episode, list(belief.members), since, minute, received)
            state.open.append(one)
            one.pipes = list(belief.pipes[:8])
            out.append(self._revise(one, minute, belief))
            claimed.update(belief.members)
        return out

    def _believe(self, looks: dict[str, Look], near: set[str] | None = None) -> Belief:
        slack_m = WET_SLACK_M if self._state.sky.wet else DRY_SLACK_M
        parted = self._parted(looks)
        return believe(self._layout, looks, parted, self._cfg.blockage_odds, near, slack_m)

    def _looks(self, minute: float, claimed: set[str]) -> dict[str, Look]:
        """What every sensor that was heard lately says; silence says nothing."""
        looks: dict[str, Look] = {}
        parted = {d for p in self._state.pairs if p.sign for d in (p.above, p.below)}
        for device, gauge in self._state.gauges.items():
            if device in claimed or not gauge.count or minute - gauge.at > 4 * gauge.every_s:
                continue
            if gauge.stuck:
                continue
            invert = self._layout.sensors[device].invert_m
            head = None if invert is None else invert + gauge.value
            fault = self._cfg.fault_odds
            if gauge.sign or device in parted:
                fault = self._fault(device, gauge)
            looks[device] = Look(gauge.sign, head, fault, gauge.lean, self._strays(gauge))
        return looks

    def _fault(self, device: str, gauge: Gauge) -> float:
        key = (gauge.at, self._state.sky.wet)
        kept = self._faults.get(device)
        if kept is None or kept[0] != key:
            kept = self._faults[device] = (key, fault_odds(gauge, key[1], self._cfg))
        return kept[1]

    def _strays(self, gauge: Gauge) -> float:
        sky = self._state.sky
        least = max(sky.spread, self._cfg.wet_spread) if sky.wet else LEAST_STRAY
        return max(gauge.spread, least) if sky.known else 9.0

    def _parted(self, looks: dict[str, Look]) -> dict[tuple[str, str], int]:
        """Pairs of which both were heard lately."""
        return {
            (p.above, p.below): p.sign
            for p in self._state.pairs
            if p.count and p.above in looks and p.below in looks and (p.sign or not p.loose)
        }

    def _since(self, belief: Belief) -> float:
        """When the first of what the belief rests on began."""
        members = set(belief.members)
        begun = [g.since for d, g in self._state.gauges.items() if d in members and g.sign]
        begun += [p.since for p in self._state.pairs if p.sign and {p.above, p.below} & members]
        return min(begun)

    def _follow(self, one: Open, minute: float, received: datetime) -> Iterable[Event]:
        state, cfg = self._state, self._cfg
        gauges = [state.gauges[d] for d in one.members if d in state.gauges]
        if any(minute - g.at < 4 * g.every_s for g in gauges):
            one.heard = received
        members = set(one.members)
        parted = any(p.sign and {p.above, p.below} <= members for p in state.pairs)
        if not parted and all(g.sign == 0 for g in gauges):
            state.open.remove(one)
            return [self._revise(one, minute, ended="below")]
        others = {d for o in state.open if o is not one for d in o.members}
        looks = self._looks(minute, others)
        belief = self._believe(looks, members)
        if not set(belief.members) & members or not self._same(one, belief):
            return ()
        odd = {d for d in members if d in looks and looks[d].sign}
        one.members = sorted({*odd, *belief.members})
        if state.sky.wet or belief.odds < one.odds + SURER:
            return ()  # where it is was known best when it was clearest
        moved = belief.pipes[0][0] != one.pipes[0][0]
        due = minute - one.published >= cfg.update_s
        told = abs(belief.pipes[0][1] - one.pipes[0][1]) >= 0.1
        if not (due and (moved or told)):
            return ()
        one.pipes = list(belief.pipes[:8])
        one.published = minute
        return [self._revise(one, minute, belief)]

    def _same(self, one: Open, belief: Belief) -> bool:
        """Whether it is the same blockage that is seen better, and not another one."""
        apart = self._layout.graph.hops(one.pipes[0][0], belief.pipes[0][0])
        return apart is not None and apart <= MOVES

    def _revise(
        self, one: Open, minute: float, belief: Belief | None = None, ended: str | None = None
    ) -> Event:
        if belief is not None:
            one.odds = belief.odds
        evidence: dict[str, Any] = {
            "pipes": [[pipe, round(p, 4)] for pipe, p in one.pipes],
            "since": iso(datetime.fromtimestamp(round(one.since, 3), UTC)),
            "p": chance(one.odds),
            **evidence_of(
                self._layout,
                self._state.gauges,
                self._state.sky,
                one.members,
                one.pipes[0][0],
                minute,
                self._sighted(minute),
                self._cfg,
            ),
        }
        if ended is not None:
            evidence["ended"] = ended
        lead = next(iter(one.members), None)
        return revise(
            one.episode,
            kind=KIND,
            site=self._site.id,
            device=lead,
            point=self._layout.middle(one.pipes[0][0]),
            severity=3,
            evidence=evidence,
            closed=ended is not None,
        )
