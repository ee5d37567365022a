"""A passing crane tears what hangs over the main road: from the blow to both utilities' tickets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulators.recording import record
from simulators.settings import SimSettings
from simulators.town import build, write_city

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 5, 1, 2, tzinfo=UTC)
KNOBS = {
    "cameras": 0,
    "crane_p": 1.0,
    "cable_every_s": 60.0,
    "cable_restored_s": 90.0,
    "fibre_first_s": 0.0,
    "worker_every_s": (60.0, 90.0),
    "cover_first_s": 0.0,
    "hydrant_first_s": 0.0,
}


@pytest.mark.slow
def test_power_and_telecom_are_sent_to_the_same_torn_span(tmp_path: Path) -> None:
    town = build(9)
    write_city(town, tmp_path / "city")
    settings = SimSettings(seed=9, **KNOBS)  # type: ignore[arg-type]
    truth, recording = tmp_path / "truth.jsonl", tmp_path / "town.jsonl"
    record(town, settings, recording, START, 6.0, truth=truth)
    told = [json.loads(line) for line in truth.read_text().splitlines()]
    torn = next(e for e in told if e["kind"] == "fibre_break")
    cut = next(e for e in told if e["kind"] == "severed_cable" and e["at"] == torn["at"])
    assert cut["details"]["cause"] == "crane"
    out = subprocess.run(
        [sys.executable, "-m", "gridsentry", "replay", "--city", str(tmp_path / "city"),
         str(recording), "--no-escalate", "--tail", "60"],
        cwd=ROOT, env=os.environ, check=True, capture_output=True,
    ).stdout  # fmt: skip
    lines = [json.loads(line) for line in out.splitlines()]
    at = datetime.fromisoformat(cut["at"])
    events = [
        line
        for line in lines
        if line["type"] == "event"
        and line["kind"] == "severed_cable"
        and at <= datetime.fromisoformat(line["known_at"]) < at + timedelta(seconds=90)
    ]
    first, sure = events[0], next(e for e in events if e["evidence"]["state"] == "confirmed")
    assert datetime.fromisoformat(first["known_at"]) - at < timedelta(seconds=2)
    assert datetime.fromisoformat(sure["known_at"]) - at < timedelta(seconds=5)
    assert events[-1]["evidence"]["spans"][0][0] == cut["where"]
    sent = {
        line["utility"]
        for line in lines
        if line["type"] == "ticket"
        and line["kind"] in ("severed_cable", "fibre_break")
        and at <= datetime.fromisoformat(line["known_at"]) < at + timedelta(seconds=90)
    }
    assert sent >= {"power", "telecom"}
