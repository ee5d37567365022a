"""EPA SWMM's engine, opened for one network at a time.

It keeps one network in the memory of its process: runs follow one another (a lock sees to it); who
wants them side by side starts processes.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.errors import Wrong

_LOCK = threading.Lock()


@contextlib.contextmanager
def started(where: str, name: str, text: str) -> Iterator[Any]:
    """The solver with a run of the input file `text` started; closed in the end.

    `where` says who asks. Raises Wrong when the engine is not installed or refuses the network.
    """
    try:
        from swmm.toolkit import solver
    except ImportError as error:
        raise Wrong(
            f"{where}: swmm-toolkit",
            "the sewer engine is not installed",
            "install the demo town's engines: pip install 'gridsentry[town]'",
        ) from error
    with _LOCK, tempfile.TemporaryDirectory(prefix="gridsentry-swmm-") as folder:
        inp, rpt, out = (Path(folder) / f"network.{end}" for end in ("inp", "rpt", "out"))
        inp.write_text(text, encoding="latin-1")
        try:
            try:
                solver.swmm_open(str(inp), str(rpt), str(out))
                solver.swmm_start(0)
            except Exception as error:
                said = rpt.read_text("latin-1") if rpt.is_file() else str(error)
                found = " ".join(line.strip() for line in said.splitlines() if "ERROR" in line)
                raise Wrong(
                    f"{where}: {name}", found or str(error), "a network that SWMM 5.2 can run"
                ) from error
            yield solver
        finally:
            solver.swmm_close()
