"""Detectors over stored history, in the recorded order and the recorded time.

Both configurations are folded side by side over one reading of the store: the same engine the
service and `gridsentry replay` run, without a router, without a store behind it.
"""

from __future__ import annotations

import heapq
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from contracts.detector import Spec
from contracts.nouns import (
    Arrival,
    Clip,
    Notice,
    Poison,
    Position,
    Pulse,
    Quality,
    Reading,
    Record,
    Report,
    Segment,
    Sound,
    Status,
    Still,
    Trace,
)
from detectors import specs as discover
from gridsentry.backtest.compare import Episode
from gridsentry.engine.book import EventBook
from gridsentry.engine.engine import Engine
from gridsentry.engine.roster import MEDIA, Roster, watches
from ingest.screen import Screen
from router.engine import GridRouter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from contracts.batch import PublishedEvent, StoredItem
    from contracts.city import City
    from contracts.detector import Site
    from contracts.nouns import Item
    from contracts.ports import Decoder
    from router.settings import RouterSettings
    from store.past import ToldEvent

DRAINED = 20_000
"""Readings between two looks at what came out."""
LATE = int(Quality.LATE)
STORED = (Trace, Record, Report, Notice, Status)
UNSTORED = (*MEDIA, Clip, Sound)
"""Pictures and sound: the store has none of them."""
Moment = tuple[datetime, list["Reading | Item"]]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at: these kinds and devices, or all."""

    kinds: frozenset[str] | None = None
    devices: frozenset[str] | None = None
    unheard: frozenset[str] = frozenset()
    """Devices whose signs of life (pictures, sound) are not stored: their silence means nothing."""

    def has(self, episode: Episode | ToldEvent) -> bool:
        """Whether an event is among it."""
        if self.kinds is not None and episode.kind not in self.kinds:
            return False
        if episode.kind == "sensor_silent" and episode.device in self.unheard:
            return False
        if self.devices is None:
            return True
        return episode.device in self.devices or (
            episode.device is None and episode.site in self.devices
        )


def blind(specs: Mapping[str, Spec[Any]]) -> frozenset[str]:
    """Kinds that live on pictures or sound alone: they cannot be run over a store."""
    return frozenset(
        kind for kind, spec in specs.items() if all(noun in UNSTORED for noun in spec.consumes)
    )


def unheard(city: City, configs: Mapping[str, object]) -> frozenset[str]:
    """Devices that some kind watches by pictures or sound alone."""
    return frozenset(
        device.id
        for watch in watches(city, discover(), configs)
        if all(noun in UNSTORED for noun in watch.spec.nouns(watch.site))
        for device in watch.site.devices
    )


def narrowed(spec: Spec[Any], devices: frozenset[str]) -> Spec[Any]:
    """The kind at sites of these devices only; neighbours that the site listens to are heard."""

    def sites(city: City, cfg: Any) -> Iterator[Site]:
        for site in spec.sites(city, cfg):
            if any(device.id in devices for device in site.devices):
                yield site

    return Spec(
        kind=spec.kind,
        consumes=spec.consumes,
        config=spec.config,
        sites=sites,
        build=spec.build,
        metrics=spec.metrics,
        many=spec.many,
    )


class Side:
    """One configuration: its engine, and the episodes that came out of it."""

    def __init__(
        self,
        city: City,
        router: RouterSettings,
        configs: Mapping[str, object],
        scope: Scope,
    ) -> None:
        specs = discover()
        left_out = blind(specs)
        self.specs = {
            kind: spec if scope.devices is None else narrowed(spec, scope.devices)
            for kind, spec in specs.items()
            if kind not in left_out and (scope.kinds is None or kind in scope.kinds)
        }
        self.roster = Roster(city, self.specs, configs)
        places = GridRouter(city, router)
        self.engine = Engine(
            city, self.roster, EventBook(places.place), places, Screen(), routes=False
        )
        self._scope = scope
        self._episodes: dict[str, Episode] = {}

    def take(self, arrival: Arrival, nouns: Sequence[Any]) -> None:
        """Fold what came at one moment."""
        self.engine.take(arrival, nouns)

    def drain(self) -> None:
        """Note what came out."""
        for published in self.engine.drain().events:
            self._note(published)

    def _note(self, published: PublishedEvent) -> None:
        event, known_at = published.event, published.known_at
        before = self._episodes.get(event.id)
        over = known_at if event.phase == "closed" else None
        if before is None:
            self._episodes[event.id] = Episode(
                id=event.id,
                kind=event.kind,
                site=event.site,
                device=event.device,
                onset=event.at,
                told=known_at,
                over=over,
                severity=event.severity,
                why=words(event.evidence),
            )
            return
        self._episodes[event.id] = msgspec.structs.replace(
            before,
            onset=event.at,
            over=before.over or over,
            severity=max(before.severity, event.severity),
        )

    def episodes(self, since: datetime) -> list[Episode]:
        """What was first told at or after `since` within the scope, in that order."""
        found = [e for e in self._episodes.values() if e.told >= since and self._scope.has(e)]
        return sorted(found, key=lambda e: (e.told, e.id))


def words(evidence: Mapping[str, Any]) -> tuple[str, str] | None:
    """(English, Chinese) of the strongest reason an event gives, where its kind gives words."""
    english, chinese = _first(evidence.get("why")), _first(evidence.get("why_zh"))
    return (english, chinese) if english and chinese else None


def _first(told: Any) -> str | None:
    if isinstance(told, (list, tuple)) and told:
        told = told[0]
    return told if isinstance(told, str) and told else None


class History(Protocol):
    """What was received in [since, until), in that order: (when, writer, batch, place, what)."""

    def readings(
        self,
        since: datetime,
        until: datetime,
        *,
        devices: Collection[str] | None = None,
        metrics: Collection[str] | None = None,
    ) -> Iterator[tuple[datetime, str, int, int, Reading]]:
        """Readings, of all devices and metrics or these."""
        ...

    def items(
        self, since: datetime, until: datetime, nouns: Collection[str]
    ) -> Iterator[tuple[datetime, str, int, int, StoredItem]]:
        """Messages kept whole, with these nouns."""
        ...


class Backtest:
    """One reading of the store, folded by every side.

    past      where the history is: `store.past.Past`
    decoder   reads stored messages again
    sides     one for each configuration; all over the same city
    """

    def __init__(self, past: History, decoder: Decoder, sides: Sequence[Side]) -> None:
        self._past = past
        self._decoder = decoder
        self._sides = sides
        self.readings = 0
        self.items = 0
        self.failures: list[str] = []

    def run(
        self, since: datetime, until: datetime, told: Callable[[datetime], None] = lambda _: None
    ) -> None:
        """Fold [since, until) of receipt time; `told` hears now and then how far it is."""
        waiting = 0
        for moment, nouns in self._moments(since, until):
            arrival = Arrival("", b"", moment)
            for side in self._sides:
                side.take(arrival, nouns)
            waiting += len(nouns)
            if waiting >= DRAINED:
                waiting = 0
                self._drain()
                told(moment)
        for side in self._sides:
            side.engine.advance(until)
            self.failures += side.engine.failures()
        self._drain()
        told(until)

    def _drain(self) -> None:
        for side in self._sides:
            side.drain()

    def _moments(self, since: datetime, until: datetime) -> Iterator[Moment]:
        """What was received at one moment together, in the order of the writers' batches."""
        now: datetime | None = None
        nouns: list[Any] = []
        for received, found in self._found(since, until):
            if now is not None and received != now:
                yield now, nouns
                nouns = []
            now = received
            nouns += found
        if now is not None:
            yield now, nouns

    def _found(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, Sequence[Any]]]:
        wanted = self._wanted()
        rows: Iterable[tuple[Any, ...]] = ()
        if wanted.readings:
            rows = self._past.readings(since, until, devices=wanted.devices, metrics=wanted.metrics)
        items = iter(self._past.items(since, until, wanted.items) if wanted.items else ())
        first = next(items, None)
        if first is not None:  # merging costs as much as reading: most stores hold readings only
            rows = heapq.merge(rows, chain([first], items), key=lambda row: row[:4])
        for received, _, _, _, what in rows:
            if type(what) is Reading:
                self.readings += 1
                if what.quality & LATE:  # it says what was late for the service, not for us
                    what = msgspec.structs.replace(what, quality=what.quality & ~LATE)  # noqa: PLW2901
                yield received, (what,)
            else:
                self.items += 1
                yield received, self._again(what)

    def _again(self, item: StoredItem) -> list[Item]:
        nouns = self._decoder.decode(Arrival(item.topic, item.payload, item.received_at))
        # A message may hold readings as well; those are stored, and folded, by themselves.
        other = (Poison, Position, Reading, Segment, Still, Clip, Sound, Pulse)
        return [noun for noun in nouns if not isinstance(noun, other)]

    def _wanted(self) -> Wanted:
        specs = {k: s for side in self._sides for k, s in side.specs.items()}.values()
        readers = [spec for spec in specs if Reading in spec.consumes]
        named = all(spec.metrics for spec in readers)
        nouns = {n.__name__.lower() for spec in specs for n in spec.consumes if n in STORED}
        devices = {
            device.id
            for side in self._sides
            for runner in side.roster.runners
            for device in runner.site.devices
        }
        return Wanted(
            readings=bool(readers),
            metrics=frozenset().union(*(s.metrics for s in readers)) if named else None,
            devices=frozenset(devices),
            items=frozenset(nouns),
        )


class Wanted(msgspec.Struct, frozen=True):
    """What the sides fold: nobody else's readings need be read."""

    readings: bool
    metrics: frozenset[str] | None
    devices: frozenset[str]
    items: frozenset[str]
