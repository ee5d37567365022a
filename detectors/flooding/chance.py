"""How likely a manhole that fills comes to its line, and when: learned from simulated sewers.

A sewer fills slowly while its pipes run free and fast once they are full, and most full manholes do
not overflow: the water finds a lower rim first. So a slope alone is a poor forecast. The logarithm
of the odds is taken as linear in what the hydraulics depend on: the share filled, the pace against
the height (over 2, 5 and 10 minutes), rain over 5 to 40 minutes, water against the pipe's height,
and whether a manhole nearby lies lower (`around.Lie`). One set of coefficients for each state of
knowledge: a lonely level, with rain, with the network, with both. The same for the quantiles of the
logarithm of the time left.

Fitted on SWMM runs (24 h, one storm of 0.5 to 20 years, reports every 1, 5 and 15 min) of two
networks by logistic and quantile regression, runs weighing alike; storms that were left out gave:
see `docs/scorecards.md` for what it is worth on other networks.
"""

from __future__ import annotations

import math
from typing import Final

from detectors.flooding.around import Lie

ODDS: Final[dict[str, tuple[float, ...]]] = {
    "level": (-0.392, -0.419, -1.932, 0.363, 0.478, 0.13, 10.142),
    "rain": (0.67, -0.34, -1.368, 0.209, 0.356, 0.103, 0.883, 0.266, -0.409, -2.628, 12.646),
    "network": (-2.223, -0.294, -3.657, 0.358, 0.416, 0.103, 1.969, 0.199, -1.471, 10.098),
    "both": (
        -0.923,
        -0.25,
        -2.314,
        0.244,
        0.284,
        0.01,
        1.064,
        0.374,
        -0.582,
        -2.963,
        1.944,
        -0.387,
        -1.245,
        11.612,
    ),
}
"""Coefficients of `_features`, the constant last."""
TIMES: Final[dict[str, tuple[tuple[float, ...], ...]]] = {
    "level": (
        (0.309, 0.581, 0.161, -0.159),
        (1.163, 0.833, -0.077, -0.136),
        (7.365, 0.295, -0.181, 0.227),
    ),
    "rain": (
        (2.613, 0.51, 0.044, 0.175, -0.852),
        (3.225, 0.575, 0.022, 0.099, -0.901),
        (7.57, 0.25, -0.099, 0.065, -0.197),
    ),
    "network": (
        (0.724, 0.649, 0.029, -0.117),
        (1.322, 0.912, -0.182, -0.167),
        (4.049, 0.64, -0.09, -0.338),
    ),
    "both": (
        (2.75, 0.386, 0.141, 0.185, -0.74),
        (3.278, 0.506, 0.094, 0.134, -0.973),
        (4.392, 0.444, 0.155, -0.727, -1.163),
    ),
}
"""Coefficients of `_paces` for the 10th, 50th and 90th percentile of ln(seconds left)."""


def chance(
    above: float,
    left: float,
    paces: tuple[float, float, float],
    rain: list[float] | None,
    lie: Lie | None,
) -> float:
    """Probability that the line is reached, 0..1.

    `above` metres over the usual height, `left` metres to the line, `paces` in m/s over 2, 5 and
    10 minutes, `rain` the means over `around.TAUS` in mm/h (None: no gauge speaks).
    """
    odds = ODDS[_known(rain, lie)]
    z = odds[-1] + sum(
        a * b for a, b in zip(odds, _features(above, left, paces, rain, lie), strict=False)
    )
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


def seconds(
    above: float,
    left: float,
    paces: tuple[float, float, float],
    rain: list[float] | None,
    lie: Lie | None,
) -> tuple[float, float, float]:
    """When the line is reached if it is: (early, best, late), seconds from now; four times in five
    the truth lies between early and late."""
    left = max(left, 0.02)
    told = [
        1.0,
        math.log(left / max(paces[0], 1e-5)),
        math.log(left / max(paces[2], 1e-5)),
        math.log(left / (above + left)),
    ]
    if rain is not None:
        told.append(math.log((rain[0] + 1) / (rain[3] + 1)))
    low, best, high = (
        math.exp(min(sum(a * b for a, b in zip(row, told, strict=True)), 10.0))
        for row in TIMES[_known(rain, lie)]
    )
    best = max(best, low)
    return low, best, max(best, high)


def _known(rain: list[float] | None, lie: Lie | None) -> str:
    if lie is None:
        return "level" if rain is None else "rain"
    return "network" if rain is None else "both"


def _features(
    above: float,
    left: float,
    paces: tuple[float, float, float],
    rain: list[float] | None,
    lie: Lie | None,
) -> list[float]:
    whole, above = above + left, max(above, 0.01)
    found = [math.log(above / whole), math.log(max(left, 0.02) / whole), math.log(whole)]
    found += [math.log(max(pace, 1e-5) / whole) for pace in paces]
    if rain is not None:
        found += [math.log(mean + 1) for mean in rain]
    if lie is not None:
        found += [math.log(above / lie.pipe_m), lie.upper_m, lie.lower_m]
    return found
