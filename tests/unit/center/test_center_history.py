"""History is handed out at the grain that fits, in three forms, of one's own part of the city."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pyarrow as pa
import pytest

from center.history import grain_for
from contracts.clock import epoch_ms, iso
from tests.unit.center.conftest import Client
from tests.unit.center.scene import START, Scene

PATH = "/api/v1/history"
KEPT = {"1m": timedelta(days=14), "15m": timedelta(days=400)}


@pytest.fixture
def measured(scene: Scene) -> Scene:
    for minute in range(180):
        at = START - timedelta(minutes=180 - minute)
        scene.desk.measurements.append(("s-1", "level", at, 0, float(minute)))
    scene.desk.measurements.append(("s-2", "level", START - timedelta(minutes=5), 0, 7.0))
    return scene


def test_the_last_hour_is_the_readings_themselves(client: Client, measured: Scene) -> None:
    told = client.get(f"{PATH}?device=s-1&metric=level").json
    assert told["resolution"] == "raw"
    (one,) = told["series"]
    assert (one["device"], one["metric"], one["unit"]) == ("s-1", "level", "m")
    assert one["value"] == [float(minute) for minute in range(120, 180)]
    assert one["t"][0] == epoch_ms(START - timedelta(hours=1))
    assert "n" not in one


def test_longer_is_rolled_up_to_as_many_points_as_are_wanted(
    client: Client, measured: Scene
) -> None:
    since = iso(START - timedelta(hours=3))
    told = client.get(f"{PATH}?device=s-1&since={since}&points=20").json
    assert told["resolution"] == "15m"
    (one,) = told["series"]
    assert len(one["t"]) == len(one["value"]) == len(one["low"]) == len(one["n"]) <= 13
    assert sum(one["n"]) == 180 and min(one["low"]) == 0.0 and max(one["high"]) == 179.0


def test_without_devices_all_that_have_the_metric_answer(client: Client, measured: Scene) -> None:
    told = client.get(f"{PATH}?metric=level").json
    assert [one["device"] for one in told["series"]] == ["s-1", "s-2"]
    assert client.get(PATH).json["error"] == "device_missing"


def test_a_spreadsheet_and_arrow_say_the_same(client: Client, measured: Scene) -> None:
    query = f"{PATH}?device=s-1,s-2&resolution=1m"
    rows = client.get(f"{query}&format=csv").body.decode("utf-8-sig").splitlines()
    assert rows[0] == "device,metric,time,value,low,high,n"
    answer = client.get(f"{query}&format=arrow")
    table = pa.ipc.open_stream(BytesIO(answer.body)).read_all()
    assert table.num_rows == len(rows) - 1 == 61
    assert table.schema.metadata[b"resolution"] == b"1m"
    last = rows[-1].split(",")
    assert last[0] == table["device"][-1].as_py() == "s-2"
    assert float(last[3]) == table["value"][-1].as_py() == 7.0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("resolution=5m", "bad_value"),
        ("format=xml", "bad_value"),
        ("points=0", "bad_value"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "bad_period"),
        ("from=1", "unknown_parameter"),
    ],
)
def test_a_wrong_question_is_refused_by_name(client: Client, query: str, code: str) -> None:
    answer = client.get(f"{PATH}?device=s-1&{query}")
    assert (answer.status, answer.json["error"]) == (400, code)


@pytest.mark.parametrize(
    ("hours", "age_days", "points", "grain"),
    [
        (1, 0, 10, "raw"),
        (10, 0, 1000, "1m"),
        (24, 0, 1000, "15m"),
        (10, 30, 1000, "15m"),
        (24 * 30, 0, 1000, "1h"),
        (24 * 365, 0, 1000, "1d"),
        (24 * 365, 0, 10_000, "1h"),
        (24 * 3650, 0, 10, "1d"),
    ],
)
def test_the_grain_fits_the_period_and_what_is_kept(
    hours: int, age_days: int, points: int, grain: str
) -> None:
    period = timedelta(hours=hours)
    age = max(period, timedelta(days=age_days))
    assert grain_for(period, age, points, KEPT) == grain
