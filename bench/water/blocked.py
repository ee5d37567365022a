"""Blocked pipes: found or not, how soon, where, and which alarms were of nothing."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from bench.water import rules
from bench.water.watch import Episode, Series, begin_of, rims
from contracts.city import DrainNetwork
from simulators.water.take import Take

REACH: Final = 6
"""An alarm that names a pipe further from the blocked one is of something else (pipes)."""
EARLY_S: Final = 3600.0
"""An alarm so long before any level anywhere differed by 5 cm is chance."""
QUIET_S: Final = 2 * 3600.0
USUAL_S: Final = 86_400.0
GATE_M: Final = 0.15
GATE_RIM: Final = 0.1
GATE_HOLDS_S: Final = 1800.0
DRY_AFTER_S: Final = 3 * 3600.0
RULES: Final = ("70 % of rim", "hand-set gate")


class Alarm(msgspec.Struct, frozen=True):
    """When, and which pipe it holds for blocked, first and in the end."""

    at: float
    first: str | None
    last: str | None
    device: str | None = None


class Hit(msgspec.Struct, frozen=True):
    """How a blockage was found."""

    delay: float
    """Minutes since a sensor could first have told; negative: before 5 cm showed."""
    apart: int
    """Pipes between the one named in the end and the blocked one; 0: the very one."""


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A pipe that lost its capacity, and that a sensor could tell of."""

    pipe: str
    begin: float
    sensed: float
    lost: float
    found: dict[str, Hit | None]
    """By `ours` and by each reference."""


class Blockages(msgspec.Struct, frozen=True, kw_only=True):
    """What a run says of blockages."""

    blocked: tuple[Blocked, ...] = ()
    unseen: int = 0
    """Blockages that no sensor could tell of: not counted."""
    false: tuple[Alarm, ...] = ()
    reference_false: dict[str, int] = {}


def judge(take: Take, episodes: Sequence[Episode], series: Mapping[str, Series]) -> Blockages:
    """Every blockage that showed at a sensor."""
    drains = take.city.drains
    if drains is None:
        return Blockages()
    zero, graph = begin_of(take), Pipes(drains)
    alarms = {
        "ours": [_alarm(e) for e in episodes if e.kind == "drain_blocked"],
        **references(take, series, graph),
    }
    seen, unseen = [], 0
    claimed: dict[str, set[int]] = {name: set() for name in alarms}
    for blockage in take.blockages:
        begin = (blockage.begin - zero).total_seconds()
        near = graph.near(blockage.pipe)
        effect = blockage.effect or blockage.begin
        first = max(begin, (effect - zero).total_seconds() - EARLY_S)
        found: dict[str, Hit | None] = {}
        for name, told in alarms.items():
            hits = [
                (number, a)
                for number, a in enumerate(told)
                if a.at >= first and _apart(a, near) <= REACH
            ]
            claimed[name] |= {number for number, _ in hits}
            found[name] = None
            if hits and blockage.sensed is not None:
                alarm = hits[0][1]
                sensed = (blockage.sensed - zero).total_seconds()
                apart = near.get(alarm.last or "", REACH + 1)
                found[name] = Hit((alarm.at - sensed) / 60, apart)
        if blockage.sensed is None:
            unseen += 1
            continue
        seen.append(
            Blocked(
                pipe=blockage.pipe,
                begin=begin,
                sensed=(blockage.sensed - zero).total_seconds(),
                lost=blockage.lost,
                found=found,
            )
        )
    left = {
        name: [a for number, a in enumerate(told) if number not in claimed[name]]
        for name, told in alarms.items()
    }
    return Blockages(
        blocked=tuple(seen),
        unseen=unseen,
        false=tuple(left["ours"]),
        reference_false={name: len(told) for name, told in left.items() if name != "ours"},
    )


def _alarm(episode: Episode) -> Alarm:
    first, last = episode.revisions[0].event, episode.last_open
    return Alarm(episode.opened, _pipe(first.evidence), _pipe(last.evidence), episode.device)


def _pipe(evidence: Mapping[str, object]) -> str | None:
    """The likeliest pipe it names."""
    pipes = evidence.get("pipes")
    if not isinstance(pipes, list | tuple) or not pipes:
        return None
    return str(max(pipes, key=lambda one: float(one[1]))[0])


def _apart(alarm: Alarm, near: Mapping[str, int]) -> int:
    return min(near.get(name or "", REACH + 1) for name in (alarm.first, alarm.last))


class Pipes:
    """Which pipe is how far from which."""

    def __init__(self, drains: DrainNetwork) -> None:
        self.drains = drains
        self._at: dict[str, list[str]] = defaultdict(list)
        for pipe in drains.pipes.values():
            self._at[pipe.from_].append(pipe.id)
            self._at[pipe.to].append(pipe.id)

    def near(self, pipe: str) -> dict[str, int]:
        """Every pipe within REACH and how many steps it is away; 1: they share a manhole."""
        found, waiting = {pipe: 0}, deque([pipe])
        while waiting:
            one = waiting.popleft()
            if found[one] == REACH or one not in self.drains.pipes:
                continue
            for node in (self.drains.pipes[one].from_, self.drains.pipes[one].to):
                for other in self._at[node]:
                    if other not in found:
                        found[other] = found[one] + 1
                        waiting.append(other)
        return found

    def below(self, node: str) -> str | None:
        """The pipe that leaves a node: what a lone sensor would blame."""
        leaving = [p.id for p in self.drains.pipes.values() if p.from_ == node]
        return min(leaving) if leaving else None


def references(take: Take, series: Mapping[str, Series], graph: Pipes) -> dict[str, list[Alarm]]:
    """Alarms of the two references; each blames the pipe below its sensor."""
    out: dict[str, list[Alarm]] = {name: [] for name in RULES}
    wet = _rained(take)
    for device, rim in sorted(rims(take).items()):
        if device not in series:
            continue
        pipe = graph.below(take.sensed[device])
        t, v = series[device].t, series[device].v
        full = rules.episodes(t, v >= rules.RIM_SHARE * rim, QUIET_S)
        out["70 % of rim"] += [Alarm(begin, pipe, pipe, device) for begin, _ in full]
        gated = [
            begin + GATE_HOLDS_S
            for begin, end in rules.episodes(t, gate(t, v, rim, wet), 900.0)
            if end - begin >= GATE_HOLDS_S
        ]
        joined = rules.episodes(np.array(gated), np.ones(len(gated), bool), QUIET_S)
        out["hand-set gate"] += [Alarm(begin, pipe, pipe, device) for begin, _ in joined]
    return {name: sorted(told, key=lambda a: a.at) for name, told in out.items()}


def gate(
    t: rules.Floats, v: rules.Floats, rim: float, wet: Iterable[tuple[float, float]]
) -> np.typing.NDArray[np.bool_]:
    """Well above the median of the day before, while no rain fell within three hours."""
    raised = np.zeros(len(t), bool)
    least = max(GATE_M, GATE_RIM * rim)
    hours = np.arange(0.0, t[-1] + 3600, 3600) if len(t) else np.empty(0)
    for hour in hours:
        past = v[(t >= hour - USUAL_S) & (t < hour)]
        now = (t >= hour) & (t < hour + 3600)
        if len(past) and hour - t[0] >= 6 * 3600:
            raised[now] = v[now] - np.median(past) > least
    for begin, end in wet:
        raised[(t >= begin) & (t <= end + DRY_AFTER_S)] = False
    return raised


def _rained(take: Take) -> list[tuple[float, float]]:
    """When the gauges measured rain; nothing where there are none."""
    zero = begin_of(take)
    t = [(r.at - zero).total_seconds() for r in take.readings
         if r.metric == "rain_rate" and r.value > 0.2]  # fmt: skip
    times = np.array(sorted(t))
    return rules.episodes(times, np.ones(len(times), bool), 1800.0)
