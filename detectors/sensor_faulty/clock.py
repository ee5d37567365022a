"""Clock skew: a device's own time is persistently off from the moment its messages arrive.

Late alone is no fault: a gateway that was away sends a backlog, whose lag shrinks as it catches up
and which arrives faster than it was measured; another sends once in a quarter of an hour, and its
newest reading is then fresh. A clock that is off is off by the same time at every report.
"""

from __future__ import annotations

import msgspec

from detectors.sensor_faulty.told import Finding, spell

AHEAD_S = 30.0
"""A message from this far in the future (seconds) was not sent then: clocks that are set by the
network are good to seconds."""
BEHIND_S = 120.0
"""Radio networks and gateways deliver within this time (seconds) as a rule."""
REPORTS = 4
LASTS_S = 900.0
"""... for this long (seconds) and at least `REPORTS` reports."""
STEADY_S, STEADY_SHARE = 60.0, 0.1
"""The lag of one that is off varies by this at most (seconds; share of it)."""


class ClockWatch(msgspec.Struct):
    """State of one device's clock. Times are epoch seconds of receipt."""

    reports: int = 0
    """In a row with a lag that is off by the same."""
    since: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def see(self, lag: float, received: float) -> bool:
        """One report whose `lag` (received less sent, seconds) is not as it should be. Whether the
        clock must be off."""
        low, high = min(self.low, lag), max(self.high, lag)
        if not self.reports or high - low > max(STEADY_S, STEADY_SHARE * abs(low)):
            self.reports, self.since = 1, received
            self.low = self.high = lag
            return False
        self.low, self.high = low, high
        self.reports += 1
        lasted = received - self.since
        return self.reports >= REPORTS and lasted >= LASTS_S

    @property
    def off(self) -> float:
        """By how much (seconds); positive: behind."""
        return 0.5 * (self.low + self.high)

    def finding(self, received: float) -> Finding:
        """What is to be told."""
        en, zh = spell(self.off)
        way, zh_way = ("behind", "慢") if self.off > 0 else ("ahead", "快")
        return Finding(
            "clock_skew",
            "",
            self.since,
            received,
            f"its clock is {en} {way}: the same at {self.reports} reports in a row",
            f"设备时钟{zh_way}{zh}：连续{self.reports}次上报均如此",
            {"off_s": round(self.off, 1), "reports": float(self.reports)},
        )
