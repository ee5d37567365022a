"""`city.toml`: who the city is, its time zone and its profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.city import Profile
from contracts.errors import Wrong
from gridsentry.city.fields import build
from gridsentry.city.files import read_text, read_toml
from gridsentry.city.notes import Notes
from gridsentry.city.raw import CityToml

if TYPE_CHECKING:
    from router.profiles.charter import Charter

NAME = "city.toml"


def known_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def check_zone(name: str | None, where: str, notes: Notes) -> None:
    """Note a time zone nobody knows."""
    if name is not None and not known_zone(name):
        notes.wrong(where, repr(name), "an IANA time zone such as Asia/Shanghai or UTC")


def read_city_toml(folder: Path, notes: Notes) -> CityToml | None:
    """The city's own table, or None after noting why not."""
    table = read_toml(folder / NAME, notes)
    if table is None:
        return None
    raw = build(CityToml, table, f"{NAME}, ", notes)
    if raw is None:
        return None
    check_zone(raw.timezone, f"{NAME}, timezone", notes)
    for app, settings in raw.apps.items():
        if settings.get("crs", "wgs84") not in ("wgs84", "gcj02", "bd09"):
            notes.wrong(f"{NAME}, apps.{app}.crs", repr(settings["crs"]), "wgs84, gcj02, bd09")
        check_zone(settings.get("timezone"), f"{NAME}, apps.{app}.timezone", notes)
    return raw


def read_profile(folder: Path, name: str, notes: Notes) -> Profile | None:
    """The profile that city.toml names: a file of the folder, else a shipped one."""
    from router import profiles

    path = folder / name
    try:
        if path.is_file() or name.endswith(".toml") or "/" in name:
            if not path.is_file():
                raise Wrong(f"{NAME}, profile", f"there is no file {name}", "a file of this folder")
            return profiles.parse(read_text(path), name)
        if name not in profiles.names():
            allowed = f"{', '.join(profiles.names())}, or a TOML file of this folder"
            raise Wrong(f"{NAME}, profile", f"no shipped profile is called {name!r}", allowed)
        return profiles.load(name)
    except Wrong as error:
        notes.take(error)
        return None


def read_charter(folder: Path, name: str, notes: Notes) -> Charter | None:
    """Roles and responses of the profile that city.toml names; what is wrong with the profile
    `read_profile` has said."""
    from router import profiles

    path = folder / name
    try:
        if path.is_file():
            return profiles.parse_charter(read_text(path), name)
        return profiles.charter(name) if name in profiles.names() else None
    except Wrong:
        if not notes.problems:
            raise
        return None
