"""The camera gateway as a process of its own, against a real Mosquitto and an RTSP camera."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest

from contracts.clock import SystemClock, epoch_ms, monotonic
from contracts.nouns import Arrival
from ingest.session import MqttSession
from tests.brokers import Mosquitto, pause
from tests.rtsp import rtsp_camera

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TOPIC = "gridsentry/v1/feed/d/cam"
AT_MS = 1_782_864_000_000  # 2026-07-01T00:00:00Z


def film(path: Path, seconds: int, *, gop: int = 25) -> Path:
    """25 noisy pictures a second, so that a segment has some weight."""
    rng = np.random.default_rng(5)
    with av.open(str(path), "w") as out:
        options = {"g": str(gop), "bf": "0", "sc_threshold": "0", "preset": "ultrafast"}
        stream = out.add_stream("libx264", rate=Fraction(25), options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for n in range(25 * seconds):
            picture = rng.integers(0, 60, (120, 160), np.uint8)
            picture[:40] = 2 * n % 256
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


class Gateway:
    """`gridsentry camera` as a process."""

    def __init__(self, url: str, broker: Mosquitto, buffer: Path, *more: str) -> None:
        self.log = buffer.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gridsentry", "camera", url, "--verbose"),
                    *("--district", "d", "--device", "cam", "--buffer", str(buffer)),
                    *("--broker", f"mqtt://127.0.0.1:{broker.port}", *more),
                ],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(20)

    @property
    def said(self) -> str:
        return self.log.read_text()


@contextmanager
def gateway(url: str | Path, broker: Mosquitto, buffer: Path, *more: str) -> Iterator[Gateway]:
    process = Gateway(str(url), broker, buffer, *more)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


class Listener:
    """A persistent subscriber that notes everything it is given."""

    def __init__(self, broker: Mosquitto) -> None:
        self.session = MqttSession(broker.settings("listener"), [f"{TOPIC}/#"], clock=SystemClock())
        self.session.start()
        assert self.session.wait_ready(10)
        self.got: list[Arrival] = []

    def until(self, done: Callable[[], bool], seconds: float = 40.0) -> bool:
        until = monotonic() + seconds
        while monotonic() < until and not done():
            arrivals = self.session.take(50, 0.1)
            self.session.acknowledge(arrivals)
            self.got += arrivals
        return done()

    def times(self, kind: str = "segment") -> list[int]:
        last = [a.topic.rsplit("/", 2) for a in self.got]
        return [int(part[2]) for part in last if part[1] == kind]

    def states(self) -> list[str]:
        out = []
        for arrival in self.got:
            if arrival.topic.endswith("/status"):
                text = arrival.payload.decode()
                out.append(text if text[0] != "{" else msgspec.json.decode(text)["state"])
        return out

    def media(self) -> list[bytes]:
        return [a.payload for a in self.got if "/segment/" in a.topic or "/frame/" in a.topic]


@pytest.fixture
def listener(mosquitto: Mosquitto) -> Iterator[Listener]:
    made = Listener(mosquitto)
    yield made
    made.session.stop()


def pictures(data: bytes) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(video=0))
    assert frames[0].key_frame
    return [np.asarray(f.to_ndarray(format="gray"), np.uint8) for f in frames]


def whole(path: Path) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    with av.open(str(path)) as container:
        return [
            np.asarray(f.to_ndarray(format="gray"), np.uint8) for f in container.decode(video=0)
        ]


def seconds(count: int) -> list[int]:
    return [AT_MS + 1000 * n for n in range(count)]


def test_a_file_arrives_with_its_pictures_and_times(
    tmp_path: Path, mosquitto: Mosquitto, listener: Listener
) -> None:
    path = film(tmp_path / "v.mp4", 5)
    with gateway(path, mosquitto, tmp_path / "b", "--at", str(AT_MS)) as running:
        assert listener.until(lambda: len(listener.times()) == 5), running.said
        assert running.process.wait(20) == 0, running.said
    assert listener.times() == seconds(5)
    seen = [p for data in listener.media() for p in pictures(data)]
    assert all(np.array_equal(a, b) for a, b in zip(whole(path), seen, strict=True))
    assert "sent 5 messages" in running.said
    assert listener.until(lambda: listener.states()[-2:] == ["online", "offline"], 5)


@pytest.mark.recordings
def test_a_real_recording_arrives_with_its_pictures_and_times(
    tmp_path: Path, mosquitto: Mosquitto, listener: Listener, recordings: Path
) -> None:
    path = recordings / "falls" / "neg_rain_yard_upright.mp4"
    with av.open(str(path)) as container:
        base = container.streams.video[0].time_base or Fraction(1, 1000)
        stamps = [float(f.pts * base) for f in container.decode(video=0) if f.pts is not None]
    with gateway(path, mosquitto, tmp_path / "b", "--at", str(AT_MS)) as running:
        assert running.process.wait(120) == 0, running.said
    listener.until(lambda: sum(len(pictures(d)) for d in listener.media()) >= len(stamps), 10)
    found = []
    for ms, data in zip(listener.times(), listener.media(), strict=True):
        with av.open(io.BytesIO(data), "r") as piece:
            times = [f.time or 0.0 for f in piece.decode(video=0)]
        found += [(ms - AT_MS) / 1000 + t - times[0] for t in times]
    assert np.allclose(found, np.array(stamps) - stamps[0], atol=0.0015)


def test_a_broker_that_was_away_gets_everything_once_and_in_order(
    tmp_path: Path, mosquitto: Mosquitto, listener: Listener
) -> None:
    path = film(tmp_path / "v.mp4", 12)
    arguments = ("--at", str(AT_MS), "--realtime")
    with gateway(path, mosquitto, tmp_path / "b", *arguments) as running:
        assert listener.until(lambda: len(listener.times()) >= 3), running.said
        mosquitto.terminate()
        pause(4.0)
        assert len(list((tmp_path / "b").glob("*.segment"))) >= 2, "nothing was kept"
        mosquitto.start()
        assert listener.until(lambda: len(listener.times()) >= 12), running.said
        assert running.process.wait(20) == 0, running.said
    listener.until(lambda: False, 0.5)
    assert listener.times() == seconds(12)
    assert "are kept in" in running.said and "the broker is back" in running.said


def test_a_killed_gateway_goes_on_where_it_stood(
    tmp_path: Path, mosquitto: Mosquitto, listener: Listener
) -> None:
    path = film(tmp_path / "v.mp4", 10)
    arguments = ("--at", str(AT_MS), "--realtime")
    with gateway(path, mosquitto, tmp_path / "b", *arguments) as running:
        assert listener.until(lambda: len(listener.times()) >= 2), running.said
        mosquitto.terminate()  # so that something waits when it is killed
        pause(2.5)
        running.end(signal.SIGKILL)
    kept = len(list((tmp_path / "b").glob("*.segment")))
    assert kept >= 1
    mosquitto.start()
    with gateway(path, mosquitto, tmp_path / "b", "--at", str(AT_MS)) as running:
        assert running.process.wait(30) == 0, running.said
    assert listener.until(lambda: len(listener.times()) >= 10), running.said
    listener.until(lambda: False, 0.5)
    # What was on its way at the kill may have come twice: the service keeps it once.
    assert list(dict.fromkeys(listener.times())) == seconds(10)
    assert len(listener.times()) <= 10 + 8
    assert "go first" in running.said and "not taken again" in running.said


def test_a_killed_gateway_is_said_to_be_offline(
    tmp_path: Path, mosquitto: Mosquitto, listener: Listener
) -> None:
    path = film(tmp_path / "v.mp4", 3)
    with gateway(path, mosquitto, tmp_path / "b", "--loop", "--realtime") as running:
        assert listener.until(lambda: len(listener.times()) >= 1), running.said
        running.end(signal.SIGKILL)
        assert listener.until(lambda: listener.states()[-1:] == ["offline"], 10)
    assert listener.states()[-2:] == ["online", "offline"]


def test_an_rtsp_camera_arrives_on_our_clock_and_comes_back(
    tmp_path: Path, mosquitto: Mosquitto, listener: Listener
) -> None:
    path = film(tmp_path / "v.mp4", 4)
    begun = epoch_ms(SystemClock().now())
    with (
        rtsp_camera(path, user="admin:secret") as camera,
        gateway(
            camera.url.replace("rtsp://", "rtsp://admin:secret@"),
            mosquitto,
            tmp_path / "b",
            *("--stall", "2"),
        ) as running,
    ):
        assert listener.until(lambda: len(listener.times()) >= 3), running.said
        seen = [p for data in listener.media()[:3] for p in pictures(data)]
        original = whole(path)
        assert len(seen) >= 74
        assert all(np.array_equal(a, b) for a, b in zip(original[:74], seen, strict=False))
        now = epoch_ms(SystemClock().now())
        assert all(begun - 1000 < ms < now for ms in listener.times())
        gaps = np.diff(listener.times())
        assert np.all(np.abs(gaps - 1000) < 200), gaps
        camera.hang_up()
        before = len(listener.times())
        assert listener.until(lambda: len(listener.times()) >= before + 3), running.said
        camera.stalled.set()
        assert listener.until(lambda: "no picture for 2 s" in running.said, 15), running.said
        camera.stalled.clear()
        before = len(listener.times())
        assert listener.until(lambda: len(listener.times()) >= before + 3), running.said
        assert camera.connections >= 3
        assert running.end() == 0
    assert listener.until(lambda: listener.states()[-1:] == ["offline"], 5)
    assert listener.states().count("online") >= 3
    assert listener.times() == sorted(set(listener.times()))
    assert "secret" not in running.said


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("rtsp://admin:wrong@127.0.0.1:{port}/live", "refuses user name or password"),
        ("rtsp://admin:secret@127.0.0.1:{port}/other", "no stream under this path"),
    ],
)
def test_a_wrong_address_ends_it_with_what_to_do(
    tmp_path: Path, mosquitto: Mosquitto, address: str, said: str
) -> None:
    with rtsp_camera(film(tmp_path / "v.mp4", 1), user="admin:secret") as camera:
        url = address.format(port=camera.port)
        with gateway(url, mosquitto, tmp_path / "b") as running:
            assert running.process.wait(30) == 2
    assert said in running.said


def test_pictures_at_30_a_second_arrive(
    tmp_path: Path, mosquitto: Mosquitto, listener: Listener
) -> None:
    path = film(tmp_path / "v.mp4", 3)
    with gateway(path, mosquitto, tmp_path / "b", "--at", str(AT_MS), "--frames", "30") as running:
        assert running.process.wait(30) == 0, running.said
    listener.until(lambda: len(listener.times("frame")) >= 75, 10)
    assert listener.times("frame") == [AT_MS + 40 * n for n in range(75)]


def test_a_refusing_broker_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    (folder / "acl").write_text("user nobody\ntopic write x\n")
    broker = Mosquitto(
        folder,
        "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nacl_file {data}/acl\n",
    ).start()
    try:
        path = film(tmp_path / "v.mp4", 3)
        with gateway(path, broker, tmp_path / "b", "--at", str(AT_MS)) as running:
            until = monotonic() + 20
            kept = tmp_path / "b"
            while monotonic() < until and (
                "the right to write" not in running.said or len(list(kept.glob("*.segment"))) < 3
            ):
                pause(0.1)
            assert running.end() == 1
        assert "3 wait in" in running.said
        assert len(list(kept.glob("*.segment"))) == 3
    finally:
        broker.kill()


def test_two_gateways_of_one_camera_do_not_run(
    tmp_path: Path, mosquitto: Mosquitto, listener: Listener
) -> None:
    path = film(tmp_path / "v.mp4", 3)
    with gateway(path, mosquitto, tmp_path / "b", "--loop", "--realtime") as one:
        assert listener.until(lambda: len(listener.times()) >= 1), one.said
        with gateway(path, mosquitto, tmp_path / "b") as other:
            assert other.process.wait(20) == 2
            assert "another gateway of this device" in other.said
        os.kill(one.process.pid, signal.SIGTERM)
        assert one.process.wait(10) == 0
