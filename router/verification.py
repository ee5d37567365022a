"""Can the sensor verify, and what does it say? A silent, faulty or contradicted one cannot."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.case import Ticket
from contracts.clock import iso
from contracts.event import Event
from router.house import House
from router.stages import step, with_reason
from router.words import both, one_line

DEAF_KINDS = frozenset({"sensor_silent", "sensor_faulty"})
FIGURES = ("value", "metric", "stage", "state", "level", "depth", "what", "tilt")
"""Facts of the evidence that a proof repeats."""


def telling(house: House, ticket: Ticket) -> list[Event]:
    """The events whose sensors can say whether it is over."""
    incident = house.book.incidents.get(ticket.incident)
    if incident is None or incident.kind in house.settings.moment_kinds:
        return []
    return house.correlator.telling(incident.kind, house.book.events_of(incident))


def deaf(house: House, ticket: Ticket) -> list[Event]:
    """Open events that say that a telling sensor is itself silent or faulty."""
    if ticket.kind in DEAF_KINDS:
        return []  # its being silent is the matter itself
    devices = {e.device or e.site for e in telling(house, ticket)}
    return sorted(
        (
            event
            for device in devices
            for event in house.book.told_by(device)
            if event.kind in DEAF_KINDS and event.phase != "closed"
        ),
        key=lambda e: e.id,
    )


def doubted(ticket: Ticket) -> bool:
    """Whether a person said that the sensor is wrong about this ticket."""
    return bool(ticket.reason.get("doubted"))


def proof(house: House, ticket: Ticket) -> list[dict[str, Any]]:
    """What the sensors say, as figures to keep with the verdict."""
    return [
        {
            "event": event.id,
            "device": event.device,
            "phase": event.phase,
            **{name: event.evidence[name] for name in FIGURES if name in event.evidence},
        }
        for event in telling(house, ticket)
    ]


def why_person(house: House, ticket: Ticket) -> dict[str, str] | None:
    """Why a person must verify although there is a sensor (both languages), or None."""
    if doubted(ticket):
        return both(
            "a person says the sensor is wrong: verify on the spot, with a photograph 处置后",
            "现场反映传感器有误：须人工核实并附“处置后”照片",
        )
    silent = deaf(house, ticket)
    if not silent:
        return None
    names = ", ".join(sorted({e.device or e.site for e in silent}))
    return both(
        f"the sensor cannot verify, it is silent or faulty ({names}): a person must, with a "
        "photograph 处置后",
        f"传感器失联或故障（{names}），无法自动核实：须人工核实并附“处置后”照片",
    )


def has_after_photo(ticket: Ticket) -> bool:
    """Whether somebody showed how it looks afterwards."""
    return bool(ticket.reason.get("photos", {}).get("after"))


def unable(house: House, ticket: Ticket, now: datetime) -> Ticket | None:
    """The ticket that says that its sensor cannot verify, so a person must; None where it can, or
    where that was said."""
    silent = deaf(house, ticket)
    if not silent or ticket.reason.get("deaf"):
        return None
    words = why_person(house, ticket) or {}
    devices = sorted({e.device or e.site for e in silent})
    moved = with_reason(ticket, deaf={"at": iso(now), "devices": devices, **words})
    return step(moved, now, "updated", "router", one_line(words["text_en"], words["text_zh"]))
