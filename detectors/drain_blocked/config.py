"""Settings of the blocked-drain detector; the defaults are the shipped ones."""

from __future__ import annotations

import msgspec


class DrainBlockedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When water stands where it should not, and how sure to be which pipe holds it back."""

    near_m: float = 30.0
    """A sensor stands at the nearest manhole within this distance unless its name says which
    (metres)."""
    rain_reach_m: float = 10_000.0
    """A rain gauge tells of every sensor within this distance (metres)."""
    reach_m: float = 2000.0
    """A blockage is looked for so far below a sensor (metres of pipe)."""
    least_m: float = 0.035
    """Differences from the usual level below this say nothing (metres): waves, solids, the
    instrument's own noise."""
    sigmas: float = 4.0
    """... nor differences below so many usual spreads of this sensor, or of all sensors now."""
    dry_spread: float = 0.12
    """In dry weather no more than this of the spread among all sensors counts against one
    (logarithm of flow): a blockage itself spreads them."""
    wet_spread: float = 0.4
    """Sensors differ by this at least while it rains (logarithm of flow): streets and homes do not
    share the same catchment."""
    full_factor: float = 4.2
    """From this common factor on (logarithm: 67 times the dry flow) sewers press everywhere, and
    one that does is no sign."""
    ebb_s: float = 14_400.0
    """How slowly sewers empty after rain (time constant, seconds)."""
    ebb_least_m: float = 0.1
    """Until they have, differences below so much more say nothing (metres)."""
    wet_factor: float = 1.25
    """Differences count for so much less while it rains and shortly after."""
    wet_least_m: float = 0.2
    """... and those below this say nothing then (metres)."""
    least_rise_m: float = 0.04
    """... nor, where a sensor stands in backwater, differences of two levels below this."""
    least_band: float = 0.35
    """Two sensors with the same water differ by less than this as a rule (logarithm of flow: a
    factor of 1.4)."""
    wet_band: float = 1.0
    """Two sensors with the same water may differ by so much more then (logarithm of flow)."""
    young_band: float = 0.6
    """... and by so much over the hours since both were first heard."""
    unknown_band: float = 1.0
    """A sensor may differ by so much more where no common rhythm is known: households' flow goes
    from a third to one and a half of its mean within a day (Metcalf & Eddy, fig. 3-5)."""
    dry_after_s: float = 7200.0
    """The sewers run as in dry weather so long after rain (seconds)."""
    wet_mm_h: float = 0.2
    """Rain from this rate on (mm/h); below, gauges drip."""
    hold_s: float = 600.0
    """A difference must last so long (seconds) and for `hold_readings`."""
    wet_hold_s: float = 1500.0
    """... and so long while it rains and shortly after: a wave needs that to pass."""
    blind_hold_s: float = 14_400.0
    """... and so long where there is neither a rain gauge nor three other sensors: any shower looks
    like a blockage at first."""
    hold_readings: int = 3
    """A difference must stand in so many readings."""
    open_odds: float = -0.1
    """Log-odds of a blockage against sensor faults from which somebody is sent."""
    blockage_odds: float = -2.5
    """Log-odds that a pipe is blocked before any evidence, as weighed against `fault_odds`."""
    fault_odds: float = -3.0
    """Log-odds that a lasting difference at one sensor is that sensor's fault."""
    clear_s: float = 1800.0
    """Over once all is as usual for this long (seconds)."""
    update_s: float = 900.0
    """At most one revision in this time (seconds), unless the likeliest pipe changes."""
    forget_s: float = 43_200.0
    """An open episode whose sensors say nothing for this long is ended as unknown (seconds)."""
    learn_s: float = 21_600.0
    """How slowly the usual level follows (time constant, seconds)."""
    young_s: float = 10_800.0
    """A sensor heard for less than this is still learning (seconds)."""
