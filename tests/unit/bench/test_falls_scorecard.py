"""From results to the table, the file and the pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from rich.console import Console

from bench._common import figure
from bench._common.figure import Figure
from bench.falls import cache, episodes, figures, plots, report, scene
from bench.falls.cpu import Cost, Costs
from bench.falls.fade import Boxes
from bench.falls.films import Films
from bench.falls.plan import Job
from bench.falls.recordings import Clip
from bench.falls.reference import Reference
from bench.falls.run import run
from bench.falls.scene import Fell, Result, Said
from contracts.city import Camera
from simulators.falls.take import Distraction, Order, Take

TABLE = episodes.load()


def fell(said: int | None, **more: object) -> Fell:
    base: dict[str, object] = {
        "body": "box", "zone": "F5-2", "floor": 5, "bay": 2, "size_px": 10.0, "contrast": 40.0,
        "visible": 0.9, "floors": 6.0, "pictures": 20, "said": said, "reference": True,
    }  # fmt: skip
    return msgspec.convert({**base, **more}, Fell)


def said(of: int | None, zone: str | None = "F5-2", **more: object) -> Said:
    floor = None if zone is None else int(zone[1:].split("-")[0])
    base: dict[str, object] = {
        "first_s": 1.0, "last_s": 2.0, "of": of, "double": False, "mirror": False, "score": 50.0,
        "confidence": 0.9, "zone": zone, "floor": floor, "bay": 2, "p": None if zone is None else
        0.9, "late_s": None if of is None else 0.1, "why": [],
    }  # fmt: skip
    return msgspec.convert({**base, **more}, Said)


def result(part: str, group: str, **more: object) -> Result:
    order = Order(seed=10_001, falls=1 if part == "recall" else 0, seconds=10)
    if part == "distractors":
        order = msgspec.structs.replace(order, distractions=(Distraction(group),))
    job = Job(part=part, group=group, order=order, episodes=100 if part == "distractors" else 0)
    base: dict[str, object] = {
        "job": job, "seconds": 10.0, "pictures": 100, "calibrated": True,
        "boxes": Boxes(8, 1, 1, 0, 0.8, True), "reference_boxes": Boxes(5, 5, 5, 0, 0.5, True),
    }  # fmt: skip
    return Result(**{**base, **more})  # type: ignore[arg-type]


def everything() -> list[Result]:
    ours = [
        result("recall", "8-20 px", falls=(fell(0),), events=(said(0),)),
        result("recall", "4-8 px", falls=(fell(0),), events=(said(0, "F6-2"),)),
        result("recall", "4-8 px", falls=(fell(None),), events=(said(None),)),
        result("recall", "2-4 px", falls=(fell(0, size_px=3.0),), events=(said(0),)),
        result("recall", "8-20 px", falls=(fell(0),), events=(said(0, None),)),
        result("mixed", "wet", falls=(fell(0),), events=(said(0), said(None))),
        result("continuous", "calm"),
        result("continuous", "wet", reference_false=7),
    ]
    return ours + [result("distractors", kind) for kind in TABLE.kinds]


def by_name(told: list[Figure], begin: str) -> Figure:
    return next(f for f in told if f.figure.startswith(begin))


def table_of(results: list[Result]) -> list[Figure]:
    costs = Costs(Cost(8.0, 7.5, 9.0, 4.0, 2.0, 600))
    clips = [
        Clip(file="p", positive=True, masked=False, seconds=9, events=1, found=True, why=()),
        Clip(file="n", positive=False, masked=False, seconds=9, events=1, found=False, why=()),
        Clip(file="n", positive=False, masked=True, seconds=9, events=0, found=False, why=()),
    ]
    return figures.all_figures(results, TABLE, clips, costs)


def test_abstaining_counts_as_not_exact_and_is_told_apart() -> None:
    told = table_of(everything())
    exact = by_name(told, "window exact, where >= 60")
    assert (exact.value, exact.n) == (0.5, 4), "two exact, one beside, one abstains"
    assert by_name(told, "window within 1 floor").value == 0.75
    assert by_name(told, "how often it abstains").value == 0.25
    assert by_name(told, "window exact, where it names one").n == 3


def test_sure_is_judged_among_those_that_say_so() -> None:
    told = table_of(everything())
    assert by_name(told, "right when it says p").value == pytest.approx(2 / 3)
    assert by_name(told, "how often it says p").value == 0.75


def test_a_crash_is_a_failed_film_and_misses_all_its_falls() -> None:
    crashed = result("recall", "8-20 px", error="detector: boom", pictures=0, boxes=None)
    told = table_of([*everything(), crashed])
    assert by_name(told, "event recall, objects >= 8 px").n == 3
    assert by_name(told, "event recall, objects >= 8 px").value == pytest.approx(2 / 3)
    failed = by_name(told, "films that failed")
    assert failed.value == pytest.approx(1 / failed.n)
    assert figure.met(failed) is False


def test_false_alarms_a_day_are_episodes_a_day_times_alarms_per_episode() -> None:
    results = everything()
    at = next(i for i, r in enumerate(results) if r.job.group == "birds")
    results[at] = result("distractors", "birds", events=(said(None), said(None)))
    told = table_of(results)
    calm = by_name(told, "false alarms per camera-day, calm")
    assert calm.value == pytest.approx(TABLE.kinds["birds"].calm * 2 / 100)
    assert calm.value is not None and calm.low is not None and calm.high is not None
    assert calm.low < calm.value < calm.high
    wet = by_name(told, "false alarms per camera-day, rain or wind")
    assert wet.value == pytest.approx(TABLE.kinds["birds"].wet * 2 / 100)


def test_a_kind_that_was_not_filmed_leaves_the_figure_null() -> None:
    results = [r for r in everything() if r.job.group != "people"]
    calm = by_name(table_of(results), "false alarms per camera-day, calm")
    assert (calm.value, calm.low, calm.high) == (None, None, None)
    assert figure.met(calm) is None


def test_precision_counts_what_is_left_over() -> None:
    assert by_name(table_of(everything()), "event precision in mixed scenes").value == 0.5


def test_nothing_at_all_still_gives_every_figure() -> None:
    full = [f.figure for f in table_of(everything())]
    empty = figures.all_figures([], TABLE, [], Costs())
    assert [f.figure for f in empty] == full
    assert all(f.value is None for f in empty)


def test_the_file_is_a_list_with_the_promised_keys(tmp_path: Path) -> None:
    figure.write(table_of(everything()), tmp_path / "falls.json")
    lines = json.loads((tmp_path / "falls.json").read_text())
    keys = {"figure", "value", "low", "high", "n", "aim", "reference"}
    assert all(set(line) == keys for line in lines)
    aims = {line["aim"] for line in lines}
    assert {">= 0.97", ">= 0.90", "<= 1", "<= 5", "> 0.72", "<= 12"} <= aims


def test_an_aim_is_met_by_the_point_value_and_a_small_n_is_said() -> None:
    few = Figure(figure="f", value=0.98, low=0.8, high=1.0, n=50, aim=">= 0.97")
    assert figure.met(few) is True
    assert figure.too_few(few)
    many = msgspec.structs.replace(few, value=0.999, low=0.99, high=1.0)
    assert not figure.too_few(many)
    assert figure.met(msgspec.structs.replace(few, aim="> 0.98")) is False


def test_the_tables_are_plain_text_when_piped() -> None:
    out = io.StringIO()
    console = Console(file=out, width=140)
    results = everything()
    told = table_of(results)
    report.show_sizes(results, console)
    report.show_distractors(results, TABLE, console)
    report.show_windows(results, console)
    report.show_clips([], console)
    figure.show(told, console, "falls")
    text = out.getvalue()
    assert "\x1b" not in text
    for word in ("plain difference", "window_lights", "abstains", "n too small", "camera-hours"):
        assert word in text


def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    grey = np.full((60, 30), 90, np.uint8)
    done, jpeg = cv2.imencode(".jpg", grey)
    assert done
    results = everything()
    missed, false = fell(None, picture=jpeg.tobytes()), said(None, picture=jpeg.tobytes())
    results.append(result("recall", "8-20 px", falls=(missed,), events=(false,)))
    made = {path.name for path in plots.draw(results, TABLE, tmp_path)}
    assert made == {
        "recall_by_size.png", "window_calibration.png", "roc.png", "missed.png",
        "false_alarms.png",
    }  # fmt: skip
    assert all((tmp_path / name).stat().st_size > 300 for name in made)


def test_a_result_is_found_again_only_under_the_same_code(tmp_path: Path) -> None:
    kept = cache.kept(tmp_path, "code-1", None)
    one = result("recall", "8-20 px", falls=(fell(0),), events=(said(0),))
    assert kept.get(one.job) is None
    kept.put(one)
    assert kept.get(one.job) == one
    assert cache.kept(tmp_path, "code-2", None).get(one.job) is None
    other = msgspec.structs.replace(one.job, order=Order(seed=10_002))
    assert kept.get(other) is None


def test_a_crash_and_a_damaged_file_are_no_results(tmp_path: Path) -> None:
    kept = cache.kept(tmp_path, "code", None)
    crashed = result("recall", "8-20 px", error="studio: boom")
    kept.put(crashed)
    assert kept.get(crashed.job) is None
    good = result("recall", "4-8 px")
    kept.put(good)
    for path in tmp_path.rglob("*.msgpack"):
        path.write_bytes(path.read_bytes()[:-7])
    assert kept.get(good.job) is None


def test_films_are_kept_until_newer_ones_need_the_room(tmp_path: Path) -> None:
    camera = Camera(device="cam", size=(1280, 720))
    takes = [
        Take(
            order=Order(seed=k), segments=((0.0, bytes(1000)),), camera=camera, pictures=1, falls=()
        )
        for k in range(3)
    ]
    films = Films(tmp_path, "code", None, most_bytes=2900)
    for take in takes:
        films.put(take)
    assert [films.get(take.order) for take in takes] == [None, *takes[1:]]


def test_one_changed_byte_changes_the_code(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    file = tmp_path / "room" / "a.py"
    file.write_text("x = 1\n")
    before = cache.code_hash(["room"], tmp_path)
    assert cache.code_hash(["room"], tmp_path) == before
    file.write_text("x = 2\n")
    assert cache.code_hash(["room"], tmp_path) != before


def test_all_that_judges_is_part_of_the_code() -> None:
    for place in (*cache.STUDIO, *cache.JUDGES):
        assert (cache.ROOT / place).exists(), place


def test_the_plain_difference_sees_what_falls_and_not_what_stands() -> None:
    plain = Reference()
    for k in range(14):
        picture = np.full((200, 120), 120, np.uint8)
        picture[40:60, 20:40] = 30
        y = 10 + k * k
        picture[y : y + 8, 80:88] = 220
        plain.add(k / 15, picture)
    (alarm,) = plain.alarms()
    assert all(abs(x - 84) < 2 for _, x, _ in alarm.track)


def test_a_studio_that_crashes_is_a_counted_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no light")

    monkeypatch.setattr(scene, "film", broken)
    job = Job(part="recall", group="4-8 px", order=Order(seed=10_003, falls=2))
    failed = scene.score(job, None)
    assert failed.error is not None and "no light" in failed.error
    assert figures.found([failed]) == (0, 0, 2)


@pytest.mark.slow
def test_a_film_goes_through_all_of_it() -> None:
    order = Order(seed=17, size=(640, 360), fps=15, seconds=5, falls=1, size_px=(8, 14))
    told = scene.score(Job(part="recall", group="8-20 px", order=order), None)
    assert told.error is None
    assert told.pictures == 75
    assert len(told.falls) == 1
    assert told.boxes is not None and told.decode_s > 0 and told.detect_s > 0
    again = scene.score(Job(part="recall", group="8-20 px", order=order), None)
    assert (again.falls, again.boxes) == (told.falls, told.boxes)


def test_a_stopped_run_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def judged(job: Job, plates: Path | None, films: Films | None) -> Result:
        assert plates is None and films is None
        asked.append(job.group)
        error = "detector: boom" if job.group == "snow" else None
        return Result(job=job, seconds=10.0, error=error)

    monkeypatch.setattr(scene, "score", judged)
    jobs = [result("distractors", kind).job for kind in ("rain", "snow", "birds")]
    kept, out = cache.kept(tmp_path, "code", None), io.StringIO()
    for _ in range(2):
        results = run(jobs, plates=None, kept=kept, workers=1, console=Console(file=out))
        assert [r.job for r in results] == jobs
    assert sorted(asked) == ["birds", "rain", "snow", "snow"], "only the crash is tried again"
    assert "FAILED distractors/snow" in out.getvalue()
    assert "2 of 3 films were already judged" in out.getvalue()
