"""The severed cable detector: one line, all its monitors, one hypothesis at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from contracts.detector import Site
from contracts.event import Event
from contracts.geo import Point, distance_m
from contracts.nouns import Quality, Reading, Status
from detectors._common.episode import Episode, Ledger, revise
from detectors.severed_cable.belief import OK, WHAT, Belief, Seen, believe
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.monitors import PHASES, Monitor
from detectors.severed_cable.tree import Tree, node_of

KIND = "severed_cable"
OUT_OF_RANGE = int(Quality.OUT_OF_RANGE)
SUSPECTED, CONFIRMED = "suspected", "confirmed"
STRIKE_ODDS, TENSION_ODDS, TILT_ODDS = 2.0, 3.0, 1.0
"""Log-odds lent to the spans at a node by a strike, a fallen conductor, a leaning pole."""


class Open(msgspec.Struct):
    """An episode that was published."""

    episode: Episode
    received: datetime
    state: str = SUSPECTED
    told: tuple[Any, ...] = ()
    """What the last revision said, to say nothing twice."""
    evidence: dict[str, Any] = {}


class State(msgspec.Struct):
    """All state of one line."""

    ledger: Ledger
    monitors: dict[str, Monitor]
    since: datetime | None = None
    """Onset of the losses now looked at: older words of a monitor say nothing of them."""
    newest_loss: datetime | None = None
    judge_at: datetime | None = None
    received: datetime | None = None
    now: Open | None = None


class SeveredCable:
    """Folds the monitors of one line; judges shortly after evidence came, at its own timer."""

    def __init__(self, cfg: SeveredCableConfig, site: Site, snapshot: bytes | None) -> None:
        if site.line is None:
            raise ValueError(f"site {site.id} has no line")
        self._cfg, self._site, self._line = cfg, site, site.line
        self._tree = Tree(site.line)
        self._node: dict[str, str] = {}
        for device in site.devices:
            node = node_of(site.line, device, cfg.near_m)
            if node is not None and node.id in self._tree.place:
                self._node[device.id] = node.id
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger(), {d: Monitor() for d in sorted(self._node)})
        )

    def on_item(self, item: Reading | Status, /) -> Iterable[Event]:
        """Fold one reading or status; what it means is judged at `wake_at`."""
        state = self._state
        monitor = state.monitors.get(item.device)
        if monitor is None:
            return ()
        if isinstance(item, Status):
            monitor.offline = not item.online  # silence is unknown, never lost
            return ()
        if item.quality & OUT_OF_RANGE:
            return ()
        before, spoke = monitor.lost_since, monitor.at.get(item.metric)
        changed = monitor.fold(item, self._cfg)
        if not changed and not self._first_word(item, spoke):
            return ()
        if monitor.lost_since is not None and before is None:
            self._new_loss(monitor.lost_since, item.received_at)
        lost = any(m.lost_since is not None for m in state.monitors.values())
        if not lost and state.now is None:
            state.since, state.newest_loss = None, None  # a flicker that nobody was told of
        elif state.judge_at is None:
            state.judge_at = item.received_at + timedelta(seconds=self._cfg.settle_s)
        return ()

    def _first_word(self, item: Reading, spoke: datetime | None) -> bool:
        """Whether a monitor tells for the first time since the loss that it still has supply."""
        since = self._state.since
        if since is None or item.metric not in PHASES:
            return False
        known = since + timedelta(seconds=self._cfg.skew_s)
        return item.at >= known and (spoke is None or spoke < known)

    def _new_loss(self, at: datetime, received_at: datetime) -> None:
        state = self._state
        apart = timedelta(seconds=self._cfg.group_s)
        if state.newest_loss is None or (state.now is None and at - state.newest_loss > apart):
            state.since, state.received = at, received_at
        elif state.since is not None and at < state.since and state.since - at < apart:
            state.since = at  # another device's earlier word came later
        state.newest_loss = max(at, state.newest_loss) if state.newest_loss else at

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Judge what has come in."""
        state = self._state
        state.judge_at = None
        if state.since is None:
            return ()
        lost = [d for d, m in state.monitors.items() if m.lost_since is not None]
        if not lost:
            closing = [self._revise(state.now, ended="restored")] if state.now else []
            state.now, state.since, state.newest_loss = None, None, None
            return closing
        return self._judge(now)

    def wake_at(self) -> datetime | None:
        """When evidence that came in is judged."""
        return self._state.judge_at

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    # --- judging ----------------------------------------------------------------------------

    def _judge(self, now: datetime) -> Iterable[Event]:
        state, cfg = self._state, self._cfg
        assert state.since is not None
        planned = self._planned()
        seen = self._seen(planned)
        if not any(one.what != OK for one in seen.values()):
            return ()
        support, kinds = self._support(seen)
        belief = believe(self._tree, seen, support, cfg)
        if state.now is None:
            if belief.cable < cfg.suspect_p:
                return ()
            episode = state.ledger.open(KIND, self._site.id, state.since)
            state.now = Open(episode, state.received or now)
        current = state.now
        if self._restoring(current, seen):
            return ()  # where it was is known best from when all of it was dark
        if current.state == SUSPECTED and belief.cable < cfg.drop_p:
            state.now = None
            current.evidence = self._evidence(belief, seen, kinds, planned)
            return (self._revise(current, ended="ruled_out"),)
        monitors = sum(one.what != OK for one in seen.values())
        sure = belief.cable >= cfg.confirm_p and (monitors >= 2 or len(kinds) >= 2)
        if sure and current.state == SUSPECTED:
            ripe = current.received + timedelta(seconds=cfg.hold_s)
            if now >= ripe or kinds - {"voltage"}:
                current.state = CONFIRMED
            else:
                state.judge_at = ripe
        current.evidence = self._evidence(belief, seen, kinds, planned)
        told = (
            current.state,
            current.evidence["what"],
            [s for s, p in current.evidence["spans"] if p >= 0.1],
        )
        if told == current.told:
            return ()
        current.told = told
        return (self._revise(current),)

    def _restoring(self, current: Open, seen: dict[str, Seen]) -> bool:
        """Whether monitors that were dark are back and no other has gone dark since."""
        told = set(current.evidence.get("lost", ()))
        dark = {node for node, one in seen.items() if one.what != OK}
        return bool(told - dark) and dark <= told

    def _seen(self, planned: set[str]) -> dict[str, Seen]:
        state = self._state
        seen: dict[str, Seen] = {}
        skew = timedelta(seconds=self._cfg.skew_s)
        assert state.since is not None
        for device, monitor in state.monitors.items():
            node = self._node[device]
            # What was there just before the loss says nothing, and clocks differ a little.
            since = monitor.lost_since or state.since + skew
            what = monitor.sees(since, self._cfg)
            if what is None or node in planned:
                continue
            customer = self._line.nodes[node].what == "customer"
            if node in seen and seen[node].what != OK:
                continue  # two devices on one pole: the one that misses something counts
            seen[node] = Seen(what, monitor.phases, customer, device)
        return seen

    def _support(self, seen: dict[str, Seen]) -> tuple[dict[str, float], set[str]]:
        """(log-odds by node, kinds of evidence there are)."""
        support: dict[str, float] = {}
        kinds: set[str] = set()
        since = self._state.since
        assert since is not None
        early = since - timedelta(seconds=self._cfg.strike_s)
        late = since + timedelta(seconds=self._cfg.group_s)
        for device, monitor in self._state.monitors.items():
            node = self._node[device]
            if node in seen and seen[node].what != OK:
                kinds.add("last_gasp" if monitor.gasp is not None else "voltage")
            for name, at, odds in (
                ("strike", monitor.strike, STRIKE_ODDS),
                ("tension", monitor.fallen, TENSION_ODDS),
                ("tilt", monitor.leaning, TILT_ODDS),
            ):
                if at is not None and early <= at <= late:
                    support[node] = support.get(node, 0.0) + odds
                    kinds.add(name)
            if monitor.unloaded is not None and early <= monitor.unloaded <= late:
                kinds.add("current")
        return support, kinds

    def _planned(self) -> set[str]:
        """Nodes that a planned work may have switched off at the onset."""
        since = self._state.since
        dark: set[str] = set()
        for work in self._site.works:
            if since is None or not work.start <= since <= work.end:
                continue
            dark |= self._tree.covered(work.assets)
            if work.point is not None and not work.assets:
                for node in self._line.nodes.values():
                    if distance_m(node.point, work.point) <= work.radius_m:
                        dark.update(self._tree.subtree(node.id))
        return dark & set(self._tree.order)

    # --- what is published -----------------------------------------------------------------

    def _evidence(
        self, belief: Belief, seen: dict[str, Seen], kinds: set[str], planned: set[str]
    ) -> dict[str, Any]:
        spans = belief.spans.sum(axis=1) / max(belief.cable, 1e-12)
        ranked = sorted(range(spans.size), key=lambda i: (-float(spans[i]), i))
        shown = [i for i in ranked if spans[i] >= self._cfg.shown_p]
        best = self._tree.spans[ranked[0]]
        lon, lat, half = self._tree.middle(best)
        error, mass = half, 0.0
        for i in ranked:
            there = self._tree.middle(self._tree.spans[i])
            reach = distance_m(Point(lon, lat), Point(there[0], there[1])) + there[2]
            error, mass = max(error, reach), mass + float(spans[i])
            if mass >= 0.9:
                break
        what = WHAT[int(np.argmax(belief.spans.sum(axis=0)))]
        owners = {self._tree.spans[i].owner for i in shown if spans[i] >= 0.05}
        lost = sorted(n for n, one in seen.items() if one.what != OK)
        return {
            "spans": [[self._tree.spans[i].id, round(float(spans[i]), 4)] for i in shown],
            "point": {"lon": round(lon, 7), "lat": round(lat, 7)},
            "error_m": round(error, 1),
            "what": what,
            "owners": sorted(o for o in owners if o),
            "ruled_out": self._ruled_out(belief, planned),
            "p": round(belief.cable, 4),
            "lost": lost,
            "there": sorted(n for n, one in seen.items() if one.what == OK),
            "unknown": sorted(set(self._node.values()) - set(seen) - planned),
            "evidence_kinds": sorted(kinds),
        }

    def _ruled_out(self, belief: Belief, planned: set[str]) -> list[dict[str, Any]]:
        others = {
            "upstream_outage": belief.outage,
            "sensor_or_customer": sum(belief.faults.values()),
        }
        out = [{"what": what, "p": round(p, 4)} for what, p in others.items() if p < 0.05]
        if not planned:
            out.append({"what": "planned_work", "p": 0.0})
        return out

    def _revise(self, current: Open, *, ended: str | None = None) -> Event:
        evidence = {**current.evidence, "state": current.state}
        if ended is not None:
            evidence["ended"] = ended
        point = evidence["point"]
        return revise(
            current.episode,
            kind=KIND,
            site=self._site.id,
            device=None,
            point=Point(point["lon"], point["lat"]),
            severity=5 if current.state == CONFIRMED else 4,
            evidence=evidence,
            closed=ended is not None,
        )
