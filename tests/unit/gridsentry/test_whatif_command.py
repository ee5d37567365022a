"""`gridsentry whatif`: from a recording to a table for each policy."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Wrong
from contracts.nouns import Arrival
from gridsentry.cli import main
from gridsentry.commands.whatif import policy
from gridsentry.record.format import Writer
from router.settings import RouterSettings

START = datetime(2026, 7, 14, 2, 0, tzinfo=UTC)
LON, LAT = 118.7706, 32.0609


def arrival(after_s: float, topic: str, **message: Any) -> Arrival:
    at = START + timedelta(seconds=after_s)
    payload = json.dumps({**message, "ts": int(at.timestamp() * 1000)}).encode()
    return Arrival(
        topic=topic, payload=payload, received_at=at + timedelta(seconds=1), retained=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh city with an app, and a recording of four reports and where a worker was."""
    home = tmp_path_factory.mktemp("whatif")
    main(["init", str(home / "city")])
    with (home / "city" / "devices.csv").open("a") as file:
        file.write(f"app-1,sample,app,{LON},{LAT},,,,\n")
    with (home / "city" / "workers.csv").open("a") as file:
        file.write(f"w-3,王五,grid_worker,sample-1-1,,,{LON + 0.004},{LAT}\n")
    with Writer(home / "rain.jsonl") as writer:
        writer.write(arrival(0, "gridsentry/v1/worker/w-3/position", lon=LON + 0.002, lat=LAT))
        for n in range(4):
            writer.write(
                arrival(
                    60 * (n + 1),
                    "gridsentry/v1/feed/sample/app-1/report",
                    id=f"r-{n}",
                    text="路口积水",
                    lon=LON + 0.0011 * n,
                    lat=LAT,
                    kind="flooding",
                    reporter="resident:li",
                )
            )
    return home


def asked(folder: Path, *more: str) -> list[str]:
    return ["whatif", str(folder / "rain.jsonl"), "--city", str(folder / "city"), *more]


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_both_policies_answer_for_the_same_tickets_and_repeat_themselves(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(asked(folder, "--json")) == 0
    joint, each = told(capsys)
    assert (joint["policy"], each["policy"]) == ("joint", "each")
    for outcome in (joint, each):
        whole = outcome["groups"]["all"]
        assert whole["tickets"] == whole["reached"] == 4
        assert 0 < whole["accept_median_s"] <= whole["accept_p90_s"] < whole["arrive_p90_s"]
        assert whole["km"] > 0
        kept, judged = whole["on_time"]["arrive"]
        assert 0 <= kept <= judged == 4
        assert outcome["refused"] == 0
    assert main(asked(folder, "--json")) == 0
    assert told(capsys) == [joint, each]


def test_other_people_are_another_story_and_a_file_is_a_policy(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calm = tmp_path / "calm.toml"
    calm.write_text('[router]\npolicy = "each"\n')
    assert main(asked(folder, "--policy", str(calm), "--policy", "each", "--json")) == 0
    by_file, by_name = told(capsys)
    assert by_file["groups"] == by_name["groups"]
    assert by_file["policy"] == str(calm)
    assert main(asked(folder, "--policy", "each", "--seed", "2", "--json")) == 0
    (other,) = told(capsys)
    assert other["groups"]["all"]["arrive_median_s"] != by_name["groups"]["all"]["arrive_median_s"]


def test_the_tables_stand_side_by_side(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(asked(folder)) == 0
    shown = capsys.readouterr().out
    heads = next(line for line in shown.splitlines() if "seed 1" in line)
    assert "joint" in heads
    assert "each" in heads
    assert "minutes from opening" in shown


def test_what_is_no_policy_says_what_would_be_one(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(asked(folder, "--policy", "nearest")) == 2
    assert "joint, each, FILE" in capsys.readouterr().err
    odd = tmp_path / "odd.toml"
    odd.write_text("[router]\nstabillity_s = 1\n")
    with pytest.raises(Wrong, match="stabillity_s"):
        policy(str(odd), RouterSettings())
    odd.write_text("[router\n")
    with pytest.raises(Wrong, match="TOML"):
        policy(str(odd), RouterSettings())


def test_a_file_changes_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("walking_mps = 2.0\n")
    base = RouterSettings(join_radius_m=70.0)
    found = policy(str(own), base)
    assert (found.walking_mps, found.join_radius_m) == (2.0, 70.0)


def test_rain_that_was_forecast_calls_for_its_rounds_under_each_policy(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "city", tmp_path / "city")
    with (tmp_path / "city" / "devices.csv").open("a") as file:
        file.write(f"sky-1,sample,weather,{LON},{LAT},,,,\n")
    (tmp_path / "city" / "patrols.toml").write_text(
        '[[patrol]]\nid = "drains"\nname = "查井"\nwhen = "rain"\nfrom_mm_h = 8.0\n'
        f"points = [[{LON + 0.003}, {LAT}]]\n"
    )
    with Writer(tmp_path / "rain.jsonl") as writer:
        topic = "gridsentry/v1/feed/sample/sky-1/telemetry"
        writer.write(arrival(0, topic, m={"rain_forecast": 5.0}))
        writer.write(arrival(30, topic, m={"rain_forecast": 20.0}))
        report = {"id": "r-1", "text": "路口积水", "kind": "flooding", "reporter": "resident:li"}
        where = {"lon": LON, "lat": LAT}
        writer.write(arrival(600, "gridsentry/v1/feed/sample/app-1/report", **report, **where))
    capsys.readouterr()
    asked = ["whatif", str(tmp_path / "rain.jsonl"), "--city", str(tmp_path / "city"), "--json"]
    assert main(asked) == 0
    for outcome in told(capsys):
        assert outcome["groups"]["patrol"]["tickets"] == 1
        assert outcome["groups"]["patrol"]["closed"] == 1, "simulated people make it"
        assert outcome["refused"] == 0


def test_a_recording_of_nothing_is_no_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = folder / "empty.jsonl"
    empty.write_text("")
    assert main(["whatif", str(empty), "--city", str(folder / "city")]) == 0
    assert "nothing" in capsys.readouterr().err
