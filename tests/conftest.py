"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECORDINGS = Path(os.environ.get("GRIDSENTRY_RECORDINGS", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings; tests that use it carry the mark `recordings`."""
    return RECORDINGS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests on recordings where the folder is not there; in CI that is a failure."""
    if RECORDINGS.is_dir():
        return
    needing = [item for item in items if item.get_closest_marker("recordings")]
    if not needing:
        return
    if os.environ.get("CI"):
        raise pytest.UsageError(f"CI must have the recordings, but {RECORDINGS} is not a folder")
    kept = [item for item in items if item not in needing]
    config.hook.pytest_deselected(items=needing)
    items[:] = kept
    config.stash[LEFT_OUT] = len(needing)


LEFT_OUT = pytest.StashKey[int]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say in one line what was left out, and why."""
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(
            f"left out: {left_out} tests on real recordings, because {RECORDINGS} is not there "
            "(set GRIDSENTRY_RECORDINGS to run them)"
        )
