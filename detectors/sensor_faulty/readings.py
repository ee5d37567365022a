"""Devices that measure: one fold for a neighbourhood, so that each is judged beside the others.

A neighbourhood is a drainage network, a line, or a device on its own. One episode per device, from
the first fault that stands until none has stood for a while; when faults change, it says so.
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
from contracts.nouns import Reading
from detectors._common.episode import Episode, Ledger, revise
from detectors.sensor_faulty import dropout, leaps
from detectors.sensor_faulty.channel import BLOCK, GAP, OUT, SAME, STEP, Channel
from detectors.sensor_faulty.clock import AHEAD_S, BEHIND_S, ClockWatch
from detectors.sensor_faulty.config import KIND, SensorFaultyConfig
from detectors.sensor_faulty.drift import DriftWatch, ended
from detectors.sensor_faulty.dropout import Patch
from detectors.sensor_faulty.limits import metric_of
from detectors.sensor_faulty.metrics import CODES, Metric
from detectors.sensor_faulty.stuck import stuck
from detectors.sensor_faulty.told import HOLD_REPORTS, HOLDS_S, TODO, WHATS, Finding, named, spell

FRESH = timedelta(seconds=BEHIND_S)
FUTURE = timedelta(seconds=-AHEAD_S)
OUTS = 3
"""This many readings out of range in a row are a fault; fewer are a spike."""
SPIKES, SPIKES_S = 3, 86400.0
"""This many spikes within that time (seconds) are a fault ..."""
SPIKES_SOON, SOON_S = 2, 21600.0
"""... or this many within that."""
SPIKES_SHARE = 0.6
"""Of all the leaps lately: where few come back exactly, something moves the water."""
WILD = 1.5
"""Where leaps (faded) were neither spikes nor debris, none is told: pumps and waves are at work."""
RAIN_S = 10800.0
"""After rain water may come for so long (seconds)."""
ROSE_S = 5400.0
"""A neighbour that rose within this time (seconds) says that there is water about ..."""
ROSE_M = 0.03
"""... by this much from one quarter of an hour to the next (metres)."""
ROSE_SHARE = 0.2
"""... if this share of them did, two at least where there are more."""


class DeviceState(msgspec.Struct):
    """What is known of one device. Times are epoch seconds of receipt unless they say else."""

    heard: float = 0.0
    channels: dict[str, Channel] = {}
    clock: ClockWatch = msgspec.field(default_factory=ClockWatch)
    patches: list[Patch] = []
    marks: dict[str, list[float]] = {}
    """Times of spikes and of readings out of range, by fault and metric."""
    drift: dict[str, DriftWatch] = {}
    rose: float = -math.inf
    """When its water last rose."""
    faults: dict[str, Finding] = {}
    told: list[str] = []
    main: str = ""
    """The fault that the open episode is named after: the first in rank that stood in it."""
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    episode: Episode | None = None


class State(msgspec.Struct):
    """All state of one neighbourhood."""

    devices: dict[str, DeviceState] = {}
    rain: float = -math.inf
    """When it last rained (epoch seconds)."""


class ReadingFaults:
    """Watches the devices of one neighbourhood for what is wrong with the devices themselves."""

    def __init__(self, cfg: SensorFaultyConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg, self._site = cfg, site
        self._known = {device.id: device for device in site.devices}
        self._metrics: dict[tuple[str, str], Metric] = {}
        self._near: dict[str, list[str]] = {}
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State) if snapshot is not None else State()
        )

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Fold one reading."""
        device = self._state.devices.get(item.device)
        if device is None:
            device = self._state.devices[item.device] = DeviceState()
        t = item.at.timestamp()
        value = item.value
        channel = device.channels.get(item.metric)
        metric = self._metrics.get((item.device, item.metric))
        if channel is None or metric is None:
            metric = self._meet(item)
            if channel is None:
                if metric.low <= value <= metric.high:
                    device.channels[item.metric] = self._begin(item, t)
                    device.heard = item.received_at.timestamp()
                return ()
        up = channel.fold(t, value, metric)
        late = False
        if item.sent_at is not None:
            late = not FUTURE <= item.received_at - item.sent_at <= FRESH
        if metric.wet and value > 0.0:
            self._state.rain = t
        if (
            not up
            and not late
            and not device.faults
            and not channel.outs
            and not device.clock.reports
        ):
            device.heard = item.received_at.timestamp()
            return ()
        return self._look(item, device, channel, metric, up, late)

    def on_time(self, _now: datetime, /) -> Iterable[Event]:
        """Nothing: a device that says nothing is silent, which others notice."""
        return ()

    def wake_at(self) -> datetime | None:
        """Never: see `on_time`."""
        return None

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    # --- meeting a device ---------------------------------------------------------------------

    def _meet(self, item: Reading) -> Metric:
        metric = metric_of(self._site, self._known.get(item.device), item.metric)
        self._metrics[item.device, item.metric] = metric
        return metric

    def _begin(self, item: Reading, t: float) -> Channel:
        device = self._known.get(item.device)
        every = device.reports_every_s if device is not None else None
        return Channel(t, item.value, item.value, t, registered=every or 0.0)

    # --- when something is up -----------------------------------------------------------------

    def _look(
        self,
        item: Reading,
        device: DeviceState,
        channel: Channel,
        metric: Metric,
        up: int,
        late: bool,
    ) -> Iterable[Event]:
        now = item.received_at.timestamp()
        if late and item.sent_at is not None:
            sent = item.sent_at.timestamp()
            if now > device.heard and device.clock.see(now - sent, sent, now):
                self._clock(device, now)
        elif device.clock.reports:
            device.clock = ClockWatch()
        if up & GAP:
            self._gap(item, device, channel, now)
        if up & OUT:
            self._out(item, device, channel, metric, now)
        else:
            if channel.outs:
                self._in_again(item, device, channel, now)
            if up & SAME and f"out_of_range:{item.metric}" not in device.faults:
                found = stuck(channel, item.metric, metric)
                if found is not None:
                    _tell(device, found, now)
            if up & BLOCK:
                self._block(item, device, channel, metric, now)
            if up & STEP and metric.leap is not None:
                self._leap(item, device, channel, metric, now)
        device.heard = now
        if not device.faults:
            return ()
        return self._speak(item, device, channel, now)

    def _clock(self, device: DeviceState, now: float) -> None:
        """Everybody's messages late by as much are the gateway's or the network's delay."""
        off = device.clock.off
        others = [d for d in self._state.devices.values() if d is not device and d.heard]
        alike = sum(d.clock.reports > 1 and d.clock.off * off > 0 for d in others)
        if off > 0 and len(others) > 1 and alike >= 0.5 * len(others):
            return
        _tell(device, device.clock.finding(now), now)

    def _gap(self, item: Reading, device: DeviceState, channel: Channel, now: float) -> None:
        period = max(channel.period, channel.registered)
        # with a clock set back or a backlog, only receipt shows that nothing is missing
        silent = min(now - device.heard, channel.t - channel.left)
        missed = round(silent / period) - 1
        if channel.rhythm(channel.t - channel.left) or missed < 1:
            return
        one = Patch(now - silent, now, missed)
        if device.patches and one.begin < device.patches[-1].end:
            return
        device.patches = [*device.patches[1 - dropout.KEPT :], one]
        others = {k: d for k, d in self._state.devices.items() if d is not device and d.heard}
        own = [p for p in device.patches if not _shared(p, others.values())]
        comes = dropout.comes_and_goes(own, now, period)
        if comes is None or own[-1] is not one:
            return
        patches, reports, window = comes
        en_t, zh_t = spell(window)
        lonely = "" if others else "; with no neighbour it may be its gateway"
        zh_lonely = "" if others else "；无邻近设备可比，也可能是网关问题"
        _tell(
            device,
            Finding(
                "dropout",
                "",
                own[-patches].begin,
                now,
                f"it comes and goes: {reports} reports are missing in {patches} patches within "
                f"{en_t}, while others were heard{lonely}"
                if others
                else f"it comes and goes: {reports} reports are missing in {patches} patches "
                f"within {en_t}{lonely}",
                f"时断时续：{zh_t}内分{patches}段缺报{reports}次"
                + ("，而邻近设备正常" if others else zh_lonely),
                {"patches": float(patches), "missing": float(reports), "within_s": window},
            ),
            now,
        )

    def _out(
        self, item: Reading, device: DeviceState, channel: Channel, metric: Metric, now: float
    ) -> None:
        channel.outs += 1
        if channel.outs == 1:
            channel.out_at = now
        if channel.outs < OUTS:
            return
        en, zh = named(item.metric)
        _tell(
            device,
            Finding(
                "out_of_range",
                item.metric,
                channel.out_at,
                now,
                f"{en} says {item.value:g}, which it cannot be: {metric.low:g} to {metric.high:g}",
                f"{zh}读数{item.value:g}超出可能范围（{metric.low:g}至{metric.high:g}）",
                {"value": item.value, "low": metric.low, "high": metric.high},
            ),
            now,
        )

    def _block(
        self, item: Reading, device: DeviceState, channel: Channel, metric: Metric, now: float
    ) -> None:
        mean, n = channel.next_block()
        if not metric.drifts or not n:
            return
        watch = device.drift.get(item.metric)
        if watch is None:
            watch = device.drift[item.metric] = DriftWatch()
        if watch.rises(mean, max(ROSE_M, 4.0 * channel.step)):
            device.rose = channel.t
        other = any(found.what != "drift" for found in device.faults.values())
        bad = other or channel.leap is not None or self._wet(item.device, channel.t)
        if not watch.add(channel.t, mean, bad) or not watch.creeps(metric.drift):
            return
        found = watch.found(item.metric, metric.drift, channel.t, self._neighbours(item.device))
        if found is not None:
            _tell(device, found, now)

    def _neighbours(self, name: str) -> list[DriftWatch]:
        """Water at the nearest devices, nearest first."""
        order = self._near.get(name)
        if order is None:
            point = self._known[name].point
            by_distance = sorted(
                (distance_m(d.point, point), d.id) for d in self._site.devices if d.id != name
            )
            order = self._near[name] = [id for _, id in by_distance]
        devices = self._state.devices
        return [w for id in order if id in devices for w in devices[id].drift.values()]

    def _leap(
        self, item: Reading, device: DeviceState, channel: Channel, metric: Metric, now: float
    ) -> None:
        leap = channel.leap
        if leap is None and channel.v < channel.before and item.metric in device.drift:
            watch = device.drift[item.metric]
            drifted = ended(watch, item.metric, channel.t, channel.before, channel.v)
            if drifted is not None:
                _tell(device, drifted, now)
        if leap is None and f"stuck:{item.metric}" in device.faults:
            return  # it is free again, wherever the water went meanwhile
        if leap is not None and channel.run >= OUTS and _is_code(channel.v):
            self._code(item.metric, device, channel, now)
            return
        says = leaps.follow(channel, metric, self._wet(item.device, channel.t))
        en, zh = named(item.metric)
        if says == leaps.SWING:
            channel.goes_wild()
        if says == leaps.SPIKE and leap is not None:
            self._spike(item.metric, device, leap.to - leap.from_, now)
        elif says in (leaps.DEBRIS, leaps.GONE) and channel.wilds(channel.t) < WILD:
            told = leap if leap is not None else channel.leap
            assert told is not None
            size = told.to - told.from_
            en_t, zh_t = spell(channel.t - told.t)
            _tell(
                device,
                Finding(
                    "debris",
                    item.metric,
                    told.t,
                    now,
                    f"{en} leapt by {size:.2f} m from one report to the next and "
                    f"{'lies there' if says == leaps.DEBRIS else 'leapt back'} after {en_t}, "
                    "without rain or a neighbour that rose: something is under the head",
                    f"{zh}在一次上报间突增{size:.2f}米，{zh_t}后"
                    f"{'仍停留不动' if says == leaps.DEBRIS else '突然回落'}，"
                    "无降雨、邻近点未涨：探头下方有杂物",
                    {"leap_m": round(size, 4), "stayed_s": round(channel.t - told.t, 1)},
                ),
                now,
            )

    def _code(self, metric: str, device: DeviceState, channel: Channel, now: float) -> None:
        """It leapt to an error code and says nothing else."""
        en, zh = named(metric)
        _tell(
            device,
            Finding(
                "out_of_range",
                metric,
                channel.run_at,
                now,
                f"{en} says {channel.v:g} again and again: an error code of the transmitter",
                f"{zh}反复上报{channel.v:g}：变送器的错误代码",
                {"value": channel.v, "reports": float(channel.run)},
            ),
            now,
        )

    def _in_again(self, item: Reading, device: DeviceState, channel: Channel, now: float) -> None:
        """One or two readings out of range were a spike."""
        outs, channel.outs = channel.outs, 0
        if outs < OUTS:
            self._spike(item.metric, device, None, now)

    def _spike(self, metric: str, device: DeviceState, size: float | None, now: float) -> None:
        marks = _mark(device, f"spike:{metric}", now, SPIKES_S)
        if len(marks) < SPIKES_SHARE * device.channels[metric].leaps_now():
            return
        soon = [at for at in marks if now - at < SOON_S]
        wild = device.channels[metric].wilds(now)
        if len(marks) < SPIKES + wild and len(soon) < SPIKES_SOON + wild:
            return
        en, zh = named(metric)
        by = "beyond its range" if size is None else f"by {size:+.3g}"
        zh_by = "超出量程" if size is None else f"{size:+.3g}"
        _tell(
            device,
            Finding(
                "spike",
                metric,
                marks[0],
                now,
                f"{en} jumped {len(marks)} times within a day and came back at once, the last "
                f"time {by}",
                f"{zh}一天内{len(marks)}次突跳后立即恢复，最近一次{zh_by}",
                {"times": float(len(marks))} | ({} if size is None else {"size": round(size, 4)}),
            ),
            now,
        )

    def _wet(self, name: str, t: float) -> bool:
        """Whether there is water about, by rain or by neighbours that rose."""
        state = self._state
        if t - state.rain < RAIN_S:
            return True
        others = rose = 0
        for id, device in state.devices.items():
            if id != name and device.drift:
                others += 1
                rose += t - device.rose < ROSE_S
        return rose >= max(ROSE_SHARE * others, min(others, 2)) and rose > 0

    # --- telling ------------------------------------------------------------------------------

    def _speak(
        self, item: Reading, device: DeviceState, channel: Channel, now: float
    ) -> Iterable[Event]:
        hold = HOLD_REPORTS * max(channel.period, channel.registered)
        for key, found in list(device.faults.items()):
            if now - found.last > max(HOLDS_S[found.what], hold):
                del device.faults[key]
        standing = sorted(device.faults)
        if standing == device.told:
            return ()
        device.told = standing
        if device.episode is None:
            since = min(found.since for found in device.faults.values())
            device.episode = device.ledger.open(KIND, item.device, _moment(since))
        ranks = [f.what for f in device.faults.values()] + ([device.main] if device.main else [])
        device.main = min(ranks, key=WHATS.index)
        event = self._revise(item, device, device.episode)
        if not standing:
            device.episode, device.main = None, ""
        return (event,)

    def _revise(self, item: Reading, device: DeviceState, episode: Episode) -> Event:
        known = self._known[item.device]
        standing = sorted(device.faults.values(), key=lambda f: (WHATS.index(f.what), f.since))
        evidence: dict[str, Any] = {
            "fault": device.main,
            "seen_at": iso(item.received_at),
            "faults": [
                {
                    "what": f.what,
                    "metric": f.metric or None,
                    "since": iso(_moment(f.since)),
                    "numbers": f.numbers,
                }
                for f in standing
            ],
        }
        if standing:
            todo = [TODO[what] for what in dict.fromkeys(f.what for f in standing)]
            evidence |= {
                "why": [f.en for f in standing],
                "why_zh": [f.zh for f in standing],
                "todo": [en for en, _ in todo],
                "todo_zh": [zh for _, zh in todo],
            }
        else:
            evidence |= {
                "why": ["its readings are as they should be again"],
                "why_zh": ["设备读数已恢复正常"],
            }
        return revise(
            episode,
            kind=KIND,
            site=item.device,
            device=item.device,
            point=known.point,
            severity=self._cfg.reading_severity,
            evidence=evidence,
            closed=not standing,
        )


def _tell(device: DeviceState, found: Finding, now: float) -> None:
    key = f"{found.what}:{found.metric}"
    old = device.faults.get(key)
    if old is not None:
        found.since = old.since
    found.last = now
    device.faults[key] = found


def _is_code(value: float) -> bool:
    return value in CODES


def _mark(device: DeviceState, key: str, now: float, within: float) -> list[float]:
    marks = [at for at in device.marks.get(key, ()) if now - at < within][-20:]
    marks.append(now)
    device.marks[key] = marks
    return marks


def _shared(one: Patch, others: Iterable[DeviceState]) -> bool:
    count = silent = 0
    for other in others:
        count += 1
        period = max((c.period for c in other.channels.values()), default=0.0)
        silent += dropout.silent_in(other.patches, other.heard, period, one)
    return silent > 0 and silent >= dropout.SHARED * count


def _moment(t: float) -> datetime:
    return datetime.fromtimestamp(round(t, 3), UTC)
