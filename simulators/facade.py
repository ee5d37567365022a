"""Paints a residential tower: a facade in true metres, seen through its camera, under a sky."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.dice import dice
from simulators.towers import SIZE, Tower

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
_PX = 24  # texture pixels per metre
_MARGIN = (1.0, 1.0, 4.0)  # metres of texture beside, below and above the facade
_WALLS: tuple[tuple[Colour, Colour], ...] = (
    ((152, 168, 180), (112, 128, 148)),  # cream tiles, ochre bands
    ((164, 168, 170), (100, 106, 120)),  # pale grey, slate bands
    ((132, 144, 172), (88, 94, 136)),  # salmon, brick bands
)
_LAUNDRY: tuple[Colour, ...] = (
    (60, 60, 190), (190, 120, 60), (235, 235, 235), (80, 160, 90), (60, 180, 220), (160, 90, 170),
)  # fmt: skip


class Backdrop(msgspec.Struct, frozen=True):
    """What a camera sees when nothing moves."""

    bgr: Picture
    """Shape (720, 1280, 3)."""
    windows: dict[tuple[int, int], NDArray[np.int32]]
    """Picture polygons of the glass of each (floor, bay), shape (4, 2)."""


def _noise(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> NDArray[np.float32]:
    """Soft noise in 0..1 with about `cells` blobs across."""
    rows = max(2, cells * shape[0] // shape[1])
    coarse = rng.random((rows, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC))


def _box(img: Picture, u0: float, v0: float, u1: float, v1: float, colour: Colour) -> None:
    """Fill a rectangle given in metres on the texture, v up."""
    h = img.shape[0]
    a = (round((u0 + _MARGIN[0]) * _PX), round(h - (v1 + _MARGIN[1]) * _PX))
    b = (round((u1 + _MARGIN[0]) * _PX) - 1, round(h - (v0 + _MARGIN[1]) * _PX) - 1)
    cv2.rectangle(img, a, b, colour, -1)


def _shade(colour: Colour, f: float) -> Colour:
    b, g, r = (int(max(0, min(255, c * f))) for c in colour)
    return b, g, r


def _window(img: Picture, rng: np.random.Generator, u: float, v: float, w: float, h: float) -> None:
    """A sliding window of aluminium and glass; curtains, a light behind some."""
    frame: Colour = (225, 226, 228)
    _box(img, u - 0.06, v - 0.10, u + w + 0.06, v + h + 0.06, frame)
    _box(img, u - 0.12, v - 0.16, u + w + 0.12, v - 0.08, (150, 152, 158))  # sill and its shadow
    lit = rng.random() < 0.14
    glass = _shade((96, 84, 66), float(rng.uniform(0.6, 1.15)))
    if lit:
        glass = _shade((120, 190, 228), float(rng.uniform(0.8, 1.0)))
    _box(img, u, v, u + w, v + h, glass)
    if not lit:  # the sky mirrored in the upper part of the pane
        _box(img, u, v + 0.62 * h, u + w, v + h, _shade(glass, 1.45))
    if rng.random() < 0.6:
        cloth = ((205, 215, 222), (150, 170, 205), (190, 200, 180), (120, 130, 170))
        colour = _shade(cloth[int(rng.integers(4))], 0.62 if not lit else 0.95)
        part = float(rng.uniform(0.15, 0.5)) * w
        _box(img, u, v, u + part, v + h, colour)
        if rng.random() < 0.5:
            _box(img, u + w - part * 0.8, v, u + w, v + h, colour)
    _box(img, u + w / 2 - 0.03, v, u + w / 2 + 0.03, v + h, frame)
    if rng.random() < 0.3:  # an anti-theft cage
        for k in range(1, 7):
            _box(img, u + k * w / 7 - 0.015, v, u + k * w / 7 + 0.015, v + h, (168, 168, 168))


def _balcony(
    img: Picture, rng: np.random.Generator, u: float, v: float, w: float, h: float
) -> None:
    """A recessed balcony: dark room behind, glass door, laundry, a railing in front."""
    _box(img, u, v, u + w, v + h, (92, 94, 98))
    _box(img, u + 0.1, v + h - 0.35, u + w - 0.1, v + h, (66, 68, 72))
    door = _shade((84, 76, 62), float(rng.uniform(0.7, 1.2)))
    if rng.random() < 0.12:
        door = (118, 186, 222)
    _box(img, u + 0.35 * w, v, u + 0.9 * w, v + h - 0.45, door)
    _box(img, u + 0.62 * w, v, u + 0.65 * w, v + h - 0.45, (190, 190, 190))
    if rng.random() < 0.55:
        at = u + 0.2
        while at < u + w - 0.6:
            width, drop = float(rng.uniform(0.25, 0.5)), float(rng.uniform(0.5, 0.9))
            colour = _LAUNDRY[int(rng.integers(len(_LAUNDRY)))]
            _box(img, at, v + h - 0.5 - drop, at + width, v + h - 0.5, _shade(colour, 0.8))
            at += width + float(rng.uniform(0.1, 0.6))
    _box(img, u - 0.05, v, u + w + 0.05, v + 0.30, (186, 190, 194))  # slab and parapet
    for k in range(int(w / 0.16)):
        _box(img, u + k * 0.16, v + 0.3, u + k * 0.16 + 0.05, v + 1.05, (140, 144, 148))
    _box(img, u - 0.05, v + 1.02, u + w + 0.05, v + 1.12, (205, 206, 208))


def _conditioner(img: Picture, rng: np.random.Generator, u: float, v: float) -> None:
    tone = float(rng.uniform(0.8, 1.0))
    _box(img, u, v, u + 0.8, v + 0.55, _shade((226, 228, 228), tone))
    centre = (
        round((u + 0.3 + _MARGIN[0]) * _PX),
        round(img.shape[0] - (v + 0.28 + _MARGIN[1]) * _PX),
    )
    cv2.circle(img, centre, round(0.2 * _PX), _shade((120, 122, 124), tone), -1)
    _box(img, u - 0.05, v - 0.07, u + 0.85, v, (110, 112, 114))
    if rng.random() < 0.5:  # rust and drip marks
        _box(img, u + 0.1, v - 0.9, u + 0.2, v - 0.07, (148, 160, 172))


def _texture(tower: Tower, rng: np.random.Generator, number: int) -> Picture:
    wide, high = tower.width_m, tower.height_m
    shape = (
        round((high + _MARGIN[1] + _MARGIN[2]) * _PX),
        round((wide + 2 * _MARGIN[0]) * _PX),
    )
    wall, band = _WALLS[number % len(_WALLS)]
    img: Picture = np.zeros((*shape, 3), dtype=np.uint8)
    _box(img, 0, -1, wide, high + 0.9, wall)
    grain = 0.94 + 0.12 * _noise(rng, shape, 60) * _noise(rng, shape, 9)
    img[:] = np.clip(img * grain[..., None], 0, 255).astype(np.uint8)
    for bay in range(1, tower.bays + 1):
        open_bay = bay % 3 == 2
        if open_bay:
            u0 = (bay - 1) * tower.bay_m
            _box(img, u0, tower.base_m, u0 + 0.25, high, band)
            _box(img, u0 + tower.bay_m - 0.25, tower.base_m, u0 + tower.bay_m, high, band)
        for floor in range(1, tower.floors + 1):
            u, v, u1, v1 = tower.window(floor, bay)
            w, h = u1 - u, v1 - v
            if open_bay:
                _balcony(img, rng, u + 0.3, v + 0.05, w - 0.6, h - 0.25)
                continue
            width = 0.52 * w if bay % 3 == 1 else 0.44 * w
            left = u + 0.14 * w if bay % 3 == 1 else u + 0.4 * w
            _window(img, rng, left, v + 0.3 * h, width, 0.5 * h)
            if rng.random() < 0.75:
                _conditioner(img, rng, left + (width + 0.25 if bay % 3 == 1 else -1.05), v + 0.35)
    for floor in range(1, tower.floors + 2):
        v = tower.base_m + (floor - 1) * tower.floor_m
        _box(img, 0, v - 0.06, wide, v + 0.04, _shade(wall, 0.80))
    _box(img, -0.2, high, wide + 0.2, high + 0.9, _shade(band, 1.1))  # parapet
    _box(img, -0.2, high + 0.78, wide + 0.2, high + 0.92, _shade(wall, 1.1))
    for u in rng.uniform(0.1 * wide, 0.9 * wide, 5):  # stair heads, tanks, solar heaters
        w, h = float(rng.uniform(1.2, 4.0)), float(rng.uniform(0.8, 2.6))
        _box(img, u, high + 0.9, u + w, high + 0.9 + h, _shade(wall, float(rng.uniform(0.7, 1))))
    if tower.base_m > 2:
        _shops(img, rng, tower)
    return img


def _shops(img: Picture, rng: np.random.Generator, tower: Tower) -> None:
    for bay in range(tower.bays):
        u = bay * tower.bay_m
        _box(img, u + 0.2, -0.5, u + tower.bay_m - 0.2, 2.7, (58, 56, 54))
        _box(img, u + 0.5, -0.5, u + tower.bay_m - 0.5, 2.4, (120, 140, 150))
        sign = ((40, 40, 190), (170, 90, 30), (60, 140, 50), (40, 150, 210))[int(rng.integers(4))]
        _box(img, u + 0.15, 2.8, u + tower.bay_m - 0.15, tower.base_m - 0.3, sign)
        for k in range(4):
            at = u + 0.6 + k * 0.7
            _box(img, at, 3.0, at + 0.42, tower.base_m - 0.5, (225, 235, 240))


def _sky(rng: np.random.Generator, horizon: int) -> Picture:
    w, h = SIZE
    ramp = np.linspace(0, 1, h, dtype=np.float32)[:, None]
    clouds = 0.6 * _noise(rng, (h, w), 5) + 0.3 * _noise(rng, (h, w), 13)
    clouds += 0.1 * _noise(rng, (h, w), 40)
    base = np.stack([206 + 18 * ramp, 198 + 22 * ramp, 184 + 34 * ramp], axis=-1)
    sky = base - 34 * (clouds[..., None] - 0.35) * np.array([0.8, 0.9, 1.0], dtype=np.float32)
    img = np.clip(sky, 0, 255).astype(np.uint8)
    x = -40
    while x < w:  # other blocks of the estate, hazy
        wide, tall = int(rng.integers(70, 170)), int(rng.integers(90, 330))
        tone = int(rng.integers(150, 182))
        cv2.rectangle(img, (x, horizon - tall), (x + wide, h), (tone + 12, tone + 6, tone), -1)
        for yy in range(horizon - tall + 8, horizon, 11):
            for xx in range(x + 6, x + wide - 8, 13):
                cv2.rectangle(
                    img, (xx, yy), (xx + 6, yy + 5), (tone - 14, tone - 16, tone - 20), -1
                )
        x += wide + int(rng.integers(4, 60))
    return img


def trees(tower: Tower, seed: int) -> tuple[Picture, NDArray[np.float32]]:
    """Foreground trees along the bottom: their picture and how much of it covers, 0..1."""
    rng = dice(seed, "trees", tower.camera)
    w, h = SIZE
    img: Picture = np.zeros((h, w, 3), dtype=np.uint8)
    cover: Picture = np.zeros((h, w), dtype=np.uint8)
    for cx in (*rng.uniform(-40, 150, 2), *rng.uniform(w - 160, w + 40, 2)):
        top, wide = float(rng.uniform(520, 600)), float(rng.uniform(70, 110))
        for k in range(1400):  # leaves from the back to the front, lighter towards the top
            x = cx + wide * float(rng.uniform(-1, 1)) * float(rng.uniform(0.3, 1))
            crown = top + 40 * ((x - cx) / wide) ** 2
            y = crown + (h - crown) * float(rng.random()) ** 1.3
            light = (0.45 + 0.55 * k / 1400) * (1.15 - 0.5 * (y - crown) / max(h - crown, 1))
            green = _shade((44, 104, 66), light * float(rng.uniform(0.8, 1.15)))
            r = int(rng.integers(2, 6))
            axes = (r, max(1, r - 2))
            turn = float(rng.uniform(0, 180))
            cv2.ellipse(img, (int(x), int(y)), axes, turn, 0, 360, green, -1)
            cv2.ellipse(cover, (int(x), int(y)), axes, turn, 0, 360, 255, -1)
    soft = cv2.GaussianBlur(cover, (0, 0), 0.8).astype(np.float32) / 255
    return img, np.asarray(soft)


def paint(tower: Tower, seed: int, number: int) -> Backdrop:
    """The still picture of a tower (without its trees), and where its panes are in it."""
    rng = dice(seed, "facade", tower.camera)
    texture = _texture(tower, rng, number)
    rows, cols = texture.shape[:2]
    corners_m = np.array(
        [
            [-_MARGIN[0], tower.height_m + _MARGIN[2], 0],
            [tower.width_m + _MARGIN[0], tower.height_m + _MARGIN[2], 0],
            [tower.width_m + _MARGIN[0], -_MARGIN[1], 0],
            [-_MARGIN[0], -_MARGIN[1], 0],
        ]
    )
    seen = tower.view.project(corners_m)
    big = 2
    source = np.array([[0, 0], [cols, 0], [cols, rows], [0, rows]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(source, (seen * big).astype(np.float32))
    size = (SIZE[0] * big, SIZE[1] * big)
    warped = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_LINEAR)
    solid = ((texture.max(axis=2) > 0) * 255).astype(np.uint8)
    mask = cv2.warpPerspective(solid, matrix, size, flags=cv2.INTER_LINEAR)
    warped = cv2.resize(warped, SIZE, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(mask, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
    foot = int(tower.view.project(np.array([[tower.width_m / 2, 0.0, 0.0]]))[0, 1])
    sky = _sky(rng, min(foot, 700))
    ground = min(foot + 4, SIZE[1])
    sky[ground:] = (118, 122, 124)
    # light falls off a little towards the ground: overcast, no hard shadows
    fall = np.linspace(1.04, 0.9, SIZE[1], dtype=np.float32)[:, None, None]
    mixed = np.clip(sky * (1 - cover) + warped * fall * cover, 0, 255).astype(np.uint8)
    img = np.asarray(cv2.GaussianBlur(mixed, (0, 0), 0.7), dtype=np.uint8)
    return Backdrop(img, _panes(tower))


def _panes(tower: Tower) -> dict[tuple[int, int], NDArray[np.int32]]:
    panes = {}
    for floor in range(1, tower.floors + 1):
        for bay in range(1, tower.bays + 1):
            u, v, u1, v1 = tower.window(floor, bay)
            w, h = u1 - u, v1 - v
            left = u + (0.14 * w if bay % 3 == 1 else 0.4 * w)
            width = 0.52 * w if bay % 3 == 1 else 0.44 * w
            quad = [
                [left, v + 0.3 * h, 0],
                [left + width, v + 0.3 * h, 0],
                [left + width, v + 0.8 * h, 0],
                [left, v + 0.8 * h, 0],
            ]
            panes[floor, bay] = np.rint(tower.view.project(np.array(quad))).astype(np.int32)
    return panes
