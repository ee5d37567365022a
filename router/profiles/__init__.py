"""Profiles: what a city calls things, its limits and its calendars, as TOML. Reads only the
files shipped beside it; a city's own text is handed in."""

from __future__ import annotations

import tomllib
from datetime import date
from importlib import resources
from typing import Any, get_args, get_origin

import msgspec

from contracts.city import Profile
from contracts.errors import Wrong
from contracts.kinds import KINDS
from router.calendar import hours
from router.profiles.charter import Charter, charter_of, with_overrides

LANES = ("self", "direct", "joint")
CHARTER = ("roles", "responses", "overrides")
"""Tables of a profile that `charter` reads."""


def names() -> tuple[str, ...]:
    """Names of the shipped profiles."""
    files = resources.files(__package__ or "router.profiles").iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


def load(name: str) -> Profile:
    """A shipped profile. Raises Wrong, naming the shipped ones."""
    return _typed(_shipped(name, "profile"), f"{name}.toml")


def parse(text: str, where: str) -> Profile:
    """A city's own profile from TOML; `base` names a shipped one of which it says the differences.

    `where` names the file in errors. Raises Wrong with file, path, what was found and allowed.
    """
    return _typed(_tables(text, where), where)


def charter(name: str) -> Charter:
    """Roles and responses of a shipped profile. Raises Wrong, naming the shipped ones."""
    return charter_of(_shipped(name, "profile"), f"{name}.toml")


def parse_charter(text: str, where: str) -> Charter:
    """Roles and responses of a city's own profile (and its base). Raises Wrong."""
    return charter_of(_tables(text, where), where)


def _shipped(name: str, where: str) -> dict[str, Any]:
    if name not in names():
        raise Wrong(where, f"no shipped profile is called {name!r}", ", ".join(names()))
    file = resources.files(__package__ or "router.profiles").joinpath(f"{name}.toml")
    return _tables(file.read_text(encoding="utf-8"), f"{name}.toml")


def _tables(text: str, where: str) -> dict[str, Any]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise Wrong(where, f"not readable as TOML: {wrong}") from wrong
    base = tables.pop("base", None)
    if base is None:
        return tables
    if not isinstance(base, str):
        raise Wrong(f"{where} $.base", f"found {base!r}", ", ".join(names()))
    return _merged(_shipped(base, f"{where} $.base"), tables)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = dict(base)
    for key, value in over.items():
        old = both.get(key)
        both[key] = (
            _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return both


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The struct in `X`, `X | None`."""
    for part in (kind, *get_args(kind)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part
    return None


def _forbid_unknown(value: Any, kind: Any, where: str, path: str) -> None:
    """The contracts' structs also carry data from elsewhere; a file by hand is held strictly."""
    if get_origin(kind) is dict:
        if isinstance(value, dict):
            for key, part in value.items():
                _forbid_unknown(part, get_args(kind)[1], where, f"{path}.{key}")
        return
    struct = _struct_in(kind)
    if struct is None or not isinstance(value, dict):
        return
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for key, part in value.items():
        if key not in fields:
            allowed = [*fields, *(CHARTER if path == "$" else ())]
            raise Wrong(f"{where} {path}.{key}", "unknown field", ", ".join(allowed))
        _forbid_unknown(part, fields[key], where, f"{path}.{key}")


def _typed(tables: dict[str, Any], where: str) -> Profile:
    charter_of(tables, where)
    tables = with_overrides(tables, where)
    tables = {key: value for key, value in tables.items() if key not in CHARTER}
    _forbid_unknown(tables, Profile, where, "$")
    try:
        profile = msgspec.convert(tables, Profile)
    except msgspec.ValidationError as wrong:
        raise Wrong(where, str(wrong)) from wrong
    _check(profile, where)
    return profile


def _check(profile: Profile, where: str) -> None:
    if not 0 < profile.remind_before < 1:
        raise Wrong(f"{where} $.remind_before", f"found {profile.remind_before}", "0 < x < 1")
    if not profile.escalate_to:
        raise Wrong(f"{where} $.escalate_to", "found none", "at least one role, nearest first")
    _check_calendars(profile, where)
    limits = {"$.default_limit": profile.default_limit}
    for kind, entry in profile.kinds.items():
        if kind not in KINDS:
            raise Wrong(f"{where} $.kinds.{kind}", "unknown kind", ", ".join(KINDS))
        if entry.lane is not None and entry.lane not in LANES:
            raise Wrong(f"{where} $.kinds.{kind}.lane", f"found {entry.lane!r}", ", ".join(LANES))
        if entry.limit is not None:
            limits[f"$.kinds.{kind}.limit"] = entry.limit
    for path, limit in limits.items():
        if limit.calendar not in profile.calendars:
            allowed = ", ".join(profile.calendars)
            raise Wrong(f"{where} {path}.calendar", f"found {limit.calendar!r}", allowed)
        for clock in ("accept_h", "arrive_h", "dispose_h", "verify_h", "close_h"):
            value = getattr(limit, clock)
            if value is not None and not 0 < value <= 8760:
                raise Wrong(f"{where} {path}.{clock}", f"found {value}", "above 0, at most 8760 h")


def _check_calendars(profile: Profile, where: str) -> None:
    for name, calendar in profile.calendars.items():
        path = f"{where} $.calendars.{name}"
        if calendar.continuous:
            if calendar.hours or calendar.holidays or calendar.workdays:
                raise Wrong(
                    f"{path}.continuous", "found true beside hours or days", "continuous = false"
                )
            continue
        for text in calendar.hours:
            try:
                hours(text)
            except ValueError as wrong:
                raise Wrong(f"{path}.hours", str(wrong), "HH:MM-HH:MM") from wrong
        if not calendar.weekdays or not set(calendar.weekdays) <= set(range(1, 8)):
            raise Wrong(f"{path}.weekdays", f"found {calendar.weekdays}", "1 (Monday) to 7")
        for field in ("holidays", "workdays"):
            for day in getattr(calendar, field):
                try:
                    date.fromisoformat(day)
                except ValueError as wrong:
                    raise Wrong(f"{path}.{field}", f"found {day!r}", "YYYY-MM-DD") from wrong
