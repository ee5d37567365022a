"""Which of PostgreSQL's programs is taken, and what they are told of the connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import Wrong
from store.programs import Program, choose, environment, found


def of(*majors: int) -> list[Program]:
    return [Program(Path(f"/pg/{major}/pg_dump"), major) for major in majors]


def test_the_servers_own_version_is_taken_else_the_nearest_newer_one() -> None:
    assert choose("pg_dump", 17, of(15, 18, 17)).major == 17
    assert choose("pg_dump", 17, of(15, 19, 18)).major == 18
    assert choose("pg_dump", 15, of(18, 16)).major == 16


def test_an_older_program_is_refused_with_the_command_that_installs_the_right_one() -> None:
    with pytest.raises(Wrong, match=r"here is 15 .*postgresql-client-17"):
        choose("pg_dump", 17, of(15))
    with pytest.raises(Wrong, match=r"is not on this machine.*postgresql-client-18"):
        choose("pg_dump", 18, [])


def test_a_program_whose_script_an_older_server_refuses_is_not_taken() -> None:
    """`SET transaction_timeout` came with 17; 15 and 16 stop at it."""
    with pytest.raises(Wrong, match="version 15 or 16"):
        choose("pg_restore", 15, of(17, 18))


def test_the_wheel_of_the_embedded_server_brings_its_own() -> None:
    assert any(program.major >= 18 for program in found("pg_dump"))


def test_a_password_travels_in_the_environment_and_never_in_the_command() -> None:
    env, rest = environment("postgresql://us:se%20cret@db.example:5433/city?keepalives_idle=9")
    assert (env["PGPASSWORD"], env["PGHOST"], env["PGPORT"]) == ("se cret", "db.example", "5433")
    assert (env["PGUSER"], env["PGDATABASE"]) == ("us", "city")
    assert rest == "keepalives_idle=9"


def test_what_is_no_connection_string_is_told() -> None:
    with pytest.raises(Wrong, match="no connection string"):
        environment("host")
