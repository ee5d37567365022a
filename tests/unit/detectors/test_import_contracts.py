"""The import contracts name every kind of detector: a new one is kept apart as well."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_kind_of_detector_is_among_those_that_know_no_other() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (apart,) = [
        contract["modules"]
        for contract in told["tool"]["importlinter"]["contracts"]
        if contract["name"] == "A kind of detector knows no other kind"
    ]
    kinds = {
        f"detectors.{path.parent.name}" for path in (ROOT / "detectors").glob("[!_]*/__init__.py")
    }
    assert set(apart) == kinds
