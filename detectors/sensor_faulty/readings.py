"""Devices that measure: one fold for a neighbourhood, so that each is judged beside the others.

A neighbourhood is a drainage network, a line, or a device on its own. One episode per device, from
the first fault that stands until none has stood for a while; when faults change, it says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from contracts.detector import Site
from contracts.event import Event
from contracts.geo import distance_m
from contracts.nouns import Reading
from detectors._common.shelf import MOST
from detectors.sensor_faulty import dropout, leaps
from detectors.sensor_faulty.channel import BLOCK, DRY, GAP, OUT, SAME, STEP, UNKNOWN, WET, Channel
from detectors.sensor_faulty.clock import AHEAD_S, BEHIND_S, ClockWatch
from detectors.sensor_faulty.config import SensorFaultyConfig
from detectors.sensor_faulty.drift import NEIGHBOURS, DriftWatch, ended
from detectors.sensor_faulty.dropout import Patch
from detectors.sensor_faulty.limits import metric_of
from detectors.sensor_faulty.metrics import CODES, Metric
from detectors.sensor_faulty.speak import speak
from detectors.sensor_faulty.state import (
    DeviceState,
    State,
    is_outside,
    mark,
    needs_look,
    tell,
)
from detectors.sensor_faulty.stuck import stuck
from detectors.sensor_faulty.told import Finding, named

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
"""A neighbour that rose or was full within this time (seconds) says: there is water about ..."""
ROSE_M = 0.03
"""... by this much from one quarter of an hour to the next (metres)."""
ROSE_SHARE = 0.2
"""... if this share of them did, two at least where there are more."""
LEAPT, LEAPT_SHARE, LEAPT_S = 2, 0.1, 1800.0
"""With water about, a leap is a wave of it where so many others (and that share of them) leapt too,
from this long before it (seconds): pipes that fill up do so together."""
ALONG = 0.3
"""A neighbour creeps as well when it moves by this share."""


Known = tuple[DeviceState, Channel, Metric]


class ReadingFaults:
    """Watches the devices of one neighbourhood for what is wrong with the devices themselves."""

    def __init__(self, cfg: SensorFaultyConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg, self._site = cfg, site
        self._known = {device.id: device for device in site.devices}
        self._quick: dict[tuple[str, str], Known] = {}
        self._near: dict[str, list[str]] = {}
        self.before_asking: Callable[[], None] = _nothing
        """Called before it asks when other devices were heard."""
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State) if snapshot is not None else State()
        )
        self._drifting = {id: d for id, d in self._state.devices.items() if d.drift}
        """Devices whose course is known."""
        self._risen = max((d.rose for d in self._drifting.values()), default=-math.inf)
        """When water last rose at any of them."""
        for id, device in self._state.devices.items():
            device.outside = is_outside(device)  # snapshots of older versions do not say
            if id in self._known:
                for name, channel in device.channels.items():
                    metric = metric_of(site, self._known[id], name)
                    self._quick[id, name] = (device, channel, metric)

    def on_item(self, item: Reading, /) -> Iterable[Event]:
        """Fold one reading."""
        known = self._quick.get((item.device, item.metric))
        if known is None:
            self._meet(item)
            return ()
        device, channel, metric = known
        t, v, sent = item.at.timestamp(), item.value, item.sent_at
        late = sent is not None and not FUTURE <= item.received_at - sent <= FRESH
        if late or device.busy:
            self._time(item, device, late)
        if metric.wet and v > 0.0:
            self._state.rain = t
        calm = not (device.faults or device.outside)
        if (
            calm
            and channel.low <= v < channel.high
            and t < channel.block_end
            and 0.0 < t - channel.newest <= channel.patience
            and len(channel.waiting) < MOST
        ):
            channel.waiting.append((t, v))
            channel.newest = t
            device.heard = item.received_at
            return ()
        up = channel.absorb() if channel.waiting else 0
        up |= channel.fold(t, v, metric)
        told: Iterable[Event] = ()
        if up == BLOCK and calm:
            self._block(item, device, channel, metric, item.received_at.timestamp())
            up = 0
        if up or not calm or device.faults:
            told = self._look(item, device, channel, metric, up)
        else:
            device.heard = item.received_at
        channel.settle(metric)
        return told

    # --- what `ManyReadingFaults` asks about it ------------------------------------------------

    @property
    def devices(self) -> Iterable[str]:
        """All that it watches."""
        return self._known.keys()

    def known(self, device: str, metric: str) -> Known | None:
        """What is known of a metric that was met."""
        return self._quick.get((device, metric))

    def heard(self, device: str, received: datetime) -> None:
        """A device was heard: readings of it were put aside."""
        self._state.devices[device].heard = received

    # ------------------------------------------------------------------------------------------

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

    def _meet(self, item: Reading) -> None:
        """Its first reading of this metric."""
        known = self._known[item.device]
        metric = metric_of(self._site, known, item.metric)
        device = self._state.devices.get(item.device)
        if device is None:
            device = self._state.devices[item.device] = DeviceState()
        channel = device.channels.get(item.metric)
        if channel is None and metric.low <= item.value <= metric.high:
            t = item.at.timestamp()
            every = known.reports_every_s or 0.0
            channel = Channel(t, item.value, item.value, t, registered=every)
            device.channels[item.metric] = channel
        device.heard = item.received_at
        if channel is not None:
            self._quick[item.device, item.metric] = (device, channel, metric)

    # --- when something is up -----------------------------------------------------------------

    def _time(self, item: Reading, device: DeviceState, late: bool) -> None:
        """See whether it is its clock that is off."""
        if late and item.sent_at is not None:
            if device.heard is None or item.received_at > device.heard:  # another report
                lag, now = item.received_at - item.sent_at, item.received_at.timestamp()
                if device.clock.see(lag.total_seconds(), now):
                    self._clock(device, now)
        elif device.clock.reports:
            device.clock = ClockWatch()
        device.busy = needs_look(device)

    def _look(
        self, item: Reading, device: DeviceState, channel: Channel, metric: Metric, up: int
    ) -> Iterable[Event]:
        now = item.received_at.timestamp()
        if up & GAP:
            self._gap(item, device, channel, now)
        if up & OUT:
            self._out(item, device, channel, metric, now)
        elif up or channel.outs:
            if channel.outs:
                self._in_again(item, device, channel, now)
            if up & SAME and metric.wet and channel.v in CODES:
                self._code(item.metric, device, channel, now)
            elif up & SAME and f"out_of_range:{item.metric}" not in device.faults:
                found = stuck(channel, item.metric, metric)
                if found is not None:
                    tell(device, found, now)
            if up & BLOCK:
                self._block(item, device, channel, metric, now)
            if up & STEP and metric.leap is not None:
                self._leap(item, device, channel, metric, now)
        device.heard = item.received_at
        told: Iterable[Event] = ()
        if device.faults:
            point, severity = self._known[item.device].point, self._cfg.reading_severity
            told = speak(item, device, channel, now, point, severity)
        device.outside = is_outside(device)
        device.busy = needs_look(device)
        return told

    def _clock(self, device: DeviceState, now: float) -> None:
        """Everybody's messages late by as much are the gateway's or the network's delay."""
        off = device.clock.off
        others = [d for d in self._state.devices.values() if d is not device and d.heard]
        alike = sum(d.clock.reports > 1 and d.clock.off * off > 0 for d in others)
        if off > 0 and len(others) > 1 and alike >= 0.5 * len(others):
            return
        tell(device, device.clock.finding(now), now)

    def _gap(self, item: Reading, device: DeviceState, channel: Channel, now: float) -> None:
        period = max(channel.period, channel.registered)
        # with a clock set back or a backlog, only receipt shows that nothing is missing
        heard = device.heard.timestamp() if device.heard is not None else now
        silent = min(now - heard, channel.t - channel.left)
        missed = round(silent / period) - 1
        if channel.rhythm(channel.t - channel.left) or missed < 1:
            return
        one = Patch(now - silent, now, missed)
        if device.patches and one.begin < device.patches[-1].end:
            return
        device.patches = [*device.patches[1 - dropout.KEPT :], one]
        if dropout.comes_and_goes(device.patches, now, period) is None:
            return
        self.before_asking()
        others = {k: d for k, d in self._state.devices.items() if d is not device and d.heard}
        own = [p for p in device.patches if not _shared(p, others.values())]
        comes = dropout.comes_and_goes(own, now, period)
        if comes is None or own[-1] is not one:
            return
        tell(device, dropout.finding(own, *comes, alone=not others), now)

    def _out(
        self, item: Reading, device: DeviceState, channel: Channel, metric: Metric, now: float
    ) -> None:
        channel.outs += 1
        if channel.outs == 1:
            channel.out_at = now
        if channel.outs < OUTS:
            return
        en, zh = named(item.metric)
        tell(
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
        if not metric.drift or not n:
            return
        watch = device.drift.get(item.metric)
        if watch is None:
            watch = device.drift[item.metric] = DriftWatch()
            self._drifting[item.device] = device
        full = mean >= metric.brim
        if watch.rises(mean, max(ROSE_M, 4.0 * channel.step)) or full:
            device.rose = channel.t
            self._risen = max(self._risen, channel.t)
        other = full or any(found.what != "drift" for found in device.faults.values())
        bad = other or channel.leap is not None or self._wet(item.device, channel.t) == WET
        if not watch.add(channel.t, mean, bad):
            return
        creeps = watch.creeps(metric.drift)
        if not creeps:
            return
        near = self._neighbours(item.device)
        along = [one.creeps(ALONG * abs(creeps)) * creeps > 0 for one in near[:NEIGHBOURS]]
        if sum(along) > 1:
            return  # where neighbours climb as well, it is water that backs up
        found = watch.found(item.metric, metric.drift, channel.t, creeps, near)
        if found is not None:
            tell(device, found, now)

    def _neighbours(self, name: str) -> list[DriftWatch]:
        """Water at the nearest devices that are well, nearest first."""
        order = self._near.get(name)
        if order is None:
            point = self._known[name].point
            by_distance = sorted(
                (distance_m(d.point, point), d.id) for d in self._site.devices if d.id != name
            )
            order = self._near[name] = [id for _, id in by_distance]
        devices = self._state.devices
        well = (devices[id] for id in order if id in devices and not devices[id].faults)
        return [watch for device in well for watch in device.drift.values()]

    def _leap(
        self, item: Reading, device: DeviceState, channel: Channel, metric: Metric, now: float
    ) -> None:
        leap = channel.leap
        wet = self._wet(item.device, channel.t)
        fell = leap is None and channel.v < channel.before and item.metric in device.drift
        if fell and wet != UNKNOWN:
            watch = device.drift[item.metric]
            drifted = ended(watch, item.metric, channel.t, channel.before, channel.v)
            if drifted is not None:
                tell(device, drifted, now)
        if leap is None and channel.freed == channel.t:
            return  # it is free again, wherever the water went meanwhile
        if leap is not None and channel.run >= OUTS and channel.v in CODES:
            self._code(item.metric, device, channel, now)
            return
        says = leaps.follow(channel, metric, wet)
        if says == leaps.DEBRIS and leap is not None and not leap.told:
            if leap.wet == WET and self._leapt(item, leap.t):
                channel.leap = None
                return
            leap.told = True
        if says == leaps.SWING:
            channel.goes_wild()
        if says == leaps.SPIKE and leap is not None:
            self._spike(item.metric, device, leap.to - leap.from_, now)
        elif says in (leaps.DEBRIS, leaps.GONE) and channel.wilds(channel.t) < WILD:
            told = leap if leap is not None else channel.leap
            assert told is not None
            lies = says == leaps.DEBRIS
            tell(device, leaps.debris(item.metric, told, channel.t, lies), now)

    def _code(self, metric: str, device: DeviceState, channel: Channel, now: float) -> None:
        """It leapt to an error code and says nothing else."""
        en, zh = named(metric)
        tell(
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
        marks = mark(device, f"spike:{metric}", now, SPIKES_S)
        if len(marks) < SPIKES_SHARE * device.channels[metric].leaps_now():
            return
        soon = [at for at in marks if now - at < SOON_S]
        wild = device.channels[metric].wilds(now)
        if len(marks) < SPIKES + wild and len(soon) < SPIKES_SOON + wild:
            return
        en, zh = named(metric)
        by = "beyond its range" if size is None else f"by {size:+.3g}"
        zh_by = "超出量程" if size is None else f"{size:+.3g}"
        tell(
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

    def _leapt(self, item: Reading, t: float) -> bool:
        """Whether water at several others leapt as well, shortly before `t` or since, and does not
        do so all day."""
        others = leapt = 0
        for id, device in self._state.devices.items():
            other = device.channels.get(item.metric)
            if id != item.device and other is not None:
                others += 1
                leapt += other.leapt_at > t - LEAPT_S and other.wilds(t) < WILD
        return leapt >= max(LEAPT, LEAPT_SHARE * others)

    def _wet(self, name: str, t: float) -> int:
        """Whether there is water about, by rain or by neighbours that rose."""
        state = self._state
        if t - state.rain < RAIN_S:
            return WET
        others = len(self._drifting) - (name in self._drifting)
        rose = 0
        if t - self._risen < ROSE_S:  # else it has risen nowhere
            for id, device in self._drifting.items():
                rose += id != name and t - device.rose < ROSE_S
        if rose > 0 and rose >= max(ROSE_SHARE * others, min(others, 2)):
            return WET
        if others or any("rain_rate" in device.channels for device in state.devices.values()):
            return DRY
        return UNKNOWN


def _shared(one: Patch, others: Iterable[DeviceState]) -> bool:
    count = silent = 0
    for other in others:
        count += 1
        heard = other.heard.timestamp() if other.heard is not None else 0.0
        period = max((c.period for c in other.channels.values()), default=0.0)
        silent += dropout.silent_in(other.patches, heard, period, one)
    return silent > 0 and silent >= dropout.SHARED * count


def _nothing() -> None:
    """Nobody put anything aside."""
