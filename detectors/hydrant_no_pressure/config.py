"""Settings of the hydrant detector; the defaults are the shipped ones."""

from __future__ import annotations

import msgspec


class HydrantConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a hydrant has no pressure. Pressures in kPa, times in seconds."""

    min_kpa: float = 100.0
    """Below this no fire can be fought: GB 50974-2014, 7.2.8, asks 0.10 MPa above ground of a
    municipal hydrant that gives 15 L/s (and 0.14 MPa of the main on ordinary days)."""
    dead_kpa: float = 20.0
    """Below this nothing comes at all: two metres of water."""
    fall_share: float = 0.25
    """A pressure that is lower than usual at this hour by this share of it has fallen ..."""
    fall_kpa: float = 60.0
    """... if it is also this much ..."""
    fall_noise: float = 6.0
    """... and this many times the usual deviation from the daily profile."""
    hold_s: float = 300.0
    """Below `min_kpa` for this long: water hammer rings for seconds, a pump that changes over is
    back within minutes."""
    hold_fall_s: float = 900.0
    """A fall that leaves more than `min_kpa` must last longer: filling a sprinkler truck takes ten
    minutes."""
    hold_readings: int = 2
    """... and at least so many reports say so."""
    rare_s: float = 3600.0
    """A hydrant that reports more rarely than this is suspected after one report."""
    together_s: float = 1800.0
    """Hydrants of a site that fall within this time fall together: a tank empties first."""
    together_share: float = 0.4
    """... if each falls by at least this share of the largest fall: a hydrant that is open takes
    less from its neighbours."""
    sag_share: float = 0.4
    """A neighbour has begun to fall at this share of what counts as fallen."""
    even_share: float = 0.6
    """All fallen, the least by this share of the most: the supply failed rather than one main."""
    back_share: float = 0.5
    """It is back when less than this share of the limit is missing ..."""
    back_kpa: float = 1.1
    """... and the pressure is this many times `min_kpa` ..."""
    back_s: float = 300.0
    """... for this long, and `hold_readings` reports."""
    learn_s: float = 86400.0
    """Until a day was heard the daily profile is being learned, and the event says so."""
    profile_s: float = 10800.0
    """An hour of the profile remembers this much of that hour: three days."""
    level_s: float = 1800.0
    """How slowly the level of the first day is followed up (time constant) ..."""
    level_fall_s: float = 7200.0
    """... and down: the morning takes its quarter within two hours, a draining tank its all."""
    cause_s: float = 3600.0
    """The cause may be told anew for this long; later the zone has found another balance."""
    adopt_s: float = 259200.0
    """A lower pressure above `min_kpa` that stays for so long is how the zone is run now."""
    forget_s: float = 86400.0
    """Nobody of an open event is heard for this long: ended as unknown."""
    battery_low_v: float = 3.2
    """Volts. Exactly 0 kPa from a gauge whose cell is below this is no reading."""
    frost_c: float = 0.0
    """At or below this temperature a dead hydrant may be frozen (°C)."""
    update_s: float = 300.0
    """At most one revision in this time, unless one hydrant's trouble turns out a zone's."""
