"""Photographs as plates: what was measured in them by hand, in `plates.json`.

Focal length, pose and distortion were fitted to 18 to 47 window corners marked in each photograph
(2.6 and 5.1 px rms at its full size); metres rest on an assumed floor height. The photographs
themselves are not part of the project: a folder that holds them is handed over.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path

import cv2
import msgspec
import numpy as np

from simulators.dice import between, dice
from simulators.falls.block import Opening
from simulators.falls.lens import Lens
from simulators.falls.scene import Scene, calibration, panes_of, sees
from simulators.falls.take import Order

PREFIX = "plate:"


class Cover(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something in the photograph that stands before the wall."""

    cover: float
    polygon: list[tuple[float, float]]
    """Pixels of the photograph."""


class Plate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One photograph's calibration, in pixels of its full size and metres from the ground."""

    size: tuple[int, int]
    focal_px: float
    k1: float
    place: tuple[float, float, float]
    axes: tuple[tuple[float, float, float], ...]
    floor_m: float
    floors: tuple[int, int]
    """The first and the last that can be told apart."""
    first_v: float
    """Height of the first one's lower edge."""
    edges: list[float]
    """Where bays begin and end, u in metres."""
    box: tuple[float, float, float, float]
    """The opening within the field of floor and bay, parts of its width and height."""
    front: list[Cover]
    light: float
    """How bright a white thing would be."""


@functools.cache
def known() -> dict[str, Plate]:
    """All photographs with a calibration, by file name."""
    text = Path(__file__).with_name("plates.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Plate])


def photographed(order: Order, folder: Path | None) -> Scene:
    """The scene of a photograph, cut about its middle to the order's size.

    Raises ValueError when the folder, the photograph or its calibration is missing.
    """
    name = order.place.removeprefix(PREFIX)
    if name not in known():
        raise ValueError(
            f"order.place names {name!r}, which has no calibration: {', '.join(sorted(known()))}"
        )
    if folder is None or not (folder / name).is_file():
        raise ValueError(f"order.place needs the photograph {name}, which is not in {folder}")
    plate = known()[name]
    read = cv2.imread(str(folder / name), cv2.IMREAD_COLOR)
    if read is None or (read.shape[1], read.shape[0]) != plate.size:
        raise ValueError(f"{folder / name} is no picture of {plate.size[0]} x {plate.size[1]}")
    rng = dice(order.seed, "scene")
    w, h = order.size
    fill = max(w / plate.size[0], h / plate.size[1])
    # closer views as long as the photograph has the detail for them
    scale = fill * between(rng, (1.0, max(1.0, min(1.5, 1.0 / fill))))
    matrix = np.array(
        [
            [scale, 0, w / 2 - scale * plate.size[0] / 2],
            [0, scale, h / 2 - scale * plate.size[1] / 2],
        ]
    )
    lens = Lens(
        size=order.size,
        focal_px=plate.focal_px * scale,
        place=plate.place,
        axes=plate.axes,
        k1=plate.k1,
    )
    soft = cv2.GaussianBlur(read, (0, 0), max(0.45 / scale, 0.3)) if scale < 1 else read
    bgr = np.asarray(cv2.warpAffine(soft, matrix, order.size, flags=cv2.INTER_LINEAR), np.uint8)
    cover = np.zeros((h, w), np.float32)
    for one in plate.front:
        corners = np.array(one.polygon) @ matrix[:, :2].T + matrix[:, 2]
        cv2.fillPoly(cover, [np.rint(corners).astype(np.int32)], (one.cover,))
    openings = _openings(plate)
    glass = np.zeros((h, w), np.uint8)
    for u0, v0, u1, v1 in (one.box for one in openings):
        pane = lens.project(np.array([[u0, v0, 0], [u1, v0, 0], [u1, v1, 0], [u0, v1, 0.0]]))
        if np.all(np.isfinite(pane)):
            cv2.fillPoly(glass, [np.rint(pane).astype(np.int32)], (255,))
    seen = tuple(
        one
        for one in openings
        if sees(lens, ((one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2, 0.0))
    )
    foot = lens.project(np.array([plate.edges[-1] / 2, 0.0, 0.0]))
    return Scene(
        order,
        lens=lens,
        openings=seen,
        floor_m=plate.floor_m,
        bgr=bgr,
        glass=glass,
        cover=cover if plate.front else None,
        exposure_s=1.0 / math.exp(between(rng, (math.log(60), math.log(1000)))),
        camera=calibration(dice(order.seed, "calibration"), order, lens, openings),
        panes=panes_of(lens, seen),
        ground_y=float(foot[1]) if np.isfinite(foot[1]) else 2.0 * h,
        light=plate.light * between(rng, (0.85, 1.05)),
    )


def _openings(plate: Plate) -> tuple[Opening, ...]:
    a, b, c, d = plate.box
    found = []
    first, last = plate.floors
    for floor in range(first, last + 1):
        v0 = plate.first_v + (floor - first) * plate.floor_m
        for bay, (u0, u1) in enumerate(zip(plate.edges, plate.edges[1:], strict=False), start=1):
            wide, high = u1 - u0, plate.floor_m
            found.append(
                Opening(
                    zone=f"F{floor}-{bay}",
                    what="window",
                    floor=floor,
                    bay=bay,
                    box=(u0 + a * wide, v0 + b * high, u0 + c * wide, v0 + d * high),
                    cell=(u0, v0, u1, v0 + high),
                    out_m=0.15,
                )
            )
    return tuple(found)
