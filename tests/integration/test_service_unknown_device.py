"""A device nobody registered: its messages are kept, and taken up once devices.csv gains it."""

from __future__ import annotations

import pytest

from tests import footage
from tests.rig import Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("input")]

FEED = "gridsentry/v1/feed/d1"
KEPT = 200
MANY = 2500
"""More than are taken up in one batch, or in one for each notification."""


def test_readings_and_footage_sent_before_the_registration_are_taken_up_once(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0")])
    service = stage.service(core={"lease_s": 0.5})
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    began = now_ms() - 20_000
    for n in range(KEPT):
        gateway.telemetry("new", began + n, depth=0.01)
    for second, segment in enumerate(footage.segments()):
        gateway.publish(f"{FEED}/cam/segment/{began + 1000 * second}", segment)
    gateway.publish(f"{FEED}/new/telemetry", b"{not even JSON")
    gateway.telemetry("s-0", began, depth=0.01)
    gateway.settle()
    unknown = KEPT + footage.SECONDS + 1
    eventually(lambda: stage.count("unknown_messages") == unknown, timeout=60)
    stage.all_stored(1)
    letters = service.items("/api/v1/dead-letters?kind=unknown_device")
    assert len(letters) == unknown, "each is listed once"
    assert {letter["code"] for letter in letters} == {"unknown_device"}
    assert {letter["device"] for letter in letters} == {"new", "cam"}
    assert service.readyz()[0] == 200, "strangers are no fault of ours"

    rows = [drain("s-0"), drain("new", 3), footage.camera_row("cam")]
    write_city(stage.city, rows)
    footage.write_camera(stage.city, "cam")
    stage.all_stored(1 + KEPT)
    gateway.telemetry("new", began + KEPT, depth=0.01)
    stage.all_stored(2 + KEPT)
    assert stage.rows("SELECT count(DISTINCT (device, ts)) FROM readings") == [(2 + KEPT,)]

    def thrown() -> bool:
        found = stage.rows("SELECT count(DISTINCT id) FROM events WHERE kind LIKE 'high%%'")
        return found == [(1,)]

    eventually(thrown, timeout=90)
    eventually(lambda: stage.count("intake") == 0, timeout=60)
    assert stage.count("unknown_messages") == 0
    numbers = [number for (number,) in stage.rows("SELECT number FROM spool ORDER BY number")]
    assert numbers == list(range(footage.SECONDS))
    (letter,) = eventually(lambda: service.items("/api/v1/dead-letters"), timeout=30)
    assert letter["code"] == "not_json", "the one that could not be read says so now"
    assert service.stop() == 0


def test_a_wrong_city_folder_is_told_and_the_old_one_stays(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0")])
    service = stage.service()
    service.start()
    service.wait_ready()
    with (stage.city / "devices.csv").open("a") as file:
        file.write("new,d1,drain,not-a-number,26.05,,,,\n")
    service.wait_said("is not taken up")
    assert "devices.csv" in service.said()
    gateway = stage.gateway()
    gateway.telemetry("s-0", now_ms(), depth=0.01)
    stage.all_stored(1)
    assert service.readyz()[0] == 200
    assert service.stop() == 0


def test_split_roles_each_take_up_what_is_theirs(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0")])
    services = [
        stage.service("ingest", core={"lease_s": 2.0}),
        stage.service("cameras", core={"lease_s": 2.0}),
    ]
    for service in services:
        service.start()
    for service in services:
        service.wait_said("is subscribed")
    gateway = stage.gateway()
    began = now_ms() - 20_000
    for n in range(MANY):
        gateway.telemetry("new", began + n, depth=0.01)
    for second, segment in enumerate(footage.segments()[:3]):
        gateway.publish(f"{FEED}/cam/segment/{began + 1000 * second}", segment)
    gateway.settle()
    eventually(lambda: stage.count("unknown_messages") == MANY + 3, timeout=60)
    write_city(stage.city, [drain("s-0"), drain("new", 3), footage.camera_row("cam")])
    footage.write_camera(stage.city, "cam")
    stage.all_stored(MANY)
    eventually(lambda: stage.count("spool") == 3, timeout=60)
    eventually(lambda: stage.count("intake") + stage.count("unknown_messages") == 0, timeout=60)
    for service in services:
        assert service.stop() == 0
