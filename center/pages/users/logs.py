"""The two logs: what was changed about accounts, and who saw evidence and personal data."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.pages.login.me import logins_of
from center.pages.users.manage import limit_of
from center.problems import Problem, json_response
from center.query import parse_time
from contracts.accounts import Note, View
from contracts.clock import iso


async def audit(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/audit`."""
    _everywhere(caller)
    limit, given = limit_of(request), request.query
    found = await logins_of(context).store.notes(
        _before(request), limit, account=given.get("account"), action=given.get("action", "")
    )
    return json_response(_page([_note(one) for one in found], limit))


async def accesses(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/accesses`."""
    _everywhere(caller)
    limit, given = limit_of(request), request.query
    found = await logins_of(context).store.views(
        _before(request), limit, account=given.get("account"), words=given.get("q", ""),
        since=parse_time(given["since"], "since") if "since" in given else None,
        until=parse_time(given["until"], "until") if "until" in given else None,
    )  # fmt: skip
    return json_response(_page([_view(one) for one in found], limit))


def _everywhere(caller: Caller) -> None:
    if caller.grids is not None:
        raise Problem(
            403, "whole_city_only",
            "the logs are of the whole city: they are for administrators without a part of it "
            "/ 日志涉及全市，仅限全市管理员查看",
        )  # fmt: skip


def _before(request: web.Request) -> int | None:
    text = request.query.get("before")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Problem(400, "bad_value", f"{text[:40]!r} is no entry's number", path="before")
    return int(text)


def _page(items: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    return {"items": items, "next": items[-1]["id"] if len(items) == limit else None}


def _note(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "at": iso(note.at),
        "who": note.who,
        "account": note.account,
        "address": note.address,
        "action": note.action,
        "subject": note.subject,
        "detail": note.detail,
    }


def _view(view: View) -> dict[str, Any]:
    return {
        "id": view.id,
        "at": iso(view.at),
        "who": view.who,
        "what": view.what,
        "reason": view.reason,
        "account": view.account,
        "address": view.address,
    }
