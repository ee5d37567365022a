"""What is ordered of the sewer studio and what it delivers: readings for detectors, truth for
scorecards. The two never meet: a detector gets `Take.city` and `Take.readings` alone.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from contracts.city import City
from contracts.nouns import Reading

FAULTS = (
    "stuck",
    "spike",
    "out_of_range",
    "drift",
    "dropout",
    "clock_skew",
    "debris",
)
"""Faults of an instrument. `debris`: something under an ultrasonic head, which reads too high."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one network: everything else follows from the seed."""

    seed: int
    network: str
    """`town`, or the name of a SWMM file (`user3`, `user4`, `Greenville_EPA`)."""
    hours: float = 36.0
    """Simulated time that readings cover, the hydraulic spin-up not among it."""
    storms: int = 1
    """Storms in it; 0 is dry weather."""
    return_years: tuple[float, float] = (0.5, 20.0)
    blockages: int = 0
    """Pipes that block in it, each over hours or at once; at most one at a time."""
    faults: float = 0.0
    """Share of the sensors that have a fault at some time."""
    outages: int = 0
    """Times that a gateway is away (its readings come late or never)."""
    reports_s: float = 60.0
    """Spacing of reports: 60, 300 or 900 s."""
    sensors: float = 0.4
    """Share of the manholes that have a level sensor."""
    gauges: int = 1
    """Rain gauges; 0: nobody measures rain."""


class Overflow(msgspec.Struct, frozen=True, kw_only=True):
    """Water came out of a manhole (or over a closing line)."""

    node: str
    begin: datetime
    end: datetime
    peak_m: float
    """Water above the invert at its highest."""


class Blockage(msgspec.Struct, frozen=True, kw_only=True):
    """A pipe lost its capacity."""

    pipe: str
    begin: datetime
    full: datetime
    """When it had lost all that it loses."""
    lost: float
    """Share of its open area lost in the end, 0..1."""
    effect: datetime | None
    """When a level anywhere first differed by 5 cm from the same run without the blockage; None:
    never (nobody could have noticed)."""
    sensed: datetime | None
    """The same, at a node that has a sensor."""
    cleared: datetime | None = None
    """When it was jetted free; None: not before the last reading."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument said something that was not so."""

    device: str
    metric: str
    what: str
    """One of FAULTS."""
    begin: datetime
    end: datetime


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """Rain fell."""

    begin: datetime
    end: datetime
    peak_mm_h: float


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway was away with all its devices."""

    gateway: str
    begin: datetime
    end: datetime
    lost: bool
    """Whether what came meanwhile never arrives; else it comes at the end, in one go."""
    devices: tuple[str, ...] = ()


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run."""

    order: Order
    city: City
    """Devices, drains with inverts, rims and pipes: what a real city would have registered."""
    readings: tuple[Reading, ...]
    """In the order of receipt."""
    overflows: tuple[Overflow, ...] = ()
    blockages: tuple[Blockage, ...] = ()
    faults: tuple[Fault, ...] = ()
    storms: tuple[Storm, ...] = ()
    sensed: dict[str, str] = {}
    """Device → the node it stands in."""
    outages: tuple[Outage, ...] = ()
