"""The camera gateway in its pieces: cutting, timing, keeping, sending; and its words."""

from __future__ import annotations

import io
import itertools
import math
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from contracts.clock import EPOCH, ManualClock
from contracts.errors import Temporary, Wrong
from gridsentry import cli
from gridsentry.camera import cutter
from gridsentry.camera.anchor import Anchor
from gridsentry.camera.gateway import Reader, Wishes
from gridsentry.camera.place import Place
from gridsentry.camera.ring import Ring
from gridsentry.camera.sender import Sender
from gridsentry.camera.source import Source, explained, find, hidden, open_stream
from gridsentry.camera.stamps import timed

START = datetime(2026, 7, 1, tzinfo=UTC)


def film(
    path: Path, seconds: float = 3.2, *, gop: int = 25, codec: str = "libx264", **options: str
) -> Path:
    """25 pictures a second; picture n has brightness 3n."""
    with av.open(str(path), "w") as out:
        chosen = {"g": str(gop), "bf": "0", "sc_threshold": "0", **options}
        stream = out.add_stream(codec, rate=Fraction(25), options=chosen)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for n in range(round(seconds * 25)):
            picture = np.full((48, 64), 3 * n % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def taken(path: Path, folder: Path, **wishes: Any) -> list[tuple[int, bytes]]:
    """What the gateway puts into its ring: (ms from the beginning, bytes)."""
    ring = Ring(folder, 1 << 30)
    asked = Wishes(at=START, **wishes)
    reader = Reader(
        find(str(path)), asked, ring, Place(folder), ManualClock(START), lambda _on: None
    )
    reader.run()
    assert reader.failure is None, reader.failure
    out, last = [], -1
    while (one := ring.following(last)) is not None:
        out.append((one.ms - (START - EPOCH) // timedelta(milliseconds=1), ring.read(one)))
        last = one.number
    ring.close()
    return out


def brightness(data: bytes) -> list[int]:
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(video=0))
    assert frames[0].key_frame
    return [round(float(frame.to_ndarray(format="gray").mean())) for frame in frames]


# --- cutting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gop", "options", "copied", "begins"),
    [
        (25, {}, True, [0, 1000, 2000]),  # one keyframe a second; the rest of 0.2 s joins
        (10, {}, True, [0, 800, 1600, 2400]),
        (50, {}, True, [0, 2000]),
        (25, {"bf": "2"}, True, [0, 1000, 2000]),
        (25, {"bf": "3", "flags": "-cgop", "x264-params": "open-gop=1"}, False, [0, 1000, 2000]),
    ],
)
def test_segments_begin_where_the_cameras_keyframes_are(
    tmp_path: Path, gop: int, options: dict[str, str], copied: bool, begins: list[int]
) -> None:
    path = film(tmp_path / "v.mp4", 3.2, gop=gop, codec="libx264", **options)
    pieces = taken(path, tmp_path / "ring")
    assert [ms for ms, _ in pieces] == begins
    seen = [value for _, data in pieces for value in brightness(data)]
    assert len(seen) == 80
    assert np.allclose(seen, [3 * n % 256 for n in range(80)], atol=3)
    if copied:
        with av.open(str(path)) as container:
            own = [bytes(p) for p in container.demux(video=0) if p.size]
        with av.open(io.BytesIO(pieces[0][1]), "r") as container:
            first = [bytes(p) for p in container.demux(video=0) if p.size]
        assert own[: len(first)] == first


@pytest.mark.parametrize(
    ("name", "codec"), [("v.ts", "libx264"), ("v.mkv", "libx264"), ("v.mp4", "libx265")]
)
def test_other_containers_and_h265_are_copied(tmp_path: Path, name: str, codec: str) -> None:
    options = {"x265-params": "log-level=none:keyint=25:bframes=0"} if codec == "libx265" else {}
    path = film(tmp_path / name, 3.2, gop=25, codec=codec, **options)
    pieces = taken(path, tmp_path / "ring")
    assert [ms for ms, _ in pieces] == [0, 1000, 2000]
    with av.open(io.BytesIO(pieces[1][1]), "r") as container:
        assert container.streams.video[0].codec_context.name == (
            "hevc" if codec == "libx265" else "h264"
        )
    assert [len(brightness(data)) for _, data in pieces] == [25, 25, 30]


def test_a_camera_without_keyframes_is_coded_anew_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = film(tmp_path / "v.mp4", 12.0, gop=1000)
    pieces = taken(path, tmp_path / "ring")
    assert [ms for ms, _ in pieces] == [1000 * n for n in range(12)]
    assert [len(brightness(data)) for _, data in pieces] == [25] * 12
    assert (
        "no keyframe for 10 s" in caplog.text and "one keyframe (I-frame) a second" in caplog.text
    )


def test_other_codings_are_coded_anew(tmp_path: Path) -> None:
    pieces = taken(film(tmp_path / "v.avi", codec="mpeg4"), tmp_path / "ring")
    assert [ms for ms, _ in pieces] == [0, 1000, 2000]


@pytest.mark.parametrize(("rate", "count"), [(30, 80), (25, 80), (5, 16), (1, 4)])
def test_pictures_come_at_the_rate_asked_for(tmp_path: Path, rate: float, count: int) -> None:
    pieces = taken(film(tmp_path / "v.mp4"), tmp_path / "ring", frames=rate)
    assert len(pieces) == count
    assert all(data[:2] == b"\xff\xd8" for _, data in pieces)
    gaps = np.diff([ms for ms, _ in pieces])
    assert gaps.min() >= 1000 / min(rate, 25) - 1


def test_a_live_stream_that_begins_in_the_middle_waits_for_a_keyframe(tmp_path: Path) -> None:
    container, stream = open_stream(find(str(film(tmp_path / "v.mp4"))))
    packets = [p for p in container.demux(stream) if p.size][10:]
    copier = cutter.Copier(stream, 1.0)
    pieces = [piece for p in packets for piece in copier.feed(p)] + list(copier.finish())
    assert [round(piece.start_s, 3) for piece in pieces] == [1.0, 2.0, 3.0]
    assert copier.skipped == 15


class _Packet:
    def __init__(self, pts: int | None) -> None:
        self.pts = self.dts = pts


class _Stream:
    time_base = Fraction(1, 1000)
    average_rate = guessed_rate = Fraction(25)


def test_a_first_picture_without_a_time_gets_its_neighbours() -> None:
    packets = [_Packet(p) for p in (None, 40, 80, None, 160)]
    found = [p.pts for p in timed(packets, _Stream())]  # type: ignore[arg-type]
    assert found == [0, 40, 80, 120, 160]


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_a_stream_without_times_gets_rising_ones(count: int) -> None:
    found = [p.pts for p in timed([_Packet(None) for _ in range(count)], _Stream())]  # type: ignore[arg-type]
    assert len(found) == count and all(a < b for a, b in itertools.pairwise(found))


def test_a_usb_camera_that_falls_silent_is_noticed_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    states: list[bool] = []
    ring = Ring(tmp_path, 1 << 20)
    source = Source(url="/dev/video0", kind="device", stall_s=0.01)
    reader = Reader(source, Wishes(), ring, Place(tmp_path), ManualClock(START), states.append)
    reader.look()
    assert not caplog.text, "nothing was there to fall silent"
    reader._state(True)
    threading.Event().wait(0.05)
    reader.look()
    reader.look()
    assert caplog.text.count("plug it in again") == 1 and states == [True, False]


# --- timing ------------------------------------------------------------------------------------


def test_a_drifting_camera_stays_on_our_clock_and_neighbours_stay_together() -> None:
    rng = np.random.default_rng(3)
    anchor, worst, previous = Anchor(), 0.0, None
    for second in range(4 * 3600):
        true = float(second)
        stamp = 5000 + true * (1 + 100e-6)  # 100 ppm fast
        delay = 0.02 + rng.exponential(0.05)
        anchor.observe(stamp, START + timedelta(seconds=true + delay))
        told = (anchor.time_of(stamp) - START).total_seconds()
        if second > 60:
            worst = max(worst, abs(told - true))
        if previous is not None:
            assert abs(told - previous - 1.0) < 0.02
        previous = told
    assert worst < 0.08, "1.44 s of drift must not show"


def test_pictures_kept_by_the_camera_are_dated_back() -> None:
    anchor = Anchor()
    for n in range(25):  # a second of pictures at once, the newest is from now
        anchor.observe(n / 25, START + timedelta(seconds=0.001 * n))
    assert abs((anchor.time_of(0.0) - START).total_seconds() + 0.94) < 0.03


def test_a_clock_that_is_set_is_followed_at_once_back_and_within_a_minute_on() -> None:
    for set_by, within in ((-3600.0, 1), (3600.0, 75)):
        anchor = Anchor()
        for n in range(200):
            moved = set_by if n >= 100 else 0.0
            anchor.observe(float(n), START + timedelta(seconds=n + moved))
            told = (anchor.time_of(float(n)) - START).total_seconds() - n
            if n >= 100 + within:
                assert math.isclose(told, set_by, abs_tol=0.01)


# --- keeping -----------------------------------------------------------------------------------


def drained(ring: Ring) -> list[int]:
    out, last = [], -1
    while (one := ring.following(last)) is not None:
        out.append(one.ms)
        last = one.number
    return out


def test_a_full_ring_drops_its_oldest_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ring = Ring(tmp_path, 1000)
    for n in range(15):
        ring.put("segment", n, b"x" * 100)
    assert drained(ring) == list(range(5, 15)) and ring.dropped == 5 and ring.bytes == 1000
    assert "drops its oldest" in caplog.text
    assert len(list(tmp_path.glob("*.segment"))) == 10


def test_what_is_being_sent_is_not_dropped(tmp_path: Path) -> None:
    ring = Ring(tmp_path, 300)
    for n in range(3):
        ring.put("segment", n, b"x" * 100)
    first = ring.following(-1)
    assert first is not None
    ring.put("segment", 3, b"x" * 100)
    assert drained(ring) == [0, 2, 3] and ring.read(first) == b"x" * 100


def test_a_ring_outlives_its_gateway_and_has_one_owner(tmp_path: Path) -> None:
    ring = Ring(tmp_path, 1 << 20)
    for n in range(3):
        ring.put("segment", n, b"%d" % n)
    (tmp_path / "000000000009-9.segment.part").write_bytes(b"half")
    with pytest.raises(Wrong, match="another gateway"):
        Ring(tmp_path, 1 << 20)
    ring.close()
    again = Ring(tmp_path, 1 << 20)
    again.put("segment", 3, b"3")
    assert drained(again) == [0, 1, 2, 3] and not list(tmp_path.glob("*.part"))


def test_a_run_that_was_cut_off_goes_on_where_it_stood(tmp_path: Path) -> None:
    path, folder = film(tmp_path / "v.mp4"), tmp_path / "ring"
    assert [ms for ms, _ in taken(path, folder)] == [0, 1000, 2000]
    for file in folder.glob("*.segment"):
        file.unlink()
    ms = (START - EPOCH) // timedelta(milliseconds=1)
    Place(folder).note(str(path), START, ms + 1000)
    assert [ms for ms, _ in taken(path, folder)] == [2000], "a cut off run is not taken twice"
    for file in folder.glob("*.segment"):
        file.unlink()
    assert [ms for ms, _ in taken(path, folder)] == [0, 1000, 2000], "a whole one is, when asked"


# --- sending -----------------------------------------------------------------------------------


class FakeBroker:
    """Acknowledges what it takes one look later; can hang up and refuse."""

    def __init__(self) -> None:
        self.connections = 1
        self.up = True
        self.got: list[str] = []
        self.refuse: set[str] = set()
        self._numbers: dict[int, str] = {}
        self._looked: set[int] = set()

    def hand_over(self, topic: str, payload: bytes, *, connection: int) -> int:
        if not self.up or connection != self.connections:
            raise Temporary("away")
        number = len(self._numbers) + 1
        self._numbers[number] = topic
        return number

    def settled(self, number: int) -> bool:
        if not self.up:
            return False
        if number not in self._looked:
            self._looked.add(number)
            return False
        topic = self._numbers[number]
        if topic in self.refuse:
            self.refuse.discard(topic)
            raise Temporary("not authorized")
        self.got.append(topic)
        return True

    def wait_change(self, wait_s: float) -> None: ...


def step(sender: Sender, count: int = 200) -> None:
    for _ in range(count):
        sender._settle()
        sender._fill()


def names(*numbers: int) -> list[str]:
    return [f"t/segment/{n}" for n in numbers]


def test_messages_leave_in_order_and_the_ring_only_once_acknowledged(tmp_path: Path) -> None:
    ring, broker = Ring(tmp_path, 1 << 20), FakeBroker()
    for n in range(30):
        ring.put("segment", n, b"x")
    sender = Sender(ring, broker, "t")
    broker.up = False
    step(sender, 3)
    assert len(ring) == 30 and not broker.got
    broker.up = True
    sender._fill()
    assert len(ring) == 30, "handed over is not acknowledged"
    step(sender)
    assert broker.got == names(*range(30)) and len(ring) == 0 and sender.sent == 30


def test_after_a_new_connection_the_old_messages_come_first(tmp_path: Path) -> None:
    ring, broker = Ring(tmp_path, 1 << 20), FakeBroker()
    for n in range(3):
        ring.put("segment", n, b"x")
    sender = Sender(ring, broker, "t")
    sender._fill()
    broker.connections = 2
    ring.put("segment", 3, b"x")
    sender._fill()
    assert len(sender._on_way) == 3, "what is on its way is settled first"
    step(sender)
    assert broker.got == names(0, 1, 2, 3)


def test_a_refused_message_is_kept_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridsentry.camera.sender.AGAIN_S", 0.0)
    ring, broker = Ring(tmp_path, 1 << 20), FakeBroker()
    broker.refuse = set(names(1))
    for n in range(4):
        ring.put("segment", n, b"x")
    sender = Sender(ring, broker, "t")
    step(sender)
    assert sorted(broker.got) == names(0, 1, 2, 3) and len(ring) == 0
    assert "the right to write t/#" in caplog.text


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/x", "no address of a camera"),
        ("rtsp://", "no host"),
        ("rtsp://host:99999/x", "out of range"),
        ("nothing.mp4", "there is no file"),
        ("/dev/video77", "there is no device"),
        ("@nothing.url", "No such file"),
    ],
)
def test_a_wrong_address_is_named_with_what_is_allowed(url: str, said: str) -> None:
    with pytest.raises(Wrong, match=said) as error:
        find(url)
    assert error.value.allowed


def test_passwords_are_never_shown() -> None:
    url = "rtsp://admin:s3cret@10.0.0.7/live"
    assert hidden(f"{url}: refused") == "rtsp://admin:***@10.0.0.7/live: refused"
    refused = explained(find(url), av.error.HTTPUnauthorizedError(401, "no", url))
    assert isinstance(refused, Wrong) and "s3cret" not in str(refused)


def test_an_address_may_stay_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "cam.url"
    file.write_text("rtsp://a:b@host/x\n")
    assert find(f"@{file}").url == "rtsp://a:b@host/x"


def test_what_is_no_video_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(b"no video at all")
    with pytest.raises(Wrong, match="not a video"):
        open_stream(find(str(path)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--frames", "31"], "--frames: 31"),
        (["--segment", "0.1"], "--segment: 0.1"),
        (["--at", "yesterday"], "--at"),
        (["--size", "1x"], "--size"),
        (["--tls-ca", "x.pem"], "a broker by mqtts"),
        (["--broker", "http://x"], "--broker"),
        (["--district", "a b"], "--district"),
        (["--password-file", "nowhere"], "--password-file"),
    ],
)
def test_wrong_usage_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], said: str
) -> None:
    path = film(tmp_path / "v.mp4", 1.0)
    usual = ["camera", str(path), "--device", "c", "--district", "d", "--broker", "localhost"]
    assert cli.main([*usual, "--buffer", str(tmp_path / "b"), *arguments]) == 2
    assert said in capsys.readouterr().err
