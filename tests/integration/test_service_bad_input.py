"""Bad input over real MQTT: each a dead letter that says why; the next good message is handled."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any

import pytest

from tests import footage
from tests.rig import Gateway, ServiceProcess, Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("input")]

FEED = "gridsentry/v1/feed"
HUGE_JPEG = (
    # A whole header (ITU-T T.81, B.2.2) that claims 65,500 x 65,500 pixels, and no picture.
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    + b"\xff\xdb\x00\x43\x00" + bytes([16] * 64)
    + b"\xff\xc0\x00\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    + bytes(691 - 20 - 69 - 19 - 2) + b"\xff\xd9"
)  # fmt: skip


def telemetry(text: str | bytes) -> tuple[str, bytes]:
    """A telemetry message of the registered device."""
    payload = text.encode() if isinstance(text, str) else text
    return f"{FEED}/d1/s-0/telemetry", payload


def bad_messages(ms: int) -> dict[str, tuple[tuple[str, bytes], str, str]]:
    """name → (topic, payload), the code of its dead letter, and words its reason must have."""
    ts = f'"ts": {ms}'
    frame, segment = f"{FEED}/d1/cam/frame/{ms}", f"{FEED}/d1/cam/segment/{ms}"
    return {
        "wrong topic": ((f"{FEED}/d1/s-0/telemetri", b"{}"), "wrong_topic", "telemetri"),
        "topic without a device": ((f"{FEED}/d1", b"{}"), "wrong_topic", "too few parts"),
        "another district": ((f"{FEED}/d9/s-0/telemetry", b"{}"), "wrong_district", "'d1'"),
        "truncated": (telemetry('{"ts": 1, "m": {"dep'), "not_json", "."),
        "NaN": (telemetry(f'{{{ts}, "m": {{"depth": NaN}}}}'), "not_finite", "NaN"),
        "Infinity": (telemetry(f'{{{ts}, "m": {{"depth": Infinity}}}}'), "not_finite", "Infinity"),
        "1e308": (telemetry(f'{{{ts}, "m": {{"depth": 1e308}}}}'), "out_of_range", "1e.308"),
        "1e400": (telemetry(f'{{{ts}, "m": {{"depth": 1e400}}}}'), "not_finite", "1e400"),
        "text for a number": (
            telemetry(f'{{{ts}, "m": {{"depth": "deep"}}}}'), "wrong_type", "depth"
        ),
        "list for an object": (telemetry(f'{{{ts}, "m": [1, 2]}}'), "wrong_type", r"\$\.m"),
        "naive time": (
            telemetry('{"ts": "2026-05-01T12:00:00", "m": {"depth": 0.1}}'), "naive_time", "zone"
        ),
        "not UTF-8": (telemetry(b'{"ts": 1, "m": {"\xff\xfe": 1}}'), "not_utf8", "0xff"),
        "nothing": (telemetry(""), "empty", "empty"),
        "30 MB": (telemetry(b'{"ts": 1, "m": {' + b" " * 30_000_000 + b"}}"), "too_large", "30,0"),
        "no JPEG": ((frame, b"GIF89a, honestly"), "bad_jpeg", "not a JPEG"),
        "a JPEG that claims to be huge": ((frame, HUGE_JPEG), "jpeg_too_big", "65500"),
        "no video": ((segment, b"neither one nor the other"), "bad_video", "MP4"),
        "a video without a picture": (
            (f"{FEED}/d1/cam/segment/{ms + 1}", footage.silent_video()), "no_picture", "picture"
        ),
        "a video cut off": (
            (f"{FEED}/d1/cam/segment/{ms + 2}", footage.segments()[0][:900]), "bad_video", "."
        ),
        "time out of this world": (
            (f"{FEED}/d1/cam/segment/999999999999999", footage.segments()[0]), "bad_time", "1970"
        ),
        "no trace": ((f"{FEED}/d1/s-0/trace/{ms}", b"Map\x00no"), "bad_trace", "SR-4731"),
        "no record": ((f"{FEED}/d1/s-0/record/{ms}", b"hello"), "bad_record", "COMTRADE"),
        "no sound": ((f"{FEED}/d1/s-0/clip/{ms}", b"hello"), "bad_sound", "WAV"),
        "status of nonsense": ((f"{FEED}/d1/s-0/status", b"asleep"), "bad_status", "asleep"),
        "an unknown worker": (
            ("gridsentry/v1/worker/nobody/position", b'{"ts": 1, "lon": 118, "lat": 26}'),
            "unknown_worker", "nobody",
        ),
    }  # fmt: skip


class Feed:
    """A running service and a gateway that follows every bad message with a good one."""

    def __init__(self, stage: Stage) -> None:
        write_city(stage.city, [drain("s-0"), footage.camera_row("cam")])
        self.stage = stage
        self.service: ServiceProcess = stage.service()
        self.service.start()
        self.service.wait_ready()
        self.gateway: Gateway = stage.gateway()
        self.began = now_ms()
        self.good = 0

    def publish_good(self) -> None:
        """The next good reading."""
        self.gateway.telemetry("s-0", self.began + self.good, depth=0.01)
        self.good += 1

    def letters(self, count: int) -> list[dict[str, Any]]:
        """The dead letters, once there are that many."""

        def there() -> list[dict[str, Any]]:
            found = self.service.items("/api/v1/dead-letters")
            return found if len(found) >= count else []

        found: list[dict[str, Any]] = eventually(there, timeout=60)
        return found


def test_every_bad_message_is_a_dead_letter_with_a_plain_reason(stage: Stage) -> None:
    feed = Feed(stage)
    bad = bad_messages(feed.began)
    for (topic, payload), _, _ in bad.values():
        feed.gateway.publish(topic, payload)
        feed.publish_good()
    feed.gateway.settle()
    letters = feed.letters(len(bad))
    stage.all_stored(feed.good)
    assert len(letters) == len(bad), [(letter["topic"], letter["code"]) for letter in letters]

    wrong = {}
    for name, ((topic, payload), code, words) in bad.items():
        digest = hashlib.sha256(payload).hexdigest()
        found = [letter for letter in letters if letter["sha256"] == digest]
        told = [(letter["code"], letter["reason"]) for letter in found]
        if not any(told_code == code and re.search(words, why) for told_code, why in told):
            wrong[name] = told
        assert all(topic.startswith(letter["topic"]) for letter in found) or len(found) > 1
    assert wrong == {}
    for letter in letters:
        assert len(letter["reason"]) > 15, letter
        assert not re.search(r"Traceback|Error\(|object at 0x", letter["reason"]), letter
        assert len(letter["sha256"]) == 64

    counted = {
        name.partition('"')[2].partition('"')[0]: value
        for name, value in feed.service.metrics().items()
        if name.startswith("gridsentry_dead_letters_total{")
    }
    assert counted == dict(Counter(letter["code"] for letter in letters))
    one = feed.service.get(f"/api/v1/dead-letters/{letters[0]['id']}")
    assert one["id"] == letters[0]["id"]
    status, text = feed.service.readyz()
    assert status == 200, f"bad input is no fault of the service: {text}"
    assert feed.service.stop() == 0
    assert "Traceback" not in feed.service.said()


def test_a_jpeg_that_claims_to_be_huge_costs_no_memory(stage: Stage) -> None:
    feed = Feed(stage)
    feed.publish_good()
    feed.gateway.settle()
    stage.all_stored(1)
    before = feed.service.memory_mib()
    assert len(HUGE_JPEG) == 691
    for n in range(20):
        feed.gateway.publish(f"{FEED}/d1/cam/frame/{feed.began + n}", HUGE_JPEG)
    feed.gateway.settle()
    letters = feed.letters(20)
    assert {letter["code"] for letter in letters} == {"jpeg_too_big"}
    peak = feed.service.memory_mib("VmHWM")
    assert peak - before < 200, f"{before:.0f} MiB before, {peak:.0f} MiB at the most"


def test_retained_junk_is_one_dead_letter_however_often_we_come_back(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0")])
    gateway = stage.gateway()
    gateway.publish(f"{FEED}/d1/s-0/telemetry", b"{junk", retain=True)
    gateway.publish(f"{FEED}/d1/s-1/telemetri", b"{}", retain=True)
    gateway.settle()
    service = stage.service(core={"lease_s": 0.5})
    for turn in range(4):
        service.start()
        service.wait_ready()
        gateway.telemetry("s-0", now_ms(), depth=0.01)
        gateway.settle()
        stage.all_stored(turn + 1)
        if turn % 2:
            service.kill()
        else:
            assert service.stop() == 0
    assert sorted(stage.rows("SELECT code, count(*) FROM dead_letters GROUP BY code")) == [
        ("not_json", 1), ("wrong_topic", 1)
    ]  # fmt: skip


def test_a_100_megabyte_message_is_refused_without_harm(stage: Stage) -> None:
    feed = Feed(stage)
    before = feed.service.memory_mib()
    giant = stage.gateway("giant")
    giant.client.publish(f"{FEED}/d1/cam/segment/{feed.began}", bytes(100_000_000), qos=1)
    for _ in range(50):
        feed.publish_good()
    feed.gateway.settle()
    stage.all_stored(50)
    status, text = feed.service.readyz()
    assert status == 200, text
    assert feed.service.memory_mib("VmHWM") - before < 150, "it never reached the service"
    assert json.loads(text)["sessions"]["all-bulk"]["connected"]
    assert feed.service.stop() == 0
