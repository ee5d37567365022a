"""What a route of the API is."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import msgspec

from center.context import Context, Handler
from center.guard import Access


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route."""

    method: str
    path: str
    name: str
    """Stable name: the OpenAPI operationId and the metric's label."""
    summary: str
    handler: Handler
    access: Access = "open"
    query: tuple[str, ...] = ()
    body: type | None = None
    body_type: str = "application/json"
    answers: dict[int, Any] = {}
    """Status → a type, the name of a listed schema (`list:Ticket`), or a media type's name."""


@runtime_checkable
class Warmed(Protocol):
    """A handler that makes ready what its first asker would wait for, while the center starts."""

    async def warm(self, context: Context) -> None:
        """Once; what cannot be had yet (the database is away) is left to the first asker."""
        ...
