"""Series in CSV and Parquet become telemetry, one message a row, nothing invented."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.errors import Wrong
from gridsentry.record.series import Mapping, message, read_mapping, read_series

T0 = datetime(2026, 5, 1, 8, tzinfo=UTC)


def csv_file(path: Path, text: str) -> Path:
    (path / "s.csv").write_text(text)
    return path / "s.csv"


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("a=level", Mapping("a", "level")),
        ("USGS:015:00065=level*0.3048", Mapping("USGS:015:00065", "level", 0.3048)),
        ("x = y=level*1e-3+0.5", Mapping("x = y", "level", 0.001, 0.5)),
        ("深度 (mm)=depth*-.001-2", Mapping("深度 (mm)", "depth", -0.001, -2)),
    ],
)
def test_a_mapping_names_column_metric_factor_and_offset(text: str, mapping: Mapping) -> None:
    assert read_mapping(text) == mapping


@pytest.mark.parametrize("text", ["level", "=level", "a=", "a=level*", "a=level*x", "a=level+1"])
def test_a_mapping_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Wrong, match="--metric"):
        read_mapping(text)


def test_rows_become_messages_in_si_units(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "t,ft,q\n2026-05-01T08:00:00Z,0.93,\n2026-05-01T08:05:00Z,NaN,\n")
    found = read_series(path, "t", [Mapping("ft", "level", 0.3048)], zone=None, at=None)
    assert [json.loads(message(row)) for row in found.rows] == [
        {"ts": "2026-05-01T08:00:00Z", "m": {"level": 0.283464}}
    ]
    assert (found.empty_cells, found.empty_rows) == (1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01 16:00",
        "2026/05/01 16:00:00",
        "2026-05-01T08:00:00Z",
        "2026-05-01T16:00+08:00",
        "1777622400",
        "1777622400000",
    ],
)
def test_times_are_read_as_people_write_them(tmp_path: Path, text: str) -> None:
    path = csv_file(tmp_path, f"t,v\n{text},1\n")
    zone = ZoneInfo("Asia/Shanghai")
    found = read_series(path, "t", [Mapping("v", "level")], zone=zone, at=None)
    assert found.rows[0].at == T0


def test_a_naive_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "t,v\n2026-05-01 08:00,1\n")
    with pytest.raises(Wrong, match=r"s\.csv, line 2, column t.*--tz"):
        read_series(path, "t", [Mapping("v", "level")], zone=None, at=None)


def test_seconds_from_the_beginning_need_at(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "s,v\n0,1\n63,2\n")
    with pytest.raises(Wrong, match="--at"):
        read_series(path, "s", [Mapping("v", "depth")], zone=None, at=None)
    found = read_series(path, "s", [Mapping("v", "depth")], zone=None, at=T0)
    assert [(row.at - T0).total_seconds() for row in found.rows] == [0, 63]


def test_at_moves_a_series_so_that_it_begins_there(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "t,v\n2020-01-01T00:01Z,2\n2020-01-01T00:00Z,1\n")
    found = read_series(path, "t", [Mapping("v", "depth")], zone=None, at=T0)
    assert [((row.at - T0).total_seconds(), row.values["depth"]) for row in found.rows] == [
        (0, 1),
        (60, 2),
    ]
    assert found.resorted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("t,v\n2026-05-01T08:00Z,Ice\n", "line 2, column v: 'Ice'"),
        ("t,w\n2026-05-01T08:00Z,1\n", "no column 'v'"),
        ("t,v\n,1\n", "line 2, column t: empty"),
        ("t,v\n2026-05-01T08:00Z,\n", "no row with a value"),
    ],
)
def test_what_is_no_series_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        read_series(csv_file(tmp_path, text), "t", [Mapping("v", "level")], zone=None, at=None)


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    table = pa.table(
        {
            "v = x": pa.array([1.0, None, float("nan")]),
            "t": pa.array([T0] * 3, pa.timestamp("ns", tz="Asia/Shanghai")),
        }
    )
    pq.write_table(table, tmp_path / "s.parquet")
    mapping = read_mapping("v = x=level")
    found = read_series(tmp_path / "s.parquet", "t", [mapping], zone=None, at=None)
    assert [(row.at, row.values) for row in found.rows] == [(T0, {"level": 1.0})]
    assert found.empty_cells == 2


@pytest.mark.recordings
def test_dead_run_stage_is_read_in_metres(recordings: Path) -> None:
    path = recordings / "drainage" / "usgs" / "deadrun_instant.parquet"
    mapping = read_mapping("USGS:01589330:00065:00000=level*0.3048")
    found = read_series(path, "datetimeUTC", [mapping], zone=None, at=None)
    assert len(found.rows) + found.empty_rows == 8928
    assert json.loads(message(found.rows[0])) == {
        "ts": "2018-06-01T04:00:00Z",
        "m": {"level": 0.283464},
    }
