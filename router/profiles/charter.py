"""What a profile says beside codes and limits: roles, who else is called for what, and days that
differ from a calendar. The tables `[roles.ID]`, `[responses.ID]` and `[overrides.CALENDAR]`."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from contracts.errors import Wrong
from contracts.governance import Response, Role
from contracts.kinds import KINDS

DUTIES = ("dispose", "help", "lead", "liaise", "report")
FACTS = ("road_blocked",)
"""Facts of an incident that a response may depend on."""


class Charter(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a profile about people and departments."""

    roles: dict[str, Role] = {}
    responses: tuple[Response, ...] = ()


def charter_of(tables: dict[str, Any], where: str) -> Charter:
    """The charter of a profile's tables (already merged with its base).

    Raises Wrong with file, path, what was found and what is allowed.
    """
    roles = {
        name: role_of(name, table, f"{where} $.roles.{name}")
        for name, table in _tables(tables, "roles", where).items()
    }
    responses = tuple(
        response_of(name, table, f"{where} $.responses.{name}")
        for name, table in _tables(tables, "responses", where).items()
    )
    return Charter(roles=roles, responses=responses)


def _tables(tables: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    found = tables.get(name, {})
    if not isinstance(found, dict) or not all(isinstance(t, dict) for t in found.values()):
        raise Wrong(f"{where} $.{name}", f"found {found!r}", f"tables [{name}.ID]")
    return found


def _struct(kind: Any, values: dict[str, Any], where: str) -> Any:
    names = [field.name for field in msgspec.structs.fields(kind)]
    for key in values:
        if key not in names:
            raise Wrong(f"{where}.{key}", "unknown field", ", ".join(names))
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as wrong:
        raise Wrong(where, str(wrong)) from wrong


def role_of(name: str, values: dict[str, Any], where: str) -> Role:
    """One role. Raises Wrong."""
    role: Role = _struct(Role, {"id": name, **values}, where)
    if role.duty not in DUTIES:
        raise Wrong(f"{where}.duty", f"found {role.duty!r}", ", ".join(DUTIES))
    if role.speed_mps is not None and not 0 < role.speed_mps <= 40:
        raise Wrong(f"{where}.speed_mps", f"found {role.speed_mps}", "above 0, at most 40 m/s")
    if role.most_open is not None and role.most_open < 1:
        raise Wrong(f"{where}.most_open", f"found {role.most_open}", "1 or more")
    return role


def response_of(name: str, values: dict[str, Any], where: str) -> Response:
    """One response. Raises Wrong."""
    found: Response = _struct(Response, {"id": name, "kind": "*", **values}, where)
    if found.kind != "*" and found.kind not in KINDS:
        raise Wrong(f"{where}.kind", f"found {found.kind!r}", f"*, {', '.join(KINDS)}")
    if found.when is not None and found.when not in FACTS:
        raise Wrong(f"{where}.when", f"found {found.when!r}", ", ".join(FACTS))
    if not 1 <= found.severity <= 5:
        raise Wrong(f"{where}.severity", f"found {found.severity}", "1 minor to 5 extreme")
    if found.helpers < 0:
        raise Wrong(f"{where}.helpers", f"found {found.helpers}", "0 or more")
    if not (found.departments or found.helpers or found.resources):
        raise Wrong(where, "nobody is called", "departments, helpers or resources")
    return found


def with_overrides(tables: dict[str, Any], where: str) -> dict[str, Any]:
    """The tables with `[overrides.CALENDAR]` worked into their calendars: a date that is `off`
    does not count, one that is `on` does, whatever the lists of the base say. Raises Wrong."""
    overrides = _tables(tables, "overrides", where)
    calendars = {**tables.get("calendars", {})}
    for name, days in overrides.items():
        path = f"{where} $.overrides.{name}"
        calendar = calendars.get(name)
        if not isinstance(calendar, dict) or calendar.get("continuous", True):
            counted = [n for n, c in calendars.items() if not c.get("continuous", True)]
            raise Wrong(path, "no calendar that leaves days out", ", ".join(counted) or "none")
        off, on = set(calendar.get("holidays", ())), set(calendar.get("workdays", ()))
        for day, what in days.items():
            try:
                date.fromisoformat(day)
            except ValueError as wrong:
                raise Wrong(f"{path}.{day}", f"found {day!r}", "YYYY-MM-DD") from wrong
            if what not in ("off", "on"):
                raise Wrong(f"{path}.{day}", f"found {what!r}", "off, on")
            (off if what == "off" else on).add(day)
            (on if what == "off" else off).discard(day)
        calendars[name] = {**calendar, "holidays": sorted(off), "workdays": sorted(on)}
    return {**tables, "calendars": calendars} if overrides else tables
