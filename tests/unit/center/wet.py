"""A flood in the small town with all that a chart of it shows."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.city import DrainNetwork
from contracts.clock import iso
from tests.unit.center.scene import Scene

RAINY, SENSOR, ABOVE, BELOW = "lvl-3", "lvl-4", "lvl-3", "lvl-6"
"""`lvl-5` is away: the next sensor below is `lvl-6`."""


def drench(scene: Scene) -> None:
    """Rims, sensors and a gauge for the town's drains, and three hours of readings of a storm."""
    drains = scene.city.drains
    assert drains is not None
    nodes = {
        name: msgspec.structs.replace(node, invert_m=1.0, rim_m=3.2, close_m=2.0, warn_m=1.6)
        for name, node in drains.nodes.items()
    }
    metrics = {RAINY: ("level", "rain_rate"), "lvl-5": ("flow",)}
    devices = {
        name: msgspec.structs.replace(device, metrics=metrics.get(name, ("level",)))
        for name, device in scene.city.devices.items()
        if name.startswith("lvl-")
    }
    scene.city = msgspec.structs.replace(
        scene.city,
        devices={**scene.city.devices, **devices},
        drains=DrainNetwork(nodes=nodes, pipes=drains.pipes),
    )
    now = scene.desk.clock.now()
    rows = scene.desk.things.setdefault("readings", {})
    for minute in range(180):
        at = now - timedelta(minutes=179 - minute)
        rise = 1 / (1 + math.exp((150 - minute) / 14))
        rain = 42 * math.exp(-(((minute - 120) / 22) ** 2))
        for device, metric, value in (
            (SENSOR, "level", 0.12 + 1.5 * rise),
            (ABOVE, "level", 0.1 + 0.9 * rise),
            (BELOW, "level", 0.2 + 0.4 * rise),
            (RAINY, "rain_rate", rain if rain > 0.5 else 0.0),
        ):
            rows[f"{device} {metric} {minute}"] = row(device, metric, value, at)


def row(device: str, metric: str, value: float, at: datetime) -> dict[str, Any]:
    """A reading as the API shows it."""
    return {"device": device, "metric": metric, "value": value, "at": iso(at), "quality": []}


def rising(now: datetime) -> dict[str, Any]:
    """What the flooding detector says of it."""
    return {
        "value": 1.47, "metric": "level", "rate": 0.0003, "stage": "forecast",
        "overflow_at": {key: iso(now + timedelta(minutes=m)) for key, m in
                        (("low", 12), ("at", 25), ("high", 50))},
        "lines": {"warn": 1.6, "close": 2.0, "source": "city"},
        "curve": [[iso(now - timedelta(minutes=30 - m)), 0.5 + m / 30] for m in range(31)],
        "units": {"value": "m"},
    }  # fmt: skip
