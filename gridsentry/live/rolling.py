"""Roll-ups of readings, kept up beside the writers."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from contracts.errors import Temporary
from store.rollups import roll

if TYPE_CHECKING:
    from contracts.clock import Clock
    from store.migrate import Variant
    from store.settings import StoreSettings

log = logging.getLogger(__name__)

EVERY_S = 30.0


class Roller:
    """Adds what was committed to the roll-ups, twice a minute; several processes may have one."""

    def __init__(self, dsn: str, settings: StoreSettings, variant: Variant, clock: Clock) -> None:
        self._dsn = dsn
        self._settings = settings
        self._variant: Variant = variant
        self._clock = clock
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, name="roller", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step at hand; what it lacks is added at the next start."""
        self._halt.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._halt.wait(EVERY_S):
            try:
                roll(self._dsn, self._clock.now(), self._settings, variant=self._variant)
            except Temporary as error:
                log.warning("the charts' roll-ups wait: %s", error)
