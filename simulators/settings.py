"""What may be set about the simulated town."""

from __future__ import annotations

import msgspec

from contracts.errors import Wrong


class SimSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The demo town's knobs. Times in seconds unless the name says otherwise."""

    seed: int = 7
    """Picks the town's details, its noise and its incidents; any integer will do."""
    warm_h: float = 0.0
    """Hours of history published as late batches before going live; 0 publishes none."""
    history_every_s: float = 60.0
    """Spacing of the history's readings."""
    speed: float = 1.0
    """Virtual seconds per second; other than 1 only with a service on the simulator's clock."""
    first_incidents_s: tuple[float, float] = (10.0, 25.0)
    """After going live, the first throw and the first severed cable come within this window."""
    first_overflow_s: tuple[float, float] = (2.0, 8.0)
    """After going live, the first water comes onto a road within this window: a flood needs half
    a minute more to be deeper than a wet road."""
    throw_every_s: float = 180.0
    """Mean time between later throws, over all towers; 0: only the first."""
    cable_every_s: float = 1800.0
    """Mean time between severed spans; 0: only the first."""
    cable_restored_s: float = 600.0
    """A severed span is spliced after this time."""
    crane_p: float = 0.3
    """Share of the later severed spans that a passing crane tears over the main road, together with
    telecom's and television's cables and the fibre that crosses there. The first one is a crane
    too, elsewhere on that road."""
    storm_every_s: float = 7200.0
    """Mean time between storms; 0: only the first."""
    fibre_first_s: float = 240.0
    """The first break of the fibre comes this long after going live; 0: never any."""
    fibre_every_s: float = 3600.0
    """Mean time between fibre breaks; 0: only the first."""
    fibre_restored_s: float = 720.0
    """A broken fibre is spliced after this time."""
    cover_first_s: float = 540.0
    """The first manhole cover is opened this long after going live; 0: never any."""
    cover_every_s: float = 5400.0
    """Mean time between opened covers; 0: only the first."""
    hydrant_first_s: float = 360.0
    """The first trouble of the water mains comes this long after going live; 0: never any."""
    hydrant_every_s: float = 5400.0
    """Mean time between troubles of the water mains; 0: only the first."""
    lamp_first_s: float = 10800.0
    """The first street light dies this long after going live; 0: never any."""
    lamp_every_s: float = 43200.0
    """Mean time between dying street lights; 0: only the first."""
    pole_first_s: float = 14400.0
    """The first pole is hit this long after going live; 0: never any."""
    pole_every_s: float = 86400.0
    """Mean time between poles that are hit; 0: only the first."""
    blockage_first_s: float = 5400.0
    """The first drain begins to block this long after going live (or 20 min after the rain, if that
    is later); 0: never any."""
    blockage_every_s: float = 21600.0
    """Mean time between blockages; 0: only the first."""
    blockage_grows_s: tuple[float, float] = (1800.0, 7200.0)
    """A blocking pipe loses its capacity over a time between these."""
    blockage_cleared_s: float = 10800.0
    """A blocking pipe is jetted free this long after it began."""
    sensor_fault_first_s: float = 1800.0
    """The first water level sensor goes wrong this long after going live; 0: never any."""
    sensor_fault_every_s: float = 5400.0
    """Mean time between sensor faults; 0: only the first."""
    sensor_fault_s: float = 2700.0
    """A sensor is wrong for this long."""
    gateway_outage_first_s: float = 3600.0
    """The first drain gateway falls silent this long after going live; 0: never any."""
    gateway_outage_every_s: float = 7200.0
    """Mean time between silent gateways; 0: only the first."""
    gateway_outage_s: float = 600.0
    """A gateway is away for about this long; what it has kept then comes in one go."""
    cameras: int = 3
    """How many of the three towers have their camera on; 0: no video."""
    fps: int = 15
    """Pictures per second of the cameras."""
    segment_s: int = 1
    """Length of one video segment."""
    ambient_s: int = 20
    """Quiet footage repeats after this time; each piece is rendered and encoded once."""
    passage_every_s: float = 60.0
    """Mean time between birds, leaves and bags in front of each camera; 0: none."""
    worker_every_s: tuple[float, float] = (10.0, 20.0)
    """Each worker's app reports its position at a period of its own between these."""
    crews_pace: float = 1.0
    """How many times faster than in life crews answer and work; ways take their time."""
    trace_every_s: float = 60.0
    """How often the OTDR measures the fibre."""
    duplicate_p: float = 0.004
    """Share of telemetry messages a gateway sends twice."""
    reorder_p: float = 0.002
    """Share of telemetry messages that are overtaken by the next one of their device."""

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated, saying what is allowed."""
        rules: tuple[tuple[str, bool, str], ...] = (
            ("warm_h", 0 <= self.warm_h <= 72, "0 to 72"),
            ("speed", 0 < self.speed <= 600, "above 0, up to 600"),
            ("cameras", 0 <= self.cameras <= 3, "0 to 3"),
            ("fps", 5 <= self.fps <= 30, "5 to 30"),
            ("segment_s", 1 <= self.segment_s <= 10, "1 to 10"),
            ("ambient_s", self.ambient_s >= 2 * self.segment_s, "at least two segments"),
            ("blockage_cleared_s", 1800 <= self.blockage_cleared_s <= 43_200, "1800 to 43200"),
            ("crews_pace", 0.1 <= self.crews_pace <= 1000, "0.1 to 1000"),
            ("history_every_s", self.history_every_s >= 5, "5 or more"),
            ("trace_every_s", self.trace_every_s >= 5, "5 or more"),
            ("crane_p", 0 <= self.crane_p <= 1, "0 to 1"),
            ("duplicate_p", 0 <= self.duplicate_p <= 0.5, "0 to 0.5"),
            ("reorder_p", 0 <= self.reorder_p <= 0.5, "0 to 0.5"),
        )
        for name, good, allowed in rules:
            if not good:
                raise Wrong(f"simulate: {name}", f"{getattr(self, name)!r}", allowed)
        for name in (
            "first_incidents_s",
            "first_overflow_s",
            "worker_every_s",
            "blockage_grows_s",
        ):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise Wrong(f"simulate: {name}", f"({low}, {high})", "two rising positive numbers")
        if self.ambient_s % self.segment_s:
            raise Wrong("simulate: ambient_s", f"{self.ambient_s}", "a multiple of segment_s")
