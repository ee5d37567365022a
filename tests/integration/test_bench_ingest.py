"""The speed benchmark runs as a whole: every part, everybody measured beside, on a tiny backlog."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.ingest.peers import install
from tests.servers import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MAY_BE_NULL = {
    "memory at this load: slope (95 % interval)",
    "  from the first to the last minute judged",
    "1,000 to 10,000/s: back to normal",
}
"""Memory cannot be judged in seconds, nor may a burst be over in what a tiny run waits."""


def test_every_part_says_its_figures(tmp_path: Path) -> None:
    """Nothing is asserted of how fast it is: other tests run beside it."""
    install.node_red()
    install.python()
    clean = {k: v for k, v in os.environ.items() if k not in ("ONLY", "SOAK", "RUNS", "LOAD")}
    environ = {**clean, "QUICK": "1", "MESSAGES": "4000", "BACKLOG": "30000", "SOAK": "0.1"}
    out = tmp_path / "told.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench.ingest", "--out", str(out)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = json.loads(out.read_text())
    assert "not installed" not in told["about"], told["about"]
    assert "did not come to its end" not in told["about"], done.stdout[-5000:]
    null = {f["figure"] for f in told["figures"] if f["value"] is None}
    assert null <= MAY_BE_NULL, null
    assert len(told["soak"]["samples"]) >= 5
