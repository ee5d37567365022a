"""From a camera's pictures to sealed evidence, in replay: video or single JPEGs, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from contracts.clock import epoch_ms
from contracts.nouns import Arrival
from detectors.high_altitude_throw.sample import HEIGHT, RATE, WIDTH, frames
from gridsentry.city import load_city
from gridsentry.cli import main
from gridsentry.engine.rooms import detector_configs
from gridsentry.replay.run import ORIGINALS, Replay
from router.settings import RouterSettings
from tests import footage
from tests.rig import write_city

pytestmark = pytest.mark.slow

BEGAN = datetime(2026, 7, 14, 4, 0, tzinfo=UTC)


def as_video() -> Iterator[Arrival]:
    for second, data in enumerate(footage.segments()):
        at = BEGAN + timedelta(seconds=second)
        topic = f"gridsentry/v1/feed/d1/cam/segment/{epoch_ms(at)}"
        yield Arrival(topic, data, at + timedelta(seconds=1))


def as_jpegs() -> Iterator[Arrival]:
    pictures = frames(np.random.default_rng(4), footage.SECONDS, (6.0, 19.5),
                      begins_s=footage.FALL_S)  # fmt: skip
    for n, picture in enumerate(pictures):
        at = BEGAN + timedelta(milliseconds=round(1000 * n / RATE))
        data = cv2.imencode(".jpg", picture.luma, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        yield Arrival(f"gridsentry/v1/feed/d1/cam/frame/{epoch_ms(at)}", data, at)


def replayed(folder: Path, arrivals: Iterator[Arrival]) -> tuple[dict[str, Any], Path]:
    """The fall's last revision, and the folder with its evidence."""
    write_city(folder / "city", [footage.camera_row("cam")])
    footage.write_camera(folder / "city", "cam")
    evidence = folder / "evidence"
    evidence.mkdir()
    replay = Replay(load_city(folder / "city"), RouterSettings(), detector_configs({}), evidence)
    lines = list(replay.lines(arrivals, timedelta(minutes=2)))
    events = [one for one in lines if one["type"] == "event" and one.get("device") == "cam"]
    throws = [one for one in events if one["kind"] == "high_altitude_throw"]
    assert len({one["id"] for one in throws}) == 1
    return throws[-1], evidence


@pytest.mark.parametrize("source", [as_video, as_jpegs])
def test_a_fall_leaves_sealed_evidence(tmp_path: Path, source: Any) -> None:
    event, folder = replayed(tmp_path, source())
    assert event["origin"]["zone"] == "F7-2"
    with av.open(str(folder / event["clip"])) as clip:
        times = [float(f.time or 0.0) for f in clip.decode(video=0)]
        assert (clip.streams.video[0].width, clip.streams.video[0].height) == (WIDTH, HEIGHT)
    track = json.loads((folder / event["track_file"]).read_text())
    onset, landed = (datetime.fromisoformat(track["track"][n]["at"]) for n in (0, -1))
    first, last = (datetime.fromisoformat(track["footage"][n]) for n in ("first", "last"))
    assert (onset - first).total_seconds() == pytest.approx(3.0, abs=0.1)
    assert (last - landed).total_seconds() == pytest.approx(3.0, abs=0.1)
    assert times[-1] == pytest.approx((last - first).total_seconds(), abs=0.02)
    tops = [row["v_m"] for row in track["track"]]
    assert tops[0] > tops[-1] + 10, "it falls, in metres"
    assert (folder / ORIGINALS / event["still"]).is_file()
    assert main(["evidence", "verify", "--dir", str(folder)]) == 0


def test_the_same_recording_gives_the_same_files(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        _, folder = replayed(tmp_path / name, as_video())
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        made.append({path.relative_to(folder): path.read_bytes() for path in files})
    assert made[0] == made[1]
    assert len(made[0]) == 6
