"""Figures of real street floods: ours beside the references, all sensors and the half held out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Final

from bench._common.bootstrap import bootstrap
from bench._common.figure import Figure, figure
from bench.water.floodnet import LINES, RULES, Seen
from bench.water.rows import beside, with_held_out

AIMS: Final = {
    0.15: {"recall": ">= 0.98", "lead": ">= 14", "precision": ">= 0.65"},
    0.27: {"recall": ">= 0.98", "lead": ">= 18", "precision": ">= 0.60"},
}
FLASHY_S: Final = 300.0
"""Warning that is worth anything where rain, not tide, fills the street."""

Sensors = Sequence[Sequence[Seen]]
Statistic = Callable[[Sensors, str], float | None]


def figures(seen: Sequence[Seen]) -> list[Figure]:
    """The rows of the table; null where there are no recordings."""
    out: list[Figure] = []
    for line in LINES:
        those = [one for one in seen if one.line == line]
        name, aims = f"streets, {100 * line:.0f} cm", AIMS[line]
        out += _rows(f"{name}: floods warned of before", those, recall, aims["recall"])
        out += _rows(f"{name}: median lead, min", those, lead, aims["lead"])
        out += _rows(f"{name}: precision", those, precision, aims["precision"])
        out.append(_dry(f"{name}: alarms per dry sensor-day", those))
    flashy = [one for one in seen if one.line == LINES[-1] and not one.tidal]
    name = f"streets without tide, {100 * LINES[-1]:.0f} cm"
    out += _rows(f"{name}: warned >= 5 min before", flashy, in_time, ">= 0.74")
    out += _rows(f"{name}: precision", flashy, precision, ">= 0.35")
    out.append(_coverage(seen))
    return out


def when(seen: Seen, who: str) -> float | None:
    """When it alarmed in the flood."""
    return seen.alarm if who == "ours" else seen.rules[who]


def recall(sensors: Sensors, who: str) -> float | None:
    """Share of the floods that reached the line of which it spoke before."""
    told = [_lead(one, who) for some in sensors for one in some if one.reached is not None]
    return sum(one is not None and one > 0 for one in told) / len(told) if told else None


def in_time(sensors: Sensors, who: str) -> float | None:
    """The same, with at least five minutes left."""
    told = [_lead(one, who) for some in sensors for one in some if one.reached is not None]
    return sum(one is not None and one >= FLASHY_S for one in told) / len(told) if told else None


def lead(sensors: Sensors, who: str) -> float | None:
    """Median minutes from its alarm to the line, of floods it alarmed at up to the line."""
    told = (_lead(one, who) for some in sensors for one in some)
    leads = [one / 60 for one in told if one is not None and one >= 0]
    return median(leads) if leads else None


def precision(sensors: Sensors, who: str) -> float | None:
    """Share of its alarms that were of floods that reached the line; those on dry days were not."""
    alarmed = [one for some in sensors for one in some if when(one, who) is not None]
    false = sum(one.dry_alarms for some in sensors for one in some) if who == "ours" else 0
    n = len(alarmed) + false
    return sum(one.reached is not None for one in alarmed) / n if n else None


def _lead(seen: Seen, who: str) -> float | None:
    at = when(seen, who)
    return None if at is None or seen.reached is None else seen.reached - at


def _rows(name: str, seen: Sequence[Seen], statistic: Statistic, aim: str) -> list[Figure]:
    """All sensors, beside the references; then the half that nobody tuned on."""
    sensors = by_sensor(seen)
    references = beside({who: statistic(sensors, who) for who in RULES})
    return with_held_out(
        name, sensors, lambda some: statistic(some, "ours"), _reached, aim, references,
        held=lambda floods: floods[0].held,
    )  # fmt: skip


def _reached(sensors: Sensors) -> int:
    return sum(one.reached is not None for some in sensors for one in some)


def by_sensor(seen: Iterable[Seen]) -> list[list[Seen]]:
    """What hangs together."""
    out: dict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        out[one.sensor].append(one)
    return list(out.values())


def _dry(name: str, seen: Sequence[Seen]) -> Figure:
    def rate(sensors: Sensors) -> float | None:
        days = sum(one.dry_days for some in sensors for one in some)
        return sum(one.dry_alarms for some in sensors for one in some) / days if days else None

    return figure(name, bootstrap(by_sensor(seen), rate), len(seen))


def _coverage(seen: Sequence[Seen]) -> Figure:
    """Each flood weighs the same, however often its forecast was published."""

    def share(sensors: Sensors) -> float | None:
        held = []
        for one in (one for some in sensors for one in some):
            if one.reached is None:
                continue
            fans = [fan for fan in one.fans if fan.known < one.reached]
            inside = [fan.low <= one.reached <= fan.high for fan in fans]
            if inside:
                held.append(sum(inside) / len(inside))
        return sum(held) / len(held) if held else None

    n = sum(
        one.reached is not None and any(fan.known < one.reached for fan in one.fans)
        for one in seen
    )  # fmt: skip
    told = bootstrap(by_sensor(seen), share)
    return figure("streets: forecast interval covers the truth (claims 80 %)", told, n,
                  ">= 0.75 and <= 0.85")  # fmt: skip
