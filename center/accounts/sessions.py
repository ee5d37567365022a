"""Sessions: a random secret in a cookie, whose digest is a row in the store.

Why not signed tokens (JWT) that need no row: docs/adr. A session ends at once everywhere when
somebody logs out, is disabled or gets a new password; other processes notice within `KNOWN_S`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import timedelta

import msgspec
from aiohttp import web

from center.accounts.settings import AccountSettings
from contracts.accounts import Account, AccountStore, Note, Session
from contracts.clock import Clock, monotonic

KNOWN_S = 1.0
"""How long what was read of a session (and whether there is any account) is believed."""
SURE_S = 60.0
"""The same once there is an account: accounts are never deleted."""
TOUCH_S = 60.0
"""A session's last use is written down this often at most."""
KEPT = 4_096
LONG = frozenset({"viewer", "worker"})
"""Roles of screens and phones: `long_session_s`."""
AGENT_MOST = 200
HEADER = "X-CSRF-Token"


class Held(msgspec.Struct, frozen=True):
    """A session that is good, its account, and the token that its writes must carry."""

    session: Session
    account: Account
    csrf: str


class Sessions:
    """Finds and makes them. Used from one event loop."""

    def __init__(
        self, store: AccountStore, settings: AccountSettings, clock: Clock, *, secure: bool
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self.secure = secure
        """Cookies travel by https only."""
        self._known: OrderedDict[bytes, tuple[float, tuple[Session, Account] | None]] = (
            OrderedDict()
        )
        self._any: tuple[float, bool] | None = None
        prefix = "__Host-" if secure else ""
        self.cookie = f"{prefix}gridsentry"
        """Holds the secret; no script can read it."""
        self.csrf_cookie = f"{prefix}gridsentry-csrf"
        """Holds what scripts of our own pages send along as header."""

    async def in_use(self) -> bool:
        """Whether there is any account, disabled ones too."""
        now = monotonic()
        if self._any is not None:
            at, there = self._any
            if now - at < (SURE_S if there else KNOWN_S):
                return there
        there = await self._store.any_account()
        self._any = (now, there)
        return there

    async def held(self, request: web.Request) -> Held | None:
        """The session that this request's cookie is of; None when there is none or it is over."""
        token = request.cookies.get(self.cookie)
        if not token or len(token) > 128:
            return None
        digest = digest_of(token)
        found = await self._found(digest)
        if found is None or not self._good(*found):
            return None
        session, account = found
        now = self._clock.now()
        if (now - session.seen_at).total_seconds() > TOUCH_S:
            await self._store.touch(session.id, now)
            session = msgspec.structs.replace(session, seen_at=now)
            self._remember(digest, (session, account))
        return Held(session, account, csrf_of(token))

    async def begin(
        self, account: Account, how: str, address: str, agent: str, *, logout: str | None = None
    ) -> tuple[str, Session]:
        """A new session: the cookie's secret and what is kept of it. Noted as `login`."""
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        session = Session(
            id=f"s-{secrets.token_hex(8)}",
            digest=digest_of(token),
            account=account.id,
            how=how,
            made_at=now,
            seen_at=now,
            ends_at=now + self.longest(account.role),
            address=address,
            agent=agent[:AGENT_MOST],
            logout=logout,
        )
        note = Note(
            at=now, who=account.name, account=account.id, address=address, action="login",
            subject=f"sessions/{session.id}", detail={"how": how},
        )  # fmt: skip
        await self._store.add_session(session, note)
        self._any = (monotonic(), True)
        return token, session

    def put_cookies(self, response: web.StreamResponse, token: str, session: Session) -> None:
        """Hand the session to the browser. Lax, not Strict: a link in an alert must find who
        follows it logged in; writes are guarded by origin and token besides."""
        left = int((session.ends_at - self._clock.now()).total_seconds())
        response.set_cookie(
            self.cookie, token, max_age=left, path="/", secure=self.secure, httponly=True,
            samesite="Lax",
        )  # fmt: skip
        response.set_cookie(
            self.csrf_cookie, csrf_of(token), max_age=left, path="/", secure=self.secure,
            samesite="Strict",
        )  # fmt: skip

    def drop_cookies(self, response: web.StreamResponse) -> None:
        """Take them back."""
        for name, strict in ((self.cookie, "Lax"), (self.csrf_cookie, "Strict")):
            response.del_cookie(name, path="/", secure=self.secure, samesite=strict)

    def forget(self) -> None:
        """What was read is read anew: something about accounts was changed here."""
        self._known.clear()

    def longest(self, role: str) -> timedelta:
        """How long a session of this role lasts at most."""
        given = self._settings
        return timedelta(seconds=given.long_session_s if role in LONG else given.session_s)

    def idle(self, role: str) -> timedelta:
        """After how long without use a session of this role is over."""
        given = self._settings
        return timedelta(seconds=given.long_session_s if role in LONG else given.session_idle_s)

    def _good(self, session: Session, account: Account) -> bool:
        now = self._clock.now()
        fresh = now - session.seen_at < self.idle(account.role)
        return not account.disabled and session.ends_at > now and fresh

    async def _found(self, digest: bytes) -> tuple[Session, Account] | None:
        known = self._known.get(digest)
        if known is not None and monotonic() - known[0] < KNOWN_S:
            return known[1]
        found = await self._store.session(digest)
        self._remember(digest, found)
        return found

    def _remember(self, digest: bytes, found: tuple[Session, Account] | None) -> None:
        self._known[digest] = (monotonic(), found)
        self._known.move_to_end(digest)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)


def digest_of(token: str) -> bytes:
    """What is kept of a cookie: 256 random bits need no salt."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def csrf_of(token: str) -> str:
    """The token of a session's writes: whoever has only the one cannot make the other."""
    mac = hmac.new(token.encode("utf-8", "replace"), b"csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac[:24]).decode()
