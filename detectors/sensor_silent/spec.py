"""A device is silent after several missed reports; heard again, the episode is over.

One small instance per device that says how often it reports. Receipt decides, not the device's own
time: a gateway that sends a backlog is heard from. Its being offline (its last will) makes us wait
for fewer reports, and alone raises nothing: gateways reconnect within seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.city import City
from contracts.clock import iso
from contracts.detector import Site, Spec
from contracts.event import Event
from contracts.nouns import Clip, Reading, Record, Status, Trace
from detectors._common.episode import Episode, Ledger, revise

KIND = "sensor_silent"


class SensorSilentConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many reports may be missed."""

    periods: float = 3.0
    """Silent after this many reporting periods ... (two give 16 alarms a year on a real tower
    node of the field)."""
    least_s: float = 120.0
    """... and no sooner than this (seconds)."""
    offline_periods: float = 1.0
    """Periods to wait when the device or its gateway said that it went offline."""
    severity: int = 1
    """Severity of a silent device (1 to 5)."""


class State(msgspec.Struct):
    """All state of one device."""

    ledger: Ledger
    heard: datetime | None = None
    """Receipt of the newest message."""
    last: datetime | None = None
    """Time of the newest message by its own account."""
    offline: bool = False
    due: datetime | None = None
    """When it will have been silent for too long."""
    episode: Episode | None = None


def sites(city: City, _cfg: SensorSilentConfig) -> Iterable[Site]:
    """One site per device that says how often it reports (pictures are watched elsewhere)."""
    for device in city.devices.values():
        if device.reports_every_s is not None and device.type != "camera":
            yield Site(
                id=device.id, district=device.district, point=device.point, devices=(device,)
            )


class SensorSilent:
    """Waits for the next message of one device."""

    def __init__(self, cfg: SensorSilentConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg, self._site = cfg, site
        period = site.devices[0].reports_every_s or 0.0
        self._limit = timedelta(seconds=max(cfg.periods * period, cfg.least_s))
        self._offline_limit = timedelta(seconds=max(cfg.offline_periods * period, cfg.least_s))
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger())
        )

    def on_item(self, item: Reading | Status | Trace | Record | Clip, /) -> Iterable[Event]:
        """A message: whatever it says, the device is there (a last will: it is not)."""
        state = self._state
        if type(item) is Status and not item.online:
            state.offline = True
            if state.due is not None and state.heard is not None:
                sooner = max(state.heard + self._offline_limit, item.received_at)
                state.due = min(state.due, sooner)
            return ()
        state.offline = False
        state.heard = item.received_at
        state.due = item.received_at + self._limit
        if state.last is None or item.at > state.last:
            state.last = item.at
        if state.episode is None:
            return ()
        event = self._revise(state.episode, back_at=item.at)
        state.episode = None
        return (event,)

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """The device has not been heard of for too long."""
        state = self._state
        state.due = None
        if state.episode is not None or state.last is None:
            return ()
        state.episode = state.ledger.open(KIND, self._site.id, state.last)
        return (self._revise(state.episode),)

    def wake_at(self) -> datetime | None:
        """When the device will have been silent for too long; None while it is."""
        return self._state.due

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    def _revise(self, episode: Episode, back_at: datetime | None = None) -> Event:
        device = self._site.devices[0]
        evidence: dict[str, Any] = {
            "last_heard": iso(episode.onset),
            "back_at": iso(back_at) if back_at is not None else None,
            "reports_every_s": device.reports_every_s,
            "waited_s": (
                self._offline_limit if self._state.offline else self._limit
            ).total_seconds(),
            "offline": self._state.offline,
        }
        return revise(
            episode,
            kind=KIND,
            site=self._site.id,
            device=device.id,
            point=self._site.point,
            severity=self._cfg.severity,
            evidence=evidence,
            closed=back_at is not None,
        )


SPEC = Spec(
    kind=KIND,
    consumes=(Reading, Status, Trace, Record, Clip),
    config=SensorSilentConfig,
    sites=sites,
    build=SensorSilent,
)
