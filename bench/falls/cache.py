"""What films and results depend on, so that a changed file never meets a stale one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bench._common import code
from bench._common.jobs import Kept
from bench.falls.films import plate_mark
from bench.falls.plan import Job
from bench.falls.scene import Result

ROOT = code.ROOT

STUDIO: Sequence[str] = (
    "simulators/falls",
    "simulators/dice.py",
    "contracts/city.py",
    "contracts/geo.py",
)
"""What a film depends on."""
JUDGES: Sequence[str] = (
    "contracts",
    "detectors/high_altitude_throw",
    "detectors/_common",
    "ingest/video.py",
    "ingest/codec",
    "bench/falls/fade.py",
    "bench/falls/match.py",
    "bench/falls/reference.py",
    "bench/falls/scene.py",
    "bench/falls/sheet.py",
    "bench/falls/watch.py",
)
"""What a result depends on beside its film."""
LIBRARIES = ("av", "numpy", "opencv-python-headless", "scipy", "msgspec")


def code_hash(places: Iterable[str], root: Path = ROOT) -> str:
    """Of these files and folders and of the libraries' versions."""
    return code.code_hash(places, LIBRARIES, root)


def kept(folder: Path, code: str, plates: Path | None) -> Kept[Job, Result]:
    """The results of this code; those before a photograph only for the same photograph."""
    return Kept(folder, code, Result, lambda job: plate_mark(job.order, plates))
