"""Two lists of events of the same time: which are the same, which are not, and by how much."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NEAR = timedelta(minutes=30)
"""Events of one kind at one place that do not overlap are still the same story when one is told
within this time of the other."""


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One event from when it was first told to when it was over. Times are UTC."""

    id: str
    kind: str
    site: str
    device: str | None
    onset: datetime
    told: datetime
    """When its first revision became known."""
    over: datetime | None = None
    """When it was closed; None: still open in the end."""
    severity: int = 1
    """The greatest it had, 1 to 5."""
    why: tuple[str, str] | None = None
    """(English, Chinese) words of its first revision, where its kind has them."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One story as the two sides tell it; a side that is None does not tell it."""

    now: Episode | None
    then: Episode | None

    @property
    def some(self) -> Episode:
        """Whichever side there is."""
        episode = self.now or self.then
        assert episode is not None
        return episode


def pairs(now: Sequence[Episode], then: Sequence[Episode]) -> list[Pair]:
    """Each episode of both sides in exactly one pair, in the order of time.

    First by id, which names kind, place and the onset first published. A threshold that moved the
    onset changes the id, so of what is left, episodes of one kind at one place are paired when they
    overlap or are told within NEAR of each other: the nearest first.
    """
    by_id = {episode.id: episode for episode in then}
    found: list[Pair] = []
    alone: list[Episode] = []
    for episode in now:
        other = by_id.pop(episode.id, None)
        if other is None:
            alone.append(episode)
        else:
            found.append(Pair(now=episode, then=other))
    left: dict[tuple[str, str, str | None], list[Episode]] = defaultdict(list)
    for episode in by_id.values():
        left[_where(episode)].append(episode)
    near = sorted(
        (
            (abs(one.told - other.told), one.told, one.id, other.id, one, other)
            for one in alone
            for other in left.get(_where(one), ())
            if _same_story(one, other)
        ),
        key=lambda row: row[:4],
    )
    taken: set[tuple[str, str]] = set()
    for *_, one, other in near:
        if ("now", one.id) not in taken and ("then", other.id) not in taken:
            taken |= {("now", one.id), ("then", other.id)}
            found.append(Pair(now=one, then=other))
    found += [Pair(now=e, then=None) for e in alone if ("now", e.id) not in taken]
    found += [Pair(now=None, then=e) for e in by_id.values() if ("then", e.id) not in taken]
    return sorted(found, key=lambda pair: (pair.some.told, pair.some.kind, pair.some.id))


def _where(episode: Episode) -> tuple[str, str, str | None]:
    return episode.kind, episode.site, episode.device


def _same_story(one: Episode, other: Episode) -> bool:
    last = max(one.told, other.told)
    ends = [e.over for e in (one, other) if e.over is not None]
    return last <= min(ends, default=last) or abs(one.told - other.told) <= NEAR


def differences(pair: Pair, within_s: float) -> dict[str, Any]:
    """What differs, JSON-ready; empty: the same. Seconds are `then` minus `now`.

    `only`      `now` or `then`
    `told_s`    told so much later (negative: earlier), by more than `within_s`
    `over_s`    over so much later; `"open"`: not over where the other side is
    `severity`  [now, then]
    """
    now, then = pair.now, pair.then
    if now is None or then is None:
        return {"only": "then" if now is None else "now"}
    found: dict[str, Any] = {}
    told = (then.told - now.told).total_seconds()
    if abs(told) > within_s:
        found["told_s"] = told
    if now.over is not None and then.over is not None:
        over = (then.over - now.over).total_seconds()
        if abs(over) > within_s:
            found["over_s"] = over
    elif now.over is not then.over:
        found["over_s"] = "open" if then.over is None else "closed"
    if now.severity != then.severity:
        found["severity"] = [now.severity, then.severity]
    return found


COLUMNS = (
    *("now", "then", "same", "earlier", "later", "severity", "ends", "only_now", "only_then"),
)


def count(found: Iterable[tuple[Pair, dict[str, Any]]]) -> dict[str, Counter[str]]:
    """For each kind how many of what (COLUMNS); one pair may be earlier and of other severity."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for pair, differs in found:
        row = table[pair.some.kind]
        row["now"] += pair.now is not None
        row["then"] += pair.then is not None
        row["same"] += not differs
        if "only" in differs:
            row[f"only_{differs['only']}"] += 1
        if "told_s" in differs:
            row["earlier" if differs["told_s"] < 0 else "later"] += 1
        row["severity"] += "severity" in differs
        row["ends"] += "over_s" in differs
    return dict(sorted(table.items()))
