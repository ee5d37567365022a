"""Every command there is can be called, and every one the documents name is there."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from gridsentry.cli import parser
from gridsentry.commands import NAMES

ROOT = Path(__file__).parents[3]


def offered() -> set[str]:
    (choices,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return set(choices.choices)


def test_every_file_of_a_command_is_offered() -> None:
    folder = ROOT / "gridsentry" / "commands"
    there = {p.stem for p in folder.glob("*.py") if "\ndef add_parser(" in p.read_text("utf-8")}
    assert there == set(NAMES)


def test_every_command_that_a_document_tells_of_is_offered() -> None:
    known = offered()
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text("utf-8")
        told = set(re.findall(r"(?:^|`|&& |-m )gridsentry ([a-z][a-z-]+)", text, re.MULTILINE))
        assert told <= known, f"{page.name}: {sorted(told - known)}"
