"""What water can do, and what it cannot."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from detectors._common.water.plausible import FASTEST, HELD, WATER, Surface

LEVEL = FASTEST["level"]


def folded(values: list[float], every_s: float = 60.0, metric: str = "level") -> list[int]:
    surface = Surface()
    return [surface.fold(i * every_s, v, FASTEST[metric]) for i, v in enumerate(values)]


def ripples(count: int, height: float = 0.3, seed: int = 1) -> list[float]:
    rng = np.random.default_rng(seed)
    return [height + float(x) for x in rng.normal(0, 0.002, count)]


@pytest.mark.parametrize("every_s", [60.0, 300.0, 900.0])
def test_a_storm_is_water_at_every_reading(every_s: float) -> None:
    rise = [
        0.3 + 1.2 * math.exp(-(((i * every_s - 5400) / 1800) ** 2))
        for i in range(int(14400 / every_s))
    ]
    assert folded([*ripples(50), *rise], every_s) == [WATER] * (50 + len(rise))


def test_a_street_that_fills_in_minutes_is_never_held() -> None:
    flood = [0.0, 0.11, 0.22, 0.3, 0.36, 0.4, 0.38, 0.33, 0.27, 0.2, 0.13]
    assert HELD not in folded([*[0.0] * 60, *flood], metric="depth")


def test_a_leap_faster_than_water_waits_for_one_more_report() -> None:
    assert folded([*ripples(60), 2.8, 2.8, 2.82])[-3:] == [HELD, WATER, WATER]


def test_a_head_that_leaps_to_and_fro_is_doubted_until_what_follows_moves_as_water_does() -> None:
    flicker = [v for i in range(3) for v in (*ripples(40, seed=i), 1.1)]
    rest = [*ripples(40, seed=8), *[1.1] * 30]
    said = folded([*flicker, *rest], 600.0)
    assert said[-30:] == [HELD] * 30
    filling = [0.9 + 0.01 * i for i in range(20)]
    said = folded([*flicker, *ripples(40, seed=8), *filling], 600.0)
    assert said[-20] == HELD and said[-10:] == [WATER] * 10


def test_doubt_fades() -> None:
    surface = Surface()
    for i, v in enumerate([*ripples(40), 1.1, *ripples(40), 1.1, *ripples(5)]):
        surface.fold(600.0 * i, v, LEVEL)
    assert surface.doubted(86 * 600.0)
    assert not surface.doubted(86 * 600.0 + 5 * 86400.0)


def test_it_is_plain_state() -> None:
    values = [*ripples(40), 1.1, *ripples(20), 2.9, 2.9, 3.0]
    whole, cut = Surface(), Surface()
    for i, v in enumerate(values):
        cut = msgspec.msgpack.decode(msgspec.msgpack.encode(cut), type=Surface)
        assert whole.fold(60.0 * i, v, LEVEL) == cut.fold(60.0 * i, v, LEVEL)
    assert whole == cut
