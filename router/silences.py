"""Silences and planned works: tickets are held back for a time; events and incidents never are.

A silence is made by a person with a reason and an end, no longer than `silence_max_s`, and about
something: kinds, sites, a grid, a place. Planned works come from the city's `works.csv` and hold
back what crews do themselves (`works_hold`). What is grave breaks either (`hold_broken_by`), and
some kinds are never held (`never_held`). An incident that is held says by what and until when; when
that ends and it still goes on, its ticket opens then. Tickets that are out already stay out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from contracts.case import Answer, Change, Command, Hold, Incident, Silence
from contracts.city import City, Work
from contracts.event import Event
from contracts.geo import Point, distance_m
from contracts.kinds import KINDS
from router.gazetteer import Gazetteer
from router.networks import likely
from router.opening import name_of
from router.settings import RouterSettings
from router.stages import actor
from router.words import kind_names, local, one_line

if TYPE_CHECKING:
    from router.house import House

TIMERS = ("silence|", "work|")
"""How keys of timers begin that are ours."""
ACTIONS = ("silence", "lift")
WIDEST_M = 200_000.0
"""Radius of a silence; a province is named by its grid."""


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The data of the command `silence`."""

    until: datetime
    since: datetime | None = None
    kinds: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    grid: str | None = None
    point: Point | None = None
    radius_m: float | None = None


class Holds:
    """Which silences and works are on; the silences as the store keeps them."""

    def __init__(
        self, city: City, gazetteer: Gazetteer, settings: RouterSettings, zone: ZoneInfo
    ) -> None:
        self._city = city
        self._gazetteer = gazetteer
        self._s = settings
        self._zone = zone
        self.silences: dict[str, Silence] = {}
        self._works = sorted(city.works, key=lambda w: (w.start, w.id))
        self._starts = [work.start for work in self._works]

    def of(self, incident: Incident, events: Sequence[Event], now: datetime) -> Hold | None:
        """What holds this incident's ticket back now: of several what lasts longest."""
        s = self._s
        if incident.severity >= s.hold_broken_by or incident.kind in s.never_held:
            return None
        found = [*self._silencing(incident, events, now), *self._working(incident, events, now)]
        return max(found, key=lambda hold: (hold.until, hold.by, hold.id), default=None)

    def _silencing(
        self, incident: Incident, events: Sequence[Event], now: datetime
    ) -> Iterator[Hold]:
        for one in self.silences.values():
            on = one.ended_at is None and one.since <= now < one.until
            if on and self.concerns(one, incident, events):
                until = local(one.until, self._zone)
                yield Hold(
                    "silence",
                    one.id,
                    one.until,
                    f"held back until {until} by {one.by}: {one.reason}",
                    f"由{one.by}静默至{until}：{one.reason}",
                )

    def concerns(self, silence: Silence, incident: Incident, events: Sequence[Event]) -> bool:
        """Whether all that the silence says holds for this incident."""
        place = incident.place
        if silence.kinds and incident.kind not in silence.kinds:
            return False
        if silence.sites and not _names(incident, events) & set(silence.sites):
            return False
        if silence.grid is not None and silence.grid not in self._gazetteer.lineage(place.grid):
            return False
        if silence.point is None:
            return True
        metres = distance_m(silence.point, Point(place.lon, place.lat))
        return metres <= (silence.radius_m or 0.0)

    def _working(
        self, incident: Incident, events: Sequence[Event], now: datetime
    ) -> Iterator[Hold]:
        if incident.kind not in self._s.works_hold:
            return
        for work in self._works[: bisect_right(self._starts, now)]:
            if now < work.end and _at(work, incident, events):
                until = local(work.end, self._zone)
                en = f"held back until {until}: planned work {work.id}"
                zh = f"计划施工{work.id}，{until}前暂不派单"
                note = work.note.strip()
                if note:
                    en, zh = f"{en} ({note})", f"{zh}（{note}）"
                yield Hold("work", work.id, work.end, en, zh)

    def forget(self, before: datetime) -> None:
        """Drop silences that ended before."""
        gone = [s.id for s in self.silences.values() if s.ended_at is not None]
        for silence_id in gone:
            ended = self.silences[silence_id].ended_at
            if ended is not None and ended <= before:
                del self.silences[silence_id]


def _names(incident: Incident, events: Iterable[Event]) -> set[str]:
    names = {incident.site}
    for event in events:
        if event.kind != "citizen_report":
            names |= {event.site, *([event.device] if event.device is not None else [])}
    return names


def _at(work: Work, incident: Incident, events: Sequence[Event]) -> bool:
    """Where a work names assets they alone count, else its place."""
    if work.assets:
        names = _names(incident, events)
        for event in events:
            names |= {*likely(event, "spans"), *likely(event, "pipes")}
        return bool(names & set(work.assets))
    if work.point is None:
        return False
    return distance_m(work.point, Point(incident.place.lon, incident.place.lat)) <= work.radius_m


# --- holding and letting go -----------------------------------------------------------------------


def consider(
    house: House, incident: Incident, events: Sequence[Event], now: datetime
) -> tuple[bool, Incident, list[Change]]:
    """Whether the ticket of this incident is held back, the incident as it then is, and what
    changed. Asked before its tickets are opened."""
    hold = house.holds.of(incident, events, now)
    old = incident.held
    if hold is not None:
        if old is not None and old.ended_at is None and (old.by, old.id) == (hold.by, hold.id):
            return True, incident, []
        new = msgspec.structs.replace(incident, rev=incident.rev + 1, held=hold)
        if hold.by == "work":
            house.timers.set(f"work|{hold.id}", hold.until)
        return True, new, [house.put_incident(new, "updated", now)]
    if old is None or old.ended_at is not None:
        return False, incident, []
    new = msgspec.structs.replace(
        incident, rev=incident.rev + 1, held=msgspec.structs.replace(old, ended_at=now)
    )
    return False, new, [house.put_incident(new, "updated", now)]


def reconsider(house: House, incident: Incident, now: datetime) -> list[Change]:
    """What is held and changed may have become too grave to be held, or something else."""
    hold = incident.held
    if hold is None or hold.ended_at is not None or incident.closed_at is not None:
        return []
    if house.holds.of(incident, house.book.events_of(incident), now) is not None:
        return []
    return house.open_tickets(incident, now)


def ring(house: House, key: str, now: datetime) -> list[Change]:
    """A silence or a planned work is over: what it held back and still goes on gets its ticket."""
    by, _, ident = key.partition("|")
    if by == "silence":
        return _end(house, house.holds.silences[ident], now, "expired")
    changes: list[Change] = []
    for incident in house.book.held_by("work", ident):
        changes += house.open_tickets(incident, now)
    return changes


def set_timers(house: House) -> None:
    """After a restore: what is on ends when it did before."""
    for silence in house.holds.silences.values():
        if silence.ended_at is None:
            house.timers.set(f"silence|{silence.id}", silence.until)
    for incident in house.book.incidents.values():
        hold = incident.held
        if hold is not None and hold.by == "work" and house.book.held_by("work", hold.id):
            house.timers.set(f"work|{hold.id}", hold.until)


def _end(house: House, silence: Silence, now: datetime, by: str) -> list[Change]:
    held = house.book.held_by("silence", silence.id)
    ended = msgspec.structs.replace(
        silence,
        rev=silence.rev + 1,
        ended_at=now,
        ended_by=by,
        still=tuple(incident.id for incident in held),
    )
    changes = [_put(house, ended, "closed", now)]
    for incident in held:
        changes += house.open_tickets(incident, now)
    return changes


def _put(house: House, silence: Silence, change: str, now: datetime) -> Change:
    house.holds.silences[silence.id] = silence
    until = silence.until if silence.ended_at is None else None
    house.timers.set(f"silence|{silence.id}", until)
    return Change(
        type="silence",
        id=silence.id,
        rev=silence.rev,
        change=change,
        known_at=now,
        body=silence,
    )


# --- commands -------------------------------------------------------------------------------------


def obey(house: House, command: Command, now: datetime) -> tuple[list[Change], Answer]:
    """`silence` (a new one, from the command's data) or `lift`."""
    why_not = _who(house, command)
    if why_not is None and command.action == "lift":
        return _lift(house, command, now)
    asked: Asked | None = None
    if why_not is None:
        try:
            asked = msgspec.convert(command.data or {}, Asked)
        except msgspec.ValidationError as error:
            why_not = one_line(f"the silence cannot be read: {error}", f"静默内容有误：{error}")
    if asked is not None:
        why_not = _refusal(house, command, asked, now)
    if asked is None or why_not is not None:
        return [], Answer(command.id, False, why_not or "")
    silence = Silence(
        id=command.ticket or name_of("s", command.id),
        rev=1,
        kinds=asked.kinds,
        sites=asked.sites,
        grid=asked.grid,
        point=asked.point,
        radius_m=asked.radius_m,
        since=max(now, asked.since or now),
        until=asked.until,
        by=command.by,
        reason=(command.reason or "").strip(),
        made_at=now,
    )
    out = _already_out(house, silence)
    until = local(silence.until, house.zone)
    done = one_line(
        f"silenced until {until}; {out} tickets of it are out already and stay",
        f"已静默至{until}；已派出的{out}张工单不受影响",
    )
    return [_put(house, silence, "opened", now)], Answer(command.id, True, done, 1)


def _lift(house: House, command: Command, now: datetime) -> tuple[list[Change], Answer]:
    silence = house.holds.silences.get(command.ticket)
    if silence is None:
        why = one_line(f"no silence {command.ticket} is known", f"没有静默 {command.ticket}")
        return [], Answer(command.id, False, why)
    if silence.ended_at is not None:
        when = local(silence.ended_at, house.zone)
        why = one_line(f"it ended {when} ({silence.ended_by})", f"已于{when}结束")
        return [], Answer(command.id, False, why, silence.rev)
    changes = _end(house, silence, now, command.by)
    still = len(house.holds.silences[silence.id].still)
    done = one_line(
        f"lifted; {still} incidents it held back still go on", f"已解除；仍有{still}起事件未恢复"
    )
    return changes, Answer(command.id, True, done, silence.rev + 1)


def _who(house: House, command: Command) -> str | None:
    by = actor(command.by)
    if not command.by.strip():
        return one_line("say who acts (by)", "请注明操作人")
    if not (command.reason or "").strip():
        return one_line(f"{command.action} needs a reason", "必须填写原因")
    worker = house.city.workers.get(by)
    office = worker is not None and worker.role in house.city.profile.escalate_to
    if by in house.city.utilities or (worker is not None and not office):
        return one_line("silences are made by the center or a grid head", "静默由中心或网格长设置")
    return None


def _on_earth(point: Point, radius_m: float) -> bool:
    """Also false for what is no number: the store would not give it back."""
    return abs(point.lon) <= 180.0 and abs(point.lat) <= 90.0 and radius_m <= WIDEST_M


def _refusal(house: House, command: Command, asked: Asked, now: datetime) -> str | None:
    s, city = house.settings, house.city
    since = max(now, asked.since) if asked.since is not None and asked.since.tzinfo else now
    if asked.until.tzinfo is None or (asked.since is not None and asked.since.tzinfo is None):
        return one_line("times need a zone (2026-01-31T08:00:00Z)", "时间须带时区")
    if command.ticket in house.holds.silences:
        return one_line(f"there is a silence {command.ticket} already", "该静默已存在")
    if asked.until <= since:
        return one_line("it would be over before it begins", "结束时间早于开始时间")
    if asked.until - since > timedelta(seconds=s.silence_max_s):
        days = s.silence_max_s / 86_400
        return one_line(f"no longer than {days:g} days at once", f"一次最长{days:g}天")
    if not (asked.kinds or asked.sites or asked.grid or asked.point):
        return one_line(
            "say what is silenced: kinds, sites, grid or point with radius_m",
            "须注明静默范围：类别、设备、网格或位置半径",
        )
    if (asked.point is None) != (asked.radius_m is None) or (asked.radius_m or 0.0) < 0.0:
        return one_line("point and radius_m (metres) go together", "位置与半径须同时填写")
    if asked.point is not None and not _on_earth(asked.point, asked.radius_m or 0.0):
        return one_line(
            f"point is lon -180 to 180, lat -90 to 90; radius_m at most {WIDEST_M:g}",
            f"经度须在±180、纬度须在±90之内，半径不超过{WIDEST_M:g}米",
        )
    unknown = [kind for kind in asked.kinds if kind not in KINDS]
    if unknown:
        return one_line(
            f"no kind is called {unknown[0]!r}; allowed: {', '.join(KINDS)}",
            f"没有类别“{unknown[0]}”",
        )
    never = [kind for kind in asked.kinds if kind in s.never_held]
    if never:
        zh, en = kind_names(never[0])
        return one_line(f"{en.lower()} is never held back", f"“{zh}”不可静默")
    if asked.grid is not None and asked.grid not in house.gazetteer.grids:
        return one_line(f"no grid is called {asked.grid!r}", f"没有网格 {asked.grid}")
    known = {*city.devices, *(d.site for d in city.devices.values()), *city.fibres}
    known |= {line.id for line in city.lines}
    strange = [site for site in asked.sites if site not in known]
    if strange:
        return one_line(f"no device or site is called {strange[0]!r}", f"没有设备 {strange[0]}")
    return None


def _already_out(house: House, silence: Silence) -> int:
    book = house.book
    return sum(
        1
        for ticket in book.tickets.values()
        if ticket.parent is None
        and ticket.incident in book.incidents
        and book.open_tickets_of(ticket.incident)
        and house.holds.concerns(
            silence,
            book.incidents[ticket.incident],
            book.events_of(book.incidents[ticket.incident]),
        )
    )
