"""What `postmaster.pid` says, and whether that process is still the server it was."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import msgspec

from contracts.clock import SystemClock, monotonic

NOBODYS_PID = 4_194_305
"""One above the largest process id Linux can give (PID_MAX_LIMIT, 64 bit)."""


class Note(msgspec.Struct, frozen=True):
    """The lines of `postmaster.pid` that matter here."""

    pid: int
    socket_dir: Path | None
    ready: bool


def read(pgdata: Path) -> Note | None:
    """What the server's pid file says; None when there is none (or it is being written)."""
    try:
        lines = (pgdata / "postmaster.pid").read_text("utf-8", "replace").splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None
    folder = lines[4].strip() if len(lines) > 4 else ""
    status = lines[7].strip() if len(lines) > 7 else ""
    return Note(pid, Path(folder) if folder else None, status == "ready")


def is_postmaster(pid: int, pgdata: Path) -> bool:
    """Whether that process lives and is a server on exactly this data folder."""
    if gone(pid, None):
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(pgdata) in words and words[0].endswith(b"postgres")


def disown(pgdata: Path) -> None:
    """Make a stale pid file name nobody, so that PostgreSQL may start.

    The rest of the file stays: with its shared memory key PostgreSQL still finds out whether back
    ends of the old server are alive.
    """
    path = pgdata / "postmaster.pid"
    lines = path.read_text("utf-8", "replace").splitlines()
    lines[0] = str(NOBODYS_PID)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def send(pid: int, signum: signal.Signals) -> None:
    """Signal that process; nothing happens when it is gone."""
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return


def gone(pid: int, process: subprocess.Popen[bytes] | None) -> bool:
    """Whether that process has ended (a zombie nobody reaps has ended, too)."""
    if process is not None and process.pid == pid:
        return process.poll() is not None
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True
    return stat.rpartition(b")")[2].split()[0] in (b"Z", b"X")


def wait_gone(
    pid: int, seconds: float, process: subprocess.Popen[bytes] | None, clock: SystemClock
) -> bool:
    """Wait up to that long for the process to end; whether it has."""
    until = monotonic() + seconds
    while not gone(pid, process):
        if monotonic() > until:
            return False
        clock.sleep(0.01)
    return True
