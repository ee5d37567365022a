"""How much everybody has on their hands: open tickets, and offers nobody has answered yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from contracts.case import Ticket

HANDS_FULL = frozenset({"dispatched", "accepted", "arrived", "reworked", "returned"})
"""Stages in which somebody has something to do there; what is done and waits to be verified or
closed keeps nobody."""
Told = Callable[[str, int, int], None]
"""Called with (worker, open tickets, unanswered offers) when either changed."""


class Load(Mapping[str, int]):
    """Open tickets of each worker, as the one sent or as a helper. Follows from the tickets alone.

    `follow` has somebody told of every change, so that nobody need count again.
    """

    def __init__(self) -> None:
        self._tasks: Counter[str] = Counter()
        self._offers: Counter[str] = Counter()
        self._followers: list[Told] = []

    def __getitem__(self, worker: str) -> int:
        """Their open tickets."""
        return self._tasks[worker]

    def __iter__(self) -> Iterator[str]:
        """Who has any."""
        return iter(self._tasks)

    def __len__(self) -> int:
        """How many have any."""
        return len(self._tasks)

    def get(self, worker: str, default: int = 0) -> int:  # type: ignore[override]
        """Their open tickets."""
        return self._tasks.get(worker, default)

    def offers(self, worker: str) -> int:
        """Tickets sent to them that they have neither accepted nor returned."""
        return self._offers.get(worker, 0)

    def follow(self, told: Told) -> None:
        """Have every later change told."""
        self._followers.append(told)

    def change(self, old: Ticket | None, new: Ticket | None) -> None:
        """A ticket became this revision (None: was not known; is no longer kept)."""
        before, after = Counter(_busy(old)), Counter(_busy(new))
        asked, asks = Counter(_offered(old)), Counter(_offered(new))
        if before == after and asked == asks:
            return
        for worker in {*before, *after, *asked, *asks}:
            tasks = _move(self._tasks, worker, after[worker] - before[worker])
            offers = _move(self._offers, worker, asks[worker] - asked[worker])
            for told in self._followers:
                told(worker, tasks, offers)


def _move(counter: Counter[str], worker: str, by: int) -> int:
    count = counter[worker] + by
    if count:
        counter[worker] = count
    else:
        counter.pop(worker, None)
    return count


def _busy(ticket: Ticket | None) -> list[str]:
    """Who has their hands full with it."""
    if ticket is None or ticket.stage not in HANDS_FULL:
        return []
    return [*([ticket.worker] if ticket.worker else []), *ticket.helpers]


def _offered(ticket: Ticket | None) -> list[str]:
    """Who has it before them and has not said yes or no."""
    if ticket is None or ticket.stage not in HANDS_FULL:
        return []
    sent = [ticket.worker] if ticket.worker and ticket.stage == "dispatched" else []
    asked = {hand.worker for hand in ticket.hands if hand.state == "requested"}
    return [*sent, *(worker for worker in ticket.helpers if worker in asked)]
