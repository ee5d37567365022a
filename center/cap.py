"""Common Alerting Protocol 1.2 (OASIS, 2010): open tickets as alerts in an Atom feed.

Public by nature: nobody's name, no picture and no window stands in it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.reads import found, open_tickets
from contracts.kinds import NAMES

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM = "http://www.w3.org/2005/Atom"
MOST = 200
"""Tickets in the feed; the newest count."""

SEVERITY = {1: "Minor", 2: "Minor", 3: "Moderate", 4: "Severe", 5: "Extreme"}
URGENCY = {1: "Future", 2: "Expected", 3: "Expected", 4: "Immediate", 5: "Immediate"}
CATEGORY = {
    "high_altitude_throw": "Safety",
    "flooding": "Met",
    "manhole_cover_displaced": "Safety",
    "hydrant_no_pressure": "Fire",
    "loud_sound": "Security",
    "citizen_report": "Other",
}
"""CAP's category of a kind; all others are infrastructure."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

ET.register_namespace("", ATOM)
ET.register_namespace("cap", CAP)


def alert(ticket: dict[str, Any], context: Context) -> ET.Element:
    """One ticket as `<alert>`; each revision is an alert of its own about the same incident."""
    ticket = context.veil.redact(ticket)
    root = ET.Element(f"{{{CAP}}}alert")
    place = ticket.get("place") or {}
    _add(root, "identifier", f"{ticket['id']}.{ticket.get('rev', 0)}")
    _add(root, "sender", f"gridsentry.{context.city.id}")
    _add(root, "sent", _cap_time(ticket.get("updated_at") or ticket["opened_at"]))
    _add(root, "status", context.settings.cap_status)
    _add(root, "msgType", "Alert")
    _add(root, "scope", "Public")
    _add(root, "incidents", str(ticket.get("incident")))
    severity = int(ticket.get("severity") or 1)
    kind = str(ticket["kind"])
    area = _area_name(ticket, context)
    for language, name in zip(("zh-CN", "en-US"), _names(kind, context), strict=True):
        info = ET.SubElement(root, f"{{{CAP}}}info")
        _add(info, "language", language)
        _add(info, "category", CATEGORY.get(kind, "Infra"))
        _add(info, "event", name)
        _add(info, "urgency", URGENCY.get(severity, "Unknown"))
        _add(info, "severity", SEVERITY.get(severity, "Unknown"))
        _add(info, "certainty", "Likely")
        code = ET.SubElement(info, f"{{{CAP}}}eventCode")
        _add(code, "valueName", "gridsentry.kind")
        _add(code, "value", kind)
        _add(info, "onset", _cap_time(ticket["opened_at"]))
        _add(info, "senderName", f"Gridsentry {context.city.id}")
        _add(info, "headline", f"{name} · {area}"[:160])
        stage = ET.SubElement(info, f"{{{CAP}}}parameter")
        _add(stage, "valueName", "stage")
        _add(stage, "value", str(ticket.get("stage")))
        where = ET.SubElement(info, f"{{{CAP}}}area")
        _add(where, "areaDesc", area)
        if "lat" in place and "lon" in place:
            _add(where, "circle", f"{place['lat']:.6f},{place['lon']:.6f} 0.1")
    return root


async def feed(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`/feeds/cap.atom`: an entry with the whole alert for each open ticket."""
    base = context.settings.public_url or f"{request.scheme}://{request.host}"
    root = ET.Element(f"{{{ATOM}}}feed")
    _atom(root, "id", f"urn:gridsentry:{context.city.id}:cap")
    _atom(root, "title", f"Gridsentry {context.city.id}")
    _atom(root, "updated", _cap_time(context.clock.now()))
    ET.SubElement(root, f"{{{ATOM}}}link", rel="self", href=f"{base}/feeds/cap.atom")
    author = ET.SubElement(root, f"{{{ATOM}}}author")
    _atom(author, "name", f"Gridsentry {context.city.id}")
    count = 0
    async for ticket in open_tickets(context):
        entry = ET.SubElement(root, f"{{{ATOM}}}entry")
        _atom(entry, "id", f"urn:gridsentry:{context.city.id}:ticket:{ticket['id']}")
        title = " / ".join(_names(str(ticket["kind"]), context))
        _atom(entry, "title", f"{title} · {_area_name(ticket, context)}")
        _atom(entry, "updated", _cap_time(ticket.get("updated_at") or ticket["opened_at"]))
        ET.SubElement(
            entry, f"{{{ATOM}}}link", rel="alternate", type="application/cap+xml",
            href=f"{base}/feeds/cap/{ticket['id']}.xml",
        )  # fmt: skip
        content = ET.SubElement(entry, f"{{{ATOM}}}content", type="application/cap+xml")
        content.append(alert(ticket, context))
        count += 1
        if count >= MOST:
            break
    return _xml(root, "application/atom+xml")


async def alert_file(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`/feeds/cap/{id}.xml`: one ticket."""
    ticket = await found(context.desk, "tickets", request.match_info["id"])
    return _xml(alert(ticket, context), "application/cap+xml")


def _names(kind: str, context: Context) -> tuple[str, str]:
    own = context.city.profile.kinds.get(kind)
    zh, en = NAMES.get(kind, (kind, kind))
    return (own and own.name_zh) or zh, (own and own.name_en) or en


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
    ET.SubElement(parent, f"{{{CAP}}}{name}").text = _NOT_XML.sub("\ufffd", text)


def _atom(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{name}").text = _NOT_XML.sub("\ufffd", text)


def _xml(root: ET.Element, type_: str) -> web.Response:
    return web.Response(
        body=ET.tostring(root, encoding="utf-8", xml_declaration=True),
        content_type=type_,
        charset="utf-8",
        headers={"Cache-Control": "no-cache"},
    )
