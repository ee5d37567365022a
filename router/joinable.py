"""Incidents that an event may still join or explain, found by kind, place and name.

Looking at every open incident for every event costs 10,000 times too much on a storm night; a
layer for each kind answers with the few that are near. What has ended leaves the layers, but for
moments (a camera may tell of a fall late) and bangs (they wait for what they belong to).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from contracts.case import Incident
from contracts.event import Event, Place
from contracts.kinds import TASK_KINDS
from router.near import Near

ANY = "*"
"""The layer of all incidents."""
RAINED_ON = "rained on"
"""The layer of those where a gauge tells of rain and that are no storm's yet."""


def error_m(event: Event) -> float:
    """How far off its place may be (metres), as its evidence says."""
    value = event.evidence.get("error_m")
    return float(value) if isinstance(value, (int, float)) and value > 0 else 0.0


def child_of(storm: str) -> str:
    """The layer of a storm's incidents."""
    return f"of {storm}"


def rain_mm_h(event: Event) -> float | None:
    """The heaviest mean intensity its evidence tells of (mm/h); None: no gauge speaks there."""
    told = event.evidence.get("rain")
    values = [event.evidence.get("rain_rate")]
    if isinstance(told, dict):
        values += [v for k, v in told.items() if k.startswith("mean_")]
    known = [float(v) for v in values if isinstance(v, (int, float))]
    return max(known, default=None)


class Entry(msgspec.Struct, frozen=True):
    """What joining asks of an incident, worked out once for each revision."""

    kinds: frozenset[str]
    """Of its events and its own, without what is only evidence of it or only explained by it."""
    places: tuple[Place, ...]
    """Its own first, then those it took over by hand."""
    spread_m: float
    """The largest error of its events, capped."""
    first: datetime
    """Onset of its first event."""
    group: str | None
    """The layer that tells storms of it: whose it is, or that it is rained on."""
    names: frozenset[str]
    """Devices and sites of its events (but reports': an app is nowhere)."""


class Joinable:
    """The layers. Follows from incidents and events alone."""

    def __init__(self, asides: Collection[str], cap_m: float) -> None:
        self._asides = frozenset(asides)
        self._cap_m = cap_m
        self._layers: dict[str, Near] = {}
        self._spreads: dict[str, Counter[float]] = {}
        self._names: dict[str, set[str]] = {}
        self.entries: dict[str, Entry] = {}

    def put(self, incident: Incident, events: Sequence[Event]) -> None:
        """This incident can be joined, with these events; a task of our own people never is."""
        if incident.kind in TASK_KINDS:
            return
        entry = self._entry(incident, events)
        old = self.entries.get(incident.id)
        if old == entry:
            return
        self.drop(incident.id)
        self.entries[incident.id] = entry
        for layer in self._layers_of(entry):
            self._layers.setdefault(layer, Near()).put(incident.id, entry.places)
            self._spreads.setdefault(layer, Counter())[entry.spread_m] += 1
        for name in entry.names:
            self._names.setdefault(name, set()).add(incident.id)

    def drop(self, incident_id: str) -> None:
        """Nothing joins it any more."""
        entry = self.entries.pop(incident_id, None)
        if entry is None:
            return
        for layer in self._layers_of(entry):
            self._layers[layer].drop(incident_id)
            spreads = self._spreads[layer]
            spreads[entry.spread_m] -= 1
            if not spreads[entry.spread_m]:
                del spreads[entry.spread_m]
        for name in entry.names:
            self._names[name].discard(incident_id)
            if not self._names[name]:
                del self._names[name]

    def near(self, kind: str, place: Place, metres: float) -> Iterator[str]:
        """Incidents of this kind whose place lies within `metres` and their own spread."""
        layer = self._layers.get(kind)
        if layer is not None and len(layer):
            yield from layer.within(place, metres + max(self._spreads[kind]))

    def called(self, names: Iterable[str | None]) -> Iterator[str]:
        """Incidents with an event of one of these devices or sites."""
        for name in names:
            if name is not None:
                yield from self._names.get(name, ())

    def of_kind(self, kind: str) -> Iterator[str]:
        """All of a kind."""
        layer = self._layers.get(kind)
        if layer is not None:
            yield from layer

    @property
    def looked(self) -> int:
        """Cells and incidents looked at since the beginning."""
        return sum(layer.looked for layer in self._layers.values())

    def _layers_of(self, entry: Entry) -> Iterator[str]:
        yield ANY
        yield from entry.kinds
        if entry.group is not None:
            yield entry.group

    def _entry(self, incident: Incident, events: Sequence[Event]) -> Entry:
        kinds = {e.kind for e in events} - self._asides | {incident.kind}
        names: set[str] = set()
        for event in events:
            if event.kind != "citizen_report":
                names.add(event.site)
                if event.device is not None:
                    names.add(event.device)
        group = RAINED_ON if any(rain_mm_h(e) for e in events) else None
        if incident.parent is not None:
            group = child_of(incident.parent)
        return Entry(
            kinds=frozenset(kinds),
            group=group,
            places=(incident.place, *incident.also),
            spread_m=min(max((error_m(e) for e in events), default=0.0), self._cap_m),
            first=min((e.at for e in events), default=incident.opened_at),
            names=frozenset(names),
        )
