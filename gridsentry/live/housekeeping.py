"""Background work beside the writers: the relay of the stream, and letting old things go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from contracts.clock import SystemClock
from contracts.errors import Temporary
from gridsentry.config import EvidenceSettings
from gridsentry.live.letting_go import let_go_evidence, sweep
from store.evidence import EvidenceStore
from store.relay import PgRelay
from store.retention import let_go
from store.storage import storage

if TYPE_CHECKING:
    from contracts.clock import Clock
    from gridsentry.metrics import Metrics
    from store.migrate import Variant
    from store.settings import StoreSettings

log = logging.getLogger(__name__)

FIRST_S, EVERY_S = 20.0, 600.0


class RelayThread:
    """The relay, as long as this process runs; several processes may have one."""

    def __init__(self, dsn: str, settings: StoreSettings) -> None:
        self._relay = PgRelay(dsn, settings)
        self._halt = threading.Event()
        self._thread = threading.Thread(
            target=self._relay.run, args=(self._halt, 0.5), name="relay", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Give what is committed its place once more, then end."""
        self._halt.set()
        self._thread.join(2.0)
        if not self._thread.is_alive():
            try:
                self._relay.step()
            except Temporary as error:
                log.warning("the last changes get their place at the next start: %s", error)
            self._relay.close()


class EvidenceKeeping(msgspec.Struct, frozen=True):
    """Evidence on this process's disk and how long it stays."""

    folders: dict[str, Path]
    settings: EvidenceSettings
    owns: Callable[[str], bool]
    """Whether a camera's files lie here."""


class Housekeeper:
    """Retention: rows by the store's settings, evidence by its own."""

    def __init__(
        self,
        dsn: str,
        settings: StoreSettings,
        variant: Variant,
        clock: Clock,
        metrics: Metrics,
        evidence: EvidenceKeeping | None,
    ) -> None:
        """`evidence` is None where this process has no evidence on its disk."""
        self._dsn = dsn
        self._settings = settings
        self._variant: Variant = variant
        self._clock = clock
        self._metrics = metrics
        self._evidence = evidence
        self._links = EvidenceStore(dsn, settings)
        self._machine = SystemClock()
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step at hand."""
        self._halt.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        pause = FIRST_S
        while not self._halt.wait(pause):
            pause = EVERY_S
            try:
                gone = let_go(self._dsn, self._clock.now(), self._settings, variant=self._variant)
                gone |= self._old_evidence()
            except Temporary as error:
                log.warning("nothing was let go this time: %s", error)
                continue
            told = {name: count for name, count in gone.items() if count}
            if told:
                log.info("let go by age: %s", told)
            self.weigh()

    def weigh(self) -> None:
        """Tell how much room everything takes."""
        try:
            found = storage(self._dsn, self._settings, variant=self._variant)
        except Temporary as error:
            log.warning("the tables were not weighed this time: %s", error)
            return
        if found.not_archived:
            log.warning(
                "the database cannot archive its log (%s): it keeps it until its disk is full, and "
                "no point in time from there on can be restored; the server's own log says why",
                found.not_archived,
            )
        for name, count in found.tables.items():
            self._metrics.table_bytes.labels(name).set(count)
        if found.ratio is not None:
            self._metrics.compression_bytes.labels("before").set(found.before_bytes)
            self._metrics.compression_bytes.labels("after").set(found.after_bytes)

    def _old_evidence(self) -> dict[str, int]:
        """Pictures of homes are not kept longer than the case needs them."""
        keeping = self._evidence
        if keeping is None:
            return {}
        gone = let_go_evidence(
            self._links, keeping.folders, keeping.settings, self._clock.now(), keeping.owns
        )
        gone["swept"] = sweep(self._links, keeping.folders, keeping.settings, self._machine.now())
        for part, count in gone.items():
            self._metrics.evidence_let_go.labels(part).inc(count)
        return {f"evidence_{part}": count for part, count in gone.items()}
