"""What a request asks for: the path's steps, and the query options, also those inside `$expand`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from center.problems import Problem
from center.sensorthings.filters import Filter, parse_filter

OPTIONS: Final = (
    "$top", "$skip", "$count", "$orderby", "$select", "$expand", "$filter", "$skiptoken",
    "$resultFormat",
)  # fmt: skip
TOP, MOST_TOP = 100, 1_000
"""Entities on a page where `$top` is not given, and at most (18-088 lets the service cut pages)."""
DEEPEST: Final = 4
"""`$expand` inside `$expand`."""
STEP: Final = re.compile(
    r"(?P<name>\$?[A-Za-z]\w*|@iot\.\w+)(?:\((?P<key>'(?:[^']|'')*'|[^()']*)\))?"
)


class Step(msgspec.Struct, frozen=True):
    """`Things('x')`, `Datastreams`, `name`, `$ref`."""

    name: str
    key: str | None = None


class Options(msgspec.Struct, frozen=True):
    """Query options."""

    top: int = TOP
    skip: int = 0
    count: bool = False
    orderby: tuple[tuple[str, bool], ...] = ()
    """Path of a property, whether descending."""
    select: tuple[str, ...] = ()
    expand: tuple[tuple[str, Options], ...] = ()
    filter: Filter | None = None
    token: str | None = None
    given: frozenset[str] = frozenset()
    raw: dict[str, str] = {}
    """As they were written."""


def steps_of(path: str) -> list[Step]:
    """The path below the service root, one step at least. Raises Problem 404."""
    steps: list[Step] = []
    for part in _split(path.rstrip("/"), "/"):
        found = STEP.fullmatch(part)
        if found is None:
            raise Problem(404, "not_found", f"{part[:64]!r} is no resource of this service")
        key = found["key"]
        if key is not None and key.startswith("'"):
            key = key[1:-1].replace("''", "'")
        steps.append(Step(found["name"], key))
    if not steps:
        raise Problem(404, "not_found", "an entity set is expected after the service root")
    return steps


def options_of(given: Mapping[str, str], deep: int = 0) -> Options:
    """Raises Problem 400, 501 for what is not offered."""
    for name in given:
        if name not in OPTIONS:
            raise _wrong(name, f"not known here; there are {', '.join(OPTIONS)}")
    if "$resultFormat" in given:
        raise Problem(
            501, "not_implemented", "only the standard's JSON is offered", path="$resultFormat"
        )
    count = given.get("$count", "false")
    if count not in ("true", "false"):
        raise _wrong("$count", "true or false")
    return Options(
        top=min(_number(given, "$top", TOP), MOST_TOP),
        skip=_number(given, "$skip", 0),
        count=count == "true",
        orderby=tuple(_orders(given.get("$orderby", ""))),
        select=tuple(_words(given.get("$select", ""))),
        expand=tuple(_expanded(given.get("$expand", ""), deep)),
        filter=parse_filter(given["$filter"]) if "$filter" in given else None,
        token=given.get("$skiptoken"),
        given=frozenset(given),
        raw=dict(given),
    )


def _expanded(text: str, deep: int) -> Iterator[tuple[str, Options]]:
    """`A,B($top=1;$select=c),C/D`: the last is D inside C."""
    if text and deep >= DEEPEST:
        raise _wrong("$expand", f"nested deeper than {DEEPEST}")
    found: dict[str, dict[str, str]] = {}
    for part in _split(text, ","):
        head, bracket, inner = part.strip().partition("(")
        if bracket and not inner.endswith(")"):
            raise _wrong("$expand", f"{part[:64]!r} has no closing bracket")
        name, slash, rest = head.partition("/")
        options = found.setdefault(name, {})
        if slash:
            deeper = rest + bracket + inner
            options["$expand"] = ",".join(filter(None, (options.get("$expand"), deeper)))
            continue
        for option in _split(inner.removesuffix(")"), ";"):
            key, _, value = option.strip().partition("=")
            if not value or key in options:
                raise _wrong("$expand", f"{option[:64]!r} of {name} is no option")
            options[key] = value
    for name, options in found.items():
        yield name, options_of(options, deep + 1)


def _orders(text: str) -> Iterator[tuple[str, bool]]:
    for word in _words(text):
        path, *way = word.split()
        if way not in ([], ["asc"], ["desc"]):
            raise _wrong("$orderby", f"{word[:64]!r}; PROPERTY asc or PROPERTY desc")
        yield path, way == ["desc"]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _number(given: Mapping[str, str], name: str, usual: int) -> int:
    text = given.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _wrong(name, "a whole number, not negative")
    return int(text)


def _split(text: str, mark: str) -> Iterator[str]:
    """At the marks that stand neither in brackets nor in quotes."""
    begin, deep, quoted = 0, 0, False
    for at, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "()":
            deep += 1 if letter == "(" else -1
        elif letter == mark and deep == 0:
            yield text[begin:at]
            begin = at + 1
    if text[begin:]:
        yield text[begin:]


def _wrong(name: str, reason: str) -> Problem:
    return Problem(400, "bad_value", f"{name[:40]}: {reason}", path=name[:40])
