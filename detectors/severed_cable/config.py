"""Settings of the severed cable detector."""

from __future__ import annotations

import msgspec


class SeveredCableConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When supply is lost, and how sure one must be.

    Weights compare what may have happened: 1 is a break of one span of middling length.
    """

    nominal_v: float = 230.0
    """Voltage taken as usual at low voltage until a monitor's own is learned (volts, phase to
    neutral)."""
    off_share: float = 0.1
    """A phase further than this from its usual voltage, as a share of it, is looked at; what it
    means is weighed by likelihoods. EN 50160 and GB/T 12325 allow 10 % at low voltage."""
    neutral_share: float = 0.07
    """A neutral that rose this far above its usual voltage to earth, as a share of the phases', is
    looked at: 16 V of 230. Unbalanced loads alone leave some volts."""
    record_share: float = 0.6
    """In a disturbance record a phase below this share of its voltage before the trigger is lost.
    Backfeed leaves up to 0.57 on an open phase (IEEE 123-node feeder, 964 OpenDSS cases)."""
    settle_s: float = 0.8
    """Monitors near a loss are heard out for this long before it is judged (seconds)."""
    again_s: float = 0.3
    """What comes later is judged this long after it came (seconds)."""
    switch_hold_s: float = 4.5
    """So long a loss that a switch would explain is taken for a recloser's dead time (seconds)."""
    hold_s: float = 10.0
    """A loss that shows in voltages alone is confirmed only after this long (seconds): reclosers
    of the field close again within 0.3 to 5 s, and word of it takes some seconds more."""
    suspect_p: float = 0.2
    """Published as suspected from this probability of a broken cable on."""
    drop_p: float = 0.05
    """A suspicion below this probability is withdrawn."""
    doubt_weight: float = 0.25
    """Supply lost above the line and one customer switched off look the same as a break to whoever
    cannot measure there. From `switch_hold_s` on a break that fits as well is suspected as if
    either weighed no more than this; the probabilities told stay what they are."""
    confirm_p: float = 0.95
    """Confirmed from this probability on, with two monitors or two kinds of evidence."""
    outage_weight: float = 0.3
    """Supply that fails above the line: this for each of its spans."""
    fault_weight: float = 0.7
    """One monitor that is wrong of itself."""
    customer_weight: float = 60.0
    """One customer that is switched off: a customer alone is never a cable."""
    switch_weight: float = 1.5
    """A switch that was opened and that nobody wrote down, or a fuse that blew ..."""
    recloser_weight: float = 15.0
    """... and the same within `switch_hold_s` of the loss."""
    work_weight: float = 1000.0
    """A planned work that switches off what it names."""
    group_s: float = 120.0
    """Losses further apart than this are different happenings (seconds), unless one explains the
    other."""
    skew_s: float = 1.0
    """Monitors' clocks may differ by this much (seconds)."""
    strike_ms2: float = 5.0
    """Vibration above this may be a strike on the line (m/s2, rms); the stronger, the surer."""
    strike_s: float = 60.0
    """A strike this long before a loss is its probable cause (seconds)."""
    tension_share: float = 0.5
    """A conductor below this share of its usual tension has come down."""
    tilt_deg: float = 15.0
    """A pole further than this from how it stood supports a loss; alone it says nothing: a real
    tower node passes 5 degrees 389 times a year."""
    near_m: float = 100.0
    """A device of the line's site belongs to the nearest node within this distance (metres)."""
    shown_p: float = 0.005
    """Spans less probable than this are not listed."""
    freeze_s: float = 900.0
    """After this long only restored supply changes what was told (seconds)."""
