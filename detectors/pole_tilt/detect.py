"""The poles of one line or street: which of them leans for good.

Told at once: a pole that lies (two reports), and one that moved right after a blow. Everything
else must stay, the longer the smaller it is. Nothing is concluded from silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Quality, Reading
from detectors._common.episode import Ledger, revise
from detectors._common.moment import moment
from detectors._common.works import concerns, planned
from detectors.pole_tilt.config import PoleConfig
from detectors.pole_tilt.pole import HOUR_S, MOST_NOW, Axis, Pole, Shift
from detectors.pole_tilt.told import CONFIRMED, SUSPECTED, Open, evidence

KIND = "pole_tilt"
OUT_OF_RANGE, SPIKE = int(Quality.OUT_OF_RANGE), int(Quality.SPIKE)
MOST_DEG = 361.0
QUICK = ("fallen", "struck")
QUICK_H = 3.0


class State(msgspec.Struct):
    """All state of one site."""

    ledger: Ledger
    poles: dict[str, Pole] = {}
    open: dict[str, Open] = {}


class Poles:
    """Folds the readings of all poles of one site."""

    def __init__(self, cfg: PoleConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg, self._site = cfg, site
        self._points = {d.id: d.point for d in site.devices}
        self._works = {
            d.id: tuple(w for w in site.works if concerns(w, (site.id, d.id), d.point))
            for d in site.devices
        }
        self._tiers = (
            ("far", cfg.far_deg, cfg.far_h),
            ("lean", cfg.lean_deg, cfg.lean_h),
            ("slight", cfg.slight_deg, cfg.slight_h),
            ("slight", cfg.slight_deg, 2 * cfg.slight_h),
        )
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger())
        )

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Fold one reading."""
        name, metric, v = item.device, item.metric, item.value
        if item.quality & OUT_OF_RANGE or name not in self._points:
            return ()
        state = self._state
        pole = state.poles.get(name)
        if pole is None:
            pole = state.poles[name] = Pole()
        if metric == "vibration":
            if v >= self._cfg.struck_mps2:
                pole.blow = (item.at.timestamp(), v)
            return ()
        if not -MOST_DEG < v < MOST_DEG:
            return ()
        t = item.at.timestamp()
        axis = pole.axes.get(metric)
        if axis is None:
            axis = pole.axes[metric] = Axis()
        axis.last = v
        since = t - pole.last
        if since > 0.0:
            pole.last = t
            if pole.pause and since >= max(self._cfg.gap_s, 4 * pole.pause):
                pole.silent, pole.gap = t, since
            elif pole.hour >= 0:
                pole.pause += (since - pole.pause) * (0.1 if pole.pause else 1.0)
        hour = int(t // HOUR_S)
        events: Iterable[Event] = ()
        if hour > pole.hour:
            if pole.hour >= 0:
                events = self._hour(item, pole, hour)
            else:
                pole.hour, pole.first = hour, t
        now = axis.now
        if len(now) >= MOST_NOW:
            del now[::2]
        now.append(v)
        rest = axis.rest
        if rest is None:
            return events
        if -self._cfg.struck_deg < v - rest < self._cfg.struck_deg and not pole.far:
            one = state.open.get(name)
            if one is None or one.cause not in QUICK:
                return events
        return (*events, *self._at_once(item, pole, t))

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Of an open event's pole nobody heard for too long: it ends as unknown."""
        gone = [name for name, one in self._state.open.items() if now >= self._given_up(one)]
        return [self._end(name, "no_reading") for name in gone]

    def wake_at(self) -> datetime | None:
        """When an open event whose pole is silent is given up."""
        if not self._state.open:
            return None
        return min(self._given_up(one) for one in self._state.open.values())

    def _given_up(self, one: Open) -> datetime:
        return one.heard + timedelta(days=self._cfg.forget_days)

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    # --- fallen, struck -----------------------------------------------------------------------

    def _at_once(self, item: Reading, pole: Pole, t: float) -> Iterable[Event]:
        """A reading far from rest, or any of a pole that was told fallen or struck."""
        cfg, name = self._cfg, item.device
        one = self._state.open.get(name)
        rests = one.rests if one is not None else pole.rests()
        off = pole.off(rests)
        if off >= cfg.turned_deg:
            pole.turned += 1
            if pole.turned < 2 * len(rests):
                return ()
            ended = (self._end(name, "remounted"),) if one is not None else ()
            pole.anew()
            return ended
        pole.turned = 0
        if off < cfg.fallen_deg:
            pole.far = []
            if one is None:
                return self._struck(item, pole, t, off, rests)
        else:
            if not pole.far or t > pole.far[-1]:
                pole.far = [*pole.far[:1], t]
            if one is None or one.cause not in QUICK:
                rare = pole.pause >= HOUR_S and not item.quality & SPIKE
                if len(pole.far) < 2 and not rare:
                    return ()
                if one is None:
                    if self._work(name, pole.far[0], pole):
                        return ()
                    return (self._open(item, "fallen", pole.far[0], off, cfg.fallen_deg, rests),)
                one.cause, one.limit, one.state = "fallen", cfg.fallen_deg, SUSPECTED
                one.size, one.stayed, one.since = off, 0, pole.far[0]
                return (self._tell(name, pole),)
        return self._quick(item, pole, one, t, off)

    def _struck(
        self, item: Reading, pole: Pole, t: float, off: float, rests: dict[str, float]
    ) -> Iterable[Event]:
        cfg = self._cfg
        limit = max(cfg.struck_deg, 6 * pole.noise)
        after = max(cfg.struck_s, min(1.5 * pole.pause, 4 * HOUR_S))  # the next report, if rare
        if pole.blow is None or not 0.0 <= t - pole.blow[0] <= after or off < limit:
            return ()
        shaken = sum(
            other is not pole
            and other.blow is not None
            and abs(other.blow[0] - pole.blow[0]) <= cfg.struck_s
            for other in self._state.poles.values()
        )
        if shaken >= cfg.together or self._work(item.device, t, pole):
            return ()  # a storm shakes all of them, a lorry one
        return (self._open(item, "struck", pole.blow[0], off, limit, rests),)

    def _quick(self, item: Reading, pole: Pole, one: Open, t: float, off: float) -> Iterable[Event]:
        """A pole that was told fallen or struck: does it stay, is it back?"""
        if one.cause not in QUICK:
            return ()
        cfg, name = self._cfg, item.device
        one.heard = item.received_at
        if t <= one.last:
            return ()
        one.last = t
        if off < cfg.back_share * one.limit:
            one.backs += 1
            return (self._end(name, "back"),) if one.backs >= 2 else ()
        one.backs = 0
        one.stayed += 1
        one.size = off
        one.peak = max(one.peak, off)
        if one.state == SUSPECTED and one.stayed >= 2 and t - one.since >= cfg.fallen_s:
            one.state = CONFIRMED
            return (self._tell(name, pole),)
        if abs(off - one.told) > max(cfg.update_deg, 0.3 * one.told):
            return (self._tell(name, pole),)
        return ()

    # --- by the hour --------------------------------------------------------------------------

    def _hour(self, item: Reading, pole: Pole, hour: int) -> Iterable[Event]:
        """An hour is over: has it leaned for long enough?"""
        cfg, name = self._cfg, item.device
        one = self._state.open.get(name)
        pole.close_hour(hour, cfg, learn=one is None)
        if one is not None:
            return self._follow(item, pole, one)
        rests = pole.rests()
        if not rests:
            return ()
        gate = 0.25 * cfg.slight_deg
        if all(-gate < pole.axes[n].looks[-1][1] - r < gate for n, r in rests.items()):
            return ()
        for cause, degrees, hours in self._tiers:
            limit = max(degrees, cfg.noise_times * pole.noise)
            shift = pole.shift(hours, rests, cfg)
            if shift is None or shift.by < limit:
                continue
            recent = pole.shift(QUICK_H, rests, cfg)
            if recent is not None and recent.size >= cfg.back_share * limit:
                return self._leans(item, pole, cause, shift, limit, hours, rests)
        return self._creeps(item, pole)

    def _leans(
        self,
        item: Reading,
        pole: Pole,
        cause: str,
        shift: Shift,
        limit: float,
        hours: float,
        rests: dict[str, float],
    ) -> Iterable[Event]:
        cfg, name = self._cfg, item.device
        onset = pole.onset(shift, rests)
        movers = self._movers(name, hours, 0.5 * limit)
        if len(movers) >= cfg.together and pole.last - onset < cfg.together_times * hours * HOUR_S:
            return ()
        if self._work(name, onset, pole):
            return ()
        return (self._open(item, cause, onset, shift.size, limit, rests, hours, shift, movers),)

    def _creeps(self, item: Reading, pole: Pole) -> Iterable[Event]:
        """The rest itself has moved away from what it was at first, over months."""
        cfg = self._cfg
        bases = {n: b for n in pole.used() if (b := pole.axes[n].base) is not None}
        rests = pole.rests()
        if not bases or bases.keys() != rests.keys():
            return ()
        if sum((rests[n] - b) ** 2 for n, b in bases.items()) < cfg.creep_deg**2:
            return ()
        hours = min(24.0 * cfg.creep_days, 168.0)
        shift = pole.shift(hours, bases, cfg)
        if shift is None or shift.by < 0.9 * cfg.creep_deg:
            return ()
        onset = pole.last - hours * HOUR_S
        return (
            self._open(item, "creep", onset, shift.size, cfg.creep_deg, bases, hours, shift, ()),
        )

    def _follow(self, item: Reading, pole: Pole, one: Open) -> Iterable[Event]:
        """An event is open: confirmed, worse, back, or left so?"""
        cfg, name = self._cfg, item.device
        one.heard = item.received_at
        recent = pole.shift(max(one.hours / 4, QUICK_H), one.rests, cfg)
        if recent is None:
            return ()
        if one.cause not in QUICK and recent.size < cfg.back_share * one.limit:
            return (self._end(name, "back"),)
        if pole.last - one.since >= cfg.adopt_days * 86400.0:
            return (self._end(name, "adopted"),)
        before = (one.state, one.severity())
        if one.cause not in QUICK:
            one.size = recent.size
            one.peak = max(one.peak, recent.size)
            self._confirm(pole, one)
        worse = abs(one.size - one.told) > max(cfg.update_deg, 0.3 * one.told)
        if worse or (one.state, one.severity()) != before:
            return (self._tell(name, pole),)
        return ()

    def _confirm(self, pole: Pole, one: Open) -> None:
        """It has stayed for longer than some span asks."""
        cfg = self._cfg
        least = (cfg.least_looks + 1) * pole.pause
        tiers: tuple[tuple[str, float, float], ...] = self._tiers
        if one.cause == "creep":
            tiers = (("creep", 0.9 * cfg.creep_deg, one.hours),)
        for _, degrees, hours in tiers:
            stay = max(cfg.confirm_times * hours * HOUR_S, least)
            if one.cause == "creep":
                stay = cfg.creep_days * 86400.0
            if pole.last - one.since < stay:
                continue
            shift = pole.shift(hours, one.rests, cfg)
            if shift is not None and shift.by >= max(degrees, cfg.noise_times * pole.noise):
                one.shift, one.state = shift, CONFIRMED
                return

    # --- what else explains it ----------------------------------------------------------------

    def _movers(self, name: str, hours: float, degrees: float) -> tuple[str, ...]:
        """The other poles of the site that have moved or swayed so far of late."""
        state, cfg = self._state, self._cfg
        here = state.poles[name]
        found = []
        for other, pole in state.poles.items():
            rests = pole.rests()
            if other == name or not rests or here.last - pole.last > hours * HOUR_S:
                continue
            shift = pole.shift(hours, rests, cfg)
            if shift is not None and max(shift.size, shift.scatter) >= degrees:
                found.append(other)
        return tuple(found)

    def _work(self, name: str, onset: float, pole: Pole) -> str:
        """The planned work that moved it; how it stands then is its new rest."""
        work = planned(self._works[name], moment(onset)) or planned(
            self._works[name], moment(onset + HOUR_S)
        )
        if work:
            pole.anew()
        return work

    # --- what is published --------------------------------------------------------------------

    def _open(
        self,
        item: Reading,
        cause: str,
        onset: float,
        size: float,
        limit: float,
        rests: dict[str, float],
        hours: float = QUICK_H,
        shift: Shift | None = None,
        movers: tuple[str, ...] = (),
    ) -> Event:
        state, name = self._state, item.device
        episode = state.ledger.open(KIND, name, moment(onset))
        state.open[name] = Open(
            episode=episode, cause=cause, since=onset, limit=limit, hours=hours, rests=dict(rests),
            size=size, peak=size, shift=shift, movers=list(movers), heard=item.received_at,
            last=state.poles[name].last, stayed=1,
        )  # fmt: skip
        return self._tell(name, state.poles[name])

    def _end(self, name: str, ended: str) -> Event:
        state, pole, cfg = self._state, self._state.poles[name], self._cfg
        event = self._tell(name, pole, ended)
        one = state.open.pop(name)
        pole.far, pole.blow = [], None
        for axis in pole.axes.values():
            axis.today = []
            if ended == "back":  # how it leaned says nothing of what comes
                axis.looks = axis.looks[-cfg.least_looks :]
        if ended == "adopted" or (ended == "back" and one.cause == "creep"):
            pole.anew()
        return event

    def _tell(self, name: str, pole: Pole, ended: str | None = None) -> Event:
        one = self._state.open[name]
        one.told = one.size
        heard = len(self._state.poles) - 1
        return revise(
            one.episode,
            kind=KIND,
            site=name,
            device=name,
            point=self._points[name],
            severity=one.severity(),
            evidence=evidence(one, pole, self._cfg, heard, ended),
            closed=ended is not None,
        )
