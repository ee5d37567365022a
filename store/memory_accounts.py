"""Accounts in memory: the same answers as on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

import msgspec

from contracts.accounts import Account, Note, Session, View
from contracts.errors import Refused
from store.accounts import FORGOTTEN


class MemoryAccounts:
    """`contracts.accounts.AccountStore` that is gone with its process."""

    def __init__(self, views: list[View] | None = None) -> None:
        """`views` is where the desk keeps its access log."""
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[str, Session] = {}
        self._failures: dict[str, tuple[int, datetime]] = {}
        self._notes: list[Note] = []
        self._views = views if views is not None else []
        self._lock = threading.RLock()

    async def any_account(self) -> bool:
        """Whether there is an account at all, disabled ones too."""
        return bool(self._accounts)

    async def accounts(self, after: str, limit: int, *, words: str = "") -> list[Account]:
        """Accounts with a name above `after`, by name."""
        words = words.lower()

        def fits(a: Account) -> bool:
            told = (a.name, a.display_zh, a.display_en.lower())
            return any(words in text for text in told) or words in (a.worker, a.utility, a.role)

        with self._lock:
            found = sorted(self._accounts.values(), key=lambda a: a.name)
        return [a for a in found if a.name > after and fits(a)][:limit]

    async def account(self, id: str) -> Account | None:
        """The account with this id."""
        return self._accounts.get(id)

    async def account_named(self, name: str) -> Account | None:
        """The account that logs in with this name."""
        with self._lock:
            return next((a for a in self._accounts.values() if a.name == name), None)

    async def account_of(self, subject: str) -> Account | None:
        """The account that an OpenID provider knows so."""
        with self._lock:
            return next((a for a in self._accounts.values() if a.subject == subject), None)

    async def add_account(self, account: Account, note: Note) -> None:
        """A new one, and the entry about it. Raises Refused when the name is taken."""
        with self._lock:
            for other in self._accounts.values():
                same = account.subject is not None and other.subject == account.subject
                if other.name == account.name or other.id == account.id or same:
                    raise Refused(
                        f"the name {account.name} is taken / 账号名 {account.name} 已被使用"
                    )
            self._accounts[account.id] = account
            self._noted(note)

    async def change_account(
        self, account: Account, note: Note, *, end_sessions: bool, but: str | None = None
    ) -> None:
        """The account as it is now and the entry about it."""
        with self._lock:
            before = self._accounts.get(account.id)
            if before is not None:
                kept = {name: getattr(before, name) for name in ("name", "created_at", "seen_at")}
                self._accounts[account.id] = msgspec.structs.replace(account, **kept)
            if end_sessions:
                self._drop(account.id, None, but)
            self._noted(note)

    async def rehash(self, id: str, before: str, password: str) -> None:
        """The same password under newer parameters, unless it was changed meanwhile."""
        with self._lock:
            account = self._accounts.get(id)
            if account is not None and account.password == before:
                self._accounts[id] = msgspec.structs.replace(account, password=password)

    async def add_session(self, session: Session, note: Note) -> None:
        """Somebody logged in: the session, the entry, and the account's `seen_at`."""
        with self._lock:
            self._sessions[session.id] = session
            self._seen(session.account, session.made_at)
            self._noted(note)

    async def session(self, digest: bytes) -> tuple[Session, Account] | None:
        """The session with that cookie and whose it is."""
        with self._lock:
            for session in self._sessions.values():
                if session.digest == digest:
                    return session, self._accounts[session.account]
        return None

    async def touch(self, session: str, at: datetime) -> None:
        """It was used."""
        with self._lock:
            known = self._sessions.get(session)
            if known is not None:
                seen = max(known.seen_at, at)
                self._sessions[session] = msgspec.structs.replace(known, seen_at=seen)
                self._seen(known.account, at)

    async def sessions(self, account: str, now: datetime, idle_since: datetime) -> list[Session]:
        """Those that are not over, the newest first."""
        with self._lock:
            found = [
                s for s in self._sessions.values()
                if s.account == account and s.ends_at > now and s.seen_at > idle_since
            ]  # fmt: skip
        return sorted(sorted(found, key=lambda s: s.id), key=lambda s: s.made_at, reverse=True)

    async def end_sessions(self, account: str, note: Note, *, only: str | None = None) -> int:
        """End all sessions of an account, or only that one; how many there were."""
        with self._lock:
            ended = self._drop(account, only, None)
            if ended:
                self._noted(note)
            return ended

    async def note_failure(self, keys: Sequence[str], at: datetime) -> None:
        """A login failed: one more for each of these keys."""
        with self._lock:
            for key in keys:
                count, last = self._failures.get(key, (0, at))
                old = last < at - FORGOTTEN
                self._failures[key] = (1 if old else count + 1, max(last, at))

    async def failures(self, keys: Sequence[str]) -> dict[str, tuple[int, datetime]]:
        """How often in a row and when last, of those keys that failed."""
        with self._lock:
            return {key: self._failures[key] for key in keys if key in self._failures}

    async def forgive(self, keys: Sequence[str]) -> None:
        """A login succeeded: these keys start anew."""
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)

    async def note(self, note: Note) -> None:
        """One entry of the audit log."""
        with self._lock:
            self._noted(note)

    async def notes(
        self, before: int | None, limit: int, *, account: str | None = None, action: str = ""
    ) -> list[Note]:
        """The audit log, newest first."""
        with self._lock:
            found = self._notes[::-1]
        return [
            n for n in found
            if (before is None or n.id < before)
            and (account is None or account == n.account or n.subject == f"accounts/{account}")
            and action in ("", n.action)
        ][:limit]  # fmt: skip

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
        with self._lock:
            found = self._views[::-1]
        return [
            v for v in found
            if (before is None or v.id < before)
            and account in (None, v.account)
            and (words in v.who or words in v.what)
            and (since is None or v.at >= since)
            and (until is None or v.at < until)
        ][:limit]  # fmt: skip

    def _noted(self, note: Note) -> None:
        self._notes.append(msgspec.structs.replace(note, id=len(self._notes) + 1))

    def _seen(self, account: str, at: datetime) -> None:
        known = self._accounts[account]
        seen = at if known.seen_at is None else max(known.seen_at, at)
        self._accounts[account] = msgspec.structs.replace(known, seen_at=seen)

    def _drop(self, account: str, only: str | None, but: str | None) -> int:
        ended = [
            s.id for s in self._sessions.values()
            if s.account == account and only in (None, s.id) and s.id != but
        ]  # fmt: skip
        for one in ended:
            del self._sessions[one]
        return len(ended)
