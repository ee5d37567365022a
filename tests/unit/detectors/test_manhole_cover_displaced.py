"""Covers that lie otherwise than they did: what is told, when, and what is not."""

from __future__ import annotations

import gzip
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.city import City, DrainNetwork, Node, Work
from contracts.event import Event
from contracts.nouns import Quality, Reading
from detectors._common.drive import Drive, Known
from detectors._common.sample import START, city, device, reading
from detectors.manhole_cover_displaced import SPEC
from detectors.manhole_cover_displaced.config import CoverConfig

CFG = CoverConfig()
DAY, QUARTER = 86400.0, 900.0


def town(**parts: object) -> City:
    cover = device("c1", type="manhole_cover", metrics=("tilt", "vibration"))
    gauge = device("w1", type="water_level", metrics=("level",))
    point = cover.point
    node = Node(id="n1", point=point, invert_m=2.0, rim_m=5.0)
    return city(
        devices={"c1": cover, "w1": gauge},
        drains=DrainNetwork(nodes={"n1": node}, pipes={}),
        **parts,
    )


def drive(place: City | None = None) -> Drive:
    (site,) = SPEC.sites(place or town(), CFG)
    return Drive(SPEC, CFG, site)


def rest(until: float, every: float = QUARTER, at: float = 2.0) -> list[Reading]:
    rng = np.random.default_rng(5)
    count = int(until / every)
    return [
        reading("c1", "tilt", round(at + float(rng.normal(0, 0.15)), 1), every * k, k)
        for k in range(count)
    ]


def fold(items: list[Reading], over: Drive | None = None, tail_s: float = 0.0) -> list[Known]:
    over = over or drive()
    known = [one for item in items for one in over.put(item)]
    if tail_s and items:
        known += over.run_to(items[-1].received_at + timedelta(seconds=tail_s))
    return known


def tilt(value: float, after_s: float) -> Reading:
    return reading("c1", "tilt", value, after_s, 5000)


def events(known: list[Known]) -> list[Event]:
    return [event for _, event in known]


def test_a_lifted_cover_is_suspected_with_its_first_report_and_confirmed_by_the_next() -> None:
    at = 2 * DAY
    first, second = events(fold([*rest(at), tilt(62.0, at), tilt(61.5, at + 25)]))
    assert (first.phase, first.evidence["state"], first.severity) == ("opened", "suspected", 4)
    assert (second.evidence["state"], second.severity) == ("confirmed", 5)
    assert second.evidence["cause"] == "lifted"
    assert second.evidence["change"] == pytest.approx(59.5, abs=0.5)
    assert any("62" in line or "61.5" in line for line in second.evidence["why"])
    assert len(second.evidence["why"]) == len(second.evidence["why_zh"])
    assert any("vehicle" in line for line in second.evidence["ruled_out"])
    assert not second.evidence["learning"]


def test_a_lorry_that_wakes_the_terminal_is_no_alarm() -> None:
    at = DAY + 300
    assert fold([*rest(DAY), tilt(16.0, at), tilt(2.1, at + 6)], tail_s=3600) == []


def test_two_reports_of_one_shock_do_not_confirm_one_another() -> None:
    at = DAY + 300
    shocks = [tilt(17.0, at), tilt(14.0, at + 3), tilt(2.1, at + 9)]
    assert fold([*rest(DAY), *shocks], tail_s=3600) == []


def test_a_far_report_that_nothing_follows_is_told_after_a_minute() -> None:
    at = DAY + 300
    ((when, event),) = fold([*rest(DAY), tilt(16.0, at)], tail_s=3600)
    assert event.evidence["state"] == "suspected"
    told = (when - (START + timedelta(seconds=at))).total_seconds()
    assert told == pytest.approx(CFG.wait_s, abs=1)


@pytest.mark.parametrize("every", [60.0, QUARTER, 3600.0, DAY])
def test_however_rare_its_reports_are_an_open_cover_is_told_with_the_first(every: float) -> None:
    items = rest(10 * every, every)
    at = 10 * every
    ((when, event),) = fold([*items, tilt(75.0, at)])
    assert event.phase == "opened"
    assert when - (START + timedelta(seconds=at)) < timedelta(seconds=1)


def test_one_edge_on_the_road_is_told_once_it_stays() -> None:
    items = [*rest(DAY), *(tilt(7.2 + 0.1 * (k % 2), DAY + QUARTER * k) for k in range(4))]
    ((when, event),) = fold(items)
    assert event.severity == 3
    assert event.evidence["state"] == "confirmed"
    assert when - (START + timedelta(seconds=DAY)) >= timedelta(seconds=CFG.shift_s)


def test_a_small_change_that_goes_again_is_no_alarm() -> None:
    items = [*rest(DAY), tilt(7.2, DAY), tilt(7.3, DAY + 900), tilt(2.0, DAY + 1800)]
    assert fold(items, tail_s=DAY) == []


def test_a_mounting_offset_is_the_covers_own_rest() -> None:
    assert fold(rest(3 * DAY, at=13.0), tail_s=DAY) == []


def test_warm_days_and_a_settling_road_are_no_alarm() -> None:
    items = [
        tilt(round(3 + 2.5 * math.sin(2 * math.pi * k / 96) + 6 * k / (60 * 96), 1), QUARTER * k)
        for k in range(60 * 96)
    ]
    assert fold(items) == []


def test_water_at_the_rim_is_named_as_the_cause_also_when_it_is_heard_later() -> None:
    at = DAY + 300
    over = drive()
    moved = [*rest(DAY), tilt(18.0, at), tilt(18.2, at + 30)]
    (opened,) = events(fold(moved, over))
    assert opened.evidence["cause"] == "shifted"
    (told,) = events(fold([reading("w1", "level", 2.98, at + 60)], over))
    assert told.evidence["cause"] == "surcharge"
    assert "rim" in " ".join(told.evidence["why"])
    assert "水" in "".join(told.evidence["why_zh"])


def test_water_far_below_the_rim_rules_surcharge_out() -> None:
    at = DAY + 300
    items = [*rest(DAY), reading("w1", "level", 0.4, at - 60), tilt(18.0, at), tilt(18.2, at + 30)]
    (event,) = events(fold(items))
    assert event.evidence["cause"] == "shifted"
    assert any("surcharge" in line for line in event.evidence["ruled_out"])


def test_a_blow_just_before_is_named() -> None:
    at = DAY + 300
    blow = reading("c1", "vibration", 14.0, at - 5)
    (event,) = events(fold([*rest(DAY), blow, tilt(18.0, at), tilt(18.2, at + 30)]))
    assert (event.evidence["cause"], event.evidence["vibration"]) == ("struck", 14.0)


def test_planned_work_is_named_and_hurries_nobody() -> None:
    work = Work(
        id="W-7",
        kind="inspection",
        start=START + timedelta(hours=20),
        end=START + timedelta(hours=30),
        assets=("c1",),
        note="cleaning",
    )
    (event, *_) = events(fold([*rest(DAY), tilt(70.0, DAY)], drive(town(works=(work,)))))
    assert (event.evidence["cause"], event.severity) == ("works", 2)
    assert "W-7 cleaning" in " ".join(event.evidence["why"])


def test_it_is_over_when_it_lies_as_before_and_not_by_silence() -> None:
    over = drive()
    fold([*rest(DAY), tilt(70.0, DAY), tilt(70.2, DAY + 30)], over)
    assert over.run_to(START + timedelta(days=5)) == []
    late = 5 * DAY + 60
    assert fold([tilt(2.1, late)], over) == []
    (closed,) = events(fold([tilt(2.2, late + 60)], over))
    assert (closed.phase, closed.evidence["ended"]) == ("closed", "back")


def test_half_way_back_is_not_back() -> None:
    over = drive()
    fold([*rest(DAY), tilt(70.0, DAY), tilt(70.2, DAY + 30)], over)
    half = [tilt(9.0, DAY + 60 * k) for k in range(2, 8)]
    assert all(e.phase != "closed" for e in events(fold(half, over)))


def test_a_suspicion_that_the_next_report_takes_back_ends() -> None:
    over = drive()
    first, second = events(fold([*rest(DAY), tilt(40.0, DAY), tilt(2.0, DAY + 20)], over))
    assert first.evidence["state"] == second.evidence["state"] == "suspected"
    assert (second.phase, second.evidence["ended"]) == ("closed", "back")


def test_a_new_sensor_works_from_its_second_report_and_says_that_it_learns() -> None:
    (event, *_) = events(fold([tilt(2.0, 0), tilt(50.0, 600)]))
    assert event.evidence["learning"]
    assert any("learned" in line for line in event.evidence["why"])


def test_a_sensor_first_heard_askew_learns_its_rest_when_it_is_put_right() -> None:
    over = drive()
    askew = [tilt(30.0, 60 * k) for k in range(6)]
    level = [tilt(1.5, 3600 + 900 * k) for k in range(5)]
    assert fold([*askew, *level], over) == []
    (event,) = events(fold([tilt(40.0, 9000)], over))
    assert event.evidence["rest"] == pytest.approx(1.5, abs=0.3)


def test_a_cover_put_down_otherwise_for_a_week_is_taken_as_it_lies() -> None:
    over = drive()
    items = [*rest(DAY), *(tilt(14.0, DAY + 3600 * k) for k in range(24 * 8))]
    *_, last = events(fold(items, over))
    assert (last.phase, last.evidence["ended"]) == ("closed", "adopted")
    assert fold([tilt(14.1, 10 * DAY)], over) == []


def test_values_that_cannot_be_are_not_folded() -> None:
    at = START + timedelta(seconds=DAY)
    wild = Reading("c1", "tilt", 400.0, at, at, quality=int(Quality.OUT_OF_RANGE))
    assert fold([*rest(DAY), wild], tail_s=3600) == []


def test_only_covers_are_watched() -> None:
    place = city(
        devices={
            "p": device("p", type="pole_tilt", metrics=("tilt",)),
            "c": device("c", type="manhole_cover", metrics=("tilt",)),
            "m": device("m", type="manhole", metrics=("level",)),
        }
    )
    assert [site.id for site in SPEC.sites(place, CFG)] == ["c"]


# --- a real instrument ------------------------------------------------------------------------


def tower(recordings: Path) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """(epoch s, angle from how it was mounted, index where it was mounted anew)."""
    path = recordings / "lines/lorawan_field/EMS_A81758FFFE04B1C1_first_half.ndjson.gz"
    rows = []
    with gzip.open(path, "rt") as file:
        for line in file:
            row = json.loads(line)
            said = (row.get("decoded") or {}).get("payload") or {}
            if said.get("x") is not None:
                rows.append((row["_timestamp"] / 1000, said["x"], said["y"], said["z"]))
    rows.sort()
    t = np.array([r[0] for r in rows])
    g = np.array([r[1:] for r in rows], float)
    g /= np.linalg.norm(g, axis=1, keepdims=True)
    turned = int(np.flatnonzero(g[:, 0] < 0)[0])
    angle = np.empty(len(t))
    for lo, hi in ((0, turned), (turned, len(t))):
        mounted = g[lo : lo + 20].mean(axis=0)
        cos = g[lo:hi] @ (mounted / np.linalg.norm(mounted))
        angle[lo:hi] = np.degrees(np.arccos(np.clip(cos, -1, 1)))
    return t, angle, turned


@pytest.mark.recordings
def test_a_real_instrument_on_a_swaying_tower_is_seldom_taken_for_a_moved_cover(
    recordings: Path,
) -> None:
    """An accelerometer at a concrete tower that is climbed and worked on: nothing there is a cover,
    so everything told is false. Time counts where it was heard (gaps under four hours)."""
    t, angle, turned = tower(recordings)
    gaps = np.diff(t)
    years = float(gaps[gaps < 4 * 3600].sum()) / (365.25 * DAY)

    def onsets(bad: NDArray[np.bool_]) -> float:
        return float((bad[1:] & ~bad[:-1]).sum()) / years

    told: dict[str, list[Event]] = {}
    for lo, hi in ((0, turned), (turned, len(t))):
        over = drive()
        for k in range(lo, hi):
            at = datetime.fromtimestamp(float(t[k]), UTC)
            value = round(float(angle[k]), 1)
            for _, event in over.put(Reading("c1", "tilt", value, at, at, sent_at=at)):
                told.setdefault(event.id, []).append(event)
    confirmed = [e for e in told.values() if e[-1].evidence["state"] == "confirmed"]
    ours, sure = len(told) / years, len(confirmed) / years
    naive5, naive10 = onsets(angle > 5), onsets(angle > 10)
    print(
        f"\na year: above 5° {naive5:.0f}, above 10° {naive10:.0f}, told {ours:.0f}, "
        f"confirmed {sure:.0f} ({years * 365.25:.0f} days heard)"
    )
    assert naive5 > 200
    assert ours <= naive10 / 3
    assert sure <= 20
