"""`gridsentry record` as people call it, on made and on real files."""

from __future__ import annotations

import argparse
import csv
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.nouns import Arrival
from gridsentry.record import add_parser, read, run

CITY = {
    "city.toml": 'id = "demo"\ntimezone = "Asia/Shanghai"\n',
    "grids.geojson": json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"id": "g", "name": "g"},
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [[[118, 32], [119, 32], [119, 33], [118, 32]]],
                    },
                }
            ],
        }
    ),
    "devices.csv": "id,district,type,lon,lat\n"
    "cam-1,west,camera,118.5,32.2\nlv-1,west,level,118.5,32.2\notdr-1,west,otdr,118.5,32.2\n",
}


@pytest.fixture
def city(tmp_path: Path) -> Path:
    folder = tmp_path / "city"
    folder.mkdir()
    for name, text in CITY.items():
        (folder / name).write_text(text)
    return folder


def record(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return run(parser.parse_args(["record", *map(str, arguments)]))


def test_a_series_becomes_telemetry(tmp_path: Path, city: Path) -> None:
    (tmp_path / "s.csv").write_text("time,stage (ft)\n2026-05-01 16:00,1\n2026-05-01 16:05,2\n")
    out = tmp_path / "out.jsonl"
    mapping = "stage (ft)=level*0.3048"
    arguments = ("--from", tmp_path / "s.csv", "--city", city, "--device", "lv-1")
    series = ("--time", "time", "--tz", "Asia/Shanghai", "--metric", mapping)
    assert record("-o", out, *arguments, *series) == 0
    assert list(read(out)) == [
        Arrival(
            topic="gridsentry/v1/feed/west/lv-1/telemetry",
            payload=b'{"ts":"2026-05-01T08:00:00Z","m":{"level":0.3048}}',
            received_at=datetime(2026, 5, 1, 8, 0, tzinfo=UTC),
        ),
        Arrival(
            topic="gridsentry/v1/feed/west/lv-1/telemetry",
            payload=b'{"ts":"2026-05-01T08:05:00Z","m":{"level":0.6096}}',
            received_at=datetime(2026, 5, 1, 8, 5, tzinfo=UTC),
        ),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--device", "cam-9"],
        ["--device", "lv-1"],  # no --time
        ["--device", "lv-1", "--time", "t"],
        ["--device", "lv-1", "--time", "t", "--metric", "nothing"],
        ["--device", "lv-1", "--time", "t", "--metric", "v=level", "--tz", "Mars"],
        ["--device", "lv-1", "--time", "t", "--metric", "v=level", "--at", "noon"],
    ],
)
def test_wrong_usage_is_exit_2_and_leaves_no_file(
    tmp_path: Path, city: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.csv").write_text("t,v\n2026-05-01T08:00Z,1\n")
    out = tmp_path / "o" / "out.jsonl"
    assert record("-o", out, "--from", tmp_path / "s.csv", "--city", city, *wrong) == 2
    assert "gridsentry record: --" in capsys.readouterr().err
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


def test_sound_has_no_time_and_takes_at(tmp_path: Path, city: Path) -> None:
    (tmp_path / "s.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    out = tmp_path / "out.jsonl"
    arguments = ("--from", tmp_path / "s.wav", "--city", city, "--device", "cam-1")
    assert record("-o", out, *arguments, "--at", "2026-05-01T08:00:00Z") == 0
    (one,) = read(out)
    assert one.topic == "gridsentry/v1/feed/west/cam-1/clip/1777622400000"


class FakeSession:
    """Hands over what it was given, in twos."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        self.left, self.acknowledged, self.stopped = list(arrivals), 0, False

    def start(self) -> None: ...

    def take(self, limit: int, wait_s: float) -> list[Arrival]:
        taken, self.left = self.left[:2], self.left[2:]
        return taken

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        self.acknowledged += len(arrivals)

    def stop(self) -> None:
        self.stopped = True

    def health(self) -> dict[str, Any]:
        return {"connected": True}


def test_a_live_broker_is_recorded_and_acknowledged(tmp_path: Path) -> None:
    moment = datetime(2026, 5, 1, 8, tzinfo=UTC)
    sent = [Arrival(topic="a", payload=b"%d" % n, received_at=moment) for n in range(5)]
    session = FakeSession(sent)
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    out = tmp_path / "out.jsonl.gz"
    line = ["record", "-o", str(out), "--broker", "mqtt://b", "--topic", "#", "--seconds", "0.05"]
    assert run(parser.parse_args(line), lambda url, topic: session) == 0
    assert list(read(out)) == sent
    assert (session.acknowledged, session.stopped) == (5, True)


def test_a_broker_that_was_never_reached_is_an_error(tmp_path: Path) -> None:
    class Unreached(FakeSession):
        def health(self) -> dict[str, Any]:
            return {"connected": False, "last_error": "refused"}

    session = Unreached([])
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    out = tmp_path / "out.jsonl"
    line = ["record", "-o", str(out), "--broker", "mqtt://b", "--topic", "#", "--seconds", "0.05"]
    assert run(parser.parse_args(line), lambda url, topic: session) == 1
    assert session.stopped


# --- real files -------------------------------------------------------------------------------


@pytest.mark.recordings
def test_a_real_trace_carries_its_own_time(tmp_path: Path, city: Path, recordings: Path) -> None:
    source = recordings / "lines" / "otdr" / "1310_0001.sor"
    out = tmp_path / "out.jsonl"
    assert record("-o", out, "--from", source, "--city", city, "--device", "otdr-1") == 0
    (one,) = read(out)
    assert one.payload == source.read_bytes()
    assert one.received_at == datetime(2025, 2, 26, 14, 0, 6, tzinfo=UTC)
    assert one.topic.endswith("/otdr-1/trace/1740578406000")


@pytest.mark.recordings
def test_every_real_trace_can_be_recorded(tmp_path: Path, city: Path, recordings: Path) -> None:
    for source in sorted((recordings / "lines" / "otdr").glob("*.sor")):
        out = tmp_path / "out.jsonl"
        assert record("-o", out, "--from", source, "--city", city, "--device", "otdr-1") == 0, (
            source
        )


@pytest.mark.recordings
def test_a_comtrade_pair_becomes_one_zip_with_its_own_time(
    tmp_path: Path, city: Path, recordings: Path
) -> None:
    source = recordings / "lines" / "comtrade" / "wisp_2.cfg"
    outs = [tmp_path / "1.jsonl", tmp_path / "2.jsonl"]
    for out in outs:
        assert record("-o", out, "--from", source, "--city", city, "--device", "lv-1") == 0
    (one,), (two,) = read(outs[0]), read(outs[1])
    assert one == two
    with zipfile.ZipFile(io.BytesIO(one.payload)) as archive:
        assert archive.namelist() == ["wisp_2.cfg", "wisp_2.dat"]
        assert archive.read("wisp_2.dat") == source.with_suffix(".dat").read_bytes()
    assert "/record/" in one.topic


@pytest.mark.recordings
def test_a_street_flood_becomes_depth_in_metres(
    tmp_path: Path, city: Path, recordings: Path
) -> None:
    csv.field_size_limit(1 << 24)
    with (recordings / "drainage" / "floodnet_nyc" / "flood-events.csv").open() as file:
        event = next(row for row in csv.DictReader(file) if float(row["max_depth_inches"]) > 11)
    depths = json.loads(event["flood_profile_depth_inches"])
    seconds = json.loads(event["flood_profile_time_secs"])
    rows = [f"{s},{d}" for s, d in zip(seconds, depths, strict=True)]
    (tmp_path / "flood.csv").write_text("\n".join(["s,inch", *rows]))
    out = tmp_path / "out.jsonl"
    arguments = ("--from", tmp_path / "flood.csv", "--city", city, "--device", "lv-1")
    series = ("--time", "s", "--metric", "inch=depth*0.0254", "--at", "2026-05-01T00:00:00Z")
    assert record("-o", out, *arguments, *series) == 0
    got = [json.loads(one.payload)["m"]["depth"] for one in read(out)]
    assert got == pytest.approx([d * 0.0254 for d in depths])


@pytest.mark.recordings
@pytest.mark.slow
def test_the_real_falling_box_becomes_eleven_segments(
    tmp_path: Path, city: Path, recordings: Path
) -> None:
    source = recordings / "falls" / "pos_office1_box.mp4"
    out = tmp_path / "out.jsonl"
    arguments = ("--from", source, "--city", city, "--device", "cam-1")
    assert record("-o", out, *arguments, "--at", "2026-05-01T08:00:00Z") == 0
    found = list(read(out))
    assert len(found) == 11
    assert found[1].topic == "gridsentry/v1/feed/west/cam-1/segment/1777622401001"
    assert [one.received_at for one in found] == sorted(one.received_at for one in found)
    assert found[0].received_at.isoformat() == "2026-05-01T08:00:01.001000+00:00"
