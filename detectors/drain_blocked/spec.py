"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Spec
from contracts.nouns import Reading
from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.detect import KIND, DrainBlocked
from detectors.drain_blocked.many import ManyNetworks
from detectors.drain_blocked.sites import sites

SPEC = Spec(
    kind=KIND,
    consumes=(Reading,),
    metrics=frozenset({"level", "rain_rate"}),
    config=DrainBlockedConfig,
    sites=sites,
    build=DrainBlocked,
    many=ManyNetworks,
)
