"""Films an order: plate, what moves, sensor, codec; and writes down what is true about it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path as File
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.dice import between, dice
from simulators.falls import throwing
from simulators.falls.distractors import KINDS, make
from simulators.falls.front import plant, share_visible
from simulators.falls.layers import Layer, Luma, Sensor
from simulators.falls.plates import PREFIX, photographed
from simulators.falls.scene import Scene, generated
from simulators.falls.sensor import Noise, encode
from simulators.falls.take import Order, Seen, Take, TrueFall
from simulators.falls.thrown import Drop, Stamp, stamp

Picture = NDArray[np.uint8]


def film(order: Order, plates: File | None = None) -> Take:
    """Film `order`. `plates` is the folder of photographs, needed for `plate:` places.

    Raises ValueError for an order that cannot be filmed: an unknown place or distraction, a
    missing photograph, a size that H.264 cannot hold.
    """
    scene = _scene(order, plates)
    studio = Studio(order, scene)
    rng = dice(order.seed, "codec")
    segments = encode(
        studio.pictures(),
        size=order.size,
        fps=order.fps,
        mbit_s=order.mbit_s,
        preset="superfast" if rng.random() < 0.6 else "veryfast",
    )
    return Take(
        order=order,
        segments=tuple(segments),
        camera=scene.camera,
        pictures=studio.sent,
        falls=studio.truth(),
    )


def _scene(order: Order, plates: File | None) -> Scene:
    w, h = order.size
    if w % 2 or h % 2 or w < 64 or h < 64:
        raise ValueError(f"order.size is {w} x {h}: both sides must be even and at least 64")
    if order.place == "generated":
        return generated(order)
    if order.place.startswith(PREFIX):
        return photographed(order, plates)
    raise ValueError(f"order.place is {order.place!r}: `generated` or `plate:<file name>`")


class Studio:
    """One order being filmed."""

    def __init__(self, order: Order, scene: Scene) -> None:
        self.order, self.scene = order, scene
        self.sent = 0
        self.drops = throwing.drops(order, scene)
        """What is thrown, in the order of release."""
        ways = [way for drop in self.drops if (way := throwing.path(drop, scene)) is not None]
        grown = plant(
            dice(order.seed, "front"),
            order.size,
            [way.pixels for way in ways],
            order.visible,
            scene.cover,
            scene.light,
        )
        if grown is not None:
            scene.dress(grown)
        self._tracks: list[list[Seen]] = [[] for _ in self.drops]
        self._sizes: list[list[float]] = [[] for _ in self.drops]
        self._contrasts: list[list[float]] = [[] for _ in self.drops]
        rng = dice(order.seed, "sensor")
        self._soft = between(rng, (0.5, 0.8))
        gain = math.sqrt(220 / max(scene.light, 60.0))  # less light, more amplification
        self._mirrored = between(rng, (0.2, 0.6))
        self._noise = Noise(
            rng, scene.plate, gain * between(rng, (0.6, 1.8)), gain * between(rng, (0.8, 3.0))
        )
        self._layers, self._sensors = _distractions(order, scene)
        self._hiding: Luma | None = None
        if scene.cover is not None and any(layer.behind for layer in self._layers):
            self._hiding = np.asarray((scene.cover > 0.5) * 255, np.uint8)

    def times(self) -> Iterator[tuple[float, float, bool]]:
        """(middle of the exposure, time stamp, sent as a copy of the one before) of each picture.

        Cameras stamp a picture up to some milliseconds after they took it.
        """
        rng = dice(self.order.seed, "clock")
        step = 1 / self.order.fps
        last = -1.0
        for k in range(round(self.order.seconds * self.order.fps)):
            stamp_s = k * step + (min(abs(float(rng.normal(0, 0.0012))), 0.3 * step) if k else 0.0)
            lost, copied = rng.random(2)
            if k and lost < self.order.dropped:
                continue
            stamp_s = max(stamp_s, last + 0.002)
            last = stamp_s
            yield k * step, stamp_s, bool(k) and copied < self.order.doubled

    def pictures(self) -> Iterator[tuple[float, Picture]]:
        """(time stamp, I420 picture), as the encoder takes them."""
        scene = self.scene
        h = scene.size[1]
        i420 = scene.i420.copy()
        y = np.empty_like(scene.plate)
        fresh = False
        for t, stamp_s, copied in self.times():
            if not (copied and fresh):
                np.copyto(y, scene.plate)
                moved = self._shift(t)
                self._draw(y, t, moved)
                self._noise.add(self._seen(y, t, moved), i420[:h])
                fresh = True
            self.sent += 1
            yield stamp_s, i420

    def _shift(self, t: float) -> tuple[float, float]:
        shifts = [sensor.shift(t) for sensor in self._sensors]
        return sum(dx for dx, _ in shifts), sum(dy for _, dy in shifts)

    def _seen(self, y: Luma, t: float, moved: tuple[float, float]) -> Luma:
        """The picture as it reaches the sensor: moved and brightened."""
        for sensor in self._sensors:
            gain = sensor.gain(t)
            if isinstance(gain, np.ndarray):
                y = np.asarray(cv2.multiply(y, gain, scale=1 / 128), np.uint8)
            elif gain != 1.0:
                y = np.asarray(cv2.convertScaleAbs(y, alpha=gain), np.uint8)
        if moved == (0.0, 0.0):
            return y
        by = np.array([[1, 0, moved[0]], [0, 1, moved[1]]], np.float64)
        size = (y.shape[1], y.shape[0])
        return np.asarray(
            cv2.warpAffine(y, by, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            np.uint8,
        )

    def _draw(self, y: Luma, t: float, moved: tuple[float, float]) -> None:
        for layer in self._layers:
            if layer.behind:
                layer.draw(y, t)
        if self._hiding is not None:  # trees hide what moves behind them too
            cv2.copyTo(self.scene.plate, self._hiding, y)
        for number, drop in enumerate(self.drops):
            self._fall(y, t, number, drop, moved)
        for layer in self._layers:
            if not layer.behind:
                layer.draw(y, t)

    def _fall(self, y: Luma, t: float, number: int, drop: Drop, moved: tuple[float, float]) -> None:
        scene = self.scene
        mark = stamp(drop, scene.lens, t, scene.exposure_s, self._soft)
        if mark is None:
            return
        light = min(250.0, scene.light * drop.brightness(t))
        if self.order.reflection:
            self._mirror(y, t, drop, light)
        total, hidden, under = _blend(y, mark, light, scene.cover)
        if total <= 0 or t - scene.exposure_s / 2 > drop.landed_s:
            return
        left, top, w, h = mark.box
        wide, high = scene.size
        x0, y0 = max(left + moved[0], 0.0), max(top + moved[1], 0.0)
        x1, y1 = min(left + moved[0] + w, wide), min(top + moved[1] + h, high)
        if x1 <= x0 or y1 <= y0:
            return
        self._tracks[number].append(Seen(t, x0, y0, x1 - x0, y1 - y0, 1.0 - hidden / total))
        if hidden < 0.5 * total:
            self._sizes[number].append(math.sqrt(mark.area_px))
            self._contrasts[number].append(abs(light - under))

    def _mirror(self, y: Luma, t: float, drop: Drop, light: float) -> None:
        """Its image in the panes: as far behind them as it is before, and weaker."""
        scene = self.scene
        mark = stamp(drop, scene.lens, t, scene.exposure_s, self._soft, mirrored=True)
        if mark is not None:
            _blend(y, mark, light, scene.cover, through=scene.glass, part=self._mirrored)

    def truth(self) -> tuple[TrueFall, ...]:
        """What is true about the falls, once all pictures are drawn."""
        found = []
        for drop, track, sizes, contrasts in zip(
            self.drops, self._tracks, self._sizes, self._contrasts, strict=True
        ):
            way = throwing.path(drop, self.scene)
            found.append(
                TrueFall(
                    body=drop.thing.body.name,
                    zone=drop.opening.zone,
                    floor=drop.opening.floor,
                    bay=drop.opening.bay,
                    size_px=float(np.median(sizes)) if sizes else 0.0,
                    contrast=float(np.median(contrasts)) if contrasts else 0.0,
                    visible=share_visible(way.pixels, self.scene.cover) if way is not None else 0.0,
                    floors=way.floors if way is not None else 0.0,
                    released_s=drop.released_s,
                    landed_s=drop.landed_s,
                    track=tuple(track),
                )
            )
        return tuple(found)


def _blend(
    y: Luma,
    mark: Stamp,
    light: float,
    hide: NDArray[np.float32] | None,
    *,
    through: Luma | None = None,
    part: float = 1.0,
) -> tuple[float, float, float]:
    """Paint `mark` into `y`; its coverage, how much of that is hidden, and the mean behind it.

    `through` is 255 where it can be painted at all, `part` how strongly.
    """
    h, w = y.shape
    x0, y0 = max(mark.x, 0), max(mark.y, 0)
    x1, y1 = min(mark.x + mark.cover.shape[1], w), min(mark.y + mark.cover.shape[0], h)
    if x1 <= x0 or y1 <= y0:
        return 0.0, 0.0, 0.0
    cover = mark.cover[y0 - mark.y : y1 - mark.y, x0 - mark.x : x1 - mark.x]
    total = float(cover.sum())
    if total <= 1e-6:
        return 0.0, 0.0, 0.0
    patch = y[y0:y1, x0:x1].astype(np.float32)
    under = float((patch * cover).sum() / total)
    hidden = 0.0
    if hide is not None:
        there = hide[y0:y1, x0:x1]
        hidden = float((cover * there).sum())
        cover = cover * (1 - there)
    if through is not None:
        cover = cover * through[y0:y1, x0:x1] * np.float32(part / 255)
    y[y0:y1, x0:x1] = np.rint(patch + (light - patch) * cover).astype(np.uint8)
    return total, hidden, under


def _distractions(order: Order, scene: Scene) -> tuple[list[Layer], list[Sensor]]:
    made: list[Layer | Sensor] = []
    for number, one in enumerate(order.distractions):
        if one.kind not in KINDS:
            raise ValueError(
                f"order.distractions[{number}].kind is {one.kind!r}: one of {', '.join(KINDS)}"
            )
        rng = dice(order.seed, "distraction", number, one.kind)
        made.append(make(one.kind, one.strength, scene, rng))
    layers = [cast(Layer, one) for one in made if hasattr(one, "draw")]
    sensors = [one for one in made if not hasattr(one, "draw")]
    return layers, sensors
