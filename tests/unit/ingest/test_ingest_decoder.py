"""The decoder: every good payload becomes its noun, every bad one Poison with a reason."""

from __future__ import annotations

import base64
import io
import json
import struct
import wave
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.city import Device
from contracts.clock import epoch_ms
from contracts.geo import Point
from contracts.nouns import Arrival, Poison, Quality, Reading, Report, Status, Still, Trace
from ingest.decoder import NativeDecoder

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
MS = epoch_ms(NOW)
DEVICES = {
    "dev": Device(id="dev", district="d", type="level", point=Point(120.0, 30.0)),
    "local": Device(
        id="local", district="d", type="level", point=Point(120.0, 30.0), timezone="Asia/Shanghai"
    ),
}
GOOD = b'{"ts":"2026-07-01T07:59:59Z","seq":1,"m":{"level":0.43}}'
FEED = "gridsentry/v1/feed/d/dev"


def decoder() -> NativeDecoder:
    return NativeDecoder(DEVICES, {"w-1"})


def decode(payload: bytes, topic: str = f"{FEED}/telemetry", retained: bool = False) -> list[Any]:
    return list(decoder().decode(Arrival(topic, payload, NOW, retained)))


def code(payload: bytes, topic: str = f"{FEED}/telemetry") -> str:
    (poison,) = decode(payload, topic)
    assert isinstance(poison, Poison), poison
    assert poison.reason and poison.payload == payload and poison.topic == topic
    return poison.code


def jpeg(width: int, height: int) -> bytes:
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0" + frame + b"\xff\xd9"


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(3200))
    return out.getvalue()


def test_a_reading_carries_what_the_device_said() -> None:
    assert decode(GOOD) == [
        Reading("dev", "level", 0.43, NOW - timedelta(seconds=1), NOW, NOW - timedelta(seconds=1),
                0, 1, 0)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "empty"),
        (b"[]", "empty"),
        (b'{"m":{}}', "empty"),
        (GOOD[:-5], "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"m":{"level":NaN}}', "not_finite"),
        (b'{"m":{"level":-Infinity}}', "not_finite"),
        (b'{"m":{"level":1e999}}', "not_finite"),
        (b'{"m":{"level":' + b"1" * 5000 + b"}}", "not_finite"),
        (b'{"m":{"level":1e308}}', "out_of_range"),
        (b'{"m":{"level":"0.4"}}', "wrong_type"),
        (b'{"m":{"level":true}}', "wrong_type"),
        (b'{"m":{"level":null}}', "wrong_type"),
        (b'{"ts":1.5,"m":{"level":1}}', "bad_time"),
        (b'{"ts":"yesterday","m":{"level":1}}', "bad_time"),
        (b'{"ts":99999999999999999999,"m":{"level":1}}', "bad_time"),
        (b'{"ts":"0001-01-01T00:00:00+08:00","m":{"level":1}}', "bad_time"),
        (b'{"ts":"2026-07-01T08:00:00","m":{"level":1}}', "naive_time"),
        (b'{"seq":-1,"m":{"level":1}}', "wrong_type"),
        (b'{"m":{"\\u202elevel":1}}', "bad_metric"),
        (b'{"m":{"\xff":1}}', "not_utf8"),
        (b"\x00\x01\x02", "not_json"),
        (b"3", "wrong_type"),
        (b" " * (2**20 + 1), "too_large"),
    ],
)
def test_bad_telemetry_says_what_is_wrong(payload: bytes, expected: str) -> None:
    assert code(payload) == expected


def test_the_reason_names_path_and_value() -> None:
    (poison,) = decode(b'{"m":{"flow":1,"level":"wet"}}')
    assert poison.reason == "$.m.level: expected a number, found the text 'wet'"


def test_a_bad_element_poisons_only_itself() -> None:
    got = decode(b"[" + GOOD + b',{"m":{"level":"x"}},7,' + GOOD + b"]")
    assert [type(item) for item in got] == [Reading, Poison, Poison, Reading]
    assert got[1].payload == b'{"m":{"level":"x"}}' and "element 1" in got[1].reason
    (poison,) = decode(b"[" + GOOD + b",{")
    assert poison.code == "not_json"


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("gridsentry/v1/feed/d/dev", "wrong_topic"),
        ("gridsentry/v1/feed/d/dev/telemetry/x", "wrong_topic"),
        ("gridsentry/v1/feed/d/dev/frame/now", "wrong_topic"),
        ("gridsentry/v1/feed/d/dev/frame/999999999999999", "bad_time"),
        ("gridsentry/v1/feed/d/d\u202eev/telemetry", "wrong_topic"),
        ("gridsentry/v1/feed/d/" + "x" * 65 + "/telemetry", "wrong_topic"),
        ("gridsentry/v1/feed/other/dev/telemetry", "wrong_district"),
        ("gridsentry/v1/feed/d/stranger/telemetry", "unknown_device"),
        ("gridsentry/v1/worker/nobody/position", "unknown_worker"),
        ("", "wrong_topic"),
    ],
)
def test_wrong_topics_say_what_is_allowed(topic: str, expected: str) -> None:
    assert code(GOOD, topic) == expected


@pytest.mark.parametrize(
    ("ts", "off"),
    [
        ("2026-07-01T08:01:59Z", False),
        ("2026-07-01T08:02:01Z", True),
        ("2026-06-24T08:00:01Z", False),
        ("2026-06-24T07:59:59Z", True),
        ("1970-01-01T00:00:05Z", True),
    ],
)
def test_a_clock_that_is_off_is_flagged_and_arrival_takes_effect(ts: str, off: bool) -> None:
    (reading,) = decode(json.dumps({"ts": ts, "m": {"level": 1}}).encode())
    assert reading.sent_at is not None
    assert bool(reading.quality & Quality.CLOCK_OFF) is off
    assert (reading.at == NOW) is off


def test_naive_times_are_read_in_the_device_s_zone() -> None:
    payload = b'{"ts":"2026-07-01T15:59:00","m":{"level":1}}'
    (reading,) = decode(payload, "gridsentry/v1/feed/d/local/telemetry")
    assert reading.sent_at == NOW - timedelta(minutes=1)


def test_without_time_and_number_a_reading_is_unkeyed() -> None:
    (reading,) = decode(b'{"m":{"level":1}}')
    assert reading.quality == Quality.UNKEYED and reading.at == NOW
    (keyed,) = decode(b'{"seq":0,"m":{"level":1}}')
    assert keyed.quality == 0 and keyed.seq == 0


def test_retained_junk_is_set_aside_and_retained_status_is_welcome() -> None:
    old = b'{"ts":"2026-01-01T00:00:00Z","m":{"level":9}}'
    assert [item.code for item in decode(old, retained=True)] == ["retained"]
    assert [item.code for item in decode(b'{"m":{"level":9}}', retained=True)] == ["retained"]
    assert isinstance(decode(GOOD, retained=True)[0], Reading)
    (status,) = decode(b"offline", f"{FEED}/status", retained=True)
    assert status == Status("dev", NOW, NOW, False)
    assert code(b"perhaps", f"{FEED}/status") == "bad_status"


def test_a_small_jpeg_that_claims_to_be_huge_is_never_decoded() -> None:
    assert code(jpeg(65_500, 65_500), f"{FEED}/frame/{MS}") == "jpeg_too_big"
    assert code(b"GIF89a", f"{FEED}/frame/{MS}") == "bad_jpeg"
    assert code(jpeg(640, 480)[:12], f"{FEED}/frame/{MS}") == "bad_jpeg"
    (still,) = decode(jpeg(640, 480), f"{FEED}/frame/{MS}")
    assert isinstance(still, Still) and (still.width, still.height) == (640, 480)


def test_containers_are_looked_at() -> None:
    assert code(b"no video at all", f"{FEED}/segment/{MS}") == "bad_video"
    assert code(b"no sound", f"{FEED}/clip/{MS}") == "bad_sound"
    assert code(sound()[:20], f"{FEED}/clip/{MS}") == "bad_sound"
    assert decode(sound(), f"{FEED}/clip/{MS}")[0].data == sound()
    assert code(b"PK\x03\x04 broken", f"{FEED}/record/{MS}") == "bad_record"
    assert code(b"nothing", f"{FEED}/trace/{MS}") == "bad_trace"


def test_a_report_is_placed_in_wgs84() -> None:
    body = {"id": "r-1", "ts": MS, "text": "井盖没了", "lon": 120.0, "lat": 30.0, "crs": "gcj02"}
    photo = base64.b64encode(jpeg(10, 10)).decode()
    (report,) = decode(json.dumps({**body, "photo": photo}).encode(), f"{FEED}/report")
    assert isinstance(report, Report) and report.photo == jpeg(10, 10)
    assert 0.003 < abs(report.point.lon - 120.0) < 0.01
    for wrong in ({"lat": 91}, {"crs": "moon"}, {"photo": "?"}, {"kind": "party"}, {"id": "a/b"}):
        bad = json.dumps({**body, **wrong}).encode()
        assert code(bad, f"{FEED}/report") == "bad_report"


def test_a_worker_s_position_is_read() -> None:
    payload = json.dumps({"ts": MS, "lon": 120.1, "lat": 30.1, "accuracy_m": 5}).encode()
    (position,) = decode(payload, "gridsentry/v1/worker/w-1/position")
    assert position.worker == "w-1" and position.point == Point(120.1, 30.1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["ts", "seq", "boot", "m", "level", "state", "id", "lon",
                                       "lat", "text", "photo", "crs", "kind"])
                      | st.text(max_size=5),
                      inner, max_size=6),
    max_leaves=12,
)  # fmt: skip
HEADS = [b"", b"\xff\xd8\xff\xc0", b"RIFF....WAVEfmt ", b"fLaC\x00", b"\x00\x00\x00\x18ftyp",
         b"PK\x03\x04", b"--- file type: CFG ---\n", b"Map\x00\xc8\x00", b"{", b"["]  # fmt: skip
PAYLOADS = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.builds(lambda head, tail: head + tail, st.sampled_from(HEADS), st.binary(max_size=300)),
)
TOPICS = st.one_of(
    st.sampled_from([f"{FEED}/{what}" for what in ("telemetry", "status", "report")]),
    st.sampled_from([f"{FEED}/{what}/{MS}" for what in
                     ("frame", "segment", "trace", "record", "clip")]),
    st.just("gridsentry/v1/worker/w-1/position"),
    st.text(max_size=60),
)  # fmt: skip


@given(topic=TOPICS, payload=PAYLOADS, retained=st.booleans())
def test_no_input_raises_and_the_next_good_message_is_read(
    topic: str, payload: bytes, retained: bool
) -> None:
    native = decoder()
    got = native.decode(Arrival(topic, payload, NOW, retained))
    assert got
    for item in got:
        if isinstance(item, Poison):
            assert item.code != "decoder_fault", item.reason
            assert item.reason and item.topic == topic
    assert isinstance(native.decode(Arrival(f"{FEED}/telemetry", GOOD, NOW))[0], Reading)


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "first_m", "end_m"),
    [
        ("1310_0001.sor", -20.4, 8815.8),
        ("1310_0002.sor", -20.4, 867.7),
        ("issue14.sor", -1071.4, 42131.3),
        ("issue15a.sor", -1071.7, None),
        ("issue15b.sor", -1071.4, 42141.5),
        ("issue9.sor", -1002.3, 619.8),
        ("otdr1.sor", 0.0, 271.1),
        ("otdr2.sor", 0.0, 4292.8),
        ("otdr3.sor", 0.0, 61.8),
        ("otdr4.sor", 0.0, 61.5),
        ("example1-noyes-ofl280.sor", -547.2, 3734.4),
    ],
)
def test_every_real_otdr_file_is_read(
    recordings: Path, name: str, first_m: float, end_m: float | None
) -> None:
    data = (recordings / "lines/otdr" / name).read_bytes()
    (trace,) = decode(data, f"{FEED}/trace/{MS}")
    assert isinstance(trace, Trace) and trace.data == data
    assert trace.first_m == pytest.approx(first_m, abs=0.1)
    ends = [event.distance_m for event in trace.events if event.kind == "end"]
    assert ends == ([] if end_m is None else [pytest.approx(end_m, abs=0.1)])
    assert 1200 < trace.wavelength_nm < 1700 and not trace.power_db.flags.writeable
    assert all(e.reflectance_db is None or e.reflectance_db < 0 for e in trace.events)


@pytest.mark.recordings
def test_traces_cut_off_or_read_out_as_zeros_are_poison(recordings: Path) -> None:
    data = (recordings / "lines/otdr/1310_0002.sor").read_bytes()
    for length in range(0, len(data), 997):
        got = decode(data[:length], f"{FEED}/trace/{MS}")
        assert isinstance(got[0], Trace | Poison)
        assert not isinstance(got[0], Poison) or got[0].code in ("bad_trace", "empty")
    at = data.index(b"DataPts\0", 300) + 20
    zeros = data[:at] + bytes(2 * 25_001) + data[at + 2 * 25_001 :]
    assert code(zeros, f"{FEED}/trace/{MS}") == "trace_all_zero"


@pytest.mark.recordings
@pytest.mark.parametrize("stem", ["wisp_2", "zh_ascii_1991", "wisp_4"])
def test_real_disturbance_records_pass_as_zip_and_as_cff(recordings: Path, stem: str) -> None:
    folder = recordings / "lines/comtrade"
    cfg, dat = ((folder / f"{stem}{ending}").read_bytes() for ending in (".cfg", ".dat"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("A.CFG", cfg)
        archive.writestr("A.DAT", dat)
    cff = b"--- file type: CFG ---\r\n" + cfg + b"\r\n--- file type: DAT ASCII ---\r\n" + dat
    for data in (packed.getvalue(), cff):
        (record,) = decode(data, f"{FEED}/record/{MS}")
        assert record.data == data
