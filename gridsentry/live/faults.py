"""Fault points: places where a test may kill the service, so that the proof has no blind spot.

Inert unless `GRIDSENTRY_FAULT_POINT` names one, `before_commit` or `after_commit`, and how often
it is passed: `after_commit:17` kills this process with SIGKILL when the 17th batch has been
committed and before anything of it is acknowledged.
"""

from __future__ import annotations

import os
import signal


class FaultPoint:
    """Counts the times a named place was passed and dies there when told to."""

    def __init__(self, spec: str | None = None) -> None:
        spec = os.environ.get("GRIDSENTRY_FAULT_POINT", "") if spec is None else spec
        name, _, nth = spec.partition(":")
        self._name = name
        self._left = int(nth) if nth else 1

    def reach(self, name: str) -> None:
        """Die here if this is the place and the time."""
        if name != self._name:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
