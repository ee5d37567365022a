"""What a sensor's happening is when it does not happen."""

from __future__ import annotations

from simulators.falls.layers import Luma


class Quiet:
    """No shift, no gain: a base for those that have only one of them."""

    def shift(self, t: float) -> tuple[float, float]:
        """(dx, dy) in px."""
        del t
        return 0.0, 0.0

    def gain(self, t: float) -> float | Luma:
        """Factor on the brightness, or a map of them with 128 for 1.0."""
        del t
        return 1.0
