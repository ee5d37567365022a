"""Water in dry weather: what households send at each hour, and what seeps in from the ground."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.dice import between, dice
from simulators.water.network import Network
from simulators.water.take import Order

ZONE = "Asia/Shanghai"
WORKDAY = (
    *(0.42, 0.33, 0.28, 0.27, 0.32, 0.55, 1.05, 1.55, 1.58, 1.38, 1.22, 1.15),
    *(1.18, 1.12, 1.02, 0.98, 1.00, 1.12, 1.38, 1.58, 1.52, 1.28, 0.98, 0.66),
)
"""Domestic flow over its mean at each hour of a working day: the two humps of residential sewers
(Metcalf & Eddy, Wastewater Engineering, fig. 3-5: 0.3 at 4 h to 1.6 at 8 h and at 20 h)."""
FREE_DAY = (
    *(0.50, 0.40, 0.33, 0.30, 0.31, 0.40, 0.65, 1.02, 1.42, 1.58, 1.50, 1.36),
    *(1.28, 1.18, 1.06, 1.00, 1.02, 1.12, 1.32, 1.48, 1.42, 1.22, 0.96, 0.70),
)
"""The same on Saturday and Sunday: later and blunter."""
GROUPS = 3
"""Quarters of a network that get up at times of their own."""
STEP_S = 300.0


class Homes:
    """Dry-weather flow of one order: multipliers by quarter, mean flows by node."""

    def __init__(self, order: Order, network: Network, start: datetime, spin_s: float) -> None:
        rng = dice(order.seed, "water", order.network, "dry")
        self._order, self._begin = order, start - timedelta(seconds=spin_s)
        self._length_s = spin_s + order.hours * 3600.0
        litres_ha = between(rng, (0.15, 0.6))  # 60 to 240 people/ha at 200 L/d
        seep_ha = between(rng, (0.03, 0.15))  # infiltration, L/(s ha): middling to poor tightness
        self.domestic: dict[str, float] = {}
        """Mean domestic flow by node, m3/s."""
        self.seepage: dict[str, float] = {}
        """Infiltration by node, m3/s."""
        self.group: dict[str, int] = {}
        for hole in network.holes.values():
            if hole.depth_m <= 0 or hole.sealed:  # nobody connects a house to a main under pressure
                continue
            spread = math.exp(float(rng.normal(0, 0.35)))
            # a manhole without registered ground still has a block's connections
            area = max(hole.area_ha, 0.25)
            self.domestic[hole.id] = litres_ha * area * spread / 1000
            self.seepage[hole.id] = seep_ha * area / 1000
            self.group[hole.id] = int(rng.integers(GROUPS))

    def flow(self, group: int) -> NDArray[np.float64]:
        """Domestic flow over its mean, each `STEP_S` from the spin-up's begin; shape (n,)."""
        rng = dice(self._order.seed, "water", self._order.network, "homes", group)
        shift = between(rng, (-0.75, 0.75))
        count = int(self._length_s // STEP_S) + 2
        zone = ZoneInfo(ZONE)
        days: dict[object, float] = {}
        out = np.empty(count)
        slow = 0.0
        for k in range(count):
            moment = (self._begin + timedelta(seconds=k * STEP_S)).astimezone(zone)
            if moment.date() not in days:  # each day a few per cent more or less
                days[moment.date()] = math.exp(float(rng.normal(0, 0.06)))
            table = FREE_DAY if moment.isoweekday() > 5 else WORKDAY
            hour = (moment.hour + moment.minute / 60 - shift) % 24
            low = int(hour)
            value = table[low] + (table[(low + 1) % 24] - table[low]) * (hour - low)
            slow = 0.85 * slow + float(rng.normal(0, 0.05))
            out[k] = value * days[moment.date()] * math.exp(slow)
        return out
