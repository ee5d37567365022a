"""Seeded randomness: every actor has a stream of its own, so that adding one changes no other."""

from __future__ import annotations

import hashlib

import numpy as np


def dice(seed: int, *names: object) -> np.random.Generator:
    """The random stream of `names` in the world of `seed`: same names and seed, same numbers."""
    text = "|".join([str(seed), *map(str, names)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def between(rng: np.random.Generator, span: tuple[float, float]) -> float:
    """A number evenly between the two ends of `span`."""
    return float(rng.uniform(span[0], span[1]))
