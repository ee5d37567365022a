"""Real street floods (FloodNet NYC), each replayed after a dry day of the same sensor's noise.

The published profiles all begin at a flood: a detector that leans on where the recording begins
would look better than it is. So each is embedded after 24 to 48 h of dry readings, the number of
hours and the noise hashed from the flood's number.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.water import rules
from bench.water.halves import half
from bench.water.pictures import Mark, Picture
from bench.water.watch import flooding
from contracts.city import City, DrainNetwork, Node
from detectors._common.sample import START, city, device

Floats = NDArray[np.float64]
INCH_M: Final = 0.0254
LINES: Final = (0.15, 0.27)
"""Lines that streets are judged by (metres): ponding, and where Beijing closes underpasses."""
DRY_H: Final = 24
FILE: Final = "drainage/floodnet_nyc/flood-events.csv"
SENSORS: Final = "drainage/floodnet_nyc/sensor-metadata.csv"
SHALLOW_M: Final = 0.05
LEAST_BENDS: Final = 10
NOISE_USUAL_M: Final = 0.0024
"""Of a sensor with too few shallow readings: nine in ten of the others flicker less."""
STEP_MOST_M: Final = 0.01
RULES: Final = ("3 in", "15 cm", "first wet sample", "slope", "slope after dry")


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded flood."""

    number: int
    sensor: str
    tidal: bool
    t: tuple[float, ...]
    """Seconds from its beginning, rising."""
    depth: tuple[float, ...]
    """Metres over the road."""


class Fan(msgspec.Struct, frozen=True):
    """One published forecast, seconds on the flood's clock."""

    known: float
    low: float
    best: float
    high: float


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one flood at one line."""

    number: int
    sensor: str
    tidal: bool
    line: float
    peak: float
    reached: float | None
    """When the line was reached (first sample at or above it), seconds."""
    alarm: float | None
    """When the first episode in the flood opened, seconds."""
    dry_alarms: int
    """Episodes before the flood's record begins."""
    dry_days: float
    fans: tuple[Fan, ...]
    rules: dict[str, float | None]
    """When each reference alarmed."""

    @property
    def held(self) -> bool:
        """Of the half that nobody tunes on."""
        return half(self.sensor) == 1


def load(folder: Path) -> list[Flood]:
    """Every flood of the folder of recordings; none where it is not there."""
    if not (folder / FILE).exists():
        return []
    csv.field_size_limit(1 << 24)
    with (folder / SENSORS).open(newline="") as file:
        tidal = {
            row["sensor_id"]: row["tidally_influenced"] == "Yes" for row in csv.DictReader(file)
        }
    floods = []
    with (folder / FILE).open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            depth = json.loads(row["flood_profile_depth_inches"])
            seconds = json.loads(row["flood_profile_time_secs"])
            sampled = dict(sorted(zip(seconds, depth, strict=True)))
            floods.append(
                Flood(
                    number=number,
                    sensor=row["sensor_id"],
                    tidal=tidal.get(row["sensor_id"], False),
                    t=tuple(float(t) for t in sampled),
                    depth=tuple(float(d) * INCH_M for d in sampled.values()),
                )
            )
    return floods


def by_sensor(floods: Sequence[Flood]) -> dict[str, list[Flood]]:
    """The floods of each sensor, in the order of the record."""
    out: dict[str, list[Flood]] = defaultdict(list)
    for flood in floods:
        out[flood.sensor].append(flood)
    return dict(out)


class Noise(msgspec.Struct, frozen=True):
    """How a sensor flickers."""

    sigma: float
    """Metres."""
    step: float
    """Its smallest step, metres."""
    every_s: float


def noise_of(floods: Sequence[Flood]) -> Noise:
    """From second differences of a sensor's shallow wet readings (median absolute deviation): the
    water's own curve is slow beside a reading's noise, and deep water splashes as a dry road does
    not."""
    bends, steps, gaps = [], [], []
    for flood in floods:
        depth, t = np.array(flood.depth), np.array(flood.t)
        gaps += np.diff(t).tolist()
        changes = np.abs(np.diff(depth))
        steps += changes[changes > 1e-6].tolist()
        wet = (depth > 0) & (depth < SHALLOW_M)
        wet3 = wet[2:] & wet[1:-1] & wet[:-2]
        bends += (depth[2:] - 2 * depth[1:-1] + depth[:-2])[wet3].tolist()
    sigma = NOISE_USUAL_M
    if len(bends) >= LEAST_BENDS:
        sigma = 1.4826 * float(np.median(np.abs(bends))) / 6**0.5
    step = min([*steps, STEP_MOST_M])
    every = float(np.median(gaps)) if gaps else 60.0
    return Noise(max(sigma, step / 2), step, min(max(every, 30.0), 300.0))


def embedded(flood: Flood, noise: Noise) -> list[tuple[float, float]]:
    """(seconds, metres): a dry day and more, then the flood; 0 is where its record begins."""
    rng = np.random.default_rng([flood.number, 27])
    count = round(float(rng.uniform(DRY_H, 2 * DRY_H)) * 3600 / noise.every_s)
    steps = np.rint(rng.normal(0.0, noise.sigma, count) / noise.step)
    dry = np.maximum(steps * noise.step, 0.0)  # a street's sensor does not read below the road
    first = flood.t[0]
    out = [(first - (count - k) * noise.every_s, float(v)) for k, v in enumerate(dry)]
    return out + list(zip(flood.t, flood.depth, strict=True))


def street(line: float) -> City:
    """A depth sensor over a road whose one line is at `line`."""
    sensor = device("s", type="drain", metrics=("depth",))
    node = Node(id="s", point=sensor.point, warn_m=line, close_m=line)
    return city(devices={"s": sensor}, drains=DrainNetwork(nodes={"s": node}, pipes={}))


def judge(floods: Sequence[Flood]) -> list[Seen]:
    """Every flood of one sensor at every line."""
    noise = noise_of(floods)
    return [_seen(flood, embedded(flood, noise), line, noise) for flood in floods for line in LINES]


def _seen(flood: Flood, series: Sequence[tuple[float, float]], line: float, noise: Noise) -> Seen:
    t, v = np.array(flood.t), np.array(flood.depth)
    begin = flood.t[0] - noise.every_s / 2
    wet, dry, fans = None, 0, []
    for known, event in flooding(street(line), "s", "depth", series, START):
        if event.rev == 1:
            dry += known < begin
            wet = known if wet is None and known >= begin else wet
        over = event.evidence.get("overflow_at")
        if over and known >= begin:
            fans.append(Fan(known, _s(over["low"]), _s(over["at"]), _s(over["high"])))
    return Seen(
        number=flood.number,
        sensor=flood.sensor,
        tidal=flood.tidal,
        line=line,
        peak=max(flood.depth),
        reached=rules.at_least(t, v, line),
        alarm=wet,
        dry_alarms=dry,
        dry_days=(flood.t[0] - series[0][0]) / 86_400,
        fans=tuple(fans),
        rules={
            "3 in": rules.at_least(t, v, rules.THREE_INCHES_M),
            "15 cm": rules.at_least(t, v, rules.POND_M),
            "first wet sample": rules.at_least(t, v, rules.WET_M),
            "slope": rules.slope(t, v, line),
            "slope after dry": rules.slope(*_with_dry(t, v, noise), line),
        },
    )


def _with_dry(t: Floats, v: Floats, noise: Noise) -> tuple[Floats, Floats]:
    """A window's dry readings before it, as ours gets: a record that begins dry and is at once wet
    gives a steeper slope than the street had."""
    before = t[0] - noise.every_s * np.arange(rules.WINDOW_S // noise.every_s + 1, 0, -1)
    return np.concatenate((before, t)), np.concatenate((0.0 * before, v))


def _s(text: str) -> float:
    return (datetime.fromisoformat(text).astimezone(UTC) - START).total_seconds()


def pictures(folder: Path, seen: Sequence[Seen]) -> list[Picture]:
    """Floods that were not warned of, and alarms that nothing came of, at the higher line."""
    floods = {flood.number: flood for flood in load(folder)}
    out = []
    for one in seen:
        if one.line != LINES[-1] or one.number not in floods:
            continue
        late = one.reached is not None and (one.alarm is None or one.alarm >= one.reached)
        wrong = one.reached is None and one.alarm is not None
        if late or wrong:
            out.append(_picture(floods[one.number], one, late))
    return out


def _picture(flood: Flood, seen: Seen, late: bool) -> Picture:
    end = flood.t[-1]
    alarm = () if seen.alarm is None else (Mark("flooding", seen.alarm / 3600, end / 3600),)
    reached = () if seen.reached is None else (Mark("27 cm", seen.reached / 3600, end / 3600),)
    return Picture(
        sort="missed street flood" if late else "false street flood",
        worth=seen.peak if late else seen.line - seen.peak,
        title=f"{flood.sensor} no. {flood.number}, peak {100 * seen.peak:.0f} cm",
        t=tuple(t / 3600 for t in flood.t),
        v=flood.depth,
        rim=seen.line,
        alarms=alarm,
        truths=reached,
    )
