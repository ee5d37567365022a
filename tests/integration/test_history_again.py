"""A recording into a real database and detectors over it again, by their commands."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from contracts.batch import Batch, PublishedEvent
from contracts.clock import SystemClock, iso
from contracts.event import Event, Place
from contracts.nouns import Reading
from gridsentry.cli import main
from store.past import Past
from store.settings import StoreSettings
from store.writer import PgWriter
from tests.rig import Stage, drain, eventually, now_ms, write_city

DAY = timedelta(days=1)
SETTINGS = StoreSettings()
Lines = list[dict[str, Any]]


@pytest.fixture
def start() -> datetime:
    """Midnight three days ago: within what a store keeps."""
    return SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0) - 3 * DAY


def record(path: Path, start: datetime) -> None:
    """Six hours of two street sensors, one of which floods; one message without time or number,
    one that nobody can read, one of a device nobody registered, and a report in between."""
    lines = []

    def say(at: datetime, topic: str, payload: Any) -> None:
        lines.append({"at": iso(at), "topic": f"gridsentry/v1/feed/d1/{topic}", "payload": payload})

    for minute in range(360):
        at = start + timedelta(minutes=minute)
        wet = max(0.0, min(minute - 120, 30) / 30) * 0.5 * math.exp(-max(0, minute - 150) / 20)
        for device, depth in (("s-0", 0.01 + wet), ("s-1", 0.01)):
            body = {"ts": int(at.timestamp() * 1000), "m": {"depth": round(depth, 3)}}
            say(at + timedelta(seconds=0.3), f"{device}/telemetry", body)
        if minute == 100:
            say(at + timedelta(seconds=1), "s-1/telemetry", {"m": {"depth": 0.02}})
            say(at + timedelta(seconds=2), "s-1/telemetry", {"oops": 1})
            say(at + timedelta(seconds=3), "s-7/telemetry", {"m": {"depth": 0.02}})
            say(at + timedelta(seconds=4), "s-1/status", {"state": "online"})
    path.write_text("\n".join(json.dumps(line) for line in lines))


def test_a_recording_is_history_once_and_is_folded_as_the_service_would(
    pg_dsn: str, tmp_path: Path, start: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    city, recording, config = tmp_path / "city", tmp_path / "rec.jsonl", tmp_path / "g.toml"
    write_city(city, [drain("s-0"), drain("s-1", 10)])
    record(recording, start)
    config.write_text(f'[store]\ndsn = "{pg_dsn}"\n')
    ours = ["--city", str(city), "--config", str(config)]

    def command(*words: str) -> Lines:
        capsys.readouterr()
        assert main([words[0], *ours, *words[1:], "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    def rows(query: str) -> list[Any]:
        with psycopg.connect(pg_dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    # --- imported once
    (first,) = command("import-recording", str(recording))
    assert (first["readings"], first["new"], first["unkeyed"]) == (721, 721, 1)
    assert (first["items"], first["dead"], first["unknown"]) == (1, {"wrong_type": 1}, {"s-7": 1})
    (again,) = command("import-recording", str(recording))
    assert (again["new"], again["duplicate"], again["changed"]) == (0, 721, False)
    assert rows("SELECT count(*), min(received_at) FROM readings") == [
        (721, start + timedelta(seconds=0.3))
    ]
    assert rows("SELECT sum(n)::bigint FROM rollup_1h") == [(721,)], "charts have them at once"
    for table in ("events", "incidents", "tickets", "outbox", "unknown_messages", "intake"):
        assert rows(f"SELECT count(*) FROM {table}") == [(0,)], table

    # --- folded again, beside what the service had stored
    since, until = iso(start - DAY), iso(start + DAY)
    period = ("--since", since, "--until", until)
    found = command("backtest", *period, "--set", "detectors.flooding.depth_warn_m=0.05")
    kinds = {line["against"]: line for line in found if line["type"] == "kind"}
    assert kinds["then"]["now"] == kinds["then"]["then"] == 1
    assert kinds["stored"]["only_now"] == 1
    (flood,) = (line for line in found if line.get("only") == "now")
    assert flood["device"] == "s-0"
    assert "0.27米" in flood["now"]["why_zh"]
    store_as_the_service(pg_dsn, flood["now"], start)
    told = command("backtest", *period)
    (kind,) = (line for line in told if line["type"] == "kind")
    assert (kind["against"], kind["now"], kind["then"]) == ("stored", 1, 1)
    (different,) = (line for line in told if line["type"] == "difference")
    assert different["told_s"] == 90.0
    assert different["over_s"] == "open"
    assert rows("SELECT count(*) FROM events") == [(2,)], "nothing is written"


def store_as_the_service(dsn: str, flood: dict[str, Any], start: datetime) -> None:
    """The same flood in two revisions, known a minute and a half later, never closed."""
    event = Event(
        id=flood["id"],
        rev=1,
        kind="flooding",
        site="s-0",
        device="s-0",
        at=datetime.fromisoformat(flood["onset"]),
        severity=flood["severity"],
        place=Place(118.0, 26.0),
        phase="opened",
        evidence={},
    )
    later = datetime.fromisoformat(flood["told"]) + timedelta(seconds=90)
    second = msgspec.structs.replace(event, rev=2, phase="updated")
    writer = PgWriter(dsn, "/gridsentry/test", SETTINGS)
    epoch = writer.acquire("live", "me", start, 60)
    assert epoch is not None
    events = [
        PublishedEvent(event, 1, later, True),
        PublishedEvent(second, 2, later + timedelta(minutes=1), True),
    ]
    writer.commit(Batch(writer="live", number=1, epoch=epoch, at=later, events=events))
    writer.close()


def test_the_past_is_read_in_the_order_of_receipt_late_and_wrong_clocks_too(
    pg_dsn: str, start: datetime
) -> None:
    def reading(device: str, received_s: float, sent: datetime | None) -> Reading:
        received = start + timedelta(seconds=received_s)
        return Reading(device, "depth", received_s, sent or received, received, sent, 0, None)

    writer = PgWriter(pg_dsn, "/gridsentry/test", SETTINGS)
    epoch = writer.acquire("live", "me", start, 60)
    assert epoch is not None
    lost = start.replace(year=1970)
    readings = [
        reading("a", 30, start),
        reading("b", 10, start - 3 * DAY),
        reading("c", 20, lost),
        reading("d", 40, None),
        reading("a", 90_000, start + DAY),
    ]
    writer.commit(Batch(writer="live", number=1, epoch=epoch, at=start + DAY, readings=readings))
    writer.close()
    with Past(pg_dsn, SETTINGS) as past:
        found = [row[4] for row in past.readings(start, start + 2 * DAY)]
        assert found == [readings[1], readings[2], readings[0], readings[3], readings[4]]
        assert [r.device for *_, r in past.readings(start, start + DAY, devices={"d"})] == ["d"]
        assert not list(past.readings(start, start + DAY, metrics={"level"}))
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            past._connection.execute(b"DELETE FROM readings")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("input")
def test_what_a_running_service_told_is_told_again(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0"), drain("s-1", 10)])
    service = stage.service()
    service.start()
    service.wait_ready()
    gateway, now = stage.gateway(), now_ms()
    for minute in range(120):
        for device, peak in (("s-0", 0.35), ("s-1", 0.2)):
            depth = peak / (1 + math.exp((100 - minute) / 4))
            gateway.telemetry(device, now - 60_000 * (119 - minute), depth=round(depth, 3))
    gateway.settle()
    stage.all_stored(240)
    eventually(lambda: len(service.items("/api/v1/events?kind=flooding")) == 2, timeout=60)

    higher = ("depth_warn_m=0.6", "depth_close_m=0.9")
    lines = (word for line in higher for word in ("--set", f"detectors.flooding.{line}"))
    given = ("--since", "1h", "--kind", "flooding", *lines)
    done = service.command("backtest", "--city", str(stage.city), *given, "--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = {line["against"]: line for line in found if line["type"] == "kind"}
    stored = kinds["stored"]
    assert (stored["now"], stored["then"], stored["same"]) == (2, 2, 2)
    assert kinds["then"]["only_now"] >= 1, "20 cm are no flood where 60 are the line"
