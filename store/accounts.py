"""Accounts on PostgreSQL, through the desk's connections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.accounts import Account, Note, Session, View
from contracts.errors import Refused
from store.desk import PgDesk
from store.queries import sql
from store.text import json_bytes, storable, storable_value

FORGOTTEN = timedelta(hours=24)
"""A failed login that long ago counts no more."""
_ACCOUNT = Account.__struct_fields__
_SESSION = Session.__struct_fields__


class PgAccounts:
    """`contracts.accounts.AccountStore` on PostgreSQL; open while its desk is."""

    def __init__(self, desk: PgDesk) -> None:
        self._desk = desk

    async def any_account(self) -> bool:
        """Whether there is an account at all, disabled ones too."""
        row = await self._desk._one("any_account")
        return bool(row and row["there"])

    async def accounts(self, after: str, limit: int, *, words: str = "") -> list[Account]:
        """Accounts with a name above `after`, by name."""
        rows = await self._desk._all(
            "page_accounts", after=storable(after), words=storable(words.lower()), limit=limit
        )
        return [_account(row) for row in rows]

    async def account(self, id: str) -> Account | None:
        """The account with this id."""
        return _maybe(await self._desk._one("one_account", id=storable(id)))

    async def account_named(self, name: str) -> Account | None:
        """The account that logs in with this name."""
        return _maybe(await self._desk._one("account_named", name=storable(name)))

    async def account_of(self, subject: str) -> Account | None:
        """The account that an OpenID provider knows so."""
        return _maybe(await self._desk._one("account_of", subject=storable(subject)))

    async def add_account(self, account: Account, note: Note) -> None:
        """A new one, and the entry about it. Raises Refused when the name is taken."""
        async with self._desk._use() as connection, connection.transaction():
            made = await connection.execute(sql("add_account"), _row(account))
            if await made.fetchone() is None:
                raise Refused(f"the name {account.name} is taken / 账号名 {account.name} 已被使用")
            await connection.execute(sql("note"), _note(note))

    async def change_account(
        self, account: Account, note: Note, *, end_sessions: bool, but: str | None = None
    ) -> None:
        """The account as it is now and the entry about it, in one transaction."""
        async with self._desk._use() as connection, connection.transaction():
            await connection.execute(sql("change_account"), _row(account))
            if end_sessions:
                given = {"account": account.id, "only": None, "but": but}
                await connection.execute(sql("end_sessions"), given)
            await connection.execute(sql("note"), _note(note))

    async def rehash(self, id: str, before: str, password: str) -> None:
        """The same password under newer parameters, unless it was changed meanwhile."""
        await self._desk._do("rehash", id=id, before=before, password=password)

    async def add_session(self, session: Session, note: Note) -> None:
        """Somebody logged in: the session, the entry, and the account's `seen_at`."""
        row = {name: getattr(session, name) for name in _SESSION}
        row |= {"address": storable(session.address), "agent": storable(session.agent)}
        async with self._desk._use() as connection, connection.transaction():
            await connection.execute(sql("add_session"), row)
            seen = {"id": session.account, "at": session.made_at}
            await connection.execute(sql("account_seen"), seen)
            await connection.execute(sql("note"), _note(note))

    async def session(self, digest: bytes) -> tuple[Session, Account] | None:
        """The session with that cookie and whose it is."""
        row = await self._desk._one("one_session", digest=digest)
        if row is None:
            return None
        own = {"id": row["session_id"], "seen_at": row["session_seen_at"], "account": row["id"]}
        return _session({**row, **own}), _account(row)

    async def touch(self, session: str, at: datetime) -> None:
        """It was used."""
        await self._desk._do("touch_session", id=session, at=at)

    async def sessions(self, account: str, now: datetime, idle_since: datetime) -> list[Session]:
        """Those that are not over, the newest first."""
        rows = await self._desk._all(
            "sessions_of", account=storable(account), now=now, idle_since=idle_since
        )
        return [_session(row) for row in rows]

    async def end_sessions(self, account: str, note: Note, *, only: str | None = None) -> int:
        """End all sessions of an account, or only that one; how many there were."""
        async with self._desk._use() as connection, connection.transaction():
            given = {"account": account, "only": only, "but": None}
            ended = await (await connection.execute(sql("end_sessions"), given)).fetchall()
            if ended:
                await connection.execute(sql("note"), _note(note))
            return len(ended)

    async def note_failure(self, keys: Sequence[str], at: datetime) -> None:
        """A login failed: one more for each of these keys."""
        await self._desk._do("note_failures", keys=list(keys), at=at, forgotten=at - FORGOTTEN)

    async def failures(self, keys: Sequence[str]) -> dict[str, tuple[int, datetime]]:
        """How often in a row and when last, of those keys that failed."""
        rows = await self._desk._all("failures_of", keys=list(keys))
        return {row["key"]: (row["count"], row["last_at"]) for row in rows}

    async def forgive(self, keys: Sequence[str]) -> None:
        """A login succeeded: these keys start anew."""
        await self._desk._do("forgive", keys=list(keys))

    async def note(self, note: Note) -> None:
        """One entry of the audit log."""
        await self._desk._do("note", **_note(note))

    async def notes(
        self, before: int | None, limit: int, *, account: str | None = None, action: str = ""
    ) -> list[Note]:
        """The audit log, newest first."""
        rows = await self._desk._all(
            "notes", before=before, limit=limit, account=account, action=storable(action)
        )
        return [Note(**row) for row in rows]

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
        rows = await self._desk._all(
            "views", before=before, limit=limit, account=account, words=storable(words),
            since=since, until=until,
        )  # fmt: skip
        return [View(**row) for row in rows]


def _maybe(row: dict[str, Any] | None) -> Account | None:
    return None if row is None else _account(row)


def _account(row: dict[str, Any]) -> Account:
    known = {name: row[name] for name in _ACCOUNT}
    return Account(**{**known, "grids": tuple(row["grids"])})


def _row(account: Account) -> dict[str, Any]:
    row = {name: getattr(account, name) for name in _ACCOUNT}
    return {k: storable(v) if isinstance(v, str) else v for k, v in row.items()} | {
        "grids": [storable(grid) for grid in account.grids]
    }


def _session(row: dict[str, Any]) -> Session:
    known = {name: row[name] for name in _SESSION}
    return Session(**{**known, "digest": bytes(row["digest"])})


def _note(note: Note) -> dict[str, Any]:
    row: dict[str, Any] = storable_value(msgspec.structs.asdict(note))
    return {**row, "detail": json_bytes(note.detail).decode()}
