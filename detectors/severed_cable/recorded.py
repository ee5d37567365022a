"""What a disturbance record lends: a recorder that sends no readings speaks by its records.

A record opens nothing by itself, as it is one device's word about one place; where others lost
supply at that time it is evidence of its own kind.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contracts.city import LineNode
from detectors._common.disturbance import Lost
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.expect import View
from detectors.severed_cable.happening import Happening
from detectors.severed_cable.monitors import EDGES, MEDIUM_V
from detectors.severed_cable.view import NOTHING_WEIGHT

THERE = sum(edge <= 1.0 for edge in EDGES)
"""The class of a voltage as usual."""


def belongs(lost: Lost | None, one: Happening, cfg: SeveredCableConfig) -> bool:
    """Whether a record tells of this happening. What was back within the record tells of none: a
    recloser's work, or a fault elsewhere."""
    if lost is None or lost.lasted_s is not None:
        return False
    group = timedelta(seconds=cfg.group_s)
    return one.since - group <= lost.at <= one.newest + group


def view_in(lost: Lost, node: LineNode, cfg: SeveredCableConfig) -> View:
    """What it says, as a report of the voltages it measured would."""
    gone = sum(lost.least >= edge for edge in EDGES)
    classes = [
        -1 if phase not in lost.of else gone if phase in lost.phases else THERE for phase in "abc"
    ]
    customer = node.what == "customer"
    own = (cfg.customer_weight if customer else cfg.fault_weight) / NOTHING_WEIGHT
    return View(
        medium=lost.usual_v >= MEDIUM_V,
        phases=(classes[0], classes[1], classes[2]),
        amps=(-1, -1, -1),
        neutral=-1,
        halves=(False, False, False),
        moved=-1,
        even=False,
        gasp=False,
        singles=len(lost.of),
        own=own,
        customer=customer,
        restless=0,
    )


def words(device: str, lost: Lost) -> tuple[str, str]:
    """(English, Chinese)."""
    phases = "".join(lost.phases).upper()
    return (
        f"the disturbance record of {device} shows phases {phases} gone from "
        f"{lost.at:%H:%M:%S} UTC to its end",
        f"{device}的录波显示{phases}相失压，直至录波结束",
    )


def told(device: str, node: str, lost: Lost) -> dict[str, Any]:
    """For the event's evidence."""
    return {"device": device, "node": node, **lost.told()}
