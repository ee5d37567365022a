"""Builds one generation of a writer from the store: snapshots, events, tickets, batches."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from contracts.aliases import aliases
from contracts.clock import EPOCH, monotonic
from contracts.nouns import Arrival, Poison, Position, Reading
from detectors import specs as discover
from gridsentry.engine.beside import FORGOTTEN, Beside
from gridsentry.engine.cameras import camera_folds, needs_proof
from gridsentry.engine.chain import Chains
from gridsentry.engine.media import decode_media
from gridsentry.engine.proof import ProofMaker
from gridsentry.engine.rooms import build_engine
from gridsentry.live.bulk import BulkReader, SpoolNumbers
from gridsentry.live.conditions import Conditions
from gridsentry.live.crew import CameraWorker
from gridsentry.live.gallery import Gallery
from gridsentry.live.parts import Parts
from gridsentry.live.proofs import ProofThread, Recent, SpoolCutter
from ingest.adapting.dispatch import KIND as ADAPTER_KIND
from ingest.adapting.dispatch import Adapted
from ingest.adapting.looking import Lookout
from ingest.decoder import NativeDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from contracts.batch import SiteSnapshot, StoredItem
    from contracts.city import City
    from contracts.clock import Clock
    from contracts.nouns import Item
    from contracts.ports import Resume, Session, StoredBatch, Writer
    from gridsentry.config import Settings
    from gridsentry.engine.engine import Engine
    from gridsentry.live.roles import Plan
    from gridsentry.metrics import Metrics
    from ingest.adapting.plan import Plan as AdapterPlan
    from ingest.album import Album
    from ingest.spool import Spool

log = logging.getLogger(__name__)

CAMERA_THREADS = 2
CHAIN_KNOWN = timedelta(days=7)
"""Links younger than this are taken up: an event that is said again has its proof already."""


class Builder:
    """Called by the core each time it takes up its lease or the city changed."""

    def __init__(
        self,
        city: Callable[[], City],
        settings: Settings,
        configs: Mapping[str, object],
        store: Writer,
        plan: Plan,
        clock: Clock,
        *,
        spool: Spool | None,
        bulk_session: Session | None,
        evidence: Path,
        originals: Path,
        metrics: Metrics | None = None,
        adapters: Callable[[], Sequence[AdapterPlan]] = tuple,
        conditions: Conditions | None = None,
        album: Album | None = None,
    ) -> None:
        self._album = album
        self._adapters = adapters
        self._city = city
        self._settings = settings
        self._configs = configs
        self._store = store
        self._plan = plan
        self._clock = clock
        self._spool = spool
        self._bulk_session = bulk_session
        self._evidence = evidence
        self._originals = originals
        self._metrics = metrics
        self._conditions = conditions or Conditions(metrics)
        self.wake_core: Callable[[], None] = lambda: None

    def __call__(self, epoch: int) -> Parts:
        """A fresh generation that continues where the store says this writer stood."""
        began = monotonic()
        city = self._city()
        resume = self._store.resume(self._plan.writer)
        saved = {(s.kind, s.site): s for s, _ in resume.snapshots}
        engine = build_engine(
            city,
            self._settings.router,
            self._configs,
            known=self._store.event_book(),
            saved=saved,
            routes=self._plan.routes,
        )
        states = {site: s.state for (kind, site), s in saved.items() if kind == ADAPTER_KIND}
        adapted = self._adapted(city, states)
        decoder = NativeDecoder(city.devices, city.workers, self._settings.decoder, adapted)
        # What was stored is decoded again by a decoder of its own: it must not teach the adapters
        # anything twice.
        again = NativeDecoder(
            city.devices, city.workers, self._settings.decoder, self._adapted(city, states)
        )
        if self._plan.routes:
            state = self._store.router_state()
            engine.router.restore(
                state.incidents,
                state.tickets,
                [p.event for p in state.events],
                state.positions,
                state.silences,
            )
        batches = self._refold(engine, again, resume)
        engine.now = max(engine.now, resume.at or EPOCH)
        takes_in = self._plan.telemetry or self._plan.bulk
        taken = self._take_up(city, again) if takes_in else 0
        parts = Parts(
            engine=engine,
            decoder=decoder,
            last_batch=resume.last_batch,
            conditions=self._conditions,
            adapted=adapted,
        )
        if self._plan.bulk:
            self._cameras(parts, city, saved, engine, resume.at or self._clock.now())
        log.info(
            "%s continues after batch %d: %d snapshots, %d batches folded again, %d messages of "
            "newly registered devices taken up, in %.2f s",
            self._plan.writer,
            resume.last_batch,
            len(saved),
            batches,
            taken,
            monotonic() - began,
        )
        return parts

    def _wake(self) -> None:
        self.wake_core()  # known only after the core was made with this builder

    # --- outside gateways -----------------------------------------------------------------------

    def _adapted(self, city: City, states: Mapping[str, bytes]) -> Adapted | None:
        plans = self._adapters() if self._plan.telemetry else ()
        if not plans:
            return None
        return Adapted(
            plans,
            city.devices,
            aliases(city),
            self._settings.decoder.clock_rule(),
            states,
            self._plan.districts(city),
            self._plan.shard == 1,
        )

    def _take_up(self, city: City, decoder: NativeDecoder) -> int:
        """Messages kept for devices that are registered now. What outside gateways call a device
        is theirs: one message of each name says whether its adapter knows it now."""
        names = dict.fromkeys(city.devices)
        for message in self._store.unknown_samples() if decoder.adapted else ():
            nouns = decoder.decode(Arrival(message.topic, message.payload, message.received_at))
            if nouns and not any(
                isinstance(n, Poison) and (n.code, n.device) == ("unknown_device", message.device)
                for n in nouns
            ):
                names[message.device] = None
        return self._store.take_up_unknown(names)

    # --- telemetry ------------------------------------------------------------------------------

    def _refold(self, engine: Engine, decoder: NativeDecoder, resume: Resume) -> int:
        taken_in = {(s.kind, s.site): batch for s, batch in resume.snapshots}
        since = {
            runner.order: taken_in.get((runner.spec.kind, runner.site.id), -1)
            for runner in engine.roster.runners
        }
        if not since:
            return 0
        count = 0
        for stored in self._store.stored_batches(self._plan.writer, min(since.values())):
            engine.refold(stored.number, stored.at, _in_order(stored, decoder), since)
            count += 1
        return count

    # --- cameras ----------------------------------------------------------------------------------

    def _cameras(
        self,
        parts: Parts,
        city: City,
        saved: Mapping[tuple[str, str], SiteSnapshot],
        engine: Engine,
        at: datetime,
    ) -> None:
        spool, session = self._spool, self._bulk_session
        assert spool is not None
        assert session is not None

        recent: defaultdict[str, Recent] = defaultdict(Recent)
        chains = Chains(self._store.evidence_links(at - CHAIN_KNOWN))
        proofs = ProofThread(self._wake, self._metrics)
        cutters: dict[str, SpoolCutter] = {}

        def cutter(device: str) -> SpoolCutter:
            maker = ProofMaker(
                city.cameras.get(device), city.timezone, self._evidence, self._originals, chains
            )
            cutters[device] = SpoolCutter(spool, recent[device], maker)
            return cutters[device]

        owned = self._plan.districts(city)
        folds = {
            device: fold
            for device, fold in camera_folds(
                city, discover(), self._configs, decode_media, cutter, saved
            ).items()
            if owned is None or fold.district in owned
        }
        starts = {
            device: min(
                (
                    saved[key].number
                    for r in fold.runners
                    if (key := (r.spec.kind, r.site.id)) in saved
                ),
                default=-1,
            )
            for device, fold in folds.items()
        }

        def folded(device: str) -> None:
            proofs.take(cutters[device])
            self._conditions.look(folds[device].runners)

        groups: list[dict[str, Any]] = [{} for _ in range(min(CAMERA_THREADS, len(folds)))]
        for i, device in enumerate(folds):
            groups[i % len(groups)][device] = folds[device]
        for i, group in enumerate(groups):
            worker = CameraWorker(
                f"cameras-{i + 1}",
                group,
                starts,
                spool,
                self._clock,
                self._wake,
                seen=lambda row: recent[row.device].add(row),
                folded=folded,
            )
            for device in group:
                rows = self._store.spool_rows(device, -1)
                for row in rows:
                    if row.number <= starts[device]:
                        recent[device].add(row)
                worker.give(r for r in rows if r.number > starts[device])
            parts.workers.append(worker)
        parts.workers.append(proofs)
        parts.proofs = proofs
        self._want_missing_proof(folds, engine)
        gallery = self._gallery(parts, city, chains, engine, owned)
        parts.bulk = BulkReader(
            session,
            NativeDecoder(city.devices, city.workers, self._settings.decoder),
            spool,
            SpoolNumbers(lambda device: self._store.spool_rows(device, -1)),
            self._clock,
            gallery,
        )

    def _gallery(
        self,
        parts: Parts,
        city: City,
        chains: Chains,
        engine: Engine,
        owned: Sequence[str] | None,
    ) -> Gallery | None:
        """What outside recorders see; None where none of them publishes pictures."""
        plans = [plan for plan in self._adapters() if plan.heavy]
        if not plans or self._album is None:
            return None
        rule = self._settings.decoder.clock_rule()
        now = self._clock.now()
        parts.beside = Beside(city, self._album, chains, self._evidence, self._originals)
        lately = [p for p in engine.book.all_newest() if now - p.known_at < FORGOTTEN]
        for published in lately:
            parts.beside.watch([published.event], published.known_at)
        lookout = Lookout(plans, city.devices, aliases(city), rule, owned)
        return Gallery(lookout, self._album, city)

    def _want_missing_proof(self, folds: Mapping[str, Any], engine: Engine) -> None:
        """Events that closed just before we went down still get their clip."""
        now = self._clock.now()
        for published in engine.book.all_newest():
            event = published.event
            if (
                needs_proof(event)
                and event.footage is not None
                and event.evidence.get("clip") is None
                and event.footage.device in folds
            ):
                folds[event.footage.device].want_proof(event, now)


def _in_order(
    stored: StoredBatch, decoder: NativeDecoder
) -> Iterator[tuple[int, datetime, Reading | tuple[Item, ...]]]:
    """Readings and items of a batch by position; items are decoded again from their message."""
    items = [(item.pos, item.received_at, _again(item, decoder)) for item in stored.items]
    readings = [(pos, reading.received_at, reading) for pos, reading in stored.readings]
    merged: list[tuple[int, datetime, Any]] = [*items, *readings]
    merged.sort(key=lambda one: one[0])
    return iter(merged)


def _again(item: StoredItem, decoder: NativeDecoder) -> tuple[Item, ...]:
    nouns = decoder.decode(Arrival(item.topic, item.payload, item.received_at))
    # A message may hold readings as well; those are stored, and folded, by themselves.
    return tuple(n for n in nouns if not isinstance(n, (Poison, Position, Reading)))
