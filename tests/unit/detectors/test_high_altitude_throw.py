"""Falls before a synthetic facade: found once, named right, and nothing else."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.detector import Site
from contracts.event import Event
from contracts.nouns import Frame
from detectors._common.sample import START, city, device
from detectors.high_altitude_throw import SPEC, Settings, ThrowDetector, sites
from detectors.high_altitude_throw.origin import Origin, origin_of
from detectors.high_altitude_throw.sample import frames, sample, town

detector_module = importlib.import_module("detectors.high_altitude_throw.detector")


def a_site(calibrated: bool = True) -> Site:
    return next(iter(sites(town(calibrated), Settings())))


def pictures_of(seed: int) -> list[Frame]:
    return [item for item in sample(seed).items if isinstance(item, Frame)]


def watch(pictures: Sequence[Frame], site: Site | None = None) -> list[Event]:
    detector = ThrowDetector(Settings(), site or a_site(), None)
    events = [event for picture in pictures for event in detector.on_item(picture)]
    wake = detector.wake_at()
    return events + (list(detector.on_time(wake)) if wake is not None else [])


@pytest.mark.parametrize("seed", range(6))
def test_a_fall_is_one_event_opened_and_closed(seed: int) -> None:
    events = watch(pictures_of(seed))
    assert [event.phase for event in events] == ["opened", "closed"]
    assert len({event.id for event in events}) == 1
    assert [event.rev for event in events] == [1, 2]
    closed = events[-1]
    assert abs((closed.at - START).total_seconds() - 1.0) < 0.6
    assert closed.evidence["hits"] >= 8
    assert closed.footage is not None
    assert closed.footage.start == closed.at - timedelta(seconds=3)


@pytest.mark.parametrize(("u", "v", "zone"), [(6.0, 19.5, "F7-2"), (14.0, 16.5, "F6-4")])
def test_a_calibrated_camera_names_the_window(u: float, v: float, zone: str) -> None:
    events = watch(frames(np.random.default_rng(4), 4.2, (u, v)))
    evidence = events[-1].evidence
    assert evidence["origin"]["zone"] == zone
    assert evidence["origin"]["p"] >= 0.8
    assert evidence["acceleration"] == pytest.approx(9.81, rel=0.1)
    assert evidence["speed"] == pytest.approx(np.sqrt(2 * 9.81 * (v - 0.5)), rel=0.1)


def test_an_uncalibrated_camera_detects_and_says_that_it_cannot_name_a_window() -> None:
    events = watch(pictures_of(1), a_site(calibrated=False))
    assert len({event.id for event in events}) == 1
    evidence = events[-1].evidence
    assert evidence["origin"] is None
    assert evidence["speed"] is None
    assert "camera is not calibrated: cannot name a window" in evidence["why"]


def test_a_fall_that_began_outside_every_zone_names_none() -> None:
    site = a_site()
    assert site.camera is not None
    ground = tuple(zone for zone in site.camera.zones if zone.floor == 1)
    bare = msgspec.structs.replace(site, camera=msgspec.structs.replace(site.camera, zones=ground))
    events = watch(frames(np.random.default_rng(4), 4.2, (6.0, 19.5)), bare)
    assert events[-1].evidence["origin"] is None


def test_a_window_named_for_its_floor_is_told_with_its_low_chance_and_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zones = (("F7-2", 7, 2, 0.31), ("F6-2", 6, 2, 0.3), ("F7-1", 7, 1, 0.2), ("F8-2", 8, 2, 0.12))

    def spread(*args: Any) -> Origin:
        found = origin_of(*args)
        assert found is not None
        return msgspec.structs.replace(found, zones=zones)

    monkeypatch.setattr(detector_module, "origin_of", spread)
    evidence = watch(frames(np.random.default_rng(4), 4.2, (6.0, 19.5)))[-1].evidence
    assert evidence["origin"]["zone"] == "F7-2"
    assert evidence["origin"]["p"] == 0.31
    assert evidence["origin"]["floors"] == [6, 8, 0.93]
    told = "several windows are possible: the likeliest is named; its floor or one beside it is "
    assert told + "right with probability 0.93" in evidence["why"]
    assert not any("no window is named" in line for line in evidence["why"])
    assert not any("F7" in line or "floor 7" in line for line in evidence["why"]), "it is withheld"


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_what_sinks_steadily_is_no_fall(seed: int, calibrated: bool) -> None:
    quiet = [item for item in sample(seed).quiet_items if isinstance(item, Frame)]
    assert watch(quiet, a_site(calibrated)) == []


def test_noise_alone_is_no_fall() -> None:
    assert watch(frames(np.random.default_rng(0), 6, None)) == []


def test_what_rises_is_no_fall() -> None:
    upside_down = [
        msgspec.structs.replace(one, luma=one.luma[::-1].copy()) for one in pictures_of(2)
    ]
    assert watch(upside_down) == []


def test_outside_the_detection_mask_nothing_is_seen() -> None:
    site = a_site()
    assert site.camera is not None
    left = (((0.0, 0.0), (40.0, 0.0), (40.0, 240.0), (0.0, 240.0)),)
    masked = msgspec.structs.replace(
        site, camera=msgspec.structs.replace(site.camera, detect_mask=left)
    )
    pictures = frames(np.random.default_rng(4), 4.2, (14.0, 19.5))
    assert watch(pictures)
    assert watch(pictures, masked) == []


def test_a_mirror_image_beside_it_is_the_same_event() -> None:
    one = frames(np.random.default_rng(3), 4.2, (6.0, 19.0))
    other = frames(np.random.default_rng(3), 4.2, (9.0, 17.0), begins_s=0.9)
    both = [
        msgspec.structs.replace(a, luma=np.minimum(a.luma, b.luma))
        for a, b in zip(one, other, strict=True)
    ]
    events = watch(both)
    assert len({event.id for event in events}) == 1
    assert events[-1].evidence["tracks"] == 2


def test_a_step_of_exposure_is_no_fall_and_hides_none_before_it() -> None:
    stepped = [
        one
        if number < 40
        else msgspec.structs.replace(one, luma=np.minimum(one.luma, 205) + np.uint8(50))
        for number, one in enumerate(pictures_of(3))
    ]
    assert len({event.id for event in watch(stepped)}) == 1


def test_copies_of_pictures_and_pictures_out_of_order_change_nothing() -> None:
    items = pictures_of(5)
    doubled = [again for one in items for again in (one, one)]
    swapped = [*items[:20], items[18], *items[20:40], items[3], *items[40:]]
    assert watch(doubled) == watch(items) == watch(swapped)


def test_copies_under_a_new_time_still_give_one_event() -> None:
    items = pictures_of(5)
    for number in range(4, len(items), 5):
        items[number] = msgspec.structs.replace(items[number], luma=items[number - 1].luma)
    assert len({event.id for event in watch(items)}) == 1


def test_a_snapshot_at_every_picture_changes_nothing() -> None:
    site, items = a_site(), pictures_of(0)
    whole = watch(items, site)
    detector = SPEC.build(Settings(), site, None)
    events: list[Event] = []
    for item in items:
        detector = SPEC.build(Settings(), site, detector.snapshot())
        events.extend(detector.on_item(item))
    wake = detector.wake_at()
    if wake is not None:
        events.extend(detector.on_time(wake))
    assert len(whole) == 2
    assert events == whole


def test_a_snapshot_is_the_same_bytes_when_taken_again() -> None:
    detector = ThrowDetector(Settings(), a_site(), None)
    for item in pictures_of(0)[:30]:
        list(detector.on_item(item))
    state = detector.snapshot()
    assert ThrowDetector(Settings(), a_site(), state).snapshot() == state


def test_when_pictures_stop_an_open_fall_is_closed_by_time() -> None:
    site, items = a_site(), pictures_of(0)
    detector = ThrowDetector(Settings(), site, None)
    for item in items:
        if list(detector.on_item(item)):
            break
    wake = detector.wake_at()
    assert wake == item.received_at + timedelta(seconds=Settings().close_after_s)
    assert list(detector.on_time(wake - timedelta(seconds=1))) == []
    closed = list(detector.on_time(wake))
    assert [event.phase for event in closed] == ["closed"]
    assert detector.wake_at() is None


def test_two_falls_apart_in_time_are_two_events() -> None:
    first = pictures_of(0)
    later = [
        msgspec.structs.replace(
            one,
            at=one.at + timedelta(seconds=5),
            received_at=one.received_at + timedelta(seconds=5),
        )
        for one in first
    ]
    assert len({event.id for event in watch([*first, *later])}) == 2


def test_a_change_of_picture_size_ends_what_was_open_and_goes_on() -> None:
    items = pictures_of(0)
    small = [
        msgspec.structs.replace(
            one, at=one.at + timedelta(seconds=10), luma=one.luma[::2, ::2].copy()
        )
        for one in items[:5]
    ]
    events = watch([*items[:38], *small])
    assert len({event.id for event in events}) <= 1


def test_cameras_are_sites_by_type_or_by_their_file() -> None:
    here = city(
        devices={
            "a": device("a", type="IP-Camera"),
            "b": device("b", type="level"),
            "cam": device("cam", type="eye"),
        },
        cameras=town().cameras,
    )
    found = list(SPEC.sites(here, Settings()))
    assert [site.id for site in found] == ["a", "cam"]
    assert [site.camera is not None for site in found] == [False, True]
