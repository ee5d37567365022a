"""Which events are one thing that happened in the world, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.case import Incident
from contracts.event import Event, Place
from contracts.geo import Point, distance_m
from router.book import Book
from router.ears import Ears
from router.settings import RouterSettings
from router.words import kind_names, one_line

_DEGREE_M = 110_000.0
"""A little less than a degree of latitude anywhere: a quick first look, never too narrow."""


class Join(msgspec.Struct, frozen=True):
    """This event belongs to that incident. `how`: `same`, `report`, `related`, `explained`,
    `heard`."""

    incident: str
    how: str


def between_m(a: Place, b: Place) -> float:
    """Metres between two places."""
    return distance_m(Point(a.lon, a.lat), Point(b.lon, b.lat))


def reported_kind(event: Event) -> str | None:
    """What a resident said it is."""
    kind = event.evidence.get("kind") or event.evidence.get("reported_kind")
    return str(kind) if event.kind == "citizen_report" and kind else None


class Correlator:
    """Joins by place, time and kind; all figures are settings."""

    def __init__(self, settings: RouterSettings) -> None:
        self._s = settings
        self.ears = Ears(settings)
        self._group = {kind: group for group in settings.related_kinds for kind in group}
        radii = [
            settings.join_radius_m,
            settings.related_radius_m,
            settings.explained_radius_m,
            *settings.join_radius_by_kind.values(),
        ]
        self._reach = max(radii) + settings.error_radius_cap_m
        self._relapse = timedelta(seconds=settings.relapse_s)
        self._moment = timedelta(seconds=settings.moment_window_s)
        self._related = timedelta(seconds=settings.related_window_s)
        self._reports = timedelta(seconds=settings.report_window_s)
        self._explained = timedelta(seconds=settings.explained_window_s)

    # --- joining ------------------------------------------------------------------------------

    def find(self, event: Event, book: Book, now: datetime) -> Join | None:
        """The incident this new event belongs to: the surest relation, then the nearest."""
        if event.kind in self._s.evidence_kinds:
            cause = self.ears.cause(event, book)
            if cause is not None:
                return Join(cause, "heard")
        best: tuple[int, float, datetime, str] | None = None
        how = ""
        lat_reach = self._reach / _DEGREE_M
        for incident in book.incidents.values():
            if (
                abs(incident.place.lat - event.place.lat) > lat_reach
                and event.site != incident.site
            ):
                continue
            found = self._relation(event, incident, book, now)
            if found is None:
                continue
            rank, metres, relation = found
            key = (rank, round(metres, 2), incident.opened_at, incident.id)
            if best is None or key < best:
                best, how = key, relation
        return Join(best[3], how) if best is not None else None

    def _relation(
        self, event: Event, incident: Incident, book: Book, now: datetime
    ) -> tuple[int, float, str] | None:
        metres = between_m(event.place, incident.place)
        if metres > self._reach and event.site != incident.site:
            return None
        events = book.events_of(incident)
        kinds = ({e.kind for e in events} | {incident.kind}) - set(self._s.evidence_kinds)
        spread = self._spread(event, events)
        near = metres <= self._s.join_radius_by_kind.get(event.kind, self._s.join_radius_m) + spread
        if near and event.kind in kinds and self._same_time(event, incident, events, book, now):
            return 0, metres, "same"
        if metres <= self._s.join_radius_m + spread and self._reported(
            event, incident, events, book
        ):
            return 1, metres, "report"
        group = self._group.get(event.kind, ())
        if (
            metres <= self._s.related_radius_m + spread
            and incident.kind in group
            and event.kind != incident.kind
            and incident.closed_at is None
            and any(abs(event.at - e.at) <= self._related for e in events)
        ):
            return 2, metres, "related"
        if self._explains(incident, event, metres, spread):
            return 3, metres, "explained"
        return None

    def _spread(self, event: Event, events: Sequence[Event]) -> float:
        errors = [_error_m(e) for e in (event, *events)]
        return min(max(errors), self._s.error_radius_cap_m)

    def _same_time(
        self,
        event: Event,
        incident: Incident,
        events: Sequence[Event],
        book: Book,
        now: datetime,
    ) -> bool:
        if event.kind in self._s.moment_kinds:
            return any(abs(event.at - e.at) <= self._moment for e in events if e.kind == event.kind)
        if event.kind == "citizen_report":
            return self._in_report_window(event, incident, book) and reported_kind(event) in (
                None,
                *(reported_kind(e) for e in events if e.kind == "citizen_report"),
            )
        first = min((e.at for e in events), default=incident.opened_at)
        if event.phase == "closed" and event.at < first - self._relapse:
            return False  # an old episode that was only now told
        if incident.closed_at is None:
            return True
        return now - incident.closed_at <= self._relapse and bool(book.open_tickets_of(incident.id))

    def _in_report_window(self, event: Event, incident: Incident, book: Book) -> bool:
        going_on = incident.closed_at is None or bool(book.open_tickets_of(incident.id))
        return going_on and abs(event.at - incident.opened_at) <= self._reports

    def _reported(
        self, event: Event, incident: Incident, events: Sequence[Event], book: Book
    ) -> bool:
        """A report and a sensor that mean the same thing, whichever came first."""
        if event.kind == "citizen_report":
            said = reported_kind(event)
            return self._in_report_window(event, incident, book) and (
                said == incident.kind or (said is None and incident.kind != "sensor_silent")
            )
        return (
            incident.kind == "citizen_report"
            and self._in_report_window(event, incident, book)
            and event.kind in {reported_kind(e) for e in events}
        )

    def _explains(self, cause: Incident, event: Event, metres: float, spread: float) -> bool:
        return (
            cause.kind in self._s.explained_by.get(event.kind, ())
            and cause.closed_at is None
            and (metres <= self._s.explained_radius_m + spread or event.site == cause.site)
            and event.at >= cause.opened_at - self._explained
        )

    def symptoms(self, cause: Incident, book: Book) -> list[Incident]:
        """Open incidents that this one explains: what was silent because the cable is cut."""
        found = []
        for incident in book.incidents.values():
            if incident.id == cause.id or incident.closed_at is not None:
                continue
            events = book.own_events_of(incident)
            metres = between_m(incident.place, cause.place)
            spread = self._spread(events[0], book.events_of(cause)) if events else 0.0
            if events and all(self._explains(cause, e, metres, spread) for e in events):
                found.append(incident)
        return sorted(found, key=lambda i: (i.opened_at, i.id))

    # --- what an incident says ------------------------------------------------------------------

    def is_symptom(self, kind: str) -> bool:
        """Whether something larger may explain events of this kind."""
        return kind in self._s.explained_by

    def _is_evidence(self, kind: str) -> bool:
        return kind in self._s.evidence_kinds

    def kind_of(self, incident: Incident, events: Sequence[Event]) -> str:
        """The kind that names the incident: the cause in its group, a sensor's word before a
        resident's."""
        kinds = {e.kind for e in events} | {incident.kind}
        if incident.kind == "citizen_report":
            sensed = [e.kind for e in events if e.kind != "citizen_report"]
            if not sensed:
                return incident.kind
            return next((g for g in self._group.get(sensed[0], ()) if g in kinds), sensed[0])
        return next((k for k in self._group.get(incident.kind, ()) if k in kinds), incident.kind)

    def primary(self, kind: str, events: Sequence[Event]) -> Event | None:
        """The event that says where it is: the first of the incident's kind."""
        return next((e for e in events if e.kind == kind), events[0] if events else None)

    def telling(self, kind: str, events: Sequence[Event]) -> list[Event]:
        """The events of sensors that can say whether it is over (no reports, no symptoms)."""
        return [
            e
            for e in events
            if e.kind != "citizen_report"
            and (e.kind == kind or not (self.is_symptom(e.kind) or self._is_evidence(e.kind)))
        ]

    def over(self, kind: str, events: Sequence[Event]) -> bool | None:
        """Whether the sensors say it is over; None when no sensor can say."""
        telling = self.telling(kind, events)
        going_on = [e for e in telling if e.phase != "closed"]
        if telling and not going_on:
            return True
        return False if any(e.kind not in self._s.moment_kinds for e in going_on) else None

    def severity(self, kind: str, events: Sequence[Event]) -> int:
        """The highest of the events; one more when people report what a sensor saw."""
        highest = max((e.severity for e in events), default=1)
        kinds = {e.kind for e in events}
        seen = "citizen_report" in kinds and len(kinds) > 1
        return min(5, highest + 1) if seen else highest

    def reason(self, kind: str, events: Sequence[Event]) -> str:
        """Why these events are one, in words of both languages."""
        if not events:
            return one_line("its events are no longer kept", "事件已归档")
        first = self.primary(kind, events) or events[0]
        zh_name, en_name = kind_names(first.kind)
        en, zh = [f"{en_name} at {first.site}"], [f"{zh_name}（{first.site}）"]
        for other in dict.fromkeys(e.kind for e in events):
            rest = [e for e in events if e.kind == other and e.id != first.id]
            if not rest:
                continue
            far = max(between_m(e.place, first.place) for e in rest)
            gap = max(abs((e.at - first.at).total_seconds()) for e in rest)
            o_zh, o_en = kind_names(other)
            n = len(rest)
            if other in self._s.evidence_kinds and other != kind:
                heard = self.ears.words(events)
                if heard is not None:
                    en.append(heard[0])
                    zh.append(heard[1])
                continue
            if other == "citizen_report":
                reports = "report" if n == 1 else "reports"
                en.append(f"{n} resident {reports} within {far:.0f} m")
                zh.append(f"{far:.0f}米内居民上报{n}件")
            elif self.is_symptom(other) and other != kind:
                en.append(f"explains {n} x {o_en.lower()} within {far:.0f} m")
                zh.append(f"并解释{far:.0f}米内{o_zh}{n}处")
            elif other == kind:
                en.append(f"{n} more of the kind within {far:.0f} m and {gap:.0f} s")
                zh.append(f"同类事件{n}起，相距{far:.0f}米、{gap:.0f}秒内")
            else:
                en.append(
                    f"one cause with {n} x {o_en.lower()} {far:.0f} m away within {gap:.0f} s"
                )
                zh.append(f"与{o_zh}{n}起同因，相距{far:.0f}米、{gap:.0f}秒内")
        return one_line("; ".join(en), "；".join(zh))


def _error_m(event: Event) -> float:
    value = event.evidence.get("error_m")
    return float(value) if isinstance(value, (int, float)) and value > 0 else 0.0


def news(old: Event, new: Event) -> list[tuple[str, str]]:
    """What people act on that this revision says anew, as (en, zh); not every revision does."""
    told: list[tuple[str, str]] = []
    before, after = old.evidence, new.evidence
    if after.get("clip") and not before.get("clip"):
        told.append(("the clip is here", "视频证据已到"))
    if _zone(after) and _zone(after) != _zone(before):
        en, zh = _doubt(after)
        told.append((f"origin: {_zone(after)}{en}", f"抛出点：{_zone(after)}{zh}"))
    if after.get("state") == "confirmed" and before.get("state") != "confirmed":
        told.append(("confirmed", "已确认"))
    if after.get("stage") == "observed" and before.get("stage") == "forecast":
        told.append(("forecast has come true", "预报已成实况"))
    return told


def _doubt(evidence: dict[str, object]) -> tuple[str, str]:
    """What to add, (en, zh), to a window that is less likely than all others together."""
    origin = evidence.get("origin")
    p = origin.get("p") if isinstance(origin, dict) else None
    if not isinstance(p, int | float) or p >= 0.5:
        return "", ""
    return f" (the likeliest of several, {p:.0%})", f"（几处中最可能，{p:.0%}）"


def _zone(evidence: dict[str, object]) -> str | None:
    origin = evidence.get("origin")
    zone = origin.get("zone") if isinstance(origin, dict) else None
    return str(zone) if zone else None
