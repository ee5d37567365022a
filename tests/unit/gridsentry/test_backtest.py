"""Another configuration over the same history: what would have been told, and how it differs."""

from __future__ import annotations

import argparse
import math
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.batch import StoredItem
from contracts.city import City
from contracts.errors import Wrong
from contracts.nouns import Arrival, Quality, Reading
from gridsentry.backtest import show
from gridsentry.backtest.change import changed
from gridsentry.backtest.compare import Episode, count, differences, pairs
from gridsentry.backtest.run import Backtest, Scope, Side, blind, unheard
from gridsentry.city import load_city
from gridsentry.commands.backtest import moment, sides_of
from gridsentry.config import Settings
from gridsentry.engine.rooms import detector_configs
from gridsentry.replay.run import Replay
from ingest.decoder import NativeDecoder
from router.settings import RouterSettings
from tests.rig import drain, write_city

START = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


# --- comparing ------------------------------------------------------------------------------


def episode(name: str = "e-1", told: float = 0, over: float | None = 60, **more: Any) -> Episode:
    fields: dict[str, Any] = {"kind": "flooding", "site": "s-0", "device": "s-0"}
    end = None if over is None else at(over)
    return Episode(id=name, onset=at(told), told=at(told), over=end, **(fields | more))


def compared(now: list[Episode], then: list[Episode], within: float = 5.0) -> list[dict[str, Any]]:
    return [differences(pair, within) for pair in pairs(now, then)]


def test_the_same_is_the_same() -> None:
    assert compared([episode()], [episode()]) == [{}]
    assert compared([episode(told=0)], [episode(told=0.05)]) == [{}], "3 s are within 5 s"


def test_earlier_later_severity_and_end_are_told_by_how_much() -> None:
    assert compared([episode(told=10)], [episode(told=4)]) == [{"told_s": -360.0}]
    assert compared([episode()], [episode(severity=4)]) == [{"severity": [1, 4]}]
    assert compared([episode(over=60)], [episode(over=70)]) == [{"over_s": 600.0}]
    assert compared([episode(over=60)], [episode(over=None)]) == [{"over_s": "open"}]
    assert compared([episode(over=None)], [episode(over=60)]) == [{"over_s": "closed"}]


def test_another_onset_is_still_the_same_story_when_they_overlap_or_are_near() -> None:
    assert compared([episode("a", 50, 100)], [episode("b", 0, 100)]) == [{"told_s": -3000.0}]
    near = compared([episode("a", 20, 21)], [episode("b", 0, 1)])
    assert near == [{"told_s": -1200.0, "over_s": -1200.0}]
    alone = compared([episode("a", 40, 41)], [episode("b", 0, 1)])
    assert alone == [{"only": "then"}, {"only": "now"}]


def test_other_devices_and_kinds_are_other_stories() -> None:
    assert len(compared([episode("a")], [episode("b", device="s-1")])) == 2
    assert len(compared([episode("a")], [episode("b", kind="drain_blocked")])) == 2


def test_each_episode_is_in_one_pair_and_the_nearest_are_paired() -> None:
    now = [episode("n1", 0, 30), episode("n2", 40, 90)]
    then = [episode("t1", 38, 90), episode("t2", 100, 110)]
    found = pairs(now, then)
    names = [(p.now and p.now.id, p.then and p.then.id) for p in found]
    assert names == [("n1", None), ("n2", "t1"), (None, "t2")]


def test_counts_add_up() -> None:
    now = [episode("a"), episode("b", 300, 310), episode("c", 600, 610)]
    then = [episode("a"), episode("b", 290, 310, severity=3), episode("d", 900, 910)]
    row = count((p, differences(p, 5.0)) for p in pairs(now, then))["flooding"]
    assert row == {
        **{"now": 3, "then": 3, "same": 1, "earlier": 1, "severity": 1},
        **{"only_now": 1, "only_then": 1, "ends": 0},
    }


def test_a_difference_is_said_in_both_languages() -> None:
    why = ("water stands at 0.30 m", "水位0.30米")
    (pair,) = pairs([episode(why=why, severity=3)], [])
    text = show.line(pair, differences(pair, 5.0))
    for wanted in ("道路积水 Flooding s-0", "only now", "仅现", *why):
        assert wanted in text
    (pair,) = pairs([episode(told=10)], [episode(told=4, severity=2)])
    text = show.line(pair, differences(pair, 5.0))
    assert "6.0 min earlier 提前; severity 级别 1 → 2" in text


def test_the_table_says_by_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    now = [episode(str(n), 100 * n, 100 * n + 50) for n in range(3)]
    then = [episode(str(n), 100 * n - n, 100 * n + 50) for n in range(3)]
    found = [(p, differences(p, 5.0)) for p in pairs(now, then)]
    show.as_tables("then", found)
    told = capsys.readouterr().out
    assert "2 (90 s)" in told
    assert told.count("earlier 提前") == 3, "the column and two lines"
    show.as_tables("stored", [(p, differences(p, 5.0)) for p in pairs(now, [])])
    assert "无存档事件" in capsys.readouterr().out
    show.as_tables("then", [])
    assert "no event on either side" in capsys.readouterr().out


# --- the other configuration ------------------------------------------------------------------


def test_single_settings_go_on_top_of_what_runs() -> None:
    now = {"flooding": {"chance": 0.3}}
    then = changed(now, ["detectors.flooding.depth_warn_m=0.1", "flooding.warn_readings = 3"])
    assert then == {"flooding": {"chance": 0.3, "depth_warn_m": 0.1, "warn_readings": 3}}
    assert now == {"flooding": {"chance": 0.3}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("detectors.floding.chance=1", "no detector 'floding'.*flooding"),
        ("detectors.flooding.chanse=1", "no setting 'chanse'.*chance"),
        ("detectors.flooding.chance", "cannot be read"),
        ("router.ladder=false", "no detector 'router'"),
    ],
)
def test_what_is_not_known_is_refused_with_what_there_is(text: str, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        changed({}, [text])


def test_times_are_the_citys_or_so_long_ago() -> None:
    now = at(0)
    assert moment("3d", "--since", "Asia/Shanghai", now) == now - 3 * DAY
    assert moment("2026-05-01", "--since", "Asia/Shanghai", now) == at(-8 * 60)
    assert moment("2026-05-01T00:00:00Z", "--since", "Asia/Shanghai", now) == at(0)
    with pytest.raises(Wrong, match="the city's time"):
        moment("May", "--since", "Asia/Shanghai", now)


# --- folding history ----------------------------------------------------------------------------


class Kept:
    """A history in memory."""

    def __init__(self, rows: list[Reading]) -> None:
        self.rows = sorted(rows, key=lambda r: r.received_at)
        self.asked: list[tuple[Collection[str] | None, Collection[str] | None]] = []

    def readings(
        self,
        since: datetime,
        until: datetime,
        *,
        devices: Collection[str] | None = None,
        metrics: Collection[str] | None = None,
    ) -> Iterator[tuple[datetime, str, int, int, Reading]]:
        self.asked.append((devices, metrics))
        for pos, r in enumerate(self.rows):
            known = devices is None or r.device in devices
            if known and since <= r.received_at < until and (not metrics or r.metric in metrics):
                yield r.received_at, "w", 1, pos, r

    def items(
        self, since: datetime, until: datetime, nouns: Collection[str]
    ) -> Iterator[tuple[datetime, str, int, int, StoredItem]]:
        return iter(())


def water(minute: int, peak: float) -> float:
    since = minute - 120
    if since < 0:
        return 0.01
    return round(peak * (since / 30 if since < 30 else math.exp(-(since - 30) / 20)), 3)


def arrivals(**peaks: float) -> list[Arrival]:
    found = []
    for minute in range(360):
        for device, peak in peaks.items():
            ts = int(at(minute).timestamp() * 1000)
            body = {"ts": ts, "m": {"depth": water(minute, peak)}}
            topic = f"gridsentry/v1/feed/d1/{device}/telemetry"
            sent = at(minute) + timedelta(seconds=0.3)
            found.append(Arrival(topic, msgspec.json.encode(body), sent))
    return found


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("city")
    camera = "cam-1,d1,camera,118.0500,26.05,,cam-1,10,"
    rows = [drain("s-0"), drain("s-1", 10), camera]
    write_city(folder, rows)
    return load_city(folder)


def stored(city: City, messages: list[Arrival], quality: int = 0) -> Kept:
    decoder = NativeDecoder(city.devices, city.workers)
    return Kept(
        [
            msgspec.structs.replace(noun, quality=noun.quality | quality)
            for message in messages
            for noun in decoder.decode(message)
            if isinstance(noun, Reading)
        ]
    )


def told_over(
    city: City,
    past: Kept,
    tables: dict[str, Any] | None = None,
    scope: Scope | None = None,
    since: datetime = START,
) -> list[Episode]:
    side = Side(city, RouterSettings(), detector_configs(tables or {}), scope or Scope())
    decoder = NativeDecoder(city.devices, city.workers)
    Backtest(past, decoder, [side]).run(START - DAY, START + DAY)
    return side.episodes(since)


def test_history_tells_just_what_replay_tells_of_the_recording(city: City) -> None:
    messages = arrivals(**{"s-0": 0.5, "s-1": 0.2})
    told = told_over(city, stored(city, messages))
    replay = Replay(city, RouterSettings(), detector_configs({}))
    expected: dict[str, tuple[str | None, str]] = {}
    for line in replay.lines(messages, DAY):
        if line["type"] == "event":
            expected.setdefault(line["id"], (line["device"], line["known_at"]))
    assert len(expected) >= 2
    found = {e.id: (e.device, e.told.isoformat().replace("+00:00", "Z")) for e in told}
    assert found == expected
    assert all(e.over for e in told)
    assert all(e.why for e in told), "floods say why, in both languages"


def test_a_lower_line_tells_earlier(city: City) -> None:
    past = stored(city, arrivals(**{"s-0": 0.2}))
    then = changed({}, ["detectors.flooding.depth_warn_m=0.05"])
    (pair,) = pairs(told_over(city, past), told_over(city, past, then))
    assert differences(pair, 5.0)["told_s"] < 0


def test_what_was_late_for_the_service_is_not_late_here(city: City) -> None:
    messages = arrivals(**{"s-0": 0.5})
    marked = stored(city, messages, int(Quality.LATE))
    assert told_over(city, marked) == told_over(city, stored(city, messages))


def test_only_what_was_told_in_the_period_counts(city: City) -> None:
    past = stored(city, arrivals(**{"s-0": 0.5}))
    assert len(told_over(city, past)) == 1
    assert told_over(city, past, since=at(300)) == [], (
        "it was told before: learnt from, not counted"
    )


def test_one_device_needs_only_what_its_site_hears(city: City) -> None:
    past = stored(city, arrivals(**{"s-0": 0.5, "s-1": 0.5}))
    scope = Scope(kinds=frozenset({"flooding"}), devices=frozenset({"s-0"}))
    assert {e.device for e in told_over(city, past, scope=scope)} == {"s-0"}
    ((devices, metrics),) = past.asked
    assert metrics is not None
    assert "depth" in metrics
    assert "battery" not in metrics
    assert devices is not None


def test_the_silence_of_cameras_means_nothing_as_nobody_stores_pictures(city: City) -> None:
    scope = Scope(unheard=unheard(city, detector_configs({})))
    silent = episode(kind="sensor_silent", site="d1", device="cam-1")
    assert not scope.has(silent)
    assert scope.has(msgspec.structs.replace(silent, device="s-0"))
    assert scope.has(msgspec.structs.replace(silent, kind="sensor_faulty"))


def test_kinds_that_live_on_pictures_are_refused_and_unknown_names_are_told(city: City) -> None:
    from detectors import specs

    assert "high_altitude_throw" in blind(specs())
    assert not blind(specs()) & {"flooding", "severed_cable", "fibre_break", "sensor_silent"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": ["high_altitude_throw"]}, "not stored"),
        ({"kind": ["floding"]}, "flooding"),
        ({"device": ["s-7"]}, "s-0, s-1"),
    ]
    nothing: dict[str, Any] = {"kind": None, "device": None, "against": None, "set": []}
    for more, said in wrong:
        with pytest.raises(Wrong, match=said):
            sides_of(argparse.Namespace(**nothing | more), Settings(), city)


def test_another_file_is_the_other_side(city: City, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("[detectors.flooding]\ndepth_warn_m = 0.05\n")
    given: dict[str, Any] = {"kind": None, "device": None, "against": other, "set": []}
    sides, _ = sides_of(argparse.Namespace(**given), Settings(), city)
    assert set(sides) == {"now", "then"}
