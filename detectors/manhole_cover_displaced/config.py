"""Settings of the manhole cover detector; the defaults are the shipped ones."""

from __future__ import annotations

import msgspec


class CoverConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a cover counts as displaced. Angles in degrees, against the cover's own rest."""

    open_deg: float = 10.0
    """A sudden change this large is suspected after one report: the alarm angle that makers of
    cover terminals ship (10°, some 15°), of |angle - angle at rest|."""
    lifted_deg: float = 30.0
    """From here on no wheel explains it (a loose cover rocks by a few degrees): told at once."""
    shift_deg: float = 4.0
    """A smaller change counts when it stays: one edge on the road. A seat 50 mm deep (EN 124, class
    D 400, depth of insertion) under a cover of 700 mm gives 4.1°."""
    shift_readings: int = 3
    """... for this many reports in a row ..."""
    shift_s: float = 1800.0
    """... over at least this time (seconds), all of them at the same angle."""
    noise_times: float = 6.0
    """No limit is nearer than this many times the usual deviation of this sensor: instruments on a
    real tower scatter by 0.3° to 2° (mean absolute deviation, measured)."""
    wait_s: float = 60.0
    """A change between `open_deg` and `lifted_deg` waits this long for another report (seconds): a
    terminal that a lorry woke says within seconds that it lies still again."""
    confirm_s: float = 10.0
    """Reports that confirm one another span at least this time (seconds): one shock rings for
    less."""
    again_share: float = 0.8
    """A report confirms an earlier one when it is beyond this share of the limit."""
    sudden_share: float = 0.5
    """Sudden is what came in one step by at least this share of the change; the rest is drift."""
    level_deg: float = 15.0
    """A new sensor's first angle is believed as its rest only below this: roads are level to a few
    degrees, a terminal in a fitter's hand is not."""
    rest_s: float = 21600.0
    """How slowly the rest follows what is usual (time constant, seconds): settling of the road and
    the day's warmth are slower or smaller than the limits, a lever is not."""
    learn_readings: int = 5
    """Until so many reports were heard the rest is their median, and the event says so."""
    learn_s: float = 3600.0
    """... and until so much time has passed (seconds)."""
    young_s: float = 86400.0
    """A sensor younger than this that was first heard askew and then lies level was put right
    (seconds): its rest is the level one."""
    close_share: float = 0.5
    """Back is within this share of the limit that was passed ..."""
    close_readings: int = 2
    """... for this many reports in a row."""
    adopt_s: float = 604800.0
    """A cover that lies still at its new angle for this long was put there (seconds)."""
    surcharge_s: float = 1800.0
    """Water at the rim within this time explains a moved cover (seconds)."""
    surcharge_m: float = 0.05
    """Water this far below the rim, or this deep over the road, presses on the cover (metres)."""
    near_m: float = 15.0
    """A water sensor within this distance stands in the same manhole (metres)."""
    shock_mps2: float = 5.0
    """Vibration that speaks of a blow (m/s² rms): half of the weight that holds it down."""
    shock_s: float = 120.0
    """A blow this short before the change explains it (seconds)."""
    update_deg: float = 10.0
    """A revision once the angle moved by more than this since the last one (degrees)."""
