"""Roll-ups of readings, kept up beside the writers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from contracts.errors import Temporary
from gridsentry.live.children import every
from store.rollups import roll

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.clock import Clock
    from store.migrate import Variant
    from store.settings import StoreSettings

log = logging.getLogger(__name__)

EVERY_S = 30.0


def keep_rolled(
    dsn: str, settings: StoreSettings, variant: Variant, clock: Clock
) -> Callable[[], None]:
    """Add what was committed to the roll-ups, twice a minute; several processes may do so. How to
    stop: what is lacking then is added at the next start."""

    def add() -> None:
        try:
            roll(dsn, clock.now(), settings, variant=variant)
        except Temporary as error:
            log.warning("the charts' roll-ups wait: %s", error)

    return every(EVERY_S, add, "roller")
