"""EPA SWMM over one network: builds its input, routes the water, reads what stands and flows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.dice import between, dice
from simulators.water import swmm
from simulators.water.blocking import Plug, loss_coefficient, shut
from simulators.water.dry import GROUPS, STEP_S, Homes
from simulators.water.network import Network
from simulators.water.rain import Shower

SPIN_S = 3 * 3600.0
"""Dry weather before the first reading, until the pipes carry what comes in."""
READ_S = 30.0
"""Spacing of the series."""
ZONES = 3
"""Strips of the network that the rain reaches one after another."""
_SEED_LOSS = 0.0001
"""Without any local loss in its input, a conduit never gets one while running."""
_MM_H = {True: 1.0, False: 1 / 25.4}


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """Rain over the network: the storms, and how each strip gets them."""

    showers: tuple[Shower, ...]
    delay_s: tuple[float, ...]
    """By strip."""
    factor: tuple[float, ...]
    """By strip: how much more or less falls there."""
    zone: dict[str, int]
    """Node → strip."""

    def rate(self, zone: int, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rain in mm/h in a strip at seconds from the first reading on."""
        out = np.zeros(len(t_s))
        for shower in self.showers:
            k = np.floor((t_s - shower.begin_s - self.delay_s[zone]) / 60).astype(int)
            inside = (k >= 0) & (k < len(shower.mm_h))
            out[inside] += np.asarray(shower.mm_h)[k[inside]] * self.factor[zone]
        return out


def weather(seed: int, network: Network, showers: tuple[Shower, ...]) -> Weather:
    """The storms drawn over the network from some side at 4 to 15 m/s, in strips."""
    rng = dice(seed, "water", network.name, "front")
    heading = between(rng, (0.0, 2 * np.pi))
    speed = between(rng, (4.0, 15.0))
    names = list(network.holes)
    xy = np.array([(network.holes[n].x_m, network.holes[n].y_m) for n in names])
    along = xy @ np.array([np.cos(heading), np.sin(heading)])
    edges = np.quantile(along, np.linspace(0, 1, ZONES + 1))
    zone = np.clip(np.searchsorted(edges[1:-1], along, side="right"), 0, ZONES - 1)
    middles = (edges[:-1] + edges[1:]) / 2 - edges[0]
    return Weather(
        showers=showers,
        delay_s=tuple(60.0 * round(float(m) / speed / 60) for m in middles),
        factor=tuple(round(between(rng, (0.85, 1.15)), 3) for _ in range(ZONES)),
        zone=dict(zip(names, map(int, zone), strict=True)),
    )


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to; rows each `READ_S` from the first reading on."""

    nodes: tuple[str, ...]
    level_m: NDArray[np.float32]
    """Water above the invert, shape (samples, nodes)."""
    over: NDArray[np.bool_]
    """Whether water comes out or stands over the rim, shape (samples, nodes)."""
    links: tuple[str, ...]
    flow_m3_s: NDArray[np.float32]
    """In the direction of fall, shape (samples, links)."""
    runoff_error: float
    """Mass balance error of the ground as the engine reports it, percent."""
    routing_error: float
    """Of the pipes, percent."""


def _ponded_m2(network: Network, node: str) -> float:
    """Road around a manhole over which its water stands: the same in every run of the network."""
    return round(between(dice(0, "water", network.name, "pond", node), (150.0, 900.0)), 0)


def model_text(network: Network, homes: Homes, rain: Weather, hours: float) -> str:
    """The input file of a run of `hours` after the spin-up."""
    end = round(SPIN_S + hours * 3600)
    days, rest = divmod(end, 86_400)
    unit = network.options.get("FLOW_UNITS", "CFS")
    lines = [
        "[OPTIONS]",
        f"FLOW_UNITS {unit}",
        f"INFILTRATION {network.options.get('INFILTRATION', 'HORTON')}",
        "FLOW_ROUTING DYNWAVE",
        f"LINK_OFFSETS {network.options.get('LINK_OFFSETS', 'DEPTH')}",
        "ALLOW_PONDING YES",
        "IGNORE_SNOWMELT YES",
        "IGNORE_GROUNDWATER YES",
        "IGNORE_RDII YES",
        "IGNORE_QUALITY YES",
        "START_DATE 01/01/2026",
        "START_TIME 00:00:00",
        "REPORT_START_DATE 01/01/2026",
        "REPORT_START_TIME 00:00:00",
        f"END_DATE 01/{1 + days:02d}/2026",
        f"END_TIME {rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}",
        "DRY_DAYS 5",
        "REPORT_STEP 01:00:00",
        "WET_STEP 00:01:00",
        "DRY_STEP 00:10:00",
        "ROUTING_STEP 5",
        "VARIABLE_STEP 0.75",
        "MINIMUM_STEP 0.5",
        "LENGTHENING_STEP 5",
        "INERTIAL_DAMPING PARTIAL",
        "NORMAL_FLOW_LIMITED BOTH",
        f"FORCE_MAIN_EQUATION {network.options.get('FORCE_MAIN_EQUATION', 'H-W')}",
        "MAX_TRIALS 8",
        # in a slot the water of a full pipe has a surface: levels in it do not ring
        "SURCHARGE_METHOD SLOT",
        "HEAD_TOLERANCE 0.0015" if network.metric else "HEAD_TOLERANCE 0.005",
        "THREADS 1",
        "[EVAPORATION]",
        "CONSTANT 0",
        "[RAINGAGES]",
        *(f"gs-rain-{z} INTENSITY 0:01 1.0 TIMESERIES gs-rain-{z}" for z in range(ZONES)),
    ]
    for section, rows in network.sections.items():
        lines.append(f"[{section}]")
        if section == "SUBCATCHMENTS":
            for row in rows:
                w = row.split()
                zone = rain.zone.get(w[2], 0)
                lines.append(" ".join((w[0], f"gs-rain-{zone}", *w[2:8])))
        elif section == "JUNCTIONS":
            for row in rows:
                w = [*row.split(), "0", "0", "0", "0"]
                area = _ponded_m2(network, w[0]) / network.metre**2
                hole = network.holes[w[0]]
                above = "100" if hole.sealed else w[4]
                # sags are full from the begin, not after a day of dry weather
                full = max(float(w[3]), hole.standing_m / network.metre)
                lines.append(" ".join((*w[:3], f"{full:.4f}", above, f"{area:.0f}")))
        else:
            lines += rows
    lines.append("[LOSSES]")
    for link in network.links.values():
        if link.what == "CONDUITS":
            losses = network.losses.get(link.id, ("0", "0", "0", "NO", "0"))
            first = losses[0] if float(losses[0]) > 0 else str(_SEED_LOSS)
            lines.append(" ".join((link.id, first, *losses[1:])))
    lines.append("[INFLOWS]")
    for node, mean in homes.domestic.items():
        lines.append(
            f"{node} FLOW gs-dry-{homes.group[node]} FLOW 1.0 {mean / network.flow_unit:.8f} "
            f"{homes.seepage[node] / network.flow_unit:.8f}"
        )
    lines.append("[TIMESERIES]")
    for group in range(GROUPS):
        for k, value in enumerate(homes.flow(group)):
            lines.append(f"gs-dry-{group} {k * STEP_S / 3600:.5f} {value:.4f}")
    for zone in range(ZONES):
        lines += _rain_lines(network, rain, zone)
    lines += ["[REPORT]", "INPUT NO", "CONTROLS NO", "SUBCATCHMENTS NONE", "NODES NONE", ""]
    return "\n".join(lines)


def _rain_lines(network: Network, rain: Weather, zone: int) -> list[str]:
    unit = _MM_H[network.metric] * rain.factor[zone]
    lines = [f"gs-rain-{zone} 0 0"]
    for shower in rain.showers:
        first = (SPIN_S + shower.begin_s + rain.delay_s[zone]) / 60
        for k, rate in enumerate((*shower.mm_h, 0.0)):
            lines.append(f"gs-rain-{zone} {(first + k) / 60:.5f} {rate * unit:.5f}")
    return lines


def run(
    network: Network,
    homes: Homes,
    rain: Weather,
    hours: float,
    plugs: Sequence[Plug] = (),
    flows: Sequence[str] = (),
) -> Series:
    """Route water for `hours` after the spin-up; `flows` names the links to be read.

    Raises Wrong when the engine is not installed or refuses the network.
    """
    names = tuple(h.id for h in network.holes.values() if h.depth_m > 0 and not h.sealed)
    full = [network.holes[n].depth_m / network.metre for n in names]
    signs = [-1.0 if network.links[n].turned else 1.0 for n in flows]
    count = round(hours * 3600 / READ_S) + 1
    level = np.zeros((count, len(names)), np.float32)
    over = np.zeros((count, len(names)), np.bool_)
    flow = np.zeros((count, len(flows)), np.float32)
    text = model_text(network, homes, rain, hours)
    with swmm.started("water", network.name, text) as solver:
        from swmm.toolkit.shared_enum import LinkProperty, LinkResult, NodeResult, ObjectType

        depth_of, flood_of, flow_of = NodeResult.DEPTH, NodeResult.FLOOD, LinkResult.FLOW
        get, get_link = solver.node_get_result, solver.link_get_result
        nodes = [solver.project_get_index(ObjectType.NODE, n) for n in names]
        links = [solver.project_get_index(ObjectType.LINK, n) for n in flows]
        blocked = {p.pipe: solver.project_get_index(ObjectType.LINK, p.pipe) for p in plugs}
        now: dict[str, float] = dict.fromkeys(blocked, 0.0)
        for _ in range(int(SPIN_S // 600)):
            solver.swmm_stride(600)
        columns = list(enumerate(nodes))
        for k in range(count):
            row = level[k]
            for c, node in columns:
                depth = get(node, depth_of)
                row[c] = depth
                if depth > full[c] - 0.01:
                    over[k, c] = depth > full[c] + 0.003 or get(node, flood_of) > 1e-4
            for c, link in enumerate(links):
                flow[k, c] = signs[c] * get_link(link, flow_of)
            if k == count - 1:
                break
            for pipe, index in blocked.items():
                lost = max(p.at(k * READ_S) for p in plugs if p.pipe == pipe)
                if lost != now[pipe]:
                    now[pipe] = lost
                    closed = shut(lost)
                    solver.link_set_target_setting(index, 0.0 if closed else 1.0)
                    loss = max(loss_coefficient(lost), _SEED_LOSS)
                    solver.link_set_parameter(index, LinkProperty.INLET_LOSS, loss)
            if float(solver.swmm_stride(round(READ_S))) == 0.0:
                level[k + 1 :], over[k + 1 :], flow[k + 1 :] = level[k], over[k], flow[k]
                break
        solver.swmm_end()
        errors = solver.swmm_get_mass_balance()
    return Series(
        nodes=names,
        level_m=level * np.float32(network.metre),
        over=over,
        links=tuple(flows),
        flow_m3_s=flow * np.float32(network.flow_unit),
        runoff_error=float(errors[0]),
        routing_error=float(errors[1]),
    )
