"""The crane over the main road: it is felt first, and it tears everybody's cables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.clock import from_epoch_ms
from contracts.geo import along, distance_m
from contracts.nouns import Record
from detectors._common.disturbance import lost_in
from ingest.codec.container import check_record
from simulators.covers import Covers
from simulators.director import Director
from simulators.grid import OverheadLine
from simulators.hydrants import Hydrants
from simulators.poles import SHARED, crossing
from simulators.power import Cut, Line
from simulators.sensors import Sensor
from simulators.settings import SimSettings
from simulators.town import Town, build
from simulators.world import Truth, World

MINUTE = 60_000
START = 1_777_600_800_000


def values(payload: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(payload)["m"]
    return found


def test_cables_of_telecom_and_television_hang_over_the_main_road_alone(town: Town) -> None:
    network = town.feeder.network
    shared = [s for s in network.spans.values() if s.carries]
    assert len(shared) == 12
    assert {s.carries for s in shared} == {SHARED}
    known = {owner for u in town.utilities.values() for owner in u.owners}
    assert {*SHARED, town.feeder.network.spans[shared[0].id].owner} <= known
    for span in shared:
        assert network.nodes[span.from_].carries == network.nodes[span.to].carries == SHARED


@pytest.mark.parametrize("seed", [1, 7, 40])
def test_the_fibre_crosses_a_shared_span(seed: int) -> None:
    town = build(seed)
    span, far = crossing(town.feeder, town.fibre)
    there = along(town.feeder.network.spans[span].path, town.feeder.lengths[span] / 2)
    assert town.feeder.network.spans[span].carries
    assert distance_m(along(town.fibre.path, far), there) < 30


def test_a_crane_is_felt_before_all_goes_dark_behind_it(town: Town) -> None:
    settings, world, truth = SimSettings(cameras=0), World(), Truth(None)
    line = OverheadLine(town, settings, world, truth)
    at = START + MINUTE
    cut = line.shared_cut()
    assert town.feeder.network.spans[cut.span].carries == SHARED
    line.sever(at, at + 5 * MINUTE, cut, crane=True)
    felt: list[tuple[int, str, float]] = []
    dark: dict[str, float] = {}
    while (due := world.next_at()) is not None and due < at + 5_000:
        message = world.step()
        if message is not None and not message.file:
            said, device = values(message.payload), message.topic.split("/")[-2]
            felt.append((message.at, device, said.get("vibration", 0.0)))
            if message.at > at:
                dark[device] = max(v for k, v in said.items() if k.startswith("voltage"))
    assert max(v for t, _, v in felt if t < at) > 20
    (entry,) = truth.entries
    assert entry["details"]["owners"] == ["state-grid", *SHARED]
    assert entry["details"]["cause"] == "crane"
    assert entry["details"]["road_blocked"]
    behind = set(entry["details"]["nodes_behind"])
    monitored = {d for d, node in town.feeder.monitors.items() if node in behind}
    assert all((volts < 20) == (device in monitored) for device, volts in dark.items())


@pytest.mark.parametrize(("phases", "shown"), [((1, 2, 3), "abc"), ((2,), "b")])
def test_recorders_behind_a_cut_send_the_wave_that_detectors_read(
    town: Town, phases: tuple[int, ...], shown: str
) -> None:
    world = World()
    line = OverheadLine(town, SimSettings(cameras=0), world, Truth(None))
    at = START + MINUTE
    line.sever(at, at + 5 * MINUTE, Cut("s-pole-20", phases))
    sent = []
    while (due := world.next_at()) is not None and due < at + MINUTE:
        message = world.step()
        if message is not None and message.file:
            sent.append(message)
    (one,) = sent  # the main line's end has supply
    assert "/lm-pole-25/record/" in one.topic
    check_record(one.payload)
    moment = from_epoch_ms(one.at)
    lost = lost_in(Record("lm-pole-25", moment, moment, one.payload), 0.6)
    assert lost is not None
    assert "".join(lost.phases) == shown
    assert lost.lasted_s is None
    assert abs((lost.at - from_epoch_ms(at)).total_seconds()) < 0.05


def test_later_cranes_tear_the_fibre_too_and_the_first_leaves_it_alone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in (Sensor, Hydrants, Covers):  # only the director's plans are looked at
        monkeypatch.setattr(other, "go", lambda self, ms: None)
    settings = SimSettings(
        cameras=0,
        crane_p=1.0,
        cable_every_s=60.0,
        cable_restored_s=60.0,
        fibre_first_s=0.0,
        hydrant_first_s=0.0,
        cover_first_s=0.0,
        worker_every_s=(900.0, 900.0),
    )
    director = Director(town, settings, START)
    while (due := director.world.next_at()) is not None and due < START + 4 * MINUTE:
        director.world.step()
    first, later, *_ = [e for e in director.truth.entries if e["kind"] == "severed_cable"]
    assert first["details"]["cause"] == later["details"]["cause"] == "crane"
    (torn,) = [e for e in director.truth.entries if e["kind"] == "fibre_break"]
    assert torn["at"] == later["at"]
    place = later["where"], torn["details"]["distance_m"]
    assert place == crossing(town.feeder, town.fibre)


def test_two_lines_do_not_meddle_with_each_other(town: Town) -> None:
    other = build(8)
    one, two = Line(town.feeder), Line(other.feeder)
    before = one.solve(None, 0.7)
    two.solve(Cut("s-pole-05"), 0.4)
    assert one.solve(None, 0.7) == before
