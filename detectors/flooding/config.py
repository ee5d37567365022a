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
    onset_share: float = 0.12
    """No forecast before the water has come this share of the way from its usual height to the
    closing line (2 cm of 15, 3 of 27): below it, ripples and debris look like rising water."""
    onset_m: float = 0.05
    """Water so far above its usual height (metres) moves that height but slowly."""
    street_chance: float = 0.3
    """Forecast that water in a street reaches its line from this probability on
    (`detectors/flooding/shape.py`); lower warns earlier and more often in vain ..."""
    horizon_s: float = 1200.0
    """... and when it is likely to do so within this time (seconds)."""
    fast_reports: float = 2.0
    """... or within this many more reports: rare reports must warn earlier."""
    fed: float = 1.25
    """Horizons are this many times as long while it rains or water rises upstream ..."""
    ebbing: float = 0.7
    """... and as this share of them once rain has stopped."""
    chance: float = 0.25
    """Forecast that a manhole overflows from this probability on (`detectors/flooding/chance.py`);
    lower warns earlier and more often in vain. One alarm in four comes true at this."""
    warn_readings: int = 2
    """This many readings in a row at or above the warning line are a flood."""
    clear_share: float = 0.7
    """Over once below this share of the way from the usual height to the warning line ..."""
    clear_s: float = 600.0
    """... for this long (seconds) ..."""
    hold_s: float = 7200.0
    """... and at a manhole for this long (seconds): showers of one storm come in waves, and each
    fills the same manholes again. On simulated sewers two hours instead of ten minutes warned of 3
    to 5 % more overflows for as many alarms in vain."""
    recede_share: float = 0.1
    """Receding once this share of the peak (above the usual height) is gone."""
    update_s: float = 60.0
    """At most one revision in this time (seconds), unless stage or severity changes."""
    stage_s: float = 600.0
    """A stage stays for this long before it turns back (seconds), unless severity rises."""
    moved_s: float = 300.0
    """A forecast that moved by more than this is worth a revision (seconds)."""
    forget_s: float = 43200.0
    """An open flood without any reading for this long is ended as unknown (seconds)."""
    base_s: float = 21600.0
    """How slowly the usual height follows rising water (time constant, seconds)."""
    base_wet_s: float = 86400.0
    """... from `onset_m` above it on, and how slowly it takes a new height for usual (time
    constant, seconds)."""
    base_fall_s: float = 1800.0
    """How slowly the usual height follows falling water (time constant, seconds)."""
    near_m: float = 30.0
    """A drain node within this distance lends a device its lines (metres)."""
    unusual_m: float = 0.15
    """A level sensor without any line: water this far above its usual height (metres), or further
    where it often goes that far by itself, is a flood of low severity; twice as far where the
    city's other such sensors are at rest. 15 cm in a street is ponding; of streams it is what tells
    storms (158 of them, kLabUM)."""
    learning_s: float = 86400.0
    """A sensor that was heard for less than this says that it is still learning (seconds)."""
