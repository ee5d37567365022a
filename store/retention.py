"""Letting go of what is old enough. Called now and then with the service's own `now`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from store import partitions
from store.connect import connect
from store.failures import translated
from store.migrate import Variant
from store.queries import sql
from store.resume import ENDED_STAGES
from store.settings import StoreSettings

log = logging.getLogger(__name__)

OVER_DAYS = 1
"""Sessions that are over and failed logins are let go after so many days."""


def prepare_partitions(
    connection: psycopg.Connection[Any], now: datetime, settings: StoreSettings
) -> None:
    """Make today's partition and those of the next days, so that no batch has to wait for one."""
    today = now.astimezone(UTC).date()
    ahead = range(settings.partitions_ahead_days + 1)
    partitions.ensure(connection, {today + timedelta(days=n) for n in ahead})


def let_go(
    dsn: str, now: datetime, settings: StoreSettings, *, variant: Variant = "native"
) -> dict[str, int]:
    """Drop and delete by age; how much of what (named as the queries).

    Each step is a transaction of its own, so a long one holds nobody up. Raises Temporary when
    the database does not answer; what was done stays done.
    """
    done: dict[str, int] = {}

    def before(days: int) -> datetime:
        return now - timedelta(days=days)

    with translated(), connect(dsn, settings) as connection:

        def run(name: str, days: int, **more: Any) -> psycopg.Cursor[Any]:
            cursor = connection.execute(sql(name), {"before": before(days), **more})
            done[name] = max(0, cursor.rowcount)
            return cursor

        if variant == "timescale":
            run("drop_chunks", settings.readings_days)
            run("compress_chunks", settings.compress_after_days)
            # Each level is made of the one below: a late reading makes TimescaleDB aggregate its
            # hour anew, from minutes that must still be there. They stay while readings may come.
            floor = settings.readings_days
            run("drop_minutes_chunks", max(floor, settings.rollup_minutes_days))
            run("drop_quarters_chunks", max(floor, settings.rollup_quarters_days))
            run("drop_hours_chunks", settings.rollup_hours_days)
        else:
            prepare_partitions(connection, now, settings)
            oldest = before(settings.readings_days).astimezone(UTC).date()
            done["drop_partitions"] = len(partitions.drop_before(connection, oldest))
            run("drop_default_readings", settings.readings_days)
            run("drop_minutes", settings.rollup_minutes_days)
            run("drop_quarters", settings.rollup_quarters_days)
            run("drop_hours", settings.rollup_hours_days)
        run("drop_reading_keys", settings.readings_days)
        run("drop_conflicts", settings.readings_days)
        run("drop_items", settings.items_days)
        run("drop_spool_index", settings.spool_index_days)
        run("drop_ticket_revisions", settings.cases_days, ended=ENDED_STAGES)
        run("drop_tickets", settings.cases_days, ended=ENDED_STAGES)
        run("drop_incidents", settings.cases_days)
        run("drop_silences", settings.cases_days)
        run("drop_events", settings.cases_days)
        run("drop_dead_letters", settings.dead_letters_days)
        run("drop_dead_letter_days", settings.dead_letters_days)
        run("drop_undelivered", settings.dead_letters_days)
        with connection.transaction():
            gone = sorted({row[0] for row in run("drop_unknown", settings.unknown_days)})
            if gone:
                connection.execute(sql("recount_unknown"), {"devices": gone})
        run(
            "drop_outbox",
            settings.outbox_days,
            before_undelivered=before(settings.outbox_undelivered_days),
        )
        for target, position in connection.execute(sql("targets_behind")):
            log.warning(
                "target %s is at %d; changes after it were let go before it took them",
                *(target, position),
            )
        run("drop_batches", settings.batches_days)
        run("drop_answered_commands", settings.batches_days)
        run("drop_answers", settings.batches_days)
        run("drop_access_log", settings.access_log_days)
        run("drop_audit_log", settings.access_log_days)
        run("drop_sessions", OVER_DAYS)
        run("drop_login_failures", OVER_DAYS)
    kept = {name: count for name, count in done.items() if count}
    if kept:
        log.info("let go: %s", ", ".join(f"{name} {count}" for name, count in kept.items()))
    return done
