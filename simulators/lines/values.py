"""What a monitor's report says: instruments' errors, what shakes, pulls and leans, sick sensors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contracts.geo import distance_m
from simulators.lines.course import Course, Stretch

IA, TILT, VIBRATION, TENSION, GASP = 4, 7, 8, 9, 10
METRICS = (
    "voltage_a", "voltage_b", "voltage_c", "voltage_n", "current_a", "current_b", "current_c",
    "tilt", "vibration", "tension", "last_gasp",
)  # fmt: skip
_FELT_M = 150.0
"""How far along the conductors a blow is felt."""


def reach(stretch: Stretch, span: str) -> NDArray[np.float64]:
    """How much of a blow on a span reaches each monitor with an accelerometer, 0 to 1."""
    (line,) = stretch.installed.city.lines
    ends = (line.nodes[line.spans[span].from_].point, line.nodes[line.spans[span].to].point)
    found = np.zeros(len(stretch.installed.monitors))
    for k, m in enumerate(stretch.installed.monitors):
        if m.shaken:
            far = min(distance_m(line.nodes[m.node].point, end) for end in ends)
            found[k] = np.exp(-far / 60.0) if far < _FELT_M else 0.0
    return found


def values_of(
    stretch: Stretch,
    course: Course,
    who: NDArray[np.intp],
    t: NDArray[np.float64],
    gasp: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """What each report says, shape (reports, metrics); NaN: not said."""
    monitors = stretch.installed.monitors
    values = np.full((len(t), len(METRICS)), np.nan)
    electric = course.at(who, t)
    nominal = course.nominal[who]
    gains = np.array([m.gain for m in monitors])
    electric[:, :4] *= gains[who, :4]
    electric[:, 4:] *= gains[who, 4:]
    size = len(t)
    # what is dark still picks up a little from its neighbours; what lives flickers
    volts = electric[:, :4]
    pick_up = np.abs(rng.normal(0, 0.006, (size, 4))) * nominal[:, None]
    volts = volts * (1 + rng.normal(0, 0.0015, (size, 4))) + np.where(
        volts < 0.05 * nominal[:, None], pick_up, 0.0
    )
    amps = electric[:, 4:] * (1 + rng.normal(0, 0.02, (size, 3)))
    values[:, :4] = np.where(nominal[:, None] > 1000, np.round(volts), np.round(volts, 1))
    values[:, 4:7] = np.round(np.maximum(amps, 0.0), 2)
    _shake(stretch, who, t, values, rng)
    _pull(stretch, who, t, values, rng)
    _sicken(stretch, who, t, values, rng)
    values[gasp] = np.nan
    values[gasp, GASP] = 1.0
    return values


def _shake(
    stretch: Stretch,
    who: NDArray[np.intp],
    t: NDArray[np.float64],
    values: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    scene, monitors = stretch.scene, stretch.installed.monitors
    reaches = [(s, reach(stretch, s.span)) for s in scene.strikes]
    for k, m in enumerate(monitors):
        if not m.shaken:
            continue
        mine = np.flatnonzero(who == k)
        tilt, shake = stretch.sway.sample(rng, len(mine), scene.wind)
        when = t[mine]
        for strike, felt in reaches:
            since = when - strike.at_s
            hit = (since >= 0) & (since < 30.0)
            ring = np.exp(-np.maximum(since, 0) / 3.0) * rng.uniform(0.7, 1.3, len(mine))
            shake = shake + np.where(hit, strike.peak * felt[k] * ring, 0.0)
        for pull in scene.pulls:
            if pull.node == m.node:
                tilt = tilt + np.where(when >= pull.at_s, pull.tilt, 0.0)
        values[mine, TILT] = np.round(np.abs(m.tilt + tilt + rng.normal(0, 0.05, len(mine))), 2)
        values[mine, VIBRATION] = np.round(np.abs(shake), 3)


def _pull(
    stretch: Stretch,
    who: NDArray[np.intp],
    t: NDArray[np.float64],
    values: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    for k, m in enumerate(stretch.installed.monitors):
        if not m.pulled:
            continue
        mine = np.flatnonzero(who == k)
        left = np.ones(len(mine))
        for pull in stretch.scene.pulls:
            if pull.node == m.node:
                left = np.where(t[mine] >= pull.at_s, pull.tension, left)
        sway = 1 + (0.01 + 0.05 * stretch.scene.wind) * rng.normal(0, 1, len(mine))
        values[mine, TENSION] = np.round(m.tension * left * sway)


def _sicken(
    stretch: Stretch,
    who: NDArray[np.intp],
    t: NDArray[np.float64],
    values: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    for sick in stretch.scene.sick:
        mine = np.flatnonzero((who == sick.monitor) & (t >= sick.at_s) & (t < sick.end_s))
        said = ~np.isnan(values[mine, :7])
        if sick.what == "stuck":
            before = np.flatnonzero((who == sick.monitor) & (t < sick.at_s))
            if len(before):
                values[mine] = values[before[-1]]
        elif sick.what == "zero":
            values[mine, :7] = np.where(said, 0.0, np.nan)
        elif sick.what == "phase_dead":
            dead = [sick.phase - 1] if rng.random() < 0.6 else [IA + sick.phase - 1]
            for column in dead:
                values[mine, column] = np.where(np.isnan(values[mine, column]), np.nan, 0.0)
        elif sick.what == "noise":
            values[mine, :7] = np.round(values[mine, :7] * rng.uniform(0, 1.4, said.shape), 1)
