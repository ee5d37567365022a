"""`aliases.csv`: what outside gateways call our devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.aliases import Alias, aliases
from gridsentry.city import CityProblems, read_city
from tests.rig import drain, write_city

HEAD = "alias,device,profile,height_m,metrics\n"


def city(folder: Path, text: str | None) -> Path:
    write_city(folder, [drain("s-0"), drain("s-1", 1)])
    if text is not None:
        (folder / "aliases.csv").write_text(text)
    return folder


def test_a_city_without_the_file_has_none(tmp_path: Path) -> None:
    loaded = read_city(city(tmp_path, None))
    assert aliases(loaded.city) == {}
    assert "aliases" not in loaded.city.extra


def test_names_profiles_heights_and_renamed_metrics_are_read(tmp_path: Path) -> None:
    text = HEAD + (
        "24E124713D000004,s-0,EM500-UDL,2.5,level=depth;battery_percent=\n"
        "工厂/网关1/井 7,s-1,,,\n"
        "s-1,s-1,DL-CTD10,-0.1,\n"
    )
    loaded = read_city(city(tmp_path, text))
    found = aliases(loaded.city)
    assert found["24E124713D000004"] == Alias(
        alias="24E124713D000004", device="s-0", profile="EM500-UDL", height_m=2.5,
        metrics={"level": "depth", "battery_percent": ""},
    )  # fmt: skip
    assert found["工厂/网关1/井 7"].device == "s-1"
    assert found["s-1"].height_m == -0.1
    assert not [w for w in loaded.warnings if "aliases" in w]


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        ("x,s-9,,,", "column device", ["s-9", "did you mean s-"]),
        ("s-1,s-0,,,", "column alias", ["device of its own"]),
        ("y,s-0,,,\ny,s-1,,,", "column alias", ["y again"]),
        ("z,s-0,EM310-UDX,,", "column profile", ["EM310-UDX", "EM310-UDL"]),
        ("z,s-0,,high,", "column height_m", ["high"]),
        ("z,s-0,,,level", "column metrics", ["level", "current_1=current_b"]),
        (",s-0,,,", "column alias", ["missing"]),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_column(
    tmp_path: Path, line: str, place: str, words: list[str]
) -> None:
    with pytest.raises(CityProblems) as caught:
        read_city(city(tmp_path, HEAD + line + "\n"))
    text = str(caught.value)
    for word in ("aliases.csv, line ", place, *words):
        assert word in text


def test_folders_of_mappings_and_profiles_are_no_strangers(tmp_path: Path) -> None:
    folder = city(tmp_path, None)
    for name in ("mappings", "device_profiles"):
        (folder / name).mkdir()
        (folder / name / "x.toml").write_text("[devices]\n")
    assert not [w for w in read_city(folder).warnings if "left aside" in w]


def test_a_profile_of_ones_own_can_be_named_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    folder = city(tmp_path, HEAD + "x,s-0,Dipper 2,,\n")
    own = folder / "device_profiles" / "own.toml"
    own.parent.mkdir()
    own.write_text("[devices.Dipper-2]\n")
    assert aliases(read_city(folder).city)["x"].profile == "Dipper 2"
    own.write_text("[devices.Dipper-2]\nlayuot = 'fixed'\n")
    with pytest.raises(CityProblems, match=r"device_profiles/own\.toml.*layuot"):
        read_city(folder)
