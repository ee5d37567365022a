"""How distractors take part in a picture. All work on luma in place; the time is the scene's."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.city import Camera

Luma = NDArray[np.uint8]


class View(Protocol):
    """The scene a distractor is made for."""

    size: tuple[int, int]
    """(width, height)."""
    seconds: float
    fps: float
    exposure_s: float
    """How long the shutter is open: moving things are blurred along their way of that time."""
    pixels_per_m: float
    """At the facade, middle of the picture."""
    panes: list[tuple[int, int, int, int]]
    """Boxes (x0, y0, x1, y1) of the window panes in the picture, px; may be empty (photographs)."""
    ground_y: float
    """Row where the facade meets the ground, px; may lie below the picture."""
    plate: Luma
    """The scene with nothing in it."""
    camera: Camera


class Layer(Protocol):
    """Draws onto the picture. `behind` the falls (lights, laundry) or in front (rain, leaves)."""

    behind: bool

    def draw(self, y: Luma, t: float) -> None:
        """Draw what is there while the shutter is open around `t` into `y`, in place."""
        ...


class Sensor(Protocol):
    """Happens to the whole picture: shake, exposure, clouds."""

    def shift(self, t: float) -> tuple[float, float]:
        """(dx, dy) in px, subpixel, by which the camera has moved."""
        ...

    def gain(self, t: float) -> float | Luma:
        """Factor on the picture's brightness (1.0: none), or a map of them, 128 meaning 1.0."""
        ...
