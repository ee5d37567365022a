"""What may be looked at while a detector is built, and what is only reported.

Real sensors are split by a hash of their name, simulated networks by name, simulated runs by seed.
"""

from __future__ import annotations

import hashlib
from typing import Final

HELD_OUT_NETWORKS: Final = frozenset({"user4", "Greenville_EPA"})
"""Networks that no threshold was chosen on; development is on `town` and `user3`."""


def half(name: str) -> int:
    """0: development may look at this sensor. 1: it is held out, reported and never tuned on."""
    return hashlib.sha256(name.encode()).digest()[0] & 1
