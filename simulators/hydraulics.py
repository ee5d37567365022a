"""Water in the sewers by EPA SWMM: dynamic wave, ponding over the manholes, a design storm."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.sewers import OUTFALL, Sewers
from simulators.water import swmm

STEP_S = 10
"""Spacing of the series."""
DRY_LPS_PER_HA = 1.2
"""Dry-weather base flow (groundwater and wrong connections)."""


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """A Chicago design storm."""

    dry_s: float
    """Dry weather before its first drop."""
    duration_s: float
    return_years: float
    peak_at: float = 0.4
    """Share of the duration before the peak (Keifer and Chu's r; 0.35 to 0.45 is usual here)."""


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine computed. Arrays have shape (samples,), one value each `STEP_S`."""

    level_m: dict[str, NDArray[np.float32]]
    """Water above the invert, by manhole; above the rim it stands on the road."""
    rain_mm_h: NDArray[np.float32]
    depth_m: dict[str, NDArray[np.float32]]
    """Water over the road, by manhole."""
    rain_m3: float
    continuity_error: float
    """Routing mass balance error as the engine reports it, percent."""

    @property
    def length_s(self) -> int:
        """Length of the series."""
        return (len(self.rain_mm_h) - 1) * STEP_S

    def first_over_road(self, node: str, depth_m: float = 0.01) -> float | None:
        """Seconds from the start until that much water stands over the road; None: never."""
        wet = np.flatnonzero(self.depth_m[node] >= depth_m)
        return float(wet[0] * STEP_S) if len(wet) else None


def intensity_mm_h(minutes: float, return_years: float) -> float:
    """Mean intensity of a storm of that duration, mm/h.

    The municipal formula q = 167 A (1 + C lg P) / (t + b)^n with the coefficients that coastal
    Fujian cities publish: q = 2136.312 (1 + 0.700 lg P) / (t + 7.576)^0.711 in L/(s ha).
    """
    q = 2136.312 * (1 + 0.700 * math.log10(return_years)) / (minutes + 7.576) ** 0.711
    return float(q * 0.36)


def hyetograph(storm: Storm) -> NDArray[np.float64]:
    """Rain in mm/h for each minute of the storm (Keifer and Chu 1957).

    i = A [(1-n) t/x + b] / (t/x + b)^(n+1), with x = r before the peak, 1-r after it: the curve
    whose mean over every duration around its peak is the formula's.
    """
    b, n = 7.576, 0.711
    scale = intensity_mm_h(1.0, storm.return_years) * (1.0 + b) ** n
    minutes = np.arange(storm.duration_s / 60) + 0.5
    peak = storm.peak_at * storm.duration_s / 60
    x = np.where(minutes < peak, storm.peak_at, 1 - storm.peak_at)
    t = np.abs(minutes - peak) / x
    return np.asarray(scale * ((1 - n) * t + b) / (t + b) ** (n + 1))


def model_text(sewers: Sewers, storm: Storm, hours: float, blocked: dict[str, float]) -> str:
    """The SWMM input file. `blocked` gives pipes a smaller free diameter, metres."""
    nodes, pipes = sewers.network.nodes, sewers.network.pipes
    end_h, end_m = divmod(round(hours * 60), 60)
    days, end_h = divmod(end_h, 24)
    lines = [
        "[OPTIONS]",
        "FLOW_UNITS CMS",
        "INFILTRATION HORTON",
        "FLOW_ROUTING DYNWAVE",
        "ALLOW_PONDING YES",
        "START_DATE 01/01/2026",
        "START_TIME 00:00:00",
        "REPORT_START_DATE 01/01/2026",
        "REPORT_START_TIME 00:00:00",
        f"END_DATE 01/{1 + days:02d}/2026",
        f"END_TIME {end_h:02d}:{end_m:02d}:00",
        "REPORT_STEP 00:10:00",
        "WET_STEP 00:01:00",
        "DRY_STEP 00:10:00",
        f"ROUTING_STEP {STEP_S / 2}",
        "VARIABLE_STEP 0",
        "THREADS 1",
        "[RAINGAGES]",
        "G1 INTENSITY 0:01 1.0 TIMESERIES rain",
        "[SUBCATCHMENTS]",
        *(
            f"c-{c.node} G1 {c.node} {c.area_ha} {100 * c.impervious:.0f} {c.width_m} 0.8 0"
            for c in sewers.catches.values()
        ),
        "[SUBAREAS]",
        *(f"c-{c} 0.013 0.15 1.0 4.0 25 OUTLET" for c in sewers.catches),
        "[INFILTRATION]",
        *(f"c-{c} 60 6 4 7 0" for c in sewers.catches),
        "[JUNCTIONS]",
    ]
    for c in sewers.catches.values():
        node = nodes[c.node]
        depth = (node.rim_m or 0.0) - (node.invert_m or 0.0)
        lines.append(f"{c.node} {node.invert_m} {depth:.3f} 0.05 0 {c.ponded_m2}")
    lines += ["[OUTFALLS]", f"{OUTFALL} {nodes[OUTFALL].invert_m} FREE", "[CONDUITS]"]
    lines += [
        f"{p.id} {p.from_} {p.to} {max(p.length_m or 0.0, 10)} 0.013 0 0 0 0"
        for p in pipes.values()
    ]
    lines.append("[XSECTIONS]")
    for p in pipes.values():
        free = blocked.get(p.id, p.diameter_m)
        lines.append(f"{p.id} CIRCULAR {free} 0 0 0 1")
    lines.append("[DWF]")
    lines += [
        f"{c.node} FLOW {c.area_ha * DRY_LPS_PER_HA / 1000:.6f}" for c in sewers.catches.values()
    ]
    lines.append("[TIMESERIES]")
    first = round(storm.dry_s / 60)
    for k, rate in enumerate([*hyetograph(storm), 0.0]):
        lines.append(f"rain {(first + k) // 60}:{(first + k) % 60:02d} {rate:.2f}")
    lines += ["[REPORT]", "INPUT NO", "CONTROLS NO", "SUBCATCHMENTS NONE", "NODES NONE", ""]
    return "\n".join(lines)


def run(sewers: Sewers, storm: Storm, hours: float, blocked: dict[str, float]) -> Flood:
    """Route the storm through the sewers.

    Raises Wrong when the engine is not installed.
    """
    names = list(sewers.catches)
    rows: list[list[float]] = []
    rain: list[float] = []
    text = model_text(sewers, storm, hours, blocked)
    with swmm.started("simulate", "town", text) as solver:
        from swmm.toolkit.shared_enum import NodeResult, ObjectType, SubcatchResult

        indexes = [solver.project_get_index(ObjectType.NODE, name) for name in names]
        catchment = solver.project_get_index(ObjectType.SUBCATCH, f"c-{names[0]}")
        for _ in range(round(hours * 3600 / STEP_S)):
            rows.append([solver.node_get_result(i, NodeResult.DEPTH) for i in indexes])
            rain.append(solver.subcatch_get_result(catchment, SubcatchResult.RAIN))
            if float(solver.swmm_stride(STEP_S)) == 0.0:  # the engine says 0 at its end
                break
        solver.swmm_end()
        errors = solver.swmm_get_mass_balance()
    levels = np.asarray(rows, dtype=np.float32)
    level, depth = {}, {}
    for k, name in enumerate(names):
        node = sewers.network.nodes[name]
        level[name] = levels[:, k]
        height = (node.rim_m or 0.0) - (node.invert_m or 0.0)
        depth[name] = np.maximum(levels[:, k] - np.float32(height), np.float32(0))
    area_m2 = sum(c.area_ha for c in sewers.catches.values()) * 1e4
    return Flood(
        level_m=level,
        depth_m=depth,
        rain_mm_h=np.asarray(rain, dtype=np.float32),
        rain_m3=float(hyetograph(storm).sum() / 60 / 1000 * area_m2),
        continuity_error=float(errors[1]),
    )
