"""`take`: one order run to the end, readings and truth apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import Wrong
from contracts.nouns import Reading
from simulators.dice import dice
from simulators.water import blocking, engine
from simulators.water.dry import Homes
from simulators.water.engine import READ_S, SPIN_S, Series, Weather
from simulators.water.instruments import Instrument, Truth, illness, measure, outages
from simulators.water.network import load
from simulators.water.place import Installed, install
from simulators.water.rain import showers
from simulators.water.take import Blockage, Fault, Order, Overflow, Storm, Take

_FIRST = datetime(2026, 3, 2, tzinfo=UTC)
_DIFFERS_M = 0.05
_MERGE_S = 600.0
"""Two overflows of one manhole with less between them are one."""


def take(order: Order, networks: Path | None = None) -> Take:
    """Run an order: the same order gives the same take, to the last digit.

    `networks` is the folder with SWMM files; `town` needs none. The engine keeps one network per
    process: takes in threads wait for one another, takes in processes do not.
    Raises Wrong for an order that cannot be run, an unknown network, and when the engine is not
    installed.
    """
    check(order)
    network = load(order.network, networks)
    start = begin_of(order)
    homes = Homes(order, network, start, SPIN_S)
    storms = showers(order)
    rain = engine.weather(order.seed, network, storms)
    installed = install(order, network)
    flows = tuple(installed.flows)
    free = engine.run(network, homes, rain, order.hours, (), flows)
    plugs = blocking.plugs(order, network, homes, frozenset(installed.levels), storms)
    real = engine.run(network, homes, rain, order.hours, plugs, flows) if plugs else free
    away = outages(order, installed.gateways, start)
    readings: list[Reading] = []
    faults: list[Fault] = []
    for instrument, truth in _instruments(installed, real, rain, order.reports_s):
        ill = illness(order, instrument)
        mine = tuple(o for o in away if o.gateway == instrument.gateway)
        found, shown = measure(order, instrument, truth, start, mine, ill)
        readings += found
        if ill is not None and shown:
            faults.append(
                Fault(
                    device=instrument.device,
                    metric=instrument.metric,
                    what=ill.what,
                    begin=start + timedelta(seconds=ill.begin_s),
                    end=start + timedelta(seconds=ill.end_s),
                )
            )
    readings.sort(key=lambda r: (r.received_at, r.device, r.metric, r.seq or 0))
    sensed = {i.device: node for node, i in installed.levels.items()}
    return Take(
        order=order,
        city=installed.city,
        readings=tuple(readings),
        overflows=_overflows(real, start),
        blockages=tuple(_blockage(p, free, real, start, set(installed.levels)) for p in plugs),
        faults=tuple(faults),
        storms=tuple(
            Storm(
                begin=start + timedelta(seconds=s.begin_s),
                end=start + timedelta(seconds=s.begin_s + s.duration_s),
                peak_mm_h=max(s.mm_h),
            )
            for s in storms
        ),
        sensed=sensed,
        outages=tuple(
            msgspec.structs.replace(o, devices=_behind(installed, o.gateway)) for o in away
        ),
    )


def check(order: Order) -> None:
    """Refuse an order that cannot be run, saying what is allowed. Raises Wrong."""
    low, high = order.return_years
    rules: tuple[tuple[str, bool, str], ...] = (
        ("hours", 1 <= order.hours <= 24 * 14, "1 to 336"),
        ("storms", 0 <= order.storms <= order.hours / 3, "0 up to one each three hours"),
        ("return_years", 0.1 <= low <= high <= 200, "two rising numbers from 0.1 to 200"),
        ("blockages", 0 <= order.blockages <= order.hours / 3, "0 up to one each three hours"),
        ("faults", 0 <= order.faults <= 1, "0 to 1"),
        ("outages", 0 <= order.outages <= 100, "0 to 100"),
        ("reports_s", 10 <= order.reports_s <= 3600, "10 to 3600"),
        ("sensors", 0 <= order.sensors <= 1, "0 to 1"),
        ("gauges", order.gauges >= 0, "0 or more"),
    )
    for name, good, allowed in rules:
        if not good:
            raise Wrong(f"water: {name}", f"{getattr(order, name)}", allowed)


def begin_of(order: Order) -> datetime:
    """When the first reading is due: any minute of any day of March to September 2026."""
    rng = dice(order.seed, "water", order.network, "begin")
    return _FIRST + timedelta(days=int(rng.integers(200)), minutes=int(rng.integers(1440)))


def _behind(installed: Installed, gateway: str) -> tuple[str, ...]:
    parts = (installed.levels, installed.flows, installed.gauges)
    return tuple(sorted(i.device for part in parts for i in part.values() if i.gateway == gateway))


def _instruments(
    installed: Installed, real: Series, rain: Weather, reports_s: float
) -> list[tuple[Instrument, Truth]]:
    at = np.arange(len(real.level_m)) * READ_S
    found: list[tuple[Instrument, Truth]] = []

    def curve(values: NDArray[np.float32]) -> Truth:
        return lambda t: np.interp(t, at, values)

    def bucket(zone: int) -> Truth:
        # a gauge says what fell since its last report, in tips of 0.2 mm
        def mean(t: NDArray[np.float64]) -> NDArray[np.float64]:
            fine = np.arange(0.0, at[-1] + 60.0, 30.0)
            fallen = np.concatenate(([0.0], np.cumsum(rain.rate(zone, fine) * 30 / 3600)))
            edges = np.append(fine, fine[-1] + 30.0)
            tips = np.floor(np.interp(np.concatenate(([0.0], t)), edges, fallen) / 0.2)
            gap = np.maximum(np.diff(np.concatenate(([t[0] - reports_s], t))), 1.0)
            return np.asarray(np.diff(tips) * 0.2 * 3600 / gap)

        return mean

    for node, instrument in installed.levels.items():
        found.append((instrument, curve(real.level_m[:, real.nodes.index(node)])))
    for link, instrument in installed.flows.items():
        found.append((instrument, curve(real.flow_m3_s[:, real.links.index(link)])))
    for node, instrument in installed.gauges.items():
        found.append((instrument, bucket(rain.zone[node])))
    return found


def _overflows(real: Series, start: datetime) -> tuple[Overflow, ...]:
    found = []
    for column, node in enumerate(real.nodes):
        wet = np.flatnonzero(real.over[:, column])
        if len(wet) == 0:
            continue
        cuts = np.flatnonzero(np.diff(wet) * READ_S > _MERGE_S) + 1
        for part in np.split(wet, cuts):
            if len(part) < 2:  # a single sample is the engine's ripple, not water on a street
                continue
            found.append(
                Overflow(
                    node=node,
                    begin=start + timedelta(seconds=float(part[0] * READ_S)),
                    end=start + timedelta(seconds=float((part[-1] + 1) * READ_S)),
                    peak_m=round(float(real.level_m[part, column].max()), 3),
                )
            )
    return tuple(sorted(found, key=lambda o: (o.begin, o.node)))


def _blockage(
    plug: blocking.Plug, free: Series, real: Series, start: datetime, watched: set[str]
) -> Blockage:
    first = int(plug.begin_s // READ_S)
    last = min(int(plug.end_s // READ_S) + 1, len(real.level_m))
    differs = np.abs(real.level_m[first:last] - free.level_m[first:last]) >= _DIFFERS_M
    differs[1:] &= differs[:-1].copy()  # twice in a row: not a pump that starts a moment later

    def when(columns: NDArray[np.bool_]) -> datetime | None:
        rows = np.flatnonzero(differs[1:][:, columns].any(axis=1))
        return (
            start + timedelta(seconds=float((first + 1 + rows[0]) * READ_S)) if len(rows) else None
        )

    everywhere = np.ones(len(real.nodes), np.bool_)
    total_s = (len(real.level_m) - 1) * READ_S
    return Blockage(
        pipe=plug.pipe,
        begin=start + timedelta(seconds=plug.begin_s),
        full=start + timedelta(seconds=plug.full_s),
        lost=plug.lost,
        effect=when(everywhere),
        sensed=when(np.array([n in watched for n in real.nodes])),
        cleared=start + timedelta(seconds=plug.end_s) if plug.end_s <= total_s else None,
    )
