"""Detectors that see less than they should say so: in the log once, and as a metric."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridsentry.engine.runner import SiteRunner
    from gridsentry.metrics import Metrics

log = logging.getLogger(__name__)


class Conditions:
    """What every detector last said; told from several threads, each about its own detectors."""

    def __init__(self, metrics: Metrics | None) -> None:
        self._metrics = metrics
        self._last: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def told(self) -> list[tuple[str, str, str]]:
        """(kind, site, why) of every detector that sees less than it should."""
        with self._lock:
            return [(kind, site, text) for (kind, site), text in self._last.items()]

    def look(self, runners: Iterable[SiteRunner]) -> None:
        """Ask these detectors; each change is logged."""
        for runner in runners:
            self._see(runner.spec.kind, runner.site.id, runner.condition())

    def _see(self, kind: str, site: str, told: str | None) -> None:
        key = (kind, site)
        with self._lock:
            last = self._last.get(key)
            if told == last:
                return
            if told is None:
                del self._last[key]
            else:
                self._last[key] = told
        if told is None:
            log.info("%s at %s sees all it should again", kind, site)
        else:
            log.warning("%s at %s sees less than it should: %s", kind, site, told)
        if self._metrics is not None:
            self._metrics.detector_degraded.labels(kind, site).set(0 if told is None else 1)
