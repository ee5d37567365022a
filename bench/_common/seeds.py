"""Seeds of the scorecard and of development: two sets that never meet."""

from __future__ import annotations

import hashlib

DEVELOPMENT = 10_000
"""Seeds below this are for development and used as they are."""


def score_seed(seed: int, part: str, number: int) -> int:
    """The seed of the scorecard's order `number` of `part`: hashed, at least DEVELOPMENT."""
    text = f"score|{seed}|{part}|{number}"
    value = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
    return DEVELOPMENT + value


def development_seed(seed: int, number: int) -> int:
    """The seed of development's order `number`, from `seed` on."""
    return (seed + number) % DEVELOPMENT
