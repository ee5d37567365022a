"""Messages that read well on a lock screen, in Chinese, English or both."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from center.notify.facts import clock, facts
from center.said import BETWEEN, apart, kind_names
from contracts.city import City
from contracts.errors import Wrong
from contracts.kinds import CHANGES, STAGES
from contracts.loop import STAGE_NAMES

FIELDS = (
    *("urgent", "kind", "where", "facts", "due", "who", "utility", "note", "stage", "ticket"),
    "link",
)
PARTS = ("title_zh", "body_zh", "title_en", "body_en")
MOST = 300
"""Characters of a body: what a lock screen and a text message still show."""

_URGENT = {5: ("【特急】", "[CRITICAL] "), 4: ("【紧急】", "[URGENT] ")}
_CLOCK = {
    "accept": ("接单", "accept it"),
    "arrive": ("到场", "be there"),
    "dispose": ("处置完毕", "settle it"),
    "verify": ("核实", "verify it"),
    "close": ("结案", "close it"),
}


class Message(NamedTuple):
    """What is pushed."""

    title: str
    body: str
    urgent: bool


class Words:
    """Makes messages of tickets. Raises Wrong on a template with unknown parts or fields."""

    def __init__(self, city: City, templates: Mapping[str, Mapping[str, str]]) -> None:
        self._city = city
        self._zone = ZoneInfo(city.timezone)
        shipped = files("center.notify").joinpath("templates.toml").read_text("utf-8")
        self._templates: dict[str, dict[str, str]] = tomllib.loads(shipped)
        for change, parts in templates.items():
            where = f"notify.templates.{change}"
            if change != "default" and change not in (*CHANGES, *STAGES):
                raise Wrong(where, repr(change), ", ".join(("default", *CHANGES, *STAGES)))
            _checked(where, parts)
            self._templates.setdefault(change, {}).update(parts)

    def of(
        self,
        ticket: Mapping[str, Any],
        change: str,
        lang: Literal["zh", "en", "both"],
        link: str = "",
    ) -> Message:
        """The message of this change; `ticket` is a dossier (its events stand in it)."""
        urgent = int(ticket.get("severity") or 1) >= 4
        made = {tongue: self._in(ticket, change, tongue, link) for tongue in _tongues(lang)}
        return Message(
            title=BETWEEN.join(title for title, _ in made.values()),
            body="\n".join(body for _, body in made.values()),
            urgent=urgent,
        )

    def late(self, count: int, hidden: int, lang: Literal["zh", "en", "both"]) -> Message:
        """What stands before the messages that waited for the end of quiet hours."""
        rest_zh = f"，其中{hidden}件见系统" if hidden else ""
        rest_en = f", {hidden} of them only in the system" if hidden else ""
        zh = f"静默时段内有{count}件工单仍未办结{rest_zh}"
        en = f"{count} tickets of the quiet hours are still open{rest_en}"
        texts = {"zh": zh, "en": en}
        return Message(title=BETWEEN.join(texts[t] for t in _tongues(lang)), body="", urgent=False)

    def _in(self, ticket: Mapping[str, Any], change: str, lang: str, link: str) -> tuple[str, str]:
        fields = self._fields(ticket, change, lang)
        fields["link"] = f"\n{link}" if link else ""
        chosen = {**self._templates["default"], **self._templates.get(change, {})}
        title = chosen[f"title_{lang}"].format_map(fields)
        body = chosen[f"body_{lang}"].replace("{link}", "").format_map(fields).strip()
        if len(body) > MOST:
            body = body[: MOST - 1].rstrip() + "…"
        wants_link = "{link}" in chosen[f"body_{lang}"]
        return title.strip(), body + (fields["link"] if wants_link else "")

    def _fields(self, ticket: Mapping[str, Any], change: str, lang: str) -> dict[str, str]:
        zh = lang == "zh"

        def pick(words: tuple[str, str]) -> str:
            return words[0] if zh else words[1]

        kind = str(ticket.get("kind"))
        severity = int(ticket.get("severity") or 1)
        place = ticket.get("place") or {}
        where = str(place.get("address") or place.get("grid") or "")
        return {
            "urgent": pick(_URGENT.get(severity, ("", ""))),
            "kind": pick(kind_names(self._city, kind)),
            "where": where or f"{place.get('lon', 0):.5f}, {place.get('lat', 0):.5f}",
            "facts": pick(facts(kind, _evidence(ticket), self._zone)),
            "due": self._due(ticket, zh),
            "who": self._who(ticket, zh),
            "utility": self._utility(ticket, zh),
            "note": _sentence(_note(ticket, change, zh), zh),
            "stage": pick(_stage(str(ticket.get("stage")))),
            "ticket": str(ticket.get("id")),
        }

    def _due(self, ticket: Mapping[str, Any], zh: bool) -> str:
        ladder = (ticket.get("reason") or {}).get("ladder") or {}
        name, due = str(ladder.get("clock")), ladder.get("due")
        at = clock(due, self._zone)
        if name not in _CLOCK or not at:
            return ""
        day = _day(due, ticket.get("updated_at"), self._zone)
        what_zh, what_en = _CLOCK[name]
        return f"请{day}{at}前{what_zh}。" if zh else f"Please {what_en} by {day}{at}. "

    def _who(self, ticket: Mapping[str, Any], zh: bool) -> str:
        worker = self._city.workers.get(str(ticket.get("worker")))
        if worker is None:
            return ""
        why = (ticket.get("reason") or {}).get("worker") or {}
        travel = why.get("travel_s")
        near: tuple[str, str] = ("", "")
        if isinstance(travel, int | float) and ticket.get("stage") == "dispatched":
            minutes = max(1, round(travel / 60))
            near = (f"，约{minutes}分钟可到", f", about {minutes} min away")
        return f"{worker.name}承办{near[0]}。" if zh else f"{worker.name} is sent{near[1]}. "

    def _utility(self, ticket: Mapping[str, Any], zh: bool) -> str:
        utility = self._city.utilities.get(str(ticket.get("utility")))
        if utility is None:
            return ""
        return f"责任单位：{utility.name}。" if zh else f"Utility: {utility.name}. "


def _tongues(lang: str) -> tuple[str, ...]:
    return ("zh", "en") if lang == "both" else (lang,)


def _checked(where: str, parts: Mapping[str, str]) -> None:
    for part, text in parts.items():
        if part not in PARTS:
            raise Wrong(where, repr(part), ", ".join(PARTS))
        try:
            named = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        except ValueError as error:
            raise Wrong(f"{where}.{part}", str(error), "text with {fields}") from error
        for name in named:
            if name not in FIELDS:
                raise Wrong(f"{where}.{part}", f"{{{name}}}", ", ".join(f"{{{f}}}" for f in FIELDS))


def _evidence(ticket: Mapping[str, Any]) -> dict[str, Any]:
    """Of the newest event of the ticket's own kind."""
    for event in ticket.get("events") or ():  # newest first
        if isinstance(event, dict) and event.get("kind") == ticket.get("kind"):
            evidence = event.get("evidence")
            return evidence if isinstance(evidence, dict) else {}
    return {}


def _note(ticket: Mapping[str, Any], change: str, zh: bool) -> str:
    """What the last step of the timeline says, when it is this change."""
    timeline = ticket.get("timeline") or ()
    last = timeline[-1] if timeline else {}
    if not isinstance(last, dict) or last.get("change") != change:
        return ""
    return apart(last.get("note"))[0 if zh else 1]


def _stage(stage: str) -> tuple[str, str]:
    zh, en = STAGE_NAMES.get(stage, ("", ""))
    return zh, en.capitalize()


def _sentence(text: str, zh: bool) -> str:
    text = text.strip()
    if not text:
        return ""
    if zh:
        return text if text[-1] in "。！？" else text + "。"
    return (text if text[-1] in ".!?" else text + ".") + " "


def _day(due: object, since: object, zone: ZoneInfo) -> str:
    """`MM-DD ` when it is due on another day than that of the change."""
    try:
        then = datetime.fromisoformat(str(due)).astimezone(zone)
        now = datetime.fromisoformat(str(since)).astimezone(zone)
    except ValueError:
        return ""
    return "" if then.date() == now.date() else f"{then:%m-%d} "
