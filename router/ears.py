"""What a bang adds to something seen: it raises the odds, and is never an alarm by itself.

A bang (`loud_sound`) belongs to a fall when it comes `d / 343 m/s` after its landing, and to a
severed cable when it comes about when the line reports it. How much that says (Bayes' rule):

    odds after = odds before * factor
    factor     = (r + (1 - r) * f) / f        r: share of such bangs that are found (0.84)
    f          = 1 - exp(-rate * window)      chance that one is heard there without cause

with a rate of 818 an hour, measured on city sound; a window of 0.8 s gives 5, one of 6 s only 1.1,
and the reason says which. Several microphones hear the same street: the best one counts. That none
is heard says nothing: soft things make no bang, and not every place has a microphone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.case import Incident
from contracts.event import Event, Place
from contracts.geo import Point, distance_m
from router.book import Book
from router.joinable import error_m
from router.settings import RouterSettings
from router.words import both

BANG = "loud_sound"
SOUND_MPS = 343.0
"""Dry air of 20 °C; 331 at freezing: 15 ms on 150 m."""

GRAVITY = 9.81

BANGING = ("high_altitude_throw", "severed_cable")
"""Kinds that a bang may belong to."""


class Heard(msgspec.Struct, frozen=True):
    """A bang and what it belongs to."""

    bang: Event
    metres: float
    late_s: float
    """After the moment it was expected; negative: before."""
    factor: float


class Ears:
    """Which bangs belong to an event, and what they are worth. Keeps nothing."""

    def __init__(self, settings: RouterSettings) -> None:
        self._s = settings

    def of(self, event: Event, bang: Event) -> Heard | None:
        """Whether the bang belongs to the event."""
        if bang.kind != BANG:
            return None
        expected, window = self._expected(event)
        if expected is None:
            return None
        metres = _between_m(event.place, bang.place)
        spread = error_m(event)
        if metres > self._s.bang_radius_m + min(spread, self._s.error_radius_cap_m):
            return None
        blur = bang.evidence.get("onset_sd_s")
        window += 2 * float(blur) if isinstance(blur, (int, float)) else 0.0
        window += min(spread, self._s.error_radius_cap_m) / SOUND_MPS
        late = (bang.at - expected).total_seconds() - metres / SOUND_MPS
        if abs(late) > window:
            return None
        return Heard(bang, metres, late, self.factor(2 * window))

    def factor(self, window_s: float) -> float:
        """By how much a bang within a window of that length raises the odds."""
        found = self._s.bang_recall
        chance = 1 - math.exp(-self._s.bangs_per_hour / 3600 * max(window_s, 0.01))
        return (found + (1 - found) * chance) / chance

    def _expected(self, event: Event) -> tuple[datetime | None, float]:
        """When it must have banged (at the place), and how well that is known (seconds)."""
        if event.kind == "severed_cable":
            return event.at, self._s.bang_cable_s
        if event.kind == "high_altitude_throw" and event.phase == "closed":
            return _landing(event.evidence, self._s.bang_landing_s)
        return None, 0.0

    # --- what the router asks -----------------------------------------------------------------

    def unheard(self, event: Event, book: Book) -> list[Event]:
        """Bangs told before that belong to this event and to nothing else yet."""
        if self._expected(event)[0] is None:
            return []
        found = []
        reach = self._s.bang_radius_m + min(error_m(event), self._s.error_radius_cap_m)
        for incident in self._near(BANG, event, reach, book):
            if incident.kind == BANG and incident.events:
                bang = book.events.get(incident.events[0])
                alone = bang is not None and book.incident_of(bang.id) is incident
                if bang is not None and alone and self.of(event, bang) is not None:
                    found.append(bang)
        return sorted(found, key=lambda bang: (bang.at, bang.id))

    def cause(self, bang: Event, book: Book) -> str | None:
        """The incident that this bang belongs to: the one it fits best."""
        best: tuple[float, str] | None = None
        for kind in BANGING:
            for incident in self._near(kind, bang, self._s.bang_radius_m + error_m(bang), book):
                if incident.kind == BANG:
                    continue
                for event in book.events_of(incident):
                    heard = self.of(event, bang)
                    fits = heard is not None and (abs(heard.late_s), incident.id)
                    if fits and (best is None or fits < best):
                        best = fits
        return best[1] if best is not None else None

    def _near(self, kind: str, event: Event, metres: float, book: Book) -> list[Incident]:
        # Each event is measured from its own place, which may lie off the incident's.
        off = max(self._s.join_radius_m, self._s.related_radius_m)
        found = set(book.joinable.near(kind, event.place, metres + off))
        return [book.incidents[incident] for incident in sorted(found)]

    def best(self, events: Sequence[Event]) -> Heard | None:
        """Of an incident's events: the bang that says most about one of the others."""
        bangs = [e for e in events if e.kind == BANG]
        pairs = [self.of(e, bang) for e in events if e.kind != BANG for bang in bangs]
        heard = [one for one in pairs if one is not None]
        return max(heard, key=lambda one: (one.factor, -abs(one.late_s)), default=None)

    def reason(self, events: Sequence[Event]) -> dict[str, Any] | None:
        """What was heard, as data and words; None where nothing was."""
        one = self.best(events)
        if one is None:
            return None
        before = _confidence(events)
        after = None
        if before is not None:
            odds = before / (1 - before) * one.factor
            after = round(odds / (1 + odds), 4)
        en, zh = self.words(events) or ("", "")
        return {
            "event": one.bang.id,
            "device": one.bang.device,
            "distance_m": round(one.metres, 1),
            "late_s": round(one.late_s, 3),
            "over_db": one.bang.evidence.get("over_db"),
            "factor": round(one.factor, 2),
            "confidence_before": before,
            "confidence_after": after,
            "rule": "odds after = odds before * factor; "
            "factor = (r + (1 - r) f) / f, f = 1 - exp(-rate * window)",
            "recall": self._s.bang_recall,
            "false_per_hour": self._s.bangs_per_hour,
            **both(en, zh),
        }

    def words(self, events: Sequence[Event]) -> tuple[str, str] | None:
        """(en, zh) of what was heard."""
        one = self.best(events)
        if one is None:
            return None
        who, far, late = one.bang.site, one.metres, one.late_s
        factor = f"{one.factor:.1f}"
        before = _confidence(events)
        en = f"a bang at {who} {far:.0f} m away, {late:+.2f} s from when it was due: "
        zh = f"{who}（{far:.0f}米）听到异响，与预计时刻相差{late:+.2f}秒，"
        if before is None:
            return en + f"odds times {factor}", zh + f"可能性升至{factor}倍"
        odds = before / (1 - before) * one.factor
        after = odds / (1 + odds)
        en += f"odds times {factor}, {before:.0%} becomes {after:.1%}"
        zh += f"可能性比升至{factor}倍，置信度由{before:.0%}升至{after:.1%}"
        return en, zh


def _between_m(a: Place, b: Place) -> float:
    return distance_m(Point(a.lon, a.lat), Point(b.lon, b.lat))


def _confidence(events: Sequence[Event]) -> float | None:
    """The surest detector's own confidence, short of certainty."""
    told = [e.evidence.get("confidence") for e in events if e.kind != BANG]
    values = [float(v) for v in told if isinstance(v, (int, float)) and 0 < v < 1]
    return max(values, default=None)


def _landing(evidence: dict[str, Any], within_s: float) -> tuple[datetime | None, float]:
    """When it hit the ground: told (`landing_at`, `landing_sd_s`), or from where the track ends:
    what is left of the height, at the speed it has, without drag."""
    told = evidence.get("landing_at")
    if isinstance(told, str):
        sd = evidence.get("landing_sd_s")
        return datetime.fromisoformat(told), within_s + (
            2 * float(sd) if isinstance(sd, (int, float)) else 0.0
        )
    track = evidence.get("track")
    if not isinstance(track, (list, tuple)) or not track:
        return None, 0.0
    end = datetime.fromisoformat(str(track[-1][0]))
    release, drop, speed = (evidence.get(k) for k in ("release_m", "drop_m", "speed"))
    if not isinstance(release, (list, tuple)) or not isinstance(drop, (int, float)):
        return end, within_s
    left = float(release[1]) - float(drop)
    if left <= 0.5:
        return end, within_s
    v = float(speed) if isinstance(speed, (int, float)) else 0.0
    rest = (math.sqrt(v * v + 2 * GRAVITY * left) - v) / GRAVITY
    # drag makes it later; the foot of the wall is seldom the facade's zero to the metre
    return end + timedelta(seconds=rest), within_s + 0.25 * rest
