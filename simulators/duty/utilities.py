"""The utilities of the live town: a dispatch desk that answers, a crew that comes and mends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from contracts.geo import Point
from simulators.dice import dice
from simulators.duty.center import Seen
from simulators.duty.manners import UtilityManner, lognormal
from simulators.duty.worker import AFTER

if TYPE_CHECKING:
    from simulators.duty.live import Crews


class UtilityCrews:
    """All utilities: their parts, and tickets that went to nobody else."""

    def __init__(self, crews: Crews, manner: UtilityManner) -> None:
        self._crews, self._manner = crews, manner

    def see(self, seen: Seen, old: Seen | None, ms: int) -> None:
        """A revision of any ticket."""
        if seen.utility is None or seen.worker is not None:
            return
        if old is not None and (old.stage, old.utility) == (seen.stage, seen.utility):
            return
        by, manner = f"utility:{seen.utility}", self._manner
        rng = dice(self._crews.seed, "utility", seen.id, seen.stage, seen.rev)

        def still(stage: str) -> Callable[[Seen], bool]:
            return lambda t: t.utility == seen.utility and t.stage == stage

        def press(action: str, reason: str | None = None) -> Callable[[int], None]:
            return lambda now: self._crews.act(
                seen.id, action, by, still(seen.stage), reason=reason
            )

        match seen.stage:
            case "dispatched":
                after = lognormal(rng, manner.answer_s, manner.sigma)
                refuses = rng.random() < manner.refuses
                what = press("return", "非我单位管辖") if refuses else press("accept")
                self._crews.later(ms, after, what)
            case "accepted":
                after = lognormal(rng, manner.arrive_s, manner.sigma)
                self._crews.later(ms, after, press("arrive"))
            case "arrived" | "reworked":
                after = lognormal(rng, manner.restore_s, manner.sigma)
                self._crews.later(ms, after, lambda now: self._restore(seen, now))

    def _restore(self, seen: Seen, ms: int) -> None:
        def still(t: Seen) -> bool:
            return t.utility == seen.utility and t.stage == seen.stage

        if still(self._crews.tickets[seen.id]):
            near = Point(seen.place.lon, seen.place.lat)
            self._crews.ground.mend(seen.kind, near, seen.utility, ms)
            by = f"utility:{seen.utility}"
            self._crews.act(seen.id, "dispose", by, still, data=AFTER)
