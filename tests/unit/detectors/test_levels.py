"""Level sensors without lines in one town: what each hears from the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.city import City, DrainNetwork, Node
from contracts.geo import Point
from contracts.nouns import Item, Reading
from detectors._common.drive import Drive, Known, run
from detectors._common.laws import (
    duplicates_change_nothing,
    every_cut,
    reorder_changes_nothing,
    time_goes_on,
)
from detectors._common.sample import START, Sample, city, device, reading
from detectors.flooding import SPEC
from detectors.flooding.config import FloodingConfig
from detectors.flooding.lines import LEVELS
from detectors.flooding.together import ALONE, CALM, LASTS_S, STALE_S, STORM, Together

CFG = FloodingConfig()
DAY, TEN = 86400.0, 600.0
DAYS_DRY = 4


def town(*names: str, **more: Any) -> City:
    return city(devices={n: device(n, type="level", metrics=("level",)) for n in names} | more)


def dry(seed: int, days: float = DAYS_DRY) -> list[float]:
    return [0.5 + float(x) for x in np.random.default_rng(seed).normal(0, 0.003, int(days * 144))]


def rise(height: float, hours: float = 24.0) -> list[float]:
    """Up within an hour and a half, and down over hours."""
    n = int(hours * 6)
    return [0.5 + height * min(1.0, i / 9) * math.exp(-max(0, i - 9) / 36) for i in range(n)]


def items_of(series: Mapping[str, list[float]], period_s: float = TEN) -> list[Item]:
    told = [
        (i, k, reading(name, "level", v, period_s * i + k, i))
        for k, (name, values) in enumerate(series.items())
        for i, v in enumerate(values)
    ]
    return [one for _, _, one in sorted(told, key=lambda x: x[:2])]


def watch(series: Mapping[str, list[float]]) -> list[Known]:
    (site,) = SPEC.sites(town(*series), CFG)
    return run(SPEC, CFG, site, items_of(series), tail_s=0)


def opened(known: list[Known]) -> dict[str, float]:
    """Days after the first reading, by device."""
    told = [(e.device or "", (at - START) / timedelta(days=1)) for at, e in known
            if e.phase == "opened"]  # fmt: skip
    assert len(dict(told)) == len(told)
    return dict(told)


def others(count: int, height: float) -> dict[str, list[float]]:
    return {f"o{k}": dry(k + 1) + rise(height) for k in range(count)}


ECHO = [0.5] * 12 + [0.7] + [0.5] * 131
"""Twenty centimetres for one report, two hours after the others begin to rise."""


def test_one_report_is_enough_where_many_rise() -> None:
    told = opened(watch({"s": dry(0) + ECHO} | others(8, 0.4)))
    assert set(told) == {"s", *(f"o{k}" for k in range(8))}
    assert told["s"] == pytest.approx(DAYS_DRY + 2 / 24, abs=0.01)


@pytest.mark.parametrize("count", [0, 1])
def test_one_report_is_never_enough_where_nobody_or_one_other_rises(count: int) -> None:
    assert "s" not in opened(watch({"s": dry(0) + ECHO} | others(count, 0.4)))


def test_two_others_that_never_rose_before_tell_a_storm() -> None:
    series = {"s": dry(0, 30) + ECHO}
    series |= {f"o{k}": dry(k + 1, 30) + rise(0.4) for k in range(2)}
    assert opened(watch(series))["s"] == pytest.approx(30 + 2 / 24, abs=0.01)


@pytest.mark.parametrize(("count", "heights"), [(0, (0.2, 0.5)), (19, (0.5,))])
def test_what_rises_alone_must_rise_higher_where_the_others_are_at_rest(
    count: int, heights: tuple[float, ...]
) -> None:
    found = tuple(
        height
        for height in (0.2, 0.5)
        if "s" in opened(watch({"s": dry(0) + rise(height)} | others(count, 0.0)))
    )
    assert found == heights


def test_it_says_what_the_others_do_in_two_languages() -> None:
    storm = next(e for _, e in watch({"s": dry(0) + ECHO} | others(8, 0.4)) if e.device == "s")
    calm = next(e for _, e in watch({"s": dry(0) + rise(0.5)} | others(8, 0.0)))
    assert "rise with it" in " ".join(storm.evidence["why"])
    assert "同时上涨" in " ".join(storm.evidence["why_zh"])
    assert "at rest" in " ".join(calm.evidence["why"])
    assert "平稳" in " ".join(calm.evidence["why_zh"])
    for event in (storm, calm):
        assert event.site == event.device == "s"
        assert len(event.evidence["why"]) == len(event.evidence["why_zh"])


def test_silent_sensors_say_nothing() -> None:
    # The others stop before the storm: the one that is left is judged as if it were alone.
    gone = {name: values[: 144 * (DAYS_DRY - 1)] for name, values in others(19, 0.0).items()}
    known = watch({"s": dry(0) + rise(0.2)} | gone)
    alone = watch({"s": dry(0) + rise(0.2)})
    assert opened(known) == pytest.approx(opened(alone))


def test_those_that_are_always_up_tell_no_storm() -> None:
    # Ten with branches under the head: up for three hours twice a day, for a month.
    flicker = {
        f"o{k}": [v + 0.2 * ((i + 7 * k) % 72 < 18) for i, v in enumerate(dry(k, 20))]
        for k in range(10)
    }
    assert "s" not in opened(watch({"s": dry(99, 19.9) + [0.7] + [0.5] * 13} | flicker))


def test_the_others_rise_counts_without_ones_own() -> None:
    town_ = Together()
    names = [f"s{k}" for k in range(6)]
    town_.keep(names)
    for name in names:
        town_.hear(name, 0.0, 0.0, up=name < "s3")
    assert town_.weather("s5", 0.0) == STORM
    assert town_.weather("s0", 0.0) == ALONE  # two others of five
    for name in names:
        town_.hear(name, 3600.0, 3600.0, up=False)
    assert town_.weather("s5", 3600.0) == STORM
    assert town_.weather("s5", LASTS_S + 3600.0) == ALONE
    town_.keep(names[:2])
    assert town_.total == pytest.approx(sum(m.told for m in town_.members.values()))


def test_the_sum_is_that_of_the_sensors_heard_lately() -> None:
    rng = np.random.default_rng(1)
    town_ = Together()
    names = [f"s{k}" for k in range(20)]
    town_.keep(names)
    now = 0.0
    for _ in range(3000):
        now += float(rng.exponential(300))
        name = names[int(rng.integers(0, 20 if now % 8e5 < 4e5 else 3))]
        late = float(rng.choice([0.0, 0.0, 2 * STALE_S]))
        town_.hear(name, now - late, now, up=bool(rng.random() < 0.1))
        assert town_.total == pytest.approx(sum(m.told for m in town_.members.values()), abs=1e-9)
        for member in town_.members.values():
            assert member.told == 0.0 or now - member.at <= STALE_S + 3600
    assert town_.weather("s0", now) in (ALONE, STORM, CALM)


def test_a_line_takes_a_sensor_out_and_the_rest_go_on() -> None:
    place = town("a", "b", "c")
    lined = msgspec.structs.replace(
        place,
        drains=DrainNetwork(
            nodes={"b": Node(id="b", point=Point(118.9, 31.4), close_m=2.0)}, pipes={}
        ),
    )
    sites = {site.id: site for site in SPEC.sites(lined, CFG)}
    assert set(sites) == {"b", LEVELS + "d"}
    assert [d.id for d in sites[LEVELS + "d"].devices] == ["a", "c"]
    (before,) = SPEC.sites(place, CFG)
    drive = Drive(SPEC, CFG, before)
    for item in items_of({name: dry(0) for name in "abc"}):
        drive.put(item)
    after = Drive(SPEC, CFG, sites[LEVELS + "d"], drive.state())
    known = [
        one
        for item in _later(items_of({"a": rise(0.6), "c": dry(1, 1)}))
        for one in after.put(item)
    ]
    assert not known[0][1].evidence["learning"]
    assert set(opened(known)) == {"a"}


def test_each_district_is_a_town_of_its_own_for_one_process_owns_it() -> None:
    place = town("a", "b", "c")
    apart = msgspec.structs.replace(place.devices["b"], district="e")
    city = msgspec.structs.replace(place, devices={**place.devices, "b": apart})
    found = {
        site.id: (site.district, [d.id for d in site.devices]) for site in SPEC.sites(city, CFG)
    }
    assert found == {LEVELS + "d": ("d", ["a", "c"]), LEVELS + "e": ("e", ["b"])}


def _later(items: list[Item]) -> list[Item]:
    by = timedelta(days=DAYS_DRY)
    return [
        msgspec.structs.replace(r, at=r.at + by, received_at=r.received_at + by, sent_at=r.at + by)
        for r in items
        if isinstance(r, Reading)
    ]


def test_gauges_are_heard_by_those_near_them_only() -> None:
    far = device("far", type="level", metrics=("level",), point=Point(118.2, 31.26))
    place = town("near", far=far, g=device("g", type="rain", metrics=("rain_rate",)))
    (site,) = SPEC.sites(place, CFG)
    drive = Drive(SPEC, CFG, site)
    drive.put(reading("g", "rain_rate", 12.0, 0.0))
    known: list[Known] = []
    for item in _later(items_of({"near": dry(0, 1) + rise(0.6), "far": dry(1, 1) + rise(0.6)})):
        known += drive.put(item)
        if isinstance(item, Reading) and item.device == "near":
            wet = msgspec.structs.replace(item, device="g", metric="rain_rate", value=5.0)
            known += drive.put(wet)
    rates = {e.device: e.evidence["rain_rate"] for _, e in known}
    assert rates == {"near": 5.0, "far": None}


def test_a_flood_that_falls_silent_is_given_up_though_others_go_on() -> None:
    series = {"a": dry(0) + rise(0.6)[:20], "b": dry(1, DAYS_DRY + 2)}
    known = watch(series)
    closed = [(at, e) for at, e in known if e.phase == "closed"]
    assert [(e.device, e.evidence["ended"]) for _, e in closed] == [("a", "no_reading")]
    last = (DAYS_DRY * 144 + 19) * TEN
    assert (closed[0][0] - START).total_seconds() == pytest.approx(last + CFG.forget_s, abs=1)


def _sample(seed: int) -> Sample:
    """Five sensors at half-hour reports; four rise slightly, the fifth is a flood."""

    def thin(values: list[float]) -> list[float]:
        return values[::3]

    series = {f"o{k}": thin(dry(k + seed, 2) + rise(0.13, 12)) for k in range(4)}
    series |= {"s": thin(dry(9 + seed, 2) + rise(0.6, 12))}
    place = town(*series)
    (site,) = SPEC.sites(place, CFG)
    quiet = {name: thin(dry(k + seed, 2)) for k, name in enumerate(series)}
    return Sample(
        city=place,
        site=site,
        items=tuple(items_of(series, 3 * TEN)),
        quiet_items=tuple(items_of(quiet, 3 * TEN)),
    )


@pytest.mark.parametrize(
    "law", [every_cut, duplicates_change_nothing, reorder_changes_nothing, time_goes_on]
)
def test_the_laws_hold(law: Any) -> None:
    law(SPEC, _sample(1))
