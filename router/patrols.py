"""Patrol rounds as tickets: for whom, and how long.

A round is a ticket of kind `patrol` whose incident has no events: nothing has happened. It ends
when its worker says what they found (`router.findings`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.case import Candidate, Change, Deadlines, Incident, Step, Ticket
from contracts.city import Worker
from contracts.clock import iso
from contracts.event import Event, Place
from contracts.geo import Point
from contracts.governance import Patrol, governance
from router.assign import Choice
from router.calendar import Shift
from router.opening import name_of
from router.rounds import KIND
from router.stages import with_reason
from router.utility import Duty
from router.words import both, local, one_line

if TYPE_CHECKING:
    from router.house import House

TIMER = "patrol:"
"""Prefix of the timers of patrols; tickets and incidents have ids of their own."""


# --- calling --------------------------------------------------------------------------------------


def begin(house: House, now: datetime) -> None:
    """Time runs from here: every patrol by the clock gets its timer; a round that was missed
    while there is still time for it is due at once."""
    for patrol in house.rounds.patrols.values():
        missed = house.rounds.latest(patrol, now)
        late = missed is not None and _name(house, patrol, missed) not in house.book.incidents
        due = now if late else house.rounds.next(patrol, now)
        house.timers.set(TIMER + patrol.id, due if patrol.at else None)


def ring(house: House, key: str, now: datetime) -> list[Change]:
    """A patrol is due by the clock."""
    patrol = house.rounds.patrols.get(key.removeprefix(TIMER))
    if patrol is None:
        return []
    house.timers.set(key, house.rounds.next(patrol, now))
    due = house.rounds.latest(patrol, now)
    if due is None:
        return []
    when = local(due, house.zone)
    words = (f"{patrol.name_en}: the round of {when}", f"{patrol.name_zh}：{when}例行巡查")
    return _open(house, patrol, _name(house, patrol, due), words, now, due=due)


def rain(
    house: House, place: Place | Point, mm_h: float, now: datetime, *, forecast: bool
) -> list[Change]:
    """Rain of this intensity (mm/h) is measured or forecast at a place."""
    s = house.settings
    reach = s.forecast_reach_m if forecast else s.rain_reach_m
    en = f"{mm_h:g} mm/h of rain {'forecast' if forecast else 'falling'}"
    zh = f"{'预报' if forecast else '实测'}雨强{mm_h:g}毫米/小时"
    changes: list[Change] = []
    for patrol in house.rounds.for_rain(place, mm_h, reach, now):
        changes += _by_rain(house, patrol, (en, zh), now)
    return changes


def flooding_ahead(house: House, events: Sequence[Event], now: datetime) -> list[Change]:
    """A flooding that is forecast calls for the same rounds as the rain."""
    changes: list[Change] = []
    for event in events:
        if event.kind != "flooding" or event.evidence.get("stage") != "forecast":
            continue
        if event.phase == "closed":
            continue
        words = (f"flooding is forecast at {event.site}", f"{event.site}预计积水")
        for patrol in house.rounds.for_rain(event.place, None, house.settings.rain_reach_m, now):
            changes += _by_rain(house, patrol, words, now)
    return changes


def _by_rain(house: House, patrol: Patrol, why: tuple[str, str], now: datetime) -> list[Change]:
    name = name_of("i", KIND, patrol.id, "rain", iso(now))
    words = (f"{patrol.name_en}: {why[0]}", f"{patrol.name_zh}：{why[1]}")
    return _open(house, patrol, name, words, now)


def _name(house: House, patrol: Patrol, due: datetime) -> str:
    return name_of("i", KIND, patrol.id, local(due, house.zone))


# --- opening --------------------------------------------------------------------------------------


def _open(
    house: House,
    patrol: Patrol,
    incident_id: str,
    words: tuple[str, str],
    now: datetime,
    *,
    due: datetime | None = None,
) -> list[Change]:
    if incident_id in house.book.incidents:
        return []
    place = _place(house, patrol, now)
    incident = Incident(
        id=incident_id,
        rev=1,
        kind=KIND,
        events=(),
        reason=one_line(*words),
        place=place,
        site=patrol.id,
        severity=1,
        opened_at=now,
        district=_district(house, patrol),
    )
    ticket = house.opener.task(
        incident,
        name_of("t", incident_id),
        now,
        duty=_duty(patrol, words),
        choice=_choice(house, patrol, place, now),
    )
    ticket = _timed(ticket, patrol, now, due or now)
    ticket = with_reason(ticket, patrol=_task(house, patrol))
    first, *rest = ticket.timeline
    began = Step(at=now, change=first.change, by="router", note=first.note)
    ticket = msgspec.structs.replace(ticket, timeline=(began, *rest))
    changes = [house.put_incident(incident, "opened", now)]
    return changes + house.put(house.ladder.arm(ticket, now), "opened", now)


def _place(house: House, patrol: Patrol, now: datetime) -> Place:
    points = house.rounds.points(patrol)
    if points:
        found = house.gazetteer.place(points[0], at=now)
        return found if patrol.grid is None else msgspec.structs.replace(found, grid=patrol.grid)
    ring_ = house.gazetteer.grids[str(patrol.grid)].rings[0][0]
    lon = sum(x for x, _ in ring_[:-1]) / (len(ring_) - 1)
    lat = sum(y for _, y in ring_[:-1]) / (len(ring_) - 1)
    found = house.gazetteer.place(Point(lon, lat), at=now)
    return msgspec.structs.replace(found, grid=patrol.grid)


def _district(house: House, patrol: Patrol) -> str:
    devices = [house.city.devices[a] for a in patrol.assets if a in house.city.devices]
    every = devices or list(house.city.devices.values())
    return every[0].district if every else "-"


def _duty(patrol: Patrol, words: tuple[str, str]) -> Duty:
    told = both("a round of our own people (lane self)", "网格员巡查，自办自结")
    return Duty(
        utilities=(),
        lane="self",
        helpers=0,
        skills=(),
        reason={"by": "patrol", "rule": patrol.id, "lane": "self", "owners": {}, **told},
    )


def _task(house: House, patrol: Patrol) -> dict[str, Any]:
    return {
        "id": patrol.id,
        "name_zh": patrol.name_zh,
        "name_en": patrol.name_en,
        "assets": list(patrol.assets),
        "points": [[p.lon, p.lat] for p in house.rounds.points(patrol)],
        "checklist": list(patrol.checklist),
        "within_s": patrol.within_s,
    }


def _timed(ticket: Ticket, patrol: Patrol, now: datetime, due: datetime) -> Ticket:
    """The round's own clocks: accepted within a quarter of its time, begun within half of it,
    made within all of it; the limits for what follows are the profile's."""
    old, why = ticket.deadlines, ticket.reason["deadlines"]
    left = max(0.0, patrol.within_s - (now - due).total_seconds())
    share = {"accept": 0.25, "arrive": 0.5, "dispose": 1.0}
    at = {clock: now + timedelta(seconds=left * part) for clock, part in share.items()}
    limits = {clock: patrol.within_s * part / 3600 for clock, part in share.items()}
    hours = f"{patrol.within_s / 3600:g} h"
    told = both(f"the round's own time: {hours}", f"巡查时限：{hours}")
    reason = {
        **why,
        "rule": f"patrol {patrol.id}",
        "calendar": "continuous",
        "limits_h": {**why["limits_h"], **limits},
        "from": {**why["from"], **{clock: iso(now) for clock in share}},
        "source": "",
        **told,
    }
    deadlines = Deadlines(
        accept=at["accept"],
        arrive=at["arrive"],
        dispose=at["dispose"],
        verify=None,
        close=max(old.close, at["dispose"]) if old.close else None,
    )
    return with_reason(msgspec.structs.replace(ticket, deadlines=deadlines), deadlines=reason)


def _choice(house: House, patrol: Patrol, place: Place, now: datetime) -> Choice:
    """The responsible one: of the role that patrols, for the smallest grid around, on shift, with
    the fewest open tickets; else whoever is nearest."""
    local_now = now.astimezone(house.zone)
    minute = local_now.hour * 60 + local_now.minute
    roles = governance(house.city).roles
    load = house.book.load
    for grid in house.gazetteer.lineage(place.grid):
        here = [
            worker
            for worker in house.rounds.staff(grid)
            if (worker.role == patrol.role if patrol.role else _patrols(worker, roles))
            and Shift(worker.shift).on(minute)
        ]
        if not here:
            continue
        ranked = sorted(here, key=lambda w: (load.get(w.id, 0), w.id))
        first = ranked[0]
        name = house.gazetteer.grids[grid].name
        en = f"{first.name} has {name}, {load.get(first.id, 0)} open; of {len(here)} there"
        zh = f"{first.name}负责{name}，在办{load.get(first.id, 0)}件，{len(here)}人中最少"
        others = [_figures(house, w.id, place, now) for w in ranked[1:6]]
        figures = msgspec.to_builtins(_figures(house, first.id, place, now))
        return Choice(
            worker=first.id,
            helpers=(),
            runners_up=tuple(others),
            reason={**figures, "by": "responsible", "grid": grid, **both(en, zh)},
        )
    return house.roster.choose(place, now, load=load)


def _figures(house: House, worker: str, place: Place, now: datetime) -> Candidate:
    return house.roster.figures(worker, place, now, load=house.book.load)


def _patrols(worker: Worker, roles: Any) -> bool:
    role = roles.get(worker.role)
    return bool(role is not None and role.patrols)
