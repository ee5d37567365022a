"""What a resident is told: how far it is, in a few plain states. Nobody's name, number or words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from center.board import Glance
from contracts.clock import iso
from contracts.geo import Point, distance_m
from contracts.spots import Spot

STATES = ("taken", "sending", "onway", "onsite", "done", "checked", "finished")
"""In the order in which they come; beside them `paused` and `dropped`."""
OF_STAGE: dict[str, str] = {
    "detected": "sending",
    "filed": "sending",
    "dispatched": "sending",
    "returned": "sending",
    "accepted": "onway",
    "arrived": "onsite",
    "reworked": "onsite",
    "disposed": "done",
    "verified": "checked",
    "closed": "finished",
    "evaluated": "finished",
    "suspended": "paused",
    "void": "dropped",
}
SAID_OVER = frozenset({"done", "checked", "finished", "dropped"})
"""States in which people may say that it is not so."""
RATED_IN = frozenset({"done", "checked", "finished"})
RATED_FOR = timedelta(hours=24)
"""So long after it was closed the loop still takes a score (`router.keep_ended_s`)."""
NOT_TOLD = frozenset({"patrol", "sensor_silent", "sensor_faulty", "loud_sound"})
"""Kinds that are our own business: nothing a resident sees."""
LATELY = timedelta(hours=2)
"""What has ended since then is still told: "it is finished" is news, too."""
MOST = 8
METRES_A_DEGREE = 110_000.0
"""Of latitude, a little less than the shortest there is."""
STEP_M = 10
"""Distances are told in whole steps: a neighbour's door is nobody's business."""


class Here(msgspec.Struct, frozen=True):
    """Something that is known here."""

    kind: str
    state: str
    since: str
    metres: int | None
    """How far from the code, rounded up; None inside a grid."""


def here(
    spot: Spot, inside: frozenset[str], tickets: Iterable[Glance], now: datetime
) -> list[Here]:
    """What is going on at a place, the nearest first; each incident once, by the ticket that leads
    it. `inside` are the grids that make up the place, where it is one."""
    found: dict[str, tuple[float, Glance]] = {}
    degrees = spot.reach_m / METRES_A_DEGREE
    for ticket in tickets:
        # Most of a city's tickets are elsewhere: they cost a comparison.
        if spot.grid is None and abs(ticket.lat - spot.point.lat) > degrees:
            continue
        if ticket.kind in NOT_TOLD or ticket.parent is not None or ticket.stage == "void":
            continue
        if not ticket.open and now - ticket.changed_at > LATELY:
            continue
        metres = distance_m(spot.point, Point(ticket.lon, ticket.lat))
        near = metres <= spot.reach_m if spot.grid is None else ticket.grid in inside
        known = found.get(ticket.incident)
        if near and (known is None or known[1].opened_at < ticket.opened_at):
            found[ticket.incident] = (metres, ticket)
    told = sorted(found.values(), key=lambda one: (not one[1].open, one[0], one[1].id))
    return [
        Here(
            t.kind,
            OF_STAGE.get(t.stage, "sending"),
            iso(t.opened_at),
            None if spot.grid is not None else int(-(-metres // STEP_M) * STEP_M),
        )
        for metres, t in told[:MOST]
    ]


def leading(tickets: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Of the tickets of an event (newest first) the one that tells: of a whole thing, going on
    before ended, ended before void."""
    whole = [t for t in tickets if not t.get("parent")] or list(tickets)

    def rank(ticket: dict[str, Any]) -> int:
        return ["finished", "dropped"].index(s) + 1 if (s := state_of(ticket)) in ENDS else 0

    return min(whole, key=rank, default=None)


ENDS = frozenset({"finished", "dropped"})


def state_of(ticket: dict[str, Any]) -> str:
    """How far it is."""
    return OF_STAGE.get(str(ticket["stage"]), "sending")


def steps(ticket: dict[str, Any], reported_at: datetime) -> list[dict[str, str]]:
    """The way so far: `state` and since when (`at`), up to where it stands now."""
    now = state_of(ticket)
    way = [{"state": "taken", "at": iso(reported_at)}]
    if now == "dropped":
        return [*way, {"state": now, "at": str(ticket["updated_at"])}]
    since: dict[str, str] = {}
    for step in ticket.get("timeline") or ():
        state = OF_STAGE.get(str(step["change"]))
        if state in STATES:
            since[state] = str(step["at"])  # the last time: after a rework it is done anew
    last = STATES.index(now) if now in STATES else STATES.index("onsite")
    way += [{"state": s, "at": since[s]} for s in STATES[1 : last + 1] if s in since]
    if now == "paused":
        way.append({"state": now, "at": str(ticket["updated_at"])})
    return way


def may_rate(ticket: dict[str, Any] | None, now: datetime) -> bool:
    """Whether a score is still taken."""
    if ticket is None or state_of(ticket) not in RATED_IN:
        return False
    closed = [str(s["at"]) for s in ticket.get("timeline") or () if s["change"] == "closed"]
    return not closed or now - datetime.fromisoformat(closed[-1]) < RATED_FOR


def rated_by(ticket: dict[str, Any], who: str) -> int | None:
    """The score this resident gave last, 1 to 5."""
    given = (ticket.get("reason") or {}).get("satisfaction") or ()
    scores = [entry.get("score") for entry in given if entry.get("by") == who]
    return int(scores[-1]) if scores and isinstance(scores[-1], int) else None
