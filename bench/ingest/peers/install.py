"""Installs what is measured beside the service: `python -m bench.ingest.peers.install`.

Node-RED comes from npm by its lock file, the Python clients from the package index by their hashes;
both go below build/bench, which nothing but this benchmark uses. What is there already for these
pins is left alone. Where a registry cannot be reached, the benchmark goes on without and says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import setup

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
NODE_RED = ROOT / "build" / "bench" / "node-red"
PYTHON = ROOT / "build" / "bench" / "peers"
PINS = HERE / "requirements.txt"
STAMP = ".installed"


class Missing(Exception):
    """It could not be installed; the text says why, for people."""


def node_red() -> Path:
    """Node-RED and node-postgres: the folder of their modules. Raises Missing."""
    lock = HERE / "node_red" / "package-lock.json"
    modules = NODE_RED / "node_modules"
    if _same(NODE_RED, lock):
        return modules
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise Missing("npm is missing: sudo apt-get install nodejs npm")
    NODE_RED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "node_red" / name, NODE_RED / name)
    _run([npm, "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"], NODE_RED)
    shutil.copy(lock, NODE_RED / STAMP)
    return modules


def python() -> Path:
    """The interpreter of an environment with the other clients and frameworks. Raises Missing."""
    program = PYTHON / "bin" / "python"
    if _same(PYTHON, PINS) and program.exists():
        return program
    uv = setup.TOOLS / "uv"
    if not uv.is_file():
        raise Missing(f"{uv.relative_to(ROOT)} is missing: run `make setup-test`")
    shutil.rmtree(PYTHON, ignore_errors=True)
    _run([str(uv), "venv", "-q", "--python", sys.executable, str(PYTHON)], ROOT)
    index = ["--default-index", setup.index_url()]
    target = ["--python", str(program), "--require-hashes", "-r", str(PINS)]
    _run([str(uv), "pip", "install", "-q", *index, *target], ROOT)
    shutil.copy(PINS, PYTHON / STAMP)
    return program


def _same(place: Path, pins: Path) -> bool:
    stamp = place / STAMP
    return stamp.is_file() and stamp.read_bytes() == pins.read_bytes()


def _run(command: list[str], where: Path) -> None:
    environ = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "true", **os.environ}
    done = subprocess.run(
        command, cwd=where, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = " / ".join(done.stderr.strip().splitlines()[-3:])
        raise Missing(f"`{' '.join(command[:3])}` failed: {last}")


def main() -> int:
    """Install both; 1 when one could not be."""
    failed = 0
    for what in (node_red, python):
        try:
            print(what())
        except Missing as why:
            print(why, file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
