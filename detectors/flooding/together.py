"""Whether it storms over a town, told from its level sensors alone.

One sensor cannot tell a shower from a dam's release, a branch or ice under its head. A storm is
regional: levels rise together within hours. Each sensor that stands above its usual height speaks
for a storm, the more the seldomer it stands there in fair weather; each that does not speaks
against it. The sum of their logarithms of odds (naive Bayes; Good, Probability and the Weighing of
Evidence, 1950) without the asking sensor's own is what the others say.

A sensor alone in its town, or with one other, never hears anything; two others that seldom rise
tell a storm when both do; to doubt a sensor because the others are at rest, six of them must be.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

import msgspec

ALONE: Final = 0
"""Nobody can say."""
STORM: Final = 1
"""The others rise, or did within `LASTS_S`."""
CALM: Final = 2
"""The others are at rest."""

RISES: Final = 0.3
"""Share of a town's sensors that stand above their usual height in a storm: those of small streams
do, those of lakes and large rivers hardly."""
PRIOR: Final = 0.05
"""Share of its time that a sensor of which nothing is known stands there in fair weather ..."""
PRIOR_H: Final = 240.0
"""... believed like so many hours of its own."""
MEMORY_H: Final = 720.0
"""Its own are forgotten after a month: plants grow, ice comes (hours)."""
LEAST: Final = 0.01
"""No sensor's word counts as one that never errs."""
STORMY: Final = 4.0
"""Logarithm of odds from which on it storms: storms take a tenth of all time (47 of them in 18
months, kLabUM), so this makes one six times likelier than none."""
FAIR: Final = -2.0
"""... and from which down it does not: one in 67."""
LASTS_S: Final = 86400.0
"""Streams and rivers answer up to a day after the rain (time of concentration of some thousand
square kilometres)."""
STALE_S: Final = 3 * 3600.0
"""What was measured longer ago says nothing of now."""
HOUR_S: Final = 3600.0


class Member(msgspec.Struct):
    """What one sensor says of the town's weather."""

    share: float = PRIOR
    """Of its time in fair weather that it stands above its usual height."""
    hours: float = 0.0
    """... learned in so many."""
    at: float = -math.inf
    """Of its newest reading."""
    up: bool = False
    told: float = 0.0
    """Its part of the sum."""
    until: float = -math.inf
    """The others' storm lasts until then."""


class Together(msgspec.Struct):
    """State of a town. Times are epoch seconds as measured, `now` as received."""

    members: dict[str, Member] = {}
    total: float = 0.0
    hour: int = -1

    def keep(self, names: Collection[str]) -> None:
        """Of these sensors; others have left the town."""
        for name in [n for n in self.members if n not in names]:
            self.total -= self.members.pop(name).told
        for name in names:
            if name not in self.members:
                self.members[name] = Member()

    def weather(self, name: str, t: float) -> int:
        """What the others say: ALONE, STORM or CALM."""
        member = self.members[name]
        others = self.total - member.told
        if others >= STORMY:
            member.until = t + LASTS_S
            return STORM
        if t < member.until:
            return STORM
        return CALM if others <= FAIR else ALONE

    def hear(self, name: str, t: float, now: float, up: bool) -> None:
        """Whether this sensor stands above its usual height."""
        hour = int(now // HOUR_S)
        if hour > self.hour:
            self._sweep(hour, now)
        member = self.members[name]
        fresh = now - t <= STALE_S
        same = up == member.up and fresh and now - member.at <= STALE_S
        member.at, member.up = t, up
        if not same:
            told = _word(member) if fresh else 0.0
            self.total += told - member.told
            member.told = told

    def _sweep(self, hour: int, now: float) -> None:
        """Once an hour: learn, and leave out who has not been heard."""
        self.hour = hour
        fair = self.total < STORMY
        total = 0.0
        for member in self.members.values():
            if now - member.at > STALE_S:
                member.told = 0.0
                continue
            if fair and now >= member.until:
                member.hours = min(member.hours + 1.0, MEMORY_H)
                member.share += (member.up - member.share) / (PRIOR_H + member.hours)
            member.told = _word(member)
            total += member.told
        self.total = total


def _word(member: Member) -> float:
    """Logarithm of how much likelier what it says is in a storm; 0 where it says nothing."""
    share = max(member.share, LEAST)
    if share >= RISES:
        return 0.0
    return math.log(RISES / share) if member.up else math.log((1.0 - RISES) / (1.0 - share))
