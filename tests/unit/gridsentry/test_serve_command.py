"""What `gridsentry serve` refuses before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridsentry.cli import main


def test_an_open_host_without_a_token_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("GRIDSENTRY_SERVICE_STATE_DIR", str(state))
    monkeypatch.setenv("GRIDSENTRY_CENTER_HOST", "0.0.0.0")
    assert main(["init", str(tmp_path / "city")]) == 0
    assert main(["serve", "--city", str(tmp_path / "city")]) == 2
    said = capfd.readouterr()
    assert "center.tokens" in said.err
    assert "starting" not in said.out
    assert not state.exists()
