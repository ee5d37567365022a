"""What differs between two cities: devices, grids, workers … added, gone, changed by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from contracts.city import City
from contracts.plant import Difference, Differences

LISTED = 200
"""Ids and changed things of each sort that are listed; the counts hold all."""
SHOWN = 80
"""Characters of a value that are shown."""
SHAPES = frozenset({"rings", "path", "polygon", "baseline", "picture", "points", "zones", "marks"})
"""Fields that say nothing to a person when written out."""


def differences(before: City | None, after: City) -> Iterator[Differences]:
    """Sort by sort; those that did not and do not exist are left out."""
    then = {} if before is None else _sorts(before)
    for what, things in _sorts(after).items():
        found = _compare(what, then.get(what, {}), things)
        if found.before or found.after:
            yield found


def _sorts(city: City) -> dict[str, Mapping[str, msgspec.Struct]]:
    drains, lines = city.drains, city.lines
    return {
        "grids": {grid.id: grid for grid in city.grids},
        "devices": city.devices,
        "workers": city.workers,
        "utilities": city.utilities,
        "rules": {rule.id: rule for rule in city.rules},
        "resources": city.resources,
        "works": {work.id: work for work in city.works},
        "cameras": city.cameras,
        "drain nodes": {} if drains is None else drains.nodes,
        "pipes": {} if drains is None else drains.pipes,
        "poles": {id_: node for line in lines for id_, node in line.nodes.items()},
        "spans": {id_: span for line in lines for id_, span in line.spans.items()},
        "fibres": city.fibres,
        "kinds": city.profile.kinds,
        "city": {"city": _Own(name=str(city.extra.get("name", "")), timezone=city.timezone)},
    }


class _Own(msgspec.Struct, frozen=True):
    name: str
    timezone: str


def _compare(
    what: str, before: Mapping[str, msgspec.Struct], after: Mapping[str, msgspec.Struct]
) -> Differences:
    added = sorted(after.keys() - before.keys())
    removed = sorted(before.keys() - after.keys())
    changed = sorted(id_ for id_ in after.keys() & before.keys() if before[id_] != after[id_])
    return Differences(
        what=what,
        before=len(before),
        after=len(after),
        added=len(added),
        removed=len(removed),
        changed=len(changed),
        added_ids=tuple(added[:LISTED]),
        removed_ids=tuple(removed[:LISTED]),
        changed_items=tuple(
            Difference(id=id_, fields=tuple(_fields(before[id_], after[id_])))
            for id_ in changed[:LISTED]
        ),
    )


def _fields(before: msgspec.Struct, after: msgspec.Struct) -> Iterable[tuple[str, str, str]]:
    for name in after.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield name.rstrip("_"), _text(name, old), _text(name, new)


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in SHAPES or isinstance(value, bytes):
        return f"({len(value)})"
    if isinstance(value, tuple | list):
        text = "; ".join(str(msgspec.to_builtins(part)) for part in value)
    elif isinstance(value, msgspec.Struct):
        text = ", ".join(f"{k} {v}" for k, v in msgspec.to_builtins(value).items())
    else:
        text = str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
