"""Values at an even spacing, read at any time between."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def value_at(values: NDArray[np.float32], step_s: float, seconds: float) -> float:
    """The value so many seconds after the first one; before it the first, after the last the last.

    Two values or more, one each `step_s`.
    """
    at = min(max(seconds / step_s, 0.0), len(values) - 1.0)
    k = min(int(at), len(values) - 2)
    return float(values[k] + (values[k + 1] - values[k]) * (at - k))
