"""Pumps, barriers, crews: offered by distance, taken by somebody, brought back.

Who has what stands in the tickets (`reason["resources"]["taken"]`), so a restart knows it too.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.case import Command, Offer, Ticket
from contracts.city import City
from contracts.clock import iso
from contracts.event import Place
from contracts.geo import Point, distance_m
from contracts.kinds import OPEN_STAGES
from router.stages import step
from router.words import one_line

if TYPE_CHECKING:
    from router.house import House

OF_EACH_SORT = 3
"""Offers of one sort that a ticket shows: the nearest, and two to fall back on."""
ENDED = frozenset({"closed", "evaluated", "void"})
ACTIONS = frozenset({"take_resource", "return_resource"})


def taken(ticket: Ticket) -> list[dict[str, Any]]:
    """What this ticket has out: `resource`, `count`, `by`, `at`."""
    found: list[dict[str, Any]] = ticket.reason.get("resources", {}).get("taken", [])
    return found


class Resources:
    """The city's resources and how many of each are out, followed from the tickets."""

    def __init__(self, city: City) -> None:
        self._all = dict(sorted(city.resources.items()))
        self._held: dict[str, dict[str, int]] = {}
        self._out: Counter[str] = Counter()

    def note(self, ticket: Ticket) -> None:
        """A ticket became this revision."""
        before = self._held.pop(ticket.id, {})
        now: Counter[str] = Counter()
        if ticket.stage in OPEN_STAGES:
            for entry in taken(ticket):
                now[str(entry["resource"])] += int(entry["count"])
        self._out.update(now)
        self._out.subtract(before)
        if now:
            self._held[ticket.id] = dict(now)

    def left(self, resource: str) -> int:
        """How many of it nobody has out."""
        known = self._all.get(resource)
        return 0 if known is None else known.count - self._out[resource]

    def holders(self, resource: str) -> list[str]:
        """The tickets that have it out."""
        return sorted(ticket for ticket, held in self._held.items() if resource in held)

    def offers(self, place: Place, sorts: tuple[str, ...]) -> tuple[Offer, ...]:
        """What of these sorts is there and not out, the nearest first (crow-fly metres)."""
        at = Point(place.lon, place.lat)
        found: list[Offer] = []
        for what in dict.fromkeys(sorts):
            near = sorted(
                (round(distance_m(at, known.point), 1), id)
                for id, known in self._all.items()
                if known.what == what and self.left(id) > 0
            )
            found += [
                Offer(
                    resource=id,
                    what=what,
                    name=self._all[id].name,
                    distance_m=metres,
                    owner=self._all[id].owner,
                )
                for metres, id in near[:OF_EACH_SORT]
            ]
        return tuple(sorted(found, key=lambda offer: (offer.distance_m, offer.resource)))

    def instead(self, resource: str, place: Place) -> Offer | None:
        """The nearest of the same sort that is not out."""
        known = self._all.get(resource)
        return next(iter(self.offers(place, (known.what,))), None) if known else None

    def __contains__(self, resource: object) -> bool:
        """Whether the city has it."""
        return resource in self._all

    def name(self, resource: str) -> str:
        """`二号泵 (pump-2)`."""
        return f"{self._all[resource].name} ({resource})"


def let_go(ticket: Ticket, now: datetime) -> Ticket:
    """The same revision, with everything brought back once the ticket has ended."""
    if ticket.stage not in ENDED or not taken(ticket):
        return ticket
    kept = ticket.reason["resources"]
    back = [{**e, "until": iso(now), "returned_by": "router"} for e in kept["taken"]]
    return _with(ticket, {**kept, "taken": [], "returned": [*kept.get("returned", []), *back]})


def _with(ticket: Ticket, kept: dict[str, Any]) -> Ticket:
    return msgspec.structs.replace(ticket, reason={**ticket.reason, "resources": kept})


# --- commands -----------------------------------------------------------------------------------


def refusal(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    """Why such a command is not applied."""
    if command.action not in ACTIONS:
        return None
    data = command.data or {}
    resource, count = data.get("resource"), data.get("count", 1)
    if not isinstance(resource, str) or resource not in house.resources:
        near = ", ".join(offer.resource for offer in ticket.resources)
        known = f'no resource is called {resource!r} (data {{"resource": ID}})'
        return one_line(
            f"{known}; offered here: {near or 'none'}",
            f"没有资源 {resource}；可用：{near or '无'}",
        )
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        return one_line(f"count is {count!r}; 1 or more", "数量至少为 1")
    if command.action == "return_resource":
        here = sum(int(e["count"]) for e in taken(ticket) if e["resource"] == resource)
        if here < count:
            return one_line(
                f"this ticket has {here} of {house.resources.name(resource)} out",
                f"本工单仅领用{house.resources.name(resource)} {here} 件",
            )
        return None
    left = house.resources.left(resource)
    if left >= count:
        return None
    name, who = house.resources.name(resource), ", ".join(house.resources.holders(resource))
    other = house.resources.instead(resource, ticket.place)
    en, zh = "none of its sort is free", "无同类可用"
    if other is not None:
        en = f"nearest that is free: {other.name} ({other.resource}), {other.distance_m:.0f} m"
        zh = f"最近可用：{other.name}（{other.resource}），{other.distance_m:.0f}米"
    return one_line(
        f"{name}: {left} left, out with {who or 'nobody'}; {en}",
        f"{name}剩余 {left} 件，领用工单：{who or '无'}；{zh}",
    )


def take(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    """It is out with this ticket from now on."""
    data = command.data or {}
    resource, count = str(data["resource"]), int(data.get("count", 1))
    kept = ticket.reason.get("resources", {})
    entry = {"resource": resource, "count": count, "by": command.by, "at": iso(now)}
    name = house.resources.name(resource)
    note = one_line(f"took {count} x {name}", f"领用{name} {count} 件")
    moved = step(ticket, now, "updated", command.by, note)
    return _with(moved, {**kept, "taken": [*kept.get("taken", []), entry]}), "updated"


def give_back(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    """It is back where it stands."""
    data = command.data or {}
    resource, left = str(data["resource"]), int(data.get("count", 1))
    kept = ticket.reason["resources"]
    out: list[dict[str, Any]] = []
    back: list[dict[str, Any]] = list(kept.get("returned", []))
    for entry in kept["taken"]:
        gone = min(left, int(entry["count"])) if entry["resource"] == resource else 0
        left -= gone
        if gone:
            back.append({**entry, "count": gone, "until": iso(now), "returned_by": command.by})
        if int(entry["count"]) > gone:
            out.append({**entry, "count": int(entry["count"]) - gone})
    name = house.resources.name(resource)
    moved = step(ticket, now, "updated", command.by, one_line(f"returned {name}", f"归还{name}"))
    return _with(moved, {**kept, "taken": out, "returned": back}), "updated"


DEEDS = {"take_resource": take, "return_resource": give_back}
