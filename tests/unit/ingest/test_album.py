"""Pictures of outside recorders: kept for minutes, found by camera, label and time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.errors import Permanent
from ingest.adapting.seen import Picture, Seen, Tracked
from ingest.album import KEPT, Album
from ingest.evidence_beside import beside, check
from ingest.evidence_view import View

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def tracked(seconds: float, end: float | None = None, id: str = "a", label: str = "person") -> Seen:
    ended = None if end is None else at(end)
    return Tracked("cam-1", id, label, 0.9, NOW, ended, at(seconds))


def picture(seconds: float, data: bytes = b"one", label: str = "person") -> Picture:
    return Picture("cam-1", label, at(seconds), data)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_picture_is_found_whether_it_comes_before_with_or_after_the_word_of_it(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    album = Album(tmp_path)
    for n, which in enumerate(order):
        told: list[Seen] = [picture(n), tracked(n), tracked(n, end=n)]
        album.keep(told[which])
    for one in (album, Album(tmp_path)):  # also after a restart
        (thing,) = one.things("cam-1")
        assert thing.told.end is not None, "an older word does not bring it back to life"
        found = one.picture_of(thing)
        assert found is not None and found.data == b"one"


def test_the_last_picture_is_the_best_and_others_are_not_of_it(tmp_path: Path) -> None:
    album = Album(tmp_path)
    album.keep(tracked(0))
    for seconds, data, label in [
        (-20, b"of somebody before", "person"), (1, b"good", "person"), (2, b"car", "car"),
        (5, b"better", "person"), (60, b"of somebody else", "person"),
    ]:  # fmt: skip
        album.keep(picture(seconds, data, label))
    album.keep(tracked(9, end=9))
    (thing,) = album.things("cam-1")
    found = album.picture_of(thing)
    assert found is not None and found.data == b"better"


def test_of_two_at_once_each_has_the_picture_nearest_to_its_own_word(tmp_path: Path) -> None:
    album = Album(tmp_path)
    album.keep(tracked(0, end=0, id="a"))
    album.keep(picture(1, b"of a"))
    album.keep(picture(19, b"of b"))
    album.keep(tracked(20, end=20, id="b"))
    found = {thing.told.id: album.picture_of(thing) for thing in album.things("cam-1")}
    assert {id: one and one.data for id, one in found.items()} == {"a": b"of a", "b": b"of b"}


def test_what_belongs_to_nothing_of_ours_is_forgotten(tmp_path: Path) -> None:
    album = Album(tmp_path)
    album.keep(picture(0))
    album.keep(picture(0))
    album.keep(tracked(1, end=1))
    assert len(list(tmp_path.rglob("*.seen"))) == 2, "the same picture is kept once"
    assert album.forget(NOW + KEPT) == 0
    assert album.forget(at(2) + KEPT) == 2
    assert not list(tmp_path.rglob("*.seen"))


def test_a_half_written_file_does_not_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "cam-1").mkdir()
    (tmp_path / "cam-1" / "x.seen").write_bytes(b"\x93")
    assert Album(tmp_path).things("cam-1") == []


# --- the veil -----------------------------------------------------------------------------------


def jpeg(width: int, height: int) -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


MASK = [[(0.0, 0.0), (960.0, 0.0), (960.0, 1080.0), (0.0, 1080.0)]]


def test_people_are_beyond_recognition_and_the_mask_is_black_in_both(tmp_path: Path) -> None:
    shown, originals = tmp_path / "s", tmp_path / "o"
    view = View(size=(1920, 1080), private=MASK, caption="cam-1 person")
    beside(jpeg(640, 360), NOW, view, "e.jpg", shown=shown, originals=originals)
    veiled, original = (cv2.imread(str(folder / "e.jpg")) for folder in (shown, originals))
    assert veiled is not None and original is not None
    for one in (veiled, original):
        assert one[20:300, 20:300].max() < 24
    assert original[20:300, 340:].std() > 40
    assert veiled[20:300, 340:].std() < 20


def test_a_crop_is_hidden_more_coarsely(tmp_path: Path) -> None:
    shown, view = tmp_path / "s", View(size=(1920, 1080), caption="cam-1")
    beside(jpeg(270, 270), NOW, view, "e.jpg", shown=shown, originals=tmp_path / "o")
    veiled = cv2.imread(str(shown / "e.jpg"))
    assert veiled is not None
    square = veiled[70:96, 70:96].reshape(-1, 3)
    assert square.std(axis=0).max() < 8, "one colour for a square of an eighth of its height"


def test_a_crop_cannot_be_masked_and_says_what_to_do() -> None:
    assert check(jpeg(640, 360), (1920, 1080), masked=True) == (640, 360)
    assert check(jpeg(270, 270), (1920, 1080), masked=False) == (270, 270)
    with pytest.raises(Permanent, match=r"crop: false") as bad:
        check(jpeg(270, 270), (1920, 1080), masked=True)
    assert bad.value.code == "cropped"


@pytest.mark.parametrize("cut", [4, 300])
def test_what_cannot_be_decoded_is_refused(cut: int) -> None:
    data = bytearray(jpeg(64, 64)[:cut])
    with pytest.raises(Permanent) as bad:
        check(bytes(data), (64, 64), masked=False)
    assert bad.value.code == "bad_jpeg"
