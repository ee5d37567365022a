"""People who log in: their accounts, sessions, and what is noted of both.

The store keeps them (`AccountStore`), the center asks, the command line makes the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may log in. Accounts are disabled, never deleted: the logs name them."""

    id: str
    """Ours, for ever: `a-…`."""
    name: str
    """What they log in with, lower case; unique."""
    role: str
    """One of `center.settings.Role`."""
    display_zh: str = ""
    display_en: str = ""
    grids: tuple[str, ...] = ()
    """The parts of the grid tree it is good for, each with everything below; empty: everywhere."""
    worker: str | None = None
    """With the role `worker`: which of workers.csv."""
    utility: str | None = None
    """With the role `utility`: which of utilities.csv."""
    originals: bool = False
    """May open unblurred originals, as an operator or more."""
    disabled: bool = False
    must_change: bool = False
    """The password was set by somebody else: nothing but changing it is possible."""
    password: str | None = None
    """Its argon2id hash; None: this account does not log in by password."""
    subject: str | None = None
    """Issuer and subject at an OpenID provider, a space between; None: not by one."""
    created_at: datetime
    changed_at: datetime
    seen_at: datetime | None = None
    """When it was last used."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser that is logged in. The secret in its cookie is not kept, only its digest."""

    id: str
    """For lists and for ending it: `s-…`; of no use as a cookie."""
    digest: bytes
    """SHA-256 of the cookie's value."""
    account: str
    how: str
    """`password` or `oidc`."""
    made_at: datetime
    seen_at: datetime
    ends_at: datetime
    """Whatever happens, it is over then."""
    address: str
    agent: str
    """What the browser calls itself, cut."""
    logout: str | None = None
    """The id token that an OpenID provider wants back when somebody logs out."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the audit log: who changed what about accounts, or acted by one."""

    at: datetime
    who: str
    """The name of the account or token; `command line` for the operating system's user."""
    account: str | None = None
    address: str = ""
    action: str
    """A short stable word: `login`, `login_failed`, `logout`, `account_added` …"""
    subject: str = ""
    """What it was done to: `accounts/a-…`, `tickets/…`."""
    detail: dict[str, Any] = {}
    """What changed, JSON-ready; never a secret."""
    id: int = 0
    """Its number, given by the store."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the access log: who saw evidence or personal data."""

    id: int
    at: datetime
    who: str
    what: str
    reason: str | None = None
    account: str | None = None
    address: str | None = None


class AccountStore(Protocol):
    """Accounts as the center sees them. Raises Temporary when the database is away."""

    async def any_account(self) -> bool:
        """Whether there is an account at all, disabled ones too."""
        ...

    async def accounts(self, after: str, limit: int, *, words: str = "") -> list[Account]:
        """Accounts with a name above `after`, by name; with `words`, those whose name, worker or
        utility holds them."""
        ...

    async def account(self, id: str) -> Account | None:
        """The account with this id."""
        ...

    async def account_named(self, name: str) -> Account | None:
        """The account that logs in with this name."""
        ...

    async def account_of(self, subject: str) -> Account | None:
        """The account that an OpenID provider knows so."""
        ...

    async def add_account(self, account: Account, note: Note) -> None:
        """A new one, and the entry about it. Raises Refused when the name is taken."""
        ...

    async def change_account(
        self, account: Account, note: Note, *, end_sessions: bool, but: str | None = None
    ) -> None:
        """The account as it is now and the entry about it, in one transaction; with `end_sessions`
        all its sessions but that one are over."""
        ...

    async def rehash(self, id: str, before: str, password: str) -> None:
        """The same password under newer parameters, unless it was changed meanwhile."""
        ...

    async def add_session(self, session: Session, note: Note) -> None:
        """Somebody logged in: the session, the entry, and the account's `seen_at`."""
        ...

    async def session(self, digest: bytes) -> tuple[Session, Account] | None:
        """The session with that cookie and whose it is, whatever they may."""
        ...

    async def touch(self, session: str, at: datetime) -> None:
        """It was used."""
        ...

    async def sessions(self, account: str, now: datetime, idle_since: datetime) -> list[Session]:
        """Those that are not over, the newest first."""
        ...

    async def end_sessions(self, account: str, note: Note, *, only: str | None = None) -> int:
        """End all sessions of an account, or only that one; how many there were."""
        ...

    async def note_failure(self, keys: Sequence[str], at: datetime) -> None:
        """A login failed: one more for each of these keys."""
        ...

    async def failures(self, keys: Sequence[str]) -> dict[str, tuple[int, datetime]]:
        """How often in a row and when last, of those keys that failed."""
        ...

    async def forgive(self, keys: Sequence[str]) -> None:
        """A login succeeded: these keys start anew."""
        ...

    async def note(self, note: Note) -> None:
        """One entry of the audit log."""
        ...

    async def notes(
        self, before: int | None, limit: int, *, account: str | None = None, action: str = ""
    ) -> list[Note]:
        """The audit log, newest first, entries numbered below `before`."""
        ...

    async def views(
        self,
        before: int | None,
        limit: int,
        *,
        account: str | None = None,
        words: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[View]:
        """The access log, newest first; `words` stand in who or what."""
        ...
