"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Spec
from contracts.nouns import Trace
from detectors.fibre_break.config import FibreBreakConfig
from detectors.fibre_break.detect import KIND, FibreBreak, sites

SPEC = Spec(kind=KIND, consumes=(Trace,), config=FibreBreakConfig, sites=sites, build=FibreBreak)
