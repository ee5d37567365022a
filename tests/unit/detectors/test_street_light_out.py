"""Lamps and circuits: what is out, what burns by day, and what is no fault at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from contracts.city import City, Work
from contracts.event import Event
from contracts.nouns import Item
from detectors._common.drive import Known, run
from detectors._common.sample import START, city, device, reading
from detectors.street_light_out import SPEC
from detectors.street_light_out.config import LightConfig
from detectors.street_light_out.lamp import Lamp
from detectors.street_light_out.sites import sites
from detectors.street_light_out.sun import elevation, night, slot

DAY, HOUR = 86400.0, 3600.0
LON, LAT = 118.78, 31.26
FULL = 0.8

Share = Callable[[int, float], float | None]
"""(lamp, seconds since START) → share of its usual that it draws, or None: it says nothing."""


def town(lamps: int, metrics: tuple[str, ...] = ("lamp_current",), monitor: bool = False) -> City:
    devices = {
        f"lamp-{k}": device(f"lamp-{k}", type="street_light", site="ring", metrics=metrics)
        for k in range(lamps)
    }
    if monitor:
        devices["box"] = device("box", type="line_monitor", site="ring", metrics=("voltage_a",))
    return city(devices=devices)


def burns(t: float) -> bool:
    return elevation(START.timestamp() + t, LON, LAT) < -3.5


def circuit(
    share: Share, days: float, lamps: int = 6, every_s: float = 1800.0, seed: int = 1
) -> list[Item]:
    """Reports of all lamps; between them a few seconds, and two per cent of noise."""
    rng = np.random.default_rng(seed)
    items: list[Item] = []
    for k in range(int(days * DAY / every_s)):
        for n in range(lamps):
            t = every_s * k + every_s * n / lamps + float(rng.uniform(0, 20))
            part = share(n, t)
            if part is None:
                continue
            value = round(FULL * part * float(rng.uniform(0.98, 1.02)) + 0.003, 3)
            items.append(reading(f"lamp-{n}", "lamp_current", value, t, k))
    return in_order(items)


def in_order(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: item.received_at)


def watched(items: Iterable[Item], where: City | None = None) -> list[Known]:
    where = where or town(6)
    (site,) = sites(where, LightConfig())
    return run(SPEC, LightConfig(), site, items, tail_s=3600.0)


def ids(known: list[Known]) -> set[str]:
    return {e.id for _, e in known}


def last(known: list[Known]) -> Event:
    return known[-1][1]


def hours_after(known: list[Known], t: float, state: str) -> float:
    at = next(at for at, e in known if e.evidence["state"] == state)
    return (at - START).total_seconds() / 3600 - t / 3600


def dies(lamps: Iterable[int], at: float, until: float = 1e12) -> Share:
    dead = frozenset(lamps)
    return lambda n, t: float(burns(t) and not (n in dead and at <= t < until))


EVENING = 5 * DAY + 6.5 * 3600
"""20:30 in the town, on the sixth day; sunset is a quarter past seven."""


@pytest.mark.parametrize(
    ("when", "height"),
    # NREL's SPA (Reda and Andreas, 2004) gives 39.89° of elevation for its example: 17 October
    # 2003, 19:30:30 UTC, Golden, Colorado; noon of solstices and equinox by geometry
    [
        (datetime(2003, 10, 17, 19, 30, 30, tzinfo=UTC), (39.89, -105.1786, 39.742476)),
        (datetime(2026, 6, 21, 12, 2, tzinfo=UTC), (73.44, 0.0, 40.0)),
        (datetime(2026, 12, 21, 11, 58, tzinfo=UTC), (26.56, 0.0, 40.0)),
        (datetime(2026, 3, 20, 12, 7, tzinfo=UTC), (90.0, 0.0, 0.0)),
    ],
)
def test_the_sun_stands_where_others_say(when: datetime, height: tuple[float, ...]) -> None:
    degrees, lon, lat = height
    assert elevation(when.timestamp(), lon, lat) == pytest.approx(degrees, abs=0.4)


def test_half_hours_and_nights_follow_the_mean_sun() -> None:
    midnight = datetime(2026, 7, 1, 16, 5, tzinfo=UTC).timestamp()  # 00:05 at 120° east
    assert slot(midnight, 120.0) == 0
    assert slot(midnight - 600, 120.0) == 47
    assert night(midnight, 120.0) == night(midnight - 6 * 3600, 120.0)
    assert night(midnight, 120.0) != night(midnight + 13 * 3600, 120.0)


def test_a_lamp_that_dies_is_told_within_two_reports_and_closed_when_it_burns_again() -> None:
    known = watched(circuit(dies([2], EVENING, 6.9 * DAY), 9))
    assert len(ids(known)) == 1
    first = known[0][1]
    assert first.device == "lamp-2"
    assert first.site == "lamp-2"
    assert first.severity <= 2
    assert first.evidence["what"] == "lamp"
    assert first.evidence["state"] == "suspected"
    assert 0.5 <= hours_after(known, EVENING, "suspected") <= 1.6
    assert hours_after(known, EVENING, "confirmed") <= 3.6
    assert last(known).phase == "closed"
    assert last(known).evidence["ended"] == "back"
    assert any("usual at this hour" in w for w in first.evidence["why"])
    assert len(first.evidence["why"]) == len(first.evidence["why_zh"])
    assert {a["what"] for a in first.evidence["alternatives"]} >= {"dimming", "works", "supply"}


@pytest.mark.parametrize("every_s", [900.0, 3600.0])
def test_how_often_lamps_report_matters_only_for_how_soon(every_s: float) -> None:
    known = watched(circuit(dies([0], EVENING), 7, every_s=every_s))
    assert len(ids(known)) == 1
    assert hours_after(known, EVENING, "suspected") <= 2.1 * max(every_s, 1800) / 3600 + 0.1


def test_a_lamp_that_does_not_come_on_at_dusk_is_told() -> None:
    known = watched(circuit(dies([4], 5 * DAY + 3600), 7))
    assert [e.evidence["what"] for _, e in known[:1]] == ["lamp"]


@pytest.mark.parametrize("supply", [True, False, None])
def test_a_dark_circuit_is_one_event_for_all_its_lamps(supply: bool | None) -> None:
    items = circuit(dies(range(6), EVENING, EVENING + 5 * 3600), 7)
    if supply is not None:
        for k in range(int(7 * DAY / 600)):
            t = 600.0 * k + 5
            gone = not supply and EVENING <= t < EVENING + 5 * 3600
            items.append(reading("box", "voltage_a", 2.0 if gone else 226.0, t, k))
    known = watched(in_order(items), town(6, monitor=supply is not None))
    assert len(ids(known)) == 1
    wide = [e for _, e in known if e.evidence["what"] == "circuit"]
    assert len(wide[-1].evidence["members"]) == 6
    assert wide[0].severity == 3
    assert wide[-1].evidence["supply"] == {True: "there", False: "lost", None: "unknown"}[supply]
    assert ("hint" in wide[0].evidence) == (supply is False)
    assert last(known).evidence["ended"] == "back"


def test_idle_drivers_of_a_dark_circuit_are_not_taken_for_dimmed_lamps() -> None:
    whole = dies(range(6), EVENING, EVENING + 5 * 3600)
    known = watched(circuit(lambda n, t: max(whole(n, t) or 0.0, 0.06), 7))
    assert "circuit" in {e.evidence["what"] for _, e in known}


def test_a_third_of_the_lamps_at_once_is_a_phase_not_three_lamps() -> None:
    known = watched(circuit(dies([0, 3, 6], EVENING), 7, lamps=9), town(9))
    assert {e.evidence["what"] for _, e in known if e.phase != "opened"} <= {"circuit", "lamp"}
    final = {e.id: e for _, e in known}
    assert [e.evidence["what"] for e in final.values() if "ended" not in e.evidence] == ["circuit"]


def test_a_circuit_that_fails_at_dawn_is_one_event_in_the_evening() -> None:
    dawn = next(t for t in np.arange(5 * DAY + 12 * HOUR, 6 * DAY, 60.0) if not burns(float(t)))
    known = watched(circuit(dies(range(6), float(dawn) - 4200), 7, every_s=900.0))
    final = {e.id: e for _, e in known}
    last_words = [e for e in final.values() if e.evidence.get("ended") != "joined"]
    assert [e.evidence["what"] for e in last_words] == ["circuit"]


def test_two_lamps_on_different_nights_are_two_events() -> None:
    one, two = dies([1], EVENING), dies([4], EVENING + DAY)
    known = watched(circuit(lambda n, t: min(one(n, t) or 0.0, two(n, t) or 0.0), 8))
    assert len(ids(known)) == 2
    assert {e.device for _, e in known} == {"lamp-1", "lamp-4"}


def test_dimming_half_nights_and_season_are_no_faults() -> None:
    def share(n: int, t: float) -> float:
        if not burns(t):
            return 0.0
        k = slot(START.timestamp() + t, LON)
        dim = 0.35 if 2 <= k < 8 else 1.0
        return 0.0 if n % 2 and k < 10 else dim  # every other lamp ends at midnight

    assert watched(circuit(share, 24)) == []


def test_a_new_dimming_profile_of_all_is_no_fault() -> None:
    def share(_: int, t: float) -> float:
        dim = 0.2 if t > 6 * DAY and slot(START.timestamp() + t, LON) < 8 else 1.0
        return dim * burns(t)

    assert watched(circuit(share, 12)) == []


def test_silence_says_nothing() -> None:
    def share(n: int, t: float) -> float | None:
        return None if t > EVENING and n < 5 else float(burns(t))

    assert watched(circuit(share, 7)) == []


def test_an_open_event_of_a_silent_lamp_ends_as_unknown() -> None:
    def share(n: int, t: float) -> float | None:
        if n == 1 and t > EVENING + 3 * 3600:
            return None
        return dies([1], EVENING)(n, t)

    known = watched(circuit(share, 10))
    assert last(known).evidence["ended"] == "no_reading"
    assert last(known).phase == "closed"


def test_one_dark_report_is_no_fault() -> None:
    """A discharge lamp that loses its arc is back within a quarter of an hour."""
    known = watched(circuit(dies([3], EVENING, EVENING + 1500), 7))
    assert known == []


def test_a_lamp_that_burns_by_day_is_told_as_that() -> None:
    stuck = 5 * DAY - 2 * 3600  # from the morning on

    def share(n: int, t: float) -> float:
        return 1.0 if n == 1 and t > stuck else float(burns(t))

    known = watched(circuit(share, 6.2))
    assert len(ids(known)) == 1
    assert known[0][1].evidence["what"] == "day_burner"
    assert known[0][1].severity == 1


def test_a_dark_thunderstorm_by_day_is_no_fault_but_a_stuck_contactor_is() -> None:
    noon = 5 * DAY  # 14:00 in the town

    def storm(hours: float) -> Share:
        return lambda n, t: 1.0 if noon <= t < noon + 3600 * hours else float(burns(t))

    assert watched(circuit(storm(1.4), 6)) == []
    known = watched(circuit(storm(4.5), 6))
    assert {e.evidence["what"] for _, e in known} == {"day_circuit"}
    assert len(ids(known)) == 1


def test_a_lamp_that_always_burns_is_a_tunnels() -> None:
    assert watched(circuit(lambda n, t: 1.0 if n == 0 else float(burns(t)), 8)) == []


def test_a_lamp_that_goes_out_and_on_is_at_its_end() -> None:
    def share(n: int, t: float) -> float:
        off = n == 2 and t > EVENING and (t - EVENING) % 5400 < 1800
        return float(burns(t) and not off)

    known = watched(circuit(share, 8, every_s=900.0))
    whats = [e.evidence["what"] for _, e in known]
    assert "cycling" in whats
    assert len(ids(known)) <= 2


def test_planned_works_explain_a_dark_circuit() -> None:
    work = Work(
        id="W-1",
        kind="works",
        start=START + timedelta(seconds=EVENING - 3600),
        end=START + timedelta(seconds=EVENING + 6 * 3600),
        assets=("ring",),
    )
    where = msgspec.structs.replace(town(6), works=(work,))
    assert watched(circuit(dies(range(6), EVENING, EVENING + 5 * 3600), 7), where) == []


def test_a_dead_current_clamp_is_contradicted_by_the_lamps_own_light() -> None:
    items = circuit(dies([2], EVENING), 7)
    for item in list(items):
        assert not isinstance(item, str)
        t = (item.at - START).total_seconds() - 1.0
        if item.device == "lamp-2":
            items.append(reading("lamp-2", "lux", 45.0 if burns(t) else 9000.0, t))
    assert watched(in_order(items), town(6, ("lamp_current", "lux"))) == []


def test_a_lamp_that_never_burned_beside_others_is_told_for_itself() -> None:
    known = watched(circuit(dies([5], -1.0), 6))
    assert len(ids(known)) == 1
    assert any("never been seen" in w for w in known[0][1].evidence["why"])


def test_a_lone_lamp_without_neighbours_is_told_once_its_nights_are_known() -> None:
    where = town(1)
    known = watched(circuit(dies([0], EVENING), 7, lamps=1), where)
    assert [e.evidence["what"] for _, e in known[:1]] == ["lamp"]


def test_lamps_of_a_year_are_quiet() -> None:
    """Sunset moves by five hours from June to December and back."""
    known = watched(circuit(lambda n, t: float(burns(t)), 365, lamps=2, every_s=3500.0), town(2))
    assert known == []


@pytest.mark.parametrize("later", [6, 7, 8])
def test_a_lamp_that_tells_of_its_light_before_its_current_is_learned_anew(later: int) -> None:
    """Its first word comes by night, the current's within the same half hour."""
    items: list[Item] = []
    first = later + next(k for k in range(144) if burns(600.0 * k))
    for k in range(first, first + 300):
        t = 600.0 * k
        items.append(reading("lamp-0", "lux", 45.0 if burns(t) else 9000.0, t))
        items.append(reading("lamp-0", "lamp_current", FULL if burns(t) else 0.0, t))
    known = watched(items, town(1, ("lamp_current", "lux")))
    assert known == []


def test_a_clock_that_stands_at_the_beginning_of_epoch_time_breaks_nothing() -> None:
    lamp = Lamp(metric="lamp_current")
    assert night(0.0, LON) == -1
    lamp.learn(0, -1, 0.5, LightConfig())
    assert lamp.usual[0] == 0.5
