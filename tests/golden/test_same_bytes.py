"""The same recording gives the same bytes, in another process with another hash seed too."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulators.recording import record
from simulators.settings import SimSettings
from simulators.town import build, write_city

ROOT = Path(__file__).resolve().parents[2]


def replay(tmp_path: Path, hash_seed: str, threads: str) -> bytes:
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads}
    return subprocess.run(
        [sys.executable, "-m", "gridsentry", "replay", "--city", str(tmp_path / "city"),
         str(tmp_path / "town.jsonl")],
        cwd=ROOT, env=env, check=True, capture_output=True,
    ).stdout  # fmt: skip


@pytest.mark.slow
def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    town = build(3)
    write_city(town, tmp_path / "city")
    settings = SimSettings(seed=3, cameras=1, fibre_first_s=20)
    record(town, settings, tmp_path / "town.jsonl", datetime(2026, 7, 1, 4, tzinfo=UTC), 1.0)
    first = replay(tmp_path, "1", "1")
    assert first.count(b'"type":"ticket"') >= 2
    assert replay(tmp_path, "2", "2") == first
