"""A camera's eye: renders pictures of its tower and encodes them as one-second pieces of H.264.

Quiet footage repeats after `ambient_s`: the piece of each phase is rendered and encoded once and
then sent again. Only pieces in which something passes are rendered anew. In both, everything
that always moves (clouds, curtains, lamps, trees, people) follows the same phase, so that pieces
join without a seam.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.dice import between, dice
from simulators.facade import paint, trees
from simulators.settings import SimSettings
from simulators.sprites import Planes, Sprite, draw
from simulators.towers import SIZE, Tower

_NOISE_SIGMA = 1.7  # 8-bit grey levels, a small sensor in daylight
_NOISE_ROOM = 64
_CRF = "28"


def encode(frames: list[Planes], fps: int) -> bytes:
    """An MP4 of these pictures in H.264, the first one a keyframe; the same bytes each time."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = SIZE[0], SIZE[1], "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {
            "preset": "ultrafast",
            "crf": _CRF,
            "bf": "0",
            "g": str(10 * len(frames)),
            "sc_threshold": "0",
            "threads": "1",
        }
        for picture in frames:
            flat = np.concatenate([picture.y.ravel(), picture.u.ravel(), picture.v.ravel()])
            sheet = flat.reshape(SIZE[1] * 3 // 2, SIZE[0])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(sheet, format="yuv420p")))
        container.mux(stream.encode(None))
    return file.getvalue()


class Eye:
    """One camera. `segment(number, first_s, …)` is the piece of video that begins then."""

    def __init__(self, tower: Tower, number: int, seed: int, settings: SimSettings) -> None:
        self.tower = tower
        self._fps, self._length = settings.fps, settings.segment_s
        self._loop = settings.ambient_s * settings.fps
        rng = dice(seed, "eye", tower.camera)
        backdrop = paint(tower, seed, number)
        leaves, cover = trees(tower, seed)
        self._still = _planes(backdrop.bgr)
        self._leaves, self._cover = leaves, cover
        self._crowns = _crowns(cover)
        self._canopy = _planes(leaves).y
        mixed = backdrop.bgr * (1 - cover[..., None]) + leaves * cover[..., None]
        self._scene = _planes(np.clip(mixed, 0, 255).astype(np.uint8))
        shape = (SIZE[1] + _NOISE_ROOM, SIZE[0] + _NOISE_ROOM)
        self._noise = [
            np.rint(rng.normal(0, _NOISE_SIGMA, shape)).astype(np.int16) for _ in range(2)
        ]
        self._shifts = rng.integers(0, _NOISE_ROOM, size=(self._loop, 2))
        spots = list(backdrop.windows.items())
        picks = rng.choice(len(spots), size=9, replace=False)
        self._curtains = [spots[int(k)][1] for k in picks[:5]]
        self._lamps = [(spots[int(k)][1], between(rng, (0.1, 0.9))) for k in picks[5:]]
        self._drift = [(between(rng, (0.004, 0.012)), between(rng, (0, 6.28))) for _ in range(3)]
        self._people = [
            (between(rng, (0, 1)), between(rng, (9, 13)), int(rng.integers(40, 170)), k % 2)
            for k in range(5)
        ]
        foot = tower.view.project(np.array([[tower.width_m / 2, 0.0, 1.5]]))[0, 1]
        self._foot = min(float(foot), SIZE[1] - 6.0)
        self._quiet: dict[int, bytes] = {}

    def segment(self, number: int, first_s: float, sprites: Sequence[Sprite]) -> bytes:
        """The piece `number` (from 0), beginning at `first_s` (epoch seconds), with what passes
        meanwhile."""
        last_s = first_s + self._length
        passing = [s for s in sprites if s.start < last_s and s.end > first_s]
        phase = number * self._length * self._fps % self._loop
        if not passing and phase in self._quiet:
            return self._quiet[phase]
        data = encode(
            [
                self.picture(phase + k, first_s + k / self._fps, passing)
                for k in range(self._length * self._fps)
            ],
            self._fps,
        )
        if not passing:
            self._quiet[phase] = data
        return data

    def picture(self, phase: int, t: float, passing: Sequence[Sprite]) -> Planes:
        """One picture: the always-moving scene at `phase` of its loop, and `passing` at `t`."""
        # trees come last: things fall behind them
        scene = self._scene
        picture = Planes(self._still.y.copy(), scene.u.copy(), scene.v.copy())
        turn = 2 * math.pi * phase / self._loop
        self._window_life(picture, turn, phase)
        self._walkers(picture.y, phase)
        for sprite in passing:
            draw(picture, sprite, t)
        self._sway(picture.y, turn)
        gain = 1 + sum(a * math.sin((k + 1) * turn + p) for k, (a, p) in enumerate(self._drift))
        dx, dy = (int(c) for c in self._shifts[phase % self._loop])
        noise = self._noise[phase % 2][dy : dy + SIZE[1], dx : dx + SIZE[0]]
        exposed = cv2.convertScaleAbs(picture.y, alpha=gain)
        y = cv2.add(exposed, noise, dtype=cv2.CV_8U)
        return Planes(np.asarray(y, dtype=np.uint8), picture.u, picture.v)

    def _window_life(self, picture: Planes, turn: float, phase: int) -> None:
        """Curtains in the draught, lamps that go on and off."""
        for k, pane in enumerate(self._curtains):
            x0, y0 = pane.min(axis=0)
            x1, y1 = pane.max(axis=0)
            reach = x0 + (x1 - x0) * (0.45 + 0.3 * math.sin((3 + k) * turn + k))
            cv2.rectangle(picture.y, (int(x0), int(y0)), (int(reach), int(y1)), 112 + 9 * k, -1)
        for pane, share in self._lamps:
            if phase % self._loop < share * self._loop:
                for plane, tone, half in (
                    (picture.y, 178, 1),
                    (picture.u, 92, 2),
                    (picture.v, 143, 2),
                ):
                    cv2.fillPoly(plane, [pane // half], (tone,))

    def _walkers(self, y: NDArray[np.uint8], phase: int) -> None:
        """People on the pavement: once across the picture in each loop."""
        for start, height, tone, leftward in self._people:
            f = (start + phase / self._loop) % 1.0
            x = (1 - f if leftward else f) * (SIZE[0] + 60) - 30
            step = 1.5 * math.sin(2 * math.pi * phase / self._fps * 1.8)
            foot, top = self._foot, self._foot - height * 2.0
            fine = 8  # cv2 draws with three fractional bits
            spot = (round(x * fine), round((foot + top) / 2 * fine))
            axes = (round((height * 0.36 + 0.4 * step) * fine), round(height * 0.95 * fine))
            cv2.ellipse(y, spot, axes, 0, 0, 360, tone, -1, cv2.LINE_AA, 3)
            head = (round(x * fine), round((top - height * 0.2) * fine))
            cv2.circle(y, head, round(height * 0.26 * fine), 70, -1, cv2.LINE_AA, 3)

    def _sway(self, y: NDArray[np.uint8], turn: float) -> None:
        """Tree crowns lean with the wind, the higher the more."""
        for k, (x0, y0, x1, y1) in enumerate(self._crowns):
            lean = 3.2 * math.sin(5 * turn + k) + 1.4 * math.sin(11 * turn + 2 * k)
            high = y1 - y0
            shear = np.array([[1, -lean / high, lean], [0, 1, 0]], dtype=np.float32)
            size = (x1 - x0, high)
            cover = cv2.warpAffine(self._cover[y0:y1, x0:x1], shear, size)
            leaves = cv2.warpAffine(self._canopy[y0:y1, x0:x1], shear, size)
            y[y0:y1, x0:x1] = cv2.blendLinear(leaves, y[y0:y1, x0:x1], cover, 1 - cover)


def _planes(bgr: NDArray[np.uint8]) -> Planes:
    h, w = bgr.shape[:2]
    flat = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), dtype=np.uint8).reshape(-1)
    size, quarter = w * h, w * h // 4
    return Planes(
        flat[:size].reshape(h, w),
        flat[size : size + quarter].reshape(h // 2, w // 2),
        flat[size + quarter :].reshape(h // 2, w // 2),
    )


def _crowns(cover: NDArray[np.float32]) -> list[tuple[int, int, int, int]]:
    """The boxes (x0, y0, x1, y1) of the trees on the left and on the right."""
    middle = cover.shape[1] // 2
    found = []
    for left in (0, middle):
        ys, xs = np.nonzero(cover[:, left : left + middle] > 0.05)
        if len(xs):
            x0, x1 = left + int(xs.min()), left + int(xs.max()) + 1
            found.append(
                (max(x0 - 6, 0), int(ys.min()), min(x1 + 6, cover.shape[1]), cover.shape[0])
            )
    return found
