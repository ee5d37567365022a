"""The main job on real input: recordings made by `record` become tickets in `replay`."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.geo import Point, along, distance_m
from gridsentry.cli import main
from tests.golden.cities import feature, write

pytestmark = pytest.mark.recordings

Lines = list[dict[str, Any]]


def replayed(capsysbinary: pytest.CaptureFixture[bytes], *args: object) -> Lines:
    """What `gridsentry replay` prints."""
    capsysbinary.readouterr()
    assert main(["replay", *map(str, args)]) == 0
    return [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]


def of(lines: Lines, type_: str, kind: str) -> Lines:
    """The lines of that type and kind."""
    return [line for line in lines if line["type"] == type_ and line.get("kind") == kind]


@pytest.mark.slow
def test_the_real_falling_box_is_exactly_one_throw_with_its_clip(
    recordings: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    city = write(tmp_path / "city", ["cam,d,camera,118.05,26.05,,,,"])
    out = tmp_path / "box.jsonl"
    video = recordings / "falls" / "pos_office1_box.mp4"
    at = "2026-06-01T08:00:00Z"
    assert main(["record", "-o", str(out), "--from", str(video), "--city", str(city),
                 "--device", "cam", "--at", at]) == 0  # fmt: skip
    lines = replayed(
        capsysbinary, "--city", city, "--evidence", tmp_path / "ev", "--no-escalate", out
    )
    throws = of(lines, "event", "high_altitude_throw")
    assert len({line["id"] for line in throws}) == 1
    last = throws[-1]
    assert (tmp_path / "ev" / last["clip"]).stat().st_size > 10_000
    assert (tmp_path / "ev" / last["still"]).stat().st_size > 10_000
    assert last["origin"] is None, "an uncalibrated camera names no window"
    onset = datetime.fromisoformat(last["at"]) - datetime.fromisoformat(at)
    assert abs(onset - timedelta(seconds=216 / 29.97)) < timedelta(seconds=1)
    opened = [t for t in of(lines, "ticket", "high_altitude_throw") if t["change"] == "opened"]
    assert [(t["worker"], t["utility"]) for t in opened] == [("w-1", "city")]


def foreseeable_floods(recordings: Path) -> list[tuple[datetime, list[float], list[int]]]:
    """Real floods that reach 27 cm after at least one sample between 5 and 27 cm, deepest first.

    A profile that jumps from dry over the line between two samples cannot be foreseen by anybody.
    """
    found = []
    table = recordings / "drainage" / "floodnet_nyc" / "flood-events.csv"
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            depths = [0.0254 * d for d in json.loads(row["flood_profile_depth_inches"])]
            seconds = json.loads(row["flood_profile_time_secs"])
            close = next((i for i, d in enumerate(depths) if d >= 0.27), None)
            if close and any(0.05 <= d < 0.27 for d in depths[:close]):
                start = datetime.fromisoformat(row["flood_start_time"]).replace(tzinfo=UTC)
                found.append((start, depths, seconds))
    return sorted(found, key=lambda flood: -max(flood[1]))


def write_series(path: Path, flood: tuple[datetime, list[float], list[int]]) -> datetime:
    """The flood after a day of dry readings, as CSV in inches; when it first reaches 27 cm."""
    start, depths, seconds = flood
    dry = [(start - timedelta(minutes=m), 0.0) for m in range(1440, 0, -1)]
    wet = [(start + timedelta(seconds=s), d) for s, d in zip(seconds, depths, strict=True)]
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["time", "inches"])
        out.writerows((at.isoformat(), round(depth / 0.0254, 2)) for at, depth in dry + wet)
    return next(at for at, depth in wet if depth >= 0.27)


@pytest.mark.parametrize("nth", [0, 3, 9, 20, 40, 70])
def test_a_real_street_flood_is_known_before_the_closing_line(
    recordings: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], nth: int
) -> None:
    line = feature("Point", [118.06, 26.05], id="street", warn_m=0.15, close_m=0.27)
    city = write(tmp_path / "city", ["street,d,drain,118.06,26.05,water,,60,depth"], drains=[line])
    closing = write_series(tmp_path / "flood.csv", foreseeable_floods(recordings)[nth])
    out = tmp_path / "flood.jsonl"
    assert main(["record", "-o", str(out), "--from", str(tmp_path / "flood.csv"), "--city",
                 str(city), "--device", "street", "--time", "time",
                 "--metric", "inches=depth*0.0254"]) == 0  # fmt: skip
    lines = replayed(capsysbinary, "--city", city, out)
    known = min(datetime.fromisoformat(e["known_at"]) for e in of(lines, "event", "flooding"))
    assert closing - timedelta(hours=6) < known < closing
    opened = [t for t in of(lines, "ticket", "flooding") if t["change"] == "opened"]
    assert opened[0]["worker"] == "w-1"
    assert opened[0]["utility"] == "water"


@pytest.mark.slow
def test_a_real_stream_is_known_to_flood_before_its_closing_line(
    recordings: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    line = feature("Point", [118.07, 26.05], id="river", warn_m=1.0, close_m=1.5)
    city = write(tmp_path / "city", ["river,d,stream,118.07,26.05,water,,300,level"], drains=[line])
    out = tmp_path / "usgs.jsonl.gz"
    table = recordings / "drainage" / "usgs" / "deadrun_instant.parquet"
    assert main(["record", "-o", str(out), "--from", str(table), "--city", str(city),
                 "--device", "river", "--time", "datetimeUTC",
                 "--metric", "USGS:01589330:00065:00000=level*0.3048"]) == 0  # fmt: skip
    floods = of(replayed(capsysbinary, "--city", city, out), "event", "flooding")
    known: dict[str, datetime] = {}
    for event in floods:
        known.setdefault(event["id"], datetime.fromisoformat(event["known_at"]))
    # The gauge first stands at 1.5 m or more at 21:35 on 3 June and at 09:50 on 11 June (UTC).
    for closing in (
        datetime(2018, 6, 3, 21, 35, tzinfo=UTC),
        datetime(2018, 6, 11, 9, 50, tzinfo=UTC),
    ):
        assert any(closing - timedelta(hours=6) < at < closing for at in known.values())
    days = {at.date().isoformat() for at in known.values()}
    assert days == {"2018-06-03", "2018-06-11"}, "no flood on other days"


def test_the_real_broken_fibre_is_one_break_on_the_map(
    recordings: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = [[118.0, 26.1], [118.05, 26.12], [118.1, 26.1]]
    fibre = feature(
        "LineString", path, id="cable", kind="fibre", owner="telecom",
        start=0, direction="forward", baseline="healthy.sor",
    )  # fmt: skip
    city = write(tmp_path / "city", ["otdr,d,otdr,118.0,26.1,telecom,cable,,"], lines=[fibre])
    otdr = recordings / "lines" / "otdr"
    (city / "healthy.sor").write_bytes((otdr / "1310_0001.sor").read_bytes())
    out = tmp_path / "fibre.jsonl"
    assert main(["record", "-o", str(out), "--from", str(otdr / "1310_0002.sor"),
                 "--city", str(city), "--device", "otdr"]) == 0  # fmt: skip
    lines = replayed(capsysbinary, "--city", city, out)
    breaks = of(lines, "event", "fibre_break")
    assert len({line["id"] for line in breaks}) == 1
    assert abs(breaks[-1]["distance_m"] - 868) <= 15
    there = along(tuple(Point(*p) for p in path), breaks[-1]["distance_m"])
    assert distance_m(there, Point(**breaks[-1]["point"])) < 1
    opened = [t for t in of(lines, "ticket", "fibre_break") if t["change"] == "opened"]
    assert [t["utility"] for t in opened] == ["telecom"]


def test_the_healthy_trace_first_teaches_what_the_broken_one_lacks(
    recordings: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    fibre = feature("LineString", [[118.0, 26.1], [118.1, 26.1]], id="cable", start=0,
                    direction="forward")  # fmt: skip
    city = write(tmp_path / "city", ["otdr,d,otdr,118.0,26.1,telecom,cable,,"], lines=[fibre])
    parts = []
    for name in ("1310_0001", "1310_0002"):
        parts.append(tmp_path / f"{name}.jsonl")
        source = recordings / "lines" / "otdr" / f"{name}.sor"
        assert main(["record", "-o", str(parts[-1]), "--from", str(source), "--city", str(city),
                     "--device", "otdr"]) == 0  # fmt: skip
    out = tmp_path / "both.jsonl"
    assert main(["record", "-o", str(out), "--merge", *map(str, parts)]) == 0
    breaks = of(replayed(capsysbinary, "--city", city, out), "event", "fibre_break")
    assert len({line["id"] for line in breaks}) == 1
    assert abs(breaks[-1]["distance_m"] - 868) <= 15
