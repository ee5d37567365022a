"""A device is silent when it misses its reports while others of its district are heard.

Time counts only while we are listening: a gap of more than `deaf_s` in everything a district sends
counts next to nothing (half a period of its quickest sensor: when that one is gone, the others'
rarer messages must still tell, and one outage must accuse nobody). When nothing at all is heard,
the broker, the network or we ourselves are the reason, and no sensor is accused of it; neither
after a restart, nor at the end of a recording. Receipt decides, not the device's own time: a
gateway that sends a backlog is heard from. Its being offline (its last will) makes us wait for
fewer reports, and alone raises nothing: gateways reconnect within seconds. Of cameras and
microphones every piece of video or sound is heard (`Pulse`), whatever it shows.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.city import City, Device
from contracts.clock import iso
from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Pulse, Reading, Record, Status, Trace
from detectors._common.cameras import is_camera
from detectors._common.episode import Episode, Ledger, revise

KIND = "sensor_silent"
CAMERA_S = (
    10.0  # the longest piece of video of the wire contract, where a camera's row says nothing
)
OFFLINE = ("its gateway said that it went offline", "网关已报告离线")
USUAL = 1.1  # times its registered period: a pause that needs no remembering
GAPS = 5  # pauses remembered of each device; their median is its habit


class SensorSilentConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many reports may be missed."""

    periods: float = 3.0
    """Silent after this many reporting periods ... (two give 16 alarms a year on a real tower
    node of the field)."""
    least_s: float = 120.0
    """... and no sooner than this (seconds)."""
    offline_periods: float = 1.0
    """Periods to wait when the device or its gateway said that it went offline."""
    deaf_s: float = 30.0
    """A longer gap in everything a district sends is our own deafness (seconds); a district whose
    quickest sensor reports more rarely takes twice that sensor's period (cameras aside)."""
    severity: int = 1
    """Severity of a silent device (1 to 5)."""


class Heard(msgspec.Struct):
    """What is known of one device."""

    mark: float
    """Seconds of listening when it was last heard."""
    last: datetime
    """Time of the newest message by its own account."""
    offline: bool = False
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    episode: Episode | None = None
    gaps: list[float] = []
    """Its last pauses, in seconds of listening, once one was longer than registered: what it does,
    whatever the register says."""


class State(msgspec.Struct):
    """All state of one district."""

    listened: float = 0.0
    """Seconds of listening up to `since` ..."""
    since: datetime | None = None
    """... from which on we have listened without a gap to ..."""
    newest: datetime | None = None
    """... the receipt of the newest message of any device."""
    devices: dict[str, Heard] = {}


def sites(city: City, _cfg: SensorSilentConfig) -> Iterable[Site]:
    """One site per district: its devices that say how often they report, and its cameras."""
    districts: dict[str, list[Device]] = {}
    for device in city.devices.values():
        if device.reports_every_s is None and is_camera(device):
            device = msgspec.structs.replace(device, reports_every_s=CAMERA_S)  # noqa: PLW2901
        if device.reports_every_s is not None:
            districts.setdefault(device.district, []).append(device)
    for name, devices in sorted(districts.items()):
        yield Site(id=name, district=name, point=devices[0].point, devices=tuple(devices))


class SensorSilent:
    """Listens to a district and notices who is missing."""

    def __init__(self, cfg: SensorSilentConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg = cfg
        self._devices = {device.id: device for device in site.devices}
        self._limit = {d.id: self._wait(cfg.periods, d) for d in site.devices}
        self._offline_limit = {d.id: self._wait(cfg.offline_periods, d) for d in site.devices}
        # cameras send all the time; with them gone, what is left must still count as listening
        periods = [d.reports_every_s or 0.0 for d in site.devices if not is_camera(d)]
        quickest = min(periods, default=CAMERA_S)
        self._deaf = max(cfg.deaf_s, 2 * quickest)
        self._deaf_time = timedelta(seconds=self._deaf)
        self._usual = {d.id: USUAL * (d.reports_every_s or 0.0) for d in site.devices}
        self._deaf_counts = min(0.5 * quickest, 0.25 * self._deaf)
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State) if snapshot is not None else State()
        )
        # (listening at which it is due, device); entries that no longer hold are passed over.
        self._due = [
            (self._due_at(name, heard), name)
            for name, heard in self._state.devices.items()
            if name in self._devices and heard.episode is None
        ]
        heapq.heapify(self._due)

    def on_item(self, item: Reading | Status | Trace | Record | Pulse, /) -> Iterable[Event]:
        """A message: whatever it says, the device is there (a last will: it is not)."""
        state = self._state
        now = item.received_at
        listened = self._listen(now)
        heard = state.devices.get(item.device)
        if heard is None or heard.offline or heard.episode is not None or type(item) is Status:
            out = self._hear(item, listened)
        else:
            out = []
            self.note(heard, item.device, item.at, listened)
        if self._due and self._due[0][0] <= listened:
            self._miss(listened, out)
        return out

    # --- what `ManyDistricts` asks about it ---------------------------------------------------

    @property
    def devices(self) -> Iterable[str]:
        """All that it listens to."""
        return self._devices.keys()

    @property
    def state(self) -> State:
        """What it knows."""
        return self._state

    @property
    def deaf(self) -> timedelta:
        """A longer pause in all it hears is its own deafness."""
        return self._deaf_time

    def usual(self, name: str) -> float:
        """A pause of the device that needs no remembering (seconds)."""
        return self._usual[name]

    def registered(self, name: str) -> float:
        """How long the device may be silent by the register, while it is online (seconds)."""
        return self._limit[name]

    # ------------------------------------------------------------------------------------------

    def _listen(self, now: datetime) -> float:
        """Seconds of listening up to a receipt."""
        state = self._state
        newest = state.newest
        if newest is None or state.since is None:
            state.since = state.newest = now
        elif now > newest:
            if now - newest > self._deaf_time:
                state.listened = self._listened_to(newest) + self._deaf_counts
                state.since = now
            state.newest = newest = now
        return self._listened_to(newest or now)

    def _listened_to(self, now: datetime) -> float:
        state = self._state
        return state.listened + (now - (state.since or now)).total_seconds()

    def _miss(self, listened: float, out: list[Event]) -> None:
        """Look who is due."""
        due, devices = self._due, self._state.devices
        while due and due[0][0] <= listened:
            _, name = heapq.heappop(due)
            heard = devices[name]
            if heard.episode is not None:
                continue
            at = self._due_at(name, heard)
            if at > listened:
                heapq.heappush(due, (at, name))
                continue
            heard.episode = heard.ledger.open(KIND, name, heard.last)
            out.append(self._revise(name, heard, heard.episode))

    def on_time(self, _now: datetime, /) -> Iterable[Event]:
        """Nothing: silence is noticed in the messages of others."""
        return ()

    def wake_at(self) -> datetime | None:
        """Never: see `on_time`."""
        return None

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    def _hear(
        self, item: Reading | Status | Trace | Record | Pulse, listened: float
    ) -> list[Event]:
        state = self._state
        heard = state.devices.get(item.device)
        if type(item) is Status and not item.online:
            if heard is not None and heard.episode is None and not heard.offline:
                heard.offline = True
                heapq.heappush(self._due, (self._due_at(item.device, heard), item.device))
            return []
        if heard is None:
            heard = state.devices[item.device] = Heard(listened, item.at)
            heapq.heappush(self._due, (self._due_at(item.device, heard), item.device))
            return []
        heard.offline = False
        self.note(heard, item.device, item.at, listened)
        if heard.episode is None:
            return []
        event = self._revise(item.device, heard, heard.episode, back_at=item.at)
        heard.episode = None
        heapq.heappush(self._due, (self._due_at(item.device, heard), item.device))
        return [event]

    def note(self, heard: Heard, name: str, at: datetime, listened: float) -> None:
        """It was heard, of a time of its own, after so much listening."""
        if listened > heard.mark:
            self.pauses(heard, name, listened)
        if at > heard.last:  # noqa: PLR1730 - a call costs more than all the rest
            heard.last = at

    def pauses(self, heard: Heard, name: str, listened: float) -> None:
        """A pause of it is over."""
        pause, gaps, usual = listened - heard.mark, heard.gaps, self._usual[name]
        if pause <= 0.0:
            return
        heard.mark = listened
        if gaps or pause > usual:
            gaps.append(pause)
            del gaps[:-GAPS]
            if max(gaps) <= usual:
                gaps.clear()

    def _wait(self, periods: float, device: Device) -> float:
        return max(periods * (device.reports_every_s or 0.0), self._cfg.least_s)

    def _due_at(self, name: str, heard: Heard) -> float:
        return heard.mark + self.limit_of(name, heard)

    def limit_of(self, name: str, heard: Heard) -> float:
        """Seconds it may be silent: by its registered period, or by its habit if that is rarer, so
        that a wrong period in the register is not an alarm at every pause."""
        registered = (self._offline_limit if heard.offline else self._limit)[name]
        if len(heard.gaps) < GAPS:
            return registered
        periods = self._cfg.offline_periods if heard.offline else self._cfg.periods
        return max(registered, periods * sorted(heard.gaps)[GAPS // 2])

    def _revise(
        self, name: str, heard: Heard, episode: Episode, back_at: datetime | None = None
    ) -> Event:
        device = self._devices[name]
        evidence: dict[str, Any] = {
            "last_heard": iso(episode.onset),
            "back_at": iso(back_at) if back_at is not None else None,
            "reports_every_s": device.reports_every_s,
            "waited_s": round(self.limit_of(name, heard), 3),
            "offline": heard.offline,
            **_why(device, episode.onset, heard.offline, back_at),
        }
        return revise(
            episode,
            kind=KIND,
            site=name,
            device=name,
            point=device.point,
            severity=self._cfg.severity,
            evidence=evidence,
            closed=back_at is not None,
        )


def _why(
    device: Device, last: datetime, offline: bool, back_at: datetime | None
) -> dict[str, list[str]]:
    """The reason in both languages."""
    if back_at is not None:
        minutes = (back_at - last).total_seconds() / 60
        return {
            "why": [f"it is heard again after {minutes:.0f} min"],
            "why_zh": [f"设备已恢复上报，中断{minutes:.0f}分钟"],
        }
    every = (device.reports_every_s or 0.0) / 60
    en = f"nothing of it since {iso(last)}, though it reports every {every:g} min"
    zh = f"自{iso(last)}起无上报（应每{every:g}分钟上报一次）"
    return {
        "why": [f"{en} and others of its district are heard", *(OFFLINE[:1] if offline else ())],
        "why_zh": [f"{zh}，同片区其他设备正常", *(OFFLINE[1:] if offline else ())],
    }
