"""Settings of the fibre break detector."""

from __future__ import annotations

import msgspec


class FibreBreakConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much nearer the end of a fibre must be before it is a break."""

    tolerance_m: float = 12.0
    """The end may always wander by this much between traces (metres) ..."""
    tolerance_share: float = 0.0005
    """... and by this share of the fibre's length: instruments of the field repeat to 10 m on
    42 km; index of refraction, temperature."""
    tolerance_pulses: float = 1.0
    """... and by this many pulse lengths (or blocks of eight samples, where those are longer)."""
    drop_db: float = 5.0
    """Beyond a break the light is weaker than in the healthy trace by at least this (dB)."""
    drop_share: float = 0.9
    """... over at least this share of the way from the break to the healthy end, where the trace
    alone shows no end."""
    same_wavelength_nm: float = 20.0
    """Added losses are only looked for between traces no further apart in wavelength."""
    bends: bool = False
    """Whether light that passes on weaker (a macro-bend, a bad splice) opens an event too, with
    `what` = `bend`; else only cuts do."""
    bend_db: float = 0.5
    """The least such loss (dB)."""
    learn_traces: int = 1
    """Without a baseline from the city, this many whole traces are learned first."""
    whole_traces: int = 1
    """A break is over after this many whole traces."""
