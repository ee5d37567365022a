"""Every reason for which a message is set aside is said in both languages."""

from __future__ import annotations

import ast
from pathlib import Path

from center.pages.admin.letters import WORDS

INGEST = Path(__file__).resolve().parents[3] / "ingest"
CODE_AT = {"Permanent": 0, "Bad": 0, "Blamed": 0, "poison": 1, "_poison": 1, "Poison": 2}
"""Where the code stands among the arguments."""
NEVER_A_MESSAGE = {"bad_snapshot", "no_footage", "nothing_heard", "spool_gone"}
"""Faults of what we keep ourselves, told elsewhere."""


def codes() -> set[str]:
    found = set()
    for path in INGEST.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                place = CODE_AT.get(name, len(node.args))
                if place < len(node.args) and isinstance(node.args[place], ast.Constant):
                    found.add(str(node.args[place].value))  # type: ignore[attr-defined]
    return found


def test_every_code_has_words() -> None:
    found = codes()
    assert len(found) > 40
    assert found - NEVER_A_MESSAGE <= WORDS.keys()
