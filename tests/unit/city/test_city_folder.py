"""The city folder is changed as a whole: previewed, applied, backed up, finished after a crash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contracts.city import Work
from contracts.errors import Refused, Wrong
from contracts.geo import Point
from contracts.plant import Preview
from gridsentry.city import load_city
from gridsentry.city.folder import CityFolder, Journal
from gridsentry.city.init import init_city
from gridsentry.live.plant import learning

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "city"
    init_city(place)
    return place


@pytest.fixture
def kept(folder: Path, tmp_path: Path) -> CityFolder:
    return CityFolder(folder, tmp_path / "state")


def devices_with(folder: Path, line: str) -> bytes:
    text = (folder / "devices.csv").read_text("utf-8")
    return (text.rstrip("\n") + "\n" + line + "\n").encode()


def one_more(folder: Path) -> bytes:
    header = (folder / "devices.csv").read_text("utf-8").splitlines()[1].split(",")
    values = {
        "id": "lvl-new",
        "district": "d",
        "type": "water_level",
        "lon": "120.1",
        "lat": "30.2",
    }
    return devices_with(folder, ",".join(values.get(name, "") for name in header))


def difference(preview: Preview, what: str) -> tuple[int, int, int]:
    found = next(d for d in preview.differences if d.what == what)
    return found.added, found.removed, found.changed


def test_a_preview_says_what_would_change_and_changes_nothing(
    kept: CityFolder, folder: Path
) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    seen = kept.preview(
        {"devices.csv": one_more(folder), "grids.geojson": before["grids.geojson"]}, NOW
    )
    assert seen.ok and not seen.problems
    assert [(f.name, f.state) for f in seen.files] == [
        ("devices.csv", "changed"),
        ("grids.geojson", "same"),
    ]
    assert difference(seen, "devices") == (1, 0, 0)
    assert next(d for d in seen.differences if d.what == "devices").added_ids == ("lvl-new",)
    assert difference(seen, "grids") == (0, 0, 0)
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before


def test_what_is_wrong_is_told_with_place_value_and_what_is_allowed(
    kept: CityFolder, folder: Path
) -> None:
    bad = one_more(folder).replace(b"120.1", b"a hundred")
    seen = kept.preview({"devices.csv": bad}, NOW)
    assert not seen.ok and seen.id == ""
    assert any(
        "devices.csv, line" in p.where and "lon" in p.where and "a hundred" in p.found
        for p in seen.problems
    ), seen.problems
    with pytest.raises(Wrong):
        kept.apply(seen.id, "王", NOW)


def test_applied_files_are_in_place_and_the_city_as_it_was_is_kept(
    kept: CityFolder, folder: Path, tmp_path: Path
) -> None:
    before = (folder / "devices.csv").read_bytes()
    after = one_more(folder)
    done = kept.apply(kept.preview({"devices.csv": after}, NOW).id, "王", NOW)
    assert (done.files, done.by) == (("devices.csv",), "王")
    assert (folder / "devices.csv").read_bytes() == after
    assert "lvl-new" in load_city(folder).devices
    assert (tmp_path / "state/city-backups" / done.backup / "devices.csv").read_bytes() == before
    assert not list(folder.rglob(".*"))
    with pytest.raises(Wrong):
        kept.apply(done.id, "王", NOW)


def test_a_folder_that_changed_since_the_preview_is_left_alone(
    kept: CityFolder, folder: Path
) -> None:
    seen = kept.preview({"devices.csv": one_more(folder)}, NOW)
    (folder / "workers.csv").write_text("id,name,role,grid,skills,shift,lon,lat\n")
    with pytest.raises(Refused, match="重新预览"):
        kept.apply(seen.id, "王", NOW)
    assert "lvl-new" not in load_city(folder).devices


@pytest.mark.parametrize(
    "name", ["../evil.toml", "/etc/passwd", "cameras/../../x.toml", "notes.exe", "a/b/c.csv"]
)
def test_a_file_that_has_no_place_in_a_city_folder_is_named_and_not_written(
    kept: CityFolder, folder: Path, name: str, tmp_path: Path
) -> None:
    there = {p for p in tmp_path.rglob("*") if p.is_file()}
    seen = kept.preview({name: b"x"}, NOW)
    assert not seen.ok
    assert [(f.name, f.state) for f in seen.files] == [(name, "not_known")]
    assert "devices.csv" in seen.problems[0].allowed
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == there


def test_a_folder_around_all_files_is_left_off(kept: CityFolder, folder: Path) -> None:
    files = {"mycity/devices.csv": one_more(folder), "mycity/.DS_Store": b"", "__MACOSX/x": b""}
    seen = kept.preview(files, NOW)
    assert [f.name for f in seen.files] == ["devices.csv"]
    assert difference(seen, "devices") == (1, 0, 0)


def test_an_interrupted_change_is_finished_by_whoever_starts_next(
    kept: CityFolder, folder: Path, tmp_path: Path
) -> None:
    after = one_more(folder)
    seen = kept.preview({"devices.csv": after}, NOW)
    journal = tmp_path / "state" / "city-import" / "applying.json"
    journal.write_bytes(msgspec.json.encode(Journal(seen.id, ("devices.csv", "gone.csv"))))
    CityFolder(folder, tmp_path / "state").finish()
    assert (folder / "devices.csv").read_bytes() == after
    assert not journal.exists()


def test_planned_works_are_added_and_ended(kept: CityFolder, folder: Path) -> None:
    soon = Work(
        id="w-1", kind="works", start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=5),
        point=Point(120.1, 30.2), radius_m=80.0, note="换管, 两日",
    )  # fmt: skip
    later = msgspec.structs.replace(
        soon, id="w-2", start=NOW + timedelta(days=1), end=NOW + timedelta(days=2)
    )
    kept.put_work(soon, "王", NOW)
    kept.put_work(later, "王", NOW)
    assert {w.id: w for w in kept.city().works if w.id in ("w-1", "w-2")} == {
        "w-1": soon,
        "w-2": later,
    }
    with pytest.raises(Wrong, match="已存在"):
        kept.put_work(soon, "王", NOW)
    kept.end_work("w-2", "王", NOW)
    kept.end_work("w-1", "王", NOW)
    left = {w.id: w.end for w in kept.city().works}
    assert left.get("w-1") == NOW and "w-2" not in left
    with pytest.raises(Wrong, match="已结束"):
        kept.end_work("w-1", "王", NOW + timedelta(hours=1))
    with pytest.raises(Wrong, match="没有"):
        kept.end_work("w-9", "王", NOW)


def test_works_that_cannot_be_are_refused_as_the_loader_says(kept: CityFolder) -> None:
    backwards = Work(id="w-3", kind="works", start=NOW, end=NOW - timedelta(hours=1))
    with pytest.raises(Wrong, match="after start"):
        kept.put_work(backwards, "王", NOW)


def test_devices_that_a_detector_learns_are_known_with_how_long(folder: Path) -> None:
    found = learning(load_city(folder), {})
    water = [d.id for d in load_city(folder).devices.values() if d.type == "water_level"]
    assert water
    assert {"flooding": 86_400.0}.items() <= {
        one.kind: one.seconds for one in found[water[0]]
    }.items()
