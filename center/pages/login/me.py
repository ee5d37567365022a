"""`/api/v1/me`, logging in and out, one's own password and sessions."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from center.accounts.login import Logins
from center.accounts.sessions import Held
from center.context import Context
from center.guard import HELD, MAY, Caller
from center.problems import Problem, json_response
from center.query import read_json
from center.writes import json_bytes
from contracts.accounts import Note, Session
from contracts.clock import iso

HOMES = {"worker": "/w", "viewer": "/wall", "resident": "/account", "reporter": "/account"}
"""Where somebody goes who was on the way nowhere; others to the desk."""
TEXT_MOST = 1_024


class LoginBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Name and password."""

    name: str
    password: str


class PasswordBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The password one has, and the one to come."""

    before: str
    password: str


class LoggedIn(msgspec.Struct, frozen=True):
    """Logged in; the cookies came along."""

    name: str
    role: str
    must_change: bool
    """The password was set by somebody else: choose one's own first."""
    home: str


class Area(msgspec.Struct, frozen=True):
    """A part of the grid tree."""

    id: str
    name: str


class ProviderShown(msgspec.Struct, frozen=True):
    """The button that leads to the OpenID provider."""

    label_zh: str
    label_en: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking."""

    name: str
    role: str | None
    """None: nobody who is known."""
    display_zh: str
    display_en: str
    may: tuple[str, ...]
    areas: tuple[Area, ...]
    """Their part of the city; empty: everywhere."""
    worker: str | None
    utility: str | None
    originals: bool
    account: str | None
    """None: a token, the open loopback, or nobody."""
    how: str | None
    """`password` or `oidc`, of a session."""
    csrf: str | None
    """Send it as `X-CSRF-Token` with every write by cookie."""
    must_change: bool
    accounts: bool
    """People log in here; whoever is nobody should."""
    home: str
    passwords: bool
    """Somebody may log in by name and password."""
    password_least: int
    provider: ProviderShown | None


async def me(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/me`."""
    held = request.get(HELD)
    account = None if held is None else held.account
    oidc = context.settings.oidc
    may = [access for access in _all() if caller.may(access)]
    shown = Me(
        name=caller.name, role=caller.role,
        display_zh=account.display_zh if account else "",
        display_en=account.display_en if account else "",
        may=tuple(may),
        areas=tuple(Area(id_, context.grid_name(id_) or id_) for id_ in caller.areas),
        worker=caller.worker, utility=caller.utility, originals=caller.may("originals"),
        account=caller.account, how=held.session.how if held else None,
        csrf=held.csrf if held else None, must_change=caller.must_change,
        accounts=await context.guard.accounts_in_use(), home=home(caller.role),
        passwords=context.logins is not None and await context.logins.sessions.in_use(),
        password_least=context.settings.accounts.password_least,
        provider=None if oidc is None or context.logins is None
        else ProviderShown(oidc.label_zh, oidc.label_en),
    )  # fmt: skip
    return json_response(shown)


async def login(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/login`."""
    logins = logins_of(context)
    body = read_json(await json_bytes(request, context.settings.body_bytes), LoginBody)
    for name in ("name", "password"):
        if not 1 <= len(getattr(body, name)) <= TEXT_MOST:
            raise Problem(400, "bad_value", "needs 1 to 1024 characters", path=f"$.{name}")
    token, session, account = await logins.by_password(
        body.name, body.password, context.guard.address(request),
        request.headers.get("User-Agent", ""),
    )  # fmt: skip
    held = request.get(HELD)
    if held is not None:  # who logs in anew leaves nothing open behind
        await logins.store.end_sessions(
            held.account.id, _note(context, held, request, "logout"), only=held.session.id
        )
        logins.sessions.forget()
    answer = LoggedIn(account.name, account.role, account.must_change, home(account.role))
    response = json_response(answer)
    logins.sessions.put_cookies(response, token, session)
    return response


async def logout(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/logout`."""
    context.guard.check_token(request)
    held = request.get(HELD)
    end = None
    if held is not None:
        logins = logins_of(context)
        note = _note(context, held, request, "logout")
        await logins.store.end_sessions(held.account.id, note, only=held.session.id)
        logins.sessions.forget()
        if logins.provider is not None:
            end = await logins.provider.leave(held.session.logout)
    response = json_response({"end": end})
    if context.logins is not None:
        context.logins.sessions.drop_cookies(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


async def change_password(
    context: Context, caller: Caller, request: web.Request
) -> web.StreamResponse:
    """`POST /api/v1/me/password`."""
    logins, held = logins_of(context), held_of(request)
    body = read_json(await json_bytes(request, context.settings.body_bytes), PasswordBody)
    await logins.change_own(
        held.account, held.session.id, body.before, body.password, context.guard.address(request)
    )
    return json_response({"changed": True, "home": home(held.account.role)})


async def sessions(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/me/sessions`."""
    held = held_of(request)
    return json_response(
        {"items": await sessions_of(logins_of(context), held.account.id, held.account.role,
                                    held.session.id)}
    )  # fmt: skip


async def end_session(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`DELETE /api/v1/me/sessions/{id}`."""
    logins, held, id_ = logins_of(context), held_of(request), request.match_info["id"]
    note = _note(context, held, request, "sessions_ended")
    if id_ == "others":
        others = await sessions_of(logins, held.account.id, held.account.role, held.session.id)
        ended = 0
        for one in others:
            if not one["current"]:
                ended += await logins.store.end_sessions(held.account.id, note, only=one["id"])
    else:
        ended = await logins.store.end_sessions(held.account.id, note, only=id_)
    if not ended and id_ != "others":
        raise Problem(404, "not_found", "there is no such session / 没有此会话")
    logins.sessions.forget()
    return json_response({"ended": ended})


async def sessions_of(
    logins: Logins, account: str, role: str, current: str | None = None
) -> list[dict[str, Any]]:
    """The sessions of an account that are not over, for people."""
    now = logins.clock.now()
    found = await logins.store.sessions(account, now, now - logins.sessions.idle(role))
    return [_shown(one, current) for one in found]


def logins_of(context: Context) -> Logins:
    """The accounts. Raises Problem 404 where there are none."""
    if context.logins is None:
        raise Problem(404, "no_accounts", "this center keeps no accounts / 本中心未启用账号")
    return context.logins


def held_of(request: web.Request) -> Held:
    """The session that the guard found."""
    return request[HELD]


def home(role: str | None) -> str:
    """Where this role begins."""
    return HOMES.get(role or "", "/")


def _shown(session: Session, current: str | None) -> dict[str, Any]:
    return {
        "id": session.id,
        "how": session.how,
        "made_at": iso(session.made_at),
        "seen_at": iso(session.seen_at),
        "ends_at": iso(session.ends_at),
        "address": session.address,
        "agent": session.agent,
        "current": session.id == current,
    }


def _note(context: Context, held: Held, request: web.Request, action: str) -> Note:
    return Note(
        at=logins_of(context).clock.now(), who=held.account.name, account=held.account.id,
        address=context.guard.address(request), action=action,
        subject=f"sessions/{held.session.id}",
    )  # fmt: skip


def _all() -> tuple[Any, ...]:
    return (*sorted(MAY["admin"]), "originals", "self")
