"""Several sessions taken as one: that of our own topics, and one for each adapter.

Each keeps its own receive window, so that one whose messages are not acknowledged (its breaker is
open) holds back nobody else's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from contracts.clock import monotonic
from contracts.nouns import Arrival
from ingest.session import MqttSession


class _Via(msgspec.Struct, frozen=True):
    """The token of a message that did not come through the first session."""

    name: str
    token: Any


class Sessions:
    """Implements `contracts.ports.Session` over `own` and `others` (by adapter).

    All of them must share one `ready` event. `paused(name)` (`""` is `own`) says from which
    nothing is to be taken for now.
    """

    def __init__(
        self,
        own: MqttSession,
        others: Mapping[str, MqttSession],
        ready: threading.Event,
        paused: Callable[[str], bool] = lambda name: False,
        doubles: Callable[[str, str], bool] = lambda name, topic: False,
    ) -> None:
        """`doubles(name, topic)`: a message of that topic comes through another session as well,
        and is taken there."""
        self._all: dict[str, MqttSession] = {"": own, **others}
        self._ready = ready
        self.paused = paused
        self._doubles = doubles
        self._turn = 0

    def start(self) -> None:
        """Connect all of them."""
        for session in self._all.values():
            session.start()

    def take(self, limit: int, wait_s: float) -> list[Arrival]:
        """Up to `limit` arrivals, in order for each session; waits up to `wait_s` for the first."""
        until = monotonic() + wait_s
        while True:
            self._ready.clear()
            out = self._taken(limit)
            left = until - monotonic()
            if out or left <= 0:
                return out
            for session in self._all.values():
                session.revive()
            self._ready.wait(left)

    def _taken(self, limit: int) -> list[Arrival]:
        """In turns, each beginning with another one, so that a flood in one starves nobody: a
        session takes the whole batch only when the others are empty."""
        names = [name for name in self._all if not self.paused(name)]
        if not names:
            return []
        self._turn += 1
        start = self._turn % len(names)
        out: list[Arrival] = []
        share = max(1, limit // len(names))
        for most in (share, limit):
            for name in (*names[start:], *names[:start]):
                room = min(most, limit - len(out))
                if room > 0:
                    out += self._from(name, room)
        return out

    def _from(self, name: str, limit: int) -> list[Arrival]:
        taken = self._all[name].taken(limit)
        if not name:
            return taken
        out: list[Arrival] = []
        dropped: list[Any] = []
        for a in taken:
            if self._doubles(name, a.topic):
                dropped.append(a.token)
            elif a.token is None:
                out.append(a)
            else:
                via = _Via(name, a.token)
                out.append(Arrival(a.topic, a.payload, a.received_at, a.retained, via))
        # in order: the session holds an acknowledgement back until those before it are given
        self._all[name].acknowledge_tokens([token for token in dropped if token is not None])
        return out

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """These are committed: each to the session it came through, in the order received."""
        told: dict[str, list[Any]] = {}
        for arrival in arrivals:
            token = arrival.token
            if type(token) is _Via:
                told.setdefault(token.name, []).append(token.token)
            elif token is not None:
                told.setdefault("", []).append(token)
        for name, tokens in told.items():
            self._all[name].acknowledge_tokens(tokens)

    def stop(self) -> None:
        """Disconnect all of them; what was not acknowledged comes again."""
        for session in self._all.values():
            session.stop()

    def health(self) -> dict[str, Any]:
        """Of the first one; each of the others tells of itself."""
        return self._all[""].health()
