"""The overlay: a camera file drawn over its picture, for people to judge."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.city import Camera
from gridsentry.city.calibration import Lens, mapped, wall_map
from gridsentry.city.raw import CameraToml

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]

_WINDOW, _OTHER = (120, 230, 120), (230, 120, 230)
_FLOOR, _BAY, _POINT, _UP = (0, 220, 255), (255, 190, 60), (60, 60, 255), (60, 60, 255)
_PIECES = 12
"""Parts of each drawn line: lenses bend them."""


def overlay(camera: Camera, raw: CameraToml, picture: Picture, notes: Sequence[str]) -> Picture:
    """The picture (at `size`) with windows, floor numbers, lines and the way up drawn in."""
    drawn = np.ascontiguousarray(picture.copy())
    lens = Lens(camera.size, camera.distortion, camera.focal_px)
    thick = max(1, round(camera.size[1] / 700))
    text = _Text(drawn, camera.size[1])
    _masks(drawn, camera)
    points = np.array(camera.points, np.float64).reshape(-1, 4)
    there = wall_map(lens.straight(points[:, :2]), points[:, 2:]) if len(points) >= 4 else None
    if there is not None:
        _zones(drawn, camera, there, lens, text)
        _up(drawn, camera, there, lens, thick, text)
    for line, color, label in [
        *((one.line, _FLOOR, f"v {one.v:g}") for one in raw.floor_lines),
        *((one.line, _BAY, f"u {one.u:g}") for one in raw.bay_lines),
    ]:
        straight = lens.straight(np.array(line))
        steps = np.linspace(0, 1, _PIECES + 1)[:, None]
        bent = lens.bent(straight[0] * (1 - steps) + straight[-1] * steps)
        cv2.polylines(drawn, [_whole(bent)], False, color, thick + 1, cv2.LINE_AA)
        end = bent[-1] if color == _FLOOR else bent[0]
        text.at(label, end, color)
    for n, point in enumerate(raw.points, start=1):
        cv2.drawMarker(drawn, _dot(point[:2]), _POINT, cv2.MARKER_CROSS, 14, thick + 1)
        text.at(str(n), np.array(point[:2]) + 6, _POINT)
    for row, line_of_text in enumerate(notes):
        text.at(
            line_of_text, np.array([10.0, 10.0 + (row + 1) * text.height * 1.7]), (255, 255, 255)
        )
    return drawn


def strokes(picture: Picture, segments: Array, notes: Sequence[str]) -> Picture:
    """The picture with the line segments that were found, when they made no calibration."""
    drawn = np.ascontiguousarray(picture.copy())
    for x0, y0, x1, y1 in segments:
        cv2.line(drawn, _dot((x0, y0)), _dot((x1, y1)), _FLOOR, 1, cv2.LINE_AA)
    text = _Text(drawn, picture.shape[0])
    for row, line in enumerate(notes):
        text.at(line, np.array([10.0, 10.0 + (row + 1) * text.height * 1.7]), (255, 255, 255))
    return drawn


def hide(picture: Picture, camera: Camera) -> Picture:
    """The picture with the camera's privacy mask blacked out."""
    hidden = np.ascontiguousarray(picture.copy())
    for polygon in camera.privacy_mask:
        cv2.fillPoly(hidden, [_whole(np.array(polygon))], (0, 0, 0))
    return hidden


class _Text:
    """Writes small words that can be read on anything."""

    def __init__(self, picture: Picture, height: int) -> None:
        self._picture = picture
        self._scale = max(0.45, height / 1500)
        self._thick = max(1, round(height / 900))
        (_, self.height), _ = cv2.getTextSize(
            "F", cv2.FONT_HERSHEY_SIMPLEX, self._scale, self._thick
        )

    def at(self, words: str, place: Array, color: tuple[int, int, int]) -> None:
        """Beginning at a pixel, moved into the picture."""
        (wide, high), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, self._scale, self._thick)
        rows, columns = self._picture.shape[:2]
        x = int(np.clip(place[0], 2, max(2, columns - wide - 2)))
        y = int(np.clip(place[1], high + 2, rows - 3))
        # Bolder letters are wider (OpenCV 5), so the dark edge is the same letters moved about.
        edge = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
        for (dx, dy), ink in [*((step, (0, 0, 0)) for step in edge), ((0, 0), color)]:
            cv2.putText(
                self._picture, words, (x + dx, y + dy), cv2.FONT_HERSHEY_SIMPLEX, self._scale,
                ink, self._thick, cv2.LINE_AA,
            )  # fmt: skip


def _zones(picture: Picture, camera: Camera, there: Array, lens: Lens, text: _Text) -> None:
    numbers: dict[int, tuple[float, Array]] = {}
    for zone in camera.zones:
        corners = np.array(zone.polygon, np.float64)
        around = np.vstack([corners, corners[:1]])
        steps = np.linspace(0, 1, 4, endpoint=False)[:, None]
        places = np.vstack([a * (1 - steps) + b * steps for a, b in itertools.pairwise(around)])
        outline = lens.bent(mapped(there, places))
        color = _WINDOW if zone.what == "window" else _OTHER
        if np.all(np.isfinite(outline)) and np.abs(outline).max() < 1e5:
            cv2.polylines(picture, [_whole(outline)], True, color, 1, cv2.LINE_AA)
        if zone.floor is not None and np.all(np.isfinite(outline)):
            middle = outline.mean(axis=0)
            inside = np.all((middle >= 0) & (middle < np.array(camera.size)))
            left = float(corners[:, 0].min())
            if inside and (zone.floor not in numbers or left < numbers[zone.floor][0]):
                numbers[zone.floor] = (left, middle)
    for floor, (_, middle) in numbers.items():
        text.at(f"F{floor}", middle - np.array([text.height, -text.height / 2]), _WINDOW)


def _up(
    picture: Picture, camera: Camera, there: Array, lens: Lens, thick: int, text: _Text
) -> None:
    """An arrow up the wall, and where upright lines meet."""
    corners = np.array([p for zone in camera.zones for p in zone.polygon] or [(0, 0), (1, 3)])
    low, high = corners.min(axis=0), corners.max(axis=0)
    u = (low[0] + high[0]) / 2
    rise = np.linspace(low[1] + 0.35 * (high[1] - low[1]), low[1] + 0.65 * (high[1] - low[1]), 9)
    way = lens.bent(mapped(there, np.column_stack([np.full(9, u), rise])))
    if not np.all(np.isfinite(way)) or np.abs(way).max() > 1e5:
        return
    cv2.polylines(picture, [_whole(way)], False, _UP, thick + 2, cv2.LINE_AA)
    cv2.arrowedLine(
        picture, _dot(way[-4]), _dot(way[-1]), _UP, thick + 2, cv2.LINE_AA, tipLength=0.3
    )
    meets = there @ np.array([0.0, 1.0, 0.0])
    if abs(meets[2]) > 1e-12:
        x, y = meets[:2] / meets[2]
        text.at(f"up: vanishing point [{x:.0f}, {y:.0f}]", way[-1] + 8, _UP)


def _masks(picture: Picture, camera: Camera) -> None:
    for polygon in camera.detect_mask:
        cv2.polylines(picture, [_whole(np.array(polygon))], True, (255, 255, 0), 2, cv2.LINE_AA)
    for polygon in camera.privacy_mask:
        cv2.fillPoly(picture, [_whole(np.array(polygon))], (0, 0, 0))


def _whole(places: Array) -> NDArray[np.int32]:
    return np.round(places).astype(np.int32).reshape(-1, 1, 2)


def _dot(place: Sequence[float] | Array) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))
