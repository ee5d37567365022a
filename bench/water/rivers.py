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
RULES: Final = {"median": "48 h median + 15 cm", "stays": "three in a row", "gate": "gate"}


class River(msgspec.Struct, frozen=True):
    """What every rule did at one sensor."""

    name: str
    clean: bool
    by_rule: dict[str, klabum.Tally]
    """`ours` and the references; pairs are those of the 48-hour median."""

    @property
    def held(self) -> bool:
        """Of the half that nobody tunes on."""
        return klabum.half(self.name) == 1


def judge(folder: Path, kept: Path, code: str, workers: int, every: int) -> list[River]:
    """Every `every`-th sensor; none where the recordings are not there. Kept under the code."""
    if not (folder / klabum.FOLDER).is_dir():
        return []
    path = kept / f"rivers-{code}-{every}.msgpack"
    return in_parts(path, list[River], partial(_part, folder, every), workers, "rivers")


def _part(folder: Path, every: int, part: slice) -> list[River]:
    windows, out = klabum.storms(folder), []
    for sensor in klabum.load(folder, every)[part]:
        alarms = {**klabum.baselines(sensor), "ours": klabum.ours(sensor)}
        reference = {sensor.name: alarms[REFERENCE]}
        tallies = {
            rule: klabum.tally([sensor], windows, {sensor.name: found}, reference)
            for rule, found in alarms.items()
        }
        out.append(River(sensor.name, sensor.clean, tallies))
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


def _pairs(rivers: Sequence[River]) -> int:
    return sum(one.by_rule["ours"].pairs for one in rivers)


def _rows(
    name: str,
    rivers: Sequence[River],
    of: Callable[[Sequence[River], str], float | None],
    aim: str,
    count: Callable[[Sequence[River]], int],
) -> list[Figure]:
    references = beside({words: of(rivers, rule) for rule, words in RULES.items()})
    return with_held_out(
        name, rivers, lambda some: of(some, "ours"), count, aim, references,
        held=lambda river: river.held,
    )  # fmt: skip
