"""Settings of the street light detector; the defaults are the shipped ones."""

from __future__ import annotations

import msgspec


class LightConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a lamp is out. Times in seconds unless said, shares of what is usual at this hour."""

    night_deg: float = -6.0
    """Sun below this (degrees): every street light burns. Switching is due at 20 to 30 lx (CJJ
    45-2015); at the end of civil twilight there are 3 lx."""
    day_deg: float = 5.0
    """Sun above this (degrees): none needs to burn, also in rain."""
    nights: int = 3
    """A half hour that was heard in so many nights is known."""
    memory: int = 6
    """What is usual is the mean of about so many nights: sunset moves by a quarter of an hour a
    week."""
    should_share: float = 0.15
    """A half hour in which it usually burns with at least this share of its most: lamps are dimmed
    to 20 % at the least, an idle driver draws less than 10 %."""
    out_share: float = 0.3
    """Below this share of what is usual at this hour it does not burn as it should ..."""
    weak_share: float = 0.1
    """... and above this share it burns in part: that must last for `weak_s`."""
    floor: float = 0.03
    """Amperes (a hundred times that in watts and lux): below this nothing burns, whatever is
    usual. A lamp of 15 W draws 0.07 A."""
    hold_s: float = 1800.0
    """Out for this long ..."""
    hold_reports: int = 2
    """... and in so many reports: a discharge lamp that lost its arc in a dip of the voltage is
    back within 15 minutes."""
    weak_s: float = 86400.0
    """A lamp that burns in part must do so for this long: a new dimming profile shows in its
    neighbours by then."""
    confirm_s: float = 7200.0
    """Confirmed when it lasted so long, in twice as many reports."""
    day_s: float = 3600.0
    """Burning by day for this long: switched on by fitters for a look it is off again."""
    day_circuit_s: float = 10800.0
    """A circuit must burn by day for longer: thunderstorms are dark enough for its photocell for
    up to two hours."""
    together_s: float = 1800.0
    """Lamps that went out within this time (or a report's pause, if longer) went out together."""
    circuit_share: float = 0.6
    """So many of a circuit's lamps: the circuit."""
    circuit_lamps: int = 3
    """... or so many at once: a phase or a branch of it."""
    join_s: float = 14400.0
    """A lamp's event becomes its circuit's when others are found with it within this time."""
    drops: int = 3
    """A lamp that went out and on again so often ..."""
    drops_s: float = 43200.0
    """... within a night: a discharge lamp at its end, or a loose contact."""
    steady_s: float = 172800.0
    """It burns for good after two nights without."""
    back_reports: int = 2
    """It burns again in so many reports."""
    volts_share: float = 0.5
    """Supply is lost below this share of the usual voltage."""
    adopt_s: float = 604800.0
    """A circuit that is dark at these hours for a week while it has supply is run so now, and a
    lamp that has burned in part for so long was changed for another."""
    forget_s: float = 259200.0
    """Nobody of an open event was heard for so long: ended as unknown."""
    update_s: float = 1800.0
    """At most one revision in this time for members that join."""
