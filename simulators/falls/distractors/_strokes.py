"""Many small things at once, each smeared along its way: rain, snow, drips, insects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.falls.layers import Luma

Floats = NDArray[np.float64]


def strokes(
    y: Luma,
    begin: Floats,
    end: Floats,
    width: Floats,
    opacity: Floats,
    tone: Floats | float,
) -> None:
    """Smear things along straight ways while the shutter is open.

    Each covers `width` px (n,) and moves from `begin` to `end` (n, 2), so that a pixel on its way
    sees it for width / (way + width) of the exposure: exactly the share of light it then mixes with
    (Garg & Nayar 2007, "Vision and Rain", eq. 3). The ink is conserved under subpixel motion: the
    profile is the box of the thing run over the box of the pixel; things wider than 2 px, which
    are near and out of focus, have soft rims and ends. Where two cross, one is drawn.
    """
    high, wide = y.shape
    low, top = np.minimum(begin, end), np.maximum(begin, end)
    half = width / 2 + 1
    inside = (
        (top[:, 0] > -half)
        & (low[:, 0] < wide + half)
        & (top[:, 1] > -half)
        & (low[:, 1] < high + half)
    )
    if not inside.any():
        return
    grey = np.broadcast_to(np.asarray(tone, dtype=np.float64), width.shape)[inside]
    begin, end, width, opacity = begin[inside], end[inside], width[inside], opacity[inside]
    span = np.abs(end - begin)
    steep = span[:, 1] >= span[:, 0]
    reach = 1 << np.ceil(np.log2(np.where(width > 2, 1.5 * width, width) + 1.0)).astype(np.int64)
    reach = np.maximum(reach, 2)
    for upright in (True, False):
        for size in np.unique(reach[steep == upright]):
            pick = np.flatnonzero((steep == upright) & (reach == size))
            a, b = begin[pick], end[pick]
            if not upright:
                a, b = a[:, ::-1], b[:, ::-1]
            run = (high, wide, wide, 1) if upright else (wide, high, 1, wide)
            _smear(y.reshape(-1), run, a, b, width[pick], opacity[pick], grey[pick], int(size))


def _smear(
    flat: Luma,
    run: tuple[int, int, int, int],
    a: Floats,
    b: Floats,
    width: Floats,
    opacity: Floats,
    tone: Floats,
    size: int,
) -> None:
    """Smear things that go more along the lines (rows, or columns when the axes are swapped)."""
    lines, places, line_step, place_step = run
    swap = a[:, 1] > b[:, 1]
    a, b = np.where(swap[:, None], b, a), np.where(swap[:, None], a, b)
    first, last = a[:, 1] - width / 2, b[:, 1] + width / 2
    row0 = np.clip(np.floor(first), 0, lines).astype(np.int64)
    count = np.clip(np.ceil(last), 0, lines).astype(np.int64) - row0
    count = np.maximum(count, 0)
    which = np.repeat(np.arange(len(a)), count)
    if not len(which):
        return
    row = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count) + row0[which]
    way = b - a
    lean = np.where(way[:, 1] < 1e-6, 0.0, way[:, 0] / np.maximum(way[:, 1], 1e-6))
    # a leaning stroke is wider across a line than across itself
    across = width * np.sqrt(1 + lean**2)
    share = opacity * width / (np.linalg.norm(way, axis=1) + width)
    soft = np.maximum(across / 2, 1.0)
    thing = np.stack([first, last, a[:, 0], a[:, 1], way[:, 1], lean, share, across / 2, soft])
    first, last, x, y, down, lean, share, half, soft = thing.astype(np.float32)[:, which]
    line = row.astype(np.float32)
    inward = np.minimum(line + 1 - first, last - line) / soft
    within = np.minimum(line + 1, last) - np.maximum(line, first)
    ink = share * np.minimum(np.minimum(within, inward), 1)
    middle = x + lean * np.clip(line + np.float32(0.5) - y, 0, down)
    left = np.floor(middle - np.float32(size / 2 - 0.5))
    apart = np.abs(left + np.float32(0.5) - middle + np.arange(size, dtype=np.float32)[:, None])
    mix = ink * np.clip((half - apart) / soft + np.float32(0.5), 0, np.minimum(2 * half, 1))
    column = left.astype(np.int64) + np.arange(size)[:, None]
    good = (column >= 0) & (column < places) & (mix > np.float32(0.003))
    at = (row * line_step + column * place_step)[good]
    tones = np.broadcast_to(tone.astype(np.float32)[which], good.shape)[good]
    mix, under = np.minimum(mix[good], 1), flat[at]
    mixed = under + (tones - under) * mix + np.float32(0.5)
    flat[at] = np.minimum(mixed, 255).astype(np.uint8)


def unit(which: NDArray[np.int64], turn: NDArray[np.int64], salt: int) -> Floats:
    """Numbers in [0, 1) that follow only from thing, turn and salt (splitmix64)."""
    with np.errstate(over="ignore"):
        z = which.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z += turn.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03) + np.uint64(salt)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return np.asarray((z >> np.uint64(11)).astype(np.float64) / float(1 << 53))
