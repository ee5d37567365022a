"""What the service keeps an eye on: its embedded servers, its city folder, its state folder."""

from __future__ import annotations

import fcntl
import logging
import secrets
import socket
import threading
from typing import TYPE_CHECKING

from contracts.errors import GridsentryError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

log = logging.getLogger(__name__)

LOOK_S = 2.0


def keep_alive(what: str, start: Callable[[], object]) -> Callable[[], None]:
    """Start a child of ours again when it dies (`start` does nothing while it lives); how to stop
    doing so."""

    def look() -> None:
        try:
            start()
        except GridsentryError as error:
            log.error("the embedded %s is down: %s", what, error)

    return every(LOOK_S, look, f"{what}-keeper")


def watch_folder(folder: Path, changed: Callable[[], None]) -> Callable[[], None]:
    """Call `changed` whenever a file below the folder was edited; how to stop watching."""
    seen = _stamp(folder)

    def look() -> None:
        nonlocal seen
        stamp = _stamp(folder)
        if stamp != seen:
            seen = stamp
            changed()

    return every(LOOK_S, look, "city-watcher")


def lease_holder(state: Path, writer: str, stand_by: str, stack: ExitStack) -> str:
    """Who holds this writer's lease. A process that is alone with its state folder goes by that
    folder's own random name, so that after a kill the next one need not wait for the lease to end;
    any other is a stand-by with a name of its own."""
    lock = (state / f"writer-{writer}.lock").open("a+")
    stack.callback(lock.close)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        log.info("another process of this folder is the writer %s: standing by", writer)
        return stand_by
    lock.seek(0)
    name = lock.read().strip()
    if not name:
        name = secrets.token_hex(8)
        lock.write(name)
        lock.flush()
    return f"{socket.gethostname()}:{name}"


def every(seconds: float, look: Callable[[], None], name: str) -> Callable[[], None]:
    """Call `look` that often on a thread of its own; how to stop doing so."""
    halt = threading.Event()

    def run() -> None:
        while not halt.wait(seconds):
            look()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()

    def stop() -> None:
        halt.set()
        thread.join(3.0)

    return stop


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of a folder's files: changes when it was edited."""
    try:
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        return tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in files)
    except OSError:
        return ()
