"""Common Alerting Protocol 1.2 (OASIS, 2010): tickets as alerts in an Atom feed.

The first message about a ticket is an `Alert`, each later one that the public should know an
`Update` (with all-clear when it is over) or a `Cancel`, which names the ones before it in
`references`. Messages follow from the ticket's timeline alone, so they are the same whenever they
are asked for. Only whole incidents are told: a utility's part of one is no alert of its own.

Public by nature: nobody's name, no picture and no window stands in it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from aiohttp import web

from center.context import Context
from center.feeds.capwords import CATEGORY, INSTRUCTION, RESPONSE, certainty
from center.guard import Caller
from center.problems import Problem
from center.reads import every, found, open_tickets
from center.said import apart, kind_names, xml_text
from contracts.kinds import OPEN_STAGES, STAGES, TASK_KINDS
from contracts.ports import Query

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM = "http://www.w3.org/2005/Atom"
MOST = 200
"""Tickets in the feed; the newest count."""
ENDED_FOR = timedelta(hours=24)
"""What ended stays in the feed so long, as all-clear or cancelled."""
LASTED = timedelta(days=30)
"""Tickets opened longer ago than this are in the feed only while they are open."""
EXPIRES = timedelta(hours=24)
"""An alert without a deadline is believed so long after its last message."""

SEVERITY = {1: "Minor", 2: "Minor", 3: "Moderate", 4: "Severe", 5: "Extreme"}
URGENCY = {1: "Future", 2: "Expected", 3: "Expected", 4: "Immediate", 5: "Immediate"}
TOLD = {
    "filed": "Alert",
    "updated": "Update",
    "merged": "Cancel",
    "disposed": "Update",
    "reworked": "Update",
    "verified": "AllClear",
    "closed": "AllClear",
    "void": "Cancel",
    "cancelled": "Cancel",
}
"""Steps of the timeline that are a message of their own, and of which sort."""
ENDS = frozenset({"AllClear", "Cancel"})
_NAME = re.compile(r"(?P<ticket>[A-Za-z0-9._-]+?)(?:~(?P<number>[0-9]{1,4}))?")

ET.register_namespace("", ATOM)
ET.register_namespace("cap", CAP)


class Message(NamedTuple):
    """One message about a ticket."""

    identifier: str
    sent: str
    sort: str
    """`Alert`, `Update`, `AllClear` or `Cancel`."""
    stage: str
    """Of the ticket then."""


def messages(ticket: dict[str, Any]) -> list[Message]:
    """All messages about a ticket so far, oldest first; at least the first."""
    made: list[Message] = []
    stage = "detected"
    for step in ticket.get("timeline") or ():
        change = str(step.get("change"))
        stage = "void" if change == "cancelled" else change if change in STAGES else stage
        sort = TOLD.get(change)
        if made and made[-1].sort == "Cancel" and change in OPEN_STAGES and sort not in ENDS:
            # It was cancelled and goes on after all (a merge undone): the public hears it anew,
            # where somebody has yet to do something about it.
            sort = sort if change == "disposed" else "Alert"
        elif (sort == "Alert") != (not made):
            continue
        if sort is None or _said_already(made, sort):
            continue
        name = f"{ticket['id']}~{len(made) + 1}"
        made.append(Message(name, _cap_time(step["at"]), sort, stage))
    first = Message(f"{ticket['id']}~1", _cap_time(ticket["opened_at"]), "Alert", stage)
    return made or [first]


def _said_already(made: list[Message], sort: str) -> bool:
    """All-clear twice in a row says nothing new."""
    return bool(made) and sort in ENDS and made[-1].sort == sort


def alert(
    ticket: dict[str, Any],
    incident: dict[str, Any] | None,
    event: dict[str, Any] | None,
    context: Context,
    upto: int | None = None,
) -> ET.Element:
    """The message number `upto` (the newest when None) about a ticket, as `<alert>`."""
    ticket = context.veil.redact(ticket)
    told = messages(ticket)[:upto]
    sender = f"gridsentry.{context.city.id}"
    newest = told[-1]
    root = ET.Element(f"{{{CAP}}}alert")
    _add(root, "identifier", newest.identifier)
    _add(root, "sender", sender)
    _add(root, "sent", newest.sent)
    _add(root, "status", context.settings.cap_status)
    _add(root, "msgType", "Update" if newest.sort == "AllClear" else newest.sort)
    _add(root, "scope", "Public")
    if len(told) > 1:
        _add(root, "references", " ".join(f"{sender},{m.identifier},{m.sent}" for m in told[:-1]))
    _add(root, "incidents", str(ticket.get("incident")))
    kind = str(ticket["kind"])
    reason = apart((incident or {}).get("reason"))
    for i, language in enumerate(("zh-CN", "en-US")):
        name = kind_names(context.city, kind)[i]
        info = ET.SubElement(root, f"{{{CAP}}}info")
        _info(info, ticket, event, newest, language, name, reason[i], context)
    return root


def _info(
    info: ET.Element,
    ticket: dict[str, Any],
    event: dict[str, Any] | None,
    newest: Message,
    language: str,
    name: str,
    reason: str,
    context: Context,
) -> None:
    kind, over = str(ticket["kind"]), newest.sort in ENDS
    severity = int(ticket.get("severity") or 1)
    area = _area_name(ticket, context)
    _add(info, "language", language)
    _add(info, "category", CATEGORY.get(kind, "Infra"))
    _add(info, "event", name)
    _add(info, "responseType", "AllClear" if over else RESPONSE.get(kind, "Monitor"))
    _add(info, "urgency", "Past" if over else URGENCY.get(severity, "Unknown"))
    _add(info, "severity", SEVERITY.get(severity, "Unknown"))
    evidence = (event or {}).get("evidence")
    _add(info, "certainty", certainty(evidence if isinstance(evidence, dict) else {}))
    for value_name, value in (("gridsentry.kind", kind), ("city.code", ticket.get("code"))):
        if value:
            code = ET.SubElement(info, f"{{{CAP}}}eventCode")
            _add(code, "valueName", value_name)
            _add(code, "value", str(value))
    _add(info, "effective", newest.sent)
    _add(info, "onset", _cap_time((event or {}).get("at") or ticket["opened_at"]))
    _add(info, "expires", _expires(ticket, newest))
    _add(info, "senderName", f"Gridsentry {context.city.id}")
    over_words = ("已解除", "over") if newest.sort == "AllClear" else ("已撤销", "cancelled")
    ended = f" · {over_words[0 if language == 'zh-CN' else 1]}" if over else ""
    _add(info, "headline", f"{name} · {area}{ended}"[:160])
    if reason:
        _add(info, "description", str(context.veil.redact(reason)))
    words = INSTRUCTION.get(kind)
    if words and not over:
        _add(info, "instruction", words[0 if language == "zh-CN" else 1])
    if context.settings.public_url:
        _add(info, "web", f"{context.settings.public_url}/feeds/cap/{newest.identifier}.xml")
    stage = ET.SubElement(info, f"{{{CAP}}}parameter")
    _add(stage, "valueName", "stage")
    _add(stage, "value", newest.stage)
    _area(ET.SubElement(info, f"{{{CAP}}}area"), ticket, evidence, area)


def _area(where: ET.Element, ticket: dict[str, Any], evidence: object, name: str) -> None:
    _add(where, "areaDesc", name)
    place = ticket.get("place") or {}
    if "lat" in place and "lon" in place:
        error = evidence.get("error_m") if isinstance(evidence, dict) else None
        radius_km = max(100.0, float(error) if isinstance(error, int | float) else 0.0) / 1000
        _add(where, "circle", f"{place['lat']:.6f},{place['lon']:.6f} {radius_km:.3f}")
    if ticket.get("grid"):
        code = ET.SubElement(where, f"{{{CAP}}}geocode")
        _add(code, "valueName", "gridsentry.grid")
        _add(code, "value", str(ticket["grid"]))


async def feed(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`/feeds/cap.atom`: an entry with the newest message about each ticket that is open or ended
    within a day."""
    base = context.settings.public_url or f"{request.scheme}://{request.host}"
    root = ET.Element(f"{{{ATOM}}}feed")
    _atom(root, "id", f"urn:gridsentry:{context.city.id}:cap")
    _atom(root, "title", f"Gridsentry {context.city.id}")
    _atom(root, "updated", _cap_time(context.clock.now()))
    ET.SubElement(root, f"{{{ATOM}}}link", rel="self", href=f"{base}/feeds/cap.atom")
    author = ET.SubElement(root, f"{{{ATOM}}}author")
    _atom(author, "name", f"Gridsentry {context.city.id}")
    count = 0
    async for ticket in _told(context):
        newest = messages(ticket)[-1]
        entry = ET.SubElement(root, f"{{{ATOM}}}entry")
        _atom(entry, "id", f"urn:gridsentry:{context.city.id}:ticket:{ticket['id']}")
        title = " / ".join(kind_names(context.city, str(ticket["kind"])))
        _atom(entry, "title", f"{title} · {_area_name(ticket, context)}")
        _atom(entry, "updated", newest.sent)
        ET.SubElement(
            entry, f"{{{ATOM}}}link", rel="alternate", type="application/cap+xml",
            href=f"{base}/feeds/cap/{newest.identifier}.xml",
        )  # fmt: skip
        content = ET.SubElement(entry, f"{{{ATOM}}}content", type="application/cap+xml")
        content.append(alert(ticket, *await _behind(context, ticket), context))
        count += 1
        if count >= MOST:
            break
    return _xml(root, "application/atom+xml")


async def alert_file(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`/feeds/cap/{id}.xml`: the newest message about a ticket, or the one that `id` names."""
    name = _NAME.fullmatch(request.match_info["id"])
    ticket = await found(context.desk, "tickets", name["ticket"] if name else "")
    upto = int(name["number"]) if name and name["number"] else None
    within = not ticket.get("parent") and ticket["kind"] not in TASK_KINDS
    if not within or (upto is not None and not 1 <= upto <= len(messages(ticket))):
        raise Problem(404, "not_found", "there is no such message")
    made = alert(ticket, *await _behind(context, ticket), context, upto)
    return _xml(made, "application/cap+xml")


async def _told(context: Context) -> AsyncIterator[dict[str, Any]]:
    """Whole public tickets that are open, or ended a short while ago; newest first."""
    since = context.clock.now() - ENDED_FOR
    found = {str(t["id"]): t async for t in open_tickets(context)}
    recent = Query(limit=context.settings.page_limit_max, since=since - LASTED)
    async for ticket in every(context.desk, recent):
        changed = datetime.fromisoformat(ticket.get("updated_at") or ticket["opened_at"])
        if changed >= since:
            found[str(ticket["id"])] = ticket
    newest = sorted(found.values(), key=lambda t: (str(t["opened_at"]), str(t["id"])))
    for ticket in reversed(newest):
        if not ticket.get("parent") and ticket["kind"] not in TASK_KINDS:
            yield ticket


async def _behind(
    context: Context, ticket: dict[str, Any]
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The ticket's incident and the newest event of its kind."""
    incident = await context.desk.get("incidents", str(ticket.get("incident")))
    for id_ in reversed((incident or {}).get("events") or []):
        event = await context.desk.get("events", str(id_))
        if event is not None and event.get("kind") == ticket.get("kind"):
            return incident, event
    return incident, None


def _expires(ticket: dict[str, Any], newest: Message) -> str:
    sent = datetime.fromisoformat(newest.sent)
    due = (ticket.get("deadlines") or {}).get("dispose")
    ends = datetime.fromisoformat(due) if due else sent
    return _cap_time(max(ends, sent + EXPIRES))


def _area_name(ticket: dict[str, Any], context: Context) -> str:
    grid = ticket.get("grid")
    name = next((g.name for g in context.city.grids if g.id == grid), grid)
    return str(name or context.city.id)


def _cap_time(moment: datetime | str) -> str:
    # CAP allows neither `Z` nor fractions of a second.
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{CAP}}}{name}").text = xml_text(text)


def _atom(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{name}").text = xml_text(text)


def _xml(root: ET.Element, type_: str) -> web.Response:
    return web.Response(
        body=ET.tostring(root, encoding="utf-8", xml_declaration=True),
        content_type=type_,
        charset="utf-8",
        headers={"Cache-Control": "no-cache"},
    )
