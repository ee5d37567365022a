"""What a command says beside its action: a date, a score, photographs, whom. Read and checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from contracts.case import Command
from contracts.loop import PHOTOS
from router.stages import target
from router.words import one_line

_BY_NAME = {name: key for key, zh in PHOTOS.items() for name in (key, zh)}
MOST_PHOTOS = 20
LONGEST = 64
"""Characters of an id or name that a person hands in."""


def _field(command: Command, name: str) -> Any:
    return (command.data or {}).get(name)


def until(command: Command) -> datetime | None:
    """`data.until`: a moment with its offset (ISO 8601); None where there is no such thing."""
    return _moment(command, "until")


def done_at(command: Command) -> datetime | None:
    """`data.done_at`: when it was done, of who had no network then (ISO 8601 with its offset)."""
    return _moment(command, "done_at")


def _moment(command: Command, name: str) -> datetime | None:
    value = _field(command, name)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def score(command: Command) -> int | None:
    """`data.score`, 1 (bad) to 5 (good)."""
    value = _field(command, "score")
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 1 <= value <= 5 else None


def against(command: Command) -> str | None:
    """`data.against`: the action that an appeal is about; None: the last verdict."""
    value = _field(command, "against")
    return value if isinstance(value, str) else None


def photos(command: Command) -> dict[str, list[str]]:
    """References of photographs by what they show: near, far, reference, before, after."""
    found: dict[str, list[str]] = {}
    for entry in _field(command, "photos") or ():
        found.setdefault(_BY_NAME[entry["name"]], []).append(entry["ref"])
    return found


def whom(command: Command) -> tuple[str, str] | None:
    """(`worker` | `utility`, id) of a reassignment: `data.worker`, `data.utility`, or a note that
    begins with `worker:ID`; the rest of the note is free text."""
    for kind in ("worker", "utility"):
        ident = _field(command, kind)
        if isinstance(ident, str) and ident:
            return kind, ident[:LONGEST]
    return target(command.note)


def bad_photos(command: Command) -> str | None:
    """What is wrong with `data.photos`."""
    given = _field(command, "photos")
    if given is None:
        return None
    right = isinstance(given, list) and len(given) <= MOST_PHOTOS
    right = right and all(
        isinstance(p, dict)
        and isinstance(p.get("name"), str)
        and p["name"] in _BY_NAME
        and isinstance(p.get("ref"), str)
        for p in given
    )
    if right:
        return None
    names = ", ".join(f"{key} ({zh})" for key, zh in PHOTOS.items())
    return one_line(
        f"data.photos is a list of at most {MOST_PHOTOS} of {{name, ref}}; names: {names}",
        f"照片须注明名称（{'、'.join(PHOTOS.values())}）和引用",
    )


def bad_until(command: Command, now: datetime, most_s: float, *, needed: bool) -> str | None:
    """What is wrong with `data.until`."""
    if _field(command, "until") is None and not needed:
        return None
    moment = until(command)
    if moment is None:
        return one_line(
            "say until when: data.until, as in 2026-11-23T09:30:00+08:00",
            "请填写截止时间（data.until，如 2026-11-23T09:30:00+08:00）",
        )
    if moment <= now:
        return one_line("data.until lies in the past", "截止时间已过")
    if moment > now + timedelta(seconds=most_s):
        days = round(most_s / 86400)
        return one_line(f"data.until is more than {days} days away", f"截止时间不得超过{days}天后")
    return None


def bad_score(command: Command, *, needed: bool) -> str | None:
    """What is wrong with `data.score`."""
    if _field(command, "score") is None and not needed:
        return None
    if score(command) is None:
        return one_line("data.score is a whole number, 1 to 5", "请评分（1至5分）")
    return None
