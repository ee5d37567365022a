"""Every migration and every named query runs on PostgreSQL and on TimescaleDB's SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from contracts.batch import SiteSnapshot, SpoolRow
from contracts.case import Answer
from contracts.geo import Point
from contracts.nouns import Position, Status
from store import pack
from store.connect import connect
from store.migrate import Variant, migrate, migrations
from store.queries import catalogue, sql
from store.retention import let_go
from store.rollups import roll
from store.settings import StoreSettings
from store.writer import PgWriter
from tests.servers import START, pglite, postgres
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

SETTINGS = StoreSettings(copy="never")

READING = {
    "device": ["lvl-7", "lvl-7"],
    "metric": ["level", "level"],
    "ts": [at(0), at(1)],
    "ident": [0, 2**62],
    "value": [1.0, 2.5],
    "received_at": [at(0), at(1)],
    "effective_at": [at(0), at(1)],
    "quality": [0, 4],
    "sent_at": [at(0), None],
    "boot": [0, -1],
    "seq": [None, 7],
    "pos": [0, 1],
}
WHOSE = {"writer": "w", "batch": 9}
EVENT = {
    "id": ["e-1"],
    "rev": [1],
    "source_rev": [1],
    "kind": ["flooding"],
    "site": ["s"],
    "device": [None],
    "grid": [None],
    "at": [at(0)],
    "known_at": [at(0)],
    "severity": [3],
    "phase": ["opened"],
    "routed": [False],
    "body": ['{"a": 1}'],
}
CASE = {
    "id": ["x-1"],
    "rev": [1],
    "kind": ["flooding"],
    "grid": [None],
    "district": ["d"],
    "severity": [3],
    "opened_at": [at(0)],
    "closed_at": [None],
    "known_at": [at(0)],
    "body": ["{}"],
    "incident": ["i"],
    "stage": ["closed"],
}
OUT = {
    "key": ["k"],
    "type": ["ticket"],
    "subject": ["t-9"],
    "rev": [1],
    "kind": ["flooding"],
    "district": ["d"],
    "change": ["opened"],
    "at": [at(0)],
    "data": [b"{}"],
}
PAGE = {
    "kind": None,
    "stage": None,
    "grid": "g-3",
    "grids": ["g-3", "g-4"],
    "worker": "w-1",
    "severity": 3,
    "utility": "gd",
    "device": "lvl-7",
    "metric": None,
    "since": at(-9),
    "until": None,
    "after_sort": at(9),
    "after_id": "x",
    "after_ident": 0,
    "after_device": "lvl-7",
    "limit": 3,
}
AGE = {
    "before": at(0),
    "before_undelivered": at(-9),
    "ended": ["closed", "void"],
    "devices": ["new-1"],
}
LINK = {
    **{"device": "cam", "number": 1, "event": "e-1", "basis": "b", "prev": "", "hash": "h"},
    **{"at": at(0), "manifest": "{}"},
}

ROLLED = ("1m", "15m", "1h")
LOOKS = (
    *("server_version", "timescale_version", "timescale_offers", "our_tables", "our_relations"),
    *("dumped_tables", "export_snapshot", "reading_marks", "writer_marks", "stream_mark"),
    *("others_here", "pre_restore", "post_restore", "table_sizes", "hypertable_sizes"),
    *("compression", "stream_lock", "where_we_are", "stream_home"),
    "archiving_fails",
)
HISTORY = {
    **{"devices": ["lvl-7"], "metrics": [], "since": at(-9), "until": at(99), "limit": 5},
}

DROPS = [
    "drop_reading_keys",
    "drop_conflicts",
    "drop_default_readings",
    "drop_chunks",
    "compress_chunks",
    "drop_minutes",
    "drop_quarters",
    "drop_hours",
    "drop_minutes_chunks",
    "drop_quarters_chunks",
    "drop_hours_chunks",
    "drop_items",
    "drop_spool_index",
    "drop_ticket_revisions",
    "drop_tickets",
    "drop_incidents",
    "drop_silences",
    "drop_events",
    "drop_dead_letters",
    "drop_dead_letter_days",
    "drop_unknown",
    "recount_unknown",
    "drop_outbox",
    "drop_batches",
    "drop_undelivered",
    "drop_answered_commands",
    "drop_answers",
    "drop_access_log",
    "drop_audit_log",
    "drop_sessions",
    "drop_login_failures",
]
ACCOUNT = {
    **{"id": "a-1", "name": "cao", "role": "head", "display_zh": "", "display_en": ""},
    **{"grids": ["c1"], "worker": None, "utility": None, "originals": False, "disabled": False},
    **{"must_change": False, "password": "h", "subject": None, "created_at": at(0)},
    **{"changed_at": at(0), "seen_at": None},
}
PARAMETERS: dict[str, dict[str, Any]] = {
    # commit.sql
    "begin_batch": {"writer": "w", "number": 1},
    "end_batch": {
        **{"writer": "w", "number": 99, "epoch": 1, "at": at(0), "shape": "", "found": "{}"},
        **{"ts_low": None, "ts_high": at(0)},
    },
    "make_staging": {},
    "copy_readings": {},
    "copy_staging": {},
    "insert_readings_staged": WHOSE,
    "keep_conflicts_staged": WHOSE,
    "insert_readings": WHOSE | READING,
    "keep_conflicts": WHOSE | READING,
    "claim_reading_keys": READING | {"seq": [1, 2]},
    "keep_key_conflicts": WHOSE | READING | {"seq": [1, 2]},
    "mark_seen": {"device": ["b", "a"], "received_at": [at(0), at(1)]},
    "insert_items": WHOSE
    | {
        **{"pos": [0], "noun": ["trace"], "device": ["o"], "at": [at(0)], "topic": ["t"]},
        **{"received_at": [at(0)], "payload": [b"\x00"], "digest": [b"d"]},
    },
    "insert_spool": {
        **{"device": ["cam"], "number": [9], "at": [at(9)], "received_at": [at(9)]},
        **{"file": ["f"], "bytes": [2**40]},
    },
    "forget_spool_files": {"files": ["f", "g"]},
    "upsert_statuses": {
        **{"device": ["d"], "at": [at(0)], "received_at": [at(0)], "online": [True]},
    },
    "upsert_worker_positions": {
        **{"worker": ["w"], "at": [at(0)], "received_at": [at(0)], "lon": [1.0], "lat": [2.0]},
        **{"accuracy_m": [None]},
    },
    "insert_events": EVENT,
    "event_faults": EVENT,
    "mark_newest_events": {"ids": ["e-1"]},
    "mark_routed": {"id": ["e-1"], "rev": [1]},
    "upsert_incidents": CASE,
    "upsert_tickets": CASE,
    "upsert_silences": CASE | {"made_at": [at(0)], "until": [at(9)], "ended_at": [None]},
    "insert_ticket_revisions": {
        **{"ticket": ["t"], "rev": [1], "change": ["opened"], "known_at": [at(0)], "body": ["{}"]},
    },
    "insert_outbox": OUT,
    "outbox_faults": OUT,
    "known_dead_letters": {"ids": ["d-1"]},
    "count_dead_letters": {"device": ["d"], "day": [at(0).date()], "seen": [2]},
    "insert_dead_letters": {
        **{"id": ["z"], "topic": ["t"], "received_at": [at(0)], "code": ["c"], "reason": ["r"]},
        **{"device": [None], "adapter": ["a"], "payload": [b"\x00"], "bytes": [1]},
        "sha256": ["s"],
    },
    "unknown_room": {"device": ["new-1", "new-2"]},
    "count_unknown": {"device": ["n"], "kept": [1], "dropped": [0], "last_at": [at(0)]},
    "insert_unknown": {
        **{"device": ["n"], "topic": ["t"], "received_at": [at(0)], "payload": [b""]},
        "sha256": ["s"],
    },
    "upsert_snapshots": WHOSE
    | {"kind": ["k"], "site": ["s"], "state": [b""], "marks": [b"\x00"], "number": [-1]},
    "insert_answers": {"command": ["c"], "ok": [True], "reason": ["r"], "rev": [None]},
    "mark_answered": {"ids": ["c"]},
    "finish_intake": {"ids": [1, 2]},
    "notify": {"channel": "gridsentry_work"},
    # resume.sql
    "acquire_lease": {"name": "w", "holder": "h", "now": at(0), "expires_at": at(9)},
    "release_lease": {"name": "w", "holder": "h"},
    "last_batch": {"writer": "w"},
    "writer_snapshots": {"writer": "w"},
    "batches_after": {"writer": "w", "after": 0, "limit": 5},
    "readings_of_batches": {
        **{"writer": "w", "low": 1, "high": 2, "ts_low": at(0), "ts_high": at(9)},
    },
    "items_of_batches": {"writer": "w", "low": 1, "high": 2},
    "spool_after": {"device": "cam", "after": 0},
    "event_book": {},
    "live_incidents": {"ended": ["closed", "void"]},
    "live_silences": {},
    "live_tickets": AGE,
    "all_worker_positions": {},
    "unrouted_events": {"limit": 2},
    "waiting_commands": {"limit": 2},
    "waiting_intake": {"limit": 2, "bulk": False, "districts": ["d"]},
    "unknown_samples": {},
    "take_up_unknown": {"devices": ["new-1"]},
    "forget_unknown_counts": {"devices": ["new-1"]},
    # past.sql
    "past_readings": {
        **{"ts_low": at(-9), "ts_high": at(9), "ts_never": at(-99), "ts_far": at(99)},
        **{"since": at(-9), "until": at(9), "devices": ["d"], "metrics": None},
    },
    "past_items": {"since": at(-9), "until": at(9), "nouns": ["trace"]},
    "past_events": {"since": at(-9), "until": at(9)},
    # relay.sql
    "relay_lock": {},
    "give_positions": {"limit": 10},
    "advance_stream": {"given": 1},
    # desk.sql
    **{
        f"page_{what}": PAGE
        for what in (
            *("tickets", "incidents", "events", "silences", "devices", "workers", "dead_letters"),
            "readings",
        )
    },
    "page_all_readings": PAGE | {"since": at(0), "until": at(9), "after_sort": None},
    "one_ticket": {"id": "t-1"},
    "one_incident": {"id": "i-1"},
    "one_silence": {"id": "s-1"},
    "one_event": {"id": "e-1"},
    "one_dead_letter": {"id": "d-1"},
    "one_unknown_message": {"number": 1},
    "file_command": {
        **{"id": "c", "ticket": "t", "action": "accept", "by": "w", "rev": 1, "at": at(0)},
        **{"reason": None, "note": None, "data": None},
    },
    "answer_to": {"id": "c"},
    "file_intake": {"topic": "t", "payload": b"", "received_at": at(0)},
    "newest_position": {},
    "oldest_position": {},
    "stream_after": {"after": 0, "limit": 2},
    "target_position": {"target": "mqtt"},
    "set_target_position": {"target": "mqtt", "position": 3},
    "tickets_of_event": {"event": "e-1", "limit": 5},
    "tickets_of_worker": {"worker": "w-1", "since": at(0), "open": ["dispatched"], "limit": 5},
    "tickets_lately": {"since": at(0), "open": ["dispatched"]},
    "start_target": {"target": "hook", "position": 3},
    "put_undelivered": {
        "target": "hook",
        "key": "ticket:t-1:1:opened",
        "known_at": at(0),
        "given_up_at": at(1),
        "reason": "404",
    },
    "undelivered": {"limit": 5},
    "log_access": {
        **{"who": "cao", "what": "t-1", "at": at(0), "reason": "case 12"},
        **{"account": "a-1", "address": "::1"},
    },
    "ping": {},
    # annals.sql
    "replace_label": {"id": "l-1", "event": "e-1", "made_at": at(0)},
    "insert_label": {
        **{"id": "l-1", "verdict": "missed", "kind": "flooding", "event": None, "incident": None},
        **{"device": None, "site": None, "at": at(0), "until": None, "cause": "", "note": "n"},
        **{"lon": 1.0, "lat": None, "grid": None, "by": "cao", "made_at": at(0)},
    },
    "labels": {
        **{"id": None, "since": at(0), "until": None, "kind": None, "events": ["e-1"]},
        **{"standing": True, "limit": 5},
    },
    "withdraw_label": {"id": "l-1", "by": "cao", "at": at(0)},
    "judged_events": {"since": at(-9), "until": at(9)},
    "missed_events": {"since": at(-9), "until": at(9)},
    "hot_spots": {
        **{"since": at(-9), "until": at(9), "kind": None, "grids": ["g-3"]},
        **{"least": 1, "limit": 5},
    },
    "tickets_of_incidents": {"incidents": ["i-1"]},
    "troubles": {},
    "segments_seen": {"cameras": ["cam"]},
    "first_heard": {},
    "retry_dead_letter": {"id": "d-1", "tries": 0, "by": "cao", "at": at(0)},
    "mark_retried": {"id": "d-1", "intake": 1},
    "retried": {"ids": ["d-1"]},
    "put_handover": {
        **{"id": "h-1", "made_at": at(0), "leaving": "cao", "notes": "", "body": "{}"},
    },
    "take_handover": {"id": "h-1", "coming": "li", "remarks": "", "at": at(9)},
    "handovers": {"id": None, "limit": 5},
    # accounts.sql
    "any_account": {},
    "page_accounts": {"after": "", "words": "cao", "limit": 5},
    "one_account": {"id": "a-1"},
    "account_named": {"name": "cao"},
    "account_of": {"subject": "https://id.example 7"},
    "add_account": ACCOUNT | {"id": "a-2", "name": "li"},
    "change_account": ACCOUNT,
    "rehash": {"id": "a-1", "before": "h", "password": "i"},
    "account_seen": {"id": "a-1", "at": at(1)},
    "add_session": {
        **{"id": "s-1", "digest": b"1", "account": "a-1", "how": "password", "made_at": at(0)},
        **{"seen_at": at(0), "ends_at": at(9), "address": "::1", "agent": "x", "logout": None},
    },
    "one_session": {"digest": b"1"},
    "touch_session": {"id": "s-1", "at": at(2)},
    "sessions_of": {"account": "a-1", "now": at(1), "idle_since": at(0)},
    "end_sessions": {"account": "a-1", "only": None, "but": "s-2"},
    "note_failures": {"keys": ["name cao"], "at": at(0), "forgotten": at(0)},
    "failures_of": {"keys": ["name cao"]},
    "forgive": {"keys": ["name cao"]},
    "note": {
        **{"at": at(0), "who": "cao", "account": "a-1", "address": "::1", "action": "login"},
        **{"subject": "sessions/s-1", "detail": "{}"},
    },
    "notes": {"before": None, "limit": 5, "account": "a-1", "action": ""},
    "views": {
        **{"before": None, "limit": 5, "account": None, "words": "t-", "since": at(0)},
        **{"until": None},
    },
    # evidence.sql
    "add_evidence_link": LINK,
    "evidence_link": LINK,
    "evidence_links": {"since": at(0)},
    "evidence_chain_after": {"device": "cam", "number": 0, "limit": 5},
    "evidence_gone_all": {},
    "evidence_claimed": {},
    "evidence_due": {"shown_before": at(0), "original_before": at(9), "ended": ["closed"]},
    "mark_evidence_gone": {"device": "cam", "number": 1, "part": "shown", "at": at(9)},
    "evidence_kept": {},
    "originals_opened": {"since": at(0)},
    # rollups.sql
    "rollup_behind": {},
    "rollup_begin": {"writer": "w"},
    "rollup_mark": {"writer": "w"},
    "rollup_reach": {"writer": "w", "after": -1, "upto": 9},
    "rollup_set": {"writer": "w", "upto": 2},
    "rollup_add": {"writer": "w", "after": -1, "upto": 9, "low": at(-9), "high": at(99)},
    **{f"refresh_{grain}": {"low": at(-86_400), "high": at(86_400)} for grain in ROLLED},
    **{f"history_{grain}": HISTORY for grain in ("raw", *ROLLED)},
    "history_1d": HISTORY | {"zone": "Asia/Shanghai"},
    "history_devices": {"metric": "level", "since": at(-9)},
    # backup.sql
    **{name: {} for name in LOOKS},
    "end_others": {"database": "nobody's"},
    # relay.sql
    "move_targets": {"gap": 9, "newest": 1},
    "move_stream": {"gap": 9, "home": "here"},
    # retention.sql
    **dict.fromkeys(DROPS, AGE),
    "targets_behind": {},
    # schema.sql
    "migration_lock": {},
    "make_migrations": {},
    "applied_migrations": {},
    "record_migration": {
        **{"number": 999, "name": "n", "variant": "v", "checksum": "c", "applied_at": at(0)},
    },
    "offers_timescale": {},
    "create_timescale": {},
    "reading_variant": {},
    "partition_lock": {},
    "partition_patience": {},
    "reading_partitions": {},
}


class Database:
    """A database with something in every table."""

    def __init__(self, dsn: str, variant: Variant) -> None:
        self.dsn = dsn
        self.variant = variant


def _fill(dsn: str, variant: Variant) -> None:
    writer = PgWriter(dsn, "/gridsentry/test", SETTINGS, variant=variant)
    assert writer.acquire("w", "me", at(0), 10) == 1
    seqs = [reading(0, device="s", sent_at=None, seq=n) for n in range(3)]
    old = [reading(-86_400 * days) for days in range(1, 12)]
    full = batch(
        1,
        readings=[*(reading(n) for n in range(20)), *seqs, *old],
        events=[published(event()), published(event("e-2"), routed=False)],
        changes=[change(event()), change(incident()), change(ticket())],
        items=[item()],
        spool=[SpoolRow("cam", at(0), at(1), "f", 3, 1)],
        statuses=[Status("cam", at(0), at(0), True)],
        worker_positions=[Position("w-1", at(0), at(0), Point(1, 2))],
        dead_letters=[letter()],
        unknown=[unknown()],
        snapshots=[SiteSnapshot("flooding", "s", b"1", b"")],
        answers=[Answer("c-0", True, "ok")],
    )
    assert writer.commit(full).readings_new == 34
    again = batch(2, readings=[reading(0, 5.0), reading(1), reading(99)])
    found = writer.commit(again)
    assert (found.readings_new, found.readings_duplicate, found.conflicts) == (1, 1, 1)
    assert [len(one.readings) for one in writer.stored_batches("w", 0)] == [34, 1]
    writer.close()
    with connect(dsn, SETTINGS) as connection:
        connection.execute(sql("add_account"), ACCOUNT)


@pytest.fixture(scope="module", params=["native", "timescale"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A migrated, filled database of either kind."""
    if request.param == "timescale":
        with pglite() as dsn:
            yield _ready(dsn, "timescale")
    else:
        with postgres(tmp_path_factory.mktemp("every-query"), fsync="off") as server:
            yield _ready(server.dsn, "native")


def _ready(dsn: str, expected: Variant) -> Database:
    with connect(dsn, SETTINGS) as connection:
        assert migrate(connection, START) == expected
        # A second start finds everything applied.
        assert migrate(connection, START) == expected
        applied = connection.execute(sql("applied_migrations")).fetchall()
    assert len(applied) == len(migrations(expected))
    _fill(dsn, expected)
    return Database(dsn, expected)


def test_every_named_query_has_parameters_here() -> None:
    assert PARAMETERS.keys() == catalogue().keys()


@pytest.mark.parametrize("kind", ["native", "timescale"])
def test_both_kinds_have_migrations_of_every_number(kind: Variant) -> None:
    assert [one.number for one in migrations(kind)] == list(range(1, len(migrations(kind)) + 1))


def test_every_named_query_runs(database: Database) -> None:
    left_out = {"native": {"timescale"}, "timescale": {"native", "copy"}}[database.variant]
    with connect(database.dsn, SETTINGS) as connection:
        connection.execute(sql("make_staging"))
        for name, query in catalogue().items():
            if query.only in left_out:
                continue
            try:
                _run(connection, name)
            except psycopg.Error as error:
                raise AssertionError(f"{name} on {database.variant}: {error}") from error


def _run(connection: psycopg.Connection[Any], name: str) -> None:
    if name.startswith("refresh_"):  # it makes transactions of its own
        connection.execute(sql(name), PARAMETERS[name])
        return
    with connection.transaction(force_rollback=True):
        if name == "copy_staging":
            rows = pack.rows([reading(0), reading(1, sent_at=None, seq=3)], [], 1)
            with connection.cursor().copy(sql(name)) as copy:
                copy.write(pack.Packer().copy(rows))
            count = connection.execute(b"SELECT count(*) FROM incoming").fetchone()
            assert count == (2,)
            return
        if name == "copy_readings":
            rows = pack.rows([reading(40_000), reading(40_001, sent_at=None, seq=4)], [], 1)
            with connection.cursor().copy(sql(name)) as copy:
                for piece in pack.Packer().pieces(rows, pack.stored("w", 9_000_000)):
                    copy.write(piece)
            count = connection.execute(
                b"SELECT count(*) FROM readings WHERE writer = 'w' AND batch = 9000000"
            ).fetchone()
            assert count == (2,)
            return
        if name == "make_staging":
            connection.execute(b"DROP TABLE pg_temp.incoming")
        connection.execute(sql(name), PARAMETERS[name])


def test_readings_of_all_devices_are_looked_up_in_their_days_only(database: Database) -> None:
    looked = {}
    for days in (1, 11):
        span = {"since": at(-86_400 * days), "until": at(9), "limit": 100}
        with connect(database.dsn, SETTINGS) as connection:
            query = b"EXPLAIN " + sql("page_all_readings")
            plan = str(connection.execute(query, PARAMETERS["page_all_readings"] | span).fetchall())
        looked[days] = set(re.findall(r"readings_\d{8}|_hyper_\d+_\d+_chunk", plan))
    assert 1 <= len(looked[1]) <= 2
    assert len(looked[11]) > 8


@pytest.mark.parametrize("metric", [None, "level"])
def test_readings_of_all_devices_go_on_after_any_row(
    database: Database, metric: str | None
) -> None:
    whole = {"since": at(0), "until": at(9), "limit": 100, "metric": metric, "after_sort": None}
    names = {"after_sort": 2, "after_device": 0, "after_id": 1, "after_ident": 3}
    with connect(database.dsn, SETTINGS) as connection:
        # All connections share PGlite's one session, names of prepared statements included.
        connection.prepare_threshold = None

        def ask(**given: Any) -> list[tuple[Any, ...]]:
            query = sql("page_all_readings")
            return connection.execute(query, PAGE | whole | given).fetchall()

        rows = ask()
        assert {row[0] for row in rows} == {"lvl-7", "s"}
        assert len(rows) == 12
        for place, row in enumerate(rows, 1):
            assert ask(**{name: row[n] for name, n in names.items()}) == rows[place:]


def test_charts_have_late_readings_too_and_outlive_them(database: Database) -> None:
    now = at(0) + timedelta(days=1)

    def told(grain: str) -> list[tuple[Any, ...]]:
        given = HISTORY | {"since": at(-20 * 86_400), "until": now, "limit": 1000}
        given |= {"zone": "Asia/Shanghai"} if grain == "1d" else {}
        with connect(database.dsn, SETTINGS) as connection:  # PGlite has one at a time
            connection.prepare_threshold = None
            rows = connection.execute(sql(f"history_{grain}"), given).fetchall()
        # Columns of each device and metric; one row a reading or bucket here.
        return [
            row for d, _, *columns in rows if d == "lvl-7" for row in zip(*columns, strict=True)
        ]

    assert roll(database.dsn, now, SETTINGS, variant=database.variant) > 0
    assert roll(database.dsn, now, SETTINGS, variant=database.variant) == 0
    raw = told("raw")
    days = {grain: sum(row[4] for row in told(grain)) for grain in ROLLED}
    assert days == dict.fromkeys(ROLLED, len(raw))
    writer = PgWriter(database.dsn, "/gridsentry/test", SETTINGS, variant=database.variant)
    writer.commit(batch(3, readings=[reading(-86_400 * 3 + 7, 99.0)]))
    writer.close()
    assert roll(database.dsn, now, SETTINGS, variant=database.variant) == 1
    for grain in (*ROLLED, "1d"):
        rows = told(grain)
        assert sum(row[4] for row in rows) == len(raw) + 1, grain
        assert max(row[3] for row in rows) == 99.0, grain


def test_old_days_are_compressed_and_let_go(database: Database) -> None:
    now = at(0) + timedelta(days=1)
    before = _count(database)
    settings = StoreSettings(copy="never", compress_after_days=3, readings_days=8)
    done = let_go(database.dsn, now, settings, variant=database.variant)
    if database.variant == "timescale":
        assert done["compress_chunks"] >= 3
    assert done["drop_chunks" if database.variant == "timescale" else "drop_partitions"] >= 3
    left = _count(database)
    assert before - left in (3, 4)
    with connect(database.dsn, SETTINGS) as connection:
        connection.prepare_threshold = None
        given = HISTORY | {"since": at(-20 * 86_400), "until": now, "limit": 1000}
        rows = connection.execute(sql("history_1h"), given).fetchall()
        of_others = 3
        assert sum(sum(row[6]) for row in rows) == before - of_others, "charts keep what was let go"
    # What was compressed still takes a late duplicate for one, and a late new reading.
    writer = PgWriter(database.dsn, "/gridsentry/test", settings, variant=database.variant)
    late = [reading(-86_400 * 6), reading(-86_400 * 6 + 1)]
    found = writer.commit(batch(4, readings=late))
    writer.close()
    assert (found.readings_new, found.readings_duplicate) == (1, 1)
    assert let_go(database.dsn, now, settings, variant=database.variant)


def test_a_late_reading_takes_nothing_from_the_hours_whose_minutes_were_let_go(
    database: Database,
) -> None:
    """TimescaleDB aggregates a late reading's hour anew: without minutes, from it alone."""
    first = at(300 * 86_400)

    def hours() -> int:
        given = HISTORY | {"since": first, "until": first + timedelta(days=1), "limit": 1000}
        with connect(database.dsn, SETTINGS) as connection:
            connection.prepare_threshold = None
            rows = connection.execute(sql("history_1h"), given).fetchall()
        return sum(int(sum(row[6])) for row in rows)

    def write(number: int, seconds: list[float]) -> None:
        writer = PgWriter(database.dsn, "/gridsentry/test", SETTINGS, variant=database.variant)
        writer.commit(batch(number, readings=[reading(300 * 86_400 + s) for s in seconds]))
        writer.close()

    write(5, [60.0 * n for n in range(200)])
    roll(database.dsn, first + timedelta(days=1), SETTINGS, variant=database.variant)
    later = first + timedelta(days=30)
    for _ in range(2):
        let_go(database.dsn, later, SETTINGS, variant=database.variant)
    assert hours() == 200
    write(6, [60.0 * n + 7 for n in range(20)])
    roll(database.dsn, later, SETTINGS, variant=database.variant)
    assert hours() == 220


def _count(database: Database) -> int:
    with connect(database.dsn, SETTINGS) as connection:
        row = connection.execute(b"SELECT count(*) FROM readings").fetchone()
    assert row is not None
    return int(row[0])
