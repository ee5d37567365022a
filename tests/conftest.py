"""Fixtures every test may use."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECORDINGS = Path(os.environ.get("GRIDSENTRY_RECORDINGS", ROOT.parent / "shared" / "data"))
LEFT_OUT = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings; tests that use it carry the mark `recordings`."""
    return RECORDINGS


@pytest.fixture
def small_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer's loop tidies its heap when it is built: seconds, when it is that of all tests."""
    monkeypatch.setattr(gc, "collect", lambda *_: 0)


def pytest_configure() -> None:
    """In CI the recordings must be there."""
    if os.environ.get("CI") and not RECORDINGS.is_dir():
        raise pytest.UsageError(f"CI must have the recordings, but {RECORDINGS} is not a folder")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests on recordings where the folder is not there."""
    needing = {item for item in items if item.get_closest_marker("recordings")}
    if RECORDINGS.is_dir() or not needing:
        return
    items[:] = [item for item in items if item not in needing]
    config.hook.pytest_deselected(items=list(needing))
    config.stash[LEFT_OUT] = len(needing)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells its controller, who writes the summary."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects the same tests, so one worker's count is the count."""
    left_out = getattr(node, "workeroutput", {}).get("left_out", 0)
    node.config.stash[LEFT_OUT] = max(left_out, node.config.stash.get(LEFT_OUT, 0))


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
