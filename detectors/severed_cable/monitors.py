"""What each monitor of a line last said, and what is usual there, channel by channel."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from contracts.nouns import Reading
from detectors._common.disturbance import Lost
from detectors.severed_cable.config import SeveredCableConfig

PHASES: Final = ("voltage_a", "voltage_b", "voltage_c")
CURRENTS: Final = ("current_a", "current_b", "current_c")
NEUTRAL: Final = "voltage_n"
VOLTAGES: Final = frozenset((*PHASES, NEUTRAL))
LEARN: Final = 0.05
"""Weight of a new healthy value in what is usual, once as many were heard."""
MEDIUM_V: Final = 1000.0
"""From here on a phase is medium voltage (GB/T 156)."""
EDGES: Final = (0.12, 0.40, 0.62, 0.85, 0.93, 1.07, 1.15, 1.35)
"""Edges of a phase's classes, as shares of what is usual: gone; backfed (up to 0.57 is left on an
open phase of the IEEE 123-node feeder, 964 simulated cases); halved behind a Dyn11 transformer;
low; a little low; there; a little high; high; beyond."""
FAR: Final = float("inf")


class Channel(msgspec.Struct, array_like=True):
    """One metric of one monitor."""

    value: float
    at: datetime
    usual: float
    heard: int = 1
    low: float = -FAR
    high: float = FAR
    """What lies between these says nothing new."""
    out: bool = False

    def learn(self, value: float) -> None:
        """Let what is usual follow: the mean at first, then slowly."""
        self.heard += 1
        self.usual += max(LEARN, 1.0 / self.heard) * (value - self.usual)

    def step(self) -> int:
        """The class of the value, 0 to 8 (EDGES)."""
        share = self.value / self.usual if self.usual > 0 else 1.0
        return sum(share >= edge for edge in EDGES)


class Monitor(msgspec.Struct):
    """State of one monitor."""

    channels: dict[str, Channel] = {}
    heard: datetime | None = None
    """Its newest word."""
    off: datetime | None = None
    """Since when its voltages are not as usual, or its last gasp."""
    part: int = 0
    """The happening that this belongs to; 0: none."""
    back: datetime | None = None
    """When it told that all is as usual again."""
    gasp: datetime | None = None
    strike: datetime | None = None
    blow: float = 0.0
    """How strong that was (m/s2)."""
    fallen: datetime | None = None
    """Since when a conductor here has lost its tension."""
    slack: float = 0.0
    """What share of it is left."""
    leaning: datetime | None = None
    offline: bool = False
    restless: int = 0
    """How often it said something else while off: what is broken lies still."""
    said: tuple[int, ...] = ()
    """Classes of its phases in its last whole report, while off."""
    said_at: datetime | None = None
    record: Lost | None = None
    """What its newest disturbance record showed as lost."""

    def take(self, item: Reading, cfg: SeveredCableConfig, nominal_v: float) -> bool:
        """Take a reading that is new to it or out of the usual; whether it may change what is
        believed. `nominal_v`: phase to neutral here, 0 if nobody knows."""
        metric, value, at = item.metric, item.value, item.at
        if metric == "last_gasp":
            return self._gasped(value, at)
        channel = self.channels.get(metric)
        if channel is None:
            channel = self._first(metric, value, at, cfg, nominal_v)
        if metric in VOLTAGES:
            if self.off is not None and at > max(self.off, self.said_at or self.off):
                self._compare(at)
            known, before = channel.at, channel.step()
            channel.value, channel.at = value, at
            changed = self._voltage(metric, channel, cfg)
            return changed and (self.off is None or known < self.off or channel.step() != before)
        heard_at, earlier = channel.at, channel.value
        channel.value, channel.at = value, at
        if metric == "vibration":
            if value >= cfg.strike_ms2:
                self._struck(value, at, cfg)
            else:
                channel.learn(value)
            return value >= cfg.strike_ms2
        if metric in CURRENTS:
            if self.off is None:
                channel.learn(value)
                return False
            return heard_at < self.off or abs(value - earlier) > 0.3 * channel.usual
        return self._mechanical(metric, channel, cfg)

    def _first(
        self, metric: str, value: float, at: datetime, cfg: SeveredCableConfig, nominal_v: float
    ) -> Channel:
        usual = value
        if metric in PHASES:
            nominal = nominal_v or (cfg.nominal_v if abs(value) < MEDIUM_V else 0.0)
            if nominal and not 0.75 * nominal <= value <= 1.25 * nominal:
                others = [self.channels[p].usual for p in PHASES if p in self.channels]
                lost = value < 0.75 * (others[0] if others else nominal)
                usual = (others[0] if others else nominal) if lost else value
        elif metric == NEUTRAL:
            usual = min(value, 5.0)
        channel = self.channels[metric] = Channel(value, at, usual)
        self._bounds(metric, channel, cfg)
        return channel

    def _bounds(self, metric: str, channel: Channel, cfg: SeveredCableConfig) -> None:
        usual = channel.usual
        if metric in PHASES:
            channel.low, channel.high = (1 - cfg.off_share) * usual, (1 + cfg.off_share) * usual
        elif metric == NEUTRAL:
            phases = [self.channels[p].usual for p in PHASES if p in self.channels]
            channel.high = usual + cfg.neutral_share * (max(phases) if phases else cfg.nominal_v)
        elif metric == "tension":
            channel.low = cfg.tension_share * usual
        elif metric == "tilt":
            channel.low, channel.high = usual - cfg.tilt_deg, usual + cfg.tilt_deg
        elif metric == "vibration":
            channel.high = cfg.strike_ms2

    def calm(self, metric: str, channel: Channel, value: float, cfg: SeveredCableConfig) -> None:
        """Learn from a value within its bounds."""
        channel.learn(value)
        if metric not in CURRENTS:
            self._bounds(metric, channel, cfg)

    def _struck(self, value: float, at: datetime, cfg: SeveredCableConfig) -> None:
        """The blow itself is kept, not how it rings out."""
        rings = self.strike is not None and at - self.strike <= timedelta(seconds=cfg.strike_s)
        if not rings or value >= self.blow:
            self.strike, self.blow = at, value

    def _gasped(self, value: float, at: datetime) -> bool:
        if value <= 0 or (self.back is not None and at <= self.back):
            return False
        self.gasp = at
        if self.off is None:
            self.off, self.part, self.back, self.restless = at, 0, None, 0
            self.said, self.said_at = (), at
        return True

    def _voltage(self, metric: str, channel: Channel, cfg: SeveredCableConfig) -> bool:
        out = not channel.low <= channel.value <= channel.high
        channel.out = out
        if self.off is None:
            if out:
                self.off, self.part, self.back = channel.at, 0, None
                self.restless, self.said, self.said_at = 0, (), channel.at
            return out
        if not out and not any(c.out for m, c in self.channels.items() if m in VOLTAGES):
            if self.gasp is not None and channel.at <= self.gasp:
                return False
            self.off, self.gasp, self.back, self.said = None, None, channel.at, ()
            return True
        if self.part < 0:  # nobody's loss: it has become usual
            channel.learn(channel.value)
            self._bounds(metric, channel, cfg)
        return True

    def _mechanical(self, metric: str, channel: Channel, cfg: SeveredCableConfig) -> bool:
        was, out = channel.out, not channel.low <= channel.value <= channel.high
        channel.out = out
        if not out:
            channel.learn(channel.value)
            self._bounds(metric, channel, cfg)
        if metric == "tension":
            self.fallen = (self.fallen or channel.at) if out else None
            self.slack = channel.value / channel.usual if out and channel.usual > 0 else 0.0
        elif metric == "tilt":
            self.leaning = (self.leaning or channel.at) if out else None
        return out or was

    def forget(self) -> None:
        """What it last said is out of date; its next word is looked at anew."""
        self.off, self.gasp, self.part, self.said, self.said_at = None, None, 0, (), None
        for metric in VOLTAGES & self.channels.keys():
            self.channels[metric].out = False

    def fresh(self, since: datetime) -> list[int]:
        """Which of its phases it has told of since then."""
        return [
            k
            for k, metric in enumerate(PHASES)
            if metric in self.channels and self.channels[metric].at >= since
        ]

    def _compare(self, at: datetime) -> None:
        """A report is whole when the next one begins: does it differ from the one before?"""
        said = tuple(self.channels[p].step() for p in PHASES if p in self.channels)
        if len(said) == len(self.said):
            self.restless += any(abs(a - b) > 1 for a, b in zip(said, self.said, strict=True))
        self.said, self.said_at = said, at

    @property
    def phases(self) -> int:
        """How many phases it has ever spoken of."""
        return sum(m in self.channels for m in PHASES)

    @property
    def medium(self) -> bool:
        """Whether it measures medium voltage."""
        return any(self.channels[m].usual >= MEDIUM_V for m in PHASES if m in self.channels)
