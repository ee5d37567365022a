"""What each monitor of a line last said, and what that amounts to."""

from __future__ import annotations

from datetime import datetime

import msgspec

from contracts.nouns import Reading
from detectors.severed_cable.belief import LOST, OK, PART, SOME, UNBALANCED
from detectors.severed_cable.config import SeveredCableConfig

PHASES = ("voltage_a", "voltage_b", "voltage_c")
CURRENTS = ("current_a", "current_b", "current_c")
LEARN = 0.05
"""Weight of a new healthy value in what is usual."""


class Monitor(msgspec.Struct):
    """State of one monitor."""

    usual: dict[str, float] = {}
    value: dict[str, float] = {}
    at: dict[str, datetime] = {}
    lost_since: datetime | None = None
    gasp: datetime | None = None
    strike: datetime | None = None
    fallen: datetime | None = None
    """Since when a conductor here has lost its tension."""
    unloaded: datetime | None = None
    leaning: datetime | None = None
    offline: bool = False

    def fold(self, item: Reading, cfg: SeveredCableConfig) -> bool:
        """Take one reading; whether it may change what is believed."""
        metric, value, at = item.metric, item.value, item.at
        self.offline = False
        if metric == "last_gasp":
            if value <= 0:
                return False
            self.gasp = at
            self.lost_since = self.lost_since or at
            return True
        if metric == "vibration":
            if value < cfg.strike_ms2:
                return False
            self.strike = at
            return True
        self.value[metric], self.at[metric] = value, at
        if metric == "tension":
            self.fallen = self._below(metric, cfg.tension_share, at, self.fallen)
            return True
        if metric == "tilt":
            return self._tilt(value, at, cfg)
        if metric in CURRENTS:
            self.unloaded = self._below(metric, 0.5, at, self.unloaded)
            return self.lost_since is not None
        return self._voltage(at, cfg)

    def _below(
        self, metric: str, share: float, at: datetime, since: datetime | None
    ) -> datetime | None:
        value, usual = self.value[metric], self.usual.get(metric)
        if usual is not None and value < share * usual:
            return since or at
        self._learn(metric, value)
        return None

    def _tilt(self, value: float, at: datetime, cfg: SeveredCableConfig) -> bool:
        usual = self.usual.get("tilt")
        if usual is not None and abs(value - usual) > cfg.tilt_deg:
            self.leaning = self.leaning or at
            return True
        self.leaning = None
        self._learn("tilt", value)
        return False

    def _learn(self, metric: str, value: float) -> None:
        usual = self.usual.get(metric)
        self.usual[metric] = value if usual is None else usual + LEARN * (value - usual)

    def _voltage(self, at: datetime, cfg: SeveredCableConfig) -> bool:
        was = self.lost_since
        if not self._disturbed(cfg):
            self.lost_since = None
            self.gasp = None
            for metric in PHASES:
                if metric in self.value and self.at[metric] == at:
                    self._learn(metric, self.value[metric])
        elif was is None:
            self.lost_since = at
        return was is not None or self.lost_since is not None

    def _share(self, metric: str, cfg: SeveredCableConfig) -> float:
        return self.value[metric] / (self.usual.get(metric) or cfg.nominal_v)

    def _disturbed(self, cfg: SeveredCableConfig) -> bool:
        shares = [self._share(m, cfg) for m in PHASES if m in self.value]
        if any(s < cfg.lost_share for s in shares):
            return True
        if shares and max(shares) > cfg.high_share and min(shares) < cfg.low_share:
            return True
        return abs(self.value.get("voltage_n", 0.0)) >= cfg.neutral_v

    @property
    def phases(self) -> int:
        """How many phases it has ever spoken of."""
        return sum(m in self.value for m in PHASES)

    def sees(self, since: datetime, cfg: SeveredCableConfig) -> str | None:
        """What it has seen since then; None: it has not spoken (unknown)."""
        fresh = [m for m in PHASES if m in self.value and self.at[m] >= since]
        shares = [self._share(m, cfg) for m in fresh]
        if not shares:
            return LOST if self.gasp is not None and self.gasp >= since else None
        lost = sum(s < cfg.lost_share for s in shares)
        if lost == len(shares):
            return LOST if lost == self.phases else PART
        neutral = "voltage_n" in self.at and self.at["voltage_n"] >= since
        if neutral and abs(self.value["voltage_n"]) >= cfg.neutral_v and not lost:
            return UNBALANCED
        if max(shares) > cfg.high_share and min(shares) < cfg.low_share:
            return UNBALANCED
        return SOME if lost else OK
