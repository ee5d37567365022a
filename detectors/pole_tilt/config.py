"""Settings of the leaning pole detector; the defaults are the shipped ones."""

from __future__ import annotations

import msgspec


class PoleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a pole leans. Angles in degrees against the pole's own rest, spans in hours."""

    slight_deg: float = 0.86
    """A lean that stays for `slight_h`: 15/1000, the most that the rules of operation allow a
    concrete pole (DL/T 741, Q/GDW 1519), as an angle."""
    slight_h: float = 48.0
    """Two whole days: the sun bends a pole and warms its sensor by the hour. Over so long a real
    tower's axes wander by 0.4° at most, its hours by 11° (measured, 28 days)."""
    lean_deg: float = 2.5
    """A lean that needs to stay for only `lean_h`."""
    lean_h: float = 12.0
    """Half a day: over so long a real tower's axes wander by 1.2° at most (hours, measured)."""
    far_deg: float = 5.0
    """... and a lean that needs to stay for only `far_h`."""
    far_h: float = 6.0
    """A storm's gusts change their side (a real tower: 2.9° over six hours, measured)."""
    single_times: float = 2.0
    """Of a sensor that says one angle, spans shorter than `slight_h` are this many times as long:
    it says more whenever it sways, to whichever side."""
    fallen_deg: float = 25.0
    """Nothing that stands sways so far (a real tower: 12°): told at its second report."""
    confirm_times: float = 1.5
    """Suspected becomes confirmed when it has stayed for this many times its span."""
    fallen_s: float = 1800.0
    """A fallen or struck pole is confirmed when it has stayed for so long (seconds): a fitter
    with the sensor in his hand is done sooner."""
    least_looks: int = 3
    """Hours with readings that a span must have; pole sensors that report once a day need three
    days."""
    sure_times: float = 1.5
    """The shift must pass the limit by so many of its standard errors: a swaying pole's mean is
    that much less known."""
    swing_h: float = 6.0
    """For so long gusts and weather of one direction last: readings nearer to one another in time
    are one sample (hours)."""
    noise_times: float = 3.0
    """No limit is nearer than this many times what this pole's days scatter by."""
    struck_mps2: float = 5.0
    """Vibration that speaks of a blow (m/s², rms; a swaying tower: 1.2, measured)."""
    struck_deg: float = 2.0
    """A blow and a change this large right after it are suspected at once."""
    struck_s: float = 600.0
    """Right after a blow (seconds)."""
    together: int = 2
    """So many other poles of the site that move at the same time say wind ..."""
    together_times: float = 3.0
    """... and what then still leans after so many times the span is told nevertheless."""
    creep_deg: float = 1.72
    """The rest itself has moved so far from where it was at first: 30/1000, where defect classes
    of distribution lines (Q/GDW 745) begin to call a concrete pole's lean critical."""
    creep_days: float = 14.0
    """... and is confirmed when it is so after as many days."""
    turned_deg: float = 120.0
    """No pole leans so far, lying down is 90°: the sensor was mounted anew."""
    learn_h: float = 24.0
    """The rest is known after a day ..."""
    rest_days: int = 14
    """... and is the median of the means of as many days ..."""
    lag_days: int = 5
    """... but for the last ones: a small lean may need so long to be told."""
    back_share: float = 0.5
    """Back is within this share of the limit."""
    adopt_days: float = 60.0
    """A pole that has leaned unchanged for so long is left so: its new rest."""
    forget_days: float = 14.0
    """Nobody heard an open event's pole for so long: ended as unknown."""
    gap_s: float = 86400.0
    """A change that was found after so long a silence may be a sensor mounted anew (seconds)."""
    update_deg: float = 2.0
    """A revision once the lean changed by more than this since the last one."""
