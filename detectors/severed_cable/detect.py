"""The severed cable detector: one line, all its monitors, what happened to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from contracts.detector import Site
from contracts.event import Event
from contracts.geo import Point
from contracts.nouns import Quality, Reading, Record, Status
from detectors._common.disturbance import lost_in
from detectors._common.episode import Ledger, revise
from detectors.severed_cable.belief import Belief, believe
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.happening import CONFIRMED, SUSPECTED, Happening, State
from detectors.severed_cable.hear import Ears, Findings
from detectors.severed_cable.monitors import PHASES, Monitor
from detectors.severed_cable.prior import Planned, planned_at, prior_of
from detectors.severed_cable.recorded import belongs
from detectors.severed_cable.report import evidence_of
from detectors.severed_cable.tree import Tree, nodes_of
from detectors.severed_cable.whose import lone_of

KIND = "severed_cable"
OUT_OF_RANGE = int(Quality.OUT_OF_RANGE)
_PHASES = frozenset(PHASES)
PHYSICAL = frozenset({"strike", "tension", "tilt"})
WHERE = frozenset({"spans", "point", "error_m", "what", "whats", "phases", "owners", "torn"})
"""What stays as it was told when a suspicion is withdrawn."""
AGAIN_P = 0.5
"""What was withdrawn is suspected again only from this probability on."""
LIKELY, FAINT = 4, 3
"""Severity of a suspicion; the latter where something else is likelier."""
_NOTHING: tuple[Event, ...] = ()


class SeveredCable:
    """Folds the monitors of one line; judges shortly after evidence came, at its own timer."""

    def __init__(self, cfg: SeveredCableConfig, site: Site, snapshot: bytes | None) -> None:
        if site.line is None:
            raise ValueError(f"site {site.id} has no line")
        self._cfg, self._site, self._line = cfg, site, site.line
        self._tree = Tree(site.line)
        at = nodes_of(site.line, site.devices, cfg.near_m)
        self._node = {d: n.id for d, n in at.items() if n.id in self._tree.place}
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger(), {d: Monitor() for d in sorted(self._node)})
        )
        self._monitors = self._state.monitors
        for device in self._node:
            self._monitors.setdefault(device, Monitor())
        self._prior = prior_of(self._tree)
        self._lone = lone_of(self._tree, self._prior)
        self._ears = Ears(cfg, site, self._tree, self._node, self._prior.isolated)
        self._skew = timedelta(seconds=cfg.skew_s)
        self._group = timedelta(seconds=cfg.group_s)

    def on_item(self, item: Reading | Status | Record, /) -> Iterable[Event]:
        """Fold one reading, status or disturbance record; what it means is judged at `wake_at`."""
        monitor = self._monitors.get(item.device)
        if monitor is None:
            return _NOTHING
        if not isinstance(item, Reading):
            self._beside(monitor, item)
            return _NOTHING
        if item.quality & OUT_OF_RANGE:
            return _NOTHING
        metric, value = item.metric, item.value
        channel = monitor.channels.get(metric)
        monitor.heard, monitor.offline = item.at, False
        if (
            channel is not None
            and monitor.off is None
            and channel.low <= value <= channel.high
            and not channel.out
        ):
            before = channel.at
            channel.value, channel.at = value, item.at
            monitor.calm(metric, channel, value, self._cfg)
            if self._state.happenings:
                self._ears.spoke(item.device)
                if metric in _PHASES:
                    self._first_word(before, item)
            return _NOTHING
        self._unusual(monitor, item)
        return _NOTHING

    def _beside(self, monitor: Monitor, item: Status | Record) -> None:
        """What is no reading."""
        self._ears.spoke(item.device)
        if isinstance(item, Status):
            monitor.offline = not item.online  # silence is unknown, never lost
            return
        lost = lost_in(item, self._cfg.record_share)
        if lost is not None:
            monitor.record = lost
            if any(belongs(lost, one, self._cfg) for one in self._state.happenings):
                self._look(item.received_at, self._cfg.settle_s)

    def _first_word(self, before: datetime, item: Reading) -> None:
        """A monitor tells for the first time since a loss that all is as usual there."""
        for one in self._state.happenings:
            if before < one.since + self._skew <= item.at:
                self._look(item.received_at, self._cfg.again_s)
                return

    def _unusual(self, monitor: Monitor, item: Reading) -> None:
        state, was, held = self._state, monitor.off, monitor.fallen is None
        self._ears.spoke(item.device)
        if not monitor.take(item, self._cfg, self._ears.nominal(item.device)):
            return
        fell = held and monitor.fallen is not None
        if monitor.part == 0 and (monitor.off is not None or fell):
            first = self._join(item.device, monitor.off or item.at, item.received_at)
            self._look(item.received_at, self._cfg.settle_s if first else self._cfg.again_s)
        elif monitor.off is None and (was is not None or not (held or monitor.fallen)):
            for one in state.happenings:
                if one.key == monitor.part and one.turned is None:
                    one.turned = item.at
            if monitor.fallen is None:  # a conductor that is down keeps it open
                monitor.part = 0
            if state.happenings:
                self._look(item.received_at, self._cfg.again_s)
        elif monitor.part > 0 or (monitor.off is None and state.happenings):
            self._look(item.received_at, self._cfg.again_s)

    def _look(self, received: datetime, after_s: float) -> None:
        first = min((h.received for h in self._state.happenings), default=received)
        age = (received - first).total_seconds()
        due = received + timedelta(seconds=max(after_s, min(3.0, age / 20)))
        if self._state.judge_at is None or due < self._state.judge_at:
            early = first + timedelta(seconds=self._cfg.settle_s)
            # neighbours of a first word are heard out, however much it says
            self._state.judge_at = max(due, early) if received < early else due

    def _join(self, device: str, at: datetime, received: datetime) -> bool:
        """Put a loss to what it belongs to; whether that is new."""
        state = self._state
        place = self._tree.place[self._node[device]]
        for one in state.happenings:
            if one.episode is not None and self._explains(one, place):
                state.join(one, device)
                return False
        for one in reversed(state.happenings):
            if one.since - self._group <= at <= one.newest + self._group:
                if one.turned is not None and at > one.turned:
                    # it was back and is gone again: what was told in between is out of date
                    one.since, one.received, one.turned = at, received, None
                elif one.episode is None:
                    one.since = min(one.since, at)
                one.newest = max(one.newest, at)
                state.join(one, device)
                return False
        for one in [h for h in state.happenings if h.episode is None]:
            if at - one.newest > self._group:
                state.forget(one)
        state.join(state.begin(at, received), device)
        return True

    def _explains(self, one: Happening, place: int) -> bool:
        tree = self._tree
        spans = (tree.index[s] for s, _ in one.evidence.get("spans", ()) if s in tree.index)
        return any(tree.begin[i] <= place < tree.stop[i] for i in spans)

    def wake_at(self) -> datetime | None:
        """When evidence that came in is judged."""
        return self._state.judge_at

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    # --- judging ----------------------------------------------------------------------------

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Judge what has come in."""
        state = self._state
        state.judge_at = None
        events: list[Event] = []
        queue = list(state.happenings)
        while queue:
            one = queue.pop(0)
            events += self._judge(one, now)
            queue += [h for h in state.happenings if h.key > one.key and h not in queue]
        return events

    def _judge(self, one: Happening, now: datetime) -> list[Event]:
        cfg, state = self._cfg, self._state
        off = [d for d in one.members if self._off(one, d)]
        if self._over(one, off):
            state.happenings.remove(one)
            for device in off:
                self._monitors[device].forget()
            if one.episode is None:
                return []
            early = one.state == SUSPECTED and (now - one.received).total_seconds() < 60
            return [self._revise(one, ended="reclosed" if early else "restored")]
        if (now - one.received).total_seconds() > cfg.freeze_s:
            return []
        age = (now - one.received).total_seconds()
        planned = planned_at(self._tree, self._site.works, one.since)
        found = self._ears.hear(self._monitors, one, now)
        belief = believe(self._tree, self._prior, found.heard(age), planned, cfg)
        self._later(one, now, age)
        suspicion = self._suspicion(belief, found, age)
        if one.episode is None:
            if suspicion < (AGAIN_P if one.withdrawn else cfg.suspect_p):
                self._part(one, off, found, belief, planned)
                return []
            one.episode = state.ledger.open(KIND, self._site.id, one.since)
        elif self._restoring(one):
            return []  # where it was is known best from when all of it was dark
        evidence = evidence_of(
            self._tree, self._monitors, belief, found, planned, one, age, cfg, self._lone
        )
        down = any(self._monitors[d].fallen is not None for d in one.members)
        if one.state == SUSPECTED and suspicion < cfg.drop_p and not down:
            where = {k: v for k, v in one.evidence.items() if k in WHERE}
            one.evidence = {**evidence, **where}
            event = self._revise(one, ended="ruled_out")
            one.episode, one.told, one.withdrawn = None, (), True
            one.evidence = {}
            return [event]
        self._confirm(one, belief, found, evidence, age)
        one.evidence = evidence
        self._part(one, off, found, belief, planned)
        told = (
            one.state,
            evidence["what"],
            [s for s, p in evidence["spans"] if p >= 0.1],
            evidence["owners"],
            evidence.get("cause", {}).get("device"),
        )
        if told == one.told:
            return []
        one.told = told
        return [self._revise(one)]

    def _suspicion(self, belief: Belief, found: Findings, age_s: float) -> float:
        """How far a break is to be suspected: its probability, or that of its fitting as well as
        what no monitor here can tell from it."""
        cfg, nodes = self._cfg, self._line.nodes
        if age_s < cfg.switch_hold_s:
            return belief.cable  # a recloser above the line is no cable
        above = cfg.doubt_weight / (cfg.outage_weight * max(1, len(self._tree.spans)))
        lost = set(found.lost)
        apart, alone = self._prior.drops, 1.0
        if len(lost) == 1 and all(nodes[n].what == "customer" for n in lost):
            alone = cfg.doubt_weight / cfg.customer_weight
            # whoever else hangs below a break would have spoken
            mute = found.expected[:, :1] - found.spoke[:, :1]
            apart = apart | (self._tree.below(mute)[:, 0] > 0)
        return max(belief.cable, belief.fit(apart, min(1.0, above), min(1.0, alone)))

    def _off(self, one: Happening, device: str) -> bool:
        monitor = self._monitors[device]
        down = monitor.off is not None or monitor.fallen is not None
        return down and monitor.part == one.key

    def _over(self, one: Happening, off: list[str]) -> bool:
        """Whether all are back that can tell; what only gasped is dead until it speaks again."""
        if not off:
            return True
        if one.turned is None:
            return False
        back = len(one.members) - len(off)
        mute = all(not self._monitors[d].fresh(self._monitors[d].off or one.since) for d in off)
        return mute and back >= len(off)

    def _later(self, one: Happening, now: datetime, age: float) -> None:
        """Look again when a hold ends."""
        if one.state == CONFIRMED:
            return
        for hold in (self._cfg.switch_hold_s, self._cfg.hold_s):
            if age < hold:
                due = one.received + timedelta(seconds=hold)
                if self._state.judge_at is None or due < self._state.judge_at:
                    self._state.judge_at = due
                return

    def _restoring(self, one: Happening) -> bool:
        """Whether monitors that were dark are back and no other has gone dark since."""
        told = set(one.evidence.get("lost", ()))
        dark = {self._node[d] for d in one.members if self._off(one, d)}
        back = {self._node[d] for d in one.members} - dark
        return bool(told & back) and dark <= told

    def _confirm(
        self,
        one: Happening,
        belief: Belief,
        found: Findings,
        evidence: dict[str, Any],
        age: float,
    ) -> None:
        kinds = set(found.kinds)
        if "voltage" in kinds:
            kinds.discard("last_gasp")  # darkness told twice
        sure = belief.cable >= self._cfg.confirm_p
        lost = evidence["lost"]
        ripe = age >= self._cfg.hold_s or bool(kinds & PHYSICAL)
        if sure and ripe and (len(lost) >= 2 or len(kinds) >= 2):
            one.state = CONFIRMED

    def _part(
        self,
        one: Happening,
        off: list[str],
        found: Findings,
        belief: Belief,
        planned: list[Planned],
    ) -> None:
        """Losses that what was found does not explain are a happening of their own."""
        tree = self._tree
        spans = belief.spans.sum(axis=1)
        explained: set[str] = set()
        if belief.cable >= 0.5:
            explained |= tree.behind(np.flatnonzero(spans >= 0.001).tolist())
        elif sum(belief.works.values()) >= 0.5:
            for work in planned:
                explained |= work.nodes
        elif sum(belief.switches.values()) >= 0.5:
            explained |= tree.behind(i for i, p in belief.switches.items() if p >= 0.001)
        else:
            return
        rest = [
            d
            for d in off
            if self._node[d] in found.lost
            and self._node[d] not in explained
            and not self._monitors[d].medium
        ]
        if not rest or len(rest) == len(off):
            return
        since = min(self._monitors[d].off or one.since for d in rest)
        other = self._state.begin(since, one.received)
        for device in rest:
            one.members.remove(device)
            other.newest = max(other.newest, self._monitors[device].off or since)
            self._state.join(other, device)
        if "lost" in one.evidence:  # they are not back, they are another's
            gone = {self._node[d] for d in rest}
            one.evidence["lost"] = [n for n in one.evidence["lost"] if n not in gone]
        soon = one.received + timedelta(seconds=self._cfg.settle_s)
        self._look(max(soon, found.now), self._cfg.again_s)

    def _revise(self, one: Happening, *, ended: str | None = None) -> Event:
        assert one.episode is not None
        evidence = {**one.evidence, "state": one.state}
        if ended is not None:
            evidence["ended"] = ended
        point = evidence["point"]
        likely = evidence["p"] >= self._cfg.suspect_p
        return revise(
            one.episode,
            kind=KIND,
            site=self._site.id,
            device=None,
            point=Point(point["lon"], point["lat"]),
            severity=5 if one.state == CONFIRMED else LIKELY if likely else FAINT,
            evidence=evidence,
            closed=ended is not None,
        )
