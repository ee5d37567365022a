"""`gridsentry adapt` shows what a sample becomes; `gridsentry learn` proposes what reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gridsentry.cli import main

SAMPLE = {"ts": 1795330800000, "device": "d-9", "m": {"level": 0.43}}


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.json"
    path.write_text(json.dumps(SAMPLE))
    return path


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_sample_is_shown_as_the_readings_it_becomes(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["adapt", str(sample), "--topic", "x/d-9", "--use", "json_mapping"]
    assert main([*words, "--set", "mapping=flat", "--json"]) == 0
    (told,) = lines(capsys)
    assert told == {
        "what": "reading", "device": "d-9", "metric": "level", "value": "0.43",
        "at": "2026-11-22T07:00:00+00:00", "note": "not registered yet",
    }  # fmt: skip
    assert main([*words, "--set", "mapping=flat"]) == 0
    assert "level" in capsys.readouterr().out


def test_a_value_in_another_unit_is_doubted_and_a_picture_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "odd.json"
    odd.write_text('{"level": 1234}')
    assert main(["adapt", str(odd), "--topic", "s/d-9", "--use", "json_mapping",
                 "--set", "mapping=flat", "--json"]) == 0  # fmt: skip
    (told,) = lines(capsys)
    assert told["note"].startswith("no level is 1234 m: give its unit")
    snapshot = tmp_path / "s.jpg"
    snapshot.write_bytes(cv2.imencode(".jpg", np.zeros((9, 16, 3), np.uint8))[1].tobytes())
    words = ["--topic", "frigate/cam-1/car/snapshot", "--use", "frigate", "--json"]
    assert main(["adapt", str(snapshot), *words]) == 0
    (told,) = lines(capsys)
    assert (told["what"], told["device"], told["metric"]) == ("picture", "cam-1", "car")
    assert main(["adapt", str(odd), *words]) == 1
    assert lines(capsys)[0]["what"] == "bad_jpeg"


def test_what_cannot_be_read_is_said_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    assert main(["adapt", str(bad), "--topic", "x", "--use", "senml", "--json"]) == 1
    (told,) = lines(capsys)
    assert told["what"] == "not_json" and told["note"]


def test_a_recording_is_heard_learned_and_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording, mapping = tmp_path / "rec.jsonl", tmp_path / "mappings" / "acme.toml"
    with recording.open("w") as file:
        for k in range(4):
            body = {"sn": f"S{k % 2}", "time": f"2026-11-22T07:0{k}:00Z", "level_cm": 40 + k}
            line = {"at": f"2026-11-22T07:0{k}:01Z", "topic": f"acme/{k % 2}", "payload": body}
            file.write(json.dumps(line) + "\n")
    words = ["learn", "acme/+", "--recording", str(recording), "--out", str(mapping)]
    assert main(words) == 0
    assert "reads 4 of 4" in capsys.readouterr().err
    assert main(words) == 2, "what is there is not replaced"
    assert "--force" in capsys.readouterr().err
    adapt = ["adapt", str(recording), "--topic", "acme/+", "--mapping", str(mapping), "--json"]
    assert main(adapt) == 0
    told = lines(capsys)
    assert [(t["device"], t["metric"], float(t["value"])) for t in told] == [
        ("S0", "level", 0.4), ("S1", "level", 0.41), ("S0", "level", 0.42), ("S1", "level", 0.43),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["adapt", "nowhere.json", "--topic", "x", "--use", "senml"],
        ["adapt", "nowhere.json", "--topic", "x"],
        ["adapt", "x.json", "--use", "nothing", "--topic", "x"],
        ["learn", "a#b"],
    ],
)
def test_wrong_usage_is_told_without_a_traceback(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("gridsentry: ")
