"""A torn cable in the small town with all that a chart of it shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from contracts.city import Device, LineNetwork
from contracts.clock import iso
from tests.unit.center.scene import LAT, LON, STEP, Scene
from tests.unit.center.wet import row

METRICS = ("voltage_a", "voltage_b", "voltage_c", "last_gasp")


def tear(scene: Scene) -> None:
    """Monitors on the town's poles, ten minutes of voltages, behind `t5` none since the moment."""
    (line,) = scene.city.lines
    nodes = {
        name: msgspec.structs.replace(node, device=f"lm-{name}")
        for name, node in line.nodes.items()
    }
    nodes["t0"] = msgspec.structs.replace(nodes["t0"], what="transformer")
    devices = {
        f"lm-{name}": Device(
            id=f"lm-{name}", district="wenhui", type="line_monitor", point=node.point,
            reports_every_s=30.0, metrics=METRICS,
        )
        for name, node in nodes.items()
    }  # fmt: skip
    scene.city = msgspec.structs.replace(
        scene.city,
        devices={**scene.city.devices, **devices},
        lines=(LineNetwork(id="l1", nodes=nodes, spans=line.spans, root="t0"),),
    )
    now = scene.desk.clock.now()
    rows = scene.desk.things.setdefault("readings", {})
    for k in range(20):
        at = now - timedelta(seconds=30 * (19 - k))
        for n in range(11):
            gone = n > 4 and k >= 10
            for phase in "abc":
                value = 4.0 if gone else 231.0 + n / 10
                metric = f"voltage_{phase}"
                rows[f"{n} {metric} {k}"] = row(f"lm-t{n}", metric, value, at)
            if n == 6 and k == 10:
                rows["gasp"] = row("lm-t6", "last_gasp", 1.0, at)


def torn(scene: Scene) -> dict[str, Any]:
    """What the detector says of it."""
    return {
        "spans": [["sp4", 0.88], ["sp5", 0.09], ["sp3", 0.03]], "what": "severed",
        "point": {"lon": LON + 2.75 * STEP, "lat": LAT + 2.65 * STEP}, "error_m": 24.0,
        "state": "confirmed", "owners": ["power", "telecom"],
        "ruled_out": [{"what": "upstream_outage", "p": 0.002}, {"what": "recloser", "p": 0.0}],
        "lost": ["t5", "t6", "t7", "t8", "t10"], "there": ["t0", "t1", "t2", "t3", "t4"],
        "unknown": ["t9"], "alternatives": [{"what": "switching", "p": 0.08}],
        "why": ["5 monitors lost supply"], "why_zh": ["5个监测点失电"],
        "records": [
            {"device": "rec-1", "phases": "abc", "least": 0.02, "lasted_s": None,
             "at": iso(scene.desk.clock.now() - timedelta(seconds=270))}
        ],
    }  # fmt: skip
