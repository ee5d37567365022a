"""A process on a processor of its own, what it says in a file."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.ingest import machine

PATIENCE_S: Final = 20.0


class Pinned:
    """Started once, in a session of its own: our Ctrl-C is not its."""

    def __init__(
        self,
        command: list[str],
        *,
        folder: Path,
        log: Path,
        core: int,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environ,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        machine.pin(self._process.pid, {core})

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """SIGTERM, so that it may finish; SIGKILL when it does not."""
        if not self.alive():
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
