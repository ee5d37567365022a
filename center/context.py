"""What every handler of the center is given."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web
from prometheus_client import CollectorRegistry

from center.accounts.lands import Lands
from center.accounts.login import Logins
from center.accounts.scope import EVERYTHING, Scope, scope_of
from center.accounts.seen import SeenDesk, SeenRoster, as_roster
from center.board import Board
from center.counts import Counts
from center.feeds import mapping
from center.guard import Caller, Guard
from center.links import Signer
from center.metrics import Metrics
from center.neighbours import Drains
from center.roster import Roster
from center.settings import CenterSettings
from contracts.case import Allowed
from contracts.city import City
from contracts.clock import Clock
from contracts.plant import Plant
from contracts.ports import Desk, Tally

if TYPE_CHECKING:
    from center.alerts import MqttAlerts
    from center.notify.office import Office
    from center.notify.passes import Passes
    from center.tailer import Tailer


class Context:
    """The center's parts, made once by `make_app`."""

    def __init__(
        self,
        *,
        desk: Desk,
        city: City,
        settings: CenterSettings,
        clock: Clock,
        evidence_dir: Path,
        originals_dir: Path,
        health: Callable[[], dict[str, Any]],
        registry: CollectorRegistry,
        signer: Signer,
        metrics: Metrics,
        guard: Guard,
        tailer: Tailer,
        passes: Passes,
        tally: Callable[[], Tally] | None = None,
        allowed: Callable[[dict[str, Any], datetime], Sequence[Allowed]] | None = None,
        logins: Logins | None = None,
    ) -> None:
        self.desk = desk
        self.city = city
        self.settings = settings
        self.clock = clock
        self.evidence_dir = evidence_dir
        self.originals_dir = originals_dir
        self.health = health
        self.registry = registry
        self.signer = signer
        self.metrics = metrics
        self.guard = guard
        self.tailer = tailer
        self.passes = passes
        self.allowed = allowed
        self.alerts: MqttAlerts | None = None
        self.office: Office | None = None
        self.plant: Plant | None = None
        """The service's city folder and what its detectors say; None where there is none."""
        self.mappings = mapping.known(settings.mappings, ZoneInfo(city.timezone))
        self.veil = tailer.veil
        self.roster = Roster(city, desk)
        self.board = Board(desk, tailer, clock)
        self.drains = Drains(city)
        self.counts = None if tally is None else Counts(desk, tally)
        self.logins = logins
        """Accounts; None where there can be none."""
        self.scope: Scope = EVERYTHING
        """What part of the city whoever asks sees; `desk`, `roster` and `counts` keep to it."""
        self.whole: Context = self
        """The same without that: for what is kept for all callers, and what is no caller's."""
        self.lands = Lands(city)
        self._inside = inside(city)
        self._grid_names = {grid.id: grid.name for grid in city.grids}

    def seen_by(self, caller: Caller, address: str) -> Context:
        """What a handler gets: the desk notes who looked, and only what lies in the caller's part
        of the city is there."""
        view = copy.copy(self)
        view.scope = scope_of(caller)
        desk = SeenDesk(
            self.desk, view.scope, caller, address, lands=self.lands, city=self.city,
            accounts=None if self.logins is None else self.logins.store, clock=self.clock,
        )  # fmt: skip
        view.desk = desk
        if not view.scope.everything:
            view.roster = as_roster(SeenRoster(self.roster, view.scope, self.lands))
            if self.counts is not None:
                view.counts = self.counts.within(view.scope, desk)
        return view

    def grids_inside(self, grid: str) -> frozenset[str]:
        """The ids of `grid` and of everything below it in the grid tree."""
        return self._inside(grid)

    def grid_name(self, grid: str) -> str | None:
        """What people call it."""
        return self._grid_names.get(grid)


CONTEXT = web.AppKey("context", Context)
Handler = Callable[[Context, Caller, web.Request], Awaitable[web.StreamResponse]]


def inside(city: City) -> Callable[[str], frozenset[str]]:
    """A grid's id → the ids of it and of everything below it in the grid tree."""
    children: dict[str, list[str]] = {}
    for grid in city.grids:
        if grid.parent is not None:
            children.setdefault(grid.parent, []).append(grid.id)

    def below(grid: str, seen: frozenset[str]) -> frozenset[str]:
        found = {grid}
        for child in children.get(grid, ()):
            if child not in seen:
                found |= below(child, seen | {grid})
        return frozenset(found)

    known = {grid.id: below(grid.id, frozenset()) for grid in city.grids}
    return lambda grid: known.get(grid, frozenset((grid,)))
