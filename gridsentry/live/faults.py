"""Fault points: places where a test may kill the service, so that the proof has no blind spot.

Inert unless `GRIDSENTRY_FAULT_POINT` names one, `before_commit` or `after_commit`, and how often
it is passed: `after_commit:17` kills this process with SIGKILL when the 17th batch has been
committed and before anything of it is acknowledged. A third part waits first, in seconds, so that
what was handed to the network is out: `before_commit:5:0.1`.
"""

from __future__ import annotations

import os
import signal
import threading


class FaultPoint:
    """Counts the times a named place was passed and dies there when told to."""

    def __init__(self, spec: str | None = None) -> None:
        spec = os.environ.get("GRIDSENTRY_FAULT_POINT", "") if spec is None else spec
        name, nth, pause = (*spec.split(":"), "", "")[:3]
        self._name = name
        self._left = int(nth) if nth else 1
        self._pause_s = float(pause) if pause else 0.0

    def reach(self, name: str) -> None:
        """Die here if this is the place and the time."""
        if name != self._name:
            return
        self._left -= 1
        if self._left <= 0:
            if self._pause_s:
                threading.Event().wait(self._pause_s)
            os.kill(os.getpid(), signal.SIGKILL)
