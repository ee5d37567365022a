"""The chain of evidence in both stores: in order, never forked, never doubled."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import psycopg
import pytest

from contracts.batch import EvidenceLink
from contracts.errors import LeaseLost
from contracts.event import Event
from store.connect import connect
from store.embedded import EmbeddedPostgres
from store.evidence import EvidenceStore
from store.migrate import migrate, migrations
from store.settings import StoreSettings
from tests.unit.store.makes import at, batch, change, event, incident, published, ticket
from tests.unit.store.twins import Twin


def link(number: int, prev: str = "", name: str = "", **changed: object) -> EvidenceLink:
    event = name or f"e-{number}"
    made = EvidenceLink(
        device="cam", number=number, event=event, basis="b", prev=prev, hash=f"h-{event}",
        at=at(number), manifest='{"files":{}}',
    )  # fmt: skip
    return msgspec.structs.replace(made, **changed)


FIRST = link(1)
SECOND = link(2, "h-e-1")


def test_links_come_back_in_order_and_the_newest_always(twin: Twin) -> None:
    writer = twin.writer()
    assert writer.acquire("w", "me", at(0), 10) == 1
    writer.commit(batch(1, evidence=[FIRST, SECOND]))
    other = link(1, device="b-cam", name="e-x", at=at(-99))
    writer.commit(batch(2, evidence=[other]))
    assert writer.evidence_links(at(0)) == [other, FIRST, SECOND]
    assert writer.evidence_links(at(1000)) == [other, SECOND]
    third = link(3, SECOND.hash)
    twin_of_it = twin.writer()
    assert twin_of_it.evidence_links(at(2)) == [other, SECOND]
    writer.commit(batch(3, evidence=[third]))
    assert writer.evidence_links(at(1000)) == [other, third]


def test_the_same_link_twice_is_there_once(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, evidence=[FIRST]))
    writer.commit(batch(2, evidence=[FIRST, SECOND]))
    assert writer.evidence_links(at(0)) == [FIRST, SECOND]


@pytest.mark.parametrize(
    "wrong",
    [
        link(2, "h-other"),
        link(3, "h-e-1"),
        link(1, name="e-9"),
        link(1, "h-e-1", name="e-9"),
        link(2, "h-e-1", name="e-1", hash="h-again"),
    ],
    ids=["not-behind", "a-gap", "taken", "behind-itself", "event-sealed-before"],
)
def test_a_link_in_the_wrong_place_undoes_the_whole_batch(twin: Twin, wrong: EvidenceLink) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, evidence=[FIRST]))
    told = published(event())
    with pytest.raises(LeaseLost, match="chain of evidence of cam"):
        writer.commit(batch(2, evidence=[wrong], events=[told], changes=[change(event())]))
    assert writer.evidence_links(at(0)) == [FIRST]
    assert writer.event_book() == []


@pytest.mark.slow
def test_the_database_refuses_to_change_or_delete_a_link(pg_dsn: str) -> None:
    twin = Twin(pg_dsn)
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, evidence=[FIRST]))
    twin.close()
    with connect(pg_dsn, StoreSettings()) as connection:
        for query in (
            b"UPDATE evidence_chain SET manifest = ''",
            b"DELETE FROM evidence_chain",
            b"TRUNCATE evidence_chain",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                connection.execute(query)
    assert list(EvidenceStore(pg_dsn).chain()) == [FIRST]


@pytest.mark.slow
def test_evidence_is_due_by_age_but_not_before_its_tickets_ended_long_enough_ago(
    pg_dsn: str,
) -> None:
    twin = Twin(pg_dsn)
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)

    def case(name: str, stage: str, days: float) -> list[object]:
        told: Event = event(f"e-{name}")
        one = incident(f"i-{name}", events=(told.id,))
        paper = ticket(f"t-{name}", incident=one.id, stage=stage)
        moment = at(days * 86_400)
        return [
            change(told, known_at=moment),
            change(one, known_at=moment),
            change(paper, known_at=moment),
        ]

    links, prev = [], ""
    for number, name in enumerate(("open", "fresh", "old", "alone"), 1):
        made = link(number, prev, name=f"e-{name}", at=at(0))
        links.append(made)
        prev = made.hash
    changes = [
        *case("open", "accepted", 0),
        *case("fresh", "closed", 25),
        *case("old", "closed", 4),
    ]
    writer.commit(batch(1, evidence=links, changes=changes))
    twin.close()
    store = EvidenceStore(pg_dsn)
    now = at(35 * 86_400)

    def due() -> set[tuple[int, str]]:
        found = store.due(now - timedelta(days=30), now - timedelta(days=7))
        return {(one.number, one.part) for one in found}

    # 1 is open; 2 ended 10 days ago: its original goes, the rest stays; 3 and 4 are old
    assert due() == {(2, "original"), (3, "shown"), (3, "original"), (4, "shown"), (4, "original")}
    for one in store.due(now - timedelta(days=30), now - timedelta(days=7)):
        store.let_go(one, now)
        store.let_go(one, now)
    assert due() == set()
    assert store.gone()["cam", 2, "original"] == now
    kept = [(shown, original) for _, shown, original in store.kept()]
    assert sorted(kept) == [(True, False), (True, True)]


@pytest.mark.slow
def test_who_opened_an_original_is_told_with_the_reason(pg_dsn: str) -> None:
    async def look() -> None:
        desk = Twin(pg_dsn).desk()
        await desk.open()
        await desk.log_access("wall", "evidence/a.jpg", at(0))
        await desk.log_access("inspector", "originals/a.jpg", at(1), "警情 12")
        await desk.close()

    asyncio.run(look())
    (opened,) = EvidenceStore(pg_dsn).opened(at(0))
    assert (opened.who, opened.what, opened.reason) == ("inspector", "originals/a.jpg", "警情 12")
    assert EvidenceStore(pg_dsn).opened(at(2)) == []


@pytest.mark.slow
def test_what_events_claim_can_be_held_against_the_chain(pg_dsn: str) -> None:
    twin = Twin(pg_dsn)
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    told = event("e-1", evidence={"chain": {"number": 1, "hash": FIRST.hash}}, device="cam")
    writer.commit(batch(1, evidence=[FIRST], events=[published(told), published(event("e-2"))]))
    twin.close()
    assert EvidenceStore(pg_dsn).claimed() == [("e-1", "cam", FIRST.hash)]


@pytest.mark.slow
def test_a_database_from_before_the_chain_is_upgraded_with_what_it_holds(
    pg_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = pg_server.dsn.replace("dbname=gridsentry", "dbname=postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(b"CREATE DATABASE before_the_chain")
    dsn = pg_server.dsn.replace("dbname=gridsentry", "dbname=before_the_chain")
    whole = migrations("native")
    with connect(dsn, StoreSettings()) as connection:
        with monkeypatch.context() as patched:
            patched.setattr("store.migrate.migrations", lambda _: whole[:2])
            migrate(connection, at(0))
        connection.execute(
            b"INSERT INTO access_log (who, what, at) VALUES ('cao', 't-1', '2026-05-01Z')"
        )
        connection.execute(
            b"INSERT INTO incidents (id, rev, kind, district, severity, opened_at, known_at, body) "
            b"VALUES ('i-1', 1, 'k', 'd', 3, '2026-05-01Z', '2026-05-01Z', '{\"events\": [\"e\"]}')"
        )
        migrate(connection, at(0))
    assert EvidenceStore(dsn).opened(at(-9e6)) == []
    writer = Twin(dsn).writer()
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, evidence=[FIRST]))
    assert writer.evidence_links(at(0)) == [FIRST]
    writer.close()
