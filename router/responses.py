"""Who else is called: departments beside utilities, helpers, resources, for what is known so far.

A response applies once its kind, place, severity and fact are given; what becomes known later
(the road is blocked) calls those that were not called before. Which ones were called stands in
the ticket (`reason["responses"]`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.case import Change, Command, Incident, Ticket
from contracts.city import City
from contracts.clock import iso
from contracts.event import Event
from contracts.geo import Point
from contracts.governance import Response, governance
from router import hands
from router.book import is_open
from router.gazetteer import MAIN_ROAD, Gazetteer
from router.stages import step, with_reason
from router.words import both, one_line

if TYPE_CHECKING:
    from router.house import House

FACTS = {"road_blocked": ("the road is blocked", "道路阻断")}
"""Facts that responses may depend on, in words."""
ACTIONS = frozenset({"report"})


class Responses:
    """The city's responses, ready to be asked."""

    def __init__(self, city: City, gazetteer: Gazetteer) -> None:
        governed = governance(city)
        self._all = governed.responses
        self._gazetteer = gazetteer
        self._main_roads = {s.grid.id for s in governed.special if s.what == MAIN_ROAD}
        self._close = {
            node.id: node.close_m
            for node in (city.drains.nodes.values() if city.drains else ())
            if node.close_m is not None
        }

    def of(
        self, kind: str, grid: str | None, severity: int, facts: Mapping[str, Any]
    ) -> list[Response]:
        """Those that apply, in the city's order."""
        inside = self._gazetteer.lineage(grid)
        return [
            response
            for response in self._all
            if response.kind in (kind, "*")
            and (response.grid is None or response.grid in inside)
            and severity >= response.severity
            and (response.when is None or bool(facts.get(response.when, {}).get("is")))
        ]

    def seen(self, events: Sequence[Event]) -> dict[str, dict[str, Any]]:
        """Facts that the evidence shows, each with why (JSON-ready)."""
        for event in events:
            why = self._blocked_by(event)
            if why is not None:
                en, zh = why
                told = {"is": True, "by": event.id, **both(en, zh)}
                return {"road_blocked": told}
        return {}

    def _blocked_by(self, event: Event) -> tuple[str, str] | None:
        evidence = event.evidence
        if evidence.get("road_blocked") is True:
            return "the evidence shows the road blocked", "证据显示道路阻断"
        where = Point(event.place.lon, event.place.lat)
        if event.kind == "severed_cable" and evidence.get("state") != "suspected":
            over = [g for g in self._gazetteer.specials_at(where) if g in self._main_roads]
            if over:
                name = self._gazetteer.grids[over[0]].name
                return f"a cable is down on {name}", f"线缆落在{name}"
        if event.kind == "flooding" and evidence.get("stage") in ("observed", "receding"):
            # Over the invert of a sewer (`level`) water blocks nobody's way.
            close, value = self._close.get(event.device or event.site), evidence.get("value")
            road = evidence.get("metric") == "depth"
            if road and close is not None and isinstance(value, (int, float)) and value >= close:
                return (
                    f"{value:.2f} m over the road, closing line {close:.2f} m",
                    f"积水{value:.2f}米，达到封路线{close:.2f}米",
                )
        return None


def facts_of(house: House, ticket: Ticket, events: Sequence[Event]) -> dict[str, dict[str, Any]]:
    """What is known: by the evidence, by what was known before, and above all by people."""
    seen = house.responses.seen(events)
    return {**seen, **ticket.reason.get("facts", {})}


def call(
    house: House, root: Ticket, incident: Incident, events: Sequence[Event], now: datetime
) -> tuple[Ticket, list[Ticket], list[tuple[str, str]]]:
    """(the ticket with everything that is called now and was not before, parts for departments,
    words about it)."""
    facts = facts_of(house, root, events)
    known = root.reason.get("responses", [])
    done = {entry["id"] for entry in known}
    found = house.responses.of(incident.kind, root.grid, incident.severity, facts)
    fresh = [response for response in found if response.id not in done]
    if not fresh:
        return root, [], []
    entries = [_entry(response, facts) for response in fresh]
    root = with_reason(root, responses=[*known, *entries])
    if facts:
        root = with_reason(root, facts=facts)
    words = [(entry["text_en"], entry["text_zh"]) for entry in entries]
    parts: list[Ticket] = []
    has = {t.utility for t in house.book.tickets_of(incident.id) if is_open(t)} | {root.utility}
    for response, entry in zip(fresh, entries, strict=True):
        root, asked = _with_helpers(house, root, response, entry, now)
        root = _with_offers(house, root, response)
        words += asked
        for department in response.departments:
            if department not in has and department in house.city.utilities:
                has.add(department)
                parts.append(_part(house, root, department, incident, entry, now))
                name = house.city.utilities[department].name
                words.append((f"{name} is called", f"通知{name}"))
    return root, parts, words


def _entry(response: Response, facts: Mapping[str, Any]) -> dict[str, Any]:
    if response.when is None:
        en, zh = f"response {response.id}", f"联动规则 {response.id}"
    else:
        en, zh = FACTS[response.when]
        because = facts[response.when]
        en = f"{en} ({because['text_en']}): response {response.id}"
        zh = f"{zh}（{because['text_zh']}）：联动规则 {response.id}"
    return {
        "id": response.id,
        "when": response.when,
        "departments": list(response.departments),
        "helpers": response.helpers,
        "resources": list(response.resources),
        **both(en, zh),
    }


def _with_helpers(
    house: House, root: Ticket, response: Response, entry: Mapping[str, Any], now: datetime
) -> tuple[Ticket, list[tuple[str, str]]]:
    """As many helpers as the response wants, those counted in who are there already."""
    lacking = response.helpers - len(root.helpers)
    whom = hands.nearest(house, root, lacking, response.skills, now)
    if not whom:
        return root, []
    why = one_line(entry["text_en"], entry["text_zh"])
    root = hands.asked_to_help(root, whom, now, "router", why, response.skills)
    names = hands.called(house, whom)
    return root, [(f"asked to help: {names}", f"请求协助：{names}")]


def _with_offers(house: House, root: Ticket, response: Response) -> Ticket:
    fresh = house.resources.offers(root.place, response.resources)
    known = {offer.resource for offer in root.resources}
    offers = [*root.resources, *(offer for offer in fresh if offer.resource not in known)]
    offers.sort(key=lambda offer: (offer.distance_m, offer.resource))
    return msgspec.structs.replace(root, resources=tuple(offers))


def _part(
    house: House,
    root: Ticket,
    department: str,
    incident: Incident,
    entry: Mapping[str, Any],
    now: datetime,
) -> Ticket:
    duty = house.duties.of(incident.kind, root.grid, house.book.events_of(incident))
    part = house.opener.part(root, department, incident, duty, now)
    because = {"because": entry["text_en"], "because_zh": entry["text_zh"]}
    why = {
        "by": "response",
        "response": entry["id"],
        "lane": part.lane,
        "owners": {department: because},
        **both(entry["text_en"], entry["text_zh"]),
    }
    return with_reason(part, utility=why)


# --- when the tickets are there -------------------------------------------------------------------


def opened(
    house: House,
    tickets: Sequence[Ticket],
    incident: Incident,
    events: Sequence[Event],
    now: datetime,
) -> list[Ticket]:
    """New tickets with everybody else who is called at once; departments' parts behind them."""
    root, *parts = tickets
    if root.helpers and not root.hands:
        rule = house.duties.rule_for(incident.kind, root.grid)
        why = one_line(f"rule {rule.id}", f"规则 {rule.id}") if rule else ""
        skills = rule.skills if rule else ()
        root = hands.asked_to_help(root, root.helpers, now, "router", why, skills)
    root, more, _ = call(house, root, incident, events, now)
    return [root, *parts, *more]


def late(house: House, incident: Incident, now: datetime) -> list[Change]:
    """What has become known calls those who were not called before."""
    changes: list[Change] = []
    if incident.closed_at is not None:
        return changes
    events = house.book.events_of(incident)
    for root in house.book.open_tickets_of(incident.id):
        if root.parent is not None:
            continue
        moved, parts, words = call(house, root, incident, events, now)
        if moved is root:
            continue
        note = one_line("; ".join(en for en, _ in words), "；".join(zh for _, zh in words))
        changes += house.put(step(moved, now, "updated", "router", note), "updated", now)
        for part in parts:
            changes += house.put(part, "opened", now)
    return changes


# --- commands -----------------------------------------------------------------------------------


def refusal(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    """Why a report from the spot is not taken."""
    if command.action not in ACTIONS:
        return None
    data = command.data or {}
    known = {name: value for name, value in data.items() if name in FACTS}
    if not known or not all(isinstance(value, bool) for value in known.values()):
        return one_line(
            f"report says what is so in its data: {', '.join(FACTS)} true or false",
            f"请在数据中注明：{'、'.join(FACTS)} 为 true 或 false",
        )
    return None


def report(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    """A fact seen on the spot."""
    facts = dict(ticket.reason.get("facts", {}))
    words: list[tuple[str, str]] = []
    for name, (en, zh) in FACTS.items():
        value = (command.data or {}).get(name)
        if value is None:
            continue
        told = (f"{command.by} reports", f"{command.by} 现场上报")
        facts[name] = {"is": value, "by": command.by, "at": iso(now), **both(*told)}
        words.append((en, zh) if value else (f"not so: {en}", f"已解除：{zh}"))
    said = ": ".join(part for part in (command.reason, command.note) if part)
    note = one_line("; ".join(en for en, _ in words), "；".join(zh for _, zh in words))
    moved = step(ticket, now, "updated", command.by, f"{note}; {said}" if said else note)
    return with_reason(moved, facts=facts), "updated"


def follows(house: House, ticket: Ticket, command: Command, now: datetime) -> list[Change]:
    """A command may have told something: a part's fact is its parent's too."""
    incident = house.book.incidents.get(ticket.incident)
    if incident is None or not ticket.reason.get("facts"):
        return []
    changes: list[Change] = []
    if ticket.parent is not None:
        root = house.book.tickets.get(ticket.parent)
        known = root.reason.get("facts", {}) if root is not None else {}
        facts = {**known, **ticket.reason["facts"]}
        if root is not None and is_open(root) and facts != known:
            moved = with_reason(root, facts=facts)
            note = one_line("known from a part", "子工单上报情况")
            changes += house.put(step(moved, now, "updated", "router", note), "updated", now)
    return changes + late(house, incident, now)


DEEDS = {"report": report}
