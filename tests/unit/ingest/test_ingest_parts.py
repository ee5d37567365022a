"""Screen, breaker, spool, video and the broker's configuration."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from contracts.errors import Permanent, Temporary
from contracts.nouns import Quality, Reading, Segment, Still
from ingest import video
from ingest.breaker import Breaker
from ingest.broker_config import render
from ingest.screen import Screen
from ingest.spool import Spool

START = datetime(2026, 7, 1, tzinfo=UTC)


def readings(metric: str, values: list[float], step_s: float = 60.0) -> list[Reading]:
    moments = [START + timedelta(seconds=step_s * n) for n in range(len(values))]
    return [Reading("d", metric, v, at, at, at) for v, at in zip(values, moments, strict=True)]


def marks(metric: str, values: list[float]) -> list[int]:
    screen = Screen()
    return [screen.annotate(reading).quality for reading in readings(metric, values)]


CALM = [0.30 + 0.01 * (n % 3) for n in range(20)]


def test_a_jump_that_comes_back_is_a_spike_and_a_flood_is_not() -> None:
    assert marks("level", [*CALM, 3.0, 0.31, 0.30])[20:] == [0, Quality.SPIKE, 0]
    assert not any(marks("level", [*CALM, 0.6, 1.2, 2.0, 2.4, 2.5, 2.5, 2.4]))
    assert not any(marks("level", [*CALM, 2.5, 2.5, 2.6, 2.4]))


def test_a_dry_drain_is_not_stuck_and_a_silent_phase_is() -> None:
    assert not any(marks("level", [0.0] * 300))
    assert marks("voltage_a", [230.1] * 70)[-1] == Quality.STUCK


def test_what_cannot_be_is_out_of_range_and_leaves_no_trace_in_the_state() -> None:
    assert marks("level", [*CALM, 5000.0, 0.31])[20:] == [Quality.OUT_OF_RANGE, 0]
    assert marks("own_metric", [5e9]) == [0]


def test_the_screen_resumes_at_every_cut() -> None:
    series = readings("level", [*CALM, 3.0, 0.31, 0.3, 0.9, 0.3])
    whole = Screen()
    expected = [whole.annotate(reading).quality for reading in series]
    for cut in range(len(series)):
        first = Screen()
        before = [first.annotate(reading).quality for reading in series[:cut]]
        second = Screen(first.snapshot())
        assert before + [second.annotate(r).quality for r in series[cut:]] == expected


def feed(breaker: Breaker, devices: int, good_every: int, minutes: int = 6) -> datetime:
    now = START
    for n in range(minutes * 60):
        now = START + timedelta(seconds=n)
        if good_every and n % good_every == 0:
            breaker.observe(now, good=1)
        else:
            breaker.observe(now, poison_of=f"d{n % devices}")
    return now


def test_the_breaker_opens_only_when_many_devices_are_mostly_poison_for_long() -> None:
    for devices, good_every, minutes, expected in [
        (5, 0, 6, True),
        (5, 20, 6, True),
        (4, 0, 6, False),
        (5, 5, 6, False),
        (9, 0, 4, False),
    ]:
        breaker = Breaker()
        now = feed(breaker, devices, good_every, minutes)
        assert breaker.broken(now) is expected, (devices, good_every, minutes)
        assert bool(breaker.reason) is expected


def test_the_breaker_stays_open_in_silence_and_closes_on_good_messages() -> None:
    breaker = Breaker()
    now = feed(breaker, 5, 0)
    assert breaker.broken(now) and breaker.broken(now + timedelta(hours=2))
    breaker.observe(now + timedelta(hours=2), good=100)
    assert not breaker.broken(now + timedelta(hours=2))
    now = feed(breaker, 5, 0)
    breaker.reset()
    assert not breaker.broken(now)


def clip(
    pictures: int = 10,
    size: tuple[int, int] = (96, 64),
    pix_fmt: str = "yuv420p",
    container: str = "mp4",
    codec: str = "libx264",
) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        for n in range(pictures):
            image = np.full((size[1], size[0], 3), 60, np.uint8)
            image[5:15, 4 * n : 4 * n + 10] = 250
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode())
    return out.getvalue()


def segment(data: bytes, at: datetime = START) -> Segment:
    return Segment("cam", at, at + timedelta(seconds=1), data)


@pytest.mark.parametrize(
    "made",
    [
        {},
        {"container": "mpegts"},
        {"codec": "libx265"},
        {"pix_fmt": "yuv420p10le"},
        {"size": (98, 66)},
    ],
)
def test_a_segment_becomes_frames_with_rising_times(made: dict[str, Any]) -> None:
    frames = list(video.decode(segment(clip(**made))))
    assert len(frames) == 10 and frames[0].at == START
    assert [(f.at - START) / timedelta(milliseconds=40) for f in frames] == pytest.approx(
        list(range(10)), abs=0.1
    )
    width, height = made.get("size", (96, 64))
    first = frames[0].luma
    assert first.shape == (height, width) and first.dtype == np.uint8
    assert not first.flags.writeable
    assert first[8:12, 2:8].mean() > 180
    assert first[40:, :].mean() < 100


def test_broken_video_is_told_apart() -> None:
    for data, code in [
        (b"\x00\x00\x00\x18ftypisom" + bytes(50), "bad_video"),
        (clip()[:200], "bad_video"),
        (clip(pictures=0), None),
    ]:
        with pytest.raises(Permanent) as caught:
            list(video.decode(segment(data)))
        assert caught.value.reason
        assert code is None or caught.value.code == code
    with pytest.raises(Permanent, match="pictures"):
        list(video.decode(segment(clip()), max_pictures=5))
    with pytest.raises(Permanent) as caught:
        list(video.decode(segment(clip()), max_pixels=1000))
    assert caught.value.code == "too_large"


def test_sound_in_place_of_video_has_no_picture() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 16_000
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    with pytest.raises(Permanent) as caught:
        list(video.decode(segment(out.getvalue())))
    assert caught.value.code == "no_picture"


def test_a_still_that_is_no_picture_is_poison() -> None:
    head = b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xd9"
    with pytest.raises(Permanent) as caught:
        video.still(Still("cam", START, START, head, 16, 16))
    assert caught.value.code == "bad_jpeg"


@pytest.mark.recordings
def test_a_real_clip_decodes_whole(recordings: Path) -> None:
    path = recordings / "falls/pos_office1_box.mp4"
    found = video.probe(path)
    assert (found.width, found.height, found.codec) == (1280, 720, "h264")
    frames = list(video.decode(segment(path.read_bytes())))
    assert len(frames) == 332 and frames[-1].at - START == pytest.approx(
        timedelta(seconds=11.044), abs=timedelta(milliseconds=1)
    )


def test_the_spool_is_a_bounded_ring_that_survives_a_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 350, 3600)
    rows = [spool.put(segment(bytes(100), START + timedelta(seconds=n)), n) for n in range(5)]
    (tmp_path / "cam" / "half.seg.part").write_bytes(b"x")
    again = Spool(tmp_path, 350, 3600)
    assert again.bytes_of("cam") == 500 and again.last_number("cam") == 4
    assert not (tmp_path / "cam" / "half.seg.part").exists()
    assert again.read(rows[0]).data == bytes(100) and again.read(rows[0]).at == START
    assert again.drop_old(START) == [rows[0].file, rows[1].file]
    with pytest.raises(Permanent, match="no longer"):
        again.read(rows[0])
    assert again.drop_old(START + timedelta(hours=2)) == [rows[2].file, rows[3].file]
    assert again.put(segment(bytes(100), rows[4].at), 4) == rows[4]
    assert again.bytes_of("cam") == 100


def test_a_spool_that_cannot_write_says_so_and_keeps_the_message(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000, 10)
    (tmp_path / "cam").write_text("a file where the folder should be")
    with pytest.raises(Temporary, match="cannot write"):
        spool.put(segment(b"x"), 0)


def test_the_shipped_configuration_bounds_its_queues_and_says_why() -> None:
    text = render(port=1883, data="/data")
    lines = text.splitlines()
    assert "max_queued_messages 10000000" in lines and "message_size_limit 50331648" in lines
    assert "listener 1883 127.0.0.1" in lines and "#" in text
    with pytest.raises(ValueError, match="password"):
        render(port=1883, data="/data", bind=None)
    open_one = render(port=1883, data="/data", bind=None, password_file="/p", acl_file="/a")
    assert "allow_anonymous false" in open_one and "acl_file /a" in open_one
