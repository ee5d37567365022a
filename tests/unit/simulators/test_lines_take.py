"""Runs of the line studio: what breaks shows, what only looks like it does not break."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.errors import Wrong
from contracts.nouns import Reading, Status
from simulators.lines import __main__ as command
from simulators.lines.run import take
from simulators.lines.sway import Sway
from simulators.lines.take import BREAKS, CONFOUNDERS, Order, Take

VOLTS = ("voltage_a", "voltage_b", "voltage_c")


def order(happening: str | None, **asked: Any) -> Order:
    return Order(**{"seed": 5, "feeder": "village", "happening": happening, **asked})


def readings(made: Take, device: str | None = None) -> list[Reading]:
    return [
        i for i in made.items if isinstance(i, Reading) and (device is None or i.device == device)
    ]


def test_the_same_order_gives_the_same_take() -> None:
    asked = order("severed")
    assert take(asked) == take(asked)


@pytest.mark.parametrize("happening", [*BREAKS, *CONFOUNDERS, None])
def test_everything_that_may_be_ordered_is_delivered(happening: str | None) -> None:
    made = take(order(happening))
    assert [b.what for b in made.breaks] == [h for h in BREAKS if h == happening]
    assert [c.what for c in made.confounders] == [h for h in CONFOUNDERS if h == happening]
    assert list(made.items) == sorted(made.items, key=lambda i: i.received_at)
    (line,) = made.city.lines
    for item in made.items:
        device = made.city.devices[item.device]
        assert device.site == (None if device.type == "gateway" else line.id)
        if isinstance(item, Reading):
            assert item.metric in device.metrics
            assert item.value == item.value
            assert item.sent_at == item.at
    for one in made.breaks:
        assert one.line == line.id
        assert one.span in line.spans


def test_a_take_names_all_cables_that_hang_on_a_severed_span() -> None:
    seen = set()
    for seed in range(12):
        made = take(order("severed", seed=seed))
        (line,), (one,) = made.city.lines, made.breaks
        span = line.spans[one.span]
        assert one.owners == ("state-grid", *span.carries)
        assert set(span.carries) <= set(line.nodes[span.from_].carries)
        seen.add(len(one.owners))
    assert {1, 2} <= seen


def test_behind_a_severed_span_meters_gasp_once_and_fall_silent_and_poles_report_nothing_left() -> (
    None
):
    made = take(order("severed", seed=8, loss=0.0))
    (one,) = made.breaks
    dark = {d for d in made.showing if d.startswith("mt-")}
    assert dark
    for device in dark:
        gasps = [r for r in readings(made, device) if r.metric == "last_gasp"]
        assert len(gasps) <= 1  # one in ten drowns
        for gasp in gasps:
            waited = (gasp.at - one.at).total_seconds()
            assert 29.0 < waited < 46.0
        after = one.at + timedelta(seconds=1)
        assert not [r for r in readings(made, device) if r.at > after and r.metric in VOLTS]
    (line,) = made.city.lines
    dark_nodes = {line.spans[one.span].to}
    for span in line.spans.values():  # listed away from the source
        dark_nodes |= {span.to} if span.from_ in dark_nodes else set()
    poles = [f"lm-{n}" for n in sorted(dark_nodes) if line.nodes[n].what == "pole"]
    last = {(r.device, r.metric): r.value for r in readings(made)}
    assert poles
    assert all(last[p, v] < 10.0 for p in poles for v in VOLTS)
    assert made.first_word is not None
    assert timedelta(0) < made.first_word - one.at < timedelta(seconds=5)


def test_a_strike_comes_seconds_before_about_a_third_of_the_breaks() -> None:
    struck = [take(order("severed", seed=s)).breaks[0] for s in range(24)]
    times = [b.at - b.struck for b in struck if b.struck is not None]
    assert 2 <= len(times) <= 17
    assert all(timedelta(seconds=0.5) <= t <= timedelta(seconds=6) for t in times)


def test_a_planned_outage_is_in_the_register_and_an_unregistered_one_is_not() -> None:
    for seed in range(6):
        made = take(order("planned_outage", seed=seed))
        (work,), (truth,) = made.city.works, made.confounders
        assert work.start <= truth.begin <= work.end
        assert set(work.assets) <= set(truth.assets)
        bare = take(order("planned_unregistered", seed=seed))
        assert all(w.start > bare.confounders[0].end for w in bare.city.works)


def test_a_dead_gateway_takes_all_its_monitors_with_it() -> None:
    statuses = 0
    for seed in range(6):
        made = take(order("gateway_dead", seed=seed, delay_s=0.01))
        (truth,) = made.confounders
        gone = set(truth.assets)
        late = truth.begin + timedelta(seconds=1)
        assert not [r for r in readings(made) if r.device in gone and r.at > late]
        told = [i for i in made.items if isinstance(i, Status)]
        assert all(not s.online and s.device in gone for s in told)
        assert bool(told) == (truth.how == "told")
        statuses += len(told)
    assert statuses


def test_load_switching_and_what_lies_behind_a_meter_drop_currents_alone() -> None:
    for what in ("load_switching", "customer_off"):
        for seed in range(4):
            made = take(order(what, seed=seed))
            if made.confounders[0].how == "dark":
                continue
            assert min(r.value for r in readings(made) if r.metric in VOLTS) > 180.0


def test_lost_reports_are_lost_in_the_ordered_share() -> None:
    whole = len(readings(take(order(None, loss=0.0))))
    half = len(readings(take(order(None, loss=0.5))))
    assert 0.4 < half / whole < 0.6


def test_leaves_watch_ends_customers_and_transformers_alone() -> None:
    made = take(order(None, monitors="leaves"))
    (line,) = made.city.lines
    starts = {s.from_ for s in line.spans.values()}
    watched = {n.id for n in line.nodes.values() if n.device}
    expected = {n.id for n in line.nodes.values() if n.what in ("transformer", "customer")} | (
        line.nodes.keys() - starts
    )
    assert watched == expected


def test_some_watch_a_third_of_the_poles() -> None:
    made = take(order(None, monitors="some"))
    (line,) = made.city.lines
    poles = [n for n in line.nodes.values() if n.what != "customer"]
    watched = [n for n in line.nodes.values() if n.device]
    assert len(watched) == round(len(poles) / 3)
    assert {n.what for n in watched} <= {"pole", "transformer"}


@pytest.mark.recordings
def test_what_came_between_leaves_no_trace_in_a_take(recordings: Path) -> None:
    feeders = recordings / "lines" / "feeders"
    asked = order("phase_open", feeder="ieee13")
    first = take(asked, feeders)
    for what in ("upstream_outage", "load_switching", "severed"):
        take(order(what, feeder="ieee13", seed=6), feeders)
    assert take(asked, feeders) == first


@pytest.mark.recordings
def test_ieee123_is_taken_from_the_recordings_within_its_budget(recordings: Path) -> None:
    feeders = recordings / "lines" / "feeders"
    made = take(order("severed", feeder="ieee123"), feeders)
    assert len([d for d in made.city.devices.values() if d.type == "line_monitor"]) == 125
    assert made.first_word is not None
    windy = take(order("wind", feeder="ieee123"), feeders)
    tilts = [r.value for r in readings(windy) if r.metric == "tilt"]
    assert max(tilts) > 5.0


@pytest.mark.recordings
def test_the_field_says_how_many_of_its_days_are_independent(recordings: Path) -> None:
    field = Sway.read(recordings / "lines" / "lorawan_field")
    assert field.days > 30
    assert 1 < field.independent_days() < field.days
    assert Sway.read(None).independent_days() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("feeder", "ieee999"), ("happening", "earthquake"), ("monitors", "none"), ("loss", 1.0)],
)
def test_an_order_that_cannot_be_run_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(Wrong, match=f"lines: {field}"):
        take(msgspec.structs.replace(order(None), **{field: value}))


def test_a_neutral_cannot_part_where_there_is_none(recordings: Path) -> None:
    feeders = recordings / "lines" / "feeders"
    if not feeders.is_dir():
        pytest.skip("no feeders")
    with pytest.raises(Wrong, match="neutral_open"):
        take(order("neutral_open", feeder="ieee13"), feeders)


def test_the_command_writes_city_recording_and_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(tmp_path), "--feeder", "village", "--seed", "3"]) == 0
    assert "severed" in capsys.readouterr().out
    truth = json.loads((tmp_path / "truth.json").read_bytes())
    assert truth["breaks"][0]["what"] == "severed"
    assert (tmp_path / "readings.jsonl.gz").stat().st_size > 1000
    features = json.loads((tmp_path / "city" / "lines.geojson").read_bytes())["features"]
    assert {f["properties"]["kind"] for f in features} >= {"pole", "span", "customer"}
    assert command.main([str(tmp_path), "--feeder", "nowhere"]) == 2
