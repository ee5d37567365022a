"""Clip and still: what plays, what is seen, what must not be."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import msgspec
import numpy as np
import pytest

from contracts.errors import Permanent
from contracts.event import Footage
from contracts.nouns import Segment
from ingest import evidence
from ingest.evidence_draw import drawn
from ingest.evidence_pictures import Picture, pictures
from ingest.evidence_veil import Veil
from ingest.evidence_view import View, Window

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
WIDTH, HEIGHT, RATE = 320, 240, 10
RNG = np.random.default_rng(3)
DETAIL: Picture = np.kron(
    RNG.integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), np.uint8), np.ones((4, 4, 1), np.uint8)
)
"""A picture of nothing but detail: what survives hiding would correlate with it."""


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def mp4(count: int, size: tuple[int, int] = (WIDTH, HEIGHT), rotation: int = 0) -> bytes:
    """`count` pictures; picture n has a white square whose place tells n."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"crf": "12", "preset": "ultrafast", "tune": "zerolatency"}
        for n in range(count):
            image = np.asarray(cv2.resize(DETAIL, size), np.uint8).copy()
            image[100:110, 20 + 4 * n : 30 + 4 * n] = 255
            frame = av.VideoFrame.from_ndarray(image, "bgr24")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return file.getvalue()


def jpeg(value: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    _, data = cv2.imencode(".jpg", np.full((size[1], size[0], 3), value, np.uint8))
    return data.tobytes()


def segment(data: bytes, seconds: float = 0.0) -> Segment:
    return Segment("cam", later(seconds), later(seconds), data)


def footage(start: float, end: float, best: float) -> Footage:
    return Footage("cam", later(start), later(end), later(best))


TRACK = [(later(1 + n / RATE), 160.0, 40.0 + 8 * n) for n in range(15)]
VIEW = View(size=(WIDTH, HEIGHT), track=TRACK, reach=14, caption="cam", zone_s=8 * 3600)
THREE = [segment(mp4(RATE), n) for n in range(3)]


def made(folder: Path, view: View = VIEW, segments: list[Segment] | None = None) -> evidence.Cut:
    return evidence.cut(
        THREE if segments is None else segments,
        footage(0.0, 3.0, 1.5),
        view,
        "e",
        shown=folder / "shown",
        originals=folder / "originals",
    )


def frames(path: Path) -> list[tuple[float, Picture]]:
    with av.open(str(path)) as container:
        return [
            (float(f.time or 0), np.asarray(f.to_ndarray(format="bgr24"), np.uint8))
            for f in container.decode(video=0)
        ]


def likeness(a: Picture, b: Picture) -> float:
    """Correlation of two pieces, 1: the same."""
    return float(np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1])


# --- the clip -------------------------------------------------------------------------------------


def test_a_clip_is_h264_that_any_browser_starts_at_once(tmp_path: Path) -> None:
    out = made(tmp_path)
    path = tmp_path / "shown" / out.clip
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, context.profile) == ("h264", "yuv420p", "High")
        assert (context.width, context.height) == out.size == (WIDTH, HEIGHT)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "the index stands in front"
    assert (out.first, out.last, out.pictures) == (later(0), later(2.9), 30)
    times = [at for at, _ in frames(path)]
    assert times == pytest.approx([n / RATE for n in range(30)], abs=0.001)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        made(tmp_path / name)
        files.append([p.read_bytes() for p in sorted((tmp_path / name).rglob("*.*"))])
    assert files[0] == files[1]
    assert len(files[0]) == 4


def test_a_clip_is_no_longer_than_15_s_and_shows_where_it_began(tmp_path: Path) -> None:
    pieces = [segment(jpeg(n * 5), n / 2) for n in range(50)]
    long = footage(1.0, 24.0, 20.0)
    out = evidence.cut(pieces, long, VIEW, "e", shown=tmp_path, originals=tmp_path / "o")
    assert (out.first, out.last) == (later(1), later(16))
    assert out.best == later(16)


@pytest.mark.parametrize(
    ("size", "kept"),
    [((321, 241), (320, 240)), ((2560, 1440), (1920, 1080)), ((1440, 2560), (1080, 1920)),
     ((1600, 1600), (1080, 1080))],
)  # fmt: skip
def test_sizes_are_even_and_at_most_1080p(
    tmp_path: Path, size: tuple[int, int], kept: tuple[int, int]
) -> None:
    out = made(tmp_path, segments=[segment(jpeg(90, size), 1.0)])
    assert out.size == kept
    still = cv2.imread(str(tmp_path / "shown" / out.still))
    assert still is not None and still.shape[:2] == kept[::-1]


def test_overlaps_show_once_and_gaps_stay_gaps(tmp_path: Path) -> None:
    pieces = [segment(mp4(RATE), 0.0), segment(mp4(RATE), 0.85), segment(mp4(3), 2.5)]
    out = made(tmp_path, segments=pieces[::-1])
    times = [at for at, _ in frames(tmp_path / "shown" / out.clip)]
    assert all(b > a for a, b in pairwise(times))
    assert max(np.diff(times)) == pytest.approx(2.5 - 1.75, abs=0.002)
    assert times[-1] == pytest.approx(2.7, abs=0.002)


def test_a_camera_of_single_jpegs_has_a_clip_too(tmp_path: Path) -> None:
    pieces = [segment(jpeg(40 + n), n / 30) for n in range(90)]
    pieces[10] = segment(b"\xff\xd8\xff broken", 10 / 30)
    out = made(tmp_path, segments=pieces)
    assert out.pictures == 89
    assert len(frames(tmp_path / "shown" / out.clip)) == 89


def test_turned_video_stands_upright() -> None:
    plain = mp4(2)
    # the display matrix of the track header: 90 degrees clockwise
    one = b"\x00\x01\x00\x00"
    straight = one + bytes(12) + one + bytes(12) + b"\x40\x00\x00\x00"
    turned = bytes(4) + one + bytes(4) + b"\xff\xff\x00\x00" + bytes(16) + b"\x40\x00\x00\x00"
    at = plain.rindex(straight)  # the first is the movie's
    data = plain[:at] + turned + plain[at + len(turned) :]
    ((_, upright), *_) = pictures([segment(data)], START, later(1))
    ((_, lying), *_) = pictures([segment(plain)], START, later(1))
    assert upright.shape == (WIDTH, HEIGHT, 3)
    assert likeness(upright, np.rot90(lying, -1)) > 0.95


def test_broken_segments_leave_the_rest(tmp_path: Path) -> None:
    whole = mp4(RATE)
    half = segment(whole[: len(whole) // 2], 1)
    out = made(tmp_path, segments=[segment(b"junk", 0), half, THREE[2]])
    assert out.last == later(2.9)


def test_nothing_left_says_so_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(Permanent) as caught:
        made(tmp_path, segments=[segment(mp4(3), 7.0)])
    assert caught.value.code == "no_footage"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


# --- what is seen and what is not -----------------------------------------------------------------

HOME = ((20.0, 20.0), (80.0, 20.0), (80.0, 80.0), (20.0, 80.0))
NAMED = ((150.0, 10.0), (200.0, 10.0), (200.0, 50.0), (150.0, 50.0))
WALL = ((10.0, 5.0), (310.0, 5.0), (310.0, 150.0), (10.0, 150.0))
PRIVATE = ((230.0, 90.0), (290.0, 90.0), (290.0, 150.0), (230.0, 150.0))
CALIBRATED = View(
    size=(WIDTH, HEIGHT),
    track=TRACK,
    reach=14,
    windows=[Window(NAMED, "F17-3 0.93", True), Window(HOME, "F16-1 0.05", False)],
    wall=[WALL],
    homes=[HOME, NAMED],
    private=[PRIVATE],
)


def hidden(view: View) -> Picture:
    veil = Veil(view, (HEIGHT, WIDTH))
    return veil.hide(veil.cover(DETAIL))


def test_without_calibration_only_the_corridor_of_the_path_is_seen() -> None:
    seen = hidden(VIEW)
    assert np.array_equal(seen[40:150, 150:170], DETAIL[40:150, 150:170])
    for piece in (np.s_[:, :140], np.s_[:, 180:], np.s_[:20, :], np.s_[180:, :]):
        assert abs(likeness(seen[piece], DETAIL[piece])) < 0.45
    assert len(np.unique(seen[:, :140].reshape(-1, 3), axis=0)) <= 24 * 15


def test_with_calibration_homes_and_the_ground_are_hidden_but_the_named_window() -> None:
    seen = hidden(CALIBRATED)
    assert np.array_equal(seen[12:48, 152:198], DETAIL[12:48, 152:198]), "the named window"
    assert np.array_equal(seen[100:140, 30:120], DETAIL[100:140, 30:120]), "the wall between"
    assert abs(likeness(seen[20:80, 20:80], DETAIL[20:80, 20:80])) < 0.45, "another home"
    ground = np.s_[190:, :]
    assert abs(likeness(seen[ground], DETAIL[ground])) < 0.45, "people walk there"


def test_abstaining_hides_every_home() -> None:
    seen = hidden(msgspec.structs.replace(CALIBRATED, windows=[], track=()))
    assert abs(likeness(seen[12:48, 152:198], DETAIL[12:48, 152:198])) < 0.45


def test_what_is_hidden_keeps_nothing_finer_than_its_squares() -> None:
    """Two different faces of one mean colour come out the same."""
    a, b = (np.full((HEIGHT, WIDTH, 3), 120, np.uint8) for _ in "ab")
    a[60:70:2, 60:70] = 200
    a[61:70:2, 60:70] = 40
    b[60:70, 60:70:2] = 200
    b[60:70, 61:70:2] = 40
    veil = Veil(VIEW, (HEIGHT, WIDTH))
    assert not np.array_equal(a, b)
    assert np.array_equal(veil.hide(a), veil.hide(b))


def test_the_privacy_mask_is_black_in_every_file(tmp_path: Path) -> None:
    out = made(tmp_path, CALIBRATED)
    for folder in ("shown", "originals"):
        still = cv2.imread(str(tmp_path / folder / out.still))
        assert still is not None
        assert still[100:140, 240:280].max() < 12
        for _, picture in frames(tmp_path / folder / out.clip):
            assert picture[100:140, 240:280].max() < 24


def test_the_original_is_the_picture_itself(tmp_path: Path) -> None:
    out = made(tmp_path, CALIBRATED)
    assert (tmp_path / "originals").stat().st_mode & 0o077 == 0
    ((_, first), *_) = frames(tmp_path / "originals" / out.clip)
    assert likeness(first[160:230], np.asarray(DETAIL[160:230], np.uint8)) > 0.8
    ((_, first), *_) = frames(tmp_path / "shown" / out.clip)
    assert abs(likeness(first[160:215], np.asarray(DETAIL[160:215], np.uint8))) < 0.45


def test_the_still_shows_the_whole_way_and_the_clip_only_what_was() -> None:
    grey = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    low = np.s_[120:152, 150:170]
    assert np.ptp(drawn(grey, VIEW, later(1.2), whole=True)[low]) > 60
    assert np.ptp(drawn(grey, VIEW, later(1.2), whole=False)[low]) == 0
    assert np.ptp(drawn(grey, VIEW, later(2.4), whole=False)[low]) > 60


def test_named_and_other_windows_are_outlined_differently() -> None:
    grey = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    out = drawn(grey, CALIBRATED, later(0.0), whole=False)
    red, blue = out[30, 148:153, 2].astype(int), out[30, 148:153, 0].astype(int)
    assert (red - blue).max() > 120
    assert np.ptp(out[45:55, 18:23]) > 60


def test_pictures_of_another_size_are_scaled_copies(tmp_path: Path) -> None:
    """A calibration for 640 x 480 holds for a stream of half the size."""
    view = View(size=(640, 480), private=[[(480, 80), (560, 80), (560, 160), (480, 160)]])
    seen = Veil(view, (HEIGHT, WIDTH)).cover(DETAIL)
    assert seen[45:75, 245:275].max() == 0
    assert np.array_equal(seen[:35], DETAIL[:35])
