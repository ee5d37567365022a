"""A detector is a fold over time that arrives in the data: no I/O, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from contracts.city import Camera, City, Device, DrainNetwork, Fibre, LineNetwork, Work
from contracts.event import Event
from contracts.geo import Point
from contracts.rows import Rows

In = TypeVar("In", contravariant=True)
Cfg = TypeVar("Cfg")


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What one detector instance watches: a device, a camera, a drainage network, a line."""

    id: str
    district: str
    point: Point
    devices: tuple[Device, ...]
    """Items of these devices go to this site."""
    camera: Camera | None = None
    drains: DrainNetwork | None = None
    line: LineNetwork | None = None
    fibre: Fibre | None = None
    works: tuple[Work, ...] = ()
    """Planned works that may explain what is seen here."""
    consumes: tuple[type, ...] | None = None
    """The nouns that this site folds, where its kind consumes others elsewhere (pictures at a
    camera, readings at a gauge); None: all that the kind consumes."""


class Detector(Protocol[In]):
    """One instance watches one site. Items arrive in the order of their `at` per device.

    A detector may also have `condition() -> str | None`: why it now sees less than it should, in a
    line for people ("rain: only things of 12 px and more are looked for"), None when all is well.
    It follows from the state alone; the service logs each change and shows it as a metric.
    """

    def on_item(self, item: In, /) -> Iterable[Event]:
        """Fold one item; yield the event revisions it causes."""
        ...

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Called with exactly the moment that `wake_at` named, between items."""
        ...

    def wake_at(self) -> datetime | None:
        """The next moment (receipt time) this detector wants `on_time`, or None."""
        ...

    def snapshot(self) -> bytes:
        """All state, so that `build(..., snapshot)` continues as if never stopped."""
        ...


class Many(Protocol):
    """All detectors of a kind in one process, folding many readings at once.

    It is theirs alone: who asks one of them anything (`on_item`, `on_time`, `snapshot`) calls
    `settle` before, and all of them get every reading in one order.
    """

    def on_batch(self, rows: Rows, /) -> tuple[list[tuple[int, Event]], int]:
        """Fold readings from the front, exactly as `on_item` of each detector would in their
        order: the same events, the same snapshots. (place in the batch, event) of each event, in
        order; and the place before which all were folded: the caller folds on from there.

        Nothing may be due in between: no wake-up lies before the receipt of the last reading
        offered, and none beyond one that makes a detector ask for such a wake-up is folded. When
        it raises, all of the detectors are void: they go on from their last snapshots.
        """
        ...

    def settle(self) -> None:
        """Give the detectors what was put aside for them."""
        ...


class Spec(Generic[Cfg]):
    """A detector kind's one export; discovery, configuration, docs and laws follow from it.

    kind      the kind of event it publishes
    consumes  noun types it folds (contracts.nouns)
    metrics   for readings: the metrics it wants; the rest never reaches it
    config    a msgspec.Struct (forbid_unknown_fields) whose defaults are the shipped ones
    sites     which sites of a city it watches
    build     makes an instance for a site, from a snapshot when there is one
    many      for readings: takes instances (as new, or settled) that fold many readings at once
    """

    def __init__(
        self,
        *,
        kind: str,
        consumes: tuple[type, ...],
        config: type[Cfg],
        sites: Callable[[City, Cfg], Iterable[Site]],
        build: Callable[[Cfg, Site, bytes | None], Detector[Any]],
        metrics: frozenset[str] = frozenset(),
        many: Callable[[Sequence[Any]], Many] | None = None,
    ) -> None:
        self.kind = kind
        self.consumes = consumes
        self.config = config
        self.sites = sites
        self.build = build
        self.metrics = metrics
        self.many = many

    def nouns(self, site: Site) -> tuple[type, ...]:
        """The nouns this kind folds at that site."""
        return self.consumes if site.consumes is None else site.consumes
