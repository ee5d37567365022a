"""Migrations, partitions and letting go on a real PostgreSQL."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import psycopg
import pytest

from contracts.clock import monotonic
from contracts.errors import Wrong
from store import partitions
from store.connect import connect
from store.embedded import EmbeddedPostgres
from store.migrate import migrate, migrations
from store.relay import PgRelay
from store.retention import let_go
from store.settings import StoreSettings
from store.writer import PgWriter
from tests.servers import START
from tests.unit.store.makes import (
    at,
    batch,
    change,
    event,
    incident,
    item,
    letter,
    published,
    reading,
    ticket,
    unknown,
)

pytestmark = pytest.mark.slow

SETTINGS = StoreSettings()


def ask(dsn: str, query: bytes) -> list[tuple[object, ...]]:
    with connect(dsn, SETTINGS) as connection:
        return connection.execute(query).fetchall()


def writer_on(dsn: str, settings: StoreSettings = SETTINGS) -> PgWriter:
    writer = PgWriter(dsn, "/gridsentry/test", settings)
    writer.acquire("w", "me", at(0), 10)
    return writer


def test_many_processes_starting_at_once_migrate_once(pg_server: EmbeddedPostgres) -> None:
    admin = pg_server.dsn.replace("dbname=gridsentry", "dbname=postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(b"CREATE DATABASE at_once")
    dsn = pg_server.dsn.replace("dbname=gridsentry", "dbname=at_once")
    failures: list[BaseException] = []

    def start() -> None:
        try:
            with connect(dsn, SETTINGS) as connection:
                migrate(connection, START)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    there = len(migrations("native"))
    assert ask(dsn, b"SELECT count(*), max(applied_at) FROM migrations") == [(there, START)]


def test_a_changed_migration_and_a_newer_database_are_refused(pg_dsn: str) -> None:
    with connect(pg_dsn, SETTINGS) as connection:
        connection.execute(b"UPDATE migrations SET checksum = 'other' WHERE number = 1")
        with pytest.raises(Wrong, match="0001_tables"):
            migrate(connection, START)
        connection.execute(b"UPDATE migrations SET number = 77 WHERE number = 1")
        with pytest.raises(Wrong, match="newer"):
            migrate(connection, START)


def test_history_gets_partitions_and_impossible_times_do_not(pg_dsn: str) -> None:
    writer = writer_on(pg_dsn)
    times = [at(0), at(-40 * 86_400), at(86_400), at(0).replace(year=1970), at(40 * 86_400)]
    writer.commit(batch(1, readings=[reading(0, sent_at=t) for t in times]))
    writer.close()
    with connect(pg_dsn, SETTINGS) as connection:
        made = partitions.existing(connection)
    assert made == {date(2026, 5, 1), date(2026, 5, 2), (at(0) - timedelta(days=40)).date()}
    assert ask(pg_dsn, b"SELECT count(*) FROM readings_default") == [(2,)]


def test_rows_of_a_day_that_becomes_plausible_move_to_its_partition(pg_dsn: str) -> None:
    writer = writer_on(pg_dsn)
    ahead = [reading(n, sent_at=at(10 * 86_400 + n)) for n in range(3)]
    writer.commit(batch(1, readings=ahead))
    assert ask(pg_dsn, b"SELECT count(*) FROM readings_default") == [(3,)]
    later = batch(10 * 86_400, readings=[*ahead, reading(9, sent_at=at(10 * 86_400 + 9))])
    found = writer.commit(later)
    assert (found.readings_new, found.readings_duplicate) == (1, 3)
    assert ask(pg_dsn, b"SELECT count(*) FROM readings_default") == [(0,)]
    assert ask(pg_dsn, b"SELECT count(*) FROM readings_20260511") == [(4,)]
    writer.close()


def test_a_backup_that_takes_hours_holds_up_no_readings_and_their_days_come_after_it(
    pg_dsn: str,
) -> None:
    """pg_dump reads the default partition to its end; no day's partition is made beside it."""
    writer = writer_on(pg_dsn)
    old = -20 * 86_400
    with psycopg.connect(pg_dsn) as dump:
        dump.execute(b"LOCK TABLE readings, readings_default IN ACCESS SHARE MODE")
        began = monotonic()
        assert writer.commit(batch(1, readings=[reading(old)])).readings_new == 1
        for number in range(2, 12):
            writer.commit(batch(number, readings=[reading(old + number)]))
        assert monotonic() - began < 4, "it asks once, for a second, and not again at each batch"
        dump.rollback()
    assert ask(pg_dsn, b"SELECT count(*) FROM readings_default") == [(11,)]
    writer._no_partitions_before = 0.0  # a minute later
    found = writer.commit(batch(12, readings=[reading(old), reading(old + 99)]))
    assert (found.readings_new, found.readings_duplicate) == (1, 1)
    assert ask(pg_dsn, b"SELECT count(*) FROM readings_default") == [(0,)]
    assert ask(pg_dsn, b"SELECT count(*) FROM readings_20260411") == [(12,)]
    writer.close()


def test_two_writers_that_need_the_same_new_day_both_get_on(pg_dsn: str) -> None:
    writers = [PgWriter(pg_dsn, "/gridsentry/test", SETTINGS) for _ in range(3)]
    failures: list[BaseException] = []

    def work(n: int) -> None:
        try:
            writers[n].acquire(f"w-{n}", "me", at(0), 10)
            for day in range(1, 6):
                readings = [reading(-86_400 * day, device=f"d-{n}")]
                writers[n].commit(batch(day, writer=f"w-{n}", readings=readings))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.close()
    assert not failures
    assert ask(pg_dsn, b"SELECT count(*) FROM readings") == [(15,)]
    assert ask(pg_dsn, b"SELECT count(*) FROM readings_default") == [(0,)]


def test_a_partition_dropped_behind_a_writers_back_is_no_loss(pg_dsn: str) -> None:
    """Retention in another process; the writer still thinks that the day has its partition."""
    writer = writer_on(pg_dsn)
    writer.commit(batch(1, readings=[reading(-86_400 * 20)]))
    with connect(pg_dsn, SETTINGS) as connection:
        assert partitions.drop_before(connection, date(2026, 4, 30)) == [date(2026, 4, 11)]
    found = writer.commit(batch(2, readings=[reading(-86_400 * 20), reading(1)]))
    assert found.readings_new == 2
    writer.close()


def test_what_is_old_goes_and_what_is_open_stays(pg_dsn: str) -> None:
    settings = StoreSettings(cases_days=2, batches_days=2, dead_letters_days=2, unknown_days=2)
    writer = writer_on(pg_dsn, settings)
    ended = ticket("t-2", stage="closed", incident="i-2")
    writer.commit(
        batch(
            1,
            readings=[reading(0), reading(0, sent_at=None, seq=4)],
            events=[published(event()), published(event("e-2", phase="closed"))],
            changes=[
                change(incident()),
                change(incident("i-2", closed_at=at(1))),
                change(ticket()),
                change(ended, "closed"),
            ],
            items=[item()],
            dead_letters=[letter()],
            unknown=[unknown(), unknown()],
        )
    )
    writer.commit(batch(2))
    nothing = let_go(pg_dsn, at(0), settings)
    assert not any(nothing.values())
    done = let_go(pg_dsn, at(3 * 86_400), settings)
    assert {name: count for name, count in done.items() if count} == {
        "drop_ticket_revisions": 1,
        "drop_tickets": 1,
        "drop_incidents": 1,
        "drop_events": 1,
        "drop_dead_letters": 1,
        "drop_dead_letter_days": 1,
        "drop_unknown": 2,
        "drop_batches": 1,
    }
    assert ask(pg_dsn, b"SELECT kept FROM unknown_devices") == [(0,)]
    state = writer.router_state()
    assert [t.id for t in state.tickets] == ["t-1"]
    assert [i.id for i in state.incidents] == ["i-1"]
    assert writer.resume("w").last_batch == 2
    done = let_go(pg_dsn, at(100 * 86_400), settings)
    assert (done["drop_partitions"], done["drop_reading_keys"], done["drop_items"]) == (6, 1, 1)
    writer.close()


def test_the_stream_is_let_go_from_its_beginning_and_waits_for_its_targets(pg_dsn: str) -> None:
    settings = StoreSettings(outbox_days=2, outbox_undelivered_days=10)
    writer, relay = writer_on(pg_dsn, settings), PgRelay(pg_dsn, settings)
    days = [0, 1, 5, 1, 6]
    changes = [change(ticket(f"t-{n}"), known_at=at(86_400 * day)) for n, day in enumerate(days, 1)]
    writer.commit(batch(1, changes=changes))
    relay.step()

    def kept() -> list[object]:
        rows = ask(pg_dsn, b"SELECT position FROM outbox ORDER BY position")
        return [position for (position,) in rows]

    with connect(pg_dsn, settings) as connection:
        connection.execute(b"INSERT INTO targets VALUES ('mqtt', 1)")
    let_go(pg_dsn, at(86_400 * 4), settings)
    assert kept() == [2, 3, 4, 5]  # 2 is old enough, but the target has not taken it
    with connect(pg_dsn, settings) as connection:
        connection.execute(b"UPDATE targets SET position = 5")
    let_go(pg_dsn, at(86_400 * 4), settings)
    assert kept() == [3, 4, 5]  # 4 is old enough, but 3 before it is not: no holes
    with connect(pg_dsn, settings) as connection:
        connection.execute(b"UPDATE targets SET position = 2")
    let_go(pg_dsn, at(86_400 * 15.5), settings)
    assert kept() == [5]  # too long, even for a target that waits
    writer.close()
    relay.close()
