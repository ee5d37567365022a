"""Video becomes self-contained segments that keep every picture and its time."""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from contracts.errors import Wrong
from gridsentry.record.video import Piece, make_plan, pieces


def make_video(
    path: Path,
    times: Sequence[float],
    *,
    gop: int = 250,
    size: tuple[int, int] = (96, 64),
    codec: str = "libx264",
    bf: int = 0,
    open_groups: bool = False,
) -> Path:
    """Picture n is black with a white left upper quarter, its right half brightness n."""
    with av.open(str(path), "w") as out:
        rate = Fraction(25)
        options = {"g": str(gop), "bf": str(bf), "sc_threshold": "0"}
        if open_groups:
            options |= {"flags": "-cgop", "x264-params": "open-gop=1"}
        stream = out.add_stream(codec, rate=rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for n, at in enumerate(times):
            picture = np.zeros((size[1], size[0], 3), np.uint8)
            picture[: size[1] // 2, : size[0] // 2] = 255
            picture[:, size[0] // 2 :] = 2 * n % 256
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(at * 1000), Fraction(1, 1000)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
    return path


def cut(path: Path, segment: float = 1.0, *, rotate: bool = True) -> list[Piece]:
    return list(pieces(path, segment, lambda done, total: None, rotate=rotate))


def pictures(piece: Piece) -> list[tuple[float, av.VideoFrame]]:
    with av.open(io.BytesIO(piece.data), "r") as container:
        assert not container.streams.audio
        frames = list(container.decode(video=0))
    assert frames[0].key_frame
    return [(float((frame.pts or 0) * (frame.time_base or 0)), frame) for frame in frames]


def times_of(cuts: list[Piece]) -> list[float]:
    return [round(piece.start_s + at, 3) for piece in cuts for at, _ in pictures(piece)]


STEADY = [n / 25 for n in range(80)]
UNSTEADY = [0.0, 0.04, 0.3, 0.31, 0.9, 1.25, 1.3, 2.0, 2.02, 2.9, 2.95]


@pytest.mark.parametrize("times", [STEADY, UNSTEADY])
def test_every_picture_keeps_its_time(tmp_path: Path, times: list[float]) -> None:
    cuts = cut(make_video(tmp_path / "v.mp4", times))
    assert times_of(cuts) == pytest.approx(times, abs=0.002)
    assert [int(piece.start_s) for piece in cuts] == [0, 1, 2]
    assert all(piece.end_s - piece.start_s >= 0.5 for piece in cuts)


def test_a_rest_shorter_than_half_a_second_joins_the_last_segment(tmp_path: Path) -> None:
    cuts = cut(make_video(tmp_path / "v.mp4", STEADY))  # 3.2 s
    assert [piece.pictures for piece in cuts] == [25, 25, 30]
    assert cuts[-1].end_s == pytest.approx(3.2, abs=0.002)


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", STEADY)
    assert cut(path) == cut(path)


@pytest.mark.slow
def test_the_same_file_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    # The coder's own options can break this in one run of twelve: look often.
    path = make_video(tmp_path / "v.mp4", STEADY)
    once = cut(path)
    assert all(cut(path) == once for _ in range(40))


@pytest.mark.parametrize("name", ["v.mp4", "v.ts", "v.mkv"])
def test_own_keyframes_that_fit_are_kept(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, STEADY, gop=25)
    assert make_plan(path, 1.0).copy
    cuts = cut(path)
    assert [piece.pictures for piece in cuts] == [25, 25, 30]
    assert times_of(cuts) == pytest.approx(STEADY, abs=0.002)
    with av.open(str(path)) as container:
        before = [frame.to_ndarray() for frame in container.decode(video=0)]
    after = [frame.to_ndarray() for piece in cuts for _, frame in pictures(piece)]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_own_keyframes_with_b_frames_are_kept_too(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", STEADY, gop=25, bf=2)
    assert times_of(cut(path)) == pytest.approx(STEADY, abs=0.002)


def test_groups_that_lean_on_the_one_before_are_transcoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", STEADY, gop=25, bf=3, open_groups=True)
    with av.open(str(path), "r") as container:
        keys = [p.pts or 0 for p in container.demux(video=0) if p.is_keyframe]
    assert len(keys) == 4  # they stand where the cuts are, but are no clean beginning
    assert not make_plan(path, 1.0).copy
    assert len(times_of(cut(path))) == 80


def test_keyframes_elsewhere_and_other_codecs_are_transcoded(tmp_path: Path) -> None:
    assert not make_plan(make_video(tmp_path / "a.mp4", STEADY, gop=40), 1.0).copy
    path = make_video(tmp_path / "b.avi", STEADY, gop=25, codec="mpeg4")
    assert not make_plan(path, 1.0).copy
    assert len(times_of(cut(path))) == 80


def turned(path: Path) -> Path:
    """The file marked to be turned clockwise by 90 degrees, as a phone held upright does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    one = 1 << 16
    data[at : at + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def test_a_rotation_is_carried_out_or_ignored_as_asked(tmp_path: Path) -> None:
    path = turned(make_video(tmp_path / "v.mp4", STEADY[:30], gop=25))
    _, frame = pictures(cut(path)[0])[0]
    assert (frame.width, frame.height) == (64, 96)
    luma = frame.to_ndarray(format="gray")
    assert luma[:48, 32:].mean() > 200  # the left upper quarter is now the right upper one
    assert luma[:48, :32].mean() < 60
    _, frame = pictures(cut(path, rotate=False)[0])[0]
    assert (frame.width, frame.height) == (96, 64)


def test_odd_sides_are_made_even(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.avi", STEADY[:30], size=(97, 65), codec="mpeg4")
    _, frame = pictures(cut(path)[0])[0]
    assert (frame.width, frame.height) == (96, 64)


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"\0\0\0\x18ftypmp42 nothing")
    with pytest.raises(Wrong, match=r"v\.mp4"):
        cut(tmp_path / "v.mp4")
    with pytest.raises(Wrong, match="--segment"):
        cut(tmp_path / "v.mp4", 0.1)


@pytest.mark.recordings
@pytest.mark.slow
def test_the_real_falling_box_keeps_its_332_pictures(recordings: Path) -> None:
    cuts = cut(recordings / "falls" / "pos_office1_box.mp4")
    assert sum(piece.pictures for piece in cuts) == 332
    assert len(cuts) == 11
    for one, other in itertools.pairwise(cuts):
        assert other.start_s == pytest.approx(one.end_s, abs=0.001)
