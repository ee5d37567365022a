"""Names of what a list of tickets mentions, so that no page loads every grid and every worker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from contracts.city import City, Grid

MOST = 400
"""Ids in one question."""


def grids_by_id(city: City) -> dict[str, Grid]:
    """The city's grids by id; made once for a city."""
    return _CACHE.of(city)


class _Cache:
    """The grids of the newest city asked about (comparing cities would cost more than it saves)."""

    def __init__(self) -> None:
        self._city: City | None = None
        self._grids: dict[str, Grid] = {}

    def of(self, city: City) -> dict[str, Grid]:
        if self._city is not city:
            self._grids = {grid.id: grid for grid in city.grids}
            self._city = city
        return self._grids


_CACHE = _Cache()


def names_of(
    context: Context, grids: Iterable[str], workers: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """`grids`: `[name, parent]` of these and of all they lie in; `workers`: `[name, role]`."""
    known, found = grids_by_id(context.city), {}
    for id_ in grids:
        at: str | None = id_
        while at is not None and at not in found and at in known:
            grid = known[at]
            found[at] = [grid.name, grid.parent]
            at = grid.parent
    people = context.city.workers
    return {
        "grids": found,
        "workers": {id_: [people[id_].name, people[id_].role] for id_ in workers if id_ in people},
    }


async def names(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/names?grids=&workers=`: what these are called."""
    grids, workers = (request.query.get(name, "").split(",") for name in ("grids", "workers"))
    if len(grids) + len(workers) > MOST:
        raise Problem(400, "bad_value", f"more than {MOST} ids", path="grids")
    return json_response(names_of(context, grids, workers))
