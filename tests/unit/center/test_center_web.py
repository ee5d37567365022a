"""What browsers load keeps the house's rules: types checked, nothing inline, nothing from afar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WEB = ROOT / "center" / "pages"
MODULES = sorted(p.relative_to(WEB).as_posix() for p in WEB.glob("*/web/**/*.js"))
PAGES = sorted(p.relative_to(WEB).as_posix() for p in WEB.glob("*/web/**/*.html"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_its_types_checked(name: str) -> None:
    said = "// @ts-check" in (WEB / name).read_text("utf-8").splitlines()[:3]
    assert said, "begin it with // @ts-check"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_nothing_inline_and_loads_from_here_only(name: str) -> None:
    text = (WEB / name).read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)
    for loaded in re.findall(r"<(?:script|link|img)\b[^>]*?\b(?:src|href)=\"([^\"]*)\"", text):
        assert loaded.startswith(("/", "data:")), loaded
        assert not loaded.startswith("//"), loaded
