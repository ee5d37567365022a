"""The last few pictures, with what is computed once of each, and their compact copy."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.high_altitude_throw.exposure import coarse
from detectors.high_altitude_throw.steady import Profiles, profiles

Luma = NDArray[np.uint8]

FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]


class Kept:
    """One working picture."""

    def __init__(self, t: int, luma: Luma) -> None:
        """Taken at `t`, µs."""
        self.t = t
        self.luma = luma
        self.coarse = coarse(luma)
        self._profiles: Profiles | None = None

    @property
    def profiles(self) -> Profiles:
        """For sway; computed when first asked for."""
        if self._profiles is None:
            self._profiles = profiles(self.luma)
        return self._profiles


def pack(pictures: list[Kept]) -> list[tuple[int, bytes]]:
    """Times and PNGs: the first picture whole, of the others the difference (modulo 256) to the
    one before, which is nearly empty where nothing moves. Nothing is lost."""
    out = []
    before: Luma | None = None
    for one in pictures:
        plane = one.luma if before is None else one.luma - before
        before = one.luma
        out.append((one.t, cv2.imencode(".png", plane, FAST)[1].tobytes()))
    return out


def unpack(packed: list[tuple[int, bytes]]) -> list[Kept]:
    """What `pack` was given. Raises ValueError when a picture cannot be read."""
    out: list[Kept] = []
    for t, png in packed:
        plane = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
        if plane is None:
            raise ValueError("a picture in the snapshot cannot be read: the snapshot is damaged")
        luma = np.asarray(plane, np.uint8)
        out.append(Kept(t, luma + out[-1].luma if out else luma))
    return out
