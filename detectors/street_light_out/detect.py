"""The lamps of one circuit: those that are out alone, and all that went out together.

A lamp should burn when the sun is down and it usually burns at this half hour; before that is
known, when its neighbours burn. Nothing is concluded from silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median

import msgspec

from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Quality, Reading
from detectors._common.episode import Ledger, revise
from detectors._common.moment import moment
from detectors._common.works import concerns, planned
from detectors.street_light_out.config import LightConfig
from detectors.street_light_out.lamp import BY_DAY, MOST_DROPS, OK, OUT, WEAK, Lamp
from detectors.street_light_out.sites import LIGHT, VOLTS, is_lamp
from detectors.street_light_out.sun import elevation, night, slot
from detectors.street_light_out.supply import LOST, Phase, lost
from detectors.street_light_out.told import CONFIRMED, Open, evidence

KIND = "street_light_out"
FAULTY = int(Quality.OUT_OF_RANGE)
MOST = 1e6
SUN_S = 300.0
RANK = {metric: k for k, metric in enumerate(LIGHT)}
LONE = {OUT: "lamp", WEAK: "weak", BY_DAY: "day_burner"}


class State(msgspec.Struct):
    """All state of one circuit."""

    ledger: Ledger
    lamps: dict[str, Lamp] = {}
    volts: dict[str, dict[str, Phase]] = {}
    open: list[Open] = []


class Lights:
    """Folds the readings of all lamps of one circuit, and of the monitors of its line."""

    def __init__(self, cfg: LightConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg, self._site = cfg, site
        self._lamps = {d.id: d.point for d in site.devices if is_lamp(d)}
        self._works = {
            d.id: tuple(w for w in site.works if concerns(w, (site.id, d.id), d.point))
            for d in site.devices
        }
        self._sun_at, self._sun = -1, 0.0
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger())
        )

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Fold one reading."""
        v, metric, name = item.value, item.metric, item.device
        if item.quality & FAULTY or not -1.0 < v < MOST:
            return ()
        t = item.at.timestamp()
        if metric in VOLTS:
            some = self._state.volts.setdefault(name, {})
            some.setdefault(metric, Phase()).hear(t, v)
            return ()
        if name not in self._lamps:
            return ()
        lamp = self._state.lamps.get(name)
        if lamp is None:
            lamp = self._state.lamps[name] = Lamp()
        if metric != lamp.metric and not self._main(lamp, metric, t, v):
            return ()
        if t <= lamp.last:
            return ()
        before = lamp.stands
        lamp.hear(t, v)
        self._look(name, lamp, t, v)
        if lamp.stands == OK and before == OK and not self._state.open:
            return ()
        return self._think(item, lamp, t)

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Of an open event nobody was heard for too long: it ends as unknown."""
        gone = [one for one in self._state.open if now >= self._given_up(one)]
        return [self._end(one, "no_reading", one.last) for one in gone]

    def wake_at(self) -> datetime | None:
        """When an open event without readings is given up."""
        if not self._state.open:
            return None
        return min(self._given_up(one) for one in self._state.open)

    def _given_up(self, one: Open) -> datetime:
        return one.heard + timedelta(seconds=self._cfg.forget_s)

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    # --- one lamp -----------------------------------------------------------------------------

    def _main(self, lamp: Lamp, metric: str, t: float, v: float) -> bool:
        """Whether this metric is now the one that tells of the lamp."""
        if not lamp.metric or RANK[metric] < RANK[lamp.metric]:
            if lamp.metric:
                lamp.anew()
                lamp.curve = []
            lamp.metric = metric
            return True
        if metric == "lux":
            lamp.lux, lamp.lux_at = v, t
            if lamp.stands == OK and lamp.lit and self._height(t) <= self._cfg.night_deg:
                lamp.lux_lit += 0.1 * (v - lamp.lux_lit)
        return False

    def _height(self, t: float) -> float:
        """The sun's, kept for five minutes (a degree and a quarter at the most)."""
        at = int(t // SUN_S)
        if at != self._sun_at:
            point = self._site.point
            self._sun_at, self._sun = at, elevation(at * SUN_S, point.lon, point.lat)
        return self._sun

    def _look(self, name: str, lamp: Lamp, t: float, v: float) -> None:
        """What the newest value says of the lamp."""
        cfg, lon = self._cfg, self._site.point.lon
        k, sun = slot(t, lon), self._height(t)
        if sun <= cfg.night_deg:
            self._by_night(name, lamp, t, v, k)
        elif sun >= cfg.day_deg:
            if lamp.metric != "lux":
                self._by_day(lamp, t, v, k)
        elif lamp.stands in (OK, BY_DAY) and lamp.metric != "lux":
            lamp.learn(k, night(t, lon), v, cfg)

    def _by_night(self, name: str, lamp: Lamp, t: float, v: float, k: int) -> None:
        cfg, lon = self._cfg, self._site.point.lon
        should, usual = lamp.should(k, cfg), lamp.usual[k]
        if not should and self._prior(name, lamp, t):
            should, usual = True, lamp.peak
        floor = lamp.floor(cfg)
        if not should:
            lamp.learn(k, night(t, lon), v, cfg)
            return
        lamp.ratio = v / usual if usual > floor else float(v > floor)
        burns = v > floor and lamp.ratio >= cfg.out_share
        if not burns and v > floor and lamp.ratio >= cfg.weak_share:
            others = self._dimmed(name, t)
            burns = others is not None and lamp.ratio >= cfg.out_share * others
        if burns or (v <= floor and lamp.shines(t)):
            lamp.mark(OK, t)
            lamp.lit += 1
            lamp.learn(k, night(t, lon), v, cfg)
            return
        if lamp.lit and lamp.stands == OK:
            lamp.drops = [*lamp.drops[1 - MOST_DROPS :], t]
        lamp.lit = 0
        lamp.mark(OUT if v <= floor or lamp.ratio < cfg.weak_share else WEAK, t)

    def _by_day(self, lamp: Lamp, t: float, v: float, k: int) -> None:
        cfg = self._cfg
        should, floor = lamp.should(k, cfg), lamp.floor(cfg)
        burns = lamp.peak > floor and v > floor and v >= cfg.out_share * lamp.peak
        if burns and should is False:  # what burnt by day from the first may be a tunnel's
            lamp.off = 0
            lamp.mark(BY_DAY, t)
            return
        lamp.off += 1
        if lamp.stands == BY_DAY:
            lamp.mark(OK, t)
        lamp.learn(k, night(t, self._site.point.lon), v, cfg)

    def _prior(self, name: str, lamp: Lamp, t: float) -> bool:
        """It has never been seen to burn at this hour or any other: do its neighbours?"""
        cfg = self._cfg
        if lamp.peak > lamp.floor(cfg) or t - lamp.first < 86400.0 * cfg.nights:
            return False
        burn = dark = 0
        for other, one in self._state.lamps.items():
            if other != name and t - one.last <= self._lately(one):
                lit = one.value > one.floor(cfg) and one.value >= cfg.out_share * one.peak
                burn, dark = burn + lit, dark + (not lit)
        return burn >= 2 and burn >= dark

    def _dimmed(self, name: str, t: float) -> float | None:
        """What share of their usual the neighbours draw now, where all of them draw less."""
        least = self._cfg.weak_share  # a driver without its lamp draws less: not dimmed but out
        ratios = [
            one.ratio
            for other, one in self._state.lamps.items()
            if other != name and t - one.last <= self._lately(one) and one.ratio >= least
        ]
        if len(ratios) < 2:
            return None
        middle = median(ratios)
        return middle if middle < 0.8 else None

    def _lately(self, lamp: Lamp) -> float:
        return max(2 * lamp.pause, self._cfg.together_s)

    # --- one lamp or all of them --------------------------------------------------------------

    def _think(self, item: Reading, lamp: Lamp, t: float) -> Iterable[Event]:
        """Some lamp here does otherwise than it should, or did."""
        name = item.device
        one = next((o for o in self._state.open if name in o.members), None)
        if one is not None:
            one.heard = max(one.heard, item.received_at)
            return self._follow(one, name, lamp, t)
        if self._cycles(name, lamp, t) and not self._work(name, t):
            return (self._open(item, "cycling", [name], lamp.drops[0], t),)
        if not self._ready(lamp, t):
            return ()
        if self._work(name, lamp.since):
            return ()
        group, heard = self._together(name, lamp, t)
        if self._is_circuit(group, heard):
            if lamp.stands == BY_DAY:
                if t - lamp.since < self._cfg.day_circuit_s:
                    return ()
                return (self._open(item, "day_circuit", group, lamp.since, t),)
            return self._circuit(item, group, lamp, t)
        wide = next((o for o in self._state.open if o.what == "circuit"), None)
        if wide is not None and lamp.stands == OUT and self._joins(wide, lamp):
            wide.members.append(name)
            wide.heard = max(wide.heard, item.received_at)
            return (self._tell(wide, t),) if t - wide.said >= self._cfg.update_s else ()
        return (self._open(item, LONE[lamp.stands], [name], lamp.since, t),)

    def _ready(self, lamp: Lamp, t: float) -> bool:
        cfg = self._cfg
        hold = {OUT: cfg.hold_s, WEAK: cfg.weak_s, BY_DAY: cfg.day_s}.get(lamp.stands, math.inf)
        return lamp.count >= cfg.hold_reports and t - lamp.since >= hold

    def _joins(self, one: Open, lamp: Lamp) -> bool:
        return abs(lamp.since - one.since) <= max(self._cfg.join_s, 2 * lamp.pause)

    def _together(self, name: str, lamp: Lamp, t: float) -> tuple[list[str], int]:
        """(the lamps that stand as this one does since about the same time, how many are heard)."""
        cfg = self._cfg
        group, heard = [name], 1
        for other, one in self._state.lamps.items():
            if other == name or t - one.last > self._lately(one) or one.peak <= one.floor(cfg):
                continue
            heard += 1
            window = max(cfg.together_s, 1.2 * max(one.pause, lamp.pause))
            # in reports too: between the last of a morning and the first of the evening lies a day
            apart = min(abs(one.since - lamp.since), abs(one.count - lamp.count) * lamp.pause)
            alike = one.stands == lamp.stands and apart <= window
            if alike and self._free(other, t):
                group.append(other)
        if lamp.peak <= lamp.floor(cfg):
            return [name], heard  # it has never burned: that is its own
        return group, heard

    def _free(self, name: str, t: float) -> bool:
        """Whether no event, or only a young one of its own, holds this lamp."""
        one = next((o for o in self._state.open if name in o.members), None)
        return one is None or (one.what == "lamp" and self._young(one, self._state.lamps[name], t))

    def _young(self, one: Open, lamp: Lamp, t: float) -> bool:
        """Whether a lamp's own event may still become its circuit's."""
        return min(t - one.since, lamp.count * lamp.pause) <= self._cfg.join_s

    def _is_circuit(self, group: list[str], heard: int) -> bool:
        n, cfg = len(group), self._cfg
        if n >= cfg.circuit_lamps and n >= 0.2 * heard:
            return True
        return n >= 2 and n >= cfg.circuit_share * heard

    def _circuit(self, item: Reading, group: list[str], lamp: Lamp, t: float) -> Iterable[Event]:
        """All of these went out at once: one event; a lamp's own that is young becomes it."""
        state = self._state
        own = [o for o in state.open if o.what == "lamp" and o.members[0] in group]
        own.sort(key=lambda o: (o.since, o.episode.id))
        since = min([lamp.since, *(state.lamps[m].since for m in group)])
        if not own:
            return (self._open(item, "circuit", group, since, t),)
        out = [self._end(o, "joined", t) for o in own[1:]]
        first = own[0]
        first.what, first.members, first.since = "circuit", group, since
        first.heard = max(first.heard, item.received_at)
        return (*out, self._tell(first, t))

    def _cycles(self, name: str, lamp: Lamp, t: float) -> bool:
        """Whether it, and it alone, goes out and on."""
        cfg = self._cfg
        drops = [d for d in lamp.drops if t - d <= cfg.drops_s]
        if len(drops) < cfg.drops:
            return False
        window = max(900.0, lamp.pause)
        shared = sum(
            any(abs(d - e) <= window for d in drops for e in one.drops)
            for other, one in self._state.lamps.items()
            if other != name
        )
        return shared == 0 or shared < 0.2 * len(self._state.lamps)

    # --- while it lasts -----------------------------------------------------------------------

    def _follow(self, one: Open, name: str, lamp: Lamp, t: float) -> Iterable[Event]:
        cfg, state = self._cfg, self._state
        one.last = max(one.last, t)
        ended = self._ended(one, t)
        if ended:
            drops = [d for d in lamp.drops if t - d <= cfg.drops_s]
            if ended == "back" and one.what == "lamp" and len(drops) >= 2:
                one.what = "cycling"  # back for how long?
                return (self._tell(one, t),)
            return (self._end(one, ended, t),)
        if one.what == "lamp" and lamp.stands == OUT and self._young(one, lamp, t):
            group, heard = self._together(name, lamp, t)
            if self._is_circuit(group, heard):
                one.what, one.members = "circuit", group
                return (self._tell(one, t),)
        supply, _ = lost(state.volts, t, cfg)
        before = (one.state, one.supply)
        if supply == LOST:
            one.supply = supply
        stays = t - one.since >= cfg.confirm_s and lamp.stands != OK
        if one.what in ("circuit", "day_circuit"):
            if stays or (one.supply == LOST and one.what == "circuit"):
                one.state = CONFIRMED
        elif one.what == "cycling":
            if len([d for d in lamp.drops if t - d <= 2 * cfg.drops_s]) > cfg.drops:
                one.state = CONFIRMED
        elif stays and lamp.count >= 2 * cfg.hold_reports:
            one.state = CONFIRMED
        return (self._tell(one, t),) if (one.state, one.supply) != before else ()

    def _ended(self, one: Open, t: float) -> str:
        """How it has ended; empty: it has not."""
        cfg = self._cfg
        lamps = [self._state.lamps[m] for m in one.members]
        if one.what == "cycling":
            (lamp,) = lamps
            calm = not lamp.drops or t - lamp.drops[-1] >= cfg.steady_s
            return "steady" if calm and lamp.stands == OK else ""
        if one.what in ("day_burner", "day_circuit"):
            back = sum(lamp.off >= cfg.back_reports for lamp in lamps)
        else:
            back = sum(lamp.lit >= cfg.back_reports for lamp in lamps)
        if back >= 0.8 * len(lamps):
            return "back"
        if one.what in ("weak", "circuit", "day_circuit") and one.supply != LOST:
            return "adopted" if t - one.since >= cfg.adopt_s else ""
        return ""

    def _work(self, name: str, t: float) -> str:
        return planned(self._works[name], moment(t)) or planned(
            self._works[name], moment(self._state.lamps[name].last)
        )

    # --- what is published --------------------------------------------------------------------

    def _open(self, item: Reading, what: str, members: list[str], since: float, t: float) -> Event:
        wide = len(members) > 1
        site = self._site.id if wide else members[0]
        supply, _ = lost(self._state.volts, t, self._cfg)
        one = Open(
            episode=self._state.ledger.open(KIND, site, moment(since)), what=what, site=site,
            members=list(members), since=since, heard=item.received_at, last=t, supply=supply,
        )  # fmt: skip
        if wide and supply == LOST:
            one.state = CONFIRMED
        self._state.open.append(one)
        return self._tell(one, t)

    def _end(self, one: Open, ended: str, t: float) -> Event:
        event = self._tell(one, t, ended)
        self._state.open.remove(one)
        for name in one.members:
            lamp = self._state.lamps[name]
            if ended in ("adopted", "no_reading"):
                lamp.mark(OK, t)
            if ended == "adopted":
                lamp.anew()
            if ended in ("steady", "adopted"):
                lamp.drops = []
        return event

    def _tell(self, one: Open, t: float, ended: str | None = None) -> Event:
        one.said = t
        lamps, members = self._state.lamps, one.members
        name = min(members, key=lambda m: (lamps[m].since, m))
        _, gone = lost(self._state.volts, t, self._cfg)
        alone = len(members) == 1
        points = [self._lamps[m] for m in members]
        point = points[0]
        if not alone:
            n = len(points)
            point = type(point)(sum(p.lon for p in points) / n, sum(p.lat for p in points) / n)
        k = slot(lamps[name].last, self._site.point.lon)
        heard = sum(t - lamp.last <= self._lately(lamp) for lamp in lamps.values())
        lit = sum(lamp.stands == OK for m, lamp in lamps.items() if m not in members)
        return revise(
            one.episode,
            kind=KIND,
            site=one.site,
            device=name if alone else None,
            point=point,
            severity=one.severity(),
            evidence=evidence(
                one,
                lamps[name],
                k=k,
                sun=self._height(lamps[name].last),
                heard=heard,
                lit=lit,
                gone=gone,
                cfg=self._cfg,
                ended=ended,
            ),
            closed=ended is not None,
        )
