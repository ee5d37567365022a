"""What a camera's calibration says about its pictures: where windows lie in them, in pixels."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from detectors._common.facade import Facade
from ingest.evidence_view import Polygon, View, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from contracts.city import Camera, Zone
    from contracts.event import Event

    Array = NDArray[np.float64]

REACH = 0.025
"""Half width of what stays visible along the path, picture heights: the path is drawn from its
pictures, so this need only hold the thing and what it may have been thrown by."""

THINGS = 1.5
"""The same in sizes of the thing, where that is more."""

BESIDES = 3
"""Other windows that are drawn."""

EDGE_STEPS, WALL_STEPS = 6, 32
"""Points for an edge of a zone and of the whole wall."""


class Wall:
    """A calibrated wall: from metres on it to pixels of pictures at `size` (width, height)."""

    def __init__(self, camera: Camera, size: tuple[int, int]) -> None:
        """Raises ValueError when the camera has fewer than four good correspondences."""
        self.facade = Facade(camera, (size[1], size[0]))
        self._camera = camera
        self._factor = np.array([size[0] / camera.size[0], size[1] / camera.size[1]])
        points = np.array(camera.points, np.float64)
        straight = self._straightened(points[:, :2])
        homography, _ = cv2.findHomography(points[:, 2:], straight, 0)
        if homography is None:
            raise ValueError(f"camera {camera.device}: the correspondences do not span a plane")
        self._homography = np.asarray(homography, np.float64)
        middle = self._homography[2] @ np.array([*points[:, 2:].mean(axis=0), 1.0])
        if middle < 0:
            self._homography = -self._homography
        self._middle = abs(float(middle))

    def _matrix(self) -> Array:
        width, height = self._camera.size
        focal = self._camera.focal_px or 1.0
        return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])

    def _lens(self) -> Array | None:
        bent = self._camera.distortion and self._camera.focal_px is not None
        return np.array(self._camera.distortion) if bent else None

    def _straightened(self, pixels: Array) -> Array:
        lens = self._lens()
        if lens is None:
            return pixels
        out = cv2.undistortPoints(pixels.reshape(-1, 1, 2), self._matrix(), lens, P=self._matrix())
        return np.asarray(out, np.float64).reshape(-1, 2)

    def pixels(self, metres: Array) -> Array | None:
        """(x, y), shape (n, 2), of places (u, v); None when one lies behind the camera."""
        rows = np.column_stack([metres, np.ones(len(metres))]) @ self._homography.T
        if np.any(rows[:, 2] < 0.02 * self._middle):
            return None
        straight = rows[:, :2] / rows[:, 2:]
        lens = self._lens()
        if lens is not None:
            matrix = self._matrix()
            rays = np.column_stack([straight, np.ones(len(straight))]) @ np.linalg.inv(matrix).T
            bent, _ = cv2.projectPoints(
                rays.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), matrix, lens
            )
            straight = np.asarray(bent, np.float64).reshape(-1, 2)
        return np.asarray(straight * self._factor)

    def outline(self, polygon: Polygon, steps: int = EDGE_STEPS) -> Polygon | None:
        """A polygon of (u, v) in pixels; None when it cannot be seen. Straight edges on the wall
        are bent by the lens: `steps` points for each."""
        corners = np.array(polygon, np.float64).reshape(-1, 2)
        if len(corners) < 3:
            return None
        shares = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
        ends = np.roll(corners, -1, axis=0)
        edge = corners[:, None, :] * (1 - shares) + ends[:, None, :] * shares
        found = self.pixels(edge.reshape(-1, 2))
        return None if found is None else [(float(x), float(y)) for x, y in found]


def wall_of(camera: Camera | None, size: tuple[int, int]) -> Wall | None:
    """The wall before this camera; None when it is not (well) calibrated."""
    if camera is None or len(camera.points) < 4:
        return None
    try:
        return Wall(camera, size)
    except ValueError:
        return None  # the detector names no window then, and says why


def view_of(event: Event, camera: Camera | None, timezone: str) -> View:
    """How the pictures of this event are to be shown."""
    evidence = event.evidence
    size = _size(evidence, camera)
    track = [(datetime.fromisoformat(at), x, y) for at, x, y in evidence.get("track") or ()]
    thing = evidence.get("size_px")
    reach = max(12.0, REACH * size[1], THINGS * thing if isinstance(thing, int | float) else 0.0)
    wall = wall_of(camera, size)
    outlines: dict[str, Polygon] = {}
    between: list[Polygon] = []
    if wall is not None and camera is not None:
        seen = ((zone.id, wall.outline(zone.polygon)) for zone in camera.zones)
        outlines = {name: outline for name, outline in seen if outline is not None}
        between = _between(wall, [z for z in camera.zones if z.id in outlines])
    offset = event.at.astimezone(ZoneInfo(timezone)).utcoffset()
    return View(
        size=size,
        track=track,
        reach=reach,
        windows=_windows(evidence.get("origin"), outlines, camera),
        wall=between,
        homes=list(outlines.values()),
        private=private_of(camera, size),
        caption=_ascii(event.device or event.site) or "camera",
        zone_s=int(offset.total_seconds()) if offset is not None else 0,
    )


def _size(evidence: dict[str, Any], camera: Camera | None) -> tuple[int, int]:
    """(width, height) of the pictures that the event's pixels refer to."""
    told = evidence.get("picture")
    if isinstance(told, list | tuple) and len(told) == 2:
        return int(told[0]), int(told[1])
    return camera.size if camera is not None else (1920, 1080)


def private_of(camera: Camera | None, size: tuple[int, int]) -> list[Polygon]:
    """What the privacy mask covers, in pixels of pictures at `size` (width, height)."""
    if camera is None:
        return []
    across, down = size[0] / camera.size[0], size[1] / camera.size[1]
    return [[(x * across, y * down) for x, y in polygon] for polygon in camera.privacy_mask]


def _between(wall: Wall, zones: Sequence[Zone]) -> list[Polygon]:
    """The part of the wall between the outermost zones, in pixels."""
    corners = [corner for zone in zones for corner in zone.polygon]
    if len(corners) < 3:
        return []
    hull = cv2.convexHull(np.array(corners, np.float32)).reshape(-1, 2)
    outline = wall.outline([(float(u), float(v)) for u, v in hull], WALL_STEPS)
    return [] if outline is None else [outline]


def _windows(origin: object, outlines: dict[str, Polygon], camera: Camera | None) -> list[Window]:
    if not isinstance(origin, dict) or camera is None:
        return []
    zones = {zone.id: zone for zone in camera.zones}
    others = origin.get("others") or []
    chances = [(origin.get("zone"), origin.get("p")), *((o[0], o[1]) for o in others[:BESIDES])]
    windows = []
    for rank, (name, p) in enumerate(chances):
        if name in outlines:
            label = f"{_label(zones[name], rank)} {p:.2f}"
            windows.append(Window(outlines[name], label, rank == 0))
    return windows


def _label(zone: Zone, rank: int) -> str:
    """OpenCV's fonts are ASCII only: a zone of another name is told by floor and bay or by rank."""
    if _ascii(zone.id):
        return zone.id
    if zone.floor is not None:
        return f"F{zone.floor}" + (f" B{zone.bay}" if zone.bay is not None else "")
    return f"#{rank + 1}"


def _ascii(text: str) -> str:
    return text if text.isascii() and text.isprintable() else ""
