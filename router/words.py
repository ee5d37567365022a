"""Small pieces of text for people, in both languages, and JSON-ready moments."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.kinds import NAMES

BETWEEN = " / "


def both(en: str, zh: str) -> dict[str, str]:
    """A reason for people: `text_en` and `text_zh`."""
    return {"text_en": en, "text_zh": zh}


def one_line(en: str, zh: str) -> str:
    """Both languages where there is only one string."""
    return f"{en}{BETWEEN}{zh}"


def apart(line: str) -> tuple[str, str]:
    """(en, zh) of what `one_line` made; a text of one language is both."""
    en, _, zh = line.rpartition(BETWEEN)
    return (en, zh) if en else (line, line)


def kind_names(kind: str) -> tuple[str, str]:
    """(zh, en) of a kind."""
    return NAMES.get(kind, (kind, kind))


def local(moment: datetime, zone: ZoneInfo) -> str:
    """`2026-11-20 17:30` in the city's zone."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def moment(text: object) -> datetime | None:
    """A moment written by `contracts.clock.iso`, or None."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None
