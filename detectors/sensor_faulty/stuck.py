"""Stuck: the very same value for much longer than this instrument ever gave it.

Every instrument has its habit: one that shows a noisy surface to the millimetre hardly says the
same twice, one that shows it to the centimetre stands still half the night. How long it may is
told by its noise beside its grain (the smallest step it ever made), in the worst case that the
water stands in the middle between two steps: a run that a live one had once in a million is no
measurement. Nor is one several times as long as the longest so far. What rests at zero (a dry
road, no rain) says nothing, nor does a manhole that is full to the brim: the water spreads over the
street and stands there.
"""

from __future__ import annotations

import math

from detectors.sensor_faulty.channel import RUN_TIMES, Channel
from detectors.sensor_faulty.metrics import Metric
from detectors.sensor_faulty.told import Finding, named, spell

CHANCE = math.log(1e-6)
LEAST_SAME = 0.05
"""Chance that a reading is as the last, at the least: short histories say little."""
STEP_SIGMAS = 2 / math.sqrt(math.pi)
"""Mean size of the difference of two normal errors, in their standard deviation."""
MANY_TIMES = 3.5
"""Times the longest run so far that a run must be without the noise speaking for it (with it:
`RUN_TIMES`)."""
FEWEST, MANY_S = 20.0, 5400.0
"""Readings and seconds that a run must have without the noise speaking for it."""
LEAST_S = 900.0
"""Seconds; however often it reports, water may stand for some minutes."""
KNOWN = 24
"""Readings before this run that a habit needs."""


def stuck(channel: Channel, metric_name: str, metric: Metric) -> Finding | None:
    """What is to be told of the run that the newest reading prolongs."""
    run = channel.run
    if not metric.moves or channel.t - channel.run_at < LEAST_S or channel.seen - run < KNOWN:
        return None
    if metric.rests(channel.v) or channel.v >= metric.brim:
        return None
    chance = CHANCE / math.log(_same(channel))
    likely = run >= max(chance, RUN_TIMES * channel.longest)
    lasted = channel.t - channel.run_at
    if not likely and (run < max(MANY_TIMES * channel.longest, FEWEST) or lasted < MANY_S):
        return None
    channel.stuck = True
    en, zh = named(metric_name)
    en_t, zh_t = spell(lasted)
    usual = max(1, round(channel.longest))
    return Finding(
        "stuck",
        metric_name,
        channel.run_at,
        channel.t,
        f"{en} is stuck at {channel.v:g}: {run} reports in {en_t}, at most {usual} in a row before",
        f"{zh}卡在{channel.v:g}不变：{zh_t}内连续{run}次相同，此前最多连续{usual}次",
        {"value": channel.v, "reports": float(run), "longest_before": float(usual)},
    )


def _same(channel: Channel) -> float:
    """Chance that the next reading says the same, with the water in the middle of a step."""
    grain = channel.grain
    if not math.isfinite(grain):
        return 1.0 - 1e-9
    error = (channel.step / STEP_SIGMAS) ** 2 - grain**2 / 12  # less what rounding adds
    sigma = math.sqrt(max(error, (0.1 * grain) ** 2))
    return min(max(math.erf(grain / (2 * math.sqrt(2) * sigma)), LEAST_SAME), 1.0 - 1e-9)
