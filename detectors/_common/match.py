"""Two pictures of one scene: has the camera moved between them? Pure, no memory.

Light changes, the camera does not: compared is where edges lie and which way they run, not how
bright anything is (orientation correlation: Fitch, Kadyrov, Christmas and Kittler, BMVC 2002). The
angle of each gradient is doubled, so that a window that is dark by day and lit by night keeps its
edges. Each of some dozens of tiles says for itself by how much it is shifted; one similarity
(shift, rotation, zoom) must explain most of those that show anything. A lorry, a shadow or a
swaying tree is outvoted; where too few agree (night, fog, rain), the answer is that nobody can
tell, never a movement.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2, ifft2

Luma = NDArray[np.uint8]

LONG_SIDE = 1000
"""The longer side of the pictures that are compared is at most this, divided by a whole number:
960 px at 1080p, so that 3 px there are 1.5 here; shifts are found to about 0.1."""

TILE = 128
SMALL_TILE = 64
"""Tile for pictures lower or narrower than four large ones."""

SOFT_LEVELS = 4.0
"""Edges of this many grey levels per pixel count half as much as strong ones: noise and the blocks
of compression (1 to 3 levels once shrunk) hardly count, a lit window counts like a bright one."""

LEAST_EDGES = 0.01
"""Mean squared edge weight of a tile that shows anything (a window frame through it: 0.03)."""

LEAST_LIKENESS = 0.2
"""Correlation of a tile, of at most 1, below which its peak is as likely chance."""

NEAR = 1.0
"""Distance (pixels compared) up to which a tile agrees with what the others say."""

LEAST_AGREE, LEAST_SHARE = 5, 0.4
"""So many tiles, and this share of those that show anything, must agree. Peaks by chance lie
anywhere within some 60 × 60 pixels: five of thirty agree by chance once in 10^6 pictures."""

STILL_SHARE = 1 / 3
"""Where this many stand still for each one that agrees on a movement, nobody can tell: shadows and
crowns move together too, while the clock burned into the picture's edge is alone."""

LEAST_MATCH = 0.12
"""Correlation of the whole small picture that counts as a match, for shifts beyond the tiles'."""

MOST_TURN, MOST_ZOOM = math.radians(6.0), 0.12


class View(msgspec.Struct):
    """A picture ready to be compared."""

    tiles: NDArray[np.complex64]
    """Spectrum of each tile, shape (tiles, side, side)."""
    energy: NDArray[np.float32]
    """Mean squared edge weight of each tile."""
    shrunk: Luma
    """The picture at the compared size."""
    small: Luma
    """The same at a quarter of it."""


class Match(msgspec.Struct, frozen=True):
    """How `now` lies against `then`: in pixels of the pictures compared."""

    dx: float
    dy: float
    """Shift at the middle of the picture; the scene moved right and down where positive."""
    turn: float
    """Rotation, radians."""
    zoom: float
    """Change of scale, 0 for none."""
    off: float
    """Root mean square shift over the whole picture, rotation and zoom included."""
    confidence: float
    """Share of the tiles that show anything which agree, 0 to 1."""
    agree: int


class Comparer:
    """Compares pictures of one size."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size` is (width, height) of the pictures as they come."""
        divisor = max(1, math.ceil(max(size) / LONG_SIDE))
        self.scale = float(divisor)
        """Pixels of the original to one pixel compared."""
        self.size = (max(8, size[0] // divisor), max(8, size[1] // divisor))
        width, height = self.size
        side = TILE if min(width, height) >= 4 * TILE else SMALL_TILE
        self.side = min(side, width, height)
        self.places = [
            (x, y) for y in _spread(height, self.side) for x in _spread(width, self.side)
        ]
        once = np.hanning(self.side + 2)[1:-1].astype(np.float32)
        self._window = np.sqrt(np.outer(once, once)).astype(np.float32)
        self._reach = self.side // 4
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        self._centres = np.array(self.places, float) + (self.side - 1) / 2 - middle
        self._corner = float(np.hypot(*middle))

    def view(self, luma: Luma) -> View:
        """Prepare a picture, shape (height, width) of any size."""
        shrunk, small = self.shrunk(luma)
        edges = _edges(cv2.GaussianBlur(shrunk, (0, 0), 1.0))
        side = self.side
        cut = np.stack([edges[y : y + side, x : x + side] for x, y in self.places])
        energy = np.mean(cut.real**2 + cut.imag**2, axis=(1, 2))
        spectra = np.asarray(fft2(cut * self._window), np.complex64)
        return View(spectra, np.asarray(energy, np.float32), shrunk, small)

    def shrunk(self, luma: Luma) -> tuple[Luma, Luma]:
        """The picture at the compared size, and at a quarter of it."""
        shrunk = cv2.resize(luma, self.size, interpolation=cv2.INTER_AREA)
        small = cv2.resize(
            shrunk,
            (max(4, self.size[0] // 4), max(4, self.size[1] // 4)),
            interpolation=cv2.INTER_AREA,
        )
        return np.asarray(shrunk, np.uint8), np.asarray(small, np.uint8)

    def match(self, then: View, now: View) -> Match | None:
        """How `now` lies against `then`, or None when nobody can tell."""
        shown = (then.energy > LEAST_EDGES) & (now.energy > LEAST_EDGES)
        count = int(shown.sum())
        if count < LEAST_AGREE:
            return None
        surfaces = ifft2(now.tiles[shown] * np.conj(then.tiles[shown])).real
        weight = np.mean(self._window**2)
        norm = weight * np.sqrt(then.energy[shown] * now.energy[shown]) * self.side**2
        surfaces = surfaces / norm[:, None, None]
        shifts, likeness = _peaks(surfaces, self._reach)
        where = self._centres[shown]
        good = likeness >= LEAST_LIKENESS
        if int(good.sum()) < LEAST_AGREE:
            return None
        return self._explained(where[good], shifts[good], count)

    def _explained(
        self, where: NDArray[np.float64], shifts: NDArray[np.float64], count: int
    ) -> Match | None:
        """The similarity that most tiles agree with."""
        points, moves = where @ (1, 1j), shifts @ (1, 1j)
        inside = _agreeing(points, moves)
        agree = int(inside.sum())
        if agree < LEAST_AGREE or agree < LEAST_SHARE * count:
            return None
        still = np.abs(moves) <= NEAR
        if int((still & ~inside).sum()) > STILL_SHARE * agree:
            return None
        # shift + turn and zoom: moves = a + b * points, in complex numbers
        if agree >= 2 * LEAST_AGREE:
            p, m = points[inside], moves[inside]
            b = complex(np.vdot(p - p.mean(), m - m.mean()) / np.vdot(p - p.mean(), p - p.mean()))
            a = complex(m.mean() - b * p.mean())
        else:
            a, b = complex(np.median(moves[inside].real), np.median(moves[inside].imag)), 0j
        return Match(
            dx=a.real,
            dy=a.imag,
            turn=b.imag,
            zoom=b.real,
            off=math.sqrt(abs(a) ** 2 + abs(b) ** 2 * self._corner**2 / 3),
            confidence=agree / count,
            agree=agree,
        )

    def far(self, then: View, now: View) -> tuple[float, float] | None:
        """A shift too large for the tiles, from the whole small picture; None: no match at all."""
        a, b = _edges(then.small), _edges(now.small)
        ea, eb = float(np.mean(np.abs(a) ** 2)), float(np.mean(np.abs(b) ** 2))
        if min(ea, eb) < LEAST_EDGES:
            return None
        shape = (2 * a.shape[0], 2 * a.shape[1])
        surface = ifft2(fft2(b, shape) * np.conj(fft2(a, shape))).real
        surface /= math.sqrt(ea * eb) * a.size
        peak = int(np.argmax(surface))
        y, x = divmod(peak, shape[1])
        best = float(surface[y, x])
        rows, columns = np.arange(-4, 5) + y, np.arange(-4, 5) + x
        rest = surface.copy()
        rest[np.ix_(rows % shape[0], columns % shape[1])] = -1
        if best < LEAST_MATCH or best < 1.3 * float(rest.max()):
            return None
        dx = x - shape[1] if x >= shape[1] // 2 else x
        dy = y - shape[0] if y >= shape[0] // 2 else y
        wide = self.size[0] / a.shape[1]
        return dx * wide, dy * self.size[1] / a.shape[0]


def _spread(length: int, side: int) -> list[int]:
    """Where tiles begin: side by side as far as they fit, spread evenly."""
    count = max(1, length // side)
    return [round(i) for i in np.linspace(0, length - side, count)] if count > 1 else [0]


def _edges(picture: Any) -> NDArray[np.complex64]:
    """Soft-limited gradients with their angle doubled, shape of the picture."""
    gx = cv2.Scharr(picture, cv2.CV_32F, 1, 0, scale=1 / 32)
    gy = cv2.Scharr(picture, cv2.CV_32F, 0, 1, scale=1 / 32)
    size = cv2.magnitude(gx, gy)
    # g² / |g|, limited: (gx + i gy)² / (|g| (|g| + soft))
    by = size * (size + np.float32(SOFT_LEVELS)) + np.float32(1e-6)
    out = np.empty(gx.shape, np.complex64)
    out.real = (gx * gx - gy * gy) / by
    out.imag = (2 * gx * gy) / by
    return out


def _peaks(surfaces: NDArray[Any], reach: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(shift (x, y), height) of each surface's peak within `reach`, to a fraction of a pixel."""
    around = np.arange(-reach - 1, reach + 2)
    near = surfaces[:, around[:, None], around[None, :]]
    inner = near[:, 1:-1, 1:-1].reshape(len(near), -1)
    best = inner.argmax(axis=1)
    rows, columns = np.divmod(best, 2 * reach + 1)
    i = np.arange(len(near))
    middle = near[i, rows + 1, columns + 1]

    def between(before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
        bend = before - 2 * middle + after
        return np.where(bend < 0, 0.5 * (before - after) / np.minimum(bend, -1e-9), 0.0)

    x = columns - reach + between(near[i, rows + 1, columns], near[i, rows + 1, columns + 2])
    y = rows - reach + between(near[i, rows, columns + 1], near[i, rows + 2, columns + 1])
    return np.stack([x, y], axis=1).astype(float), np.asarray(middle, float)


def _agreeing(points: NDArray[Any], moves: NDArray[Any]) -> NDArray[np.bool_]:
    """Which tiles lie on the similarity with most of them: every pair and every single tile is
    tried (at most some hundred)."""
    i, j = np.triu_indices(len(points), 1)
    apart = points[j] - points[i]
    b = np.where(np.abs(apart) > 0, (moves[j] - moves[i]) / np.where(apart == 0, 1, apart), 9)
    usable = (np.abs(b.imag) < MOST_TURN) & (np.abs(b.real) < MOST_ZOOM)
    b = np.concatenate([np.zeros(len(points)), b[usable]])
    a = np.concatenate([moves, moves[i][usable] - b[len(points) :] * points[i][usable]])
    left = np.abs(moves[None, :] - a[:, None] - b[:, None] * points[None, :])
    inside = left <= NEAR
    # of equals, the simplest: single tiles (pure shifts) come first
    return np.asarray(inside[int(np.argmax(inside.sum(axis=1)))])
