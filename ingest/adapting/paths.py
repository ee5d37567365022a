"""Paths of mappings: JSONPath (RFC 9535) from message (`$`) or record (`@`), levels of topics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import jsonpath_rfc9535 as jsonpath

from contracts.errors import Wrong

ABSENT: Final = object()
"""What is found where there is nothing."""
Find = Callable[[Any, Any], Any]
"""(message, record) → the value there, or `ABSENT`."""


def listed(paths: str | list[str] | None) -> list[str]:
    """One path, several, or none, as a list."""
    return [] if paths is None else [paths] if isinstance(paths, str) else paths


def query_of(path: str, where: str, field: str) -> jsonpath.JSONPathQuery:
    """A JSONPath, checked. Raises Wrong."""
    try:
        return jsonpath.compile(path)
    except jsonpath.JSONPathError as error:
        raise Wrong(
            f"{where}, {field}", f"{path!r}: {error}", "a JSONPath such as $.a.b"
        ) from error


class Level:
    """`topic:2`: a level of the topic."""

    def __init__(self, level: int) -> None:
        self.level = level

    def __call__(self, _message: Any, _record: Any) -> Any:
        """Nothing: `first` looks at the topic."""
        return ABSENT


def finder(path: str, where: str) -> Find:
    """What finds the value at a path. Raises Wrong."""
    if path.startswith("topic:") and path[6:].lstrip("-").isdigit():
        return Level(int(path[6:]))
    if path[:1] not in ("$", "@"):
        raise Wrong(where, repr(path), "a path that begins with $ or @, or topic:2")
    in_record = path[0] == "@"
    query = query_of("$" + path[1:], where, "path")
    if query.singular_query():
        keys = _steps(query)

        def walk(message: Any, record: Any) -> Any:
            return _walk(record if in_record else message, keys)

        return walk

    def search(message: Any, record: Any) -> Any:
        node = query.find_one(record if in_record else message)
        return ABSENT if node is None else node.value

    return search


def _steps(query: jsonpath.JSONPathQuery) -> list[str | int]:
    """Names and indices of a path that leads to one place: a walk of our own takes a tenth."""
    steps: list[str | int] = []
    for segment in query.segments:
        (selector,) = segment.selectors
        steps.append(selector.name if hasattr(selector, "name") else selector.index)  # type: ignore[attr-defined]
    return steps


def _walk(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                return ABSENT
        elif not isinstance(value, list) or not -len(value) <= step < len(value):
            return ABSENT
        value = value[step]
    return value


def names_of(path: str, where: str) -> list[str]:
    """The names that lead to one place. Raises Wrong."""
    query = query_of(path, where, "inside")
    steps = _steps(query) if query.singular_query() else []
    if not steps or any(isinstance(step, int) for step in steps):
        raise Wrong(f"{where}, inside", repr(path), "a path of names, such as $.body")
    return [str(step) for step in steps]


def first(
    finds: Sequence[Find], message: Any, record: Any, levels: Sequence[str], *, plain: bool = False
) -> Any:
    """The first value that is there; `levels` are the topic's. `plain`: objects and arrays are
    passed over."""
    for find in finds:
        if isinstance(find, Level):
            if -len(levels) <= find.level < len(levels):
                return levels[find.level]
            continue
        found = find(message, record)
        if plain and isinstance(found, (dict, list)):
            continue
        if found is not ABSENT and found is not None:
            return found
    return ABSENT
