"""A small facade with one fall before it, for the laws and the tests."""

from __future__ import annotations

from datetime import timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.city import Camera, City, Zone
from contracts.nouns import Frame
from detectors._common.sample import START, Sample, city, device
from detectors.high_altitude_throw import sites
from detectors.high_altitude_throw.settings import Settings

WIDTH, HEIGHT, RATE = 200, 240, 15
PER_METRE = 10.0
"""Pixels per metre: the camera looks straight at 24 m of wall, its foot at the picture's."""

FLOOR_M, BAY_M = 3.0, 4.0


def zones() -> tuple[Zone, ...]:
    """Seven floors of five bays, floor 1 and bay 1 at the origin of the facade."""
    return tuple(
        Zone(
            id=f"F{floor}-{bay}",
            floor=floor,
            bay=bay,
            polygon=(
                ((bay - 1) * BAY_M, (floor - 1) * FLOOR_M),
                (bay * BAY_M, (floor - 1) * FLOOR_M),
                (bay * BAY_M, floor * FLOOR_M),
                ((bay - 1) * BAY_M, floor * FLOOR_M),
            ),
        )
        for floor in range(1, 8)
        for bay in range(1, 6)
    )


def camera(calibrated: bool = True) -> Camera:
    """The camera of the sample, far away: u = x / 10, v = (240 - y) / 10."""
    corners = ((10, 20), (190, 20), (10, 230), (190, 230))
    return Camera(
        device="cam",
        size=(WIDTH, HEIGHT),
        points=tuple((x, y, x / PER_METRE, (HEIGHT - y) / PER_METRE) for x, y in corners)
        if calibrated
        else (),
        focal_px=10.0 * WIDTH if calibrated else None,
        zones=zones() if calibrated else (),
    )


def wall(rng: np.random.Generator) -> NDArray[np.float32]:
    """A plastered wall with dark windows, grey levels."""
    plain = rng.normal(150, 6, (HEIGHT // 8, WIDTH // 8)).astype(np.float32)
    picture = np.array(cv2.resize(plain, (WIDTH, HEIGHT)), np.float32)
    for x in range(12, WIDTH - 20, 40):
        for y in range(12, HEIGHT - 20, 30):
            picture[y : y + 14, x : x + 16] = 70
    return picture


def put_thing(
    picture: NDArray[np.float32], x: float, y: float, size: float, contrast: float
) -> None:
    """Draw a round thing into the picture, in place, at sixteenths of a pixel."""
    mask = np.zeros(picture.shape, np.uint8)
    centre = (round(x * 16), round(y * 16))
    cv2.circle(mask, centre, round(size * 8), (255,), -1, cv2.LINE_AA, 4)
    picture += contrast * mask.astype(np.float32) / 255


def frames(
    rng: np.random.Generator,
    seconds: float,
    place: tuple[float, float] | None,
    *,
    begins_s: float = 1.0,
    sinks: float | None = None,
    gravity: float = 9.81,
) -> list[Frame]:
    """Pictures of the wall; from `begins_s` on a thing falls from `place` (u, v in metres).

    With `sinks` it comes down at that steady speed (m/s) instead: at 2 m/s a lift, not a fall.
    """
    background = wall(rng)
    out = []
    for number in range(round(seconds * RATE)):
        picture = background.copy()
        since = number / RATE - begins_s
        if place is not None and since >= 0:
            way = sinks * since if sinks is not None else gravity / 2 * since**2
            y = HEIGHT - (place[1] - way) * PER_METRE
            if y < HEIGHT + 5:
                put_thing(picture, (place[0] + 0.3 * since) * PER_METRE, y, 7, -60)
        picture += rng.standard_normal(picture.shape, dtype=np.float32) * 2
        luma = np.clip(picture, 0, 255).astype(np.uint8)
        luma.setflags(write=False)
        at = START + timedelta(microseconds=round(number * 1e6 / RATE))
        out.append(Frame("cam", at, at + timedelta(milliseconds=200), luma))
    return out


def town(calibrated: bool = True) -> City:
    """A city with this one camera."""
    return city(devices={"cam": device("cam", type="camera")}, cameras={"cam": camera(calibrated)})


def sample(seed: int) -> Sample:
    """One fall from floor 5 to 7; a thing that sinks steadily is none."""
    rng = np.random.default_rng(seed)
    place = (float(rng.uniform(3, 16)), float(rng.uniform(14, 19)))
    here = town()
    return Sample(
        city=here,
        site=next(iter(sites(here, Settings()))),
        items=tuple(frames(rng, 4.2, place)),
        quiet_items=tuple(frames(rng, 4.2, place, sinks=2.0)),
        tail_s=60.0,
        reorderable=False,
    )
