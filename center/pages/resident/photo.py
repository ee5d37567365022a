"""A resident's photograph goes to the ticket their report became: whoever is sent sees it."""

from __future__ import annotations

import hashlib
from typing import Any

from center.context import Context
from center.pages.resident.follow import Follow
from center.pages.resident.report import photo_ref
from contracts.case import AS_IT_STANDS, Command
from contracts.kinds import OPEN_STAGES

NAME = "near"
"""近景: what people take from where they stand."""
NOTE = "a resident's photograph / 居民照片"


async def attach(context: Context, follow: Follow, ticket: dict[str, Any]) -> bool:
    """Add it, unless it is there; whether nothing is left to do. The command's id follows from the
    ticket and the picture, so whoever asks at the same time asks for the same."""
    ref = photo_ref(follow.photo)
    kept = ((ticket.get("reason") or {}).get("photos") or {}).values()
    if any(entry.get("ref") == ref for entries in kept for entry in entries):
        return True
    if ticket["stage"] not in OPEN_STAGES:
        return True
    told = f"{follow.event}\n{ticket['id']}\n{ref}"
    answer = await context.desk.file_command(
        Command(
            id=f"c-{hashlib.sha256(told.encode()).hexdigest()[:32]}",
            ticket=str(ticket["id"]),
            action="note",
            by=follow.resident,
            rev=AS_IT_STANDS,
            at=context.clock.now(),
            note=NOTE,
            data={"photos": [{"name": NAME, "ref": ref}]},
        ),
        1.0,
    )
    return answer is not None and answer.ok
