"""The fibre break detector: each trace against the healthy one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from contracts.city import City, Fibre
from contracts.clock import EPOCH
from contracts.detector import Site
from contracts.event import Event
from contracts.geo import Point, along, length_m
from contracts.nouns import Trace
from contracts.sor import parse_sor
from detectors._common.episode import Episode, Ledger, revise
from detectors.fibre_break.config import FibreBreakConfig
from detectors.fibre_break.end import End, blocks, end_of, pulse_m

KIND = "fibre_break"
SEVERITY = 4
CURVE = 240
"""Points of the traces kept as evidence."""


class Healthy(msgspec.Struct):
    """What is known of the fibre when it was whole."""

    end_m: float
    """Where it ends, or where the trace's window ended when the fibre is longer."""
    wavelength_nm: float
    at_m: list[float]
    level_db: list[float]


class State(msgspec.Struct):
    """All state of one fibre."""

    ledger: Ledger
    healthy: Healthy | None = None
    learned: int = 0
    whole: int = 0
    episode: Episode | None = None
    end: End | None = None


def sites(city: City, _cfg: FibreBreakConfig) -> Iterable[Site]:
    """One site per fibre that an OTDR watches."""
    for fibre in city.fibres.values():
        device = city.devices.get(fibre.device or "")
        if device is not None:
            yield Site(
                id=fibre.id,
                district=device.district,
                point=device.point,
                devices=(device,),
                fibre=fibre,
            )


class FibreBreak:
    """Compares every trace with the healthy one: where it ends, and what is left beyond."""

    def __init__(self, cfg: FibreBreakConfig, site: Site, snapshot: bytes | None) -> None:
        if site.fibre is None:
            raise ValueError(f"site {site.id} has no fibre")
        self._cfg, self._site, self._fibre = cfg, site, site.fibre
        if snapshot is not None:
            self._state = msgspec.msgpack.decode(snapshot, type=State)
        else:
            self._state = State(Ledger(), healthy=self._baseline(site.fibre))

    def on_item(self, item: Trace, /) -> Iterable[Event]:
        """Fold one trace."""
        state = self._state
        end = end_of(item)
        if state.healthy is None or (
            state.learned and state.learned < self._cfg.learn_traces and state.episode is None
        ):
            self._learn(item, end)
            return ()
        if end is not None and self._broken(item, end, state.healthy):
            state.whole = 0
            return self._break(item, end)
        if end is None and _last_m(item) < state.healthy.end_m - self._tolerance(item):
            return ()  # a window that stops short of the end says nothing of the rest
        if state.episode is None:
            return ()
        state.whole += 1
        if state.whole < self._cfg.whole_traces:
            return ()
        return (self._mended(item),)

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Never asked for."""
        return ()

    def wake_at(self) -> datetime | None:
        """Traces come when they come; a silent OTDR is another kind's business."""
        return None

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)

    def _baseline(self, fibre: Fibre) -> Healthy | None:
        if fibre.baseline is None:
            return None
        trace = parse_sor(fibre.baseline, fibre.device or fibre.id, EPOCH, EPOCH)
        return _healthy(trace, end_of(trace))

    def _learn(self, trace: Trace, end: End | None) -> None:
        if end is not None and end.distance_m <= self._tolerance(trace):
            return  # no light at all: nothing to learn from
        seen = _healthy(trace, end)
        state = self._state
        if state.healthy is None or seen.end_m > state.healthy.end_m:
            state.healthy = seen
        state.learned += 1

    def _tolerance(self, trace: Trace) -> float:
        cfg = self._cfg
        whole = self._state.healthy.end_m if self._state.healthy else 0.0
        return max(
            cfg.tolerance_m, cfg.tolerance_share * whole, cfg.tolerance_pulses * pulse_m(trace)
        )

    def _broken(self, trace: Trace, end: End, healthy: Healthy) -> bool:
        if end.distance_m >= healthy.end_m - self._tolerance(trace):
            return False
        if abs(trace.wavelength_nm - healthy.wavelength_nm) > self._cfg.same_wavelength_nm:
            return True
        at, level, length = blocks(trace)
        usual = np.interp(at, healthy.at_m, healthy.level_db)
        before = (at > 2 * length) & (at < end.distance_m - length)
        shift = float(np.median(level[before] - usual[before])) if before.sum() >= 4 else 0.0
        beyond = at > end.distance_m + 4 * length
        beyond &= at < healthy.end_m - self._tolerance(trace)
        if not beyond.any():
            return True  # too near the end to compare: its place alone decides
        dark = usual[beyond] + shift - level[beyond] >= self._cfg.drop_db
        return float(dark.mean()) >= self._cfg.drop_share

    def _break(self, trace: Trace, end: End) -> Iterable[Event]:
        state = self._state
        if state.episode is None:
            state.episode = state.ledger.open(KIND, self._site.id, trace.at)
        elif state.end is not None:
            moved = abs(state.end.distance_m - end.distance_m)
            if moved <= max(state.end.error_m, end.error_m):
                return ()
        state.end = end
        return (self._revise(state.episode, end, trace),)

    def _mended(self, trace: Trace) -> Event:
        state = self._state
        assert state.episode is not None and state.end is not None
        event = self._revise(state.episode, state.end, trace, closed=True)
        state.episode, state.end, state.whole = None, None, 0
        return event

    def _revise(self, episode: Episode, end: End, trace: Trace, *, closed: bool = False) -> Event:
        healthy = self._state.healthy
        assert healthy is not None
        point = self._place(end.distance_m)
        evidence: dict[str, Any] = {
            "distance_m": round(end.distance_m, 2),
            "error_m": round(end.error_m, 2),
            "point": {"lon": point.lon, "lat": point.lat},
            "loss_db": round(end.loss_db, 3),
            "found_by": end.source,
            "healthy_end_m": round(healthy.end_m, 2),
            "wavelength_nm": trace.wavelength_nm,
            "pulse_ns": trace.pulse_ns,
            "fibre": self._fibre.id,
            "owners": [self._fibre.owner] if self._fibre.owner else [],
            "trace": _thin(trace, healthy.end_m),
            "healthy_trace": _pairs(healthy.at_m, healthy.level_db, healthy.end_m),
        }
        return revise(
            episode,
            kind=KIND,
            site=self._site.id,
            device=trace.device,
            point=point,
            severity=SEVERITY,
            evidence=evidence,
            closed=closed,
        )

    def _place(self, distance_m: float) -> Point:
        fibre = self._fibre
        if not fibre.path:
            return self._site.point
        chainage = fibre.start_m + (distance_m if fibre.forward else -distance_m)
        return along(fibre.path, min(max(chainage, 0.0), length_m(fibre.path)))


def _last_m(trace: Trace) -> float:
    return trace.first_m + trace.power_db.size * trace.spacing_m


def _healthy(trace: Trace, end: End | None) -> Healthy:
    at, level, _ = blocks(trace)
    return Healthy(
        end_m=end.distance_m if end is not None else _last_m(trace),
        wavelength_nm=trace.wavelength_nm,
        at_m=[round(float(x), 3) for x in at],
        level_db=[round(float(y), 3) for y in level],
    )


def _pairs(at: Iterable[float], level: Iterable[float], until_m: float) -> list[list[float]]:
    inside = [(x, y) for x, y in zip(at, level, strict=True) if x <= 1.1 * until_m]
    step = max(1, -(-len(inside) // CURVE))
    return [[round(x, 1), round(y, 2)] for x, y in inside[::step]]


def _thin(trace: Trace, until_m: float) -> list[list[float]]:
    at, level, _ = blocks(trace)
    return _pairs((float(x) for x in at), (float(y) for y in level), until_m)
