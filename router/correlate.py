"""Which events are one thing that happened in the world, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from contracts.case import Incident
from contracts.event import Event
from router.book import Book
from router.ears import Ears
from router.joinable import ANY, error_m
from router.networks import Networks
from router.relate import RANKS, Relations, between_m
from router.settings import RouterSettings
from router.words import kind_names, one_line

__all__ = ["Correlator", "Join", "between_m", "news"]


class Join(msgspec.Struct, frozen=True):
    """This event belongs to that incident. `how`: one of `relate.RANKS`, or `heard`."""

    incident: str
    how: str


class Correlator:
    """Joins by place, time and kind; all figures are settings."""

    def __init__(self, settings: RouterSettings, networks: Networks) -> None:
        self._s = settings
        self.ears = Ears(settings)
        self.networks = networks
        self.relations = Relations(settings, networks)
        self._group = self.relations.group

    # --- joining ------------------------------------------------------------------------------

    def find(self, event: Event, book: Book, now: datetime) -> Join | None:
        """The incident this new event belongs to: the surest relation, then its own device's, then
        the nearest."""
        if event.kind in self._s.evidence_kinds:
            cause = self.ears.cause(event, book)
            if cause is not None:
                return Join(cause, "heard")
        best: tuple[int, bool, float, datetime, str] | None = None
        for incident_id in set(self._candidates(event, book)):
            incident, entry = book.incidents[incident_id], book.joinable.entries[incident_id]
            found = self.relations.of(event, incident, entry, book, now)
            if found is None:
                continue
            rank = RANKS.index(found.how)
            key = (rank, not found.own, round(found.metres, 2), incident.opened_at, incident.id)
            if best is None or key < best:
                best = key
        return Join(best[-1], RANKS[best[0]]) if best is not None else None

    def _candidates(self, event: Event, book: Book) -> Iterator[str]:
        """Incidents that may be related: those near enough for some rule, those of the same device,
        and cuts of the lines that feed it."""
        place, own = event.place, error_m(event)
        own = min(own, self._s.error_radius_cap_m)
        if event.kind == "citizen_report":  # it may be about anything
            yield from book.joinable.near(ANY, place, self._s.join_radius_m + own)
            return
        for kind, metres in self.relations.reach(event.kind):
            yield from book.joinable.near(kind, place, metres + own)
        yield from book.joinable.called((event.device, event.site))
        if event.kind in self._s.explained_by:
            yield from book.joinable.called(self.networks.lines_of(event))

    def symptoms(self, cause: Incident, book: Book) -> list[Incident]:
        """Open incidents that this one explains: what was silent because the cable is cut."""
        kinds = [k for k, causes in self._s.explained_by.items() if cause.kind in causes]
        found = []
        # However far along the line: all open incidents of these kinds, but only when a cause is
        # new, which is rare.
        for incident in (book.incidents[i] for k in kinds for i in book.joinable.of_kind(k)):
            if incident.id == cause.id or incident.closed_at is not None:
                continue
            if incident.id == cause.split_from or incident.split_from == cause.id:
                continue  # a person said that it is something else
            events = book.own_events_of(incident)
            if events and all(self.relations.explains(cause, e, book) for e in events):
                found.append(incident)
        return sorted(dict.fromkeys(found), key=lambda i: (i.opened_at, i.id))

    # --- what an incident says ------------------------------------------------------------------

    def is_symptom(self, kind: str) -> bool:
        """Whether something larger may explain events of this kind."""
        return kind in self._s.explained_by

    def waits(self, kind: str) -> bool:
        """Whether an incident of this kind waits for its cause before anybody is sent."""
        return kind in self._s.explained_by and kind in self._s.grace_kinds

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
                span = self._through(kind, rest, events)
                en.append(f"explains {n} x {o_en.lower()} within {far:.0f} m{span[0]}")
                zh.append(f"并解释{far:.0f}米内{o_zh}{n}处{span[1]}")
            elif other == kind:
                en.append(f"{n} more of the kind within {far:.0f} m and {gap:.0f} s")
                zh.append(f"同类事件{n}起，相距{far:.0f}米、{gap:.0f}秒内")
            else:
                en.append(
                    f"one cause with {n} x {o_en.lower()} {far:.0f} m away within {gap:.0f} s"
                )
                zh.append(f"与{o_zh}{n}起同因，相距{far:.0f}米、{gap:.0f}秒内")
        return one_line("; ".join(en), "；".join(zh))

    def _through(
        self, kind: str, symptoms: Sequence[Event], events: Sequence[Event]
    ) -> tuple[str, str]:
        """(en, zh): how many of the symptoms are fed through the cut, by the line's topology."""
        causes = [e for e in events if e.kind == kind]
        fed = [self.networks.fed(e, causes) for e in symptoms]
        spans = [one.span for one in fed if one is not None and one.yes]
        if not spans:
            return "", ""
        most = max(sorted(set(spans)), key=spans.count)
        return f" ({len(spans)} fed through span {most})", f"（其中{len(spans)}处经{most}供电）"


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
