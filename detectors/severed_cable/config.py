"""Settings of the severed cable detector."""

from __future__ import annotations

import msgspec


class SeveredCableConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When supply is lost, and how sure one must be."""

    nominal_v: float = 230.0
    """Voltage taken as usual until a monitor's own is learned (volts, phase to neutral)."""
    lost_share: float = 0.6
    """A phase below this share of its usual voltage is lost. Backfeed through transformers leaves
    up to 0.57 on an open phase (IEEE 123-node feeder, 964 simulated cases)."""
    high_share: float = 1.12
    """With one phase above this share ..."""
    low_share: float = 0.88
    """... and another below this one, the neutral is open (127/272/316 V in a cut 0.4 kV net)."""
    neutral_v: float = 30.0
    """A neutral this far from earth is open (volts)."""
    settle_s: float = 0.25
    """Readings of one message and of neighbours are judged together after this long (seconds)."""
    hold_s: float = 2.0
    """A loss seen in voltages alone is confirmed only after this long (seconds): reclosers of the
    field switch back within it."""
    suspect_p: float = 0.3
    """Published as suspected from this probability of a broken cable on."""
    drop_p: float = 0.05
    """A suspicion below this probability is withdrawn."""
    confirm_p: float = 0.95
    """Confirmed from this probability on, with two monitors or two kinds of evidence."""
    outage_weight: float = 0.3
    """How common an upstream outage is, against 1 for all spans of the line together."""
    fault_weight: float = 0.1
    """How common one line monitor's own fault is, against 1 for one span."""
    customer_weight: float = 20.0
    """How common one customer switched off is, against 1 for one span: never a cable alone."""
    group_s: float = 120.0
    """Losses further apart than this are different happenings (seconds)."""
    skew_s: float = 1.0
    """Monitors' clocks may differ by this much (seconds)."""
    strike_ms2: float = 20.0
    """Vibration above this is a strike on the line (m/s2, rms)."""
    strike_s: float = 60.0
    """A strike this long before a loss is its probable cause (seconds)."""
    tension_share: float = 0.3
    """A conductor below this share of its usual tension has come down."""
    tilt_deg: float = 15.0
    """A pole further than this from how it stood supports a loss; alone it says nothing."""
    near_m: float = 100.0
    """A device of the line's site belongs to the nearest node within this distance (metres)."""
    shown_p: float = 0.01
    """Spans less probable than this are not listed."""
