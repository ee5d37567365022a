"""What the town publishes: repeatable, like real gateways, and silent about the truth."""

from __future__ import annotations

import gzip
import io
import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import otdrparser
import pytest

from contracts.errors import Wrong
from contracts.kinds import KINDS, METRICS
from simulators.recording import record
from simulators.settings import SimSettings
from simulators.town import Town, build

START = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)


class Recorded(msgspec.Struct):
    """A recording, read back."""

    path: Path
    lines: list[dict[str, Any]]
    truth: list[dict[str, Any]]

    def of(self, what: str) -> list[dict[str, Any]]:
        """The lines of a kind of topic: `telemetry`, `segment`, `trace`, `status`, `position`."""
        return [line for line in self.lines if what in line["topic"].split("/")[4:]]

    def readings(self) -> list[tuple[str, dict[str, Any]]]:
        """(device, object) of every telemetry object, batches unrolled."""
        found = []
        for line in self.of("telemetry"):
            body = line["payload"]
            rows = body if isinstance(body, list) else [body]
            found += [(line["topic"].split("/")[4], row) for row in rows]
        return found

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Ground truth of a kind."""
        return [entry for entry in self.truth if entry["kind"] == kind]


def make(town: Town, folder: Path, minutes: float, **knobs: Any) -> Recorded:
    out, truth = folder / "town.jsonl", folder / "secret" / "truth.jsonl"
    record(town, SimSettings(**knobs), out, START, minutes, truth=truth)
    return Recorded(
        out,
        [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()],
        [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()],
    )


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.fixture(scope="module")
def minute(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Forty seconds with one camera and half an hour of history."""
    folder = tmp_path_factory.mktemp("minute")
    return make(town, folder, 40 / 60, cameras=1, warm_h=0.5, fibre_first_s=20.0, ambient_s=10)


@pytest.fixture(scope="module")
def numbers(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Two and a half hours without cameras: troubles come and go."""
    folder = tmp_path_factory.mktemp("numbers")
    return make(town, folder, 150, cameras=0, fibre_first_s=60.0, worker_every_s=(60.0, 90.0))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_seed_and_start_give_the_same_bytes(tmp_path: Path) -> None:
    knobs = {"cameras": 1, "warm_h": 0.1, "ambient_s": 4, "fibre_first_s": 3.0}
    first = make(build(11), tmp_path / "a", 0.2, **knobs)
    again = make(build(11), tmp_path / "b", 0.2, **knobs)
    assert len(first.of("segment")) >= 8
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert first.truth == again.truth


def test_another_start_gives_other_moments_for_the_incidents(town: Town, tmp_path: Path) -> None:
    seen = []
    for day in (0, 1):
        out, truth = tmp_path / f"{day}.jsonl", tmp_path / f"{day}.truth"
        settings = SimSettings(cameras=0)
        record(town, settings, out, START + timedelta(days=day), 0.6, truth=truth)
        entries = [json.loads(line) for line in truth.read_text().splitlines()]
        begun = START + timedelta(days=day)
        seen.append({e["kind"]: ms(e["at"]) - ms(begun.isoformat()) for e in entries})
    assert seen[0].keys() == seen[1].keys() == {"flooding", "severed_cable"}
    assert seen[0] != seen[1]


def test_the_first_incidents_come_within_their_window(minute: Recorded) -> None:
    begun = ms(START.isoformat())
    for kind in ("high_altitude_throw", "severed_cable"):
        (first, *_) = minute.told(kind)
        assert 10_000 <= ms(first["at"]) - begun <= 25_000, kind
    (flood, *_) = minute.told("flooding")  # noted at 2 cm, some seconds after the first drop
    assert 2_000 <= ms(flood["at"]) - begun <= 20_000


def test_lines_are_in_order_of_receipt(minute: Recorded) -> None:
    times = [ms(line["at"]) for line in minute.lines]
    assert times == sorted(times)
    assert ms(START.isoformat()) <= times[0]


def test_payloads_carry_only_what_the_wire_knows(minute: Recorded) -> None:
    for line in minute.lines:
        assert line.keys() <= {"at", "topic", "payload", "file"}
    for device, row in minute.readings():
        assert row.keys() == {"ts", "seq", "m"}, device
        assert row["m"].keys() <= METRICS.keys(), device
        assert all(isinstance(v, float | int) for v in row["m"].values())
    for line in minute.of("position"):
        assert line["payload"].keys() == {"ts", "lon", "lat", "accuracy_m"}
    for line in minute.of("status"):
        assert line["payload"].keys() == {"state", "ts"}
    kinds = {line["topic"].split("/")[-1] for line in minute.lines if "file" not in line}
    assert kinds == {"telemetry", "position", "status"}


def test_no_word_of_the_truth_is_in_what_is_published(minute: Recorded) -> None:
    text = minute.path.read_text(encoding="utf-8")
    for word in (*KINDS, "truth", "sever", "blocked", "throw", "break", "zone", "incident"):
        assert word not in text, word
    media = sorted(minute.path.with_name("town.files").iterdir())
    for file in media:
        assert b"throw" not in file.read_bytes()
        assert b"break" not in file.read_bytes()


def test_rendered_pieces_of_video_do_not_give_themselves_away(minute: Recorded) -> None:
    """Pieces with and without something in them: same rhythm, same upload delay, same headers."""
    release = ms(minute.told("high_altitude_throw")[0]["at"])
    folder = minute.path.parent
    lags: dict[bool, list[int]] = {True: [], False: []}
    sizes: dict[bool, list[int]] = {True: [], False: []}
    heads = set()
    moments = []
    for line in minute.of("segment"):
        first = int(line["topic"].split("/")[-1])
        moments.append(first)
        busy = release - 1000 < first < release + 3500
        data = (folder / line["file"]).read_bytes()
        lags[busy].append(ms(line["at"]) - first)
        sizes[busy].append(len(data))
        heads.add(data[:40])
    assert np.diff(moments).tolist() == [1000] * (len(moments) - 1)
    assert lags[True]
    assert min(min(v) for v in lags.values()) >= 1250
    assert max(max(v) for v in lags.values()) <= 1400
    assert len(heads) == 1
    assert 0.85 < np.mean(sizes[True]) / np.mean(sizes[False]) < 1.15


def test_each_piece_of_video_stands_alone_and_begins_with_a_keyframe(minute: Recorded) -> None:
    for line in minute.of("segment")[:4]:
        data = (minute.path.parent / line["file"]).read_bytes()
        with av.open(io.BytesIO(data), "r") as container:
            frames = list(container.decode(video=0))
            assert len(frames) == 15
            assert frames[0].key_frame
            assert (frames[0].width, frames[0].height) == (1280, 720)
            assert container.streams.video[0].codec_context.name == "h264"


def test_something_falls_in_the_picture_where_the_truth_says(minute: Recorded) -> None:
    """Beside the same phase of the loop, the busy picture differs along the true path only."""
    entry = minute.told("high_altitude_throw")[0]
    release = ms(entry["at"])
    pieces = {int(line["topic"].split("/")[-1]): line for line in minute.of("segment")}
    after = [first for first in pieces if release + 600 < first < release + 1700]
    found = 0
    for first in after:
        quiet = next((q for q in pieces if q != first and (q - first) % 10_000 == 0), None)
        if quiet is None:
            continue
        pictures = []
        for key in (first, quiet):
            data = (minute.path.parent / pieces[key]["file"]).read_bytes()
            with av.open(io.BytesIO(data), "r") as container:
                pictures.append(
                    [f.to_ndarray(format="gray").astype(int) for f in container.decode(video=0)]
                )
        for k in range(15):
            ys, xs = np.nonzero(np.abs(pictures[0][k] - pictures[1][k]) > 40)
            lo = min(entry["details"]["from_px"][0], entry["details"]["to_px"][0]) - 60
            hi = max(entry["details"]["from_px"][0], entry["details"]["to_px"][0]) + 60
            near = (xs > lo) & (xs < hi) & (ys > entry["details"]["from_px"][1] - 10)
            found += bool(near.sum() >= 8)
    assert found >= 8


def test_history_comes_first_in_batches_of_at_most_a_hundred(minute: Recorded) -> None:
    batches = [line for line in minute.of("telemetry") if isinstance(line["payload"], list)]
    singles = [line for line in minute.of("telemetry") if not isinstance(line["payload"], list)]
    assert batches
    assert max(len(b["payload"]) for b in batches) <= 100
    assert ms(batches[-1]["at"]) < ms(singles[0]["at"])
    slow = ("lamp-", "lean-")  # what is usual of these shows in days: they have a past of their own
    recent = [b for b in batches if not b["topic"].split("/")[4].startswith(slow)]
    stamps = [row["ts"] for b in recent for row in b["payload"]]
    begun = ms(START.isoformat())
    assert begun - 1_800_000 <= min(stamps)
    assert max(stamps) < begun
    for batch in batches:
        own = [row["ts"] for row in batch["payload"]]
        assert own == sorted(own)


def test_the_storm_is_already_rising_in_the_history(minute: Recorded) -> None:
    begun = ms(START.isoformat())
    rain = [r["m"]["rain_rate"] for d, r in minute.readings() if d == "rain-01" and r["ts"] < begun]
    assert max(rain[-10:]) > 20
    sag = minute.told("flooding")[0]["where"]
    level = [r["m"]["level"] for d, r in minute.readings() if d == sag and r["ts"] < begun]
    assert level[-1] > level[0] + 0.5


def test_every_device_says_what_the_register_says(town: Town, minute: Recorded) -> None:
    seen: dict[str, set[str]] = {}
    for device, row in minute.readings():
        seen.setdefault(device, set()).update(row["m"])
    for device, metrics in seen.items():
        assert metrics == set(town.devices[device].metrics), device
    # hydrants begin a minute later: their engine is loaded while the town already lives
    expected = {d.id for d in town.devices.values() if d.metrics and d.type != "hydrant"}
    assert seen.keys() == expected


@pytest.mark.slow
def test_hydrants_begin_a_minute_later(town: Town, numbers: Recorded) -> None:
    begun = ms(START.isoformat())
    first = {d: r["ts"] for d, r in reversed(numbers.readings()) if d.startswith("hyd-")}
    assert first.keys() == town.mains.hydrants.keys()
    assert all(60_000 <= ts - begun <= 125_000 for ts in first.values())


def test_every_topic_belongs_to_a_registered_device_or_worker(town: Town, minute: Recorded) -> None:
    for line in minute.lines:
        parts = line["topic"].split("/")
        assert parts[:2] == ["gridsentry", "v1"]
        if parts[2] == "worker":
            assert parts[3] in town.workers
        else:
            assert parts[2:4] == ["feed", "qingxi"]
            assert parts[4] in town.devices


def test_the_truth_of_a_flood_is_in_the_gauge(town: Town, numbers: Recorded) -> None:
    entry = numbers.told("flooding")[0]
    gauge = next(s for s in entry["details"]["sensors"] if s.startswith("sg-"))
    depths = [(r["ts"], r["m"]["depth"]) for d, r in numbers.readings() if d == gauge]
    wet = next(ts for ts, depth in depths if depth >= 0.03)
    assert abs(wet - entry["details"]["overflow_at"]) < 60_000
    assert abs(max(d for _, d in depths) - entry["details"]["max_depth_m"]) < 0.05
    assert max(d for _, d in depths) >= 0.27
    assert max(d for _, d in depths[-20:]) < 0.02, "it recedes"
    dry = [g for g in town.sewers.gauges if g != gauge]
    assert max(r["m"]["depth"] for d, r in numbers.readings() if d in dry) < 0.03


def test_a_severed_span_shows_at_once_and_is_spliced_later(town: Town, numbers: Recorded) -> None:
    entry = numbers.told("severed_cable")[0]
    at, restored = ms(entry["at"]), entry["details"]["restored_at"]
    monitors = town.feeder.monitors
    dead = {m for m, node in monitors.items() if node in entry["details"]["nodes_behind"]}
    assert dead
    for device, row in numbers.readings():
        if device not in monitors or not at + 1000 < row["ts"] < restored - 1000:
            continue
        volts = max(v for k, v in row["m"].items() if k.startswith("voltage"))
        if device in dead:
            assert volts < 10
        else:
            assert volts > 190
    back = [
        row
        for device, row in numbers.readings()
        if device in dead and restored + 1000 < row["ts"] < restored + 30_000
    ]
    assert min(max(v for k, v in r["m"].items() if k.startswith("voltage")) for r in back) > 190
    soon = [r for d, r in numbers.readings() if d in dead and at < r["ts"] < at + 1000]
    assert soon, "a change is told at once"


@pytest.mark.slow
def test_meters_gasp_once_and_fall_silent(town: Town, tmp_path: Path) -> None:
    gasps = []
    for seed in (1, 2, 3):
        town = build(seed)
        got = make(town, tmp_path / str(seed), 3, cameras=0, fibre_first_s=0.0, duplicate_p=0.0)
        entry = got.told("severed_cable")[0]
        for meter, node in town.feeder.monitors.items():
            if not meter.startswith("meter") or node not in entry["details"]["nodes_behind"]:
                continue
            after = [r for d, r in got.readings() if d == meter and r["ts"] > ms(entry["at"])]
            assert len(after) <= 1
            gasps += [r["m"]["last_gasp"] for r in after]
    assert gasps
    assert set(gasps) == {1.0}


def test_a_blow_shakes_the_nearest_monitor_before_the_span_parts(
    town: Town, numbers: Recorded
) -> None:
    entry = numbers.told("severed_cable")[0]
    struck, at = entry["details"]["struck_at"], ms(entry["at"])
    assert 2000 <= at - struck <= 5000
    shakes = [
        r["m"]["vibration"]
        for d, r in numbers.readings()
        if "vibration" in r["m"] and struck <= r["ts"] < at
    ]
    calm = [
        r["m"]["vibration"]
        for d, r in numbers.readings()
        if "vibration" in r["m"] and r["ts"] < struck
    ]
    assert max(shakes) > 1.0 > 5 * max(calm)


def test_traces_show_the_break_and_its_repair(town: Town, numbers: Recorded) -> None:
    breaks = [
        (ms(e["at"]), e["details"]["restored_at"], e["details"]["distance_m"])
        for e in numbers.told("fibre_break")
    ]
    at, restored, _ = breaks[0]
    ends = []
    for line in numbers.of("trace")[:30]:
        shot = int(line["topic"].split("/")[-1])
        with (numbers.path.parent / line["file"]).open("rb") as file:
            blocks = otdrparser.parse2(file)
        ends.append((shot, blocks["KeyEvents"]["events"][-1]["distance_of_travel"]))
    assert any(at <= shot < restored for shot, _ in ends)
    for shot, end in ends:
        parted = [far for begin, until, far in breaks if begin <= shot < until]
        assert abs(end - (parted[0] if parted else town.plant.length_m)) < 3


def test_workers_stay_in_their_grid_and_walk_at_a_human_pace(town: Town, minute: Recorded) -> None:
    from contracts.geo import Point, distance_m

    tracks: dict[str, list[tuple[int, Point]]] = {}
    for line in minute.of("position"):
        row = line["payload"]
        tracks.setdefault(line["topic"].split("/")[3], []).append(
            (row["ts"], Point(row["lon"], row["lat"]))
        )
    assert len(tracks) >= 60, "most people are on at two in the afternoon"
    for track in tracks.values():
        for (t0, a), (t1, b) in itertools.pairwise(track):
            assert distance_m(a, b) < 5.5 * (t1 - t0) / 1000 + 20  # position error on both ends


def test_gateways_repeat_and_delay_a_few_messages(numbers: Recorded) -> None:
    keys = [(d, r["ts"]) for d, r in numbers.readings()]
    repeated = len(keys) - len(set(keys))
    assert 0.001 < repeated / len(keys) < 0.01
    newest: dict[str, int] = {}
    late = 0
    for device, row in numbers.readings():
        late += row["ts"] < newest.get(device, 0)
        newest[device] = max(newest.get(device, 0), row["ts"])
    assert 0 < late / len(keys) < 0.015


def test_a_packed_recording_holds_the_same_lines(town: Town, tmp_path: Path) -> None:
    settings = SimSettings(cameras=0, fibre_first_s=0.0)
    record(town, settings, tmp_path / "a.jsonl", START, 0.3)
    record(town, settings, tmp_path / "b.jsonl.gz", START, 0.3)
    plain = (tmp_path / "a.jsonl").read_bytes().replace(b"a.files/", b"b.files/")
    assert gzip.decompress((tmp_path / "b.jsonl.gz").read_bytes()) == plain


def test_a_name_that_is_no_recording_is_refused(town: Town, tmp_path: Path) -> None:
    with pytest.raises(Wrong, match=r"\.jsonl"):
        record(town, SimSettings(cameras=0), tmp_path / "town.csv", START, 0.1)
