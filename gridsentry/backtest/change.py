"""The other configuration: a file, or single settings on top of the one that runs."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Wrong
from detectors import specs as discover

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Tables = dict[str, dict[str, Any]]


def changed(tables: Mapping[str, Mapping[str, Any]], settings: Iterable[str]) -> Tables:
    """The detectors' tables with `detectors.<kind>.<setting>=<TOML value>` set. Raises Wrong,
    naming what there is where a name is not known."""
    found: Tables = deepcopy({kind: dict(table) for kind, table in tables.items()})
    for text in settings:
        name, equals, value = text.partition("=")
        parts = name.strip().removeprefix("detectors.").split(".")
        where = f"--set {text}"
        if not equals or len(parts) != 2 or not all(parts):
            raise Wrong(where, "cannot be read", "detectors.<kind>.<setting>=<value>")
        kind, setting = parts
        specs = discover()
        if kind not in specs:
            raise Wrong(where, f"no detector {kind!r}", ", ".join(specs))
        known = [field.encode_name for field in msgspec.structs.fields(specs[kind].config)]
        if setting not in known:
            raise Wrong(where, f"{kind} has no setting {setting!r}", ", ".join(sorted(known)))
        found.setdefault(kind, {})[setting] = _value(value.strip())
    return found


def _value(text: str) -> Any:
    """As TOML; what is not TOML is the text itself, as in `--set detectors.x.mode=quick`."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
