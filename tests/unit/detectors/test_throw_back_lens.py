"""Bent lenses, and last hits after a gap: what is followed to the rim, and what goes on."""

from __future__ import annotations

import math

import cv2
import msgspec
import numpy as np
import pytest

from detectors._common.facade import Facade
from detectors.high_altitude_throw.fall import fit_fall
from detectors.high_altitude_throw.hypotheses import Hit, Track
from detectors.high_altitude_throw.sample import HEIGHT, WIDTH, camera
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.space import WallSpace
from detectors.high_altitude_throw.verdict import evidence_of, judge
from detectors.high_altitude_throw.wall import measure, wall_of

BENT = msgspec.structs.replace(
    camera(), distortion=(-0.28, 0.06, 0.001, -0.002), focal_px=0.62 * WIDTH
)


def test_the_way_through_the_lens_is_the_way_back() -> None:
    facade = Facade(BENT, (HEIGHT, WIDTH))
    places = np.array([(x, y) for x in (3.0, 90.0, WIDTH - 4.0) for y in (5.0, 120.0, 230.0)])
    straight = facade.straight(places)
    assert float(np.abs(straight / facade.scale - places).max()) > 5, "the lens does something"
    focal, middle = 0.62 * WIDTH, np.array(BENT.size) / 2
    rays = np.column_stack([(straight - middle) / focal, np.ones(len(straight))])
    matrix = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1.0]])
    theirs = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), matrix, np.array(BENT.distortion))
    ours = np.array([facade.crooked(x, y) for x, y in straight.tolist()]) * facade.scale
    assert ours == pytest.approx(theirs[0].reshape(-1, 2), abs=1e-6)
    assert ours / facade.scale == pytest.approx(places, abs=2.0), "theirs back is a few steps only"
    fisheye = msgspec.structs.replace(BENT, distortion=(-0.4, 0.0, 0.0, 0.0))
    far = Facade(fisheye, (HEIGHT, WIDTH)).crooked(5.0 * WIDTH, 0.5 * HEIGHT)
    assert far == (math.inf, math.inf), "the lens cannot look there"


def test_what_is_followed_on_the_wall_is_in_the_picture_where_the_lens_shows_it() -> None:
    space = WallSpace(Facade(BENT, (HEIGHT, WIDTH)))
    pixels = np.array([(4.0, 200.0), (WIDTH / 2, HEIGHT / 2), (WIDTH - 6.0, 20.0)])
    places, _ = space.places(pixels)
    again = np.array([space.pixel(*place) for place in places.tolist()])
    assert again == pytest.approx(pixels, abs=0.1)


def falling(seconds: list[float], aside: float = 0.0) -> list[Hit]:
    """Let go at 20 m before the sample's wall; `aside` px for what is seen after 0.9 s."""
    rng = np.random.default_rng(3)
    return [
        Hit(
            round(t * 1e6),
            100 + rng.normal(0, 0.3) + (aside if t > 0.9 else 0.0),
            240 - 10 * (20 - 4.905 * t * t) + rng.normal(0, 0.3),
            5,
            5,
            50,
        )
        for t in seconds
    ]


def said(hits: list[Hit]) -> str:
    track = Track(1, hits, [0.0] * 5, [0.0] * 9, hits[-1].t, 90.0, 90.0, len(hits) + 4)
    wall = wall_of(camera(), (HEIGHT, WIDTH))
    verdict = judge(track, Settings(), (HEIGHT, WIDTH), wall, ended=True)
    return "not asked" if verdict is None else verdict.against


def test_a_fall_that_comes_out_for_two_pictures_is_one_and_a_stranger_is_none() -> None:
    before = [0.1 + k / 15 for k in range(9)]
    after = [1.3, 1.3 + 1 / 15]
    assert said(falling(before)) == "not asked", "less than a floor"
    assert said(falling([*before, *after])) == "", "it came out where it must"
    assert said(falling([*before, *after], aside=25.0)) != "", "another thing"


def test_where_the_acceleration_is_not_known_neither_evidence_speaks_alone() -> None:
    hits = falling([0.1 + k / 15 for k in range(12)])
    fit = fit_fall(hits, HEIGHT)
    metric = measure(hits, wall_of(camera(), (HEIGHT, WIDTH)), HEIGHT)
    assert fit is not None and metric is not None and metric.acceleration_sd < 2
    fit = msgspec.structs.replace(fit, evidence=8.6)
    sure = msgspec.structs.replace(metric, evidence=-1.0)
    assert evidence_of(fit, None) == evidence_of(fit, sure) == 8.6
    assert evidence_of(fit, msgspec.structs.replace(sure, acceleration_sd=12.7)) == -1
