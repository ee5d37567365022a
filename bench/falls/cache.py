"""Results of jobs on disk, so that a stopped scorecard goes on where it was.

A result is found again only under the same order and the same code: its name holds a hash of both,
so a changed detector, studio, decoder or comparison never meets a stale result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from bench._common import code
from bench.falls.films import plate_mark, write_whole
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


class Cache:
    """Results in a folder."""

    def __init__(self, folder: Path, code: str, plates: Path | None) -> None:
        self.folder, self._code, self._plates = folder, code, plates

    def get(self, job: Job) -> Result | None:
        """The result of this job under this code, or None. A damaged file is none."""
        try:
            return msgspec.msgpack.decode(self._path(job).read_bytes(), type=Result)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def put(self, result: Result) -> None:
        """Keep it. A crash is not kept: the next run tries again."""
        if result.error is not None:
            return
        path = self._path(result.job)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.msgpack.encode(result))

    def _path(self, job: Job) -> Path:
        told = hashlib.sha256(msgspec.msgpack.encode(job) + self._code.encode())
        told.update(plate_mark(job.order, self._plates))
        return self.folder / job.part / f"{told.hexdigest()[:24]}.msgpack"
