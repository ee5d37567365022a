"""`$filter`: comparisons, `and`, `or`, `not`, brackets and four functions of strings.

What OData has besides (arithmetic, geometry, dates taken apart) is refused with 501, by name.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from center.problems import Problem

Getter = Callable[[str], Any]
"""Path of a property → its value in the entity at hand."""
Test = Callable[[Getter], bool]

TOKEN: Final = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+\- ]\d\d:\d\d))"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_@$][\w.@]*(?:/[\w.@]+)*)"
    r"|(?P<mark>[(),]))"
)
COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt,
    "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
FUNCTIONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
    "substringof": lambda part, whole: part in whole,
}
DEEPEST: Final = 40


class Comparison(msgspec.Struct, frozen=True):
    """`path op value`."""

    path: str
    op: str
    value: Any


class Filter(msgspec.Struct, frozen=True):
    """A filter as a test, and the comparisons that must all hold for it."""

    test: Test
    needed: tuple[Comparison, ...]
    whole: bool
    """Whether those comparisons are all there is."""


def parse_filter(text: str) -> Filter:
    """Raises Problem 400 for what is no filter, 501 for what is none of ours."""
    return _Parser(text).filter()


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 time with a zone, or None."""
    try:
        at = datetime.fromisoformat(text)
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class _Parser:
    """Recursive descent: or < and < not < comparison."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise _wrong(f"{text[at : at + 20]!r} is not understood")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self._at = 0
        self._deep = 0

    def filter(self) -> Filter:
        test, needed, whole = self._any()
        if self._at < len(self._tokens):
            raise self._unexpected()
        return Filter(test, needed, whole)

    def _any(self) -> tuple[Test, tuple[Comparison, ...], bool]:
        self._deep += 1
        if self._deep > DEEPEST:
            raise _wrong("nested too deeply")
        first = self._all()
        tests = [first[0]]
        while self._word("or"):
            tests.append(self._all()[0])
        self._deep -= 1
        return first if len(tests) == 1 else (lambda get: any(t(get) for t in tests), (), False)

    def _all(self) -> tuple[Test, tuple[Comparison, ...], bool]:
        parts = [self._one()]
        while self._word("and"):
            parts.append(self._one())
        tests = [test for test, _, _ in parts]
        needed = tuple(one for _, some, _ in parts for one in some)
        whole = all(whole for _, _, whole in parts)
        return lambda get: all(t(get) for t in tests), needed, whole

    def _one(self) -> tuple[Test, tuple[Comparison, ...], bool]:
        if self._word("not"):
            inner = self._one()[0]
            return lambda get: not inner(get), (), False
        if self._mark("("):
            found = self._any()
            self._need(")")
            return found
        left = self._operand()
        kind, op = self._peek()
        if kind != "name" or op not in COMPARED:
            if callable(left):
                return lambda get: left(get) is True, (), False
            raise self._unexpected("eq, ne, gt, ge, lt or le")
        self._at += 1
        right = self._operand()
        if isinstance(left, _Path) and not callable(right) and not isinstance(right, _Path):
            said = Comparison(left.path, op, right)
            return lambda get: compared(get(said.path), op, said.value), (said,), True
        return lambda get: compared(_value(left, get), op, _value(right, get)), (), False

    def _operand(self) -> Any:
        kind, text = self._peek()
        self._at += 1
        match kind:
            case "string":
                return text[1:-1].replace("''", "'")
            case "number":
                return float(text) if re.search(r"[.eE]", text) else int(text)
            case "time":
                moment = parse_moment(text.replace(" ", "+"))
                if moment is None:
                    raise _wrong(f"{text!r} is no time")
                return moment
            case "name" if text in ("true", "false", "null"):
                return {"true": True, "false": False, "null": None}[text]
            case "name" if self._mark("("):
                return self._call(text)
            case "name" if text in ("add", "sub", "mul", "div", "mod", "and", "or", *COMPARED):
                self._at -= 1
                raise self._unexpected("a property or a value")
            case "name":
                return _Path(text)
        self._at -= 1
        raise self._unexpected("a property or a value")

    def _call(self, name: str) -> Callable[[Getter], bool]:
        function = FUNCTIONS.get(name)
        if function is None:
            raise Problem(
                501, "not_implemented",
                f"{name[:40]}() is not offered; there are {', '.join(FUNCTIONS)}", path="$filter",
            )  # fmt: skip
        first = self._operand()
        self._need(",")
        second = self._operand()
        self._need(")")

        def test(get: Getter) -> bool:
            one, other = _value(first, get), _value(second, get)
            return isinstance(one, str) and isinstance(other, str) and function(one, other)

        return test

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _word(self, word: str) -> bool:
        found = self._peek() == ("name", word)
        self._at += found
        return found

    def _mark(self, mark: str) -> bool:
        found = self._peek() == ("mark", mark)
        self._at += found
        return found

    def _need(self, mark: str) -> None:
        if not self._mark(mark):
            raise self._unexpected(repr(mark))

    def _unexpected(self, wanted: str = "and, or, or the end") -> Problem:
        kind, text = self._peek()
        if text in ("add", "sub", "mul", "div", "mod"):
            return Problem(501, "not_implemented", "arithmetic is not offered", path="$filter")
        there = "the end" if kind == "end" else repr(text[:40])
        return _wrong(f"{wanted} is expected where {there} stands")


class _Path(msgspec.Struct, frozen=True):
    path: str


def _value(operand: Any, get: Getter) -> Any:
    if isinstance(operand, _Path):
        return get(operand.path)
    return operand(get) if callable(operand) else operand


def compared(one: Any, op: str, other: Any) -> bool:
    """A comparison where times are written as text; what cannot be compared is not equal."""
    if isinstance(other, datetime) and isinstance(one, str):
        one = parse_moment(one)
    elif isinstance(one, datetime) and isinstance(other, str):
        other = parse_moment(other)
    if one is None or other is None:
        return COMPARED[op](one, other) if op in ("eq", "ne") else False
    try:
        return COMPARED[op](one, other)
    except TypeError:
        return False


def _wrong(reason: str) -> Problem:
    return Problem(400, "bad_value", f"$filter: {reason}", path="$filter")
