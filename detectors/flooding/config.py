"""Settings of the flooding detector; the defaults are the shipped ones."""

from __future__ import annotations

import msgspec


class FloodingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When water is a flood, and how far ahead to look."""

    depth_warn_m: float = 0.15
    """Depth over a road that counts as ponding where the city names no line (metres). City
    management files 道路积水 above 15 cm."""
    depth_close_m: float = 0.27
    """Depth at which a road is closed where the city names no line (metres). Beijing closes
    underpasses above 27 cm."""
    rim_warn_share: float = 0.8
    """For a level without lines but with a known rim: warn at this share of the way from the
    invert to the rim, and take the rim as the line of overflow."""
    onset_share: float = 0.18
    """No forecast before the water has come this share of the way from its usual height to the
    closing line (5 cm of 27 cm): below it, ripples and debris look like rising water."""
    window_s: float = 600.0
    """Readings the robust slope looks back on (seconds), at least `window_readings` of them."""
    window_readings: int = 4
    """The slope looks back on at least this many readings, also when they come rarely."""
    horizon_s: float = 900.0
    """Forecast when the robust slope reaches the closing line within this time (seconds)."""
    fast_horizon_s: float = 300.0
    """Forecast on one step's slope when that reaches the line within this time (seconds)."""
    fast_reports: float = 2.0
    """... or before this many more reports would have come: rare reports must warn earlier."""
    warn_readings: int = 2
    """This many readings in a row at or above the warning line are a flood."""
    clear_share: float = 0.7
    """Over once below this share of the way from the usual height to the warning line ..."""
    clear_s: float = 600.0
    """... for this long (seconds)."""
    recede_share: float = 0.1
    """Receding once this share of the peak (above the usual height) is gone."""
    update_s: float = 60.0
    """At most one revision in this time (seconds), unless stage or severity changes."""
    stage_s: float = 600.0
    """A stage stays for this long before it turns back (seconds), unless severity rises."""
    interval_low: float = 0.7
    """A forecast's early bound is at most this share of the time it gives: of 333 forecasts on
    113 real street floods that came, 10 % came sooner (FloodNet NYC)."""
    interval_high: float = 3.8
    """... and its late bound at least this many times as long: 10 % came later, for rising water
    slows down."""
    moved_s: float = 300.0
    """A forecast that moved by more than this is worth a revision (seconds)."""
    forget_s: float = 43200.0
    """An open flood without any reading for this long is ended as unknown (seconds)."""
    base_s: float = 21600.0
    """How slowly the usual height follows rising water (time constant, seconds)."""
    base_fall_s: float = 1800.0
    """How slowly the usual height follows falling water (time constant, seconds)."""
    near_m: float = 30.0
    """A drain node within this distance lends a device its lines (metres)."""
    unusual_m: float = 0.15
    """A level sensor without any line: water this far above its usual height (metres), or further
    where it often goes that far by itself, is a flood of low severity. 15 cm in a street is
    ponding; of streams it is what tells storms (158 of them, kLabUM)."""
