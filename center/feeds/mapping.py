"""Ticket JSON in the shape another system wants, by a table of fields instead of code.

A field's value is one of

    "$.place.lon"                      a value of the ticket's dossier, by its path
    "{$.kind_zh} · {$.place.address}"  text with such values in it
    "text", 7, true                    itself
    { from = "$.severity", map = { 5 = 1, 4 = 1 }, else = 0 }
    { from = "$.opened_at", format = "local" }      `local`: YYYY-MM-DD HH:MM:SS in the city's
                                                    zone; `epoch`, `epoch_ms`; `text`
    { each = "$.timeline", fields = { … } }         a list; paths inside begin at the element
    a table of fields                  an object

What is not there becomes null (in text: nothing). Beside the dossier a path may name `kind_zh`,
`kind_en`, `stage_zh`, `worker_name`, `utility_name`, `reason_zh`, `reason_en`, `images`, `videos`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from contracts.errors import Wrong

Field = Callable[[dict[str, Any]], Any]
_PATH = re.compile(r"\$((?:\.[A-Za-z_][A-Za-z0-9_]*|\[-?\d{1,4}\])+)")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(-?\d{1,4})\]")
_IN_TEXT = re.compile(r"\{(\$[^{}]+)\}")
FORMATS = ("local", "epoch", "epoch_ms", "text")
KEYS = frozenset({"from", "map", "else", "format", "each", "fields"})
MARKS = frozenset({"from", "each"})
"""A table with one of these is a rule, any other an object."""


class Shape:
    """One table, checked and ready. Raises Wrong naming field, what was found and allowed."""

    def __init__(self, name: str, table: Mapping[str, Any], zone: ZoneInfo) -> None:
        self.name = name
        self.title = str(table.get("title", name))
        fields = table.get("fields")
        if not isinstance(fields, dict) or not fields:
            raise Wrong(f"{name}.fields", "missing", "a table of fields")
        self._made = _object(f"{name}.fields", fields, zone)

    def of(self, dossier: dict[str, Any]) -> Any:
        """The other system's JSON of this dossier."""
        return self._made(dossier)


def known(own: Mapping[str, Mapping[str, Any]], zone: ZoneInfo) -> dict[str, Shape]:
    """The shipped mappings and a city's own, by name. Raises Wrong."""
    made = shipped(zone)
    for name, table in own.items():
        if not re.fullmatch("[a-z0-9_-]{1,32}", name):
            raise Wrong("center.mappings", repr(name), "a-z 0-9 _ -, at most 32")
        made[name] = Shape(name, table, zone)
    return made


def shipped(zone: ZoneInfo) -> dict[str, Shape]:
    """The mappings that come with the service, by name."""
    folder = files("center.feeds").joinpath("mappings")
    tables = {
        entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }
    return {name: Shape(name, table, zone) for name, table in sorted(tables.items())}


def _object(where: str, table: Mapping[str, Any], zone: ZoneInfo) -> Field:
    made = {name: _field(f"{where}.{name}", value, zone) for name, value in table.items()}
    return lambda item: {name: field(item) for name, field in made.items()}


def _field(where: str, value: Any, zone: ZoneInfo) -> Field:
    if isinstance(value, dict):
        return _rule(where, value, zone) if MARKS & value.keys() else _object(where, value, zone)
    if isinstance(value, list):
        made = [_field(f"{where}[{i}]", entry, zone) for i, entry in enumerate(value)]
        return lambda item: [field(item) for field in made]
    if not isinstance(value, str):
        return lambda item: value
    if value.startswith("$"):
        return _path(where, value)
    if not _IN_TEXT.search(value):
        return lambda item: value
    parts = [(_path(where, p) if i % 2 else p) for i, p in enumerate(_IN_TEXT.split(value))]
    return lambda item: "".join(p if isinstance(p, str) else _text(p(item)) for p in parts)


def _path(where: str, text: str) -> Field:
    if not _PATH.fullmatch(text):
        raise Wrong(where, repr(text), "a path such as $.place.lon or $.timeline[-1].at")
    steps = [key or int(index) for key, index in _STEP.findall(text)]

    def read(item: dict[str, Any]) -> Any:
        value: Any = item
        for step in steps:
            if isinstance(step, str):
                value = value.get(step) if isinstance(value, dict) else None
            else:
                inside = isinstance(value, list) and -len(value) <= step < len(value)
                value = value[step] if inside else None
        return value

    return read


def _rule(where: str, rule: dict[str, Any], zone: ZoneInfo) -> Field:
    if stray := rule.keys() - KEYS:
        raise Wrong(where, ", ".join(sorted(stray)), ", ".join(sorted(KEYS)))
    if "each" in rule:
        source = _path(f"{where}.each", str(rule["each"]))
        inner = _field(f"{where}.fields", rule.get("fields", "$"), zone)
        return lambda item: [inner(e) for e in (source(item) or []) if isinstance(e, dict)]
    read = _field(f"{where}.from", rule["from"], zone)
    if "map" in rule:
        table, other = rule["map"], rule.get("else")
        if not isinstance(table, dict):
            raise Wrong(f"{where}.map", repr(table), "a table")
        return lambda item: table.get(str(read(item)), other)
    how = rule.get("format", "text")
    if how not in FORMATS:
        raise Wrong(f"{where}.format", repr(how), ", ".join(FORMATS))
    return lambda item: _formatted(read(item), how, zone)


def _formatted(value: Any, how: str, zone: ZoneInfo) -> Any:
    if value is None:
        return None
    if how == "text":
        return _text(value)
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if how == "local":
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    seconds = at.timestamp()
    return round(seconds) if how == "epoch" else round(seconds * 1000)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
