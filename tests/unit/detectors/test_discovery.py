"""Detectors are found by being there; a broken one stops the start, never silently missing."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import msgspec
import pytest

import detectors
from contracts.errors import Wrong
from contracts.kinds import KINDS
from detectors import settings_type, specs


def test_every_kind_is_found_in_a_fixed_order() -> None:
    found = specs()
    assert list(found) == sorted(found)
    assert {"flooding", "fibre_break", "severed_cable", "citizen_report", "sensor_silent"} <= set(
        found
    )
    assert set(found) <= set(KINDS)
    assert all(kind == spec.kind for kind, spec in found.items())


def test_every_setting_has_a_default() -> None:
    for spec in specs().values():
        assert spec.config() == spec.config()


def test_the_union_of_settings_refuses_what_it_does_not_know_and_says_where() -> None:
    kind = settings_type()
    assert msgspec.convert({}, kind) == kind()
    changed = msgspec.convert({"flooding": {"depth_close_m": 0.25}}, kind)
    assert changed.flooding.depth_close_m == 0.25  # type: ignore[attr-defined]
    with pytest.raises(msgspec.ValidationError, match=r"depth_clse_m.*\$\.flooding"):
        msgspec.convert({"flooding": {"depth_clse_m": 0.25}}, kind)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("SPEC = None", Wrong),
        ("import no_such_module_anywhere", ModuleNotFoundError),
        ("from detectors.flooding import SPEC", Wrong),
    ],
)
def test_a_broken_detector_is_fatal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, error: type[Exception]
) -> None:
    (tmp_path / "zz_broken.py").write_text(text)
    monkeypatch.setattr(detectors, "__path__", [*detectors.__path__, str(tmp_path)])
    try:
        with pytest.raises(error):
            specs()
    finally:
        sys.modules.pop("detectors.zz_broken", None)


def test_kinds_do_not_know_each_other_and_touch_no_clock_or_network() -> None:
    root = Path(detectors.__file__).parent
    kinds = set(specs())
    banned = {"asyncio", "time", "random", "socket", "threading", "os", "pathlib"}
    for file in root.rglob("*.py"):
        own = file.relative_to(root).parts[0]
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                assert name.split(".")[0] not in banned, f"{file} imports {name}"
                parts = name.split(".")
                other = parts[1] if parts[0] == "detectors" and len(parts) > 1 else own
                assert other == own or other not in kinds, f"{file} imports {name}"
