"""Broken and healthy fibres, real traces and made ones."""

from __future__ import annotations

import gzip
import itertools
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bench.lines.fibres import cut
from contracts.city import Fibre, Work
from contracts.errors import Permanent
from contracts.event import Event
from contracts.geo import Point, distance_m
from contracts.nouns import Item, Trace
from contracts.sor import parse_sor
from detectors._common.drive import run
from detectors._common.sample import START, city, device
from detectors.fibre_break import SPEC
from detectors.fibre_break.config import FibreBreakConfig
from detectors.fibre_break.end import end_of
from detectors.fibre_break.place import knots
from detectors.fibre_break.sample import trace
from simulators.lines.fibre import FibreOrder, FibreTake, fibre_take

CFG = FibreBreakConfig()
WEST, EAST = Point(118.70, 31.2), Point(118.90, 31.2)
TRUE_ENDS_M = {
    "1310_0001": 8815.82,
    "1310_0002": 867.68,
    "example1-noyes-ofl280": 3734.42,
    "issue14": 42131.30,
    "issue15a": 42136.0,
    "issue15b": 42141.50,
    "issue9": 619.81,
    "otdr1": 271.10,
    "otdr2": 4292.77,
    "otdr3": 61.78,
    "otdr4": 61.53,
}


def otdr_file(recordings: Path, name: str) -> bytes:
    return (recordings / "lines/otdr" / f"{name}.sor").read_bytes()


def load(recordings: Path, name: str, minute: float = 0) -> Trace:
    at = START + timedelta(minutes=minute)
    return parse_sor(otdr_file(recordings, name), "otdr", at, at)


def watch(items: list[Item], baseline: bytes | None = None, **fibre: object) -> list[Event]:
    cable = {"start_m": 0.0, "forward": True, "path": (WEST, EAST), **fibre}
    town = city(
        devices={"otdr": device("otdr", type="otdr", point=WEST)},
        fibres={"f": Fibre(id="f", owner="telecom", device="otdr", baseline=baseline, **cable)},  # type: ignore[arg-type]
    )
    cfg = FibreBreakConfig()
    (site,) = SPEC.sites(town, cfg)
    return [event for _, event in run(SPEC, cfg, site, items)]


@pytest.mark.recordings
@pytest.mark.parametrize("with_baseline", [True, False])
def test_the_real_broken_fibre_is_one_break_at_868_m(recordings: Path, with_baseline: bool) -> None:
    healthy, broken = load(recordings, "1310_0001", 0), load(recordings, "1310_0002", 1)
    again, mended = load(recordings, "1310_0002", 2), load(recordings, "1310_0001", 3)
    baseline = otdr_file(recordings, "1310_0001") if with_baseline else None
    opened, closed = watch([healthy, broken, again, mended], baseline)
    assert opened.evidence["distance_m"] == pytest.approx(867.68, abs=15)
    assert opened.phase == "opened"
    assert (closed.id, closed.phase) == (opened.id, "closed")
    there = Point(opened.place.lon, opened.place.lat)
    assert distance_m(WEST, there) == pytest.approx(867.68, abs=15)


@pytest.mark.recordings
def test_the_break_is_placed_by_chainage_and_direction(recordings: Path) -> None:
    items: list[Item] = [load(recordings, "1310_0001"), load(recordings, "1310_0002", 1)]
    (event,) = watch(items, start_m=9000.0, forward=False)
    there = Point(event.place.lon, event.place.lat)
    assert distance_m(WEST, there) == pytest.approx(9000 - 867.68, abs=15)


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("before", "after"),
    [
        *itertools.permutations(["issue14", "issue15a", "issue15b"], 2),
        ("otdr3", "otdr4"),
        ("otdr4", "otdr3"),
    ],
)
def test_healthy_links_are_not_broken(recordings: Path, before: str, after: str) -> None:
    """Other wavelength, other pulse, an end that was not found, 10 m repeatability."""
    assert watch([load(recordings, before), load(recordings, after, 1)]) == []
    baseline = otdr_file(recordings, before)
    assert watch([load(recordings, after, 1)], baseline) == []


@pytest.mark.recordings
@pytest.mark.parametrize("name", sorted(TRUE_ENDS_M))
def test_the_end_of_every_real_fibre_is_found(recordings: Path, name: str) -> None:
    end = end_of(load(recordings, name))
    assert end is not None
    assert end.distance_m == pytest.approx(TRUE_ENDS_M[name], abs=20)


def monitor_series(recordings: Path) -> list[tuple[float, np.ndarray[Any, Any]]]:
    """(sample spacing in m, power in dB) of a QKD line's monitoring traces, in order of time."""
    series = []
    for file in sorted((recordings / "lines/otdr_monitor_series").glob("*.json.gz")):
        with gzip.open(file) as packed:
            xy = np.array(json.load(packed)["XY"])
        series.append((float(xy[1, 0] - xy[0, 0]), xy[:, 1]))
    return series


@pytest.mark.recordings
def test_a_real_monitoring_series_that_only_drifts_is_not_broken(recordings: Path) -> None:
    """The same 49.5 km line through windows of 100 and of 5 km, every twelve seconds."""
    items: list[Item] = []
    for i, (spacing, power) in enumerate(monitor_series(recordings)):
        if not power.any():
            continue  # a failed read-out: refused before it gets here
        at = START + timedelta(seconds=12 * i)
        pulse = 5000.0 if spacing > 5 else 10.0
        items.append(Trace("otdr", at, at, spacing, 0.0, power, (), 1310.0, pulse))
    assert len(items) > 10
    assert watch(items) == []
    assert watch(items[2:]) == []


@pytest.mark.recordings
def test_an_all_zero_trace_is_a_failed_read_out(recordings: Path) -> None:
    data = bytearray(otdr_file(recordings, "1310_0001"))
    start = data.rindex(b"DataPts\0") + 8 + 12
    data[start : start + 2 * 25001] = bytes(2 * 25001)
    with pytest.raises(Permanent, match="read-out failed") as caught:
        parse_sor(bytes(data), "otdr", START, START)
    assert caught.value.code == "trace_all_zero"


@pytest.mark.parametrize("data", [b"", b"Map\0", b"\x00" * 64, b"Map\0\xc8\x00" + b"\xff" * 300])
def test_what_is_no_trace_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(Permanent) as caught:
        parse_sor(data, "otdr", START, START)
    assert caught.value.code == "bad_trace"


@pytest.mark.recordings
def test_a_truncated_trace_is_refused_wherever_it_ends(recordings: Path) -> None:
    data = otdr_file(recordings, "1310_0002")
    for length in (*range(0, 600, 7), 2000, 20000, 52000):
        with pytest.raises(Permanent):
            parse_sor(data[:length], "otdr", START, START)


@pytest.mark.parametrize("seed", range(12))
def test_made_breaks_are_found_where_they_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    end = float(rng.uniform(2000, 20000))
    cut = float(rng.uniform(0.02, 0.95)) * end
    items: list[Item] = [
        trace(rng, end, 0, 1.4 * end),
        trace(rng, end + 4, 60, 1.4 * end),
        trace(rng, cut, 120, 1.4 * end),
    ]
    (event,) = watch(items)
    assert event.evidence["distance_m"] == pytest.approx(cut, abs=15)


def test_a_cable_cut_at_the_instrument_is_a_break_at_zero() -> None:
    rng = np.random.default_rng(5)
    dead = trace(rng, 5000, 60, 8000)
    noise = np.maximum(-52.0 + rng.normal(0, 3.0, dead.power_db.size), -65.5)
    noise[:10] += 30
    dark = msgspec.structs.replace(dead, power_db=noise)
    (event,) = watch([trace(rng, 5000, 0, 8000), dark])
    assert event.evidence["distance_m"] == pytest.approx(0, abs=60)


def studio(seed: int, happening: str | None, **order: Any) -> tuple[FibreTake, list[Event]]:
    take = fibre_take(FibreOrder(seed=seed, happening=happening, **order))
    (site,) = SPEC.sites(take.city, CFG)
    return take, [event for _, event in run(SPEC, CFG, site, list(take.items))]


@pytest.mark.parametrize("seed", range(20, 30))
def test_a_cut_in_the_studio_is_told_where_it_is(seed: int) -> None:
    take, events = studio(seed, "break", table=False)
    assert len({e.id for e in events}) == 1
    event, truth = events[-1], take.truth
    assert truth.light_m is not None and truth.point is not None
    assert event.at == truth.at and event.evidence["what"] == "break"
    assert abs(event.evidence["distance_m"] - truth.light_m) <= truth.pulse_m + 10
    there = Point(event.place.lon, event.place.lat)
    assert distance_m(there, truth.point) <= 3 * event.evidence["error_m"]


@pytest.mark.parametrize("happening", ["bend", "splice_loss", "remeasured", None])
def test_light_that_passes_on_is_no_break(happening: str | None) -> None:
    for seed in range(40, 44):
        assert studio(seed, happening)[1] == []


@pytest.mark.parametrize(
    ("seed", "happening"),
    [
        (657812715, None),
        (2580694978, "remeasured"),
        (2073526928, None),
        (1087820725, None),
        (39832328580144825, "splice_loss"),
        (36164377479933555, "splice_loss"),
    ],
    ids=[
        "end-in-the-last-blocks",
        "short-window",
        "connector-before-the-end",
        "coarse-samples",
        "bad-connector-two-pulses-before-the-end",
        "no-peak-stands-out-of-the-noise",
    ],
)
def test_an_end_that_is_hard_to_see_is_no_break(seed: int, happening: str | None) -> None:
    assert studio(seed, happening)[1] == []


def test_the_echo_of_a_break_half_way_is_not_the_old_end() -> None:
    take, events = studio(3221081379, "break")
    assert take.truth.light_m is not None and take.truth.length_m is not None
    assert take.truth.light_m == pytest.approx(take.truth.length_m / 2, abs=1)
    assert events[-1].evidence["distance_m"] == pytest.approx(take.truth.light_m, abs=3)


def test_a_bend_is_told_apart_when_asked_for() -> None:
    cfg = FibreBreakConfig(bends=True)
    order = FibreOrder(seed=61, happening="bend", length_m=8000.0, pulse_ns=100, baseline=True)
    take = fibre_take(order)
    (site,) = SPEC.sites(take.city, cfg)
    events = [event for _, event in run(SPEC, cfg, site, list(take.items))]
    assert {e.evidence["what"] for e in events} == {"bend"}
    truth = take.truth
    assert truth.light_m is not None
    assert events[-1].evidence["distance_m"] == pytest.approx(truth.light_m, abs=60)
    assert events[-1].evidence["loss_db"] == pytest.approx(truth.loss_db, abs=0.3)
    assert events[-1].severity == 2


def test_a_read_out_that_failed_says_nothing() -> None:
    take, events = studio(21, "break", before=2, after=0, baseline=False)
    assert events == []
    last = take.items[-1]
    flat = np.zeros(last.power_db.size)
    dead = msgspec.structs.replace(last, power_db=flat, events=(), at=last.at + timedelta(hours=1))
    (site,) = SPEC.sites(take.city, CFG)
    assert run(SPEC, CFG, site, [*take.items, dead]) == []
    assert run(SPEC, CFG, site, [dead, *take.items]) == []


def test_a_mended_fibre_still_shows_where_it_was_broken() -> None:
    order = FibreOrder(seed=61, happening="break", length_m=8000.0, pulse_ns=100, baseline=True)
    take = fibre_take(order)
    whole, *_, cut = take.items
    later = cut.received_at + timedelta(minutes=10)
    mended = msgspec.structs.replace(whole, at=cut.at + timedelta(minutes=10), received_at=later)
    (site,) = SPEC.sites(take.city, FibreBreakConfig())
    told = [e for _, e in run(SPEC, FibreBreakConfig(), site, [*take.items, mended])]
    assert [e.phase for e in told] == ["opened", "closed"]
    broken, over = (e.evidence for e in told)
    assert over["trace"] == broken["trace"] and over["why"] == ["light passes again"]


def test_known_splices_put_the_break_on_the_map() -> None:
    """300 m of spare cable at 2 km: light counts them, the map does not."""
    marks = ((2300.0, 2000.0), (5400.0, 5000.0))
    rng = np.random.default_rng(3)
    items: list[Item] = [trace(rng, 8000, 0, 11000), trace(rng, 3850, 60, 11000)]
    (bare,) = watch(items)
    (known,) = watch(items, marks=marks)
    assert bare.evidence["chainage_m"] == pytest.approx(3850, abs=15)
    assert known.evidence["chainage_m"] == pytest.approx(3500, abs=15)
    assert known.evidence["error_m"] < bare.evidence["error_m"]


def test_splices_without_light_are_found_on_the_healthy_trace() -> None:
    route = knots(
        Fibre(
            id="f", owner="t", path=(WEST, EAST), device="o", marks=((None, 2000.0), (None, 4100.0))
        ),
        60_000.0,
        (160.0, 2045.0, 3300.0, 4190.0),
    )
    assert [(round(k.light_m), round(k.way_m)) for k in route] == [
        (0, 0),
        (2045, 2000),
        (4190, 4100),
    ]


def test_a_planned_cut_is_no_break_while_it_is_planned() -> None:
    rng = np.random.default_rng(4)
    items: list[Item] = [trace(rng, 6000, 0, 9000), trace(rng, 2000, 60, 9000)]
    late = trace(rng, 2000, 7200, 9000)
    work = Work(id="w", kind="割接", start=START, end=START + timedelta(hours=1), assets=("f",))
    town = city(
        devices={"otdr": device("otdr", type="otdr", point=WEST)},
        fibres={"f": Fibre(id="f", owner="telecom", device="otdr", path=(WEST, EAST))},
        works=(work,),
    )
    (site,) = SPEC.sites(town, CFG)
    assert run(SPEC, CFG, site, items) == []
    ((_, event),) = run(SPEC, CFG, site, [*items, late])
    assert event.at == late.at


def test_what_else_it_might_have_been_is_said_in_both_languages() -> None:
    rng = np.random.default_rng(8)
    (event,) = watch([trace(rng, 9000, 0, 12000), trace(rng, 4000, 60, 12000)])
    told = event.evidence
    assert {o["what"] for o in told["ruled_out"]} >= {"macro_bend", "noise", "readout_failure"}
    assert all(o["why"] and o["why_zh"] and 0 <= o["p"] < 0.05 for o in told["ruled_out"])
    assert told["p"] > 0.95 and told["why"] and len(told["why"]) == len(told["why_zh"])
    for name in ("trace", "baseline_trace"):
        assert 16 < len(told[name]) <= 400 and all(len(pair) == 2 for pair in told[name])
    assert told["break_m"] == told["distance_m"]


def test_a_fibre_first_seen_broken_is_learned_again_when_light_goes_further() -> None:
    rng = np.random.default_rng(9)
    items: list[Item] = [trace(rng, 3000, 0, 12000), trace(rng, 9000, 60, 12000)]
    assert watch(items) == []
    (event,) = watch([*items, trace(rng, 5000, 120, 12000)])
    assert event.evidence["distance_m"] == pytest.approx(5000, abs=15)


def test_a_fibre_that_fades_into_the_noise_is_not_cut() -> None:
    """The same fibre with 10 dB less dynamic range: backscatter meets the noise at two thirds."""
    rng = np.random.default_rng(10)
    whole = trace(rng, 30_000, 0, 45_000)
    x = whole.first_m + np.arange(whole.power_db.size) * whole.spacing_m
    light = 10 ** ((-20.0 - 0.35 * x / 1000) / 5) * (x < 30_000)
    noisy = light + rng.normal(0, 10 ** (-27.0 / 5), x.size)
    level = 5 * np.log10(np.maximum(np.abs(noisy), 1e-9))
    weak = msgspec.structs.replace(
        whole, power_db=level, at=whole.at + timedelta(minutes=1), received_at=whole.received_at
    )
    assert watch([whole, weak]) == []


@pytest.mark.recordings
@pytest.mark.parametrize("name", ["1310_0001", "issue14", "otdr2", "issue9"])
@pytest.mark.parametrize("reflective", [False, True])
def test_a_real_trace_cut_open_is_broken_there(
    recordings: Path, name: str, reflective: bool
) -> None:
    whole, rng = load(recordings, name), np.random.default_rng(2)
    for part in (0.15, 0.6):
        at = part * TRUE_ENDS_M[name]
        broken = cut(whole, TRUE_ENDS_M[name], at, rng, reflective=reflective)
        later = msgspec.structs.replace(broken, at=START + timedelta(minutes=1))
        (event,) = watch([whole, later])
        pulse = whole.pulse_ns * 0.102
        assert event.evidence["distance_m"] == pytest.approx(at, abs=pulse + 10)
