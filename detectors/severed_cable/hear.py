"""What all monitors of a line have said of one happening, gathered for judging."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.clock import iso
from contracts.detector import Site
from detectors._common.disturbance import Lost
from detectors.severed_cable.belief import Heard
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.expect import COLUMNS, PHASE_SETS, Row, View, row
from detectors.severed_cable.happening import Happening
from detectors.severed_cable.monitors import PHASES, Monitor
from detectors.severed_cable.recorded import belongs, view_in
from detectors.severed_cable.tree import Tree
from detectors.severed_cable.view import view_of

PERIOD_S = 300.0
"""A device that does not say how often it reports is taken to do so this often."""
STALE = 2.5
"""After so many periods of silence nobody expects a device to speak at once."""
TENSION = (14.0, 13.0, 11.6)
"""Log-odds that a fallen conductor lends the spans that meet there: severed, a phase open, the
neutral; a cell that is wrong of itself and shows just that is as seldom ..."""
DEAD_CELL, DEAD = 0.02, -4.4
"""... unless it shows nothing at all, as a failed cell does: what is down still hangs on it."""
HELD = -1.2
"""... and one that holds, against severed."""
TILT = 1.0
STRIKES = ((20.0, 3.0), (10.0, 2.0), (0.0, 1.0))
"""Log-odds of a strike from that vibration on (m/s2)."""
LEAST_NET = 4
"""So many medium-voltage monitors tell what their net's displacement is ..."""
DISPLACED_BY, DIFFERS_BY = 0.15, 0.06
"""... once one phase moved by this share; who differs by that much hangs elsewhere (clamp-on
sensors of class 1 keep within 2 %)."""
RETURNS_S = 3.0
"""Words of supply that is back come within this long (seconds) ..."""
NOT_YET, NOT_HEARD = 0.5, 0.07
"""... chance that one has not come yet, and that it never does."""
OFF_ODDS = -6.0
"""Log-probability of a view with nothing wrong from which on down something was lost there."""


_Has = tuple[bool, bool, bool, bool]
"""Whether a monitor has each phase, and whether it is at medium voltage."""


class _Said(msgspec.Struct, frozen=True):
    """What one monitor said of one happening."""

    mark: tuple[int, datetime, datetime | None]
    """Of which happening it was made."""
    view: View | None
    row: Row | None
    lost: bool
    has: _Has | None
    """None: nobody expects a word of it."""
    plain: bool
    """It has neither a tension cell nor sent a record."""


class Findings(msgspec.Struct):
    """What was said of one happening."""

    now: datetime
    rows: dict[int, Row]
    views: dict[str, View]
    """By device."""
    expected: NDArray[np.float64]
    spoke: NDArray[np.float64]
    support: NDArray[np.float64]
    lost: list[str]
    """Nodes where something is lost."""
    there: list[str]
    unknown: list[str]
    kinds: list[str]
    gasps: int
    strikes: list[tuple[str, str, Monitor]]
    """(node, device, monitor)."""
    fallen: list[str]
    leaning: list[str]
    records: list[tuple[str, str, Lost]] = []
    """(node, device, what its disturbance record shows)."""
    apart: dict[int, bool] = {}
    """Place → whether a displaced medium-voltage monitor differs from the rest of the net."""
    over: float | None = None
    """Log-probability of all that was said if what it was is over; None: nothing came back."""

    def heard(self, age_s: float) -> Heard:
        """For judging."""
        return Heard(
            self.rows, self.expected, self.spoke, self.support, age_s, self.apart, self.over
        )


class Ears:
    """Knows which monitor sits where and what it would tell."""

    def __init__(
        self,
        cfg: SeveredCableConfig,
        site: Site,
        tree: Tree,
        node: Mapping[str, str],
        isolated: float,
    ) -> None:
        self._drifts = isolated > 0.5
        self._cfg, self._tree, self._node = cfg, tree, node
        assert site.line is not None
        self._nodes = site.line.nodes
        self._place = {d: tree.place[n] for d, n in node.items()}
        self._period = {
            d.id: timedelta(seconds=STALE * (d.reports_every_s or PERIOD_S)) for d in site.devices
        }
        self._said: dict[str, _Said] = {}
        """What monitors said, as last looked at; gone as soon as one speaks again."""
        self._nominal = {d: self._nominal_at(n) for d, n in node.items()}

    def spoke(self, device: str) -> None:
        """It has spoken: what was made of its words before is out of date."""
        self._said.pop(device, None)

    def _of(self, device: str, monitor: Monitor, one: Happening, start: datetime) -> _Said:
        """What it said of a happening; of thousands few have spoken since the last look."""
        off = monitor.off if monitor.part == one.key else None
        mark = one.key, one.since, off
        kept = self._said.get(device)
        if kept is not None and kept.mark == mark:
            return kept
        node = self._node[device]
        view = view_of(monitor, self._nodes[node], off or start, self._cfg)
        told = row(view) if view is not None else None
        lost = (
            off is not None
            and view is not None
            and told is not None
            and _misses(view, told, self._drifts)
        )
        stale = monitor.heard is None or one.since - monitor.heard > self._period[device]
        asked = not stale and not monitor.offline and self._nodes[node].what != "customer"
        made = _Said(
            mark=mark,
            view=view,
            row=told,
            lost=lost,
            has=_has(monitor) if asked else None,
            plain=monitor.record is None and "tension" not in monitor.channels,
        )
        self._said[device] = made
        return made

    def nominal(self, device: str) -> float:
        """Phase to neutral where a device sits (volts); 0: nobody knows."""
        return self._nominal.get(device, 0.0)

    def _nominal_at(self, node: str) -> float:
        kvs = {self._tree.spans[i].kv for i in self._tree.touching.get(node, ())}
        if len(kvs) != 1 or self._nodes[node].what == "transformer":
            return 0.0  # a transformer has two sides
        (kv,) = kvs
        return kv * 1000.0 / 3**0.5 if kv is not None else 0.0

    def hear(self, monitors: Mapping[str, Monitor], one: Happening, now: datetime) -> Findings:
        """All that was said since its onset."""
        tree, nodes = self._tree, len(self._tree.order)
        found = Findings(
            now, {}, {}, np.zeros((nodes, COLUMNS)), np.zeros((nodes, COLUMNS)),
            np.zeros((len(tree.spans), COLUMNS)), [], [], [], [], 0, [], [], [],
        )  # fmt: skip
        kinds: set[str] = set()
        asked: dict[_Has, tuple[list[int], list[int]]] = {}
        start = one.since + timedelta(seconds=self._cfg.skew_s)
        for device, monitor in monitors.items():
            place = self._place.get(device)
            if place is None or monitor.part not in (0, one.key):
                continue
            said, node = self._of(device, monitor, one, start), self._node[device]
            view, told = said.view, said.row
            if said.has is not None:
                who = asked.setdefault(said.has, ([], []))
                who[0].append(place)
                if view is not None:
                    who[1].append(place)
            if not said.plain or monitor.strike is not None or monitor.leaning is not None:
                self._mechanical(found, device, monitor, one, kinds)
                if self._recorded(found, device, monitor, one, view, kinds):
                    continue
            if view is None or told is None:
                if monitor.channels:
                    found.unknown.append(node)
                continue
            found.rows[place] = _both(found.rows[place], told) if place in found.rows else told
            found.views[device] = view
            if said.lost:
                found.lost.append(node)
                kinds.add("voltage" if max(view.phases) >= 0 else "last_gasp")
                if view.gasp:
                    found.gasps += 1
                    kinds.add("last_gasp")
            else:
                found.there.append(node)
        for key, (places, spoke) in asked.items():
            np.add.at(found.expected, places, _expects(key))
            np.add.at(found.spoke, spoke, _expects(key))
        if self._drifts:
            self._aside(found, monitors)
        if found.apart and any(found.apart.values()):
            kinds.add("voltage")
        found.kinds = sorted(kinds)
        if one.turned is not None:
            found.over = self._over(monitors, one, found, (now - one.turned).total_seconds())
        return found

    def _recorded(
        self,
        found: Findings,
        device: str,
        monitor: Monitor,
        one: Happening,
        view: View | None,
        kinds: set[str],
    ) -> bool:
        """Whether its record stands for its word, where it has no other."""
        record, node, place = monitor.record, self._node[device], self._place[device]
        if record is None or not belongs(record, one, self._cfg):
            return False
        found.records.append((node, device, record))
        if view is not None:
            return False
        shown = view_in(record, self._nodes[node], self._cfg)
        told = row(shown)
        before = found.rows.get(place)
        found.rows[place] = told if before is None else _both(before, told)
        if _misses(shown, told, self._drifts):
            found.lost.append(node)
            kinds.add("record")
        return True

    def _aside(self, found: Findings, monitors: Mapping[str, Monitor]) -> None:
        """Who of a displaced net measures something else than most of it."""
        said = {
            device: [monitors[device].channels[p] for p in PHASES]
            for device, view in found.views.items()
            if view.medium and min(view.phases) >= 0
        }
        if len(said) < LEAST_NET:
            return
        table = np.array([[c.value / c.usual for c in three] for three in said.values()])
        middle = np.median(table, axis=0)
        if float(np.abs(middle - 1.0).max()) < DISPLACED_BY:
            return
        for device, far in zip(said, np.abs(table - middle).max(axis=1) > DIFFERS_BY, strict=True):
            found.apart[self._place[device]] = bool(far)
            node = self._node[device]
            if far and monitors[device].off is not None and node not in found.lost:
                found.lost.append(node)
                found.there.remove(node)

    def _over(
        self, monitors: Mapping[str, Monitor], one: Happening, found: Findings, since_s: float
    ) -> float:
        """Some are back. If all are, those still off have not said so yet, or were not heard."""
        missing = math.log(NOT_YET if since_s < RETURNS_S else NOT_HEARD)
        total = 0.0
        for device, view in found.views.items():
            monitor = monitors[device]
            assert one.turned is not None
            mute = monitor.off is not None and not monitor.fresh(one.turned)
            total += missing if mute else row(view).nothing
        return total

    def _mechanical(
        self, found: Findings, device: str, monitor: Monitor, one: Happening, kinds: set[str]
    ) -> None:
        cfg, node = self._cfg, self._node[device]
        early = one.since - timedelta(seconds=cfg.strike_s)
        late = one.newest + timedelta(seconds=cfg.group_s)
        spans = self._tree.touching.get(node, [])
        strike, fallen, leaning = monitor.strike, monitor.fallen, monitor.leaning
        if strike is not None and early <= strike <= one.since + timedelta(seconds=cfg.skew_s):
            odds = next(o for least, o in STRIKES if monitor.blow >= least)
            found.support[spans] += odds
            found.strikes.append((node, device, monitor))
            if monitor.blow >= STRIKES[1][0]:
                kinds.add("strike")
        if fallen is not None and early <= fallen <= late:
            dead = DEAD if monitor.slack < DEAD_CELL else 0.0
            found.support[spans, 0] += TENSION[0] + dead
            found.support[spans, 1:-1] += TENSION[1] + dead
            found.support[spans, -1] += TENSION[2] + dead
            found.fallen.append(node)
            kinds.add("tension")
        elif fallen is None and "tension" in monitor.channels:
            start = one.since + timedelta(seconds=cfg.skew_s)
            if monitor.channels["tension"].at >= start:
                found.support[spans, 0] += HELD
        if leaning is not None and early <= leaning <= late:
            found.support[spans] += TILT
            found.leaning.append(node)
            kinds.add("tilt")


def _misses(view: View, told: Row, drifts: bool) -> bool:
    """Whether something is lost there, not only lifted or displaced with its whole net; `drifts`:
    its neutral point is probably isolated."""
    if view.medium:
        low = [p <= 2 for p in view.phases if p >= 0]
        gone = all(low) if drifts else any(low)
        return view.gasp or gone or 0 in view.amps
    return max(told.nothing, told.risen) < OFF_ODDS


def _has(monitor: Monitor) -> _Has:
    a, b, c = (p in monitor.channels for p in PHASES)
    return a, b, c, monitor.medium


@functools.cache
def _expects(key: _Has) -> NDArray[np.float64]:
    """In which breaks above it a monitor's voltages change, by column."""
    *has, medium = key
    mask = np.zeros(COLUMNS)
    for column, gone in enumerate(PHASE_SETS):
        if column == 0:
            mask[column] = any(has)
        elif column == COLUMNS - 1:
            mask[column] = all(has) and not medium
        else:  # medium voltage to earth may stay as it was in an isolated net
            mask[column] = any(has[k] for k in gone) and not (medium and all(has))
    return mask


def _both(a: Row, b: Row) -> Row:
    """Two monitors at one node."""
    return Row(
        a.nothing + b.nothing,
        a.displaced + b.displaced,
        a.risen + b.risen,
        a.sag + b.sag,
        tuple(x + y for x, y in zip(a.medium, b.medium, strict=True)),
        tuple(x + y for x, y in zip(a.isolated, b.isolated, strict=True)),
        tuple(x + y for x, y in zip(a.low, b.low, strict=True)),
        tuple(x + y for x, y in zip(a.above, b.above, strict=True)),
    )


def cause_of(tree: Tree, found: Findings, one: Happening, span: int) -> dict[str, Any] | None:
    """The strike at or near a span that came before the loss."""
    ends = {tree.spans[span].from_, tree.spans[span].to}
    near = ends | {
        n
        for end in ends
        for i in tree.touching[end]
        for n in (tree.spans[i].from_, tree.spans[i].to)
    }
    felt = [(m.blow, d, m) for n, d, m in found.strikes if n in near]
    if not felt:
        return None
    blow, device, monitor = max(felt, key=lambda x: (x[0], x[1]))
    assert monitor.strike is not None
    return {
        "what": "strike",
        "device": device,
        "at": iso(monitor.strike),
        "vibration": round(blow, 2),
        "before_s": round((one.since - monitor.strike).total_seconds(), 1),
    }
