"""What a metric may read at one place: no higher than its manhole, no more than a pipe carries."""

from __future__ import annotations

from typing import Final

import msgspec

from contracts.city import Device
from contracts.detector import Site
from detectors._common.water.graph import rim_of
from detectors.sensor_faulty.metrics import ANY, METRICS, Metric

ABOVE_RIM_M: Final = 4.0
"""A level this far above the rim of its manhole (metres) is no water: it spreads over the street,
and a bolted cover lifts."""
BRIM: Final = 0.9
"""Share of the depth of a manhole from which on water may stand still by itself: it overflows."""
FASTEST_M_S, BACK_M_S = 6.0, 2.0
"""Design guides stop water in sewers at 3 to 5 m/s to spare the pipe; back up it is driven by a
surcharge alone."""
SPIKE_M_S = 0.4
"""A spike of a flow is worth telling when it is a quarter of what fills the pipe at 1.5 m/s."""
WIDEST = 2.5
"""Boxes are at most so many times as wide as high as a rule."""


def metric_of(site: Site, device: Device | None, name: str) -> Metric:
    """The metric's limits and traits for that device. `site.drains` has the nodes that devices
    stand at and the pipes they measure, under the devices' own ids."""
    metric = METRICS.get(name, ANY)
    if device is None or site.drains is None:
        return metric
    if name == "level":
        depth = rim_of(site.drains.nodes.get(device.id))
        if depth is None:
            return metric
        high = min(metric.high, depth + ABOVE_RIM_M)
        return msgspec.structs.replace(metric, high=high, brim=BRIM * depth)
    if name == "flow":
        pipe = site.drains.pipes.get(device.id)
        if pipe is None or not pipe.diameter_m:
            return metric
        most = WIDEST * pipe.diameter_m**2
        return msgspec.structs.replace(
            metric,
            low=max(metric.low, -BACK_M_S * most),
            high=min(metric.high, FASTEST_M_S * most),
            spike=max(metric.spike, SPIKE_M_S * pipe.diameter_m**2),
        )
    return metric
