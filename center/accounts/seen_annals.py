"""The annals as a caller of a part of the city sees them: their labels, hot spots and handovers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from center.accounts.lands import Lands
from center.accounts.scope import Scope
from contracts.annals import Annals, Handover, Judged, Label, Retried, Spot

LABELS_MOST = 10_000
HANDOVERS_MOST = 120
"""Handovers of everywhere that are looked through for those of one part: some days of a city."""


class SeenAnnals:
    """`contracts.annals.Annals` for one request of somebody who sees some grids only."""

    def __init__(
        self,
        annals: Annals,
        scope: Scope,
        lands: Lands,
        letter: Callable[[str], Awaitable[dict[str, Any] | None]],
    ) -> None:
        """`letter` gives a dead letter where they see it."""
        self._annals = annals
        self._scope = scope
        self._lands = lands
        self._letter = letter

    def _device(self, name: str | None) -> bool:
        return self._scope.in_grids(self._lands.devices.get(name or ""))

    async def put_label(self, label: Label) -> None:
        """Whoever gives it was asked before whether the event is theirs."""
        await self._annals.put_label(label)

    async def labels(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        kind: str | None = None,
        events: tuple[str, ...] | None = None,
        standing: bool = True,
        limit: int = 1000,
    ) -> list[Label]:
        """Those in their grids."""
        found = await self._annals.labels(
            since=since, until=until, kind=kind, events=events, standing=standing,
            limit=LABELS_MOST,
        )  # fmt: skip
        return [label for label in found if self._scope.in_grids(label.grid)][:limit]

    async def label(self, id: str) -> Label | None:
        """One in their grids, or None."""
        found = await self._annals.label(id)
        return found if found is not None and self._scope.in_grids(found.grid) else None

    async def withdraw_label(self, id: str, by: str, at: datetime) -> bool:
        """Only of their grids."""
        return await self.label(id) is not None and await self._annals.withdraw_label(id, by, at)

    async def judged(self, since: datetime, until: datetime) -> list[Judged]:
        """Of their devices."""
        found = await self._annals.judged(since, until)
        return [line for line in found if self._device(line.device)]

    async def spots(
        self,
        since: datetime,
        until: datetime,
        *,
        kind: str | None = None,
        grids: Iterable[str] | None = None,
        least: int = 2,
        limit: int = 100,
    ) -> list[Spot]:
        """In their grids."""
        own = self._scope.grids or frozenset()
        within = own if grids is None else own & frozenset(grids)
        return await self._annals.spots(
            since, until, kind=kind, grids=within, least=least, limit=limit
        )

    async def tickets_of(self, incidents: Iterable[str]) -> dict[str, str]:
        """Of the incidents of their spots."""
        return await self._annals.tickets_of(incidents)

    async def troubles(self) -> list[dict[str, Any]]:
        """Of their devices."""
        return [one for one in await self._annals.troubles() if self._device(one.get("device"))]

    async def segments_seen(self, cameras: Iterable[str]) -> dict[str, datetime]:
        """Of their cameras."""
        return await self._annals.segments_seen([name for name in cameras if self._device(name)])

    async def first_heard(self) -> dict[str, datetime]:
        """Of their devices."""
        found = await self._annals.first_heard()
        return {name: at for name, at in found.items() if self._device(name)}

    async def retry(self, id: str, tries: int, by: str, at: datetime) -> Retried | None:
        """Of their devices."""
        if await self._letter(id) is None:
            return None
        return await self._annals.retry(id, tries, by, at)

    async def retried(self, ids: Iterable[str]) -> list[Retried]:
        """Of letters that they were shown."""
        return await self._annals.retried(ids)

    async def put_handover(self, handover: Handover) -> None:
        """Theirs: it says of which part it is."""
        await self._annals.put_handover(handover)

    async def take_handover(self, id: str, coming: str, remarks: str, at: datetime) -> bool:
        """Only of their part."""
        if await self.handover(id) is None:
            return False
        return await self._annals.take_handover(id, coming, remarks, at)

    async def handovers(self, limit: int) -> list[Handover]:
        """Of their part, or of parts of it."""
        found = await self._annals.handovers(HANDOVERS_MOST)
        return [one for one in found if self._theirs(one)][:limit]

    async def handover(self, id: str) -> Handover | None:
        """One of their part, or None."""
        found = await self._annals.handover(id)
        return found if found is not None and self._theirs(found) else None

    def _theirs(self, handover: Handover) -> bool:
        areas = handover.areas
        return bool(areas) and all(self._scope.in_grids(area) for area in areas)
