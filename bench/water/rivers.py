"""Figures of real rivers and streams: alarms a year outside storms, and what is kept in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from bench._common.figure import Figure, figure
from bench.water import klabum
from bench.water.parts import in_parts
from bench.water.rows import beside, with_held_out

REFERENCE: Final = "median"
ALONE: Final = "alone"
RULES: Final = {
    ALONE: "each alone",
    "median": "48 h median + 15 cm",
    "stays": "three in a row",
    "gate": "gate",
}


Town = dict[str, klabum.Alarms]
"""Alarms of each sensor by name."""


class River(msgspec.Struct, frozen=True):
    """What every rule did at one sensor."""

    name: str
    clean: bool
    by_rule: dict[str, klabum.Tally]
    """`ours` in a town of all of them, ours `alone`, and the references; pairs are those of the
    48-hour median."""
    within: dict[str, klabum.Kept] = {}
    """The same of storms without a margin."""

    @property
    def held(self) -> bool:
        """Of the half that nobody tunes on."""
        return klabum.half(self.name) == 1


def judge(folder: Path, kept: Path, code: str, workers: int, every: int) -> list[River]:
    """Every `every`-th sensor; none where the recordings are not there. Kept under the code."""
    if not (folder / klabum.FOLDER).is_dir():
        return []
    town = kept / f"rivers-town-{code}-{every}.msgpack"
    (found,) = in_parts(town, list[Town], partial(_town, folder, every), 1, "rivers' town")
    path = kept / f"rivers-{code}-{every}.msgpack"
    return in_parts(path, list[River], partial(_part, folder, every, found), workers, "rivers")


def _town(folder: Path, every: int, part: slice) -> list[Town]:
    """All sensors are one town, and one part."""
    return [klabum.ours(klabum.load(folder, every))] if part.start == 0 else []


def _part(folder: Path, every: int, town: Town, part: slice) -> list[River]:
    windows, bare, out = klabum.storms(folder), klabum.storms(folder, 0.0), []
    for sensor in klabum.load(folder, every)[part]:
        alarms = {
            **klabum.baselines(sensor),
            ALONE: klabum.ours([sensor])[sensor.name],
            "ours": town[sensor.name],
        }
        reference = {sensor.name: alarms[REFERENCE]}
        tallies = {
            rule: klabum.tally([sensor], windows, {sensor.name: found}, reference)
            for rule, found in alarms.items()
        }
        within = {
            rule: klabum.within(sensor, bare, found, alarms[REFERENCE])
            for rule, found in alarms.items()
        }
        out.append(River(sensor.name, sensor.clean, tallies, within))
    return out


def figures(rivers: Sequence[River]) -> list[Figure]:
    """The rows of the table; null where there are no recordings."""
    clean = [one for one in rivers if one.clean]
    obstructed = [one for one in rivers if not one.clean]
    out = []
    for words, some, aim in (("clean", clean, "<= 3"), ("obstructed", obstructed, "<= 6")):
        name = f"rivers, {words}: alarms per sensor-year outside storms"
        out += _rows(name, some, per_year, aim, len)
    name = "rivers: in-storm alarms kept"
    out += _rows(name, rivers, kept, ">= 0.95", _pairs)
    name = "rivers: kept where the median alarms between onset and recession"
    out += _rows(name, rivers, kept_within, None, _pairs_within)
    chance = sum(one.by_rule[REFERENCE].chance for one in rivers)
    pairs = sum(one.by_rule[REFERENCE].pairs for one in rivers)
    told = (chance / pairs, None) if pairs else None
    out.append(figure("rivers: share of these pairs that chance alone would make", told, pairs))
    return out


def per_year(rivers: Sequence[River], rule: str) -> float | None:
    """Alarms per sensor-year outside storms."""
    years = sum(one.by_rule[rule].years for one in rivers)
    return sum(one.by_rule[rule].outside for one in rivers) / years if years else None


def kept(rivers: Sequence[River], rule: str) -> float | None:
    """Share of the (sensor, storm) pairs of the 48-hour median in which this rule alarms too."""
    pairs = sum(one.by_rule[rule].pairs for one in rivers)
    return sum(one.by_rule[rule].kept for one in rivers) / pairs if pairs else None


def kept_within(rivers: Sequence[River], rule: str) -> float | None:
    """The same of storms without a margin: the pairs in which the median begins to alarm between
    onset and recession."""
    pairs = _pairs_within(rivers)
    return sum(one.within[rule].kept for one in rivers) / pairs if pairs else None


def _pairs_within(rivers: Sequence[River]) -> int:
    return sum(one.within["ours"].pairs for one in rivers)


def _pairs(rivers: Sequence[River]) -> int:
    return sum(one.by_rule["ours"].pairs for one in rivers)


def _rows(
    name: str,
    rivers: Sequence[River],
    of: Callable[[Sequence[River], str], float | None],
    aim: str | None,
    count: Callable[[Sequence[River]], int],
) -> list[Figure]:
    references = beside({words: of(rivers, rule) for rule, words in RULES.items()})
    return with_held_out(
        name, rivers, lambda some: of(some, "ours"), count, aim, references,
        held=lambda river: river.held,
    )  # fmt: skip
