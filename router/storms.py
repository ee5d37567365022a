"""One storm, and the streets under it.

Several places that flood within hours, near each other and in rain, are children of one incident of
kind `storm`: it has a name and a list, no event and no ticket of its own. Each street keeps its own
incident, ticket and clocks. The storm is over when the last of them is, and goes on when one comes
back. Without rain there is no storm: a burst main floods several streets, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.case import Change, Incident
from contracts.event import Event, Place
from router.house import House
from router.joinable import RAINED_ON, child_of, rain_mm_h
from router.opening import name_of
from router.relate import between_m
from router.words import local, one_line

KIND = "storm"


def belongs(house: House, incident: Incident, events: Sequence[Event]) -> Incident | None:
    """The storm under which this new incident lies."""
    if not _counts(house, incident, events):
        return None
    book, s = house.book, house.settings
    window, place = timedelta(seconds=s.storm_window_s), incident.place
    found = []
    for storm_id in book.groups:
        storm = book.incidents[storm_id]
        last = book.last_child.get(storm_id, storm.opened_at)
        if incident.opened_at - max(storm.opened_at, last) <= window and (
            between_m(place, storm.place) <= s.storm_reach_m
            or any(
                between_m(place, book.incidents[child].place) <= s.storm_reach_m
                for child in book.joinable.near(child_of(storm_id), place, s.storm_reach_m)
            )
        ):
            found.append((storm.opened_at, storm.id))
    return book.incidents[min(found)[-1]] if found else None


def gather(house: House, incident: Incident, now: datetime) -> list[Change]:
    """A storm grows by this incident, or begins with it."""
    book = house.book
    if incident.parent is not None:
        storm = book.incidents.get(incident.parent)
        if storm is None or incident.id in storm.children:
            return []
        return [house.put_incident(_grown(house, storm, [incident]), "updated", now)]
    events = book.events_of(incident)
    if incident.closed_at is not None or not _counts(house, incident, events):
        return []
    storm = belongs(house, incident, events)
    if storm is not None:
        return _adopt(house, storm, [incident], "updated", now)
    if not _wet(house, incident, events):
        return []
    fellows = sorted([*_fellows(house, incident), incident], key=lambda i: (i.opened_at, i.id))
    if len(fellows) < house.settings.storm_places:
        return []
    rains = [r for i in fellows for e in book.events_of(i) if (r := rain_mm_h(e)) is not None]
    if not rains or max(rains) < house.settings.storm_rain_mm_h:
        return []
    return _adopt(house, _begun(house, fellows, max(rains), now), fellows, "opened", now)


def settle(house: House, now: datetime) -> list[Change]:
    """Storms of which something changed: over with the last street, going on with the first, as
    severe as the worst."""
    changes = []
    for storm_id, severity in sorted(house.touched.items()):
        storm = house.book.incidents[storm_id]
        going_on = house.book.going_on.get(storm_id)
        closed_at = None if going_on else storm.closed_at or now
        worst = max(storm.severity, severity)
        if (closed_at, worst) != (storm.closed_at, storm.severity):
            new = msgspec.structs.replace(
                storm, rev=storm.rev + 1, closed_at=closed_at, severity=worst
            )
            ended = closed_at is not None and storm.closed_at is None
            changes.append(house.put_incident(new, "closed" if ended else "updated", now))
    house.touched.clear()
    return changes


def _wet(house: House, incident: Incident, events: Iterable[Event]) -> bool:
    """Whether a gauge tells of rain here, or at a place near that is no storm's yet: else there is
    no storm to be begun, however many streets are under water."""
    if any(rain_mm_h(event) for event in events):
        return True
    near = house.book.joinable.near(RAINED_ON, incident.place, house.settings.storm_reach_m)
    return any(True for _ in near)


def _counts(house: House, incident: Incident, events: Iterable[Event]) -> bool:
    """Whether it is of a kind that storms make, and no gauge says that it is dry there."""
    if incident.kind not in house.settings.storm_kinds:
        return False
    told = [rain for event in events if (rain := rain_mm_h(event)) is not None]
    return not told or max(told) >= house.settings.storm_rain_mm_h


def _fellows(house: House, incident: Incident) -> list[Incident]:
    book, s = house.book, house.settings
    window = timedelta(seconds=s.storm_window_s)
    found = []
    for kind in s.storm_kinds:
        for incident_id in set(book.joinable.near(kind, incident.place, s.storm_reach_m)):
            other = book.incidents[incident_id]
            if (
                other.id != incident.id
                and other.parent is None
                and incident.opened_at - other.opened_at <= window
                and between_m(incident.place, other.place) <= s.storm_reach_m
                and _counts(house, other, book.events_of(other))
            ):
                found.append(other)
    return found


def _begun(house: House, fellows: Sequence[Incident], rain: float, now: datetime) -> Incident:
    first = fellows[0]
    begun = min([first.opened_at, *(e.at for i in fellows for e in house.book.events_of(i))])
    n = len(fellows)
    lon = sum(i.place.lon for i in fellows) / n
    lat = sum(i.place.lat for i in fellows) / n
    when = local(begun, house.zone)
    zh_rain, en_rain = f"雨强{rain:.0f}毫米/小时", f"rain of {rain:.0f} mm/h"
    return Incident(
        id=name_of("i", KIND, first.id),
        rev=0,
        kind=KIND,
        events=(),
        reason=one_line(
            f"places flooded within hours of each other, {en_rain}", f"数小时内多处积水，{zh_rain}"
        ),
        place=Place(round(lon, 6), round(lat, 6), first.place.grid),
        site=first.site,
        severity=first.severity,
        opened_at=now,
        district=first.district,
        name=one_line(f"Storm of {when}", f"{when} 暴雨"),
    )


def _adopt(
    house: House, storm: Incident, children: Sequence[Incident], change: str, now: datetime
) -> list[Change]:
    changes = [house.put_incident(_grown(house, storm, children), change, now)]
    for child in children:
        new = msgspec.structs.replace(child, rev=child.rev + 1, parent=storm.id)
        changes.append(house.put_incident(new, "updated", now))
    return changes


def _grown(house: House, storm: Incident, children: Sequence[Incident]) -> Incident:
    grid = storm.place.grid
    for child in children:
        above = house.gazetteer.lineage(child.place.grid)
        grid = next((g for g in house.gazetteer.lineage(grid) if g in above), None)
    known = house.gazetteer.grids.get(grid or "")
    place = msgspec.structs.replace(
        storm.place, grid=grid, address=known.name if known is not None else None
    )
    return msgspec.structs.replace(
        storm,
        rev=storm.rev + 1,
        children=(*storm.children, *(c.id for c in children)),
        severity=max([storm.severity, *(c.severity for c in children)]),
        place=place,
        closed_at=None,
    )
