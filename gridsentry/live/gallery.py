"""What outside gateways have seen, on its way from their bulk sessions into the album."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.errors import Permanent
from contracts.nouns import Poison
from gridsentry.engine.beside import check_camera
from ingest.adapting.seen import Picture

if TYPE_CHECKING:
    from contracts.city import City
    from contracts.nouns import Arrival
    from ingest.adapting.looking import Lookout
    from ingest.album import Album


class Gallery:
    """One for each bulk reader, and of its thread."""

    def __init__(self, lookout: Lookout, album: Album, city: City) -> None:
        self._lookout = lookout
        self._album = album
        self._city = city

    def takes(self, topic: str) -> bool:
        """Whether messages of this topic are for the album."""
        return self._lookout.of(topic) is not None

    def hang(self, arrival: Arrival) -> list[Poison]:
        """Keep what is in it, durably; why not where it cannot be kept. Raises Temporary."""
        plan = self._lookout.of(arrival.topic)
        if plan is None:
            return []
        seen, poisons = self._lookout.look(plan, arrival)
        for one in seen:
            try:
                if isinstance(one, Picture):
                    check_camera(self._city, one)
            except Permanent as bad:
                told = (bad.code, bad.reason, b"", one.device, plan.name)
                poisons.append(Poison(arrival.topic, arrival.received_at, *told))
            else:
                self._album.keep(one)
        return poisons
