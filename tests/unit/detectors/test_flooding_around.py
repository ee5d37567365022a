"""What a flood hears from around it: rain, pipes, rims, water upstream, pumps."""

from __future__ import annotations

import math

import msgspec
import pytest

from contracts.city import City, DrainNetwork, Node, Pipe
from contracts.geo import Point
from contracts.nouns import Item, Quality, Reading
from detectors._common.drive import Known, run
from detectors._common.sample import START, city, device, reading
from detectors.flooding import SPEC
from detectors.flooding.around import Lie, Rain, lie_of
from detectors.flooding.chance import chance, seconds
from detectors.flooding.config import FloodingConfig
from detectors.flooding.forecast import paces, street
from detectors.flooding.swings import Swings

CFG = FloodingConfig()
STEP = 0.001
"""Degrees of latitude between manholes: 111 m."""
RISING = (0.004, 0.003, 0.002)


def sewer(*, gauge: bool = True, pipes: bool = True, rims: tuple[float, ...] = (3, 3, 3)) -> City:
    """Three manholes in a row, a, b, c; sensors in a and b, a rain gauge 2 km away."""
    at = {n: Point(118.0, 31.0 + STEP * k) for k, n in enumerate("abc")}
    nodes = {
        n: Node(id=n, point=at[n], invert_m=0.0, rim_m=float(rim))
        for n, rim in zip("abc", rims, strict=True)
    }
    joined = {
        x + y: Pipe(id=x + y, from_=x, to=y, path=(at[x], at[y]), diameter_m=0.6, length_m=111.0)
        for x, y in ("ab", "bc")
    }
    sensors = {n: device(n, metrics=("level",), point=at[n]) for n in "ab"}
    if gauge:
        sensors["r"] = device("r", metrics=("rain_rate",), point=Point(118.02, 31.0))
    return city(devices=sensors, drains=DrainNetwork(nodes=nodes, pipes=joined if pipes else {}))


def watch(town: City, items: list[Reading], own: str = "b") -> list[Known]:
    (site,) = (s for s in SPEC.sites(town, CFG) if s.id == own)
    told: list[Item] = sorted(items, key=lambda r: (r.received_at, r.device))
    return run(SPEC, CFG, site, told, tail_s=0)


def filling(name: str = "b", every_s: float = 60.0, from_s: float = 3600.0) -> list[Reading]:
    """Dry for an hour, then to the rim of 3 m in half an hour, faster and faster."""
    out = []
    for i in range(int(5400 / every_s)):
        t = i * every_s
        wet = max(t - from_s, 0.0) / 1800
        out.append(reading(name, "level", 0.1 + 2.9 * wet**2, t, i))
    return out


def raining(mm_h: float, from_s: float = 3300.0) -> list[Reading]:
    return [
        reading("r", "rain_rate", mm_h if 60.0 * i >= from_s else 0.0, 60.0 * i, i)
        for i in range(90)
    ]


def test_a_site_is_its_own_device_first_then_gauges_and_what_lies_upstream() -> None:
    (site,) = (s for s in SPEC.sites(sewer(), CFG) if s.id == "b")
    assert [d.id for d in site.devices] == ["b", "r", "a"]
    (top,) = (s for s in SPEC.sites(sewer(), CFG) if s.id == "a")
    assert [d.id for d in top.devices] == ["a", "r"]


def test_a_gauge_too_far_away_is_not_listened_to() -> None:
    town = sewer()
    far = msgspec.structs.replace(town.devices["r"], point=Point(118.2, 31.0))
    town = msgspec.structs.replace(town, devices={**town.devices, "r": far})
    assert all("r" not in {d.id for d in s.devices} for s in SPEC.sites(town, CFG))


@pytest.mark.parametrize("every_s", [60.0, 300.0])
@pytest.mark.parametrize("gauge", [True, False])
@pytest.mark.parametrize("pipes", [True, False])
def test_a_manhole_is_known_before_it_overflows_whatever_the_town_has(
    every_s: float, gauge: bool, pipes: bool
) -> None:
    items = filling(every_s=every_s) + (raining(60.0) if gauge else [])
    known = watch(sewer(gauge=gauge, pipes=pipes), items)
    assert known, "not known at all"
    event = known[0][1]
    assert event.evidence["stage"] == "forecast"
    assert (known[0][0] - START).total_seconds() < 5400 - 120
    assert event.device == "b"
    assert ("rain gauge" in " ".join(event.evidence["could"])) is not gauge
    assert len(event.evidence["could"]) == len(event.evidence["could_zh"])
    assert event.evidence["learning"]
    assert any("learning" in line for line in event.evidence["why"])


def test_rain_and_water_upstream_are_in_the_evidence() -> None:
    above = [msgspec.structs.replace(r, device="a") for r in filling(from_s=3000.0)]
    event = watch(sewer(), [*filling(), *raining(60.0), *above])[-1][1]
    assert event.evidence["rain"]["device"] == "r"
    assert event.evidence["upstream"][0][0] == "a"
    assert any("upstream a rises" in line for line in event.evidence["why"])


def test_water_upstream_alone_is_no_flood_here() -> None:
    above = [msgspec.structs.replace(r, device="a") for r in filling()]
    calm = [reading("b", "level", 0.1, 60.0 * i, i) for i in range(90)]
    assert watch(sewer(), [*above, *calm]) == []


def test_a_manhole_that_stands_at_nine_tenths_is_not_said_to_overflow() -> None:
    """Above the warning share of the rim, and going nowhere: the water found a lower rim."""
    rise = [0.1 + 0.02 * i for i in range(130)]
    values = [0.1] * 60 + rise + [2.7 - 0.0005 * i for i in range(120)]
    items = [reading("b", "level", v, 60.0 * i, i) for i, v in enumerate(values)]
    assert all(e.evidence["stage"] != "observed" for _, e in watch(sewer(), items))


def test_a_lower_rim_nearby_a_slower_rise_and_a_drier_pipe_make_overflow_less_likely() -> None:
    flat, high = Lie(0.0, 0.0, 0.6), Lie(1.0, 1.0, 0.6)
    rain = [40.0, 30.0, 20.0, 10.0]
    for wet in (None, rain):
        assert chance(1.5, 1.5, RISING, wet, flat) > chance(1.5, 1.5, RISING, wet, high)
        slower = (RISING[0] / 4, RISING[1] / 4, RISING[2] / 4)
        assert chance(1.5, 1.5, RISING, wet, flat) > chance(1.5, 1.5, slower, wet, flat)
    assert chance(1.5, 1.5, (-0.001, 0.001, 0.001), rain, flat) == 0.0
    assert chance(0.1, 2.9, (1e-5, 1e-5, 1e-5), rain, flat) == 0.0, "a morning's rise"


def test_water_that_reaches_the_rim_sooner_at_its_pace_is_likelier_to_overflow() -> None:
    for lie in (None, Lie(0.0, 0.0, 0.6)):
        for rain in (None, [40.0, 30.0, 20.0, 10.0]):
            slow = chance(1.0, 2.0, (0.002, 0.001, 0.001), rain, lie)
            fast = chance(1.0, 2.0, (0.002, 0.002, 0.001), rain, lie)
            assert fast / (1 - fast) > 1.5 * slow / (1 - slow)
            assert chance(2.9, 0.1, (0.004, 0.004, 0.004), rain, lie) > fast


def waves(pause_s: float) -> list[Reading]:
    """Filled to 2.6 m of 3 twice, `pause_s` apart, a quarter of an hour each; then dry."""
    out = []
    for i in range(int((3600 + 2 * 3600 + pause_s + 5 * 3600) / 60)):
        t = 60.0 * i
        into = [t - 3600.0, t - 3600.0 - 3600.0 - pause_s]
        wet = max(max(0.0, 1.0 - abs(s - 900.0) / 900.0) for s in into)
        out.append(reading("b", "level", round(0.1 + 2.5 * wet, 4), t, i))
    return out


def test_a_manhole_that_showers_fill_in_waves_is_one_flood_told_as_receding_between() -> None:
    known = watch(sewer(gauge=False), waves(pause_s=1800.0))
    assert len({e.id for _, e in known}) == 1
    stages = [e.evidence["stage"] for _, e in known]
    assert stages[0] == "forecast"
    between = stages.index("receding")
    assert "forecast" in stages[between:], "the second wave is a forecast again"
    assert known[-1][1].phase == "closed"
    assert known[-1][1].evidence["ended"] == "below"
    assert all(e.evidence["overflow_at"] is None for _, e in known if e.phase == "closed")


def test_waves_of_two_storms_are_two_floods() -> None:
    known = watch(sewer(gauge=False), waves(pause_s=4 * 3600.0))
    assert len({e.id for _, e in known}) == 2


def test_times_are_in_order_and_shorter_for_faster_water() -> None:
    for lie in (None, Lie(0.0, 0.0, 0.6)):
        for rain in (None, [40.0, 30.0, 20.0, 10.0]):
            low, best, high = seconds(1.0, 2.0, RISING, rain, lie)
            assert 0 < low <= best <= high
            faster = seconds(1.0, 2.0, (0.02, 0.02, 0.02), rain, lie)
            assert faster[1] < best


def test_how_a_manhole_lies_is_measured_against_its_neighbours() -> None:
    (site,) = (s for s in SPEC.sites(sewer(rims=(3.5, 3.0, 2.6)), CFG) if s.id == "b")
    lie = lie_of(site.drains)
    assert lie is not None
    assert lie.upper_m == pytest.approx(-0.5)
    assert lie.lower_m == pytest.approx(0.4)
    assert lie.pipe_m == 0.6


def test_pumps_that_swing_are_usual_up_to_where_they_swing() -> None:
    swings = Swings()
    for i in range(240):
        swings.fold(60.0 * i, 1.0 + math.sin(i / 6), 5.0)
    assert swings.usual(60.0 * 240, 1.9)
    assert not swings.usual(60.0 * 240, 3.0)
    assert not swings.usual(60.0 * 240 + 5 * 86400, 1.9)


def test_paces_are_slopes_over_two_five_and_ten_minutes_and_the_last_step_when_rare() -> None:
    steady = [(60.0 * i, 0.001 * 60 * i) for i in range(20)]
    assert paces(steady) == pytest.approx((0.001, 0.001, 0.001))
    assert paces([(0.0, 0.0), (900.0, 0.9)]) == pytest.approx((0.001, 0.001, 0.001))
    assert paces([(0.0, 1.0)]) == (0.0, 0.0, 0.0)
    late = [(60.0 * i, 0.0) for i in range(18)] + [(1080.0, 0.06), (1140.0, 0.12)]
    assert paces(late)[0] > paces(late)[1] > paces(late)[2]


def test_rain_on_its_way_stretches_the_horizon() -> None:
    """14 cm of 27 after twenty minutes: the other 13 will take some 20 more."""
    points = [(60.0 * i, max(0.0, 0.007 * (i - 40))) for i in range(61)]
    pace = paces(points)
    assert street(points, 0.0, 0.27, pace, 1.0, 0.0, CFG) is None
    assert street(points, 0.0, 0.27, pace, CFG.fed, 0.0, CFG) is not None


def test_rain_is_averaged_and_a_farther_gauge_speaks_only_for_a_silent_one() -> None:
    rain = Rain()
    for i in range(10):
        rain.fold("near", 60.0 * i, 30.0, True)
    before = list(rain.means)
    rain.fold("far", 560.0, 0.0, False)
    assert rain.means == before
    assert rain.means[0] > rain.means[3] > 0
    assert rain.known(1000.0) and not rain.known(10_000.0)
    rain.fold("far", 10_000.0, 12.0, False)
    assert rain.device == "far"


def test_a_marked_reading_upstream_says_nothing() -> None:
    bad = [msgspec.structs.replace(r, device="a", quality=int(Quality.STUCK)) for r in filling()]
    event = watch(sewer(), [*filling(), *bad])[-1][1]
    assert event.evidence["upstream"] == []


def test_something_that_fell_under_the_head_is_not_said_to_overflow() -> None:
    values = [0.1] * 60 + [1.8 + 0.001 * (i % 3) for i in range(60)]
    assert (
        watch(sewer(), [reading("b", "level", v, 60.0 * i, i) for i, v in enumerate(values)]) == []
    )


def test_a_full_scale_reading_is_no_water() -> None:
    values = [0.1] * 60 + [65.535] * 20 + [0.1] * 20
    assert (
        watch(sewer(), [reading("b", "level", v, 60.0 * i, i) for i, v in enumerate(values)]) == []
    )


@pytest.mark.parametrize("every_s", [60.0, 300.0])
def test_one_report_that_leaps_is_no_reason_to_warn_where_nothing_speaks_of_water(
    every_s: float,
) -> None:
    items = [reading("b", "level", 0.1, every_s * i, i) for i in range(60)]
    leap = reading("b", "level", 1.4, every_s * 60, 60)
    back = reading("b", "level", 0.1, every_s * 61, 61)
    on = reading("b", "level", 2.6, every_s * 61, 61)
    wet = [reading("r", "rain_rate", 30.0, every_s * 60 - 30 * k, 10 - k) for k in range(10)]
    assert watch(sewer(), [*items, leap, back]) == []
    assert len(watch(sewer(), [*items, leap, on])) == 1
    assert len(watch(sewer(), [*items, *wet, leap])) == 1


def crest(height: float, from_s: float) -> list[Reading]:
    """Up to `height` within some twenty minutes, and down again."""
    heights = [0.1 + (height - 0.1) * min(k / 20, 1.0) ** 1.5 for k in range(24)]
    shape = [*heights, *reversed(heights)]
    return [reading("b", "level", v, from_s + 60.0 * k, k) for k, v in enumerate(shape)]


def opened(storms: list[float]) -> int:
    """Floods of storms half a day apart that come so high."""
    items: list[Reading] = []
    for n, height in enumerate(storms):
        begin = 43_200.0 * n
        items += [reading("b", "level", 0.1, begin + 300.0 * k, k) for k in range(120)]
        items += crest(height, begin + 36_000.0)
    return len({event.id for _, event in watch(sewer(gauge=False), items)})


def test_water_that_came_as_far_before_without_harm_is_not_told_of_again() -> None:
    assert opened([1.6]) == 1
    assert opened([1.6, 1.4]) == 1
    assert opened([1.6, 2.4]) == 2


def test_a_manhole_that_overflowed_is_told_of_as_early_again() -> None:
    assert opened([3.0, 1.6]) == 2
