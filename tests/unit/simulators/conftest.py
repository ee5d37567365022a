"""One town for all tests of the simulators."""

from __future__ import annotations

import pytest

from simulators.town import Town, build


@pytest.fixture(scope="session")
def town() -> Town:
    """The town of seed 7."""
    return build(7)
