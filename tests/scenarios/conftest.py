"""Every story is told twice: straight, and with a restart before every act."""

from __future__ import annotations

import pytest

from tests.scenarios.script import Script


@pytest.fixture(params=[False, True], ids=["straight", "restarted"], autouse=True)
def cut_always(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts that do not say otherwise are cut, or not."""
    monkeypatch.setattr(Script, "cut_always", request.param)
