"""`init` writes what `check` accepts, and the schemas say what the reader does."""

from __future__ import annotations

import argparse
import csv
import io
import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from contracts.errors import Wrong
from gridsentry.city import load_city
from gridsentry.city.check import check_city, print_report, run
from gridsentry.city.init import init_city
from gridsentry.city.schema import schemas


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    init_city(tmp_path / "sample")
    return tmp_path / "sample"


def test_the_sample_has_one_of_everything_and_nothing_to_say_about_it(sample: Path) -> None:
    report = check_city(sample)
    assert (report.problems, report.warnings) == ((), ())
    city = load_city(sample)
    assert {device.type for device in city.devices.values()} >= {
        "camera",
        "water_level",
        "line_monitor",
        "otdr",
        "hydrant",
    }
    assert [(line.id, line.root) for line in city.lines] == [("feeder-1", "t-1")]
    assert city.fibres["fibre-1"].device == "otdr-1"
    assert any(zone.id == "F17-3" for zone in city.cameras["cam-1"].zones)
    assert city.drains is not None
    assert city.drains.nodes["level-1"].close_m == 0.27


def test_init_refuses_a_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(Wrong, match="something in it"):
        init_city(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_report_names_place_value_and_what_is_allowed(sample: Path) -> None:
    devices = sample / "devices.csv"
    devices.write_text(
        devices.read_text().replace("cam-1,sample,camera,118", "cam-1,sample,camera,918")
    )
    report = check_city(sample)
    assert not report.ok
    console = Console(record=True, width=200, file=io.StringIO())
    print_report(report, console)
    text = console.export_text()
    assert "devices.csv, line 3, column lon" in text
    assert "-180 to 180" in text
    assert "cannot be used" in text


def test_exit_codes(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def code(**given: object) -> int:
        return run(argparse.Namespace(**{"dir": None, "schema": False, **given}))

    assert code(dir=sample) == 0
    (sample / "city.toml").unlink()
    assert code(dir=sample) == 2
    assert code(dir=sample / "nowhere") == 2
    capsys.readouterr()
    assert code(schema=True) == 0
    assert "devices.csv" in json.loads(capsys.readouterr().out)["city"]
    with pytest.raises(Wrong, match="DIR"):
        code()


def test_the_schemas_accept_the_sample_and_refuse_what_the_reader_refuses(sample: Path) -> None:
    document = schemas()
    jsonschema.Draft202012Validator.check_schema({"$defs": document["$defs"]})

    def check(name: str, value: object) -> None:
        jsonschema.Draft202012Validator.check_schema(document["city"][name])
        schema = {**document["city"][name], "$defs": document["$defs"]}
        jsonschema.Draft202012Validator(schema).validate(value)

    check("city.toml", tomllib.loads((sample / "city.toml").read_text()))
    check("rules.toml", tomllib.loads((sample / "rules.toml").read_text()))
    check("cameras/{device}.toml", tomllib.loads((sample / "cameras/cam-1.toml").read_text()))
    for name in ("grids.geojson", "drains.geojson", "lines.geojson"):
        check(name, json.loads((sample / name).read_text()))
    lines = [line for line in (sample / "devices.csv").read_text().splitlines() if line[0] != "#"]
    rows = [
        {
            key: value.split(";") if key == "metrics" else value
            for key, value in row.items()
            if value
        }
        | {"lon": float(row["lon"]), "lat": float(row["lat"])}
        | {"reports_every_s": float(row["reports_every_s"])}
        for row in csv.DictReader(lines)
    ]
    check("devices.csv", rows)
    for wrong in ({"lonn": 1}, {"lat": 91}, {"id": "no blanks"}):
        with pytest.raises(jsonschema.ValidationError):
            check("devices.csv", [{**rows[0], **wrong}])


def test_the_schemas_cover_what_comes_in_and_goes_out() -> None:
    document = schemas()
    assert any(topic.endswith("/telemetry") for topic in document["in"])
    assert set(document["out"]) == {"event", "incident", "ticket"}
    schema = {**document["recording"]["line"], "$defs": document["$defs"]}
    jsonschema.validate({"at": "2026-05-01T00:00:00Z", "topic": "a", "text": "x"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"at": "2026-05-01T00:00:00Z", "text": "x"}, schema)


@pytest.mark.parametrize(
    ("ident", "says"),
    [("water", "water is a utility, too"), ("center", "center is called like an office")],
)
def test_nobody_is_called_like_somebody_else(sample: Path, ident: str, says: str) -> None:
    workers = sample / "workers.csv"
    workers.write_text(workers.read_text() + f"{ident},x,grid_worker,sample-1,,,118.77,32.06\n")
    report = check_city(sample)
    assert not report.ok
    assert any(says in str(problem) for problem in report.problems)
