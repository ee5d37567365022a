"""Water that a pump lets up and down: how often, and how high without harm."""

from __future__ import annotations

from typing import Final

import msgspec

SHARE: Final = 0.15
"""A swing goes up and down again by this share of the way from the usual height to the line."""
HALF_S: Final = 43200.0
"""A swing counts half after half a day."""
OFTEN: Final = 2.5
"""Three swings in a few hours are a habit; a storm has one, seldom two."""


class Swings(msgspec.Struct):
    """Ups and downs of one surface. Heights in metres, times in epoch seconds."""

    up: bool = False
    turn: float = 0.0
    """The highest since it rose, the lowest since it fell."""
    count: float = 0.0
    at: float = 0.0
    crest: float = 0.0
    """How high it went and came back, the older the less it counts."""

    def fold(self, t: float, v: float, room: float) -> None:
        """Take one height above the usual one; `room` is how far it is to the line."""
        if self.up:
            if v > self.turn:
                self.turn = v
            elif self.turn - v > SHARE * room:
                fade = self._fade(t)
                self.count = self.count * fade + 1.0
                self.crest = max(self.turn, self.crest * fade)
                self.at, self.up, self.turn = t, False, v
        elif v < self.turn:
            self.turn = v
        elif v - self.turn > SHARE * room:
            self.up, self.turn = True, v

    def usual(self, t: float, v: float) -> bool:
        """Whether it often goes as high as `v` and comes back."""
        if self.count < OFTEN:
            return False
        return self.count * self._fade(t) >= OFTEN and v <= self.crest

    def _fade(self, t: float) -> float:
        """What a swing still counts."""
        return float(0.5 ** (max(t - self.at, 0.0) / HALF_S))
