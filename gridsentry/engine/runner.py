"""One detector at one site, behind the one reorder stage, woken exactly when it asks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from contracts.batch import SiteSnapshot
from detectors._common.reorder import Reorder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from contracts.detector import Detector, Site, Spec
    from contracts.event import Event
    from contracts.nouns import Item

log = logging.getLogger(__name__)


class SiteRunner:
    """Feeds a detector its items in order and its wake-ups between them.

    `order` is the runner's place in the fixed order of all runners: ties in time go by it, so
    that the same input gives the same events whatever the batch boundaries.
    """

    __slots__ = (
        "_bounds",
        "_detector",
        "_reorder",
        "_waits",
        "failure",
        "folded",
        "late",
        "order",
        "resumed",
        "site",
        "snapshot_at",
        "snapshot_items",
        "spec",
    )

    def __init__(
        self, spec: Spec[Any], cfg: object, site: Site, order: int, saved: SiteSnapshot | None
    ) -> None:
        self.spec = spec
        self.site = site
        self.order = order
        self._bounds: Mapping[str, float] = {d.id: d.reorder_s for d in site.devices if d.reorder_s}
        self._waits = bool(self._bounds)
        try:
            self._continue(cfg, saved)
            self.resumed = saved is not None
        except Exception as error:
            if saved is None:
                raise
            # A snapshot of another version, or a city that changed under it: what it watched for
            # has to begin anew, but nobody else may be kept from starting.
            log.error(
                "the snapshot of %s at %s cannot be read (%s: %s): it starts afresh",
                spec.kind,
                site.id,
                type(error).__name__,
                error,
            )
            self._continue(cfg, None)
            self.resumed = False
        self.failure: str | None = None
        """Why this detector is left out, if it is."""
        self.late = 0
        self.folded = 0
        self.snapshot_at: datetime | None = None
        self.snapshot_items = 0

    def _continue(self, cfg: object, saved: SiteSnapshot | None) -> None:
        self._detector: Detector[Any] = self.spec.build(
            cfg, self.site, saved.state if saved else None
        )
        self._reorder = (
            Reorder.restore(self._bounds, saved.marks)
            if saved and saved.marks
            else Reorder(self._bounds)
        )

    def put(self, item: Item) -> tuple[list[Event], bool]:
        """The events that this item (and those it set free) cause; whether it came too late."""
        if self.failure is not None:
            return [], False
        ready, late = self._reorder.put(item)
        if late:
            self.late += 1
            return [], True
        events: list[Event] = []
        try:
            for one in ready:
                self.folded += 1
                told = self._detector.on_item(one)
                if told:  # mostly not: nothing to walk over
                    events.extend(told)
        except Exception as error:
            return self._set_aside(error, f"{type(item).__name__} of {item.device} at {item.at}")
        return events, False

    def wake_at(self) -> datetime | None:
        """The next moment either the reorder stage or the detector must be called."""
        if self.failure is not None:
            return None
        own = self._detector.wake_at()
        if not self._waits:
            return own
        waiting = self._reorder.wake_at()
        if own is None or waiting is None:
            return own or waiting
        return min(own, waiting)

    def wake(self, moment: datetime) -> list[Event]:
        """Call whoever wanted `moment`: items whose wait is over first, then the detector."""
        try:
            return self._wake(moment)
        except Exception as error:
            return self._set_aside(error, f"its wake-up at {moment}")[0]

    def _set_aside(self, error: Exception, what: str) -> tuple[list[Event], bool]:
        """A detector with a fault must not stop the others, nor what is stored: it is left out
        until the next start, keeps its last good snapshot, and then folds again what it missed."""
        self.failure = (
            f"detector {self.spec.kind} at {self.site.id} failed on {what} "
            f"({type(error).__name__}: {error}) and is left out until the next start"
        )
        log.exception("%s", self.failure)
        return [], False

    def _wake(self, moment: datetime) -> list[Event]:
        events: list[Event] = []
        if self._waits:
            for item in self._reorder.due(moment):
                self.folded += 1
                events.extend(self._detector.on_item(item))
        own = self._detector.wake_at()
        if own is not None and own <= moment:
            events.extend(self._detector.on_time(own))
            again = self._detector.wake_at()
            if again is not None and again <= own:
                # A detector that asks for the same moment again would never let time pass.
                raise RuntimeError(
                    f"detector {self.spec.kind} at {self.site.id} asked to be woken at {again}, "
                    f"not after {own}"
                )
        return events

    def condition(self) -> str | None:
        """Why the detector sees less than it should, if it says so."""
        if self.failure is not None:
            return self.failure
        say = getattr(self._detector, "condition", None)
        told = say() if say is not None else None
        return str(told) if told else None

    def snapshot(self) -> SiteSnapshot:
        """Everything needed to continue here."""
        return SiteSnapshot(
            kind=self.spec.kind,
            site=self.site.id,
            state=self._detector.snapshot(),
            marks=self._reorder.snapshot(),
        )
