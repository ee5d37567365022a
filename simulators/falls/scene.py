"""A scene before anything happens: the plate, its camera, and what a city knows about both."""

from __future__ import annotations

import math

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.city import Camera
from simulators.dice import between, dice
from simulators.falls import paint
from simulators.falls.block import Block, Opening, build, zones_of
from simulators.falls.block import camera as put_up
from simulators.falls.front import Front
from simulators.falls.lens import Lens
from simulators.falls.take import Order

Luma = NDArray[np.uint8]
Picture = NDArray[np.uint8]
DEVICE = "cam"
_FINE = 2  # plates are painted at twice the size and shrunk


class Scene:
    """What is filmed; a `View` for distractors. All pixels are of the picture as sent."""

    def __init__(
        self,
        order: Order,
        *,
        lens: Lens,
        openings: tuple[Opening, ...],
        floor_m: float,
        bgr: Picture,
        glass: Luma,
        cover: NDArray[np.float32] | None,
        exposure_s: float,
        camera: Camera,
        panes: list[tuple[int, int, int, int]],
        ground_y: float,
        light: float,
    ) -> None:
        self.size = order.size
        self.seconds = order.seconds
        self.fps = order.fps
        self.exposure_s = exposure_s
        self.lens = lens
        self.openings = openings
        """Those whose middle is in the picture."""
        self.floor_m = floor_m
        self.light = light
        """How bright a white thing is, grey levels."""
        self.glass = glass
        """255 where a pane mirrors."""
        self.cover = cover
        """How much of what is behind the trees and poles in front is hidden, 0..1."""
        self.camera = camera
        self.panes = panes
        self.ground_y = ground_y
        self._bgr = bgr
        self.plate: Luma = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
        self.i420: Picture
        """The empty scene in colour, as an encoder takes it."""
        self.dress(None)
        middle = lens.on_facade(np.array([[order.size[0] / 2, order.size[1] / 2]]))[0]
        self.pixels_per_m = lens.px_per_m((float(middle[0]), float(middle[1]), 0.0))

    def dress(self, front: Front | None) -> None:
        """Put `front` before the wall, and take the calibration picture of it all."""
        if front is not None:
            hides = front.cover[..., None]
            mixed = self._bgr * (1 - hides) + front.bgr * hides
            self._bgr = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
            there = np.float32(0) if self.cover is None else self.cover
            self.cover = np.asarray(1 - (1 - front.cover) * (1 - there), np.float32)
        self.i420 = np.asarray(cv2.cvtColor(self._bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
        self.plate = self.i420[: self.size[1]].copy()
        done, jpeg = cv2.imencode(".jpg", self._bgr, [cv2.IMWRITE_JPEG_QUALITY, 88])
        assert done
        self.camera = msgspec.structs.replace(self.camera, picture=jpeg.tobytes())


def generated(order: Order) -> Scene:
    """Build a block, put up a camera, and paint what it sees."""
    rng = dice(order.seed, "scene")
    block, lens = _site(order, rng)
    day = 1.0 if rng.random() < 0.85 else between(rng, (0.35, 0.7))
    fastest = 1000 if day == 1.0 else 120  # an evening needs the light
    exposure = 1.0 / math.exp(between(rng, (math.log(60), math.log(fastest))))
    per_m = min(max(1.6 * _nearest(block, lens), 8.0), 40.0)
    flat = paint.wall(dice(order.seed, "paint"), block, per_m, day)
    bgr, glass, foot = _seen(dice(order.seed, "sky"), block, lens, flat, day)
    openings = tuple(one for one in block.openings if _inside(lens, one))
    camera = calibration(dice(order.seed, "calibration"), order, lens, block.openings)
    return Scene(
        order,
        lens=lens,
        openings=openings,
        floor_m=block.floor_m,
        bgr=bgr,
        glass=glass,
        cover=None,
        exposure_s=exposure,
        camera=camera,
        panes=panes_of(lens, openings),
        ground_y=foot,
        light=day * between(rng, (190, 250)),
    )


def _site(order: Order, rng: np.random.Generator) -> tuple[Block, Lens]:
    """A block and a camera under which things come out as large as they were ordered."""
    low, high = order.size_px or (1.5, 30.0)
    best: tuple[float, Block, Lens] | None = None
    for _ in range(24):
        block = build(rng, glass=order.reflection)
        lens = put_up(rng, block, order.size)
        per_m = lens.px_per_m((block.width_m / 2, 0.5 * block.height_m, 0.0))
        # kitchen things measure 0.06 to 0.5 m across
        gap = max(0.10 - high / per_m, low / per_m - 0.32, 0.0)
        if best is None or gap < best[0]:
            best = (gap, block, lens)
        if gap == 0.0:
            break
    assert best is not None
    return best[1], best[2]


def _nearest(block: Block, lens: Lens) -> float:
    place = lens.place
    u = min(max(place[0], 0.0), block.width_m)
    return max(
        lens.px_per_m((u, v, 0.0)) if sees(lens, (u, v, 0.0)) else 0.0
        for v in np.linspace(0, block.height_m, 8).tolist()
    )


def sees(lens: Lens, point: tuple[float, float, float]) -> bool:
    """Whether a world point is in the picture."""
    x, y = lens.project(np.array(point))
    return bool(0 <= x < lens.size[0] and 0 <= y < lens.size[1])


def _inside(lens: Lens, one: Opening) -> bool:
    u0, v0, u1, v1 = one.box
    return sees(lens, ((u0 + u1) / 2, (v0 + v1) / 2, 0.0))


def panes_of(lens: Lens, openings: tuple[Opening, ...]) -> list[tuple[int, int, int, int]]:
    """Boxes of the openings that are wholly in the picture."""
    found = []
    for one in openings:
        if one.what == "roof":
            continue
        u0, v0, u1, v1 = one.box
        corners = lens.project(np.array([[u0, v0, 0], [u1, v0, 0], [u1, v1, 0], [u0, v1, 0.0]]))
        if not np.all(np.isfinite(corners)):
            continue
        x0, y0 = np.ceil(corners.min(axis=0)).astype(int)
        x1, y1 = np.floor(corners.max(axis=0)).astype(int)
        if x0 >= 0 and y0 >= 0 and x1 < lens.size[0] and y1 < lens.size[1] and x1 > x0 and y1 > y0:
            found.append((int(x0), int(y0), int(x1), int(y1)))
    return found


def _seen(
    rng: np.random.Generator, block: Block, lens: Lens, flat: paint.Wall, day: float
) -> tuple[Picture, Luma, float]:
    """The wall as the camera sees it before sky, neighbours and ground; its panes; its foot."""
    w, h = lens.size
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float64)
    at = lens.on_facade(np.stack([xs, ys], axis=-1))
    maps = np.stack(
        [(at[..., 0] + paint.BESIDE_M) * flat.per_m - 0.5, (flat.top_m - at[..., 1]) * flat.per_m],
        axis=-1,
    )
    maps = np.nan_to_num(maps, nan=-1e4).clip(-1e4, 1e5).astype(np.float32)
    across, down = cv2.split(
        cv2.resize(maps, (w * _FINE, h * _FINE), interpolation=cv2.INTER_LINEAR)
    )

    def pull(texture: Picture) -> Picture:
        warped = cv2.remap(texture, across, down, cv2.INTER_LINEAR)
        return np.asarray(cv2.resize(warped, (w, h), interpolation=cv2.INTER_AREA), np.uint8)

    cover = pull(flat.solid).astype(np.float32)[..., None] / 255
    foot = lens.project(np.array([block.width_m / 2, 0.0, 0.0]))
    foot_y = float(foot[1]) if np.isfinite(foot[1]) else 2.0 * h
    horizon = lens.project(
        np.array(lens.place) + 1e4 * np.array([lens.axes[2][0], 0.0, lens.axes[2][2]])
    )
    horizon_y = float(horizon[1]) if np.isfinite(horizon[1]) else 2.0 * h
    behind = _surroundings(rng, lens.size, min(horizon_y, foot_y), foot_y)
    light = np.linspace(between(rng, (1.0, 1.08)), between(rng, (0.78, 1.0)), h, dtype=np.float32)
    behind = behind * np.float32(day)
    mixed = behind * (1 - cover) + pull(flat.bgr) * light[:, None, None] * cover
    off = (xs - w / 2) ** 2 + (ys - h / 2) ** 2  # lenses darken towards their corners
    fall = 1.0 - between(rng, (0.0, 0.22)) * off / (w * w / 4 + h * h / 4)
    mixed *= fall[..., None].astype(np.float32)
    picture = cv2.GaussianBlur(mixed, (0, 0), between(rng, (0.5, 0.8)))
    return np.clip(picture, 0, 255).astype(np.uint8), pull(flat.glass), foot_y


def _surroundings(
    rng: np.random.Generator, size: tuple[int, int], horizon: float, foot: float
) -> NDArray[np.float32]:
    """Sky, hazy blocks of the neighbourhood, and the ground."""
    w, h = size
    bright = between(rng, (150, 235))
    blue = between(rng, (0.0, 0.35))
    ramp = np.linspace(-0.5, 0.5, h, dtype=np.float32)[:, None]
    clouds = 0.6 * paint.soft(rng, (h, w), 4) + 0.3 * paint.soft(rng, (h, w), 11)
    clouds += 0.1 * paint.soft(rng, (h, w), 35)
    base = bright + 16 * ramp + between(rng, (20, 70)) * (clouds - 0.5)
    sky = np.stack([base * (1 + 0.3 * blue), base, base * (1 - 0.5 * blue)], axis=-1)
    sky = np.clip(sky, 0, 252).astype(np.float32)
    x = -40
    line = min(horizon, h + 200.0)
    while x < w:
        wide, tall = int(rng.integers(60, 190)), between(rng, (0.08, 0.5)) * h
        tone = bright * between(rng, (0.55, 0.85))
        if rng.random() < 0.65:
            top = round(line - tall)
            cv2.rectangle(sky, (x, top), (x + wide, h), (tone * 1.04, tone, tone * 0.97), -1)
            step = int(rng.integers(8, 15))
            for yy in range(max(top + 8, 0), h, step):
                for xx in range(x + 6, x + wide - 8, step + 3):
                    dark = tone * between(rng, (0.72, 0.95))
                    cv2.rectangle(sky, (xx, yy), (xx + step // 2, yy + step // 2), (dark,) * 3, -1)
        x += wide + int(rng.integers(0, 80))
    if foot < h:
        tone = between(rng, (60, 140))
        sky[max(round(foot), 0) :] = tone
    return np.asarray(sky, np.float32)


def calibration(
    rng: np.random.Generator,
    order: Order,
    lens: Lens,
    openings: tuple[Opening, ...],
) -> Camera:
    """What the city measured: corners of openings, each off by a few pixels, and the lens.

    Distortion is known to 10 % and the focal length to 3 %, as a data sheet or a quick
    calibration gives them.
    """
    w, h = lens.size
    metres = []
    for one in openings:
        u0, v0, u1, v1 = one.box if one.what != "roof" else one.cell
        metres += [(u0, v0), (u1, v0), (u1, v1), (u0, v1)]
    points = np.array(metres)
    pixels = lens.project(np.column_stack([points, np.zeros(len(points))]))
    good = np.all(np.isfinite(pixels), axis=1)
    good &= (pixels[:, 0] > 4) & (pixels[:, 0] < w - 5) & (pixels[:, 1] > 4)
    good &= pixels[:, 1] < h - 5
    points, pixels = points[good], pixels[good]
    count = int(rng.integers(6, 11))
    taken = [int(rng.integers(len(points)))]
    apart = np.full(len(points), np.inf)
    while len(taken) < count:  # each next one as far as can be from those there are
        apart = np.minimum(apart, np.linalg.norm(pixels - pixels[taken[-1]], axis=1))
        taken.append(int(np.argmax(apart)))
    noise = rng.normal(0, order.calibration_px, (count, 2))
    known = lens.k1 * between(rng, (0.9, 1.1))
    return Camera(
        device=DEVICE,
        size=order.size,
        distortion=(known, 0.0, 0.0, 0.0) if lens.k1 else (),
        focal_px=lens.focal_px * between(rng, (0.97, 1.03)),
        points=tuple(
            (
                round(float(pixels[k, 0] + e[0]), 1),
                round(float(pixels[k, 1] + e[1]), 1),
                round(float(points[k, 0]), 2),
                round(float(points[k, 1]), 2),
            )
            for k, e in zip(taken, noise, strict=True)
        ),
        zones=zones_of(openings),
    )
