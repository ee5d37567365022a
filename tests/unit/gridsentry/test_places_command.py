"""`gridsentry places`: the same signs every time, for the places that were asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from center.pages.resident.codes import Codes
from center.pages.resident.spots import spots
from center.settings import CenterSettings
from gridsentry.city import load_city
from gridsentry.city.check import check_city
from gridsentry.city.init import init_city
from gridsentry.cli import main

SECRET = "a-secret-of-sixteen-letters"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    init_city(tmp_path / "city")
    path = tmp_path / "gridsentry.toml"
    path.write_text(
        f'[service]\ncity = "{tmp_path / "city"}"\nstate_dir = "{tmp_path / "state"}"\n'
        f'[center]\npublic_url = "https://grid.example.cn"\nevidence_secret = "{SECRET}"\n'
    )
    return path


def listed(config: Path, capsys: pytest.CaptureFixture[str], *more: str) -> list[list[str]]:
    assert main(["places", "--config", str(config), *more]) == 0
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


def test_the_list_names_every_place_with_the_code_the_center_knows(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = listed(config, capsys, "--what", "place,grid,drain,pole")
    city = load_city(config.parent / "city")
    codes = Codes(city, CenterSettings(), SECRET)
    assert [row[:2] for row in rows] == [[s.id, codes.code(s)] for s in spots(city)]
    assert all(row[2] == f"https://grid.example.cn/r/{row[1]}" for row in rows)
    assert rows[0][0] == "place:gate-1"
    assert rows == listed(config, capsys, "--what", "place,grid,drain,pole")


def test_a_special_grid_does_not_take_the_place_of_the_one_below_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"grid:market-1", "grid:sample-1-1"} <= {row[0] for row in listed(config, capsys)}


def test_signs_are_a_page_to_print_or_a_folder(config: Path, tmp_path: Path) -> None:
    page, folder = tmp_path / "signs.html", tmp_path / "signs"
    command = ["places", "--config", str(config), "--only", "gate-1,hall-1", "--out"]
    assert main([*command, str(page)]) == main([*command, str(folder)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg xmlns") == 2
    assert "size: A4" in text
    assert "示例小区东门" in text
    assert sorted(p.name for p in folder.iterdir()) == ["place-gate-1.svg", "place-hall-1.svg"]
    assert (folder / "place-gate-1.svg").read_text(encoding="utf-8").startswith("<svg xmlns")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--what", "house"], "allowed: place, grid, drain, pole"),
        (["--only", "nowhere"], "nowhere"),
        (["--url", "grid.example.cn"], "--url"),
        (["--out", "signs.docx"], "ends in .html"),
    ],
)
def test_what_cannot_be_printed_is_said(
    config: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main(["places", "--config", str(config), *more]) == 2
    assert said in capsys.readouterr().err


def test_a_name_cannot_break_out_of_its_sign(config: Path, tmp_path: Path) -> None:
    city = config.parent / "city"
    (city / "places.csv").write_text('id,name,lon,lat\nx,"<script>&""",118.19,26.17\n')
    assert main(["places", "--config", str(config), "--only", "x", "--out", str(tmp_path)]) == 0
    text = (tmp_path / "place-x.svg").read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "&lt;script&gt;&amp;" in text


def test_a_place_twice_is_refused_with_its_line(config: Path) -> None:
    city = config.parent / "city"
    with (city / "places.csv").open("a", encoding="utf-8") as file:
        file.write("gate-1,又一个,,gate,118.19,26.17\n")
    report = check_city(city)
    assert [p.where for p in report.problems] == ["places.csv, line 5, column id"]
