"""Accounts, in memory and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from contracts.accounts import Account, AccountStore, Note, Session
from contracts.errors import Refused
from store.accounts import PgAccounts
from store.desk import PgDesk
from store.memory_accounts import MemoryAccounts
from tests.unit.store.makes import at
from tests.unit.store.twins import Twin


@asynccontextmanager
async def opened(twin: Twin) -> AsyncIterator[AccountStore]:
    desk = twin.desk()
    await desk.open()
    try:
        if isinstance(desk, PgDesk):
            yield PgAccounts(desk)
        else:
            yield MemoryAccounts(twin._memory.access)
    finally:
        await desk.close()


def account(name: str, **more: object) -> Account:
    made = Account(
        id=f"a-{name}", name=name, role="operator", password="h1", created_at=at(0),
        changed_at=at(0), grids=("c1", "c2"), display_zh="王\x00芳",
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def session(id: str, of: str, made: float = 0, **more: object) -> Session:
    kept = Session(
        id=id, digest=id.encode(), account=of, how="password", made_at=at(made), seen_at=at(made),
        ends_at=at(made + 100), address="::1", agent="Firefox",
    )  # fmt: skip
    return msgspec.structs.replace(kept, **more)


def note(action: str = "x", **more: object) -> Note:
    return msgspec.structs.replace(
        Note(at=at(0), who="chief", action=action, detail={"a": [1, "二"]}), **more
    )


def test_an_account_is_kept_once_and_found_by_each_of_its_names(twin: Twin) -> None:
    async def story() -> None:
        async with opened(twin) as store:
            assert not await store.any_account()
            await store.add_account(account("cao", subject="https://id 7"), note("account_added"))
            assert await store.any_account()
            found = await store.account("a-cao")
            assert found is not None and found.grids == ("c1", "c2")
            assert (
                await store.account_named("cao") == found == await store.account_of("https://id 7")
            )
            assert await store.account_named("Cao") is None
            for other in (
                account("cao", id="a-2"),
                account("li", subject="https://id 7"),
                account("wu", id="a-cao"),
            ):
                with pytest.raises(Refused, match="taken"):
                    await store.add_account(other, note())
            assert [n.action for n in await store.notes(None, 9)] == ["account_added"]

    asyncio.run(story())


def test_accounts_are_listed_by_name_and_found_by_words(twin: Twin) -> None:
    async def story() -> None:
        async with opened(twin) as store:
            for name in ("wu", "cao", "li"):
                await store.add_account(
                    account(name, worker="w-1" if name == "li" else None), note()
                )
            assert [a.name for a in await store.accounts("", 2)] == ["cao", "li"]
            assert [a.name for a in await store.accounts("li", 2)] == ["wu"]
            assert [a.name for a in await store.accounts("", 9, words="w-1")] == ["li"]
            assert [a.name for a in await store.accounts("", 9, words="C")] == ["cao"]
            assert [a.name for a in await store.accounts("", 9, words="王")] == ["cao", "li", "wu"]

    asyncio.run(story())


def test_a_change_is_kept_with_its_note_and_ends_sessions_but_one(twin: Twin) -> None:
    async def story() -> None:
        async with opened(twin) as store:
            await store.add_account(account("cao"), note())
            for id_ in ("s-1", "s-2", "s-3"):
                await store.add_session(session(id_, "a-cao"), note("login"))
            changed = account("cao", role="head", grids=(), password="h2", changed_at=at(5))
            told = note("account_changed", subject="accounts/a-cao", account="a-chief")
            await store.change_account(changed, told, end_sessions=True, but="s-2")
            found = await store.account("a-cao")
            assert found is not None
            assert (found.role, found.grids, found.password) == ("head", (), "h2")
            assert found.seen_at == at(0)
            assert [s.id for s in await store.sessions("a-cao", at(1), at(-9))] == ["s-2"]
            assert await store.session(b"s-1") is None
            kept = await store.session(b"s-2")
            assert kept is not None and kept[1].role == "head"
            by = await store.notes(None, 9, account="a-cao")
            assert [(n.action, n.detail) for n in by] == [("account_changed", {"a": [1, "二"]})]
            assert await store.notes(by[0].id, 9, action="account_changed") == []

    asyncio.run(story())


def test_sessions_end_by_time_by_idleness_and_by_hand(twin: Twin) -> None:
    async def story() -> None:
        async with opened(twin) as store:
            await store.add_account(account("cao"), note())
            for id_, made in (("s-1", 0), ("s-2", 1), ("s-3", 2)):
                await store.add_session(session(id_, "a-cao", made), note())
            assert [s.id for s in await store.sessions("a-cao", at(5), at(-9))] == [
                *("s-3", "s-2", "s-1")
            ]
            assert [s.id for s in await store.sessions("a-cao", at(101), at(-9))] == ["s-3"]
            await store.touch("s-1", at(50))
            await store.touch("s-1", at(40))  # never back
            assert [s.id for s in await store.sessions("a-cao", at(51), at(45))] == ["s-1"]
            found = await store.account("a-cao")
            assert found is not None and found.seen_at == at(50)
            assert await store.end_sessions("a-cao", note("sessions_ended"), only="s-9") == 0
            assert await store.end_sessions("a-other", note("sessions_ended"), only="s-1") == 0
            assert await store.end_sessions("a-cao", note("sessions_ended"), only="s-1") == 1
            assert await store.end_sessions("a-cao", note("sessions_ended")) == 2
            ended = await store.notes(None, 9, action="sessions_ended")
            assert len(ended) == 2  # nothing ended, nothing noted

    asyncio.run(story())


def test_failures_are_counted_in_a_row_and_forgotten_in_time(twin: Twin) -> None:
    async def story() -> None:
        async with opened(twin) as store:
            for second in range(3):
                await store.note_failure(["name x", "address y"], at(second))
            assert await store.failures(["name x", "name z"]) == {"name x": (3, at(2))}
            await store.forgive(["name x"])
            assert await store.failures(["name x", "address y"]) == {"address y": (3, at(2))}
            await store.note_failure(["address y"], at(90_000))  # a day later: anew
            assert await store.failures(["address y"]) == {"address y": (1, at(90_000))}

    asyncio.run(story())


def test_a_rehash_never_overwrites_a_newer_password(twin: Twin) -> None:
    async def story() -> None:
        async with opened(twin) as store:
            await store.add_account(account("cao"), note())
            await store.rehash("a-cao", "h1", "h1 again")
            await store.rehash("a-cao", "h1", "lost")
            found = await store.account("a-cao")
            assert found is not None and found.password == "h1 again"

    asyncio.run(story())


def test_the_access_log_says_who_saw_what_from_where(twin: Twin) -> None:
    async def story() -> None:
        desk = twin.desk()
        await desk.open()
        try:
            store: AccountStore = (
                PgAccounts(desk)
                if isinstance(desk, PgDesk)
                else MemoryAccounts(twin._memory.access)
            )
            await desk.log_access("cao", "tickets/t-1", at(0), account="a-cao", address="10.0.0.7")
            await desk.log_access("wall", "evidence/cam/x.mp4", at(1))
            await desk.log_access("cao", "originals/x", at(2), "case 12", account="a-cao")
            everything = await store.views(None, 9)
            assert [(v.who, v.account, v.address, v.reason) for v in everything] == [
                ("cao", "a-cao", None, "case 12"),
                ("wall", None, None, None),
                ("cao", "a-cao", "10.0.0.7", None),
            ]
            assert [v.what for v in await store.views(everything[0].id, 1)] == [
                "evidence/cam/x.mp4"
            ]
            assert len(await store.views(None, 9, account="a-cao")) == 2
            assert len(await store.views(None, 9, words="evidence/")) == 1
            assert len(await store.views(None, 9, since=at(1), until=at(2))) == 1
        finally:
            await desk.close()

    asyncio.run(story())
