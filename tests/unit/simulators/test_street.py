"""The live town's street lights and leaning sensors, and that both detectors know them."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from contracts.city import City, Device
from contracts.event import Event
from contracts.nouns import Reading
from detectors import specs
from detectors._common.drive import run
from detectors._common.sample import city
from simulators import town as towns
from simulators.settings import SimSettings
from simulators.street import LAMP, LAMPS, PAST_H, POLE, POLES, Street, height
from simulators.world import Truth, World

START = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
BEGIN = round(START.timestamp() * 1000)
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def some() -> dict[str, Device]:
    return {d.id: d for d in towns.build(7).devices.values() if d.site in (LAMPS, POLES)}


def lived(
    some: dict[str, Device], hours: float, plan: list[tuple[str, float, float]]
) -> tuple[list[Reading], Truth]:
    """Readings of a street with a past, in order of receipt; `plan`: what, from hour, to hour."""
    world, truth = World(), Truth()
    street = Street(some, SimSettings(seed=7, duplicate_p=0, reorder_p=0), world, truth)
    for what, begin, end in plan:
        at, until = BEGIN + round(begin * HOUR_MS), BEGIN + round(end * HOUR_MS)
        (street.fail if what == "lamp" else street.strike)(at, until)
    readings = []
    for sensor in street.sensors.values():
        for _, payload in sensor.history(BEGIN - round(PAST_H * HOUR_MS), BEGIN):
            readings += rows(sensor.device.id, payload, None)
    street.go(BEGIN)
    while (world.next_at() or 0) < BEGIN + hours * HOUR_MS:
        message = world.step()
        if message is not None:
            readings += rows(message.topic.split("/")[4], message.payload, message.at)
    return sorted(readings, key=lambda r: r.received_at), truth


def rows(device: str, payload: bytes, at: int | None) -> list[Reading]:
    told = json.loads(payload)
    found = []
    for row in told if isinstance(told, list) else [told]:
        when = datetime.fromtimestamp(row["ts"] / 1000, UTC)
        received = when if at is None else datetime.fromtimestamp(at / 1000, UTC)
        found += [
            Reading(device, m, v, when, received, sent_at=when, seq=row["seq"])
            for m, v in row["m"].items()
        ]
    return found


def events(kind: str, where: City, readings: list[Reading]) -> dict[str, Event]:
    spec = specs()[kind]
    cfg = spec.config()
    found: dict[str, Event] = {}
    for site in spec.sites(where, cfg):
        own = {d.id for d in site.devices}
        known = run(spec, cfg, site, [r for r in readings if r.device in own], tail_s=60.0)
        found.update({e.id: e for _, e in known})
    return found


def test_the_town_has_lamps_and_leaning_sensors(some: dict[str, Device]) -> None:
    kinds: dict[str, int] = defaultdict(int)
    for one in some.values():
        kinds[one.type] += 1
    assert kinds == {LAMP: 9, POLE: 6}


def test_nothing_happens_on_a_street_where_nothing_happens(some: dict[str, Device]) -> None:
    readings, truth = lived(some, 24, [])
    assert truth.entries == []
    where = city(devices=some)
    for kind in ("street_light_out", "pole_tilt", "sensor_faulty", "sensor_silent"):
        assert events(kind, where, readings) == {}, kind


def test_a_dead_lamp_and_a_pole_that_is_hit_are_told(some: dict[str, Device]) -> None:
    readings, truth = lived(some, 20, [("lamp", 4, 52), ("pole", 5, 9)])
    lamp, pole = (entry["where"] for entry in truth.entries)
    where = city(devices=some)
    (dark,) = events("street_light_out", where, readings).values()
    assert (dark.device, dark.evidence["what"]) == (lamp, "lamp")
    (leans,) = events("pole_tilt", where, readings).values()
    assert (leans.device, leans.evidence["what"]) == (pole, "struck")
    assert leans.evidence["ended"] == "back"
    assert abs(leans.at - START - timedelta(hours=5)) < timedelta(minutes=1)


def test_the_sun_is_up_at_noon_and_down_at_night() -> None:
    noon = datetime(2026, 7, 10, 4, 5, tzinfo=UTC).timestamp()  # 119° east
    assert height(noon, 119.0, 26.0) == pytest.approx(86.0, abs=2.5)
    assert height(noon - 43_200, 119.0, 26.0) < -35
