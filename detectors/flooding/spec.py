"""The kind's one export."""

from __future__ import annotations

from contracts.detector import Detector, Site, Spec
from contracts.nouns import Reading
from detectors.flooding.config import FloodingConfig
from detectors.flooding.detect import Flooding
from detectors.flooding.levels import Levels
from detectors.flooding.lines import LEVELS, sites
from detectors.flooding.many import ManyFloods
from detectors.flooding.told import KIND


def build(cfg: FloodingConfig, site: Site, snapshot: bytes | None) -> Detector[Reading]:
    """Where the site's device has a line (`lines_of`): `Flooding`, which forecasts when water
    reaches it. The levels of a district that have none are one site: `Levels`, which tells what is
    unusual at each."""
    if site.id.startswith(LEVELS) and site.devices[0].id != site.id:
        return Levels(cfg, site, snapshot)
    return Flooding(cfg, site, snapshot)


SPEC = Spec(
    kind=KIND,
    consumes=(Reading,),
    metrics=frozenset({"level", "depth", "rain_rate", "flow"}),
    config=FloodingConfig,
    sites=sites,
    build=build,
    many=ManyFloods,
)
