"""Pressures in the mains by EPANET, through wntr: a demand that follows the day, and one trouble.

Everything that begins in the middle of a run (a pipe that breaks, a hydrant that is opened, a pump
that stops) is a link whose status a control changes, so that one run of the engine has it all.
Use depends on pressure (Wagner et al. 1988, as EPANET 2.2 has it): a dry zone takes no water.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import Wrong
from simulators.dice import dice
from simulators.water_mains.network import Mains

KPA_PER_M = 9.80665
STEP_S = 60
TROUBLES = ("main_break", "pump_outage", "hydrant_open", "valve_shut")

LATERAL = {"length": 6.0, "diameter": 0.08, "minor_loss": 12.0}
"""From the main to the gauge in the hydrant's body: bends, foot valve and riser (an open hydrant
of 18 L/s loses 8 m in it)."""

DAY: tuple[float, ...] = (
    *(0.45, 0.38, 0.35, 0.36, 0.45, 0.75, 1.25, 1.55, 1.40, 1.15, 1.10, 1.20),
    *(1.25, 1.05, 0.95, 1.00, 1.15, 1.40, 1.65, 1.60, 1.35, 1.10, 0.85, 0.62),
)
"""Use by hour of the local day over its mean: the two humps of a town of flats."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong, and when (seconds from the start of the run)."""

    what: str
    """One of TROUBLES."""
    where: str
    """A pipe, or a hydrant; the pump has no name."""
    begin_s: float
    end_s: float
    size: float = 0.012
    """Of an opening: m³/s per square root of a metre of head. 0.004 is an open hydrant (18 L/s
    at 20 m), 0.012 a split in a main, 0.03 one torn apart."""


def run(
    mains: Mains, seed: int, hours: float, start_hour: float, troubles: tuple[Trouble, ...] = ()
) -> dict[str, NDArray[np.float32]]:
    """Pressure at each hydrant's gauge in kPa, one value each `STEP_S` from the start.

    `start_hour` is the local hour of the day at which the run begins. The same seed makes the same
    use of water, with or without troubles. Raises Wrong when the engine is not installed.
    """
    try:
        import wntr  # type: ignore[import-untyped]
    except ImportError as error:
        raise Wrong(
            "simulate: wntr",
            "the water mains engine is not installed",
            "install the demo town's engines: pip install 'gridsentry[town]'",
        ) from error
    model = _model(wntr, mains, seed, hours, start_hour, troubles)
    with tempfile.TemporaryDirectory(prefix="gridsentry-epanet-") as folder:
        prefix = str(Path(folder) / "mains")
        results = wntr.sim.EpanetSimulator(model).run_sim(file_prefix=prefix)
    table = results.node["pressure"]
    pressures = {
        name: np.asarray(table[name].to_numpy() * KPA_PER_M, dtype=np.float32)
        for name in mains.hydrants
    }
    for trouble in troubles:
        if trouble.what == "valve_shut":
            _shut(pressures[trouble.where], trouble)
    return {name: np.maximum(p, np.float32(0)) for name, p in pressures.items()}


def _shut(series: NDArray[np.float32], trouble: Trouble) -> None:
    """Behind a shut valve the barrel leaks empty (half an hour), and fills within a minute.

    Not left to the engine: a node that nothing feeds has no pressure it could compute.
    """
    t = np.arange(len(series)) * STEP_S
    shut = (t >= trouble.begin_s) & (t < trouble.end_s)
    empty = np.exp(-(t[shut] - trouble.begin_s) / 420.0)
    series[shut] *= empty.astype(np.float32)


def _model(
    wntr: Any,
    mains: Mains,
    seed: int,
    hours: float,
    start_hour: float,
    troubles: tuple[Trouble, ...],
) -> Any:
    model = wntr.network.WaterNetworkModel()
    options = model.options
    options.hydraulic.demand_model = "PDD"
    options.hydraulic.minimum_pressure, options.hydraulic.required_pressure = 0.0, 14.0
    options.hydraulic.headloss = "H-W"
    options.time.duration = round(hours * 3600)
    options.time.hydraulic_timestep = options.time.report_timestep = STEP_S
    options.time.pattern_timestep = 900
    rng = dice(seed, "water use")
    for junction in mains.junctions.values():
        model.add_pattern(f"d-{junction.id}", _use(rng, hours, start_hour))
        model.add_junction(
            junction.id,
            base_demand=junction.demand_m3s,
            demand_pattern=f"d-{junction.id}",
            elevation=junction.elevation_m,
        )
    for pipe in mains.pipes.values():
        ground = mains.junctions[pipe.from_].elevation_m
        here = [h for h in mains.hydrants.values() if h.main == pipe.id]
        places = [(h.share, f"tee-{h.id}", h.elevation_m - 1.5) for h in here]
        if any(t.what == "main_break" and t.where == pipe.id for t in troubles):
            places.append((0.5, f"b-{pipe.id}", ground))
        before, at = pipe.from_, 0.0
        for n, (share, name, elevation) in enumerate(sorted(places)):
            model.add_junction(name, elevation=elevation)
            _pipe(model, f"{pipe.id}/{n}", before, name, (share - at) * pipe.length_m, pipe)
            before, at = name, share
        _pipe(model, f"{pipe.id}/e", before, pipe.to, (1 - at) * pipe.length_m, pipe)
        for hydrant in here:
            model.add_junction(hydrant.id, elevation=hydrant.elevation_m)
            model.add_pipe(
                f"lat-{hydrant.id}", f"tee-{hydrant.id}", hydrant.id, **LATERAL, roughness=100
            )
    flow = mains.pump_m3s
    model.add_curve(
        "pump",
        "HEAD",
        [(0.0, 1.25 * mains.pump_head_m), (flow, mains.pump_head_m), (2 * flow, 5.0)],
    )
    model.add_reservoir("well", base_head=mains.well_head_m)
    model.add_junction("station", elevation=mains.well_head_m)
    model.add_pump("pump", "well", "station", "HEAD", "pump")
    model.add_pipe("rising", "station", mains.inlet, length=60, diameter=0.3, roughness=120)
    model.add_tank(
        "tank",
        elevation=mains.tank_bottom_m,
        init_level=3.9,
        min_level=0.1,
        max_level=5.0,
        diameter=mains.tank_diameter_m,
    )
    model.add_pipe("to-tank", mains.tank_at, "tank", length=120, diameter=0.3, roughness=120)
    _keep_tank(wntr, model)
    for n, trouble in enumerate(troubles):
        _trouble(wntr, model, n, trouble, hours)
    return model


def _keep_tank(wntr: Any, model: Any) -> None:
    """The pump runs until the tank is full and again when a third of it is gone."""
    control = wntr.network.controls
    pump, tank = model.get_link("pump"), model.get_node("tank")
    for name, relation, level, status in (("full", ">", 4.7, 0), ("low", "<", 3.2, 1)):
        when = control.ValueCondition(tank, "level", relation, level)
        action = control.ControlAction(pump, "status", status)
        model.add_control(f"tank-{name}", control.Control(when, action))


def _pipe(model: Any, id: str, from_: str, to: str, length: float, main: Any) -> None:
    model.add_pipe(
        id, from_, to, length=max(length, 1.0), diameter=main.diameter_m, roughness=main.roughness
    )


def _use(rng: np.random.Generator, hours: float, start_hour: float) -> list[float]:
    """Use of water each quarter of an hour: the day's curve, other days a little other, restless
    within the hour."""
    count = int(hours * 4) + 2
    t = start_hour + np.arange(count) / 4
    curve = np.interp(t % 24, np.arange(25), [*DAY, DAY[0]])
    days = rng.normal(1.0, 0.06, int(t[-1] // 24) + 1)[(t // 24).astype(int)]
    restless = 1 + 0.10 * np.convolve(rng.normal(0, 1, count + 3), np.full(4, 0.5), "valid")
    return [float(x) for x in np.clip(curve * days * restless, 0.05, None)]


def _trouble(wntr: Any, model: Any, n: int, trouble: Trouble, hours: float) -> None:
    """A link that a control opens (a break, a hydrant) or closes (the pump) for a while."""
    if trouble.what == "valve_shut":
        return
    if trouble.what == "pump_outage":
        link, during, after = model.get_link("rising"), 0, 1
    else:
        place = trouble.where if trouble.what == "hydrant_open" else f"b-{trouble.where}"
        outlet = f"out-{n}"
        elevation = model.get_node(place).elevation
        model.add_junction(outlet, elevation=elevation)
        model.get_node(outlet).emitter_coefficient = trouble.size
        model.add_pipe(
            f"to-{outlet}",
            place,
            outlet,
            length=1.0,
            diameter=0.3,
            roughness=120,
            initial_status="CLOSED",
        )
        link, during, after = model.get_link(f"to-{outlet}"), 1, 0
    control = wntr.network.controls
    for name, at, status in (("on", trouble.begin_s, during), ("off", trouble.end_s, after)):
        if at < hours * 3600:
            when = control.SimTimeCondition(model, "=", round(at))
            model.add_control(
                f"{name}-{n}",
                control.Control(when, control.ControlAction(link, "status", status)),
            )
