"""A database into one file and back, by PostgreSQL's own programs.

The dump is of one moment (an exported snapshot), and what it should contain is counted in the same
moment. A restore is one transaction: all of it or nothing.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql as compose
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from contracts.errors import Refused, Temporary, Wrong
from store import inventory, programs
from store.connect import connect
from store.failures import translated
from store.inventory import Inventory, Telling
from store.queries import sql
from store.settings import StoreSettings

ROWS_AT_ONCE = 500
"""Rows in one INSERT of a dump for servers without COPY."""
_DUMPING = re.compile(r"dumping contents of table \"?([^\"]+)")
_RESTORING = re.compile(r"processing data for table \"?([^\"]+)")


def dump(
    dsn: str, file: Path, settings: StoreSettings, *, tell: Telling = lambda *_: None
) -> Inventory:
    """Write that database to `file` (pg_dump's custom format); what is in it.

    Writers go on meanwhile. Raises Wrong where there is no fitting pg_dump or no database of ours,
    Temporary when the database does not answer, Refused when pg_dump fails.
    """
    with _long(dsn, settings) as connection, connection.transaction():
        connection.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        program = programs.choose("pg_dump", inventory.server(connection).major)
        (snapshot,) = connection.execute(sql("export_snapshot")).fetchone() or ("",)
        (tables,) = connection.execute(sql("dumped_tables")).fetchone() or (0,)
        there = inventory.take(connection, tell)
        pg_dump(dsn, file, program, settings, snapshot=snapshot, tables=tables, tell=tell)
    return there


def pg_dump(
    dsn: str,
    file: Path,
    program: programs.Program,
    settings: StoreSettings,
    *,
    snapshot: str | None = None,
    tables: int = 0,
    tell: Telling = lambda *_: None,
) -> None:
    """Run pg_dump; `dump` for servers that take one connection at a time has no snapshot."""
    env, rest = programs.environment(dsn)
    command = [str(program.path), "--format=custom", "--verbose", "--no-password", "-f", str(file)]
    if snapshot is not None:
        command.append(f"--snapshot={snapshot}")
    if settings.copy == "never":
        command.append(f"--rows-per-insert={ROWS_AT_ONCE}")
    _run([*command, "-d", rest], env, _DUMPING, tables, tell)


def check_target(there: inventory.Server, given: Inventory) -> None:
    """Raises Wrong where such a database cannot be restored on that server, with what to do."""
    refusal = inventory.refusal(given)
    if refusal is not None:
        raise Wrong("the backup", refusal, "the version of Gridsentry that made it, or a newer one")
    if there.major < given.server:
        raise Wrong(
            "the server",
            f"is PostgreSQL {there.text}, the backup is of {given.server_text}",
            f"PostgreSQL {given.server} or newer",
        )
    if given.timescale is None or given.timescale in there.timescale_offers:
        return
    offers = ", ".join(there.timescale_offers) or "none"
    raise Wrong(
        "the server",
        f"offers TimescaleDB {offers}, the backup is of {given.timescale}",
        f"a server with TimescaleDB {given.timescale}: restore there, then "
        "ALTER EXTENSION timescaledb UPDATE",
    )


def restore(
    dsn: str,
    file: Path,
    given: Inventory,
    settings: StoreSettings,
    *,
    tell: Telling = lambda *_: None,
) -> list[str]:
    """Bring a dump into an empty database; in what it differs from what was dumped (in nothing).

    Raises Wrong where it does not fit that server, Refused where the database is not empty or
    pg_restore fails (the database is empty then, as before), Temporary when the database does not
    answer.
    """
    with _long(dsn, settings) as connection:
        there = inventory.server(connection)
        check_target(there, given)
        program = programs.choose("pg_restore", there.major)
        in_the_way = inventory.relations(connection)
        if in_the_way:
            raise Refused(f"the database is not empty: it has {', '.join(in_the_way[:5])} …")
        if given.timescale is not None:
            _timescale(connection, given.timescale)
            connection.execute(sql("pre_restore"))
    try:
        pg_restore(dsn, file, program, tell)
    finally:
        if given.timescale is not None:
            with _long(dsn, settings) as connection:
                connection.execute(sql("post_restore"))
    with _long(dsn, settings) as connection:
        connection.execute(b"SET search_path = public")
        # pg_restore brings no statistics; without them the first charts would read whole tables.
        connection.execute(b"ANALYZE")
        return inventory.differences(given, inventory.take(connection, tell))


def pg_restore(
    dsn: str, file: Path, program: programs.Program, tell: Telling = lambda *_: None
) -> None:
    """Run pg_restore in one transaction. Raises Refused with what it says."""
    env, rest = programs.environment(dsn)
    listed = subprocess.run(
        [str(program.path), "--list", str(file)], capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        raise Refused(f"{file} is no whole dump: {listed.stderr.strip()}")
    tables = sum(" TABLE DATA " in line for line in listed.stdout.splitlines())
    command = [str(program.path), "--verbose", "--no-password", "--exit-on-error"]
    command += ["--single-transaction", "--no-owner", "--no-privileges"]
    # An empty conninfo would mean "write a script"; the database's name is always known here.
    name = conninfo_to_dict(dsn).get("dbname") or env.get("PGDATABASE") or "postgres"
    target = make_conninfo(rest, dbname=str(name))
    _run([*command, "-d", target, str(file)], env, _RESTORING, tables, tell)


def set_aside(dsn: str, kept_as: str, settings: StoreSettings) -> None:
    """Give the database another name and make an empty one under its old name.

    Raises Refused while a service works on it or where the user may not.
    """
    with _long(dsn, settings) as connection:
        (others,) = connection.execute(sql("others_here")).fetchone() or (0,)
        name = connection.info.dbname
    if others:
        raise Refused(f"{others} connections of Gridsentry are on {name}: stop the service first")
    with translated(), psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as c:
        old, new = compose.Identifier(name), compose.Identifier(kept_as)
        try:
            c.execute(sql("end_others"), {"database": name})
            c.execute(compose.SQL("ALTER DATABASE {} RENAME TO {}").format(old, new))
            c.execute(compose.SQL("CREATE DATABASE {} TEMPLATE template0").format(old))
        except psycopg.errors.InsufficientPrivilege as error:
            raise Refused(
                f"the user may not rename and make databases: let an administrator run "
                f'ALTER DATABASE "{name}" RENAME TO "{kept_as}" and CREATE DATABASE "{name}"'
            ) from error


@contextmanager
def _long(dsn: str, settings: StoreSettings) -> Iterator[psycopg.Connection[Any]]:
    """A connection that may take its time: counting a year of readings is no runaway query."""
    with translated(), connect(dsn, settings) as connection:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(compose.SQL("SET {} = 0").format(compose.Identifier(name)))
        yield connection


def _timescale(connection: psycopg.Connection[Any], version: str) -> None:
    row = connection.execute(sql("timescale_version")).fetchone()
    if row is not None and row[0] != version:
        raise Wrong(
            "the database",
            f"has TimescaleDB {row[0]} already, the backup is of {version}",
            "DROP EXTENSION timescaledb there, it is empty; then restore again",
        )
    if row is None:
        create = compose.SQL("CREATE EXTENSION timescaledb VERSION {}")
        connection.execute(create.format(compose.Literal(version)))


def _run(
    command: list[str],
    env: dict[str, str],
    step: re.Pattern[str],
    total: int,
    tell: Callable[[int, int, str], None],
) -> None:
    said: list[str] = []
    done = 0
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, errors="replace",
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            for line in process.stderr:
                match = step.search(line)
                if match:
                    tell(done, max(total, done + 1), match[1].strip())
                    done += 1
                elif "error:" in line or "fatal:" in line.lower() or said:
                    said.append(line.strip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode == 0:
        return
    name = Path(command[0]).name
    text = "; ".join(said[:6]) or f"it ended with {process.returncode}"
    if "connection to server" in text or "could not connect" in text:
        raise Temporary(f"{name}: {text}")
    raise Refused(f"{name}: {text}")
