"""`/api/v1/accounts`: list, make, change, reset, log out."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from center.accounts.book import Book, Changes, NewAccount
from center.context import Context
from center.guard import Caller
from center.pages.login.me import logins_of, sessions_of
from center.problems import Problem, json_response
from center.query import read_json
from center.writes import json_bytes
from contracts.accounts import Account
from contracts.clock import iso

PAGE = 50
MOST = 200
GRIDS_SHOWN = 20


async def listing(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/accounts`."""
    book, limit = _book(context, caller, request), limit_of(request)
    after, words = request.query.get("after", ""), request.query.get("q", "")
    items: list[Account] = []
    while len(items) < limit:  # those of other parts of the city are passed over
        page = await logins_of(context).store.accounts(after, limit + 1, words=words)
        items += [account for account in page if book.sees(account)]
        if len(page) <= limit:
            break
        after = page[-1].name
    more = len(items) > limit
    items = items[:limit]
    return json_response(
        {"items": [shown(context, a) for a in items], "next": items[-1].name if more else None}
    )


async def add(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/accounts`."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), NewAccount)
    account, made = await _book(context, caller, request).add(body)
    return json_response({**shown(context, account), "password": made}, status=201)


async def single(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/accounts/{id}`."""
    account = await _found(context, caller, request)
    sessions = await sessions_of(logins_of(context), account.id, account.role)
    return json_response({**shown(context, account), "sessions": sessions})


async def change(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`PATCH /api/v1/accounts/{id}`."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), Changes)
    account = await _found(context, caller, request)
    changed = await _book(context, caller, request).change(account, body)
    return json_response(shown(context, changed))


async def reset(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/accounts/{id}/reset`."""
    account = await _found(context, caller, request)
    made = await _book(context, caller, request).reset(account)
    return json_response({"password": made})


async def end_sessions(
    context: Context, caller: Caller, request: web.Request
) -> web.StreamResponse:
    """`DELETE /api/v1/accounts/{id}/sessions`."""
    account = await _found(context, caller, request)
    book = _book(context, caller, request)
    return json_response({"ended": await book.end_sessions(account, request.query.get("only"))})


async def grid_names(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/grid-names`: the tops of the tree first."""
    words = request.query.get("q", "").casefold()
    found = [
        grid
        for grid in context.city.grids
        if (caller.grids is None or grid.id in caller.grids)
        and (words in grid.id.casefold() or words in (grid.name or "").casefold())
    ]
    found.sort(key=lambda grid: (-len(context.grids_inside(grid.id)), grid.id))
    return json_response(
        [{"id": g.id, "name": g.name, "level": g.level} for g in found[:GRIDS_SHOWN]]
    )


def shown(context: Context, account: Account) -> dict[str, Any]:
    """An account for people: everything but the hash."""
    worker = context.city.workers.get(account.worker or "")
    utility = context.city.utilities.get(account.utility or "")
    return {
        "id": account.id,
        "name": account.name,
        "role": account.role,
        "display_zh": account.display_zh,
        "display_en": account.display_en,
        "areas": [{"id": g, "name": context.grid_name(g) or g} for g in account.grids],
        "worker": account.worker,
        "worker_name": worker.name if worker else None,
        "utility": account.utility,
        "utility_name": utility.name if utility else None,
        "originals": account.originals,
        "disabled": account.disabled,
        "must_change": account.must_change,
        "oidc": account.subject is not None,
        "created_at": iso(account.created_at),
        "changed_at": iso(account.changed_at),
        "seen_at": None if account.seen_at is None else iso(account.seen_at),
    }


def limit_of(request: web.Request) -> int:
    """`limit`, 1 to 200. Raises Problem 400."""
    text = request.query.get("limit", str(PAGE))
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= limit <= MOST:
        raise Problem(400, "bad_value", f"{text[:40]!r}; allowed: 1 to {MOST}", path="limit")
    return limit


def _book(context: Context, caller: Caller, request: web.Request) -> Book:
    return Book(logins_of(context), context.city, caller, context.guard.address(request))


async def _found(context: Context, caller: Caller, request: web.Request) -> Account:
    id_ = request.match_info["id"]
    account = await logins_of(context).store.account(id_[:64])
    if account is None or not _book(context, caller, request).sees(account):
        raise Problem(404, "not_found", f"there is no account {id_[:64]!r} / 没有此账号")
    return account
