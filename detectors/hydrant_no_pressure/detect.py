"""The hydrants of one supply: lone ones that stand low, and zones that fall together.

A hydrant stands low when its pressure stays below what a fire needs, or far below what is usual at
this hour. Those that fall together are one event: a main or the supply. The others are one event
each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contracts.clock import iso
from contracts.detector import Site
from contracts.event import Event
from contracts.geo import distance_m
from contracts.nouns import Quality, Reading
from detectors._common.episode import Episode, Ledger, revise
from detectors._common.works import planned
from detectors.hydrant_no_pressure.cause import Cause, fallen, judge, together, unsettled
from detectors.hydrant_no_pressure.config import HydrantConfig
from detectors.hydrant_no_pressure.gauge import DOWN, OK, TRUE_KPA, Gauge
from detectors.hydrant_no_pressure.sites import middle
from detectors.hydrant_no_pressure.told import Facts, ruled_out, words

KIND = "hydrant_no_pressure"
FAULTY = int(Quality.STUCK | Quality.OUT_OF_RANGE)
"""A reading that the screen found faulty is no evidence of water or of none."""
UNITS = {"value": "kPa", "pressure": "kPa", "usual": "kPa", "lines": "kPa", "curve": "kPa"}


class Open(msgspec.Struct):
    """An open episode."""

    episode: Episode
    site: str
    members: list[str]
    onset: float
    what: str
    severity: int
    nearest: str
    told: float
    heard: datetime
    state: str = ""
    named: int = 0
    """Members when it was last told."""


class State(msgspec.Struct):
    """All state of one site."""

    ledger: Ledger
    gauges: dict[str, Gauge]
    open: list[Open] = []


class Hydrants:
    """Folds the readings of all hydrants of one site."""

    def __init__(self, cfg: HydrantConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg = cfg
        self._site = site
        self._points = {d.id: d.point for d in site.devices}
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger(), {})
        )

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Fold one reading."""
        if item.quality & FAULTY:
            return ()
        gauge = self._state.gauges.get(item.device)
        if gauge is None:
            gauge = self._state.gauges[item.device] = Gauge()
        v = item.value
        if item.metric != "pressure":
            if item.metric == "battery":
                gauge.battery = v
            elif item.metric == "temperature":
                gauge.temperature = v
            return ()
        if not TRUE_KPA[0] < v < TRUE_KPA[1]:
            return ()
        cfg = self._cfg
        if v == 0.0 and gauge.battery is not None and gauge.battery < cfg.battery_low_v:
            return ()  # a gauge that dies says 0: nobody knows what the hydrant has
        t = item.at.timestamp()
        before = gauge.stands
        stands = gauge.fold(t, v, cfg)
        if stands == OK and before == OK:
            return ()
        return self._think(item, t, stands)

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Of an open event nobody was heard for too long: it ends as unknown."""
        gone = [o for o in self._state.open if now >= self._given_up(o)]
        out = []
        for one in gone:
            out.append(self._revise(one, one.heard.timestamp(), "no_reading"))
            self._state.open.remove(one)
            for name in one.members:
                self._state.gauges[name].let_go()
        return out

    def wake_at(self) -> datetime | None:
        """When an open event without readings is given up."""
        if not self._state.open:
            return None
        return min(self._given_up(o) for o in self._state.open)

    def _given_up(self, one: Open) -> datetime:
        pause = max(self._state.gauges[m].pause for m in one.members)
        return one.heard + timedelta(seconds=max(self._cfg.forget_s, 3 * pause))

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    # --- one event or one zone ----------------------------------------------------------------

    def _think(self, item: Reading, t: float, stands: int) -> Iterable[Event]:
        """Somebody stands low, or did."""
        name = item.device
        mine = next((o for o in self._state.open if name in o.members), None)
        if mine is not None:
            mine.heard = max(mine.heard, item.received_at)
            return self._follow(mine, t)
        if stands != DOWN:
            return ()
        gauges = self._state.gauges
        members = together(name, gauges, t, self._cfg)
        if len(members) == 1 and unsettled(name, gauges, t, self._cfg):
            return ()  # a neighbour's next report says whether it is one or all
        zone = self._zone(name, members, t)
        if zone is not None:
            zone.heard = max(zone.heard, item.received_at)
            zone.members.extend(m for m in members if m not in zone.members and self._free(m))
            return self._follow(zone, t)
        members = tuple(m for m in members if self._free(m))
        site = self._site.id if len(members) > 1 else name
        since = gauges[name].since
        episode = self._state.ledger.open(KIND, site, _moment(since))
        opened = Open(episode, site, list(members), since, "", 0, name, t, item.received_at)
        self._state.open.append(opened)
        return (self._revise(opened, t),)

    def _free(self, name: str) -> bool:
        return all(name not in o.members for o in self._state.open)

    def _zone(self, name: str, members: tuple[str, ...], t: float) -> Open | None:
        """The open event that this hydrant's fall belongs to."""
        for one in self._state.open:
            if set(one.members) & set(members):
                return one
            near = self._state.gauges[name].since - one.onset
            if len(one.members) > 1 and abs(near) <= self._cfg.together_s:
                most = max(fallen(self._state.gauges[m], t) for m in one.members)
                if fallen(self._state.gauges[name], t) >= self._cfg.together_share * most:
                    return one
        return None

    def _follow(self, one: Open, t: float) -> Iterable[Event]:
        gauges = self._state.gauges
        low = [m for m in one.members if gauges[m].stands == DOWN]
        if not low:
            # those who only sagged with it were never known to be down
            adopted = any(gauges[m].first == gauges[m].last for m in one.members)
            event = self._revise(one, t, "adopted" if adopted else "back")
            self._state.open.remove(one)
            return (event,)
        if t - one.told < self._cfg.update_s and not (one.named == 1 < len(one.members)):
            return ()
        cause = self._cause(one, t)
        said = (one.what, one.severity, one.state, one.named)
        severity = max(cause.severity, one.severity)
        if (cause.what, severity, self._known(one), len(one.members)) != said:
            return (self._revise(one, t),)
        return ()

    def _known(self, one: Open) -> str:
        """`suspected` while one report, or nothing but exact zeros of one gauge, says so."""
        gauge = self._state.gauges[one.nearest]
        if one.state == "confirmed" or len(one.members) > 1:
            return "confirmed"
        few = gauge.count < self._cfg.hold_readings
        return "suspected" if few or gauge.zeros >= gauge.count else "confirmed"

    def _cause(self, one: Open, t: float) -> Cause:
        told = Cause(one.what, one.severity, one.nearest)
        if one.what and t - one.onset > self._cfg.cause_s:
            return told
        cause = judge(one.members, self._state.gauges, t, self._cfg)
        if one.what == "supply" and cause.what == "main":  # what all felt, all felt
            return told
        return Cause("works", 2, cause.nearest) if self._work(one) else cause

    def _work(self, one: Open) -> str:
        return planned(self._site.works, _moment(one.onset))

    # --- what is published --------------------------------------------------------------------

    def _revise(self, one: Open, t: float, ended: str | None = None) -> Event:
        cfg, gauges = self._cfg, self._state.gauges
        if ended is None:
            cause = self._cause(one, t)
            one.what, one.nearest = cause.what, cause.nearest
            one.severity = max(one.severity, cause.severity) if cause.what != "works" else 2
            one.state, one.told, one.named = self._known(one), t, len(one.members)
        gauge = gauges[one.nearest]
        usual = gauge.expected(t)
        zeros = len(one.members) == 1 and gauge.count > 0 and gauge.zeros >= gauge.count
        heard = sum(g.level is not None for g in gauges.values())
        facts = Facts(
            what=one.what,
            value=gauge.value,
            usual=usual,
            least=cfg.min_kpa,
            lasted_s=t - one.onset,
            members=len(one.members),
            heard=heard,
            nearest=one.nearest,
            learning=gauge.learning(one.onset, cfg),
            zeros=zeros,
            work=self._work(one),
        )
        why, why_zh = words(facts)
        if ended == "back":
            why, why_zh = ["the pressure is back"], ["压力已恢复"]
        elif ended == "adopted":
            days = cfg.adopt_s / 86400
            why = [f"lower for {days:.0f} days and steady: this is how the zone is run now"]
            why_zh = [f"压力已稳定在较低水平{days:.0f}天，视为新的常态"]
        elif ended == "no_reading":
            why, why_zh = ["nothing more was heard: unknown"], ["此后无上报，状态未知"]
        fell = {m: round(fallen(gauges[m], t), 1) for m in one.members}
        evidence: dict[str, Any] = {
            "value": round(gauge.value, 1),
            "metric": "pressure",
            "usual": round(usual, 1) if usual is not None else None,
            "fallen": fell[one.nearest],
            "lowest": round(gauge.lowest, 1),
            "cause": one.what,
            "state": one.state,
            "learning": facts.learning,
            "since": iso(_moment(one.onset)),
            "zone": sorted(one.members) if len(one.members) > 1 else [],
            "devices": {m: {"value": round(gauges[m].value, 1), "fallen": fell[m]} for m in fell},
            "nearest": one.nearest,
            "why": why,
            "why_zh": why_zh,
            "ruled_out": ruled_out(facts),
            "lines": {"least": cfg.min_kpa, "usual": round(usual, 1) if usual else None},
            "curve": [[iso(_moment(at)), round(x, 1)] for at, x in gauge.curve],
            "battery": gauge.battery,
            "temperature": gauge.temperature,
            "units": UNITS,
        }
        places = [self._points[m] for m in one.members]
        point = middle(places) if one.what == "supply" else self._points[one.nearest]
        if len(places) > 1:
            evidence["error_m"] = round(max(distance_m(point, p) for p in places), 1)
        if ended is not None:
            evidence["ended"] = ended
        return revise(
            one.episode,
            kind=KIND,
            site=one.site,
            device=one.nearest,
            point=point,
            severity=one.severity,
            evidence=evidence,
            closed=ended is not None,
        )


def _moment(t: float) -> datetime:
    return datetime.fromtimestamp(math.floor(t * 1000 + 0.5) / 1000, UTC)
