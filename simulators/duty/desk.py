"""The operator at the live town's center: sends another, verifies what no sensor can, closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.geo import Point
from contracts.kinds import OPEN_STAGES
from simulators.duty.center import Seen
from simulators.duty.manners import DeskManner
from simulators.duty.trouble import NEVER_SENSED

if TYPE_CHECKING:
    from simulators.duty.live import Crews

NAME = "operator"
UNSENSED = NEVER_SENSED | {"loud_sound", "patrol"}
"""Kinds whose end no sensor tells."""
SENSED_S = 900.0
"""The sensor has so long (of the town's time) to say that it is over, before somebody looks."""


class Operator:
    """One person at the desk."""

    def __init__(self, crews: Crews, manner: DeskManner) -> None:
        self._crews, self._manner = crews, manner
        self._sent: dict[str, set[str]] = {}

    def see(self, seen: Seen, old: Seen | None, change: str, ms: int) -> None:
        """A revision of any ticket."""
        crews, manner = self._crews, self._manner
        if seen.stage not in OPEN_STAGES:
            self._sent.pop(seen.id, None)
            return
        if seen.worker is not None:
            self._sent.setdefault(seen.id, set()).add(seen.worker)
        if change == "escalated" and seen.stage in ("dispatched", "returned"):
            crews.later(ms, manner.reassign_s, lambda now: self._send(seen.id))
        if old is not None and old.stage == seen.stage:
            return
        match seen.stage:
            case "returned" if seen.utility is not None and seen.worker is None:
                crews.later(ms, manner.reassign_s, lambda now: self._insist(seen.id))
            case "disposed" if seen.kind in UNSENSED:
                crews.later(ms, manner.verify_s, lambda now: self._verify(seen.id, now))
            case "disposed":
                crews.after(ms, SENSED_S, lambda now: self._verify(seen.id, now))
            case "verified":
                crews.later(ms, manner.close_s, lambda now: self._close(seen.id, now))

    def _send(self, ticket: str) -> None:
        """Nobody accepts: the next of those who were considered."""
        seen = self._crews.tickets[ticket]
        tried = self._sent.get(ticket, set())
        next_ = next((r.worker for r in seen.runners_up if r.worker not in tried), None)
        if next_ is not None and seen.worker is not None:
            self._crews.act(
                ticket,
                "reassign",
                NAME,
                lambda t: t.stage in ("dispatched", "returned") and t.worker == seen.worker,
                reason="无人接单",
                data={"worker": next_},
            )

    def _insist(self, ticket: str) -> None:
        """It is theirs after all: every simulated utility returns at random."""
        utility = self._crews.tickets[ticket].utility
        self._crews.act(
            ticket,
            "reassign",
            NAME,
            lambda t: t.stage == "returned" and t.utility == utility,
            reason="经核实属贵单位管辖",
            data={"utility": utility},
        )

    def _verify(self, ticket: str, ms: int) -> None:
        seen = self._crews.tickets[ticket]
        near = Point(seen.place.lon, seen.place.lat)
        if self._crews.ground.wrong(seen.kind, near, ms):
            if seen.stage == "disposed":  # the sensor will contradict it; look again then
                self._crews.after(ms, SENSED_S, lambda now: self._verify(ticket, now))
            return
        self._crews.act(
            ticket,
            "verify",
            NAME,
            lambda t: t.stage == "disposed",
            reason="现场核查已完成，见处置后照片",
        )

    def _close(self, ticket: str, ms: int) -> None:
        """What a sensor verified closes itself; a parent waits for its parts."""
        seen = self._crews.tickets[ticket]
        if seen.stage != "verified" or seen.reason.get("verification", {}).get("by") == "sensor":
            return
        parts = [t for t in self._crews.tickets.values() if t.parent == ticket]
        if any(t.stage in OPEN_STAGES for t in parts):
            self._crews.later(ms, self._manner.close_s, lambda now: self._close(ticket, now))
            return
        self._crews.act(ticket, "close", NAME, lambda t: t.stage == "verified")
