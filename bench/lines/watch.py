"""Runs the line detectors over a take as the service does: items screened, each detector behind its
reorder stage and woken when it asks. A kind that is not there is simply not run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from contracts.city import City
from contracts.event import Event
from contracts.nouns import Reading, Status
from detectors import specs
from detectors._common.drive import Drive
from gridsentry.engine.roster import Watch, watches
from ingest.screen import Screen
from simulators.lines.take import Take

CABLE: Final = "severed_cable"
LINES: Final = (CABLE, "pole_tilt")
"""The kinds that fold what line monitors say."""
TAIL_S: Final = 30.0
"""Time runs on so long after the last item: timers that came due at the end still ring."""


class Known(msgspec.Struct, frozen=True):
    """One revision and when it was known (receipt, seconds since the take's first item)."""

    at: float
    event: Event


class Episode(msgspec.Struct, kw_only=True):
    """All revisions of one event: what opens an incident, and what becomes of it."""

    kind: str
    revisions: list[Known]

    @property
    def opened(self) -> float:
        """When it was first known."""
        return self.revisions[0].at

    @property
    def closed(self) -> float | None:
        """When it was over; None while it is not."""
        last = self.revisions[-1]
        return last.at if last.event.phase == "closed" else None

    @property
    def confirmed(self) -> float | None:
        """When it was first called confirmed; None: never."""
        for known in self.revisions:
            if known.event.phase != "closed" and is_confirmed(known.event):
                return known.at
        return None

    @property
    def first(self) -> Event:
        """The first thing it said."""
        return self.revisions[0].event

    @property
    def last_open(self) -> Event:
        """The last thing it said before it was over."""
        said = [known.event for known in self.revisions if known.event.phase != "closed"]
        return said[-1] if said else self.revisions[-1].event

    def called(self, what: str) -> bool:
        """Whether it ever was confirmed as that."""
        return any(
            is_confirmed(k.event) and k.event.evidence.get("what") == what
            for k in self.revisions
            if k.event.phase != "closed"
        )


def is_confirmed(event: Event) -> bool:
    """A kind that knows no suspicion is sure of what it says."""
    return bool(event.evidence.get("state", "confirmed") == "confirmed")


def line_watches(city: City) -> list[Watch]:
    """Every line detector at every site of the city."""
    found: dict[str, Any] = {kind: spec for kind, spec in specs().items() if kind in LINES}
    return watches(city, found, {kind: spec.config() for kind, spec in found.items()})


def drives(city: City) -> tuple[list[Drive], Mapping[tuple[str, str], list[Drive]]]:
    """Detectors as new, and who gets what: by device and metric, or noun."""
    made: list[Drive] = []
    by_key: dict[tuple[str, str], list[Drive]] = defaultdict(list)
    for one in line_watches(city):
        drive = Drive(one.spec, one.cfg, one.site)
        made.append(drive)
        nouns = one.spec.nouns(one.site)
        for device in one.site.devices:
            if Reading in nouns:
                for metric in one.spec.metrics or device.metrics:
                    by_key[device.id, metric].append(drive)
            if Status in nouns:
                by_key[device.id, "Status"].append(drive)
    return made, by_key


def begin_of(take: Take) -> datetime:
    """Receipt of the first item: zero of every clock here."""
    return take.items[0].received_at


def watch(take: Take) -> list[Episode]:
    """Every episode, in the order they opened."""
    zero = begin_of(take)
    made, by_key = drives(take.city)
    episodes: dict[str, Episode] = {}

    def tell(known: Iterable[tuple[datetime, Event]]) -> None:
        for at, event in known:
            told = Known((at - zero).total_seconds(), event)
            if event.id not in episodes:
                episodes[event.id] = Episode(kind=event.kind, revisions=[])
            episodes[event.id].revisions.append(told)

    annotate = Screen().annotate
    for item in take.items:
        if isinstance(item, Reading):
            item = annotate(item)  # noqa: PLW2901
            key = (item.device, item.metric)
        else:
            key = (item.device, "Status")
        for drive in by_key.get(key, ()):
            known = drive.put(item)
            if known:
                tell(known)
    end = take.items[-1].received_at + timedelta(seconds=TAIL_S)
    for drive in made:
        tell(drive.run_to(end))
    return sorted(episodes.values(), key=lambda e: (e.opened, e.kind))
