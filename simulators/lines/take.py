"""What is ordered of the line studio and what it delivers: readings for detectors, truth for
scorecards. The two never meet: a detector gets `Take.city` and `Take.items` alone.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from contracts.city import City
from contracts.geo import Point
from contracts.nouns import Reading, Status

BREAKS = ("severed", "phase_open", "neutral_open")
"""What can be broken: all conductors of a span down; one or two phases of it open, the rest
standing; its neutral open (low voltage only)."""
CONFOUNDERS = (
    "planned_outage",
    "planned_unregistered",
    "customer_off",
    "upstream_outage",
    "recloser",
    "load_switching",
    "gateway_dead",
    "sensor_fault",
    "wind",
    "strike_only",
)
"""What looks like a break and is none. `planned_outage`: with a work order the city knows of;
`planned_unregistered`: a section switched off at its switch without one (what a detector may say is
an outage, never that a span is severed ... and cannot always know better: scored apart);
`strike_only`: something hit a pole and nothing broke."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one feeder: everything else follows from the seed."""

    seed: int
    feeder: str
    """`ieee123` or `ieee13` (OpenDSS files of the recordings), `town` (10 kV isolated neutral with
    its 0.4 kV four-wire nets, drawn from the seed), `village` (one transformer, 0.4 kV, drawn)."""
    happening: str | None
    """One of BREAKS or CONFOUNDERS; None: a quiet stretch (loads, noise, wind as usual)."""
    monitors: str = "everywhere"
    """`everywhere`: each pole or bus; `leaves`: transformers' low-voltage sides, ends and customers
    alone; `some`: a third of the poles. Voltages are phase to earth at 10 kV, phase to neutral at
    0.4 kV and of the low side at transformers; currents those of the conductors that feed a pole
    (that leave it, at a transformer and at the root). Meters report voltages alone."""
    before_s: float = 180.0
    """Time before the happening."""
    after_s: float = 240.0
    """Time after it; what broke stays broken."""
    reports_s: float = 60.0
    """Spacing of the regular reports; what changes by more than a dead band is reported at once."""
    loss: float = 0.05
    """Share of the reports that never arrive."""
    delay_s: float = 0.3
    """Median delay of a report (log-normal, sigma .6)."""


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A conductor parted."""

    what: str
    """One of BREAKS."""
    line: str
    span: str
    phases: tuple[int, ...]
    """Open phases, 1 to 3; empty for the neutral alone."""
    at: datetime
    point: Point
    """Where on the span."""
    owners: tuple[str, ...]
    """Whose cables parted there: the power company's, and telecom's or TV's on a shared span."""
    downed_ohm: float | None = None
    """Resistance to earth of the end that lies on the ground, the source's side; None: hangs
    free."""
    struck: datetime | None = None
    """When something hit the span before it broke (a crane, a tree); None: nothing did."""


class Confounder(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is no break."""

    what: str
    """One of CONFOUNDERS."""
    begin: datetime
    end: datetime
    assets: tuple[str, ...] = ()
    """Nodes, spans or devices it touches."""
    how: str = ""
    """In which way, where there are several: `stuck`, `sag`, `silent` ..."""


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run."""

    order: Order
    city: City
    """Devices, lines with owners, planned works: what a real city would have registered."""
    items: tuple[Reading | Status, ...]
    """In the order of receipt."""
    breaks: tuple[Break, ...] = ()
    confounders: tuple[Confounder, ...] = ()
    first_word: datetime | None = None
    """Receipt of the first report that could show the break: a voltage changed by a tenth of the
    rated one, the neutral by 7 %, a last gasp or a lost tension; None: none arrived."""
    showing: tuple[str, ...] = ()
    """Devices that would show the break so if all they report arrived."""
