"""Which event is which fall, and FADE's boxes and time ranges."""

from __future__ import annotations

import pytest

from bench.falls.fade import compare, f_measure, iou
from bench.falls.match import match
from simulators.falls.take import Seen, TrueFall

HEIGHT = 720.0


def fall(begin: float, x: float, *, steps: int = 20, visible: float = 1.0) -> TrueFall:
    """Falls for two seconds at ten pictures a second, 10 px large, its middle at `x`."""
    track = tuple(
        Seen(begin + k / 10, x - 5 + 0.5, 100 + 1.2 * k * k - 5 + 0.5, 10, 10, visible)
        for k in range(steps)
    )
    return TrueFall(
        body="box", zone="F5-2", floor=5, bay=2, size_px=10, contrast=40, visible=visible,
        floors=6, released_s=begin, landed_s=begin + steps / 10, track=track,
    )  # fmt: skip


def track(begin: float, x: float, *, steps: int = 20) -> list[tuple[float, float, float]]:
    return [(begin + k / 10, x, 100 + 1.2 * k * k) for k in range(steps)]


def test_events_and_falls_are_matched_one_to_one() -> None:
    falls = [fall(1, 200), fall(4, 600)]
    tracks = [track(4, 601), track(1, 203), track(1, 205)]
    found = match(falls, tracks, HEIGHT)
    assert found.fall_of == (1, 0, None)
    assert found.double == (False, False, True)


def test_an_event_at_another_time_or_place_is_false() -> None:
    falls = [fall(1, 200)]
    found = match(falls, [track(6, 200), track(1, 400)], HEIGHT)
    assert found.fall_of == (None, None)
    assert found.double == (False, True), "the second came while something fell"


def test_a_track_that_is_mostly_something_else_is_not_the_fall() -> None:
    long = track(1, 200, steps=6) + [(2.5 + k, 900.0, 50.0) for k in range(10)]
    assert match([fall(1, 200)], [long], HEIGHT).fall_of == (None,)


def test_two_hits_on_a_fall_are_too_few() -> None:
    assert match([fall(1, 200)], [track(1, 200, steps=2)], HEIGHT).fall_of == (None,)


def test_a_mirror_image_counts_only_where_a_pane_mirrors_and_nothing_better_is_there() -> None:
    falls, beside = [fall(1, 200)], track(1, 300)
    assert match(falls, [beside], HEIGHT).fall_of == (None,)
    found = match(falls, [beside], HEIGHT, mirrored=True)
    assert (found.fall_of, found.mirror) == ((0,), (True,))
    both = match(falls, [beside, track(1, 201)], HEIGHT, mirrored=True)
    assert both.fall_of == (None, 0)
    assert both.double == (True, False)


def test_no_fall_and_no_event_match_to_nothing() -> None:
    assert match([], [], HEIGHT).fall_of == ()
    assert match([], [track(1, 1)], HEIGHT).double == (False,)


def test_equal_boxes_overlap_whole_and_distant_ones_not() -> None:
    assert iou((10, 10, 4, 4), (10, 10, 4, 4)) == 1.0
    assert iou((10, 10, 4, 4), (12, 10, 4, 4)) == pytest.approx(1 / 3)
    assert iou((10, 10, 4, 4), (20, 10, 4, 4)) == 0.0


def times(seconds: float = 5) -> list[float]:
    return [k / 10 for k in range(round(10 * seconds))]


def test_the_truth_itself_gives_f_one_and_full_overlap() -> None:
    boxes = [(t, x, y, 10.0, 10.0) for t, x, y in track(1, 200)]
    told = compare([fall(1, 200)], boxes, times())
    assert (told.right, told.false, told.missed, told.overlap) == (20, 0, 0, 1.0)
    assert f_measure(told.right, told.false, told.missed) == 1.0


def test_false_boxes_lower_f_and_the_overlap() -> None:
    boxes = [(t, x, y, 10.0, 10.0) for t, x, y in track(1, 200)]
    boxes += [(4 + k / 10, 500.0, 500.0, 10.0, 10.0) for k in range(10)]
    told = compare([fall(1, 200)], boxes, times())
    assert (told.right, told.false, told.any_false) == (20, 10, True)
    assert told.overlap == pytest.approx(20 / 30)


def test_a_box_of_the_wrong_size_is_both_false_and_a_miss() -> None:
    boxes = [(t, x, y, 30.0, 30.0) for t, x, y in track(1, 200)]
    told = compare([fall(1, 200)], boxes, times())
    assert (told.right, told.false, told.missed, told.beside) == (0, 20, 20, 20)


def test_a_hidden_thing_has_no_true_box_and_a_box_on_it_is_not_false() -> None:
    boxes = [(t, x, y, 10.0, 10.0) for t, x, y in track(1, 200)]
    told = compare([fall(1, 200, visible=0.1)], boxes, times())
    assert (told.right, told.false, told.missed, told.overlap) == (0, 0, 0, None)


def test_a_fall_without_any_box_overlaps_by_nothing() -> None:
    told = compare([fall(1, 200)], [], times())
    assert (told.missed, told.overlap) == (20, 0.0)
    assert f_measure(0, 0, 0) is None
