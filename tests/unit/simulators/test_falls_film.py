"""The studio's films: what the truth says is what the pixels show."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.falls import throwing
from simulators.falls.__main__ import main
from simulators.falls.film import Studio, film
from simulators.falls.plates import known, photographed
from simulators.falls.scene import Scene, generated
from simulators.falls.sensor import encode
from simulators.falls.take import Distraction, Order, Take, TrueFall

pytestmark = pytest.mark.slow

SMALL = (640, 360)


def decoded(segments: list[tuple[float, bytes]]) -> list[tuple[float, NDArray[np.int16]]]:
    found = []
    for start, data in segments:
        with av.open(io.BytesIO(data), mode="r") as container:
            for frame in container.decode(video=0):
                at = start + float(frame.time or 0)
                found.append((at, luma(frame)))
    return found


def luma(frame: av.VideoFrame) -> NDArray[np.int16]:
    plane = frame.planes[0]
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return lines[: frame.height, : frame.width].astype(np.int16)


def order(seed: int, **fields: object) -> Order:
    plain = Order(seed=seed, size=SMALL, seconds=3.5, fps=20.0, falls=1, visible=(0.9, 1.0))
    return msgspec.structs.replace(plain, **fields)


def raw(one: Order, *, empty: bool = False) -> tuple[Studio, list[NDArray[np.int16]]]:
    """The pictures before the codec; `empty`: the same ones without their falls."""
    studio = Studio(one, generated(one))
    if empty:
        studio.drops.clear()
    return studio, [p[: one.size[1]].astype(np.int16) for _, p in studio.pictures()]


def pair(one: Order) -> tuple[TrueFall, list[NDArray[np.int16]]]:
    studio, with_it = raw(one)
    _, without = raw(one, empty=True)
    return studio.truth()[0], [a - b for a, b in zip(with_it, without, strict=True)]


def weighed(change: NDArray[np.int16]) -> tuple[float, float]:
    """Middle of a change, pixel i reaching from i to i + 1."""
    weight = np.abs(change).astype(float)
    ys, xs = np.mgrid[0 : change.shape[0], 0 : change.shape[1]]
    total = weight.sum()
    return float((weight * xs).sum() / total) + 0.5, float((weight * ys).sum() / total) + 0.5


@pytest.fixture(scope="module")
def take() -> Take:
    return film(order(3, size_px=(6.0, 10.0)))


def test_the_same_order_gives_the_same_bytes_and_another_seed_others(take: Take) -> None:
    assert film(take.order) == take
    assert film(order(4, size_px=(6.0, 10.0))).segments[0][1] != take.segments[0][1]


def test_segments_last_about_a_second_begin_with_a_keyframe_and_stand_alone(take: Take) -> None:
    starts = [start for start, _ in take.segments]
    assert np.allclose(np.diff(starts), 1.0, atol=0.06)
    for _, data in take.segments:
        with av.open(io.BytesIO(data), mode="r") as container:
            stream = container.streams.video[0]
            packets = [p for p in container.demux(stream) if p.pts is not None]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == SMALL
        assert packets[0].is_keyframe
        assert packets[0].pts == 0
        assert sum(p.is_keyframe for p in packets) == 1
        assert all(p.dts == p.pts for p in packets)
    assert len(decoded(list(take.segments))) == take.pictures == 70


def test_time_stamps_are_those_of_the_exposures_within_milliseconds(take: Take) -> None:
    times = np.array([t for t, _ in decoded(list(take.segments))])
    late = times - np.arange(len(times)) / take.order.fps
    assert late.min() > -0.001
    assert late.max() < 0.02
    assert np.std(late) > 0.0001
    assert np.all(np.diff(times) > 0)


def test_the_rate_is_the_ordered_one() -> None:
    one = order(3, mbit_s=1.0, seconds=5.0, falls=0)
    bits = 8 * sum(len(data) for _, data in film(one).segments)
    assert bits / one.seconds == pytest.approx(1.0e6, rel=0.2)


def test_dropped_pictures_leave_gaps_and_doubled_ones_show_the_same_again() -> None:
    one = order(5, dropped=0.2, doubled=0.2, seconds=5.0, mbit_s=5.0)
    got = film(one)
    pictures = decoded(list(got.segments))
    assert len(pictures) == got.pictures
    assert 0.65 * 100 < got.pictures < 0.92 * 100
    gaps = np.diff([t for t, _ in pictures])
    assert np.any(gaps > 1.8 / one.fps)
    changes = [float(np.abs(b - a).mean()) for (_, a), (_, b) in pairwise(pictures)]
    usual = float(np.median(changes))
    doubles = sum(change < 0.4 * usual for change in changes)
    assert 0.08 * got.pictures < doubles < 0.35 * got.pictures
    assert len(got.falls[0].track) < 0.9 * (got.falls[0].landed_s - got.falls[0].released_s) * 20


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_pixels_change_where_the_truth_says_and_nowhere_else(seed: int) -> None:
    fall, changes = pair(order(seed, size_px=(6.0, 12.0), visible=(1.0, 1.0)))
    boxes = {round(seen.t * 20): seen for seen in fall.track}
    checked = 0
    for k, change in enumerate(changes):
        where = np.argwhere(np.abs(change) > 3)
        if k not in boxes:
            assert len(where) == 0 or k / 20 > fall.landed_s
            continue
        seen = boxes[k]
        assert min(seen.x, seen.y, seen.w, seen.h) >= 0
        assert seen.x + seen.w <= 640 and seen.y + seen.h <= 360
        inside = seen.x > 4 and seen.y > 4 and seen.x + seen.w < 636 and seen.y + seen.h < 356
        if len(where) and inside:
            (y0, x0), (y1, x1) = where.min(axis=0), where.max(axis=0) + 1
            assert x0 > seen.x - 3.5
            assert y0 > seen.y - 3.5
            assert x1 < seen.x + seen.w + 3.5
            assert y1 < seen.y + seen.h + 3.5
            checked += 1
    assert checked > 10


def test_the_truth_is_right_to_a_part_of_a_pixel_even_after_the_codec() -> None:
    one = order(14, size_px=(7.0, 10.0), visible=(1.0, 1.0), mbit_s=20.0, seconds=3.0)
    got = film(one)
    quiet = Studio(one, generated(one))
    quiet.drops.clear()
    without = decoded(
        encode(quiet.pictures(), size=SMALL, fps=one.fps, mbit_s=one.mbit_s, preset="superfast")
    )
    with_it = decoded(list(got.segments))
    errors = []
    for seen in got.falls[0].track:
        k = round(seen.t * one.fps)
        x0, y0 = int(seen.x) - 3, int(seen.y) - 3
        x1, y1 = int(seen.x + seen.w) + 4, int(seen.y + seen.h) + 4
        if min(x0, y0) < 0 or x1 > SMALL[0] or y1 > SMALL[1]:
            continue
        change = with_it[k][1][y0:y1, x0:x1] - without[k][1][y0:y1, x0:x1]
        change = np.where(np.abs(change) > 6, change, 0).astype(np.int16)
        if np.abs(change).sum() < 200:
            continue
        x, y = weighed(change)
        errors.append((x0 + x - seen.x - seen.w / 2, y0 + y - seen.y - seen.h / 2))
    assert len(errors) > 10
    assert np.all(np.abs(np.median(np.array(errors), axis=0)) < 0.5)
    assert np.median(np.hypot(*np.array(errors).T)) < 1.0


@pytest.mark.parametrize(("low", "high"), [(2.0, 4.0), (4.0, 8.0), (8.0, 14.0)])
def test_things_come_out_as_large_as_ordered(low: float, high: float) -> None:
    for seed in (21,):
        one = order(seed, size_px=(low, high), falls=2, seconds=7.0, size=(1280, 720), fps=5.0)
        studio = Studio(one, generated(one))
        ways = [throwing.path(drop, studio.scene) for drop in studio.drops]
        assert [low * 0.99 < way.size_px < high * 1.01 for way in ways if way] == [True, True]
        for _ in studio.pictures():
            pass
        for fall in studio.truth():
            assert 0.8 * low < fall.size_px < 1.25 * high


@pytest.mark.parametrize("wanted", [(0.3, 0.5), (0.6, 0.8), (0.95, 1.0)])
def test_as_much_of_each_path_is_hidden_as_ordered(wanted: tuple[float, float]) -> None:
    one = order(31, falls=2, seconds=6.0, visible=wanted, size_px=(8.0, 12.0), size=(1280, 720))
    studio = Studio(msgspec.structs.replace(one, fps=8.0), generated(one))
    for _ in studio.pictures():
        pass
    for fall in studio.truth():
        assert wanted[0] - 0.01 <= fall.visible <= wanted[1] + 0.01
        moves = np.array([(s.x + s.w / 2, s.y + s.h / 2) for s in fall.track])
        long = np.hypot(*np.gradient(moves, axis=0).T)
        clear = np.array([s.visible for s in fall.track])
        assert float((long * clear).sum() / long.sum()) == pytest.approx(fall.visible, abs=0.12)


def test_behind_a_tree_nothing_of_the_fall_shows() -> None:
    fall, changes = pair(order(32, visible=(0.3, 0.5), size_px=(6.0, 12.0)))
    hidden = [seen for seen in fall.track if seen.visible < 0.02]
    assert hidden
    for seen in hidden:
        assert np.abs(changes[round(seen.t * 20)]).max() <= 0.03 * 255


def test_a_pane_mirrors_a_second_weaker_track() -> None:
    parts: list[float] = []
    for seed in range(41, 43):
        one = order(seed, reflection=True, visible=(1.0, 1.0), size_px=(8.0, 12.0))
        fall, changes = pair(one)
        for seen in fall.track:
            change = np.abs(changes[round(seen.t * 20)])
            x0, y0 = max(int(seen.x) - 4, 0), max(int(seen.y) - 4, 0)
            x1, y1 = int(seen.x + seen.w) + 5, int(seen.y + seen.h) + 5
            own = float(change[y0:y1, x0:x1].sum())
            rest = float(change.sum()) - own
            if rest > 100:
                parts.append(rest / max(own, 1.0))
    assert len(parts) > 20
    assert np.median(parts) < 0.8


def test_it_is_thrown_from_inside_its_zone_and_seen_over_some_floors() -> None:
    for seed in range(50, 56):
        one = order(seed, falls=2, seconds=8.0)
        scene = generated(one)
        zones = {zone.id: zone for zone in scene.camera.zones}
        for drop in throwing.drops(one, scene):
            u, v, w = drop.flight.places[0]
            (u0, v0), _, (u1, v1), _ = zones[drop.opening.zone].polygon
            assert u0 < u < u1
            assert v0 < v < v1
            assert 0 < w < 0.6
            way = throwing.path(drop, scene)
            assert way is not None
            assert way.floors >= 2


def test_falls_are_two_seconds_apart_in_the_order_of_release() -> None:
    got = film(order(61, falls=3, seconds=9.0, fps=5.0))
    times = [fall.released_s for fall in got.falls]
    assert len(times) == 3
    assert np.all(np.diff(times) >= 2.0 - 1e-9)
    assert all(fall.landed_s > fall.released_s >= 0.5 for fall in got.falls)


def test_the_calibration_has_the_ordered_error_and_no_more() -> None:
    def error(px: float) -> float:
        off = []
        for seed in range(70, 75):
            one = order(seed, calibration_px=px)
            scene = generated(one)
            points = np.array(scene.camera.points)
            assert len(points) >= 6
            true = scene.lens.project(np.column_stack([points[:, 2:], np.zeros(len(points))]))
            off.append(points[:, :2] - true)
            known_k1, true_k1 = [*scene.camera.distortion, 0.0][0], scene.lens.k1
            assert abs(known_k1 - true_k1) <= 0.1 * abs(true_k1) + 1e-12
            focal = scene.camera.focal_px
            assert focal is not None
            assert focal == pytest.approx(scene.lens.focal_px, rel=0.031)
        return float(np.concatenate(off).std())

    assert error(3.0) == pytest.approx(3.0, rel=0.2)
    assert error(0.0) < 0.35  # metres are written to the centimetre


def test_what_the_detector_gets_does_not_tell_whether_something_falls() -> None:
    with_it, without = film(order(81)), film(order(81, falls=0))
    blank = msgspec.structs.replace(with_it.camera, picture=None)
    assert blank == msgspec.structs.replace(without.camera, picture=None)
    for got in (with_it, without):
        picture = cv2.imdecode(
            np.frombuffer(got.camera.picture or b"", np.uint8), cv2.IMREAD_GRAYSCALE
        )
        assert picture is not None
        assert picture.shape == SMALL[::-1]
        for _, data in got.segments:
            with av.open(io.BytesIO(data), mode="r") as container:
                assert len(container.streams) == 1
                assert not {"title", "comment", "description"} & set(container.metadata)
    body = with_it.falls[0].body.encode()
    assert not any(body in data for _, data in with_it.segments)


def test_shake_moves_the_picture_and_the_truth_alike() -> None:
    one = order(
        91, distractions=(Distraction("shake", 0.8),), size_px=(8.0, 12.0), visible=(1.0, 1.0)
    )
    fall, changes = pair(one)
    good = 0
    for seen in fall.track:
        change = np.abs(changes[round(seen.t * 20)])
        if change.sum() > 400 and 4 < seen.y < 356 - seen.h:
            x, y = weighed(np.where(change > 3, change, 0).astype(np.int16))
            good += 1
            assert abs(x - seen.x - seen.w / 2) < 0.3 * seen.w + 1.0
            assert abs(y - seen.y - seen.h / 2) < 0.3 * seen.h + 1.0
    assert good > 8


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"place": "moon"}, "order.place is 'moon'"),
        ({"place": "plate:none.jpg"}, "has no calibration: plate_campus"),
        ({"size": (641, 360)}, "must be even"),
        ({"distractions": (Distraction("ghosts"),)}, "'ghosts': one of"),
        ({"falls": 4, "seconds": 3.0}, "no room for fall"),
    ],
)
def test_an_order_that_cannot_be_filmed_says_why(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        film(order(1, **fields))


@pytest.mark.recordings
@pytest.mark.parametrize("name", sorted(known()))
def test_falls_are_filmed_before_photographs_too(name: str, recordings: Path) -> None:
    one = order(95, place=f"plate:{name}", size=(1280, 720), visible=(0.6, 1.0), fps=6.0)
    scene: Scene = photographed(one, recordings / "falls")
    assert scene.plate.std() > 25
    assert len(scene.camera.points) >= 6
    got = film(one, recordings / "falls")
    assert len(got.falls[0].track) > 5
    assert got.falls[0].floors > 2


def test_the_command_writes_a_film_its_truth_and_a_strip(tmp_path: Path) -> None:
    words = ["--seed=3", "--size=640x360", "--seconds=3", "--fps=10", "--visible=1-1"]
    assert main([str(tmp_path), *words]) == 0
    truth = msgspec.json.decode((tmp_path / "truth.json").read_bytes())
    with av.open(str(tmp_path / "scene.mp4"), mode="r") as container:
        assert sum(1 for _ in container.decode(video=0)) == 30
    assert truth["falls"][0]["track"]
    assert (tmp_path / "strip.png").stat().st_size > 10_000
    assert main([str(tmp_path), "--place", "moon"]) == 2
