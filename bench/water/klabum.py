"""158 real river and stream sensors (kLabUM): alarms in and out of storms, ours beside baselines.

What the recording's manifest says, exactly:

* a sensor is *clean* when it is labelled `Clean`; all others are *obstructed* (debris, plants or
  ice under the ultrasonic head, of low or high variance). Labels are per sensor, not per reading;
* a *storm* is a stretch in which at least a fifth of the clean sensors stand more than 100 mm above
  their own 48-hour median: `onset` to `recede`, to its peak where the manifest knows no recession.

Conventions of ours, for the manifest has none:

* a storm's window is that stretch and `MARGIN_S` on both sides: small streams answer before a fifth
  of the network does, rivers long after;
* an alarm of a baseline is one while it fires with pauses of up to `REARM_S`; an alarm of ours is
  one event. It belongs to the moment it began;
* where the sensors stand is not in the recording, so all are one town, and each is also judged
  alone in a town of its own. What the detector takes for a storm in a town (many sensors risen at
  once, the asking one left out) is much like the manifest's definition, and seen from the same
  readings: what is kept in storms says that the two agree without labels, not that either is rain;
* outside storms alarms are counted per sensor-year outside windows, gaps of more than an hour
  left out; a (sensor, storm) pair is *kept* when an alarm of the baseline begins in the window and
  one of ours does;
* of the pairs of obstructed sensors many are chance: sensors that fire on debris all year do so in
  storms too. `chance` is how many pairs that many alarms outside would make in windows that long.
"""

from __future__ import annotations

import csv
import hashlib
import heapq
import json
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.water import rules
from bench.water.watch import flooding_of
from contracts.clock import EPOCH
from detectors._common.sample import city, device

Floats = NDArray[np.float64]
Alarms = list[tuple[float, float]]
"""(begin, end) of each, epoch seconds."""

FOLDER: Final = "drainage/klabum_water_level"
MARGIN_S: Final = 86400.0
REARM_S: Final = 12 * 3600.0
MEDIAN_S: Final = 48 * 3600.0
RISE_M: Final = 0.15
GATE_STAY: Final = 3
GATE_TIMES: Final = 6.0
GATE_STEP_M: Final = 0.3
LONGEST_S: Final = 3600.0
"""A gap longer than this counts as this long: nobody watched."""
YEAR_S: Final = 365.25 * 86400.0


class Sensor(msgspec.Struct, frozen=True):
    """One sensor at one site, all it recorded."""

    name: str
    clean: bool
    t: Floats
    """Epoch seconds, rising."""
    v: Floats
    """Metres above its datum."""


class Storm(msgspec.Struct, frozen=True):
    """A window of the network, epoch seconds, margins included."""

    begin: float
    end: float


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule did at some sensors."""

    sensors: int
    years: float
    """Sensor-years outside storms."""
    outside: int
    """Alarms that began there."""
    pairs: int
    """(sensor, storm) in which the baseline alarmed."""
    kept: int
    """... and this rule too."""
    chance: float
    """Pairs expected of the baseline if it knew nothing of storms."""

    @property
    def per_year(self) -> float:
        """Alarms per sensor-year outside storms."""
        return self.outside / self.years if self.years else np.nan

    @property
    def share_kept(self) -> float:
        """Share of the baseline's pairs that are kept."""
        return self.kept / self.pairs if self.pairs else np.nan


class Kept(msgspec.Struct, frozen=True):
    """Pairs between onset and recession, and how many of them were kept."""

    pairs: int
    kept: int


def half(name: str) -> int:
    """0: thresholds were chosen on this sensor. 1: it is only reported."""
    return hashlib.sha256(name.encode()).digest()[-1] & 1


def _moment(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()


def storms(root: Path, margin_s: float = MARGIN_S) -> list[Storm]:
    """The manifest's storms, widened by `margin_s` on both sides, in order."""
    manifest = json.loads((root / "drainage/manifest.json").read_text())
    (entry,) = (e for e in manifest if e["file"].startswith("klabum"))
    return [
        Storm(
            _moment(e["onset"]) - margin_s,
            _moment(e["recede"] or e["peak"]) + margin_s,
        )
        for e in entry["events"]
    ]


def load(root: Path, every: int = 1) -> list[Sensor]:
    """Every sensor that is there (each `every`-th of them), by name. Raises FileNotFoundError."""
    folder = root / FOLDER
    with (folder / "_site_labels.csv").open(newline="") as file:
        labels = {f"{row['Node ID']}_{row['Site ID']}": row for row in csv.DictReader(file)}
    out = []
    for path in sorted(folder.glob("*.parquet"))[::every]:
        table = pq.read_table(path, columns=["t", "depth_mm"])
        t = table["t"].to_numpy().astype("datetime64[ms]").astype(np.float64) / 1000.0
        v = table["depth_mm"].to_numpy().astype(np.float64) / 1000.0
        told = np.isfinite(v)
        clean = labels[path.stem]["Clean"] == "1"
        out.append(Sensor(path.stem, clean, t[told].copy(), v[told].copy()))
    return out


def rolling_median(t: Floats, v: Floats, window_s: float = MEDIAN_S) -> Floats:
    """Of the readings in the last `window_s`, the newest among them, shape as `v`."""
    times, values = t.tolist(), v.tolist()
    out = np.empty(len(values))
    window: list[float] = []
    first = 0
    for i, value in enumerate(values):
        insort(window, value)
        while times[first] <= times[i] - window_s:
            del window[bisect_left(window, values[first])]
            first += 1
        half_way = len(window) // 2
        odd = len(window) % 2
        out[i] = window[half_way] if odd else 0.5 * (window[half_way - 1] + window[half_way])
    return out


def _stays(raised: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    out = raised.copy()
    for back in range(1, count):
        out[back:] &= raised[:-back]
        out[:back] = False
    return out


def baselines(sensor: Sensor) -> dict[str, Alarms]:
    """`median`: 15 cm above the 48-hour median. `stays`: the same for three readings in a row.
    `gate`: that, six times the usual flicker too, and no leap of 30 cm among the three."""
    t, v = sensor.t, sensor.v
    usual = rolling_median(t, v)
    raised = v > usual + RISE_M
    stays = _stays(raised, GATE_STAY)
    step = np.abs(np.diff(v, prepend=v[:1]))
    flicker = rolling_median(t, np.abs(v - usual))
    calm = _stays(step < GATE_STEP_M, GATE_STAY)
    gate = stays & calm & (v > usual + GATE_TIMES * flicker)
    rules_ = {"median": raised, "stays": stays, "gate": gate}
    return {name: rules.episodes(t, mask, REARM_S) for name, mask in rules_.items()}


def ours(sensors: Sequence[Sensor]) -> dict[str, Alarms]:
    """The shipped `flooding` detector in a town of these sensors, behind the screen at the edge;
    nothing is known of them but that they measure levels. By name."""
    names = [sensor.name for sensor in sensors]
    town = city(devices={name: device(name, type="level", metrics=("level",)) for name in names})
    alarms: dict[str, dict[str, tuple[float, float]]] = {name: {} for name in names}
    for at, event in flooding_of(town, "level", _in_order(sensors), EPOCH):
        of = alarms[event.device or ""]
        begin, _ = of.get(event.id, (at, at))
        of[event.id] = (begin, at)
    return {name: list(found.values()) for name, found in alarms.items()}


def _in_order(sensors: Sequence[Sensor]) -> Iterator[tuple[float, str, float]]:
    """(epoch seconds, sensor, metres) of all of them, in order of time."""
    each = [zip(s.t.tolist(), repeat(s.name), s.v.tolist(), strict=False) for s in sensors]
    return heapq.merge(*each)


def _outside(t: Floats, windows: Sequence[Storm]) -> float:
    """Seconds watched outside the windows."""
    watched = np.minimum(np.diff(t), LONGEST_S)
    inside = np.zeros(len(t), dtype=bool)
    for storm in windows:
        inside |= (t >= storm.begin) & (t <= storm.end)
    return float(watched[~inside[1:]].sum())


def _began(alarms: Alarms, storm: Storm) -> bool:
    return any(storm.begin <= begin <= storm.end for begin, _ in alarms)


def tally(
    sensors: Iterable[Sensor],
    windows: Sequence[Storm],
    mine: Mapping[str, Alarms],
    reference: Mapping[str, Alarms],
) -> Tally:
    """Count a rule's alarms (by sensor name) outside storms, and in storms against a reference."""
    n = outside = pairs = kept = 0
    seconds = chance = 0.0
    for sensor in sensors:
        n += 1
        watched = _outside(sensor.t, windows)
        seconds += watched
        outside += _out(mine[sensor.name], windows)
        rate = _out(reference[sensor.name], windows) / max(watched, 1.0)
        for storm in windows:
            inside = (sensor.t >= storm.begin) & (sensor.t <= storm.end)
            if not inside.any():
                continue
            chance += 1.0 - float(np.exp(-rate * (storm.end - storm.begin)))
            if _began(reference[sensor.name], storm):
                pairs += 1
                kept += _began(mine[sensor.name], storm)
    return Tally(
        sensors=n,
        years=seconds / YEAR_S,
        outside=outside,
        pairs=pairs,
        kept=kept,
        chance=chance,
    )


def within(sensor: Sensor, bare: Sequence[Storm], mine: Alarms, reference: Alarms) -> Kept:
    """Of storms without a margin: where the reference began to alarm between onset and recession,
    and where ours stood some time between them."""
    pairs = kept = 0
    for storm in bare:
        if _began(reference, storm):
            pairs += 1
            kept += any(begin <= storm.end and end >= storm.begin for begin, end in mine)
    return Kept(pairs, kept)


def _out(alarms: Alarms, windows: Sequence[Storm]) -> int:
    return sum(not any(s.begin <= begin <= s.end for s in windows) for begin, _ in alarms)
