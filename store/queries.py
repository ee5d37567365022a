"""Named queries: the only place SQL lives is `store/sql/*.sql`.

A file is a run of blocks `-- name: <name> [native|timescale|copy]`, each one statement with
`%(name)s` parameters. The optional word says which kind of database the statement is for (`copy`:
either, but it must carry COPY); without it the statement runs on every one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

_NAME = re.compile(r"^-- name: (?P<name>[a-z][a-z0-9_]*)(?: (?P<only>native|timescale|copy))?$")


class NamedQuery(msgspec.Struct, frozen=True):
    """One statement and where it stands."""

    name: str
    file: str
    sql: bytes
    only: str | None
    """`native`, `timescale` or `copy` where the statement is not for every database."""


def parse(text: str, file: str) -> list[NamedQuery]:
    """The named statements of one file.

    Raises ValueError on text before the first name, an empty block or a malformed name line.
    """
    found: list[NamedQuery] = []
    name, only, lines = "", None, list[str]()

    def close() -> None:
        body = "\n".join(lines).strip().rstrip(";")
        code = [line for line in body.splitlines() if line.strip() and not _is_comment(line)]
        if name and not code:
            raise ValueError(f"{file}: query {name!r} is empty")
        if code and not name:
            raise ValueError(f"{file}: {code[0]!r} stands before the first `-- name:`")
        if name:
            found.append(NamedQuery(name, file, body.encode(), only))

    for line in text.splitlines():
        match = _NAME.match(line)
        if match is None and line.startswith("-- name:"):
            raise ValueError(f"{file}: {line!r} is no name line; write `-- name: some_name`")
        if match is None:
            lines.append(line)
            continue
        close()
        name, only, lines = match["name"], match["only"], []
    close()
    return found


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("--")


@cache
def catalogue() -> Mapping[str, NamedQuery]:
    """Every named query of the package by its name. Raises ValueError when a name is used twice."""
    book: dict[str, NamedQuery] = {}
    for entry in sorted(files("store").joinpath("sql").iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".sql"):
            continue
        for query in parse(entry.read_text("utf-8"), entry.name):
            if query.name in book:
                raise ValueError(
                    f"{query.file} and {book[query.name].file} both name {query.name!r}"
                )
            book[query.name] = query
    return MappingProxyType(book)


def sql(name: str) -> bytes:
    """The statement of that name. Raises KeyError when there is none."""
    return catalogue()[name].sql
