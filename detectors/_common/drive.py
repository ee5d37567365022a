"""Runs a detector over items in order of receipt, as the service does; for tests and scorecards."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from contracts.detector import Detector, Site, Spec
from contracts.event import Event
from contracts.nouns import Item, Reading
from detectors._common.reorder import Reorder

Known = tuple[datetime, Event]
"""An event revision and the receipt time at which it was known."""


class Drive:
    """One detector at one site behind its reorder stage, woken exactly when it asks.

    The order of things at one moment is fixed: items whose wait is over, then the detector's
    timer, then the item that was received.
    """

    def __init__(
        self,
        spec: Spec[Any],
        cfg: Any,
        site: Site,
        state: tuple[bytes, bytes] | None = None,
        bounds: dict[str, float] | None = None,
    ) -> None:
        self.spec, self.cfg, self.site = spec, cfg, site
        self.bounds = bounds if bounds is not None else {d.id: d.reorder_s for d in site.devices}
        self.detector: Detector[Any] = spec.build(cfg, site, state[0] if state else None)
        self.reorder = Reorder.restore(self.bounds, state[1]) if state else Reorder(self.bounds)
        self.late = 0
        self._nouns = spec.nouns(site)

    def state(self) -> tuple[bytes, bytes]:
        """Snapshot of the detector and of its reorder stage."""
        return self.detector.snapshot(), self.reorder.snapshot()

    def put(self, item: Item) -> list[Known]:
        """Run time on to the item's receipt, then take it."""
        events = self.run_to(item.received_at)
        now = item.received_at
        if type(item) not in self._nouns:
            return events
        if isinstance(item, Reading) and self.spec.metrics and item.metric not in self.spec.metrics:
            return events
        ready, late = self.reorder.put(item)
        self.late += late
        for one in ready:
            events.extend((now, event) for event in self.detector.on_item(one))
        return events

    def run_to(self, now: datetime) -> list[Known]:
        """Call whoever wanted to be called at or before `now`, at exactly that moment."""
        events: list[Known] = []
        while True:
            waiting, own = self.reorder.wake_at(), self.detector.wake_at()
            moment = min((m for m in (waiting, own) if m is not None), default=None)
            if moment is None or moment > now:
                return events
            for one in self.reorder.due(moment):
                events.extend((moment, event) for event in self.detector.on_item(one))
            own = self.detector.wake_at()
            if own is not None and own <= moment:
                events.extend((own, event) for event in self.detector.on_time(own))
                again = self.detector.wake_at()
                if again is not None and again <= own:
                    raise RuntimeError(
                        f"{self.spec.kind} at {self.site.id} asked to be woken at {again}, "
                        f"which is not after {own}: time would stand still"
                    )


def run(
    spec: Spec[Any],
    cfg: Any,
    site: Site,
    items: Iterable[Item],
    *,
    tail_s: float = 600.0,
    bounds: dict[str, float] | None = None,
) -> list[Known]:
    """Every event revision with the receipt time at which it was known, in order.

    `items` in order of `received_at`. After the last one time runs on by `tail_s`.
    """
    drive = Drive(spec, cfg, site, bounds=bounds)
    out: list[Known] = []
    last: datetime | None = None
    for item in items:
        last = item.received_at
        out.extend(drive.put(item))
    if last is not None:
        out.extend(drive.run_to(last + timedelta(seconds=tail_s)))
    return out
