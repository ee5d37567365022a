"""What anyone would write first, on the same items: thresholds, and a look at the topology.

Each rule takes items in order of receipt and raises alarms; none knows what a detector knows, and
none shares code with one. What a monitor says first is its rated value.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from bench.lines.tree import Tree
from contracts.nouns import Reading, Status

LOW: Final = 0.6
"""Backfeed leaves up to 0.57 of the rated voltage on an open phase (IEEE 123-node feeder)."""
FALLEN, LEAST_A = 0.2, 3.0
"""A current below this share of its slow mean, where that mean is at least so many amperes."""
SLOW: Final = 0.1
WAIT_S: Final = 5.0
"""The look at the topology comes so long after the first loss."""
RULES: Final = ("0.6 pu", "topology", "current")
VOLTS: Final = frozenset({"voltage_a", "voltage_b", "voltage_c"})
AMPS: Final = frozenset({"current_a", "current_b", "current_c"})


class Alarm(msgspec.Struct):
    """When, and which span it holds for broken, first and in the end."""

    at: float
    first: str | None
    last: str | None


class Rules:
    """All three over one take."""

    def __init__(self, tree: Tree, zero: datetime) -> None:
        self._tree, self._zero = tree, zero
        self.alarms: dict[str, list[Alarm]] = {name: [] for name in RULES}
        self._rated: dict[tuple[str, str], float] = {}
        self._low: dict[str, set[str]] = {}
        """Monitor → what of it is low."""
        self._mean: dict[tuple[str, str], float] = {}
        self._fallen: dict[str, set[str]] = {}
        self._well: dict[str, datetime] = {}
        """Monitor → when it last said that all is well."""
        self._since: float | None = None
        self._asked = True

    def run(self, items: Iterable[Reading | Status]) -> dict[str, list[Alarm]]:
        """Alarms of each rule, as they came."""
        volts, amps = VOLTS, AMPS
        for item in items:
            if not isinstance(item, Reading):
                continue
            if not self._asked:
                self._ask((item.received_at - self._zero).total_seconds())
            metric = item.metric
            if metric in volts:
                self._volt(item)
            elif metric in amps:
                self._amp(item)
            elif metric == "last_gasp" and item.value > 0:
                self._lost(item.device, metric, item)
        if not self._asked:
            self._ask(float("inf"))
        if self._since is not None:
            self._look()
        return self.alarms

    @property
    def low(self) -> frozenset[str]:
        """Monitors that have lost something."""
        return frozenset(device for device, metrics in self._low.items() if metrics)

    def well_since(self, moment: float) -> frozenset[str]:
        """Monitors that said since then (seconds) that all is well."""
        then = self._zero + timedelta(seconds=moment)
        return frozenset(d for d, at in self._well.items() if at >= then and not self._low.get(d))

    # --- voltages -------------------------------------------------------------------------------

    def _volt(self, item: Reading) -> None:
        key = (item.device, item.metric)
        rated = self._rated.setdefault(key, item.value)
        if item.value < LOW * rated:
            self._lost(item.device, item.metric, item)
            return
        low = self._low.get(item.device)
        if low:
            low -= {item.metric, "last_gasp"}
            if low:
                return
            if not self.low:
                self._since, self._asked = None, True
        self._well[item.device] = item.received_at

    def _lost(self, device: str, metric: str, item: Reading) -> None:
        low = self._low.setdefault(device, set())
        if not low:
            at = (item.received_at - self._zero).total_seconds()
            span = self._tree.feeding(device)
            self.alarms["0.6 pu"].append(Alarm(at, span, span))
            if self._since is None:
                self._since, self._asked = at, False
        low.add(metric)

    # --- topology -------------------------------------------------------------------------------

    def _ask(self, now: float) -> None:
        assert self._since is not None
        if now >= self._since + WAIT_S:
            span = self._named()
            self.alarms["topology"].append(Alarm(self._since + WAIT_S, span, span))
            self._asked = True

    def _look(self) -> None:
        self.alarms["topology"][-1].last = self._named()

    def _named(self) -> str | None:
        """The span above the topmost lost monitor below which nobody said that all is well."""
        tree, since = self._tree, self._since or 0.0
        well: set[str] = set()
        for device in self.well_since(since):
            well.update(tree.above(tree.node_of[device]))
        lost = sorted(
            (len(tree.above(tree.node_of[d])), d) for d in self.low if d in tree.node_of
        )  # fmt: skip
        for _, device in lost:
            if tree.node_of[device] not in well:
                return tree.feeding(device)
        return tree.feeding(lost[0][1]) if lost else None

    # --- currents -------------------------------------------------------------------------------

    def _amp(self, item: Reading) -> None:
        key, value = (item.device, item.metric), item.value
        mean = self._mean.get(key)
        if mean is None:
            self._mean[key] = value
            return
        fallen = self._fallen.setdefault(item.device, set())
        if mean >= LEAST_A and value < FALLEN * mean:
            if not fallen:
                at = (item.received_at - self._zero).total_seconds()
                span = self._tree.feeding(item.device)
                self.alarms["current"].append(Alarm(at, span, span))
            fallen.add(item.metric)
            return
        fallen.discard(item.metric)
        self._mean[key] = mean + SLOW * (value - mean)
