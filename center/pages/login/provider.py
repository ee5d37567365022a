"""`/login/oidc` and back: the browser's way over the OpenID provider."""

from __future__ import annotations

import base64
import logging
from urllib.parse import quote

import msgspec
from aiohttp import web

from center.accounts.claims import account_for, mapped
from center.accounts.login import Logins
from center.accounts.oidc import STARTED_S, Provider, Started
from center.context import Context
from center.guard import Caller
from center.pages.login.me import home, logins_of
from center.problems import Problem
from contracts.accounts import Note
from contracts.errors import GridsentryError, Permanent, Temporary

log = logging.getLogger(__name__)

ANSWERS = ("code", "state", "error", "error_description", "error_uri", "iss", "session_state")
"""What a provider may send along; of it only the code and the state are used."""
COOKIE = "gridsentry-oidc"
NEXT_MOST = 512


async def begin(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /login/oidc`: to the provider, with what the browser keeps until it is back."""
    logins, provider = _provider(context)
    try:
        url, started = await provider.begin(own_path(request.query.get("next", "")))
    except (Temporary, Permanent) as error:
        return _failed(logins, error)
    response = _to(url)
    value = base64.urlsafe_b64encode(msgspec.json.encode(started)).decode()
    response.set_cookie(
        _cookie(logins), value, max_age=STARTED_S, path="/", httponly=True, samesite="Lax",
        secure=logins.sessions.secure,
    )  # fmt: skip
    return response


async def back(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /login/oidc/callback`: logged in, or back to the login page with the reason."""
    logins, provider = _provider(context)
    address = context.guard.address(request)
    given = request.query
    try:
        started = _started(request.cookies.get(_cookie(logins), ""))
        if given.get("iss", provider.settings.issuer) != provider.settings.issuer:  # RFC 9207
            raise Permanent("oidc_state", "an answer of another provider")
        if "code" not in given:
            raise Permanent("oidc_refused", f"the provider says {given.get('error', 'nothing')}")
        entered = await provider.enter(started, given.get("state", ""), given["code"])
        said = mapped(entered, provider.settings, context.city)
        account = await account_for(entered, said, logins.store, logins.clock, address)
    except GridsentryError as error:
        log.warning("a login at the provider failed: %s", error)
        code = error.code if isinstance(error, Permanent) else "oidc_away"
        note = Note(
            at=logins.clock.now(), who="oidc", address=address, action="login_failed",
            detail={"how": "oidc", "why": code},
        )  # fmt: skip
        await logins.store.note(note)
        return _failed(logins, error)
    agent = request.headers.get("User-Agent", "")
    token, session = await logins.sessions.begin(
        account, "oidc", address, agent, logout=entered.id_token
    )
    logins.sessions.forget()
    response = _to(started.next or home(account.role))
    response.del_cookie(_cookie(logins), path="/", secure=logins.sessions.secure)
    logins.sessions.put_cookies(response, token, session)
    return response


def own_path(text: str) -> str:
    """The path within this center that somebody was on the way to, or nothing: never elsewhere."""
    safe = (
        text.startswith("/")
        and not text.startswith(("//", "/\\", "/login"))
        and len(text) <= NEXT_MOST
        and text.isascii()
        and text.isprintable()
        and "\\" not in text
        and " " not in text
    )
    return text if safe else ""


def _provider(context: Context) -> tuple[Logins, Provider]:
    logins = logins_of(context)
    if logins.provider is None:
        raise Problem(404, "no_provider", "no OpenID provider is configured (center.oidc)")
    return logins, logins.provider


def _started(text: str) -> Started:
    try:
        raw = base64.b64decode(text.encode("ascii"), b"-_", validate=True)
        return msgspec.json.decode(raw, type=Started)
    except (ValueError, msgspec.MsgspecError):
        raise Permanent("oidc_state", "no login began in this browser, or long ago") from None


def _failed(logins: Logins, error: GridsentryError) -> web.Response:
    code = error.code if isinstance(error, Permanent) else "oidc_away"
    response = _to(f"/login?failed={quote(code)}")
    response.del_cookie(_cookie(logins), path="/", secure=logins.sessions.secure)
    return response


def _cookie(logins: Logins) -> str:
    return f"__Host-{COOKIE}" if logins.sessions.secure else COOKIE


def _to(url: str) -> web.Response:
    return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})
