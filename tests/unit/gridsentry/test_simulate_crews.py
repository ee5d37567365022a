"""`gridsentry simulate --crews`, and the demo that uses it."""

from __future__ import annotations

import argparse
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.errors import Wrong
from gridsentry import config
from gridsentry.cli import main
from gridsentry.commands import demo, simulate
from simulators.settings import SimSettings


def test_crews_need_a_live_town(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--record", "x.jsonl", "--crews", "http://127.0.0.1:1"]) == 2
    assert "--broker" in capfd.readouterr().err


def test_without_crews_nobody_acts() -> None:
    assert simulate.crews(argparse.Namespace(crews=None, token=None), SimSettings()) is None


def test_a_wrong_url_is_told_before_anything_starts() -> None:
    with pytest.raises(Wrong, match="http://"):
        simulate.crews(argparse.Namespace(crews="center:8080", token=None), SimSettings())


@pytest.mark.parametrize("no_crews", [False, True])
def test_the_demo_sends_its_crews_to_its_own_page(
    monkeypatch: pytest.MonkeyPatch, no_crews: bool
) -> None:
    started: dict[str, Any] = {}

    def popen(command: list[str], **more: Any) -> None:
        started.update(more, command=command)

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setenv(
        "GRIDSENTRY_CENTER_TOKENS",
        '[{"token": "a-viewer-of-sixteen", "name": "v"}, '
        '{"token": "an-operators-secret", "name": "o", "role": "operator"}]',
    )
    args = argparse.Namespace(seed=5, warm="1h", no_crews=no_crews, verbose=False)
    service: Any = SimpleNamespace(
        url="http://127.0.0.1:8080", mqtt=SimpleNamespace(host="127.0.0.1", port=1883)
    )
    demo.start_town(args, config.load(None), service)
    assert ("http://127.0.0.1:8080" in started["command"]) is not no_crews
    assert "an-operators-secret" not in started["command"]  # seen in the process list
    assert (started["env"].get("GRIDSENTRY_TOKEN") == "an-operators-secret") is not no_crews
