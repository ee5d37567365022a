"""All targets: makes a postman for each and tells how they stand."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.notify.post import Postman, Tools
from center.notify.settings import Target
from center.problems import json_response
from contracts.clock import iso
from contracts.ports import Desk

KEPT = 100
"""Undelivered changes listed."""


class Office:
    """The postmen of one center."""

    def __init__(self, targets: tuple[Target, ...], tools: Tools) -> None:
        self.postmen = [Postman(target, tools) for target in targets]

    async def status(self, desk: Desk) -> list[dict[str, Any]]:
        """How each target stands."""
        newest = await desk.newest_position()
        return [postman.status(newest) for postman in self.postmen]


async def targets(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/targets`: how each outgoing target stands, and what was not delivered."""
    kept = await context.desk.undelivered(KEPT)
    items = [] if context.office is None else await context.office.status(context.desk)
    return json_response(
        {
            "items": items,
            "undelivered": [
                {
                    "target": u.target,
                    "key": u.key,
                    "known_at": iso(u.known_at),
                    "given_up_at": iso(u.given_up_at),
                    "reason": u.reason,
                }
                for u in kept
            ],
        }
    )
