"""The fibre break detector: each trace against the healthy one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from contracts.city import City, Fibre
from contracts.clock import EPOCH
from contracts.detector import Site
from contracts.errors import Permanent
from contracts.event import Event
from contracts.nouns import Trace
from contracts.sor import parse_sor
from detectors._common.episode import Episode, Ledger, revise
from detectors._common.works import planned
from detectors.fibre_break.compare import Healthy, Seen, compare, healthy_of, last_m, tolerance_m
from detectors.fibre_break.config import FibreBreakConfig
from detectors.fibre_break.end import End, blocks, end_of
from detectors.fibre_break.place import Knot, Spot, knots, place
from detectors.fibre_break.words import LEAST_P, alternatives, reasons

KIND = "fibre_break"
SEVERITY = {"break": 4, "bend": 2}
CURVE = 400
"""Points at most of each trace kept as evidence."""


class State(msgspec.Struct):
    """All state of one fibre."""

    ledger: Ledger
    healthy: Healthy | None = None
    learned: int = 0
    whole: int = 0
    episode: Episode | None = None
    seen: Seen | None = None
    """The break or bend as last published."""
    traces: int = 0
    """Traces that showed it."""
    shown: list[list[float]] = []
    """The trace that was published with it: once it is mended this still shows where it was."""


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
                works=tuple(w for w in city.works if {fibre.id, device.id} & set(w.assets)),
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
        self._knots: list[Knot] | None = None

    def on_item(self, item: Trace, /) -> Iterable[Event]:
        """Fold one trace."""
        state = self._state
        if state.healthy is None or (
            state.learned and state.learned < self._cfg.learn_traces and state.episode is None
        ):
            self._learn(item)
            return ()
        seen = compare(item, state.healthy, self._cfg)
        if seen.what == "break" or (seen.what == "bend" and self._cfg.bends):
            return self._found(item, seen)
        if seen.what == "unknown" and not self._beyond(item, seen):
            return ()  # says nothing of the rest
        if state.learned and state.episode is None and seen.what == "whole":
            self._lengthen(item, state.healthy)
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
        try:
            trace = parse_sor(fibre.baseline, fibre.device or fibre.id, EPOCH, EPOCH)
        except Permanent:
            return None  # told by the check of the city folder; it is learned instead
        return healthy_of(trace, end_of(trace))

    def _learn(self, trace: Trace) -> None:
        end = end_of(trace)
        if blocks(trace)[0].size < 16 or float(trace.power_db.max() - trace.power_db.min()) == 0.0:
            return  # a read-out that failed
        fresh = healthy_of(trace, end)
        if end is not None and end.distance_m <= 2 * fresh.pulse_m + self._cfg.tolerance_m:
            return  # no light at all: nothing to learn from
        state = self._state
        if state.healthy is None or fresh.end_m > state.healthy.end_m:
            state.healthy, self._knots = fresh, None
        state.learned += 1

    def _lengthen(self, trace: Trace, healthy: Healthy) -> None:
        """What was learned was itself a broken or a shorter fibre when light now goes further."""
        end = end_of(trace)
        if end is not None and end.distance_m > healthy.end_m + tolerance_m(
            self._cfg, trace, healthy
        ):
            self._state.healthy, self._knots = healthy_of(trace, end), None

    def _beyond(self, trace: Trace, seen: Seen) -> bool:
        """Whether a trace whose window is short still shows light behind the known break."""
        state = self._state
        if seen.why != "window" or state.seen is None or state.seen.end is None:
            return False
        assert state.healthy is not None
        clear = state.seen.end.distance_m + 2 * tolerance_m(self._cfg, trace, state.healthy)
        return last_m(trace) > clear

    def _found(self, trace: Trace, seen: Seen) -> Iterable[Event]:
        state = self._state
        assert seen.end is not None
        state.whole = 0
        if state.episode is None:
            if planned(self._site.works, trace.at):
                return ()  # cut over on purpose; what is still cut after it is looked at again
            state.episode, state.traces = state.ledger.open(KIND, self._site.id, trace.at), 0
        state.traces += 1
        before = state.seen
        if before is not None and before.end is not None and before.what == seen.what:
            moved = abs(before.end.distance_m - seen.end.distance_m)
            if moved <= max(2 * before.end.error_m, 2 * seen.end.error_m):
                return ()
        state.seen = seen
        return (self._revise(state.episode, seen, trace),)

    def _mended(self, trace: Trace) -> Event:
        state = self._state
        assert state.episode is not None and state.seen is not None
        event = self._revise(state.episode, state.seen, trace, closed=True)
        state.episode, state.seen, state.whole, state.shown = None, None, 0, []
        return event

    def _revise(self, episode: Episode, seen: Seen, trace: Trace, *, closed: bool = False) -> Event:
        healthy, end = self._state.healthy, seen.end
        assert healthy is not None and end is not None
        spot = self._place(end, healthy)
        others = alternatives(seen, healthy, end.error_m) if seen.what == "break" else []
        why, why_zh = reasons(seen, healthy, self._state.traces, self._near(end.distance_m))
        if closed:
            why, why_zh = ["light passes again"], ["光路已恢复"]
        if not closed or not self._state.shown:
            self._state.shown = _thin(trace, healthy.end_m)
        evidence: dict[str, Any] = {
            "what": seen.what,
            "distance_m": round(end.distance_m, 2),
            "distance_error_m": round(end.error_m, 2),
            "break_m": round(end.distance_m, 2),
            "chainage_m": round(spot.chainage_m, 1),
            "error_m": round(spot.error_m, 2),
            "point": {"lon": spot.point.lon, "lat": spot.point.lat},
            "loss_db": round(end.loss_db, 3),
            "reflective": seen.reflective,
            "found_by": end.source,
            "healthy_end_m": round(healthy.end_m, 2),
            "wavelength_nm": trace.wavelength_nm,
            "pulse_ns": trace.pulse_ns,
            "fibre": self._fibre.id,
            "owners": [self._fibre.owner] if self._fibre.owner else [],
            "p": round(1 - sum(float(o["p"]) for o in others), 4),
            "ruled_out": [o for o in others if o["p"] < LEAST_P],
            "not_ruled_out": [o for o in others if o["p"] >= LEAST_P],
            "why": why,
            "why_zh": why_zh,
            "trace": self._state.shown,
            "baseline_trace": _pairs(
                healthy.at_m, [y + seen.shift_db for y in healthy.level_db], healthy.end_m
            ),
            "baseline_events": healthy.events_m[:100],
        }
        return revise(
            episode,
            kind=KIND,
            site=self._site.id,
            device=trace.device,
            point=spot.point,
            severity=SEVERITY[seen.what],
            evidence=evidence,
            closed=closed,
        )

    def _place(self, end: End, healthy: Healthy) -> Spot:
        if not self._fibre.path:
            return Spot(self._site.point, 0.0, end.error_m)
        return place(self._fibre, self._known(healthy), end.distance_m, end.error_m)

    def _known(self, healthy: Healthy) -> list[Knot]:
        if self._knots is None:
            self._knots = knots(self._fibre, healthy.end_m, healthy.events_m)
        return self._knots

    def _near(self, light_m: float) -> str:
        """The known splice or end within 60 m of light, in words; empty: none."""
        if self._state.healthy is None or not self._fibre.path:
            return ""
        known = self._known(self._state.healthy)
        best = min(known, key=lambda k: abs(k.light_m - light_m))
        off = light_m - best.light_m
        return f"{best.light_m:.0f} m {off:+.0f} m" if abs(off) <= 60.0 and best.light_m else ""


def _pairs(at: Sequence[float], level: Sequence[float], until_m: float) -> list[list[float]]:
    inside = [(x, y) for x, y in zip(at, level, strict=True) if x <= 1.1 * until_m]
    step = max(1, -(-len(inside) // CURVE))
    return [[round(x, 1), round(y, 2)] for x, y in inside[::step]]


def _thin(trace: Trace, until_m: float) -> list[list[float]]:
    at, level, _ = blocks(trace)
    return _pairs([float(x) for x in at], [float(y) for y in level], until_m)
