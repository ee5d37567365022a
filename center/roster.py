"""Devices and workers: what the city says of them, with what the store last heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from contracts.city import City
from contracts.clock import monotonic
from contracts.ports import Desk, Page, Query
from contracts.wire import plain

FRESH_S = 1.0
"""What was heard is read anew at most this often, however many ask."""
ROWS = 1_000

Things = Literal["devices", "workers"]


class Roster:
    """Listings of registered devices and workers, by id. Used from one event loop."""

    def __init__(self, city: City, desk: Desk) -> None:
        self._desk = desk
        self._heard: dict[Things, tuple[float, dict[str, dict[str, Any]]]] = {}
        self._known: dict[Things, dict[str, dict[str, Any]]] = {
            "devices": {id_: plain(city.devices[id_]) for id_ in sorted(city.devices)},
            "workers": {id_: plain(city.workers[id_]) for id_ in sorted(city.workers)},
        }

    async def page(
        self,
        what: Things,
        query: Query,
        grids: frozenset[str] | None,
        sees: Callable[[dict[str, Any]], bool] | None = None,
    ) -> Page:
        """One page; `query.kind` is a device's type, `grids` those a worker may belong to, `sees`
        says which may be shown."""
        heard = await self.heard(what)
        items: list[dict[str, Any]] = []
        for id_, known in self._known[what].items():
            if query.after is not None and id_ <= query.after:
                continue
            if query.kind is not None and known.get("type") != query.kind:
                continue
            if grids is not None and known.get("grid") not in grids:
                continue
            if sees is not None and not sees(known):
                continue
            if len(items) == query.limit:
                return Page(items, items[-1]["id"])
            items.append(_joined(known, heard.get(id_)))
        return Page(items, None)

    def known(self, what: Things) -> dict[str, dict[str, Any]]:
        """As registered, by id."""
        return self._known[what]

    async def get(self, what: Things, id_: str) -> dict[str, Any] | None:
        """One of them, or None when it is not registered."""
        known = self._known[what].get(id_)
        return None if known is None else _joined(known, await self._desk.get(what, id_))

    async def heard(self, what: Things, fresh_s: float = FRESH_S) -> dict[str, dict[str, Any]]:
        """What the store last heard, by id, at most `fresh_s` seconds old."""
        at, states = self._heard.get(what, (float("-inf"), {}))
        if monotonic() - at < fresh_s:
            return states
        states, query = {}, Query(limit=ROWS)
        while True:
            page = await self._desk.page(what, query)
            states.update((str(item["id"]), item) for item in page.items)
            if page.next is None:
                break
            query = Query(limit=ROWS, after=page.next)
        self._heard[what] = (monotonic(), states)
        return states


def _joined(known: dict[str, Any], heard: dict[str, Any] | None) -> dict[str, Any]:
    return known if heard is None else {**known, **heard}
