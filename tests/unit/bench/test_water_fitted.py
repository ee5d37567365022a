"""What is fitted of streets, on floods whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from bench.water import fitted
from bench.water.floodnet import Flood


def flood(number: int, top: float, minutes: int) -> Flood:
    """Rises evenly to `top` metres, then stands."""
    depth = tuple(min(top, top * i / minutes) for i in range(minutes + 30))
    return Flood(
        number=number,
        sensor=f"s{number}",
        tidal=False,
        t=tuple(60.0 * i for i in range(len(depth))),
        depth=depth,
    )


@pytest.fixture(scope="module")
def found() -> list[fitted.Moment]:
    """Quick rises come over every line, slow ones stop below: pace tells them apart."""
    floods = [flood(i, 0.5, 15 + i) for i in range(6)]
    floods += [flood(10 + i, 0.11, 60 + i) for i in range(6)]
    return list(fitted.moments(floods))


def test_faster_and_fuller_is_never_less_likely(found: list[fitted.Moment]) -> None:
    coefficients = fitted.odds(found)
    assert (coefficients[fitted.NOT_NEGATIVE] >= 0).all()
    scores = np.array([one.row for one in found]) @ coefficients
    came = np.array([one.left_s is not None for one in found])
    assert np.median(scores[came]) > 0 > np.median(scores[~came])


def test_no_moment_is_of_the_line_or_after_it(found: list[fitted.Moment]) -> None:
    assert all(one.left_s is None or one.left_s > 0 for one in found)


def test_quantiles_hold_what_they_say(found: list[fitted.Moment]) -> None:
    came = [one for one in found if one.left_s is not None]
    low, middle, high = fitted.quantiles(came)
    assert fitted.covered(came, (low, middle, high)) == pytest.approx(0.8, abs=0.1)
