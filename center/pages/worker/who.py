"""Which worker is asking, and which tickets are theirs."""

from __future__ import annotations

import itertools
from typing import Any

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from center.reads import ID
from contracts.city import Worker
from contracts.people import parts, was_concerned

CHOICES_MOST = 2_000
"""Workers to choose from in a demonstration; in earnest everybody is themselves."""


def myself(context: Context, caller: Caller, request: web.Request) -> Worker:
    """The worker that this request is from.

    An account or token with the role worker names its own. Only where the center is open to
    everybody on this machine (a demonstration) `?worker=` may choose one. Raises Problem 403.
    """
    workers = context.city.workers
    if caller.worker is not None:
        known = workers.get(caller.worker)
        if known is None:
            raise Problem(
                403, "worker_unknown",
                f"{caller.name!r} is the worker {caller.worker!r}, whom the city does not register"
                f" / 账号对应的网格员 {caller.worker} 未登记",
            )  # fmt: skip
        return known
    chosen = request.query.get("worker", "")
    if context.guard.open_to_all and chosen in workers:
        return workers[chosen]
    raise Problem(
        403, "no_worker", "this page is for grid workers: log in as one / 请使用网格员账号登录",
        choose=context.guard.open_to_all,
    )  # fmt: skip


async def mine(context: Context, worker: Worker, id_: str) -> dict[str, Any]:
    """The ticket, where it concerns this worker now. Raises Problem 404: whether others have a
    ticket of that id is not theirs to know."""
    ticket = await _ticket(context, id_)
    if ticket is None or not parts(ticket, worker.id):
        raise _not_theirs(id_)
    return ticket


async def once_mine(context: Context, worker: Worker, id_: str) -> dict[str, Any]:
    """The ticket, where it concerns this worker or did: what they did without network comes late.
    The router says what still counts. Raises Problem 404."""
    ticket = await _ticket(context.whole, id_)  # the caller's own view ends with their part in it
    if ticket is None or not was_concerned(ticket, worker.id):
        raise _not_theirs(id_)
    return ticket


async def choices(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/me/choices`: whom one may act as, in a demonstration."""
    if not context.guard.open_to_all:
        raise Problem(403, "not_allowed", "log in as a worker / 请使用网格员账号登录")
    shown = [
        {
            "id": worker.id,
            "name": worker.name,
            "role": worker.role,
            "grid": context.grid_name(worker.grid or "") or worker.grid,
        }
        for worker in itertools.islice(context.city.workers.values(), CHOICES_MOST)
    ]
    return json_response({"items": shown})


async def _ticket(context: Context, id_: str) -> dict[str, Any] | None:
    return await context.desk.get("tickets", id_) if ID.fullmatch(id_) else None


def _not_theirs(id_: str) -> Problem:
    return Problem(
        404, "not_yours", f"{id_[:64]} is no ticket of yours / 这不是您的工单：{id_[:64]}"
    )
